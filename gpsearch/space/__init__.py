"""The search space: params, point and z, and the way between them.

============ ==============================================================================
params       one configuration: dict of name to plain Python value, in the user's units; a
             dimension that does not exist in it is absent, a fixed value is present
point        list of one plain Python value for each dimension, in the order of the space
z            float array in the unit cube, one column for each dimension
============ ==============================================================================

`columns` converts one dimension, `space` all of them, and `dimensions` reads what users write:
dicts, TOML tables, lists, tuples and frozen scipy.stats distributions.
"""

from gpsearch.space.checked import Categorical, Integer, Real
from gpsearch.space.space import Point, Space

__all__ = ["Categorical", "Integer", "Point", "Real", "Space"]

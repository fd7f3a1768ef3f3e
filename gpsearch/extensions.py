"""Methods that rooms above give to a class, attached where the class is made.

A class asks for them by its name; nothing above is imported for it.
"""

from typing import Any, TypeVar

Class = TypeVar("Class", bound=type)

EXTENSIONS: dict[str, dict[str, Any]] = {}
"""By the name of a class, its further attributes; `gpsearch.conveniences` fills it."""


def extended(owner: Class) -> Class:
    """Attach the extensions of a class; a decorator."""
    for name, attached in EXTENSIONS.get(owner.__name__, {}).items():
        setattr(owner, name, attached)
    return owner

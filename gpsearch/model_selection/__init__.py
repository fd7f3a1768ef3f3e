"""The search as a scikit-learn estimator.

`search_cv` holds the estimator, `search_run` the search behind it, `best_estimator` what it shows
of the model found. `distributions` reads ``param_distributions`` as a space,
`subjects` turns estimator and data into an objective, `routing` sends the arguments of ``fit``
to estimator, splitter and scorer, and `results` makes ``cv_results_`` from the study. `nested`
cross-validates a whole search.
"""

from gpsearch.model_selection.nested import NestedCV, nested_cv
from gpsearch.model_selection.search_cv import GPSearchCV

__all__ = ["GPSearchCV", "NestedCV", "nested_cv"]

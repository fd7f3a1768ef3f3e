"""The face that scikit-learn users know.

`search_cv` holds the estimator. `distributions` reads what `RandomizedSearchCV` takes as a
space, `subjects` turns estimator and data into an objective, `routing` sends the arguments of
``fit`` where they belong, and `results` reads ``cv_results_`` from the study.
"""

from gpsearch.model_selection.search_cv import GPSearchCV

__all__ = ["GPSearchCV"]

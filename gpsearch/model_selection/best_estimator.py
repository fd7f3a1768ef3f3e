"""What a search shows of its best estimator: methods, attributes and tags."""

from typing import Any

from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from gpsearch.estimators.keras_estimator import KerasClassifier, KerasRegressor
from gpsearch.model_selection.subjects import is_model_function


def of_best(name: str) -> Any:
    """The method `name` of the best estimator, there where that estimator has it."""

    def method(self: Any, X: Any) -> Any:
        check_is_fitted(self)
        return getattr(self.best_estimator_, name)(X)

    method.__name__, method.__qualname__ = name, f"GPSearchCV.{name}"
    method.__doc__ = f"``{name}`` of the best estimator."
    return available_if(lambda self: has(self, name))(method)


def has(search: Any, name: str) -> bool:
    """True; raises AttributeError where the best estimator has or will have no such attribute."""
    require_refitted(search, name)
    getattr(visible_estimator(search), name)
    return True


def require_refitted(search: Any, name: str) -> None:
    """Raise AttributeError where the search fits no best estimator."""
    if not search.refit:
        raise AttributeError(
            f"This GPSearchCV instance was initialized with `refit={search.refit}`. {name} is "
            "available only after refitting on the best parameters: give refit=True, or fit an "
            "estimator with best_params_ yourself."
        )


def visible_estimator(search: Any) -> Any:
    """The estimator whose methods and tags the search shows."""
    if hasattr(search, "best_estimator_"):
        return search.best_estimator_
    if is_model_function(search.estimator):
        return KerasRegressor() if search.task == "regression" else KerasClassifier()
    return search.estimator

"""What `KerasClassifier` and `KerasRegressor` share: parameters, training, data, saving.

The arguments of ``create_model`` are parameters of the estimator, beside those of training. So
``clone``, ``set_params``, Pipelines and every search see them.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted, validate_data

from gpsearch.data.preprocessing import check_preprocess
from gpsearch.data.rows import (
    Parts,
    check_lengths,
    in_parts,
    is_text,
    read_features,
    refuse_masked,
    without_lists,
)
from gpsearch.data.target import plain_type, read_target
from gpsearch.data.weights import read_weights
from gpsearch.errors import InvalidObjectiveError
from gpsearch.estimators.fit import TrainingFacts, fit_network
from gpsearch.estimators.parameter_names import (
    OF_KERAS_FIT,
    OVERRIDABLE,
    check_names,
    first_unknown,
    given_settings,
    hint,
)
from gpsearch.estimators.saving import load_network, save_network
from gpsearch.training.fitted import as_fitted
from gpsearch.training.mlp import mlp
from gpsearch.training.model_function import ModelFunction
from gpsearch.training.output_link import with_link
from gpsearch.training.trainer import TrainingSettings


class KerasEstimator(BaseEstimator):
    """What the classifier and the regressor share."""

    _task: str

    rows_in_order = False
    """Hold back the last rows, not random ones: set by a cross-validation that walks forward."""
    planned: TrainingSettings | None = None
    """What ``create_model`` is told of the training; set by a search, which may train shorter."""
    measures_work = True
    """Whether ``training_`` holds the work of the training; see `FoldResult.work`."""

    def __init__(
        self,
        create_model: Callable[..., Any] | None = None,
        *,
        epochs: int = 100,
        batch_size: int | None = None,
        patience: int | None = None,
        validation_fraction: float = 0.1,
        preprocess: Any = None,
        callbacks: Any = None,
        compiled: bool = True,
        random_state: Any = None,
        class_weight: Any = None,
        outputs: str | None = None,
        **model_params: Any,
    ) -> None:
        self.create_model = create_model
        self.epochs = epochs
        self.batch_size = batch_size
        self.patience = patience
        self.validation_fraction = validation_fraction
        self.preprocess = preprocess
        self.callbacks = callbacks
        self.compiled = compiled
        self.random_state = random_state
        self.class_weight = class_weight
        self.outputs = outputs
        self._model_params = model_params

    # ---------------------------------------------------------------- parameters

    def __sklearn_clone__(self) -> Self:
        fresh = super().__sklearn_clone__()
        if self.rows_in_order:  # an estimator around this one fits a clone
            fresh.rows_in_order = True
        return fresh

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Parameters of the training, and the arguments of ``create_model`` that were given."""
        return {**super().get_params(deep=deep), **self._model_params}

    def set_params(self, **params: Any) -> Self:
        """Set parameters of the training, or arguments of ``create_model``.

        Raises
        ------
        ValueError
            A name that is neither.
        """
        own = super().get_params(deep=True)
        of_training = {
            name: value
            for name, value in params.items()
            if name in own or name.split("__")[0] in own
        }
        of_model = {name: value for name, value in params.items() if name not in of_training}
        if of_model:
            create_model = of_training.get("create_model", self._function)
            function = ModelFunction(create_model) if callable(create_model) else None
            if function and (unknown := first_unknown(function, of_model)):
                valid = sorted({*own, *function.takes})
                raise ValueError(
                    f"Invalid parameter {unknown!r} for estimator {self}. {hint(unknown, valid)}"
                    f"Valid parameters are: {valid}: those of the training, and the arguments of "
                    f"{function.name}."
                )
        super().set_params(**of_training)
        self._model_params = {**self._model_params, **of_model}
        return self

    # ---------------------------------------------------------------- training

    def _fit(self, X: Parts, y: Any, sample_weight: Any, training: Mapping[str, Any]) -> Self:
        settings, function = self._settings(training), ModelFunction(self._function)
        check_names(type(self).__name__, function, self._model_params, super().get_params())
        features = self._read(X, reset=True)
        target = read_target(y, None if in_parts(y) else self._task)
        target = with_link(target, self.outputs)
        weight = read_weights(sample_weight)
        check_lengths(features, y=target.encoded, sample_weight=weight)
        self.network_, self.training_, self._rebuild = fit_network(
            self, function, settings, features, target, weight
        )
        self.history_ = {name: list(values) for name, values in self.training_.curves.items()}
        return self

    @property
    def _function(self) -> Callable[..., Any]:
        return mlp if self.create_model is None else self.create_model

    def _settings(self, training: Mapping[str, Any]) -> dict[str, Any]:
        """The settings of the estimator, with those given to ``fit`` in their place."""
        given = given_settings(training)
        if unknown := sorted(set(given) - set(OVERRIDABLE)):
            raise TypeError(
                f"{type(self).__name__}.fit does not take {unknown[0]!r}. "
                f"{OF_KERAS_FIT.get(unknown[0], '')}It takes X, y, sample_weight, "
                f"{', '.join(OVERRIDABLE)} (or validation_split), and ignores "
                "verbose. Arguments of create_model are parameters of the estimator."
            )
        own = {name: getattr(self, name) for name in OVERRIDABLE}
        split = bool(training.get("validation_split"))
        return {**own, **given, "in_order": self.rows_in_order or split, "split": split}

    # ---------------------------------------------------------------- data

    def check_rows(self, X: Parts, y: Any) -> None:
        """Raise where ``fit`` takes no such X or y."""
        X, y = self._given(X, y)
        self._read(X, reset=True)

    def _given(self, X: Parts, y: Any) -> tuple[Parts, Parts]:
        """X and y with lists of inputs and outputs as tuples; raises where y is None or complex."""
        if y is None:
            raise InvalidObjectiveError(
                f"{type(self).__name__} requires y to be passed, but the target y is None."
            ).about("y", None)
        X, y = without_lists(X, y)
        if in_parts(y):
            return X, y
        if hasattr(y, "tocsr"):
            raise InvalidObjectiveError("is sparse. Give y.toarray().").about("y")
        if not hasattr(y, "iloc"):  # an array-like of another kind may refuse NumPy's functions
            y = plain_type(np.asanyarray(y))
        elif hasattr(y, "infer_objects"):
            y = y.infer_objects()
        if np.iscomplexobj(y):
            rule = "Complex data not supported: y holds complex numbers."
            raise InvalidObjectiveError(rule).about("y")
        return X, y

    def _read(self, X: Parts, *, reset: bool) -> Parts:
        """X, checked as scikit-learn does where it is an array of numbers."""
        refuse_masked("X", X)
        if in_parts(X):
            features = read_features(X)
        elif is_text(X) and (reset or not hasattr(self, "n_features_in_")):
            features = read_features(X)
            self.__dict__.pop("n_features_in_", None)  # of numbers, in an earlier fit
        elif self.preprocess in (None, "standardize"):
            if reset and hasattr(X, "columns"):
                check_preprocess(self.preprocess, X)
            features = validate_data(
                self, X, reset=reset, allow_nd=True, ensure_min_samples=2 if reset else 1
            )
        else:
            features = read_features(X)
            if np.ndim(features) == 2:
                validate_data(self, X, reset=reset, skip_check_array=True)
        if reset:
            check_preprocess(self.preprocess, features)
        return features

    def _features(self, X: Parts, of_keras: Iterable[str] = ()) -> Parts:
        """X for a prediction; of the arguments of Keras's ``predict``, none changes its values."""
        check_is_fitted(self)
        if unknown := sorted({*of_keras} - {"batch_size", "verbose"}):
            raise TypeError(
                f"{type(self).__name__} predicts without {unknown[0]!r}: it takes X, and ignores "
                "batch_size and verbose. Leave it out."
            )
        inputs = getattr(self.model_, "inputs", None) or ()
        if isinstance(X, list) and len(inputs) == len(X) and hasattr(X[0], "shape"):
            X = tuple(X)
        return self._read(X, reset=False)

    # ---------------------------------------------------------------- saving

    @property
    def model_(self) -> Any:
        """The trained Keras model, which takes preprocessed rows."""
        check_is_fitted(self)
        return self.network_.model

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the fitted estimator as one ``.keras`` file, without pickle.

        The file is a Keras model that takes X as given, so plain Keras loads it, too.

        Raises
        ------
        InvalidObjectiveError
            The preprocessing is one that Keras cannot hold, or JSON cannot hold the labels.
        """
        check_is_fitted(self)
        save_network(self, path)

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        *,
        create_model: Callable[..., Any] | None = None,
        custom_objects: Mapping[str, Any] | None = None,
    ) -> Self:
        """Read a fitted estimator from a file that `save` wrote.

        Parameters
        ----------
        path : path
        create_model : callable, optional
            For fitting anew; prediction needs none. Nor does a file hold `callbacks`.
        custom_objects : dict, optional
            Layers and functions of your own, as ``keras.models.load_model`` takes them.

        Raises
        ------
        InvalidObjectiveError
            The file was not written by `save`, or by another kind of estimator.
        """
        network, facts = load_network(cls.__name__, path, custom_objects)
        made = cls(create_model, **facts["params"])
        made.class_weight = dict(facts.get("class_weights", ())) or made.class_weight
        made.network_, made.training_ = network, TrainingFacts(**facts["training"])
        made._label_dtype = facts.get("label_dtype")
        made.history_ = {name: list(values) for name, values in made.training_.curves.items()}
        if facts["n_features"] is not None:
            made.n_features_in_ = facts["n_features"]
        if names := facts.get("feature_names"):  # by which columns in another order are refused
            made.feature_names_in_ = np.array(names, dtype=object)
        return made

    def __getstate__(self) -> dict[str, Any]:
        """Weights and the call that rebuilds the model: nothing need be registered with Keras."""
        state = dict(super().__getstate__())
        if "network_" in state and "_rebuild" in state:
            network = state.pop("network_")
            state["_packed"] = (network.model.get_weights(), network.preprocessor, network.target)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        packed = state.pop("_packed", None)
        super().__setstate__(state)
        if packed is not None:
            weights, preprocessor, target = packed
            create_model, *call = self._rebuild
            model = ModelFunction(create_model).build(*call)
            model.set_weights(weights)
            self.network_ = as_fitted(model, preprocessor, target)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "network_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self.preprocess not in (None, "standardize")
        tags.input_tags.string = tags.input_tags.categorical = tags.input_tags.allow_nan
        return tags

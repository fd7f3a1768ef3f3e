"""A search or a study as scikit-optimize's ``OptimizeResult``."""

import copy
import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.optimize import OptimizeResult

from gpsearch.optimizer.models import SurrogateModel
from gpsearch.optimizer.skopt_arguments import read_space
from gpsearch.space import Point, Space
from gpsearch.strategy.history import study_history
from gpsearch.strategy.strategy import Array
from gpsearch.study import Study


def make_result(
    space: Space,
    points: Sequence[Point],
    losses: Sequence[float] | Array,
    *,
    models: Sequence[Any],
    rng: Any = None,
    specs: dict[str, Any] | None = None,
    best: int | None = None,
) -> OptimizeResult:
    """Make an ``OptimizeResult`` with the attributes that scikit-optimize gives it.

    A failed evaluation has the loss inf, so that plots and callbacks, which take minima, ignore it.
    Without a successful evaluation ``x`` is None and ``fun`` is NaN. `space` is normalised, as
    `read_space` makes it; of the `models` plots take the last. `best` is by default the first
    point of the smallest loss.
    """
    points = [list(point) for point in points]  # its own: the caller may change them
    values = np.array(losses, dtype=float)
    if best is None and np.isfinite(values).any():
        best = int(np.argmin(values))
    return OptimizeResult(
        x=None if best is None else points[best],
        fun=math.nan if best is None else float(values[best]),
        func_vals=values,
        x_iters=points,
        models=list(models),
        space=space,
        random_state=rng,
        specs=specs,
    )


def plottable(arguments: dict[str, Any]) -> dict[str, Any]:
    """``result.specs``: to scikit-optimize's plots no function means expected improvement.

    An empty dict is None, for SciPy cannot print a result that holds one.
    """
    ours = {"acq_func": None} if arguments.get("acq_func") == "logEI" else {}
    given = {**arguments, **ours}
    return {n: None if isinstance(v, dict) and not v else v for n, v in given.items()}


def study_result(study: Study) -> OptimizeResult:
    """A study's finished trials as an ``OptimizeResult``, with a model fitted to them.

    It holds losses: scores with their sign changed where greater is better. Its space is the
    study's, normalised as scikit-optimize's plots want it. A failed trial has the loss inf, a
    stopped one the loss of the history, without the effects of its folds; ``x`` is the study's best
    complete trial. ``models`` holds the process of the search, or nothing while no trial has
    succeeded.

    Examples
    --------
    >>> import gpsearch as gs
    >>> study = gs.search(lambda params: -(params["x"] - 1) ** 2, {"x": gs.Real(-2.0, 2.0)},
    ...                   n_calls=9, strategy="random", random_state=0, progress=False)
    >>> result = study_result(study)
    >>> len(result.x_iters), bool(result.fun == -study.best_score)
    (9, True)
    """
    space = read_space(study.space)
    history = study_history(study)
    losses = np.where(history.failed, math.inf, history.losses)
    models = []
    if not history.failed.all():
        models.append(SurrogateModel(space, functools.partial(copy.copy, history)))
    arguments = {
        "acq_func": None,
        "n_calls": len(history),
        "optimum_prior": dict(study.info.settings.get("expected_optimum", {})),
        "cost": study.info.settings.get("cost"),
    }
    specs = {"args": plottable(arguments), "function": "search"}
    numbers = [trial.number for trial in study.ended]
    best = numbers.index(study.best_trial.number) if study.complete else None
    return make_result(space, history.points, losses, models=models, specs=specs, best=best)

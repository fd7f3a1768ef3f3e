"""The search behind `GPSearchCV`: its arguments as those of `gpsearch.search`."""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from gpsearch.errors import StudyMismatchError, renaming
from gpsearch.execution import StopReason, search
from gpsearch.model_selection.distributions import Distributions
from gpsearch.model_selection.model_subject import ModelSubject
from gpsearch.model_selection.renamed_objective import RenamedObjective
from gpsearch.model_selection.subjects import EstimatorSubject
from gpsearch.study.location import is_folder, study_folder

if TYPE_CHECKING:
    from gpsearch.model_selection.search_cv import GPSearchCV
    from gpsearch.study import Study

FILE_DIGITS = 12  # of a fingerprint, in the name of a file

trial_logger = logging.getLogger("gpsearch.trials")


def run_search(
    owner: GPSearchCV, subject: EstimatorSubject | ModelSubject, distributions: Distributions
) -> Study:
    """Search with the arguments of `owner`; the study that holds the trials."""
    size = distributions.space.cardinality
    if size is not None and size < owner.n_iter:
        warnings.warn(
            f"The total space of parameters {size} is smaller than n_iter={owner.n_iter}. "
            f"Running {size} iterations: each is evaluated once.",
            UserWarning,
            stacklevel=3,
        )
    objective: Any = subject.objective
    if distributions.translates:
        objective = RenamedObjective(objective, distributions)
    baseline = owner.baseline
    if isinstance(baseline, Mapping):
        with renaming(params="baseline"):
            baseline = distributions.stored(baseline)
    path = owner.study
    if path is not None and is_folder(path):
        name = objective.fingerprint()[:FILE_DIGITS].replace(":", "-")  # for Windows
        path = study_folder(path) / f"{name}.db"
    with _trial_lines(owner.verbose), _pointing_to_folder():
        study = search(
            objective,
            distributions.space,
            n_calls=owner.n_iter,
            study=path,
            random_state=owner.random_state,
            strategy=owner.strategy,
            n_initial_points=owner.n_initial_points,
            optimum_prior=owner.optimum_prior,
            cost=owner.cost,
            racing=owner.racing,
            keep_predictions=owner.keep_predictions,
            confirm=False if callable(owner.refit) else owner.confirm,
            baseline=baseline,
            timeout=owner.timeout,
            stop=lambda study: subject.error(study.trials) is not None,
            n_jobs=subject.trials_at_once,
            progress=owner.verbose > 0,
        )
    error = subject.error(study.trials)
    if error is not None:
        raise error
    if study.stop_reason == StopReason.INTERRUPTED.value:
        owner.study_ = study
        raise KeyboardInterrupt("GPSearchCV.fit was interrupted; study_ holds its trials")
    return study


@contextmanager
def _trial_lines(verbose: int) -> Iterator[None]:
    """Print the log's lines about trials as `verbose` asks, unless the user has set up the log."""
    level = trial_logger.level
    if verbose > 1 and not trial_logger.isEnabledFor(logging.INFO):
        handler: logging.Handler = logging.StreamHandler(sys.stdout)
        trial_logger.setLevel(logging.INFO)
    elif verbose < 1 and not trial_logger.hasHandlers():
        handler = logging.NullHandler()
    else:
        yield
        return
    trial_logger.addHandler(handler)
    try:
        yield
    finally:
        trial_logger.removeHandler(handler)
        trial_logger.setLevel(level)


@contextmanager
def _pointing_to_folder() -> Iterator[None]:
    """Say, where a file holds a search on other data, what keeps several."""
    try:
        yield
    except StudyMismatchError as error:
        remedy = 'where the search is itself cross-validated, give a folder: study="studies/"'
        error.args = (f"{error.rule}; {remedy}",)
        raise

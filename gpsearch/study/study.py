"""The durable record of a search: any process may read it, one search at a time writes it.

A `Study` reads. `Study.writing` gives a `StudyWriter` for the length of a ``with`` block; a
search holds it from its first trial to its last.
"""

from __future__ import annotations

import contextlib
import functools
import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gpsearch.arguments import instance_of, is_whole, refusal, whole
from gpsearch.described import Described, counted, score_text, values_text
from gpsearch.errors import (
    InvalidParamsError,
    InvalidSearchError,
    StudyError,
    StudyMismatchError,
    StudyReadOnlyError,
    public,
)
from gpsearch.evaluation import Outputs, Params, Predictions, Value, as_user_value, told_apart
from gpsearch.lazily import method_of
from gpsearch.study.confirmation import CONFIRMATION, Confirmation
from gpsearch.study.contenders import best_first
from gpsearch.study.encoding import ParamsDecoding, ParamsEncoding, require_storable
from gpsearch.study.frame import frame_of
from gpsearch.study.info import (
    StudyInfo,
    digits_of,
    refuse_other,
    say_unidentified,
    space_difference,
)
from gpsearch.study.location import model_path, study_path, write_model
from gpsearch.study.lock import WriteLock
from gpsearch.study.predictions import by_row, why_none
from gpsearch.study.study_file import StudyFile, new_study_file
from gpsearch.study.trial import Trial
from gpsearch.study.writer import StudyWriter

if TYPE_CHECKING:
    import pandas as pd

    from gpsearch.space import Space

StudyPath = str | os.PathLike[str]


def _of_still(room: str, name: str) -> Callable[..., Any]:
    """A method as `method_of`, of the trials as they are when it is called."""
    method = method_of(room, name)

    @functools.wraps(method)
    def call(self: Study, *args: Any, **options: Any) -> Any:
        return method(self.still(), *args, **options)

    return call


class Study(Described):
    """One search and all its trials. Made by `create`, `open` or `gpsearch.search`.

    Attributes
    ----------
    path : Path or None
        The study's file; None for a study in memory.
    space : Space
        The searched space.
    info : StudyInfo
        What the study is about.
    objective : Objective or None
        What the search evaluates; known to the process that searched, never stored.

    Examples
    --------
    >>> import gpsearch as gs
    >>> study = Study.create(None, space={"x": gs.Real(0.0, 1.0)}, seed=0)
    >>> with study.writing() as writer:
    ...     trial = writer.add_trial({"x": 0.5}, [gs.FoldResult(fold=0, score=0.8)])
    >>> study.best_params, study.best_score
    ({'x': 0.5}, 0.8)
    """

    # Functions of rooms above, which are imported when they are called.
    result = property(
        _of_still("gpsearch.optimizer", "study_result"),
        doc="The study as an OptimizeResult of scikit-optimize, which its plots take.",
    )
    forecast = _of_still("gpsearch.analysis", "forecast")
    trade_off = _of_still("gpsearch.analysis", "trade_off")
    best_ensemble = _of_still("gpsearch.analysis", "best_ensemble")
    estimate_importance = _of_still("gpsearch.analysis", "estimate_importance")
    estimate_random = _of_still("gpsearch.analysis", "estimate_random")
    one_standard_error = _of_still("gpsearch.analysis", "one_standard_error")
    to_optuna = _of_still("gpsearch.optuna_study", "to_optuna")
    watch = method_of("gpsearch.plotting", "LiveConvergence")
    plot_convergence = _of_still("gpsearch.plotting", "plot_convergence")
    plot_partial_dependence = _of_still("gpsearch.plotting", "plot_partial_dependence")
    plot_slices = _of_still("gpsearch.plotting", "plot_slices")
    plot_importance = _of_still("gpsearch.plotting", "plot_importance")
    plot_parallel_coordinates = _of_still("gpsearch.plotting", "plot_parallel_coordinates")
    plot_learning_curves = _of_still("gpsearch.plotting", "plot_learning_curves")
    plot_fold_spread = _of_still("gpsearch.plotting", "plot_fold_spread")
    plot_timeline = _of_still("gpsearch.plotting", "plot_timeline")
    plot_trade_off = _of_still("gpsearch.plotting", "plot_trade_off")
    _repr_html_ = _of_still("gpsearch.report", "render_summary")

    def __init__(
        self, path: Path | None, file: StudyFile, space: Space | None = None, objective: Any = None
    ) -> None:
        self.path = path
        # The working directory may change while the study is open.
        self._location = None if path is None else path.absolute()
        self.info = file.read_info()
        self.objective = objective
        self._space = space
        with file.database.reading():
            self._decoding = (
                ParamsDecoding(self.info.space) if space is None else ParamsEncoding(space)
            )
        self._file = file
        self._writer: StudyWriter | None = None
        self._trials: list[Trial] | None = None
        self._seen_version = -1
        self._at_rest: list[Trial] | None = None

    @classmethod
    @public(dimensions="space")
    def create(
        cls,
        path: StudyPath | None,
        *,
        space: Any,
        seed: int,
        objective_fingerprint: str = "",
        description: Mapping[str, Any] | None = None,
        settings: Mapping[str, Any] | None = None,
        objective: Any = None,
    ) -> Study:
        """Make a new study.

        Parameters
        ----------
        path : path or None
            The file to make; None keeps the study in memory.
        space : Space, or what `Space` reads
        seed : int
            Seed of every random number of the search.
        objective_fingerprint, description : str and dict, optional
            `Objective.fingerprint` and `Objective.describe`.
        settings : dict, optional
            Settings of the search that decide its course.
        objective : Objective, optional
            Kept for `best_model`, never stored.

        Raises
        ------
        StudyError
            The file exists, or its folder does not.
        InvalidSpaceError
            The space has values that a file cannot hold.
        StudyLockedError
            Another process is making a study there.
        """
        from gpsearch.space import Space

        space = Space(space)
        _require_objective(objective)
        if not isinstance(objective_fingerprint, str):
            kind = InvalidSearchError
            raise refusal(kind, "objective_fingerprint", objective_fingerprint, "a string")
        for argument, given in (("description", description), ("settings", settings)):
            if not isinstance(given, Mapping | None):
                raise refusal(InvalidSearchError, argument, given, "a dict", also="None")
        info = StudyInfo.of(
            space=space,
            seed=whole("seed", seed, 0),
            objective_fingerprint=objective_fingerprint,
            description=description or {},
            settings=settings or {},
        )
        if path is None:
            return cls(None, StudyFile.create(None, info), space, objective)
        path = study_path(path)
        require_storable(space, str(path))
        file = new_study_file(path, info)
        say_unidentified(str(path), info.description)
        return cls(path, file, space, objective)

    @classmethod
    @public(dimensions="space")
    def open(cls, path: StudyPath, *, space: Any = None, objective: Any = None) -> Study:
        """Open an existing study for reading, also while a search writes to it.

        Parameters
        ----------
        path : path
        space : Space, optional
            Its category objects are used in the trials; by default the space is read from the
            study.
        objective : Objective, optional
            Kept for `best_model`.

        Raises
        ------
        StudyError
            The file does not exist, is a directory, or is of a newer version.
        StudyCorruptError
            It is empty, not a study, or damaged.
        StudyMismatchError
            `space` is another than that of the study, its constraint aside.
        """
        path = study_path(path)
        _require_objective(objective)
        if space is not None:
            from gpsearch.space import Space

            space = Space(space)
        study = cls(path, StudyFile.connect(path, writable=False), space, objective)
        if space is not None:
            with study._file.database.reading():
                differs = space_difference(study.info, space)
            if differs:
                raise StudyMismatchError(f"{path} has another space ({differs}); leave space= out.")
        return study

    @property
    def space(self) -> Space:
        """The searched space; made when it is first asked for, where the study came from a file."""
        if self._space is None:
            from gpsearch.space import Space  # here: it takes seconds to import

            with self._file.database.reading():
                self._space = Space.from_json(self.info.space)
        return self._space

    def require_same(self, **search: Any) -> None:
        """Raise StudyMismatchError where the arguments of `StudyInfo.of` are another search's."""
        refuse_other(self._name, self.info, StudyInfo.of(**search))
        # A file holds neither a constraint as a function nor categories by identity.
        self._space = search["space"]
        self._decoding, self._trials = ParamsEncoding(search["space"]), None

    @property
    def seed(self) -> int:
        """Seed of every random number of the search."""
        return self.info.seed

    @property
    def greater_is_better(self) -> bool:
        """False where scores are losses of a function, negated."""
        return bool(self.info.settings.get("greater_is_better", True))

    def as_user_value(self, scores: Value) -> Value:
        """Scores in the user's unit: with their sign changed where the objective gives a loss."""
        return as_user_value(scores, self.greater_is_better)

    @property
    def score_name(self) -> str:
        """What the scores are called: the scoring's name, "score", or "loss" of a function."""
        if not self.greater_is_better:
            return "loss"
        told = self.info.description
        scoring = told.get("score_name") or told.get("scoring")  # an older study lacks the first
        return scoring if isinstance(scoring, str) and scoring else "score"

    @property
    def trials(self) -> list[Trial]:
        """All trials in the order of their numbers, as they stand now."""
        return list(self._current())

    @property
    def ended(self) -> list[Trial]:
        """The trials whose state is final: all but those that are running."""
        return [trial for trial in self._current() if trial.finished]

    @property
    def complete(self) -> list[Trial]:
        """The trials that were scored on every fold."""
        return [trial for trial in self._current() if trial.state == "complete"]

    @property
    def stop_reason(self) -> str:
        """Why the last search on this study ended, as a sentence; empty while one runs."""
        return str(self._file.read_fact("stop_reason") or "")

    @property
    def budget(self) -> int | None:
        """Trials that the last search on this study was to evaluate in all; None if not known."""
        return self._file.read_budget()

    @property
    def confirmation(self) -> Confirmation | None:
        """The winner of the search and what it is worth, from scores on fresh splits.

        None before the search has ended, after further trials, and with ``confirm=False``.
        """
        stored = self._file.read_fact(CONFIRMATION)
        made = None if stored is None else Confirmation.from_json(stored)
        return made if made is not None and made.trials == len(self.ended) else None

    def confirmed(self) -> list[str]:
        """Sentences on the winner and what it is worth; none without `confirmation`."""
        made = self.confirmation
        return made.sentences(greater_is_better=self.greater_is_better) if made else []

    @property
    def fresh_seconds(self) -> float:
        """Seconds of the trainings on fresh splits, of which `confirmation` was made."""
        fresh = self._file.read_fresh().values()
        return math.fsum(fold.seconds for folds in fresh for fold in folds)

    @property
    def best_trial(self) -> Trial:
        """The winner of the confirmation; without one, the complete trial of the greatest score.

        The greatest of many scores is partly luck: where the best trials were scored again on
        fresh splits (``confirm=`` of `gpsearch.search`), the one with the greatest expected score
        is the best, which need not have the greatest score in the search.

        Raises
        ------
        StudyError
            No trial is complete.
        """
        complete = self.complete
        if not complete:
            failed = [trial for trial in self._current() if trial.state == "failed"]
            why = f"; the last failure: {failed[-1].reason}" if failed else ""
            raise StudyError(f"{self._name} has no complete trial yet{why}")
        confirmed = self.confirmation
        if confirmed is not None and confirmed.winner is not None:
            return self._current()[confirmed.winner]
        return best_first(complete)[0]

    @property
    def best_params(self) -> Params:
        """Configuration of the best trial, in plain types."""
        return dict(self.best_trial.params)

    @property
    def best_score(self) -> float:
        """Score of the best trial in the search, the mean over its folds; greater is better.

        Of a function that returns a loss it is this with its sign changed.
        """
        return self.best_trial.score

    @public()
    def predictions(self, trial: int | Trial) -> Outputs:
        """The held-out predictions of a trial, by row of X.

        Each row is predicted by the models that were not trained on it. A row that several folds
        held out has the mean of their predictions; one that none held out has NaN.

        Parameters
        ----------
        trial : int or Trial
            A trial, or its number.

        Returns
        -------
        array of float32, shape (n_rows, outputs)
            Probabilities of the classes (of the second of two, in one column; the model's outputs
            where it gives no probabilities), or quantities. Of a model with several outputs, a
            dict or list of arrays, as the model returns them.

        Raises
        ------
        StudyError
            The study has no such trial, or holds no predictions of it; the message says why.
        """
        return by_row(list(self.fold_predictions(trial).values()))

    @public()
    def fold_predictions(self, trial: int | Trial) -> dict[int, Predictions]:
        """The held-out predictions of a trial by fold; see `predictions`."""
        trials = self._current()
        number = trial.number if isinstance(trial, Trial) else trial
        if not is_whole(number) or not 0 <= number < len(trials):
            wanted = f"a trial of the study, or its number, below {len(trials)}"
            raise refusal(StudyError, "trial", trial, wanted)
        known, kept = trials[number], self._file.read_predictions(int(number))
        if known.state == "failed" or not kept or any(f.fold not in kept for f in known.folds):
            why = why_none(known, self.info.settings, self._file.read_dropped())
            raise StudyError(f"{self._name} holds no predictions of trial {number}: {why}.")
        return kept

    def to_frame(self) -> pd.DataFrame:
        """One row a trial.

        Columns: number, state, score, std and standard_error (over the folds), ``param_<name>`` for
        each dimension and fixed value, ``fold_<j>`` for the score of each fold, best_epoch (mean
        over the folds), seconds, work and parameters (see `Trial`), started, origin, proposal,
        seed, reason. Scores are greater when better: the loss of a function with its sign changed.
        A stopped trial has the score of the folds it ran, which may be easy ones: rank those whose
        state is "complete".
        """
        return frame_of(self.space, self._current())

    @public()
    def report(self, path: StudyPath, **options: Any) -> Any:
        """Write one self-contained HTML page; see `gpsearch.report.render_report`."""
        return method_of("gpsearch.report", "render_report")(self, path, **options)

    def still(self) -> Study:
        """The study with its trials as they are now, whatever a search writes meanwhile."""
        copied = object.__new__(type(self))
        copied.__dict__ |= self.__dict__
        copied._at_rest, copied._writer = list(self._current()), None
        return copied

    def __getstate__(self) -> dict[str, Any]:
        """A copy that reads: all the rows, whether they lie in a file or in memory."""
        own = dict.fromkeys(("path", "objective", "_location", "_writer", "_trials", "_at_rest"))
        return {**self.__dict__, **own}

    def _title(self) -> str:
        trials, place = self._current(), self.path or "in memory"
        return f"Study {place}: {counted(len(trials), 'trial')}, {len(self.complete)} complete"

    def _facts(self) -> dict[str, str]:
        best = self.best_trial if self.complete else None
        error = math.nan if best is None else best.standard_error
        score = score_text(self.as_user_value(self.best_score), error) if best else "none yet"
        scores = [told_apart(trial.score) for trial in self.complete]
        is_best = not best or told_apart(best.score) == max(scores)
        settings = [str(self.info.settings.get("strategy", "")), f"seed {self.seed}"]
        names = [entry["name"] for entry in self.info.space["dimensions"]]
        name = "best" if is_best else "winner"
        return {
            name: f"trial {best.number}, {self.score_name} {score}" if best else score,
            "params": values_text(best.params, digits_of(self.info)) if best else "",
            "search": ", ".join(filter(None, settings)) + f", over {', '.join(names)}",
            "ended": self.stop_reason,
        }

    def best_model(self, objective: Any = None) -> Any:
        """The model of the best configuration, fitted on all the data.

        Parameters
        ----------
        objective : Objective, optional
            By default the one that this process searched with.

        Raises
        ------
        StudyError
            The study was opened from a file and no objective is given, or the objective is a
            plain function, which has no model.
        """
        objective = self.objective if objective is None else objective
        refit = getattr(objective, "refit", None)
        if refit is None:
            raise StudyError(
                f"best_model needs the objective to refit with, and {self._name} knows "
                f"{'none' if objective is None else f'only {objective!r}, which has no refit'}; "
                "pass it: study.best_model(gpsearch.KerasCV(...))"
            )
        best = self.best_trial
        return refit(dict(best.params), seed=best.seed, folds=best.folds)

    @public()
    def save_model(self, path: str | os.PathLike[str], objective: Any = None) -> None:
        """Write `best_model` as one file, which takes raw features.

        Parameters
        ----------
        path : path-like
            Ends in ``.keras`` for a file that plain Keras loads, with "standardize" as a part of
            the network; in ``.joblib`` for a pickle of the model with any preprocessing, which
            ``joblib.load`` reads: of files that you trust alone.
        objective : Objective, optional
            See `best_model`.

        Raises
        ------
        StudyError
            The path ends otherwise, `best_model` raises, or the model is not a network.
        InvalidObjectiveError
            A Keras file cannot hold the preprocessing; this is said before the model is trained.
        """
        path = model_path(path)
        known = self.objective if objective is None else objective
        if path.name.endswith(".keras") and hasattr(known, "check_keras_file"):
            known.check_keras_file()  # before it is trained
        write_model(self.best_model(objective), path)

    @contextlib.contextmanager
    def writing(self) -> Iterator[StudyWriter]:
        """Hold the right to write for the length of a ``with`` block.

        Yields
        ------
        StudyWriter

        Raises
        ------
        StudyLockedError
            Another process, or another search in this one, is writing; the message says which.
        StudyReadOnlyError
            The study is what `still` gave.
        """
        if self._at_rest is not None:
            raise StudyReadOnlyError(
                f"what `still` gives of {self._name} is read only; write to the study itself"
            )
        if self._writer is not None:
            raise StudyError(f"{self._name} is being written by a search in this process already")
        with contextlib.ExitStack() as stack:
            file = self._file
            if self._location is not None:
                stack.callback(WriteLock(self._location).release)
                file = StudyFile.connect(self._location, writable=True)
                stack.callback(file.database.close)
            self._writer = StudyWriter(self, file, ParamsEncoding(self.space))
            try:
                yield self._writer
            finally:
                self._writer.end()
                self._writer = self._trials = None

    @public()
    def enqueue(self, params: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> None:
        """Have the next search evaluate one or several configurations before its own proposals.

        Raises
        ------
        InvalidParamsError
            They do not belong to the space.
        """
        several = [params] if isinstance(params, Mapping) else params
        if not isinstance(several, Sequence) or not all(isinstance(p, Mapping) for p in several):
            raise refusal(InvalidParamsError, "params", params, "a dict, or a list of dicts")
        writing = contextlib.nullcontext(self._writer) if self._writer else self.writing()
        with writing as writer:
            writer.queue_params(several, origin="enqueued")

    @property
    def _name(self) -> str:
        return "the study in memory" if self.path is None else str(self.path)

    def _current(self) -> list[Trial]:
        if self._at_rest is not None:
            return self._at_rest
        # The writer is alone and knows its own writes; a reader checks for those of others.
        if self._writer is not None:
            return self._writer.trials
        version = self._file.database.data_version()
        if self._trials is None or version != self._seen_version:
            self._seen_version = version
            self._trials = self._file.read_trials(self._decoding)
        return self._trials


def part_of(study: Study, trials: Sequence[Trial]) -> Study:
    """A study in memory of these trials alone, to read: one run of a comparison."""
    part = Study(None, StudyFile.create(None, study.info), study.space, study.objective)
    part._trials, part._seen_version = list(trials), part._file.database.data_version()
    return part


def _require_objective(objective: Any) -> None:
    if not (objective is None or callable(objective) or hasattr(objective, "evaluate")):
        wanted = "what the search evaluates: a KerasCV, another Objective or a function"
        raise refusal(InvalidSearchError, "objective", objective, wanted, also="None")


def require_study(study: Any, *, also: str = "") -> Study:
    """`study` itself; refused where it is another thing, such as a path."""
    wanted = "a Study, which gpsearch.search returns and gpsearch.Study.open(path) reads"
    return instance_of("study", study, Study, wanted, also=also)

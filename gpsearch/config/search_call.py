"""From the text of a configuration to one call of `search` or `compare`."""

from __future__ import annotations

import importlib
import inspect
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd

from gpsearch.comparison import Comparison, compare
from gpsearch.config.toml_source import Source
from gpsearch.errors import InvalidSearchError
from gpsearch.execution import BelowNoise, NoImprovement, TargetScore, search
from gpsearch.objective import KerasCV
from gpsearch.space import Space
from gpsearch.study import Study
from gpsearch.training import mlp, mlp_space

DATASETS = ("breast_cancer", "diabetes", "digits", "iris", "wine")
SHARED = (  # by [search] and [compare]; a timeout is not, for a comparison takes far longer
    "n_calls",
    "n_initial_points",
    "optimum_prior",
    "random_state",
    "racing",
    "n_jobs",
    "executor",
    "isolate",
    "trial_timeout",
    "memory_limit",
)
READERS: dict[str, Callable[..., pd.DataFrame]] = {".csv": pd.read_csv, ".parquet": pd.read_parquet}
COLUMNS = ("groups", "sample_weight")  # arguments of KerasCV that a column of a file may hold
NAMED = {  # arguments that may name something in Python
    "objective": ("preprocess", "scoring", "cv", "callbacks"),
    "search": ("strategy", "racing", "callback", "stop"),
    "compare": ("racing",),
}
STOP_RULES: dict[str, tuple[tuple[type, ...], str, Callable[[Any], Any]]] = {
    "target_score": ((int, float), "a number", lambda score: TargetScore(score=score)),
    "no_improvement": ((int,), "a whole number", lambda trials: NoImprovement(trials=trials)),
    "below_noise": ((bool,), "true or false", lambda wanted: BelowNoise() if wanted else None),
}


@dataclass(frozen=True, kw_only=True)
class Config:
    """What a configuration file says, read and checked; nothing is trained yet."""

    source: Source
    """The file, and where in it things stand."""
    objective: KerasCV
    """The model and the data, ready to evaluate."""
    space: Space
    """What is searched."""
    search: dict[str, Any]
    """Arguments of `gpsearch.search` beyond objective, space and study."""
    comparison: dict[str, Any]
    """Arguments of `gpsearch.compare` beyond objective and space; its study among them."""
    study: Path
    """Where the record goes; the file's own name with ``.db`` unless it says otherwise."""
    report: Path
    """Where the page goes; the study's name with ``.html`` unless the file says otherwise."""

    def run(self, **overrides: Any) -> Study:
        """Run the search, or continue it; `overrides` replace arguments of `gpsearch.search`."""
        arguments: dict[str, Any] = {"study": self.study} | self.search | overrides
        if isinstance(arguments["study"], str | Path):
            Path(arguments["study"]).parent.mkdir(parents=True, exist_ok=True)
        with self.source.placing("search", "space", but=overrides):
            return search(self.objective, self.space, **arguments)

    def compare(self, **overrides: Any) -> Comparison:
        """Compare strategies, or continue to; `overrides` replace arguments of `compare`."""
        arguments = self.comparison | overrides
        Path(arguments["study"]).parent.mkdir(parents=True, exist_ok=True)
        with self.source.placing("compare", "search", "space", but=overrides):
            return compare(self.objective, self.space, **arguments)


def load_config(path: str | Path) -> Config:
    """Read a configuration file.

    Raises
    ------
    InvalidConfigError
        When the file cannot be read, or a key or value breaks a rule; with its line.
    GPSearchError
        When what the file describes cannot be searched, as `KerasCV` and `Space` say it.
    """
    return _Reader(Source(Path(path))).config()


class _Reader:
    def __init__(self, source: Source) -> None:
        self.source = source
        self.folder = source.path.parent

    def config(self) -> Config:
        source = self.source
        study = source.file_name("study", f"{source.path.stem}.db")
        report = source.file_name("report", str(study.with_suffix(".html")))
        objective, search_arguments = source.table("objective"), source.table("search")
        comparison = source.table("compare")
        for table, given, function, but in (
            ("objective", objective, KerasCV, ("X", "y")),
            ("search", search_arguments, search, ("objective", "space", "study")),
            ("compare", comparison, compare, ("objective", "space")),
        ):
            known = [name for name in inspect.signature(function).parameters if name not in but]
            source.check_keys(table, given, known)
        create_model = self._create_model(objective.pop("create_model", "mlp"))
        self._name_python("objective", objective)
        self._name_python("search", search_arguments)
        self._name_python("compare", comparison)
        for arguments in (search_arguments, comparison):
            if arguments.get("optimum_prior") == "none":  # TOML has no None
                arguments["optimum_prior"] = None
        if "stop" in search_arguments:
            search_arguments["stop"] = self._stop_rules(search_arguments["stop"])
        space = self._space(create_model)
        X, y, columns = self._data(source.table("data"))
        with source.placing("objective"):
            made = KerasCV(create_model, X, y, **objective | columns)
        return Config(
            source=source,
            objective=made,
            space=space,
            search=search_arguments,
            comparison={"study": study.with_name(f"{study.stem}-compare{study.suffix}")}
            | {name: search_arguments[name] for name in SHARED if name in search_arguments}
            | comparison,
            study=study,
            report=report,
        )

    # ---------------------------------------------------------------- objective, search, space

    def _create_model(self, named: Any) -> Callable[..., Any]:
        if named == "mlp":
            return mlp
        if not isinstance(named, str) or ":" not in named:
            raise self.source.error(
                "objective",
                "create_model",
                f'is {named!r}; write "mlp" for the ready-made network, or "module:name" or '
                '"file.py:name" for a function of yours',
            )
        return self._function("objective", "create_model", named)

    def _name_python(self, table: str, arguments: dict[str, Any]) -> None:
        """Replace names by what they name."""
        for key in NAMED[table]:
            value = arguments.get(key)
            if isinstance(value, str) and ":" in value:
                arguments[key] = self._named(table, key, value)
            elif key in ("callback", "callbacks") and key in arguments:
                raise self.source.error(
                    table, key, f'is {value!r}; write "module:name" or "file.py:name"'
                )

    def _stop_rules(self, stop: Any) -> Any:
        if not isinstance(stop, dict):
            if callable(stop) or isinstance(stop, list):  # named in Python
                return stop
            raise self.source.error(
                "search", "stop", f"is {stop!r}; write a table, such as {{ no_improvement = 20 }}"
            )
        rules = []
        for name, value in stop.items():
            if name not in STOP_RULES:
                raise self.source.error(
                    "search", "stop", f"has {name!r}; its rules are {', '.join(STOP_RULES)}"
                )
            types, described, make = STOP_RULES[name]
            if type(value) not in types:
                raise self.source.error(
                    "search", "stop", f"has {name} = {value!r}, which must be {described}"
                )
            try:
                rules.append(make(value))
            except InvalidSearchError as error:
                raise self.source.error("search", "stop:", str(error), key="stop") from error
        return [rule for rule in rules if rule is not None]

    def _space(self, create_model: Callable[..., Any]) -> Space:
        table = self.source.table("space")
        if not table and create_model is mlp:
            return Space(mlp_space())
        with self.source.placing("space"):
            return Space(table)

    # ---------------------------------------------------------------- data

    def _data(self, table: dict[str, Any]) -> tuple[Any, Any, dict[str, Any]]:
        """X, y, and what else the columns of a file hold."""
        self.source.check_keys("data", table, ["dataset", "file", "target", *COLUMNS, "function"])
        given = [key for key in ("dataset", "file", "function") if key in table]
        if len(given) != 1:
            raise self.source.error(
                "data",
                given[-1] if given else "",
                "needs exactly one of dataset, file and function",
            )
        for key in ("target", *COLUMNS):
            if key in table and "file" not in table:
                raise self.source.error("data", key, f"names a column of a file, not of {given[0]}")
        if "function" in table:
            return (*self._called(table["function"]), {})
        return self._file(table) if "file" in table else (*self._dataset(table["dataset"]), {})

    def _dataset(self, name: Any) -> tuple[Any, Any]:
        if name not in DATASETS:
            raise self.source.error(
                "data", "dataset", f"is {name!r}; it must be one of {', '.join(DATASETS)}"
            )
        datasets = importlib.import_module("sklearn.datasets")
        return getattr(datasets, f"load_{name}")(return_X_y=True)

    def _file(self, table: dict[str, Any]) -> tuple[Any, Any, dict[str, Any]]:
        path = self.folder / str(table["file"])
        reader = READERS.get(path.suffix.lower())
        if reader is None:
            raise self.source.error(
                "data", "file", f"is {path.name!r}; it must be a .csv or .parquet file"
            )
        try:
            frame = reader(path)
        except (OSError, ValueError, ImportError) as error:
            raise self.source.error("data", "file", f"cannot be read: {error}") from None
        columns = ", ".join(map(str, frame.columns))
        if "target" not in table:
            raise self.source.error(
                "data", "file", f"needs a target, the column to predict; the columns are {columns}"
            )
        for key in ("target", *COLUMNS):
            if key in table and table[key] not in frame.columns:
                raise self.source.error(
                    "data", key, f"is {table[key]!r}; the columns are {columns}"
                )
        beside = {key: frame[table[key]] for key in COLUMNS if key in table}
        used = [table[key] for key in ("target", *beside)]
        return frame.drop(columns=used), frame[table["target"]], beside

    def _called(self, named: Any) -> tuple[Any, Any]:
        function = self._function("data", "function", named)
        try:
            returned = function()
        except Exception as error:  # a person's own code
            raise self.source.error("data", "function", _raised(named, error)) from error
        if not isinstance(returned, tuple) or len(returned) != 2:
            raise self.source.error(
                "data",
                "function",
                f"is {named!r}, which returned {type(returned).__name__}; it must return X, y",
            )
        return returned

    # ---------------------------------------------------------------- what is Python

    def _function(self, table: str, key: str, named: Any) -> Callable[..., Any]:
        function = self._named(table, key, named)
        if not callable(function):
            raise self.source.error(table, key, f"is {named!r}, which is not a function")
        result: Callable[..., Any] = function
        return result

    def _named(self, table: str, key: str, named: Any) -> Any:
        """What "module:name" or "file.py:name" names."""
        home, colon, name = str(named).rpartition(":")
        if not colon:
            raise self.source.error(
                table, key, f'is {named!r}; write "module:name" or "file.py:name"'
            )
        try:
            module = (
                _module_of_file(self.folder / home)
                if home.endswith(".py")
                else importlib.import_module(home)
            )
        except (ModuleNotFoundError, FileNotFoundError) as error:
            raise self.source.error(
                table, key, f"is {named!r}, which cannot be loaded: {error}"
            ) from error
        except Exception as error:  # a person's own code
            raise self.source.error(table, key, _raised(named, error)) from error
        if not hasattr(module, name):
            raise self.source.error(table, key, f"is {named!r}, but {home} has no {name!r}")
        return getattr(module, name)


def _module_of_file(path: Path) -> ModuleType:
    name = f"gpsearch_config_{path.stem}"
    known = sys.modules.get(name)
    if known is not None and known.__file__ == str(path):
        return known
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    module = ModuleType(name)
    module.__file__ = str(path)
    sys.modules[name] = module  # inspect.getsource looks it up there
    try:
        SourceFileLoader(name, str(path)).exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _raised(named: Any, error: Exception) -> str:
    """What went wrong in a person's own code, and in which line of it."""
    if isinstance(error, SyntaxError):
        return f"is {named!r}, which is not valid Python: {error}"
    frames = traceback.extract_tb(error.__traceback__)
    last = next((f for f in reversed(frames) if f.filename != __file__), None)
    place = f" (line {last.lineno} of {Path(last.filename).name})" if last else ""
    return f"is {named!r}, which raised {type(error).__name__}: {error}{place}"

"""From the text of a configuration to one call of `search` or `compare`."""

import contextlib
import csv
import importlib
import inspect
import itertools
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gpsearch.arguments import boolean
from gpsearch.comparison import Comparison, compare
from gpsearch.config.python_objects import describe_error, find_function, find_object
from gpsearch.config.toml_source import NONE, Source
from gpsearch.errors import GPSearchError, InvalidSearchError
from gpsearch.execution import BelowNoise, ExpectedGain, NoImprovement, TargetScore, search
from gpsearch.objective import KerasCV
from gpsearch.space import Space
from gpsearch.study import Study
from gpsearch.study.location import at_home, beside
from gpsearch.training import mlp, mlp_space

DATASETS = ("breast_cancer", "diabetes", "digits", "iris", "wine")
SHARED = (  # [compare] takes these from [search]; not timeout, for a comparison takes far longer
    *("n_calls", "n_initial_points", "optimum_prior", "cost", "random_state", "racing"),
    *("max_same_errors", "n_jobs", "executor", "isolate", "trial_timeout", "memory_limit"),
)


def _read_csv(path: Path) -> pd.DataFrame:
    """A CSV file, with one type in all rows of a column."""
    return pd.read_csv(path, low_memory=False)


READERS: dict[str, Callable[..., pd.DataFrame]] = {".csv": _read_csv, ".parquet": pd.read_parquet}
SOURCES = ("dataset", "file", "function")
COLUMNS = ("groups", "sample_weight")  # arguments of KerasCV that a column of a file may hold
NAMED = {  # arguments that may name a Python object
    "objective": ("preprocess", "scoring", "cv", "callbacks"),
    "search": ("strategy", "racing", "callback", "stop"),
    "compare": ("racing",),
}
STOP_RULES: dict[str, Callable[[Any], Any]] = {
    "target_score": lambda score: TargetScore(score=score),
    "no_improvement": lambda trials: NoImprovement(trials=trials),
    "expected_gain": lambda below: ExpectedGain(below=below),
    "below_noise": lambda wanted: BelowNoise() if boolean("below_noise", wanted) else None,
}


@dataclass(frozen=True, kw_only=True)
class Config:
    """A configuration file, read and checked; nothing is trained yet."""

    source: Source
    """The file, with the line of each entry."""
    objective: KerasCV
    """The model and the data, ready to evaluate."""
    space: Space
    """What is searched."""
    search: dict[str, Any]
    """Arguments of `gpsearch.search` beyond objective, space and study."""
    comparison: dict[str, Any]
    """Arguments of `gpsearch.compare` beyond objective and space; its study among them."""
    study: Path
    """Path of the record; by default the configuration's name with ``.db``."""
    report: Path
    """Path of the report; by default the study's name with ``.html``."""

    def run(self, **overrides: Any) -> Study:
        """Run the search, or continue it; `overrides` replace arguments of `gpsearch.search`."""
        arguments: dict[str, Any] = {"study": self.study} | self.search | overrides
        if isinstance(arguments["study"], str | Path):
            at_home(arguments["study"]).parent.mkdir(parents=True, exist_ok=True)
        with self.source.placing("search", "space", but=overrides):
            return search(self.objective, self.space, **arguments)

    def compare(self, **overrides: Any) -> Comparison:
        """Compare strategies, or continue to; `overrides` replace arguments of `compare`."""
        arguments = self.comparison | overrides
        at_home(arguments["study"]).parent.mkdir(parents=True, exist_ok=True)
        with self.source.placing("compare", "search", "space", but=overrides):
            return compare(self.objective, self.space, **arguments)


def load_config(path: str | Path) -> Config:
    """Read a configuration file.

    Raises
    ------
    InvalidConfigError
        The file cannot be read, or a key or value breaks a rule; the message names its line.
    GPSearchError
        The file describes something that `KerasCV` or `Space` refuses.
    """
    return _Reader(Source(Path(path))).config()


class _Reader:
    def __init__(self, source: Source) -> None:
        self.source = source
        self.folder = source.path.parent

    def config(self) -> Config:
        source = self.source
        study = source.file_name("study", f"{source.path.stem}.db")
        report = source.file_name("report", str(beside(study, ".html")))
        if os.path.realpath(study) == os.path.realpath(report):
            key = "report" if "report" in source.content else "study"
            raise source.error("", key, f"names {report}, which is both the study and the report")
        objective, search_arguments = source.table("objective"), source.table("search")
        comparison = source.table("compare")
        for table, given, function, but in (
            ("objective", objective, KerasCV, ("X", "y")),
            ("search", search_arguments, search, ("objective", "space", "study")),
            ("compare", comparison, compare, ("objective", "space")),
        ):
            known = [name for name in inspect.signature(function).parameters if name not in but]
            source.check_keys(table, given, known)
            given.update({name: None for name, value in given.items() if value == NONE})
        create_model = self._create_model(objective.pop("create_model", "mlp"))
        self._name_python("objective", objective)
        self._name_python("search", search_arguments)
        self._name_python("compare", comparison)
        if (stop := search_arguments.get("stop")) is not None:
            search_arguments["stop"] = self._stop_rules(stop)
        space = self._space(create_model)
        X, y, columns = self._data(source.table("data"))
        if isinstance(weights := objective.get("class_weight"), dict):
            objective["class_weight"] = _by_label(weights, y)
        cells = {"X": X, "y": y} | columns
        gaps = objective.get("preprocess") == "auto"
        with source.placing("objective"), self._naming_cells(cells, gaps=gaps):
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
        return find_function(self.source, "objective", "create_model", named)

    def _name_python(self, table: str, arguments: dict[str, Any]) -> None:
        """Replace the names of Python objects by the objects."""
        for key in NAMED[table]:
            value = arguments.get(key)
            if isinstance(value, str) and ":" in value:
                arguments[key] = find_object(self.source, table, key, value)
            elif key in ("callback", "callbacks") and value is not None:
                raise self.source.error(
                    table, key, f'is {value!r}; write "module:name" or "file.py:name"'
                )

    def _stop_rules(self, stop: Any) -> Any:
        if stop is not self.source.table("search")["stop"]:  # a Python object that it names
            return stop
        if not isinstance(stop, dict):
            raise self.source.error(
                "search", "stop", f"is {stop!r}; write a table, such as {{ no_improvement = 20 }}"
            )
        rules = []
        for name, value in stop.items():
            if name not in STOP_RULES:
                raise self.source.error(
                    "search", "stop", f"has {name!r}; its rules are {', '.join(STOP_RULES)}"
                )
            with self.source.placing("search"):
                try:
                    rules.append(STOP_RULES[name](value))
                except InvalidSearchError as error:
                    raise error.about("stop", value, entry=name) from None
        return [rule for rule in rules if rule is not None]

    def _space(self, create_model: Callable[..., Any]) -> Space:
        table = self.source.table("space")
        if not table and create_model is mlp:
            return Space(mlp_space())
        if not table:
            raise self.source.error(
                "", "space", "is missing: write a table [space], with what is searched of each name"
            )
        with self.source.placing("space"):
            return Space(table)

    # ---------------------------------------------------------------- data

    def _data(self, table: dict[str, Any]) -> tuple[Any, Any, dict[str, Any]]:
        """X, y, and further columns of a file as arguments of `KerasCV`."""
        self.source.check_keys("data", table, ["dataset", "file", "target", *COLUMNS, "function"])
        given = [key for key in SOURCES if key in table]
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
        name = table["file"]
        path = self.folder / at_home(str(name))
        reader = READERS.get(path.suffix.lower()) if isinstance(name, str) else None
        if reader is None:
            raise self.source.error(
                "data", "file", f"is {name!r}; it must be the name of one .csv or .parquet file"
            )
        try:
            frame = reader(path)
        except UnicodeDecodeError as error:
            rule = f"cannot be read: {error}. Save it as UTF-8"
            raise self.source.error("data", "file", rule) from None
        except (OSError, ValueError, ImportError) as error:
            why = " ".join(str(error).split())
            raise self.source.error("data", "file", f"cannot be read: {why}") from None
        if reader is _read_csv:
            self._refuse_header(path, frame)
        columns = ", ".join(map(str, frame.columns))
        if "target" not in table:
            raise self.source.error(
                "data", "file", f"needs a target, the column to predict; the columns are {columns}"
            )
        for key in ("target", *COLUMNS):
            if key in table and table[key] not in list(frame.columns):
                raise self.source.error(
                    "data", key, f"is {table[key]!r}; the columns are {columns}"
                )
        beside = {key: frame[table[key]] for key in COLUMNS if key in table}
        if "groups" in beside:
            groups = pd.DataFrame(beside["groups"])
            self._refuse_cell(groups.isna(), groups, "each row needs a group")
        used = [table[key] for key in ("target", *beside)]
        return frame.drop(columns=used), frame[table["target"]], beside

    def _refuse_header(self, path: Path, frame: pd.DataFrame) -> None:
        """Raise where columns would be taken for others, or row numbers for a feature."""
        subject = f"file: {path.name}"
        header: list[str] = []
        row: list[str] = []
        with (
            contextlib.suppress(csv.Error),  # a cell longer than the module reads
            path.open(newline="", encoding="utf-8-sig") as file,
        ):
            header, row, *_ = [*itertools.islice(filter(None, csv.reader(file)), 2), [], []]
        only = str(frame.columns[0]) if len(frame.columns) == 1 else ""
        if other := next((mark for mark in ";\t|" if mark in only), ""):
            rule = f"seems to separate its cells by {other!r}. Write it with commas (`to_csv`)"
            raise self.source.error("data", subject, rule, key="file")
        if len(row) > len(header):  # pandas takes the first cells for names of rows
            rule = "has more cells in its rows than names in its header. Name each column"
            raise self.source.error("data", subject, rule, key="file")
        for place, name in enumerate(frame.columns):
            if name == f"Unnamed: {place}":
                rule = (
                    f"has no name for column {place + 1}, as where a table was written with its "
                    "row numbers. Write it without (`to_csv(index=False)`), or name the column"
                )
                raise self.source.error("data", subject, rule, key="file")

    @contextlib.contextmanager
    def _naming_cells(self, columns: Mapping[str, Any], *, gaps: bool) -> Iterator[None]:
        """Name the cell of the file that an error about these arguments speaks of."""
        try:
            yield
        except GPSearchError as error:
            values = columns.get(error.argument)
            if isinstance(values, pd.Series | pd.DataFrame):
                table = pd.DataFrame(values)
                bad = table.isna()
                if error.argument == "X":
                    named = [name for name in table.columns if f"column {name!r}" in error.rule]
                    table, bad = table[named], bad[named]
                if error.argument != "y":
                    numbers = table.apply(pd.to_numeric, errors="coerce").astype(float)
                    bad = np.isinf(numbers) | (numbers.isna() & (error.argument != "X" or not gaps))
                    if error.argument == "sample_weight":
                        bad |= numbers < 0
                self._refuse_cell(bad, table, error.rule)
            if error.argument in columns:  # no cell, but what they hold together
                key = next(key for key in SOURCES if key in self.source.table("data"))
                part = f"{key}, {error.argument}:"
                raise self.source.error("data", part, error.rule, key=key) from error
            raise

    def _refuse_cell(self, bad: pd.DataFrame, table: pd.DataFrame, rule: str) -> None:
        """Raise for the first cell of a file's columns that is `bad`, if any is."""
        rows, places = np.nonzero(np.asarray(bad))
        if len(rows) == 0:
            return
        row, column = rows[0], table.columns[places[0]]
        path = self.folder / at_home(self.source.table("data")["file"])
        cell = table[column].tolist()[row]
        raise self.source.error(
            "data",
            f"file: {path.name}, {_line_of_row(path, row)}, column {column!r}",
            f"holds {cell!r}: {rule}",
            key="file",
        )

    def _called(self, named: Any) -> tuple[Any, Any]:
        function = find_function(self.source, "data", "function", named)
        try:
            returned = function()
        except (Exception, SystemExit) as error:  # the user's code
            raise self.source.error("data", "function", describe_error(named, error)) from error
        if not isinstance(returned, tuple) or len(returned) != 2:
            raise self.source.error(
                "data",
                "function",
                f"is {named!r}, which returned {type(returned).__name__}; it must return X, y",
            )
        return returned


def _by_label(weights: dict[str, Any], y: Any) -> dict[Any, Any]:
    """Weights by the labels of y, of which TOML writes each as a text."""
    labels = {str(label): label for label in pd.Series(np.ravel(y)).dropna().unique().tolist()}
    labels |= {"true": True, "false": False} if {*labels.values()} <= {True, False} else {}
    return {labels.get(name, name): weight for name, weight in weights.items()}


def _line_of_row(path: Path, row: int) -> str:
    """Where a row of a table stands in its file."""
    if path.suffix.lower() != ".csv":
        return f"row {row}"
    with path.open(newline="") as file:
        reader = csv.reader(file)
        lines = (reader.line_num for record in reader if record)
        return f"line {next(itertools.islice(lines, row + 1, None), 'of the end')}"

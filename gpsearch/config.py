"""A search as a TOML file: one file, one call of `gpsearch.search` (or of `gpsearch.compare`).

======================= ====================================================================
in the file             meaning
======================= ====================================================================
``study``, ``report``   where the record and the page go, from the current directory
``[data]``              ``dataset`` (one of scikit-learn's own), or ``file`` (CSV, Parquet)
                        with its ``target`` column, or ``function`` ("module:name") to (X, y)
``[objective]``         ``create_model`` ("mlp", "module:name" or "file.py:name"), then any
                        argument of `gpsearch.KerasCV`
``[search]``            any argument of `gpsearch.search`
``[compare]``           any argument of `gpsearch.compare`; what it leaves out of ``n_calls``,
                        ``n_initial_points`` and ``random_state`` is taken from ``[search]``
``[space]``             an entry for each name, as `gpsearch.Space` reads it; without this
                        table the ready-made ``mlp`` is searched over its own space
======================= ====================================================================

Files are looked up from the folder of the configuration, so that it runs from anywhere.
"""

from __future__ import annotations

import difflib
import importlib
import inspect
import re
import sys
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd

from gpsearch.comparison import Comparison, compare
from gpsearch.errors import InvalidConfigError, InvalidSpaceError
from gpsearch.execution import search
from gpsearch.objective import KerasCV, mlp, mlp_space
from gpsearch.space import Space
from gpsearch.study import Study

DATASETS = ("breast_cancer", "diabetes", "digits", "iris", "wine")
SHARED = ("n_calls", "n_initial_points", "random_state")  # by [search] and [compare]
READERS: dict[str, Callable[..., pd.DataFrame]] = {".csv": pd.read_csv, ".parquet": pd.read_parquet}


@dataclass(frozen=True, kw_only=True)
class Config:
    """What a configuration file says, read and checked; nothing is trained yet."""

    path: Path
    """The file."""
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
        self.study.parent.mkdir(parents=True, exist_ok=True)
        arguments: dict[str, Any] = {"study": self.study} | self.search | overrides
        return search(self.objective, self.space, **arguments)

    def compare(self, **overrides: Any) -> Comparison:
        """Compare strategies, or continue to; `overrides` replace arguments of `compare`."""
        arguments = self.comparison | overrides
        Path(arguments["study"]).parent.mkdir(parents=True, exist_ok=True)
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
    return _Reader(Path(path)).config()


class _Reader:
    """One configuration file, and where in it things stand."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.text = path.read_text(encoding="utf-8")
            self.content = tomllib.loads(self.text)
        except OSError as error:
            raise InvalidConfigError(
                f"{path} cannot be read: {error.strerror}. `gpsearch init > {path.name}` writes "
                "a configuration to start from."
            ) from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise InvalidConfigError(f"{path} is not valid TOML: {error}.") from None

    def config(self) -> Config:
        self._check_keys(
            "",
            self.content,
            ["study", "report", "data", "objective", "search", "compare", "space"],
        )
        objective = self._table("objective")
        create_model = self._create_model(objective.pop("create_model", "mlp"))
        search_arguments = self._table("search")
        comparison = self._table("compare")
        self._check_keys(
            "objective", objective, _arguments_of(KerasCV, but=["create_model", "X", "y"])
        )
        self._check_keys(
            "search", search_arguments, _arguments_of(search, but=["objective", "space"])
        )
        self._check_keys("compare", comparison, _arguments_of(compare, but=["objective", "space"]))
        space = self._space(create_model)
        X, y = self._data(self._table("data"))
        study = Path(self.content.get("study", f"{self.path.stem}.db"))
        return Config(
            path=self.path,
            objective=KerasCV(create_model, X, y, **objective),
            space=space,
            search=search_arguments,
            comparison={"study": study.with_name(f"{study.stem}-compare{study.suffix}")}
            | {name: search_arguments[name] for name in SHARED if name in search_arguments}
            | comparison,
            study=study,
            report=Path(self.content.get("report", study.with_suffix(".html"))),
        )

    def _table(self, name: str) -> dict[str, Any]:
        table = self.content.get(name, {})
        if not isinstance(table, Mapping):
            raise self._error("", name, f"must be a table, written [{name}]")
        return dict(table)

    def _create_model(self, named: Any) -> Callable[..., Any]:
        return mlp if named == "mlp" else self._named("objective", "create_model", named)

    def _space(self, create_model: Callable[..., Any]) -> Space:
        table = self._table("space")
        if not table and create_model is mlp:
            return Space(mlp_space())
        for name, entry in table.items():
            try:  # each alone first, so that the error can name the line
                Space({"any": [0, 1], name: entry} if name != "any" else {name: entry})
            except InvalidSpaceError as error:
                if "condition on" not in str(error):
                    raise self._error("space", name, str(error)) from None
        return Space(table)

    def _data(self, table: dict[str, Any]) -> tuple[Any, Any]:
        self._check_keys("data", table, ["dataset", "file", "target", "function"])
        given = [key for key in ("dataset", "file", "function") if key in table]
        if len(given) != 1:
            raise self._error(
                "data",
                given[-1] if given else "",
                "needs exactly one of dataset, file and function",
            )
        if "function" in table:
            return self._named("data", "function", table["function"])()
        return self._file(table) if "file" in table else self._dataset(table["dataset"])

    def _dataset(self, name: Any) -> tuple[Any, Any]:
        if name not in DATASETS:
            raise self._error(
                "data", "dataset", f"is {name!r}; it must be one of {', '.join(DATASETS)}"
            )
        datasets = importlib.import_module("sklearn.datasets")
        return getattr(datasets, f"load_{name}")(return_X_y=True)

    def _file(self, table: dict[str, Any]) -> tuple[Any, Any]:
        path = self.path.parent / str(table["file"])
        reader = READERS.get(path.suffix.lower())
        if reader is None:
            raise self._error(
                "data", "file", f"is {path.name!r}; it must be a .csv or .parquet file"
            )
        try:
            frame = reader(path)
        except (OSError, ValueError, ImportError) as error:
            raise self._error("data", "file", f"cannot be read: {error}") from None
        target = table.get("target")
        if target not in frame.columns:
            columns = ", ".join(map(str, frame.columns))
            raise self._error("data", "target", f"is {target!r}; the columns are {columns}")
        return frame.drop(columns=target), frame[target]

    def _named(self, table: str, key: str, named: Any) -> Callable[..., Any]:
        """The function of "module:name" or "file.py:name"."""
        home, colon, name = str(named).rpartition(":")
        if not colon:
            raise self._error(table, key, f'is {named!r}; write "module:name" or "file.py:name"')
        try:
            module = (
                self._module_of_file(self.path.parent / home)
                if home.endswith(".py")
                else importlib.import_module(home)
            )
            function = getattr(module, name)
        except (ImportError, OSError, AttributeError) as error:
            raise self._error(
                table, key, f"is {named!r}, which cannot be loaded: {error}"
            ) from error
        if not callable(function):
            raise self._error(table, key, f"is {named!r}, which is not a function")
        return function

    def _module_of_file(self, path: Path) -> ModuleType:
        name = f"gpsearch_config_{path.stem}"
        if name not in sys.modules:
            if not path.is_file():
                raise FileNotFoundError(f"there is no file {path}")
            loader = SourceFileLoader(name, str(path))
            module = ModuleType(name)
            module.__file__ = str(path)
            sys.modules[name] = module  # inspect.getsource looks it up there
            loader.exec_module(module)
        return sys.modules[name]

    def _check_keys(self, table: str, given: Iterable[str], known: list[str]) -> None:
        for key in given:
            if key not in known:
                close = difflib.get_close_matches(key, known, n=1)
                remedy = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(known)}"
                raise self._error(table, key, f"is not known; {remedy}")

    def _error(self, table: str, key: str, message: str) -> InvalidConfigError:
        place = f"[{table}] {key}".strip() if table else key
        line = _line_of(self.text, table, key)
        return InvalidConfigError(
            f"{self.path}{f', line {line}' if line else ''}: {place} {message}."
        )


def _arguments_of(function: Callable[..., Any], *, but: list[str]) -> list[str]:
    return [name for name in inspect.signature(function).parameters if name not in but]


def _line_of(text: str, table: str, key: str) -> int | None:
    """Line, from 1, that sets `key` in `table`; failing that, the header of the table."""
    current, header = "", None
    for number, line in enumerate(text.splitlines(), start=1):
        if match := re.match(r"\s*\[+\s*([^\]]+?)\s*\]", line):
            current = match.group(1)
            if current == f"{table}.{key}".strip("."):
                return number
            if current == table:
                header = number
        elif (
            current == table and key and re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*[=.]", line)
        ):
            return number
    return header

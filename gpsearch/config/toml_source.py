"""The text of a configuration: its tables, and the line of each entry."""

import contextlib
import difflib
import re
import shlex
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from gpsearch.errors import GPSearchError, InvalidConfigError
from gpsearch.study.location import at_home

TABLES = ("data", "objective", "search", "compare", "space")
TOP = ("study", "report", *TABLES)
NONE = "none"  # stands for None, which TOML lacks
WORDS = {"None": f'"{NONE}"', "True": "true", "False": "false"}  # of Python, in TOML
PYTHON_WORD = re.compile(rf"\b({'|'.join(WORDS)})\b")
HEADER = re.compile(r"\s*\[+\s*([^\]]+?)\s*\]+\s*(#.*)?$")


class Source:
    """One configuration file, whose top-level names are checked."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.text = path.read_text(encoding="utf-8-sig")  # with a byte order mark or not
            self.content = tomllib.loads(self.text)
        except OSError as error:
            remedy = f"`gpsearch init > {shlex.quote(str(path))}` writes one to start from."
            if not isinstance(error, FileNotFoundError):
                remedy = "A configuration is one file, in TOML."
            raise InvalidConfigError(f"{path} cannot be read: {error.strerror}. {remedy}") from None
        except UnicodeDecodeError as error:
            if error.object.startswith(b"SQLite format 3\0"):
                raise InvalidConfigError(
                    f"{path} is a database, such as a study, and not a configuration (.toml). "
                    f"`gpsearch show {shlex.quote(str(path))}` reads a study."
                ) from None
            line = error.object.count(b"\n", 0, error.start) + 1
            raise InvalidConfigError(
                f"{path}, line {line}: byte 0x{error.object[error.start]:02x} is not UTF-8, which "
                "TOML is written in; save the file as UTF-8."
            ) from None
        except tomllib.TOMLDecodeError as error:
            raise InvalidConfigError(f"{path} is not valid TOML: {error}.") from None
        self.check_keys("", self.content, TOP)

    def table(self, name: str) -> dict[str, Any]:
        """A copy of a table; empty where the file has none."""
        table = self.content.get(name, {})
        if not isinstance(table, Mapping):
            raise self.error("", name, f"must be a table, written [{name}]")
        return dict(table)

    def file_name(self, key: str, default: str) -> Path:
        """The path that the top of the file gives for `key`."""
        name = self.content.get(key, default)
        if not isinstance(name, str) or not name or "\0" in name:
            raise self.error("", key, f"is {name!r}; it must be the name of a file, in quotes")
        return at_home(name)

    def check_keys(self, table: str, given: Iterable[str], known: Iterable[str]) -> None:
        """Refuse a key that is not among the `known`."""
        known = list(known)
        for key in given:
            if key not in known:
                close = difflib.get_close_matches(key, known, n=1)
                if table and key in TOP:
                    remedy = "it stands at the top of the file, before any table"
                elif close:
                    remedy = f"did you mean {close[0]!r}?"
                else:
                    remedy = f"known: {', '.join(known)}"
                raise self.error(table, key, f"is not known; {remedy}")

    def error(
        self, table: str, subject: str, message: str, *, key: str | None = None
    ) -> InvalidConfigError:
        """An error with file, table, subject, and the line of the entry `key`, or of that."""
        place = f"[{table}] {subject}".strip() if table else subject
        line = self.line_of(table, subject if key is None else key)
        text = message.rstrip(".")
        return InvalidConfigError(
            f"{self.path}{f', line {line}' if line else ''}: {place} {text}"
            f"{'' if text.endswith('?') else '.'}"
        )

    @contextlib.contextmanager
    def placing(self, *tables: str, but: Iterable[str] = ()) -> Iterator[None]:
        """Give an error about an entry of these tables its line, but for those replaced."""
        try:
            yield
        except GPSearchError as error:
            for table in () if error.argument in but else tables:
                key, value = error.argument, WORDS.get(error.value, error.value)
                if table == "space":
                    key = error.entry or error.argument  # of create_model
                elif error.entry:
                    value = f"{{{error.entry} = {value}}}"
                if key in self.table(table):
                    given = "" if error.value == "..." else f" = {value}"
                    rule = PYTHON_WORD.sub(lambda word: WORDS[word[0]], error.rule)
                    raise self.error(table, f"{key}{given}:", rule, key=key) from error
            raise

    def line_of(self, table: str, key: str) -> int | None:
        """Line, from 1, that sets `key` in `table`; failing that, the header of the table."""
        dotted = f"{table}.{key}".strip(".")
        current, header = "", None
        for number, line in enumerate(self.text.splitlines(), start=1):
            named = HEADER.match(line)
            if named and _bare(named[1]).split(".")[0] in self.content:
                current = _bare(named[1])
                if current == dotted:
                    return number
                if current == table:
                    header = number
            elif key and (entry := re.match(r"\s*([\w\-.\"']+)\s*=", line)):
                name = f"{current}.{_bare(entry[1])}".strip(".")
                if name == dotted or name.startswith(f"{dotted}."):
                    return number
        return header


def _bare(name: str) -> str:
    return re.sub(r"[\"'\s]", "", name)

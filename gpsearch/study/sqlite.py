"""The study's file: its transactions, its rows and their checksums, its damage. All SQL is here.

Every write is one transaction, on the disk when the call returns. The rollback journal is used, not
the write-ahead log: between transactions the study then is one file, it may lie on a network file
system, and readers need no right to write beside it. A write takes
about a millisecond, and readers block it no longer than they read.

Each row carries the CRC-32 of its values, so that damage inside a value, which SQLite does not
look for, is found when it is read.
"""

import contextlib
import logging
import os
import shlex
import shutil
import sqlite3
import tempfile
import threading
import weakref
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from gpsearch.errors import StudyCorruptError, StudyError, StudyLockedError, StudyReadOnlyError
from gpsearch.study.location import (
    APPLICATION,
    DATABASE,
    back_up,
    check_path,
    refuse_foreign,
    room,
    unfinished_file,
)
from gpsearch.study.older_rows import SINCE, UPGRADES
from gpsearch.study.tables import KEYS, TYPES, Row, checksum

logger = logging.getLogger("gpsearch")

VERSION = 4  # of the tables
BUSY_SECONDS = 30.0  # how long a write waits for a reader in the middle of reading
GAP = 10_000  # numbers of rows to try in vain before the rest of a damaged table is given up
DAMAGE = (
    *(ArithmeticError, AttributeError, LookupError, MemoryError, RecursionError),
    *(TypeError, ValueError, zlib.error),
)
"""What reading stored values raises where they have changed."""


class Database:
    """The tables of one study, for several threads; one process writes at a time (see `lock`)."""

    def __init__(
        self, connection: sqlite3.Connection, name: str = "the study in memory", *, writable: bool
    ) -> None:
        self._connection = connection
        weakref.finalize(self, connection.close)  # Python 3.13 warns of one that is collected open
        self._name = name
        self._writable = writable
        self._mutex = threading.RLock()

    @classmethod
    def create(cls, path: Path | None, rows: Mapping[str, Sequence[Row]]) -> Self:
        """Make a new study with `rows` of its tables; None keeps it in memory.

        The file appears under its name whole or not at all: it is written beside it first.

        Raises
        ------
        StudyError
            The disk is full or cannot be written, or a file that SQLite would delete is in the way.
        """
        if path is None:
            database = cls(_connect(":memory:"), writable=True)
            database.make_tables(rows)
            return database
        path = path.resolve()  # a link stays one
        with _translated(str(path)):
            refuse_foreign(path, is_new=True)
            with unfinished_file(path) as unfinished:
                address = f"{unfinished.absolute().as_uri()}?mode=rwc"
                with contextlib.closing(cls(_connect(address), str(path), writable=True)) as new:
                    new.make_tables(rows)
                for ending in ("-journal", "-wal"):  # of a study that is gone
                    Path(f"{path}{ending}").unlink(missing_ok=True)
        return cls.connect(path, writable=False)

    @classmethod
    def connect(cls, path: Path, *, writable: bool) -> Self:
        """Open an existing study, after a check of the whole file."""
        check_path(path)
        with _translated(str(path)):
            refuse_foreign(path.resolve())
            connection = _connect_existing(path, writable=writable)
        database = cls(connection, str(path), writable=writable)
        try:
            database._check(path)
        except BaseException:
            database.close()
            raise
        return database

    def __getstate__(self) -> dict[str, Any]:
        return {"rows": self.content()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        connection = _connect(":memory:")
        rows = state["rows"]
        connection.deserialize(rows[:18] + b"\1\1" + rows[20:])  # no write-ahead log in memory
        self.__init__(connection, writable=True)  # type: ignore[misc]
        if self._version() < VERSION:
            self._migrate()

    def close(self) -> None:
        """Close the file; again is harmless."""
        with self._mutex:
            self._connection.close()

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        """Read in one transaction; what cannot be understood is damage: StudyCorruptError."""
        with self._mutex, _translated(self._name):
            self._connection.execute("BEGIN")  # no trial is seen without its folds
            try:
                yield
            except DAMAGE as error:
                raise _corrupt(self._name, f"{type(error).__name__}: {error}") from error
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("COMMIT")

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Write in one transaction: all of it or nothing."""
        if not self._writable:
            raise StudyReadOnlyError(
                f"{self._name} was opened for reading; write inside `with study.writing()`, "
                "or let gpsearch.search(..., study=...) write"
            )
        with self._mutex, _translated(self._name):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                # SQLite has rolled back by itself after some errors.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def content(self) -> bytes:
        """The bytes of the file."""
        with self._mutex, _translated(self._name):
            return self._connection.serialize()

    def put(self, table: str, rows: Sequence[Row]) -> None:
        """Write rows, each in place of the one of its key."""
        marks = ", ".join("?" * (len(TYPES[table]) + 1))
        sql = f"INSERT OR REPLACE INTO {table} VALUES ({marks})"
        self._connection.executemany(sql, ((*row, checksum(row)) for row in rows))

    def delete(self, table: str, *, trials: Sequence[int]) -> None:
        """Delete the rows of these trials."""
        gone = [(trial,) for trial in trials]
        self._connection.executemany(f"DELETE FROM {table} WHERE trial = ?", gone)

    def rows(self, table: str, trial: int | None = None) -> list[Row]:
        """Rows of a table in order, of one trial or all, as today's version has them."""
        if self.lacks(table):
            return []
        of_trial = "" if trial is None else f"WHERE trial = {int(trial)}"
        stored = self._connection.execute(
            f"SELECT * FROM {table} {of_trial} ORDER BY {KEYS[table]}"
        )
        version = self._version()
        return [_checked(table, row, version) for row in stored]

    def sizes(self, table: str) -> dict[int, int]:
        """Bytes of the blobs of a table, by trial."""
        if self.lacks(table):
            return {}
        blobs = " + ".join(
            f"LENGTH({name})" for name, kind in TYPES[table].items() if kind == "BLOB"
        )
        sql = f"SELECT trial, SUM({blobs}) FROM {table} GROUP BY trial ORDER BY trial"
        return dict(self._connection.execute(sql))

    def data_version(self) -> int:
        """A number that changes when another process has written."""
        with self._mutex, _translated(self._name):
            return int(self._connection.execute("PRAGMA data_version").fetchone()[0])

    def readable_rows(self, table: str) -> tuple[list[Row], bool]:
        """The rows of a damaged table that can be read, and whether these are all."""
        if self.lacks(table):
            return [], True
        # Each row is looked up by its number, so that the search goes on behind damaged pages.
        sql = f"SELECT rowid, * FROM {table} NOT INDEXED WHERE rowid > ? ORDER BY rowid LIMIT 1"
        version = self._version()
        rows: list[Row] = []
        last, in_vain, all_read = -1, 0, True
        while in_vain < GAP:
            try:
                found = self._connection.execute(sql, (last,)).fetchone()
            except (sqlite3.Error, UnicodeDecodeError):
                last, in_vain, all_read = last + 1, in_vain + 1, False
                continue
            if found is None:
                break
            last, in_vain = max(last + 1, found[0]), 0  # a damaged index may lead back
            try:
                rows.append(_checked(table, found[1:], version))
            except DAMAGE:
                all_read = False
        return rows, all_read

    def make_tables(self, rows: Mapping[str, Sequence[Row]]) -> None:
        """Make all tables with their first rows."""
        with self.transaction():
            for table in TYPES:
                self._make_table(table, rows.get(table, ()))
            application = int.from_bytes(APPLICATION)
            self._connection.execute(f"PRAGMA application_id = {application}")
            self._connection.execute(f"PRAGMA user_version = {VERSION}")

    def _make_table(self, table: str, rows: Sequence[Row]) -> None:
        kinds = TYPES[table] | {"crc": "INTEGER"}
        columns = [f"{n} {k if k.endswith('NULL') else f'{k} NOT NULL'}" for n, k in kinds.items()]
        columns.append(f"PRIMARY KEY ({KEYS[table]})")
        self._connection.execute(f"CREATE TABLE {table} ({', '.join(columns)})")
        self.put(table, rows)

    def _check(self, path: Path) -> None:
        with _translated(self._name):
            application = self._connection.execute("PRAGMA application_id").fetchone()[0]
            version = self._version()
            if application != int.from_bytes(APPLICATION):
                raise StudyCorruptError(
                    f"{path} is an SQLite database, but not a study of gpsearch; it is left as it "
                    "is. Give the study another path."
                )
            if version > VERSION:
                raise StudyError(
                    f"{path} was written by a newer gpsearch (study version {version}; this one "
                    f"reads up to {VERSION}); upgrade gpsearch to open it"
                )
            verdict = self._connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
            if verdict != "ok":
                raise _corrupt(self._name, verdict)
            if version < VERSION and self._writable:
                backup = back_up(path, f"v{version}", self.content())
                self._migrate()
                logger.info("%s is now of study version %d; %s is as it was", path, VERSION, backup)

    def _migrate(self) -> None:
        """Bring the tables of an older version to today's."""
        steps = [UPGRADES[step] for step in range(self._version(), VERSION)]
        with self.transaction():
            for table in {table: None for step in steps for table in step}:
                rows = self.rows(table)
                self._connection.execute(f"DROP TABLE {table}")
                self._make_table(table, rows)
            for table in filter(self.lacks, TYPES):
                self._make_table(table, ())
            self._connection.execute(f"PRAGMA user_version = {VERSION}")

    def lacks(self, table: str) -> bool:
        """Whether the study is of a version that had no such table."""
        return self._version() < SINCE.get(table, 0)

    def _version(self) -> int:
        return int(self._connection.execute("PRAGMA user_version").fetchone()[0])


@contextlib.contextmanager
def opened_damaged(path: Path) -> Iterator[Database]:
    """A copy of a damaged study, opened without a check; the study itself is left as it is."""
    with tempfile.TemporaryDirectory() as folder, _translated(str(path)):
        copy = Path(folder, "study.db")
        for ending in ("", "-journal", "-wal"):  # of writes that were cut short or lie there still
            with contextlib.suppress(FileNotFoundError):
                shutil.copyfile(f"{path}{ending}", f"{copy}{ending}")
        with copy.open("r+b") as file:
            file.write(DATABASE)
        with contextlib.closing(sqlite3.connect(copy, isolation_level=None)) as connection:
            # SQLite then reads a file that is shorter than it says, too.
            connection.execute("PRAGMA writable_schema = ON")
            yield Database(connection, str(path), writable=False)


def _checked(table: str, stored: Sequence[Any], version: int) -> Row:
    """A row as today's version has it; ValueError where a value has changed."""
    *values, crc = stored
    row = tuple(values)
    if checksum(row) != crc:
        raise ValueError(f"the values of row {row[0]!r} have changed")
    for step in range(version, VERSION):
        if upgrade := UPGRADES[step].get(table):
            row = upgrade(row)
    return row


def _connect(address: str, *settings: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        address, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False, uri=True
    )
    try:
        for setting in ("synchronous = FULL", "foreign_keys = OFF", *settings):
            connection.execute(f"PRAGMA {setting}")
    except sqlite3.Error:  # of a damaged file
        connection.close()
        raise
    return connection


def _connect_existing(path: Path, *, writable: bool) -> sqlite3.Connection:
    address = path.resolve().as_uri()
    if writable:
        return _connect(f"{address}?mode=rw")
    # A reader also opens for writing where it may: after a crash in the middle of a write, SQLite
    # must undo the half-written pages before they can be read.
    mode = "rw" if os.access(path, os.W_OK) and os.access(path.parent, os.W_OK) else "ro"
    return _connect(f"{address}?mode={mode}", "query_only = ON")


@contextlib.contextmanager
def _translated(name: str) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise _study_error(name, error) from error
    except UnicodeDecodeError as error:  # of SQLite's own message, which quotes what it found
        raise _corrupt(name, "names that are not text") from error
    except OSError as error:
        raise StudyError(f"{name} cannot be written: {error}{room(name)}") from error


def _study_error(name: str, error: sqlite3.Error) -> StudyError:
    code = getattr(error, "sqlite_errorcode", 0)
    if code == sqlite3.SQLITE_READONLY_DBMOVED:
        return StudyError(
            f"{name} was deleted, moved or replaced while a search wrote to it; put it back, and "
            "the same command continues the search"
        )
    if code == sqlite3.SQLITE_READONLY_ROLLBACK:
        return StudyReadOnlyError(
            f"{name} was being written when its search was killed, and may not be written here to "
            "undo that; whoever may write it opens it once, as `gpsearch show` does, or copy it "
            f"with {name}-journal to a folder of your own"
        )
    code &= 0xFF
    # SQLITE_ERROR: what every study has, such as a table, is not there under its name.
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR):
        return _corrupt(name, str(error))
    if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
        kept = "Every trial reported so far is in it" if Path(name).exists() else "It was not made"
        return StudyError(
            f"{name} cannot be written: {error}{room(name)}. {kept}; when there is room, and no "
            "limit on the size of files (`ulimit -f`) stands in the way, the same command "
            "continues the search."
        )
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StudyLockedError(
            f"{name} has been in use by another process for {BUSY_SECONDS:g} s; close the program "
            "that holds it open and run the same command again"
        )
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return StudyReadOnlyError(
            f"{name} cannot be opened as asked ({error}); check the rights to the file and to its "
            "folder"
        )
    return StudyError(f"{name}: {error}")


def _corrupt(name: str, detail: str) -> StudyCorruptError:
    return StudyCorruptError(
        f"{name} is not a study, or its content is damaged ({' '.join(detail.split())}); it is "
        "left as it is. Restore a copy of it, save what can still be read of it (gpsearch salvage "
        f"{shlex.quote(name)} -o new.db), or give the search another path."
    )

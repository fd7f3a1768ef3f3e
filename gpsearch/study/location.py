"""Places of files: what may stand where a study is or would be, and what is written whole."""

import contextlib
import itertools
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gpsearch.arguments import refusal
from gpsearch.errors import InvalidSearchError, StudyCorruptError, StudyError, UnwritableError

DATABASE = b"SQLite format 3\0"  # how each database of SQLite begins
APPLICATION = b"gpse"  # in the header: tells a study from any other database
APPLICATION_AT = 68
COMPANIONS = ("-journal", "-wal", "-shm", ".lock", ".new")  # files beside a study that belong to it
JOURNAL = (bytes.fromhex("d9d505f920a163d7"), bytes(8))  # how SQLite's journals begin
WAL = (bytes.fromhex("377f0682"), bytes.fromhex("377f0683"))
UNFINISHED = r"\.[0-9a-f]{8}\.new(-journal)?"  # follows the name of what is being written
LEFT_SECONDS = 3600.0  # after its last change, what is unfinished was left by a killed process


def study_path(path: str | os.PathLike[str]) -> Path:
    """Read the path of a study, which need not exist yet; a directory is refused."""
    _require_path(path, "a file, a Study, or None for a study in memory")
    try:
        path = Path(path).expanduser()
        os.stat(path)
    except FileNotFoundError:
        return Path(path)
    # a name that is too long, holds a null, leads through a file, or has an unknown home
    except (OSError, ValueError, RuntimeError) as error:
        raise StudyError(
            f"{os.fspath(path)!r} cannot be the path of a study ({error}); give it another path"
        ).about("path", path) from None
    if path.is_dir():
        check_path(path)
    return path


def _require_path(path: Any, of_what: str) -> None:
    if not isinstance(path, str | os.PathLike) or not os.fspath(path):
        raise refusal(InvalidSearchError, "path", path, f"the path of {of_what}")


def at_home(path: str | os.PathLike[str]) -> Path:
    """A path, with the folder of the user where it begins with ``~``."""
    return Path(os.path.expanduser(path))


def beside(study: Path, suffix: str) -> Path:
    """The path of a page of a study, in its folder; the number in ``v1.2`` is no suffix."""
    return study.with_name((study.name if study.suffix[1:2].isdigit() else study.stem) + suffix)


def is_folder(path: str | os.PathLike[str]) -> bool:
    """Whether a path is that of a folder: one that exists, or whose name ends as a folder's."""
    name = os.path.expanduser(path)
    return name.endswith(("/", os.sep)) or os.path.isdir(name)


def study_folder(path: str | os.PathLike[str]) -> Path:
    """Read the path of a folder of studies, and make it where it does not exist."""
    _require_path(path, "a folder, with a study in it for each outer fold, or None")
    try:
        folder = Path(path).expanduser()
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError, RuntimeError) as error:
        raise UnwritableError(
            f"{os.fspath(path)!r} cannot be a folder of studies ({error}); give another."
        ).about("path", os.fspath(path)) from None
    return folder


def check_path(path: Path) -> None:
    """Raise a StudyError where `path` cannot be an existing study's file."""
    if path.is_dir():
        raise StudyError(
            f"{path} is a directory; a study is one file, for example {path / 'study.db'}"
        ).about("path", str(path))
    if not path.exists():
        raise StudyError(
            f"{path} does not exist; gpsearch.search(objective, space, study={str(path)!r}) makes "
            "a study"
        ).about("path", str(path))
    if not path.is_file():
        raise StudyError(
            f"{path} is a device or a pipe; a study is a file, for example study.db"
        ).about("path", str(path))
    if path.stat().st_size == 0:
        raise StudyCorruptError(
            f"{path} is an empty file, not a study; delete it to start a study there, or give the "
            "study another path"
        ).about("path", str(path))


def room(name: str) -> str:
    """Free space on the disk of the file `name`, for an error message."""
    folder = Path(name).parent
    try:
        free = shutil.disk_usage(folder).free
    except OSError:
        return ""
    return f" (the disk of {folder.resolve()} has {free / 1e6:.1f} MB free)"


def output_path(path: str | os.PathLike[str]) -> Path:
    """Read the path of a file to write, in a folder that exists; never over a study's file."""
    _require_path(path, "a file")
    path = at_home(path)
    refuse_study(path)
    if not (folder := Path(os.path.realpath(path)).parent).is_dir():
        raise UnwritableError(f"the folder {folder} does not exist; make it first.").about(
            "path", str(path)
        )
    return path


def model_path(path: str | os.PathLike[str]) -> Path:
    """Read the path of a model's file, whose ending says of which kind it is."""
    path = output_path(path)
    if not path.name.endswith((".keras", ".joblib")):
        raise StudyError('must end in ".keras" or ".joblib".').about("path", str(path))
    return path


def write_model(model: Any, path: Path) -> None:
    """Write a model; StudyError where a Keras file is to hold what is not a network."""
    if path.name.endswith(".joblib"):
        import joblib

        with writing_file(path):
            joblib.dump(model, path)
        return
    if not hasattr(model, "save"):
        raise StudyError(
            f"the best model is a {type(model).__name__}, not a Keras network. Give a path "
            'that ends in ".joblib".'
        ).about("path", str(path))
    with writing_file(path):
        model.save(path)


def refuse_study(path: str | os.PathLike[str]) -> None:
    """Raise a StudyError where a study stands at a path, or what stands there belongs to one."""
    with writing_file(path):
        path = Path(os.path.realpath(path))
    owners = [path.with_name(path.name.removesuffix(e)) for e in COMPANIONS if path.name != e]
    for own in dict.fromkeys((path, *owners)):
        if _is_study(own):
            part = "is a study" if own == path else f"belongs to the study {own.name}"
            raise StudyError(
                f"{path} {part}, which nothing else may be written over; give the file another "
                "name."
            ).about("path", str(path))


def _is_study(path: Path) -> bool:
    if not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            head = file.read(100)
    except OSError:
        return False
    # either of the two, since a study may be damaged
    return head.startswith(DATABASE) or head[APPLICATION_AT:].startswith(APPLICATION)


def refuse_foreign(path: Path, *, is_new: bool = False) -> None:
    """Raise where SQLite would take, and delete or read, another's file as a journal."""
    for ending, marks in (("-journal", JOURNAL), ("-wal", () if is_new else WAL)):
        beside = Path(f"{path}{ending}")
        try:
            with beside.open("rb") as file:
                head = file.read(8)
        except FileNotFoundError:
            continue
        if head and not head.startswith(marks):
            raise StudyError(
                f"{beside} lies where the journal of the study {path.name} belongs, and is not "
                "one of it; move it, or give the study another path."
            ).about("path", str(path))


@contextlib.contextmanager
def writing_file(path: str | os.PathLike[str]) -> Iterator[None]:
    """Raise UnwritableError for what the system raises when a file is written in the block."""
    try:
        yield
    except BrokenPipeError:
        raise
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise UnwritableError(f"{path} cannot be written: {why}.").about(
            "path", os.fspath(path)
        ) from None


def write_whole(path: Path, content: bytes) -> None:
    """Write a file that appears whole or not at all; a link or a device stays one."""
    refuse_study(path)
    with writing_file(path):
        path = path.resolve()
        if path.exists() and not path.is_file():
            path.write_bytes(content)
            return
        with unfinished_file(path) as unfinished:
            with unfinished.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            if path.exists():
                shutil.copymode(path, unfinished)


@contextlib.contextmanager
def unfinished_file(path: Path) -> Iterator[Path]:
    """A name beside `path` to write to; the file takes the place of `path` as the block ends.

    What a process left there that was killed in such a block is removed, some time later.
    """
    with contextlib.suppress(OSError):
        for left in path.parent.iterdir():
            is_own = re.fullmatch(re.escape(path.name) + UNFINISHED, left.name)
            if is_own and time.time() - left.stat().st_mtime > LEFT_SECONDS:
                left.unlink()
    unfinished = Path(f"{path}.{secrets.token_hex(4)}.new")  # others may be writing it, too
    try:
        yield unfinished
        os.replace(unfinished, path)
    finally:
        for leftover in (unfinished, Path(f"{unfinished}-journal")):
            leftover.unlink(missing_ok=True)
    sync_folder(path.parent)


def back_up(path: Path, label: str, content: bytes) -> Path:
    """Write what a study held beside it, under a name that is free."""
    names = (Path(f"{path}.{label}.bak{n or ''}") for n in itertools.count())
    backup = next(name for name in names if not name.exists())
    write_whole(backup, content)
    return backup


def sync_folder(folder: Path) -> None:
    """Make a new name in `folder` durable, where the system lets folders be synced."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

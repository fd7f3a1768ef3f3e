"""The place of a study's file: what may stand there, what is left, and what is written anew."""

from __future__ import annotations

import contextlib
import itertools
import os
import secrets
import shutil
from pathlib import Path

from gpsearch.errors import InvalidSearchError, StudyCorruptError, StudyError


def study_path(path: str | os.PathLike[str]) -> Path:
    """Read the path of a study, which need not exist yet.

    Raises
    ------
    InvalidSearchError
        It is not a path.
    StudyError
        The system cannot have such a file, or it is a directory.
    """
    if not isinstance(path, str | os.PathLike):
        raise InvalidSearchError(
            "must be the path of a file, a Study, or None for a study in memory."
        ).about("path", path)
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


def write_whole(path: Path, content: bytes) -> None:
    """Write a file that appears under its name whole or not at all, in place of an older one.

    A link stays one; what is not a file, such as a terminal, is written to directly.
    """
    path = path.resolve()
    if path.exists() and not path.is_file():
        path.write_bytes(content)
        return
    unfinished = Path(f"{path}.{secrets.token_hex(4)}.new")  # others may be writing it, too
    try:
        with unfinished.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            shutil.copymode(path, unfinished)
        os.replace(unfinished, path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def back_up(path: Path, version: int) -> Path:
    """Copy a study beside itself, under a name that is free."""
    names = (Path(f"{path}.v{version}.bak{n or ''}") for n in itertools.count())
    backup = next(name for name in names if not name.exists())
    write_whole(backup, path.read_bytes())
    return backup


def sync_folder(folder: Path) -> None:
    """Make a new name in `folder` durable, where the system lets folders be synced."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

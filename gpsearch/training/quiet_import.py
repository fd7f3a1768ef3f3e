"""TensorFlow's import without what it writes to the terminal."""

import contextlib
import importlib.abc
import importlib.util
import os
import sys
import tempfile
from collections.abc import Iterator
from importlib.machinery import ModuleSpec
from typing import Any

from gpsearch.phases import phase


class _QuietTensorFlow(importlib.abc.MetaPathFinder):
    """Finds TensorFlow as the finders after it do, and holds back what its import writes."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if name != "tensorflow" or self not in sys.meta_path:
            return None
        sys.meta_path.remove(self)  # it is imported once
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            loader: Any = spec.loader
            execute = loader.exec_module

            def quietly(module: Any) -> None:
                with phase("loading TensorFlow"), stderr_held_back():
                    execute(module)

            loader.exec_module = quietly
        return spec


def quiet_tensorflow() -> None:
    """Keep TensorFlow's start-up messages off the terminal, also where other code imports it."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if "tensorflow" not in sys.modules:
        sys.meta_path.insert(0, _QuietTensorFlow())


@contextlib.contextmanager
def stderr_held_back() -> Iterator[None]:
    """Hold back what is written to file descriptor 2; show it only if the body raises."""
    try:
        kept = os.dup(2)
    except OSError:  # no standard error, as in a service without a console
        yield
        return
    with tempfile.TemporaryFile() as held:
        sys.stderr.flush()
        os.dup2(held.fileno(), 2)
        failed = True
        try:
            yield
            failed = False
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)
            if failed:
                held.seek(0)
                os.write(2, held.read())

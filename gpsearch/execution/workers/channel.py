"""Fold results on their way from worker processes to the study.

A worker on the machine of the search sends each fold result as it ends and waits for the answer
whether its trial goes on. Each worker has a connection of its own: one that is killed in the
middle of a message harms no other. Workers on other machines return their folds with the trial.
"""

import contextlib
import os
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import AuthenticationError
from multiprocessing.connection import (
    Client,
    Connection,
    Listener,
    answer_challenge,
    deliver_challenge,
)

from gpsearch.evaluation import FoldResult

FoldSink = Callable[[int, FoldResult], bool]
"""Takes a trial's number and a fold result; returns whether the trial goes on."""


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where fold results are taken. Travels to the workers."""

    host: str
    """Name of the machine; only its own processes connect."""
    port: int
    """TCP port of the loopback interface."""
    key: bytes
    """Secret that a worker authenticates with."""


class FoldReceiver:
    """Listens for the workers of one search until closed; one thread for each calls `sink`."""

    def __init__(self, sink: FoldSink) -> None:
        self._sink = sink
        key = os.urandom(16)
        self._listener = Listener(("127.0.0.1", 0), family="AF_INET")
        _, port = self._listener.address
        self.address = Address(host=socket.gethostname(), port=int(port), key=key)
        self._closed = False
        threading.Thread(target=self._accept, name="gpsearch-folds", daemon=True).start()

    def close(self) -> None:
        """Take no further workers."""
        self._closed = True
        # A blocked accept() returns only on a connection.
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.address.port), timeout=1.0).close()
        self._listener.close()

    def _accept(self) -> None:
        while not self._closed:
            try:
                connection = self._listener.accept()
            except OSError:  # of a caller that died while it connected
                continue
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: Connection) -> None:
        key = self.address.key
        with connection, contextlib.suppress(EOFError, OSError, AuthenticationError):
            # Here, as `Client` has it: a stranger who says nothing keeps no worker waiting.
            deliver_challenge(connection, key)
            answer_challenge(connection, key)
            while True:
                number, fold = connection.recv()
                connection.send(self._sink(number, fold))


class FoldSender:
    """A worker's end."""

    def __init__(self, address: Address) -> None:
        self._connection: Connection | None = None
        if socket.gethostname() == address.host:
            with contextlib.suppress(OSError, EOFError):
                self._connection = Client(
                    ("127.0.0.1", address.port), family="AF_INET", authkey=address.key
                )

    def __call__(self, number: int, fold: FoldResult) -> bool:
        """Send a fold result; returns whether the trial goes on."""
        if self._connection is None:
            return True
        try:
            self._connection.send((number, fold))
            return bool(self._connection.recv())
        except (OSError, EOFError):
            self._connection = None
            return True

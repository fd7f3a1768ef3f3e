"""Fold results on their way, where others know the port, too."""

import contextlib
import dataclasses
import socket

import pytest

from gpsearch.evaluation import FoldResult
from gpsearch.execution.workers.channel import FoldReceiver, FoldSender

FOLD = FoldResult(fold=0, score=0.5)


@pytest.fixture
def told():
    return []


@pytest.fixture
def receiver(told):
    def sink(number, fold):
        told.append((number, fold))
        return False

    with contextlib.closing(FoldReceiver(sink)) as made:
        yield made


def test_a_stranger_who_says_nothing_keeps_no_worker_waiting(receiver, told):
    with socket.create_connection(("127.0.0.1", receiver.address.port)):
        assert FoldSender(receiver.address)(3, FOLD) is False
    assert told == [(3, FOLD)]


def test_nothing_is_taken_from_one_without_the_key(receiver, told):
    stranger = dataclasses.replace(receiver.address, key=b"another")
    with pytest.raises(Exception, match="digest"):
        FoldSender(stranger)
    with socket.create_connection(("127.0.0.1", receiver.address.port)) as connection:
        connection.sendall(b"\0" * 100)
    assert FoldSender(receiver.address)(1, FOLD) is False
    assert told == [(1, FOLD)]

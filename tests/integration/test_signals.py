"""Ctrl-C and SIGTERM while a training is one long step that heeds no signal."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from gpsearch.execution import StopReason, search
from gpsearch.execution.signals import stoppable
from gpsearch.interruption import Terminated
from gpsearch.study import Study

SCRIPT = """
import hashlib, os, sys
import gpsearch as gs

def deaf(params):
    open(sys.argv[1] + "/begun", "w").close()
    hashlib.pbkdf2_hmac("sha256", b"x", b"y", 2_000_000_000)  # for half an hour, in C

gs.search(deaf, {"x": (0.0, 1.0)}, n_calls=2, study=sys.argv[1] + "/study.db", strategy="random",
          random_state=0)
"""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_the_second_signal_ends_a_search_at_once_and_leaves_a_whole_study(tmp_path, name):
    number = getattr(signal, name)
    process = subprocess.Popen([sys.executable, "-c", SCRIPT, str(tmp_path)])
    try:
        while not (tmp_path / "begun").exists():
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(number)
        time.sleep(0.3)
        assert process.poll() is None
        process.send_signal(number)
        assert process.wait(timeout=60) == 128 + number
    finally:
        process.kill()
        process.wait()
    (trial,) = Study.open(tmp_path / "study.db").trials
    assert trial.state == "running"


def test_signals_are_as_they_were_after_a_search():
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    threads = threading.active_count()
    with stoppable():
        assert signal.getsignal(signal.SIGTERM) is not before[0]
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before
    assert signal.set_wakeup_fd(-1) == -1
    assert threading.active_count() == threads


def signalled(number):
    """Receive a signal, and wait for what it brings."""
    os.kill(os.getpid(), number)
    time.sleep(10)


def test_sigterm_is_raised_where_the_program_stands():
    with pytest.raises(Terminated), stoppable():
        signalled(signal.SIGTERM)


def test_a_handler_of_the_application_stays():
    seen = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: seen.append(number))
    try:
        with stoppable():
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(0.05)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert seen == [signal.SIGTERM]


def test_an_application_that_watches_signals_itself_keeps_doing_so():
    """As a notebook's kernel does: the second Ctrl-C must not end it."""
    awake, wake = os.pipe()
    os.set_blocking(wake, False)
    before = signal.set_wakeup_fd(wake)
    try:
        for _ in range(2):
            with pytest.raises(KeyboardInterrupt), stoppable():
                signalled(signal.SIGINT)
        assert signal.set_wakeup_fd(wake) == wake
    finally:
        signal.set_wakeup_fd(before)
        os.close(awake)
        os.close(wake)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing is forked here")
def test_a_forked_child_neither_holds_the_search_up_nor_speaks_for_it():
    def idle():
        time.sleep(600)

    children = []
    with stoppable():
        for _ in range(2):
            child = multiprocessing.get_context("fork").Process(target=idle, daemon=True)
            child.start()
            children.append(child)
        children[0].terminate()
        time.sleep(0.3)  # the second SIGTERM of the search would end this process
        children[1].terminate()
        for child in children:
            child.join(timeout=60)
        keeper = multiprocessing.get_context("fork").Process(target=idle, daemon=True)
        keeper.start()
    assert [child.exitcode for child in children] == [-signal.SIGTERM] * 2
    assert keeper.is_alive()
    keeper.kill()
    keeper.join()


def test_a_search_in_another_thread_leaves_signals_alone():
    studies = []

    def run():
        studies.append(
            search(
                lambda params: params["x"],
                {"x": (0.0, 1.0)},
                n_calls=3,
                strategy="random",
                progress=False,
            )
        )

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert studies[0].stop_reason == StopReason.BUDGET.value

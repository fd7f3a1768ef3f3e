"""A comparison whose process is killed or interrupted goes on as if it had not been."""

import runpy
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

from gpsearch.comparison import open_comparison
from gpsearch.errors import StudyError
from gpsearch.study import Study

SCRIPT = """
import signal, sys, time
import numpy as np
from gpsearch.comparison import compare

signal.signal(signal.SIGINT, signal.default_int_handler)  # also where it was ignored

def score(params, seed):
    time.sleep(0.03)
    return np.random.default_rng(seed).normal(-abs(params["x"] - 0.3), 0.1, size=3)

compare(score, {"x": (0.0, 1.0), "n": (1, 3)}, strategies=["gp", "random"], n_calls=12,
        n_repeats=2, random_state=4, study=sys.argv[1], n_jobs=int(sys.argv[2]))
"""
VALUES = ["strategy", "repeat", "n", "state", "score", "param_x", "param_n", "seed"]


def n_trials(path):
    try:
        return len(Study.open(path).trials)
    except StudyError:
        return 0


@pytest.fixture(scope="module")
def script(tmp_path_factory):
    """The script, and beside it whole.db: what one undisturbed process makes."""
    folder = tmp_path_factory.mktemp("compare")
    (folder / "script.py").write_text(SCRIPT)
    run_here(folder / "script.py", "whole.db", "1")
    return folder / "script.py"


def run_here(script, *arguments):
    """Run the script in this process, which has imported all that it needs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(script.parent)
        patch.setattr(sys, "argv", [script.name, *arguments])
        runpy.run_path(script.name, run_name="__main__")


@pytest.mark.parametrize(
    ("how", "n_jobs"),
    [(signal.SIGKILL, "1"), (signal.SIGKILL, "2"), (signal.SIGINT, "1")],
)
def test_a_comparison_that_ended_early_is_continued(script, how, n_jobs):
    ended = f"{how.name}-{n_jobs}.db"
    path = script.parent / ended
    call = [sys.executable, "script.py", ended, n_jobs]
    with subprocess.Popen(call, cwd=script.parent, stderr=subprocess.PIPE, text=True) as process:
        give_up = time.monotonic() + 120
        while n_trials(path) < 15 and time.monotonic() < give_up:
            time.sleep(0.02)
        process.send_signal(how)
        told = process.stderr.read()
    assert 15 <= n_trials(path) < 48
    if how != signal.SIGKILL:
        assert "the same command continues" in Study.open(path).stop_reason
        assert f"trials are finished; everything so far is in {ended}" in told
    if (how, n_jobs) == (signal.SIGKILL, "1"):
        subprocess.run(call, cwd=script.parent, check=True, timeout=300)
    else:
        run_here(script, ended, n_jobs)
    resumed, whole = (open_comparison(script.parent / name) for name in (ended, "whole.db"))
    pd.testing.assert_frame_equal(resumed.to_frame()[VALUES], whole.to_frame()[VALUES])
    np.testing.assert_array_equal(resumed.best, whole.best)

"""A comparison whose process is killed goes on as if it had not been."""

import subprocess
import sys
import time

import numpy as np
import pandas as pd

from gpsearch.comparison import open_comparison
from gpsearch.errors import StudyError
from gpsearch.study import Study

SCRIPT = """
import sys, time
import numpy as np
from gpsearch.comparison import compare

def score(params, seed):
    time.sleep(0.03)
    return np.random.default_rng(seed).normal(-abs(params["x"] - 0.3), 0.1, size=3)

compare(score, {"x": (0.0, 1.0), "n": (1, 3)}, strategies=["gp", "random"], n_calls=12,
        n_repeats=2, random_state=4, study=sys.argv[1])
"""
VALUES = ["strategy", "repeat", "n", "state", "score", "param_x", "param_n", "seed"]


def n_trials(path):
    try:
        return len(Study.open(path).trials)
    except StudyError:
        return 0


def test_a_killed_comparison_is_continued(tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    call = [sys.executable, "script.py"]
    with subprocess.Popen([*call, "killed.db"], cwd=tmp_path) as process:
        give_up = time.monotonic() + 120
        while n_trials(tmp_path / "killed.db") < 15 and time.monotonic() < give_up:
            time.sleep(0.02)
        process.kill()
    assert 15 <= n_trials(tmp_path / "killed.db") < 48
    for name in ("killed.db", "whole.db"):
        subprocess.run([*call, name], cwd=tmp_path, check=True, timeout=300)
    killed, whole = (open_comparison(tmp_path / name) for name in ("killed.db", "whole.db"))
    pd.testing.assert_frame_equal(killed.to_frame()[VALUES], whole.to_frame()[VALUES])
    np.testing.assert_array_equal(killed.best, whole.best)

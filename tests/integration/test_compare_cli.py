"""``gpsearch compare``: from a configuration to a table, and on from there."""

import json

import pandas as pd
import pytest

from gpsearch.cli import main
from gpsearch.comparison import open_comparison
from gpsearch.config import Config, load_config
from gpsearch.errors import InvalidConfigError

CONFIG = """
study = "out/small.db"

[data]
dataset = "iris"

[search]
n_calls = 4
random_state = 3

[compare]
strategies = ["grid", "random"]
n_repeats = 2

[space]
learning_rate = { low = 1e-3, high = 1.0, prior = "log-uniform" }
n_hidden = [1, 2, 3]
"""


class Cheap:
    """Stands where the network would: a score without a training."""

    name = "cheap"
    n_folds = 1
    greater_is_better = True

    def validate(self, space):
        pass

    def fingerprint(self):
        return "cheap"

    def describe(self):
        return {"name": self.name, "scoring": "accuracy"}

    def evaluate(self, params, *, seed, on_fold=None, done=()):
        from gpsearch.evaluation import Evaluation, FoldResult

        score = -abs(params["learning_rate"] - 0.1) - 0.01 * params["n_hidden"]
        return Evaluation(folds=(FoldResult(fold=0, score=score),))


@pytest.fixture
def config(tmp_path, monkeypatch):
    (tmp_path / "search.toml").write_text(CONFIG)
    monkeypatch.chdir(tmp_path)
    plain = Config.compare

    def without_training(self, **overrides):
        object.__setattr__(self, "objective", Cheap())
        return plain(self, **overrides)

    monkeypatch.setattr(Config, "compare", without_training)
    return "search.toml"


def test_a_configuration_is_compared_and_read_again(config, capsys):
    assert main(["compare", config]) == 0
    made = capsys.readouterr().out
    assert "2 repeats of 4 evaluations" in made
    assert "grid" in made
    assert "Study    out/small-compare.db" in made
    assert main(["compare", "out/small-compare.db"]) == 0
    assert capsys.readouterr().out == made


def test_the_command_line_overrides_and_extends(config, capsys, tmp_path):
    assert main(["compare", config]) == 0
    options = ["--n-repeats", "3", "--strategies", "grid", "random", "tpe"]
    assert main(["compare", config, *options, "--json", "-o", "all.csv"]) == 0
    told = json.loads(capsys.readouterr().out.split("small-compare.db\n", 1)[1])
    assert told["n_repeats"] == 3
    assert told["baseline"] == "random"
    assert [row["strategy"] for row in told["strategies"]] == ["grid", "random", "tpe"]
    assert len(told["conclusions"]) >= 2
    assert len(pd.read_csv("all.csv")) == 3 * 3 * 4
    assert open_comparison("out/small-compare.db").n_repeats == 3


def test_what_the_search_says_holds_for_the_comparison(tmp_path, monkeypatch):
    (tmp_path / "search.toml").write_text(CONFIG)
    comparison = load_config(tmp_path / "search.toml").comparison
    assert comparison["n_calls"] == 4
    assert comparison["random_state"] == 3
    assert comparison["strategies"] == ["grid", "random"]


def test_wrong_calls_are_said(config, capsys):
    assert main(["compare", config, "--strategies", "grid", "best"]) == 2
    assert "compare(strategies='best'): no such strategy" in capsys.readouterr().err
    assert main(["compare", config, "--n-repeats", "1"]) == 2
    assert "cannot tell a difference from luck" in capsys.readouterr().err
    assert main(["compare", "there-is-none.db"]) == 2
    assert "does not exist" in capsys.readouterr().err
    assert main(["compare", config]) == 0
    assert main(["compare", "out/small-compare.db", "--n-calls", "9"]) == 2
    assert "n_calls cannot be given" in capsys.readouterr().err


def test_a_comparison_takes_the_workers_of_the_search_but_not_its_timeout(tmp_path):
    search = "random_state = 3\nn_jobs = 2\ntrial_timeout = 60\nracing = 'paired'\ntimeout = 5"
    text = CONFIG.replace("random_state = 3", search)
    (tmp_path / "search.toml").write_text(
        text.replace("n_repeats = 2", "n_repeats = 2\nn_jobs = 1")
    )
    comparison = load_config(tmp_path / "search.toml").comparison
    assert comparison["n_jobs"] == 1
    assert comparison["trial_timeout"] == 60
    assert comparison["racing"] == "paired"
    assert "timeout" not in comparison


def test_a_comparison_that_ran_out_of_time_is_continued(config, capsys):
    assert main(["compare", config, "--timeout", "1e-9"]) == 1
    standing = "no trial yet. The search reached its timeout."
    assert standing in capsys.readouterr().out
    assert main(["compare", config, "--timeout", "1e-9", "--json"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert standing in err
    assert main(["compare", config, "--timeout", "600"]) == 0
    out = capsys.readouterr().out
    assert "2 repeats of 4 evaluations" in out
    assert "Ended    All runs of the comparison are complete." in out


def test_the_command_line_says_where_it_runs(config, monkeypatch, capsys):
    given = {}

    def refused(self, **overrides):
        given.update(overrides)
        raise InvalidConfigError("enough")

    monkeypatch.setattr(Config, "compare", refused)
    call = ["compare", config, "--n-jobs", "2", "--timeout", "60", "--dask", "tcp://host:8786"]
    assert main(call) == 2
    assert given == {"n_jobs": 2, "timeout": 60.0, "executor": "tcp://host:8786"}


def test_an_unknown_key_is_named_with_its_line(tmp_path):
    (tmp_path / "bad.toml").write_text(CONFIG.replace("n_repeats", "n_repeat"))
    with pytest.raises(InvalidConfigError, match=r"line 13: \[compare\] n_repeat .*'n_repeats'"):
        load_config(tmp_path / "bad.toml")


@pytest.mark.usefixtures("_without_figures")
def test_a_page_is_written_of_a_comparison(config, capsys, tmp_path):
    assert main(["compare", config, "--report", "pages/c.html"]) == 0
    assert "Report   pages/c.html" in capsys.readouterr().out
    assert main(["report", "out/small-compare.db"]) == 0
    for page in ("pages/c.html", "out/small-compare.html"):
        text = (tmp_path / page).read_text()
        assert "grid" in text
        assert "repeats of 4 evaluations" in text

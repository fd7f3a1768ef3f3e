"""One argument of one name says where the optimum is expected, and every face takes it."""

import dataclasses

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression

import gpsearch as gs
from gpsearch.errors import InvalidSearchError, StudyMismatchError
from gpsearch.report.facts import read_facts
from gpsearch.strategy.gp import GPStrategy
from gpsearch.strategy.optimum_prior import read_optimum_prior

SPACE = {"learning_rate": gs.Real(1e-4, 1.0, prior="log-uniform"), "x": gs.Real(0.0, 1.0)}


def score(params):
    return -((np.log10(params["learning_rate"]) + 2) ** 2) - params["x"]


def search(prior="by_name", study=None, n_calls=3, **options):
    return gs.search(
        score,
        SPACE,
        n_calls=n_calls,
        study=study,
        random_state=0,
        progress=False,
        optimum_prior=prior,
        **options,
    )


class Middle:
    """A user's density: flat, with the middle of the space as its mode."""

    n_evaluations = 4.0
    mode = np.array([0.5, 0.5])

    def log_density(self, Z, active):
        return np.zeros(len(Z)), np.zeros(Z.shape)

    def quantile(self, u):
        return u

    def describe(self):
        return {"x": "in the middle"}


@pytest.mark.parametrize(
    ("prior", "setting", "words"),
    [
        ("by_name", "by_name", {"learning_rate": "in the middle of its range"}),
        (None, None, {}),
        ({"x": [0.2, 0.4]}, {"x": [0.2, 0.4]}, {"x": "near 0.2 or 0.4"}),
        (Middle(), "Middle 2:", {"x": "in the middle"}),
    ],
)
def test_study_result_and_report_say_what_was_expected(prior, setting, words):
    study = search(prior)
    recorded = study.info.settings["optimum_prior"]
    assert recorded == setting or (setting == "Middle 2:" and recorded.startswith(setting))
    assert study.info.settings["expected_optimum"] == words
    assert study.result.specs["args"]["optimum_prior"] == (words or None)
    said = ", ".join(f"{name}: {where}" for name, where in words.items()) or "none"
    assert dict(read_facts(study.info, None))["expected optimum"] == said


def test_an_object_of_ones_own_is_compared_by_its_state():
    class At(Middle):
        def __init__(self, x):
            self.x = x

    study = search(At(0.2))
    assert len(search(At(0.2), study, 4).trials) == 4
    with pytest.raises(StudyMismatchError, match="optimum_prior"):
        search(At(0.9), study, 5)


def test_what_a_strategy_does_not_use_is_not_said_to_be_used():
    assert search(strategy="random").info.settings["expected_optimum"] == {}
    own = GPStrategy(gs.Space(SPACE), seed=0, optimum_prior={"x": 0.5})
    assert search(strategy=own).info.settings["expected_optimum"] == {"x": "near 0.5"}


def test_a_study_continues_with_its_own_prior_alone():
    study = search({"x": 0.2})
    assert len(search({"x": [0.2]}, study, 4).trials) == 4
    with pytest.raises(StudyMismatchError, match="optimum_prior"):
        search("by_name", study, 5)


def test_a_study_of_before_the_setting_continues():
    study = search()
    settings = {k: v for k, v in study.info.settings.items() if "optimum" not in k}
    study.info = dataclasses.replace(study.info, settings=settings)
    assert len(search("by_name", study, 4).trials) == 4
    expected = {"learning_rate": "in the middle of its range"}
    assert study.result.specs["args"]["optimum_prior"] == expected


def test_every_face_takes_it():
    dimensions = [gs.Real(1e-4, 1.0, prior="log-uniform", name="learning_rate")]
    expected = {"learning_rate": 1e-2}
    assert gs.Optimizer(dimensions, optimum_prior=expected).ask() == [pytest.approx(1e-2)]
    result = gs.gp_minimize(lambda x: x[0], dimensions, n_calls=2, optimum_prior=expected)
    assert result.x_iters[0] == [pytest.approx(1e-2)]
    X, y = np.arange(12.0)[:, None], np.arange(12) % 2
    face = gs.GPSearchCV(
        LogisticRegression(), {"C": gs.Real(1e-2, 1e2)}, n_iter=2, cv=2, optimum_prior={"C": 7.0}
    )
    assert clone(face).fit(X, y).cv_results_["param_C"][0] == pytest.approx(7.0)


def compare(prior="by_name", strategies=("gp", "random"), study=None):
    return gs.compare(
        score,
        SPACE,
        strategies=strategies,
        n_calls=2,
        n_repeats=2,
        study=study,
        optimum_prior=prior,
        progress=False,
    )


def test_a_comparison_passes_it_to_the_strategies_that_take_it(tmp_path):
    path = tmp_path / "study.db"
    compare({"x": [0.25]}, study=path)
    study = gs.Study.open(path)
    at_expected = {t.origin for t in study.trials if t.params["x"] == 0.25}
    assert at_expected == {"gp#0", "gp#1"}
    settings = study.info.settings
    assert settings["optimum_prior"] == {"x": [0.25]}
    assert settings["expected_optimum"] == {"gp": {"x": "near 0.25"}}
    with pytest.raises(StudyMismatchError, match="optimum_prior"):
        compare(study=path)


def test_a_comparison_refuses_it_where_no_strategy_takes_it():
    with pytest.raises(InvalidSearchError, match=r'compare\(optimum_prior=.*strategy "gp" takes'):
        compare({"x": 0.25}, ["grid", "random"])


@pytest.mark.parametrize("prior", ["name", 3, object(), True])
def test_anything_else_is_refused(prior):
    with pytest.raises(InvalidSearchError, match="must be 'by_name', None, a dict"):
        read_optimum_prior(prior, gs.Space(SPACE))

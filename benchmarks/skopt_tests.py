"""Run scikit-optimize's own tests against gpsearch's ``gp_minimize`` and ``Optimizer``.

    python benchmarks/skopt_tests.py --tests PATH/TO/scikit-optimize/tests

The releases of scikit-optimize hold no tests: take the folder from a checkout of its source.
The tests run twice, unchanged: as they are, and with gpsearch's two names in place of
scikit-optimize's in every module of it that holds them. A test counts when it passes for
scikit-optimize itself on the installed NumPy and scikit-learn. Printed are the counts and the
tests that pass there and not here: one, test_hollow_iterations_stopper, which asserts how many
calls the random first points of scikit-optimize need for one seed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path

FILES = (
    "test_optimizer.py",
    "test_gp_opt.py",
    "test_callbacks.py",
    "test_common.py",
    "test_parallel_cl.py",
    "test_plots.py",
    "test_space.py",
    "test_utils.py",
)

IN_PLACE = '''
"""A pytest plugin that puts gpsearch's names in the place of scikit-optimize's."""

import importlib
import pkgutil

import skopt

from gpsearch.optimizer import Optimizer, gp_minimize

own = {skopt.Optimizer: Optimizer, skopt.gp_minimize: gp_minimize}
modules = [importlib.import_module(m.name) for m in pkgutil.walk_packages(skopt.__path__, "skopt.")]
for module in (skopt, *modules):
    for name in ("Optimizer", "gp_minimize"):
        stock = getattr(module, name, None)
        if stock in own:
            setattr(module, name, own[stock])
'''


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tests", required=True, type=Path, help="folder of the tests")
    parser.add_argument("--select", default="", help="pytest's -k")
    arguments = parser.parse_args()
    files = [arguments.tests / name for name in FILES if (arguments.tests / name).exists()]
    if not files:
        parser.error(f"{arguments.tests} holds none of {', '.join(FILES)}")
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "in_place.py").write_text(IN_PLACE)
        stock = outcomes(files, Path(folder), arguments.select)
        ours = outcomes(files, Path(folder), arguments.select, plugin="in_place")
    print(f"{'file':24}{'pass for scikit-optimize':>26}{'of these for gpsearch':>24}")
    lost = []
    for name in sorted({test[0] for test in stock}):
        passing = [test for test, passed in stock.items() if passed and test[0] == name]
        kept = [test for test in passing if ours.get(test)]
        lost += [test for test in passing if not ours.get(test)]
        of_all = f"{len(passing)} of {sum(test[0] == name for test in stock)}"
        print(f"{name:24}{of_all:>26}{len(kept):>24}")
    print(f"{'all':24}{sum(stock.values()):>26}{sum(stock.values()) - len(lost):>24}")
    for test in lost:
        print("not for gpsearch:", "::".join(test))


def outcomes(
    files: list[Path], folder: Path, select: str, plugin: str | None = None
) -> dict[tuple[str, str], bool]:
    """Whether each test, by file and name, passes in a process of its own."""
    report = folder / "report.xml"
    command = [sys.executable, "-m", "pytest", "-q", "-W", "ignore", "-p", "no:cacheprovider"]
    command += [
        "-o",
        "addopts=",
        "-o",
        "filterwarnings=",
        "-o",
        "junit_family=xunit1",
        "--rootdir",
        str(folder),
    ]
    command += [f"--junitxml={report}", *(["-k", select] if select else [])]
    command += ["-p", plugin] if plugin else []
    subprocess.run(
        [*command, *map(str, files)],
        check=False,
        stdout=subprocess.DEVNULL,
        env=environment(folder),
        cwd=folder,
    )
    cases = ElementTree.parse(report).iter("testcase")
    return {
        (Path(case.get("file", "")).name, case.get("name", "")): not any(
            child.tag in ("failure", "error", "skipped") for child in case
        )
        for case in cases
    }


def environment(folder: Path) -> dict[str, str]:
    """Variables of this process, with one thread: the matrices are small."""
    path = os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")]))
    return {**os.environ, "OMP_NUM_THREADS": "1", "MPLBACKEND": "Agg", "PYTHONPATH": path}


if __name__ == "__main__":
    main()

"""The walls of the house: imports go downward, and each heavy library has one room."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import gpsearch

PACKAGE = Path(gpsearch.__file__).parent

LAYERS = [
    {"errors", "version"},
    {"space", "evaluation"},
    {"surrogate", "data", "study"},
    {"training"},
    {"objective"},
    {"estimators"},
    {"acquisition"},
    {"strategy"},
    {"optimizer"},  # ask and tell over the strategies: the same layer in the design, just above
    {"execution", "callbacks"},
    {"analysis"},  # questions asked of one study, which plots and comparisons show
    {"plotting", "comparison", "model_selection"},
    {"report"},  # shows what plotting draws
    {"config"},
    {"cli"},
    {"__main__"},
]
LAYER = {room: level for level, rooms in enumerate(LAYERS) for room in rooms}

# Where a library may be imported, as a prefix of the module's path in the package.
HOMES = {
    "keras": ["training/", "estimators/", "data/datasets.py"],
    "tensorflow": ["training/", "estimators/"],
    "sqlite3": ["study/sqlite.py"],
    "tensorboardX": ["callbacks/tensorboard.py"],
    "mlflow": ["callbacks/mlflow.py"],
    "distributed": ["execution/workers/executors.py"],
    "dask": ["execution/workers/executors.py"],
    "matplotlib": ["plotting/"],
    "optuna": ["strategy/tpe.py"],
    "skopt": ["space/", "optimizer.py", "optimizer/", "strategy/"],
}

# The conveniences of a study and a comparison (plots, report, result) reach upstairs when they are
# called, never on import.
DOORS = ["study/study.py", "study/plots.py", "comparison/comparison.py"]

# Moved first, its arrows turned next.
TO_TURN = ["data/preprocessing.py"]

NOT_LOADED = [
    "keras",
    "tensorflow",
    "matplotlib",
    "distributed",
    "dask",
    "optuna",
    "tensorboardX",
    "mlflow",
]


def modules():
    return sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))


def imports(module):
    """Names imported by a module: (dotted name, whether it runs on import, for typing only)."""
    tree = ast.parse((PACKAGE / module).read_text())
    found = []

    def visit(node, on_import, typing_only):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                found.extend((alias.name, on_import, typing_only) for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                assert child.level == 0, f"{module}: imports are absolute"
                found.append((child.module, on_import, typing_only))
            inner = on_import and not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
            checks = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)
            visit(child, inner, typing_only or checks)

    visit(tree, True, False)
    return found


def room(module):
    return module.split("/")[0].removesuffix(".py")


@pytest.mark.parametrize("module", [m for m in modules() if m != "__init__.py"])
def test_imports_go_downward(module):
    here = LAYER[room(module)]
    for name, on_import, typing_only in imports(module):
        assert name != "gpsearch", f"{module}: import from the room, not from the top"
        if not name.startswith("gpsearch.") or typing_only:
            continue
        there = name.split(".")[1]
        if there == room(module) or (module in DOORS and not on_import) or module in TO_TURN:
            continue
        assert LAYER[there] < here, f"{module} imports {name}, which is not below it"


@pytest.mark.parametrize("library", HOMES)
def test_each_library_has_its_room(library):
    for module in modules():
        if any(module.startswith(home) for home in HOMES[library]):
            continue
        for name, _, typing_only in imports(module):
            assert typing_only or name.split(".")[0] != library, f"{module} imports {name}"


def test_importing_gpsearch_loads_no_heavy_library():
    code = f"import gpsearch, sys; print([m for m in {NOT_LOADED} if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"

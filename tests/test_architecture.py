"""The walls of the house, read from the table in the docstring of the package."""

import ast
import functools
import re
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

import gpsearch

PACKAGE = Path(gpsearch.__file__).parent
NOT_LOADED = [
    "keras",
    "tensorflow",
    "matplotlib",
    "distributed",
    "dask",
    "optuna",
]
TOP = {"__init__", "__main__"}


@dataclass(frozen=True)
class Row:
    """One row of the table."""

    floor: int
    rooms: tuple[str, ...]
    libraries: tuple[tuple[str, str], ...]
    """Each with the one file of the room that imports it, "" for the whole room."""


@dataclass(frozen=True)
class Import:
    """One import statement of a file."""

    name: str
    typing_only: bool


def table():
    """The rows of the table, top down; a cell may go on in the next line."""
    lines = gpsearch.__doc__.splitlines()
    rule, _, last = [i for i, line in enumerate(lines) if re.fullmatch(r"=+( =+)+", line)]
    starts = [match.start() for match in re.finditer(r"=+", lines[rule])]
    rows = []
    for line in lines[rule + 3 : last]:
        cells = [
            line[start:end].strip()
            for start, end in zip(starts, [*starts[1:], len(line)], strict=True)
        ]
        if cells[0]:
            rows.append(cells)
        else:
            rows[-1] = [
                f"{above} {cell}".strip() for above, cell in zip(rows[-1], cells, strict=True)
            ]
    return [
        Row(
            floor=int(floor),
            rooms=tuple(re.findall(r"[\w.]+", rooms)),
            libraries=tuple(re.findall(r"(\w+)(?: \((\w+)\))?", libraries)),
        )
        for floor, rooms, libraries, _ in rows
    ]


ROWS = table()
HEIGHT = {room: len(ROWS) - i for i, row in enumerate(ROWS) for room in row.rooms}
LIBRARIES = sorted({library for row in ROWS for library, _ in row.libraries})
MODULES = sorted(
    path.relative_to(PACKAGE).with_suffix("").as_posix().replace("/", ".")
    for path in PACKAGE.rglob("*.py")
)


def room(module):
    """The room of a module: the longest one of the table that holds it."""
    module = module.removesuffix(".__init__")
    holding = [name for name in HEIGHT if module == name or module.startswith(f"{name}.")]
    return max(holding, key=len, default="")


@functools.cache
def imports(module):
    """What a module imports, inside its functions as well."""
    tree = ast.parse((PACKAGE / f"{module.replace('.', '/')}.py").read_text())
    found = []

    def visit(node, typing_only):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                found.extend(Import(alias.name, typing_only) for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                assert child.level == 0, f"{module}: imports are absolute"
                found.append(Import(child.module, typing_only))
                found.extend(
                    Import(f"{child.module}.{alias.name}", typing_only) for alias in child.names
                )
            elif isinstance(child, ast.Call) and ast.unparse(child.func).endswith("import_module"):
                found.extend(
                    Import(arg.value, typing_only)
                    for arg in child.args
                    if isinstance(arg, ast.Constant)
                )
            checks = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)
            visit(child, typing_only or checks)

    visit(tree, False)
    return found


def files(module):
    """The files of the package that a module imports when it runs."""
    for each in imports(module):
        name = each.name.removeprefix("gpsearch.")
        if not each.typing_only and each.name.startswith("gpsearch."):
            if name in MODULES:
                yield name
            elif f"{name}.__init__" in MODULES:
                yield f"{name}.__init__"


def test_the_table_names_every_room_and_no_other():
    named = {name for row in ROWS for name in row.rooms}
    rooms = {module.split(".")[0] for module in MODULES} - TOP
    assert {name.split(".")[0] for name in named} == rooms
    for name in named:
        assert name in MODULES or f"{name}.__init__" in MODULES
    floors = [row.floor for row in ROWS]
    assert floors == sorted(floors, reverse=True)


@pytest.mark.parametrize("module", [m for m in MODULES if m not in TOP])
def test_imports_go_downward(module):
    for each in imports(module):
        assert each.name != "gpsearch", f"{module}: import from the room, not from the top"
    for name in files(module):
        here, there = room(module), room(name)
        assert here == there or HEIGHT[there] < HEIGHT[here], f"{module} imports {name}"


def test_no_circle_of_files():
    """Imports inside functions included."""
    inner = {m: set(files(m)) - {m} for m in MODULES if m not in TOP}
    while inner:
        leaves = {m for m, above in inner.items() if not above & inner.keys()}
        assert leaves, f"a circle of imports among {sorted(inner)}"
        inner = {m: above for m, above in inner.items() if m not in leaves}


@pytest.mark.parametrize("library", LIBRARIES)
def test_each_library_has_its_rooms(library):
    homes = {
        (f"{name}.{file}" if file else name): False
        for row in ROWS
        for named, file in row.libraries
        for name in row.rooms
        if named == library
    }
    for module in MODULES:
        for each in imports(module):
            if each.name.split(".")[0] == library:
                home = [h for h in homes if module == h or module.startswith(f"{h}.")]
                assert home or each.typing_only, f"{module} imports {each.name}"
                homes.update(dict.fromkeys(home, True))
    unused = [home for home, used in homes.items() if not used]
    assert not unused, f"the table lets {unused} import {library}, which they do not"


def test_no_two_files_have_one_name():
    names = Counter(module.rpartition(".")[2] for module in MODULES)
    assert [name for name, n in names.items() if n > 1 and name != "__init__"] == []


STEPS = """
import gpsearch
import gpsearch.model_selection
import gpsearch.plotting.dependence
from gpsearch.execution import search
from gpsearch.objective import EstimatorCV, KerasCV, as_objective
from gpsearch.report import render_summary
render_summary(gpsearch.Study.create(None, space={"x": (0.0, 1.0)}, seed=0))
"""


def test_no_heavy_library_is_loaded_before_it_is_needed():
    """Neither by the import, nor for the data of plots, nor for the summary in a notebook."""
    code = f"{STEPS}\nimport sys; print([m for m in {NOT_LOADED} if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


WORKER = """
import sys
import gpsearch
print([m for m in ("numpy", "skopt") if m in sys.modules])
import gpsearch.execution.workers.pool, gpsearch.objective.function
print([m for m in ("pandas", "scipy", "skopt", "sklearn", "sqlite3") if m in sys.modules])
"""


def test_the_package_and_a_worker_load_no_library_that_they_do_not_need():
    """The package nothing but the standard library; a worker what unpacks a plain function."""
    code = [sys.executable, "-c", WORKER]
    run = subprocess.run(code, capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["[]", "[]"]


def test_each_public_name_has_its_room_for_type_checkers_too():
    tree = ast.parse((PACKAGE / "__init__.py").read_text())
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    checked = {alias.name: node.module for node in block.body for alias in node.names}
    assert checked == {n: f"gpsearch.{room}" for n, room in gpsearch._ROOMS.items()}
    assert {*checked, "__version__"} == set(gpsearch.__all__) <= set(dir(gpsearch))
    for name in gpsearch.__all__:
        assert getattr(gpsearch, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'serach'"):
        gpsearch.serach  # noqa: B018
    assert not hasattr(gpsearch, "study.sqlite")  # a name, not a path


PRIVATE = re.compile(
    r"keras\.src|tensorflow\.python|"
    r"\b_(flatten_layers|learning_rate|compile_config|keras_history|all_reduce_sum_gradients|"
    r"get_variable_index|momentums|velocities|accumulated_\w+|operations|eager_context)\b"
)


def test_private_names_of_keras_and_tensorflow_stand_in_one_file():
    for module in MODULES:
        text = (PACKAGE / f"{module.replace('.', '/')}.py").read_text()
        if module != "training.backend" and (found := PRIVATE.search(text)):
            raise AssertionError(f"{module} uses {found.group()}; training.backend may")

"""How the documentation is built: ``make docs`` writes it to docs/_build/html."""

from __future__ import annotations

import contextlib
import gc
import io
import os
import re
import shutil
import sys
from pathlib import Path

from docutils import nodes
from latex2mathml.converter import convert

import gpsearch
from gpsearch.cli import main

gc.disable()  # a fifth of the time of a build, which is over before memory runs short

HERE = Path(__file__).parent
ROOT = HERE.parent

project = "gpsearch"
author = "The gpsearch developers"
version = release = gpsearch.__version__
project_copyright = author

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
]
exclude_patterns = ["_build", "_generated"]

html_theme = "furo"
html_title = f"gpsearch {release}"
html_static_path = ["_static"]
html_css_files = ["gpsearch.css"]
html_show_sphinx = False
html_theme_options = {"navigation_with_keys": True}

# Notebooks are shown as they were saved: `make notebooks` runs them, the build does not.
nb_execution_mode = "off"
nb_merge_streams = True
myst_enable_extensions = ["dollarmath", "deflist", "colon_fence", "attrs_block"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings say types with their shapes and defaults
autodoc_class_signature = "mixed"
autosummary_generate = False
napoleon_google_docstring = False
napoleon_use_param = False  # types are sentences here, not names to link
napoleon_use_rtype = False
napoleon_use_ivar = True
napoleon_preprocess_types = False
default_role = "py:obj"  # `KerasCV` in a docstring is a link where there is such an object
suppress_warnings = ["ref.python"]  # a word such as `n` or `score` names fields of several classes
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True


def copy_notebooks() -> None:
    """Lay the saved notebooks beside the page that lists them."""
    for old in (HERE / "tutorials").glob("*.ipynb"):
        old.unlink()
    for notebook in (ROOT / "notebooks").glob("*.ipynb"):
        shutil.copy(notebook, HERE / "tutorials")


def write_help() -> None:
    """Write what ``gpsearch COMMAND --help`` says, so that the page cannot fall behind."""
    os.environ["COLUMNS"] = "88"
    pages = {"gpsearch": help_of()}
    for command in re.findall(r"(?m)^    (\w+) ", pages["gpsearch"]):
        pages[command] = help_of(command)
    text = "\n\n".join(f"$ {name} --help\n{page.strip()}" for name, page in pages.items())
    text = re.sub(r"(?m)^\$ (?!gpsearch)", "$ gpsearch ", text)
    folder = HERE / "_generated"
    folder.mkdir(exist_ok=True)
    (folder / "command_line.txt").write_text(text + "\n", encoding="utf-8")


def help_of(*command: str) -> str:
    """What ``gpsearch COMMAND --help`` prints."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):
        main([*command, "--help"])
    return printed.getvalue()


def render_math(self, node) -> None:
    """Write a formula as MathML, which browsers draw themselves: no script, no network."""
    block = node.tagname == "math_block"
    formula = node.astext().strip()
    mathml = convert(formula, display="block" if block else "inline")
    self.body.append(f'<div class="math">{mathml}</div>' if block else mathml)
    raise nodes.SkipNode


def resolve_bare_name(app, env, node, contnode):
    """Link the bare name of a documented object to it, from whichever page it is named on."""
    name = node.get("reftarget", "")
    if node.get("refdomain") != "py":
        return None
    domain = env.get_domain("py")
    linked = ("class", "exception", "function", "method", "property")
    found = [
        full
        for full, entry in domain.objects.items()
        if full.endswith(f".{name}") and (entry.objtype in linked[:3] or "." in name)
    ]
    if len(found) != 1 or domain.objects[found[0]].objtype not in linked:
        return None
    return domain.resolve_xref(env, node["refdoc"], app.builder, "obj", found[0], node, contnode)


def setup(app) -> None:
    """Register what this file adds to Sphinx."""
    app.add_html_math_renderer(
        "mathml", inline_renderers=(render_math, None), block_renderers=(render_math, None)
    )
    app.connect("missing-reference", resolve_bare_name)


html_math_renderer = "mathml"
sys.path.insert(0, str(ROOT))
copy_notebooks()
write_help()

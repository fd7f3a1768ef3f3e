"""The documentation builds without a warning, and the code that it shows runs."""

import importlib
import logging
import re
import shlex
import subprocess
import sys
from pathlib import Path
from unittest import mock

import pytest

import gpsearch
from gpsearch.cli.parser import make_parser

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.M | re.S)
ROOMS = [
    "gpsearch",
    *(
        f"gpsearch.{room}"
        for room in (
            "acquisition",
            "analysis",
            "comparison",
            "config",
            "execution",
            "plotting",
            "report",
            "strategy",
            "surrogate",
        )
    ),
]
NOT_OURS = ("_build", "_generated")
FOREIGN = ("mlflow", "tensorboardX")
"""Libraries of the pages that no extra installs."""
FEW = {  # what a reader would wait for, and a test need not
    "n_calls": 2,
    "n_iter": 3,
    "n_repeats": 2,
    "epochs": 2,
    "patience": 2,
    "cv": 2,
}
TRAINING = (
    "README.md",
    "docs/index.md",
    "docs/explanation/honest_evaluation.md",
    "docs/howto/nested.md",
)


def blocks_of(page):
    """The Python of a page as one script, each block at its own lines of the page."""
    text = page.read_text(encoding="utf-8")
    if str(page.relative_to(ROOT)) in TRAINING:
        for argument, few in FEW.items():
            text = re.sub(rf"\b{argument}=\d+", f"{argument}={few}", text)
    lines = [""] * text.count("\n")
    for found in BLOCK.finditer(text):
        first = text[: found.start(1)].count("\n")
        for offset, line in enumerate(found[1].splitlines()):
            lines[first + offset] = line
    return "\n".join(lines)


OURS = [page for page in PAGES if not set(NOT_OURS) & set(page.parts)]
# The first page of the documentation shows the code of the README, which is run once.
BY_CODE = {blocks_of(page).strip(): page for page in reversed(OURS)}
WITH_CODE = [page for code, page in BY_CODE.items() if code][::-1]


def names_of(pages):
    return [str(page.relative_to(ROOT)) for page in pages]


def test_there_is_code_in_the_readme_and_in_the_documentation():
    assert "README.md" in names_of(WITH_CODE)
    assert len(WITH_CODE) > 8


COMMANDS = [
    pytest.param(command, id=f"{page.name}: {command}")
    for page in OURS
    for block in re.findall(r"^```sh\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S)
    for command in re.findall(r"^gpsearch (.*)$", block, re.M)
]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_a_page_is_one_of_ours(command):
    words = shlex.split(command, comments=True)
    make_parser().parse_args(words[: words.index(">")] if ">" in words else words)


@pytest.fixture
def clean():
    """Undo what the code of a page does to its process."""
    logger = logging.getLogger("gpsearch")
    level = logger.level
    yield
    logger.setLevel(level)


@pytest.mark.usefixtures("clean")
@pytest.mark.parametrize("page", WITH_CODE, ids=names_of(WITH_CODE))
def test_the_code_of_a_page_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    foreign = {library: mock.MagicMock() for library in FOREIGN}
    for library, tool in foreign.items():
        monkeypatch.setitem(sys.modules, library, tool)
    made = {"__name__": "__main__"}
    exec(compile(blocks_of(page), str(page), "exec"), made)
    assert any(value is gpsearch for value in made.values()), "it shows nothing of gpsearch"
    if page.name == "logging.md":  # its last search tells both of its four trials
        told = foreign["mlflow"].log_params.call_args_list[-4:]
        assert [dict(*call.args) for call in told] == [dict(t.params) for t in made["study"].trials]
        writer = foreign["tensorboardX"].SummaryWriter.return_value.__enter__.return_value
        scores = [call.args[1]["score"] for call in writer.add_hparams.call_args_list]
        assert scores == [trial.score for trial in made["study"].trials]


def test_it_builds_without_a_warning(tmp_path):
    pytest.importorskip("furo", reason="the extra 'docs' is not installed")
    built = subprocess.run(
        [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", DOCS, tmp_path],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert built.returncode == 0, built.stderr
    pages = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.html")}
    assert {"index.html", "howto/resume.html", "tutorials/01_quickstart.html"} <= pages
    for page in pages:  # it is read from disk, too, and asks nothing of the network
        html = (tmp_path / page).read_text(encoding="utf-8")
        assert not re.search(r"<(?:script|link|img)[^>]+(?:src|href)=\"https?://", html), page


@pytest.mark.parametrize("room", ROOMS)
def test_every_public_name_is_in_the_reference(room):
    text = "\n".join(page.read_text() for page in (DOCS / "reference").glob("*.md"))
    names = [name for name in importlib.import_module(room).__all__ if name != "__version__"]
    assert [name for name in names if not re.search(rf"\b{name}\b", text)] == []

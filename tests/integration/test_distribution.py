"""What a user installs: the wheel holds all of the package, and works where nothing else is."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import gpsearch

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "gpsearch"


def test_every_file_that_is_not_python_is_installed_and_every_pattern_has_one():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    found = {
        (package, pattern): set((ROOT / package.replace(".", "/")).glob(pattern))
        for package, patterns in config["options.package_data"].items()
        for pattern in patterns.split(", ")
    }
    assert [key for key, files in found.items() if not files] == []
    others = {p for p in PACKAGE.rglob("*.*") if p.suffix not in (".py", ".pyc") and p.is_file()}
    assert set().union(*found.values()) == others


def test_the_citation_names_this_version():
    cited = re.search(r"^version: (.*)$", (ROOT / "CITATION.cff").read_text(), re.MULTILINE)
    assert cited is not None
    assert cited[1] == gpsearch.__version__


@pytest.mark.slow
def test_the_ten_lines_of_the_readme_run_where_only_the_wheel_is_installed(tmp_path):
    def run(*command: str | Path) -> None:
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr

    unneeded = shutil.ignore_patterns(".*", "build", "runs", "*.egg-info", "__pycache__")
    source = shutil.copytree(ROOT, tmp_path / "source", ignore=unneeded)  # builds leave files
    run(sys.executable, "-m", "pip", "wheel", "--no-deps", "-w", tmp_path, source)
    run(sys.executable, "-m", "venv", tmp_path / "empty")
    python = tmp_path / "empty" / "bin" / "python"
    (wheel,) = tmp_path.glob("*.whl")
    run(python, "-m", "pip", "install", "-c", ROOT / "constraints.txt", wheel)
    lines = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)[0]
    (tmp_path / "ten_lines.py").write_text(lines)
    run(python, "ten_lines.py")
    assert (tmp_path / "report.html").stat().st_size > 10_000
    run(tmp_path / "empty" / "bin" / "gpsearch", "show", "study.db")

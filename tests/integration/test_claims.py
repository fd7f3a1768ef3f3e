"""Each measured number of the README and the documentation is what a kept result says."""

import argparse
import re
import runpy
import shlex
import sys
from datetime import date
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))
import kept  # noqa: E402

RESULTS = kept.results()
COMMANDS = {command for result in RESULTS.values() for command in result["script"].split("; ")}
FIRST = ("README.md", "docs/index.md")
MEASURED = "docs/explanation/benchmarks.md"
# The numbers of the first pages that nobody measured: versions, names, conditions.
NO_MEASUREMENTS = (
    "Python 3.11",
    "BSD 3-Clause",
    "400 rows, 10 settings, 5 folds",
    "0 is the optimum, 1 the median of what random search finds with 50 evaluations",
    "with its 95 % interval over the tasks",
    "after 100 observations",
)
# In a page on how to do things, a number with a unit, an interval or an error looks measured.
LOOKS_MEASURED = re.compile(
    r"[\d.,]+ (?:processor )?(?:s|ms|seconds|minutes|hours|times|microseconds|MB|GB|%)(?!\w)"
    r"|± ?[\d.]+|\d \(-?[\d.]+ to [\d.]+\)"
)
SETTINGS = (  # of the package, and of statistics
    "64 MB together or less",
    "Together they may take 256 MB",
    "interval of 90 %",
    "a 95 % interval",
    "probability of 95 %",
    "probability of 99 %",
    "best with 95 %",
    "is 15 %",
    "its 95 % interval holds the truth about 84 % of the time",  # Student's, of five repeats
    "cannot reach 5 %",
    "is 0.3 times the geometric mean",
    "plays the search on, 128 times",
)


def text_of(page):
    return (ROOT / page).read_text(encoding="utf-8")


def numbers_unclaimed(page, text):
    return kept.NUMBER.findall(kept.unclaimed(page, text, RESULTS, NO_MEASUREMENTS))


@pytest.mark.parametrize("page", kept.pages(RESULTS))
def test_a_page_says_what_is_kept(page):
    assert kept.brought_up(page, text_of(page), RESULTS) == text_of(page), "run `make figures`"


@pytest.mark.parametrize("page", FIRST)
def test_a_number_of_a_first_page_is_kept_or_no_measurement(page):
    assert numbers_unclaimed(page, text_of(page)) == []


def test_a_number_that_differs_and_one_that_is_new_are_found():
    text = text_of("README.md")
    for phrase in RESULTS["make_run"]["said"]["README.md"]:
        said = kept.said(phrase, RESULTS["make_run"]["values"])
        found = re.search(kept.spaced(said), text)[0]
        other = text.replace(found, re.sub(r"\d", lambda digit: str(9 - int(digit[0])), found))
        assert kept.brought_up("README.md", other, RESULTS).split() == text.split()
        assert len(numbers_unclaimed("README.md", other)) == len(kept.NUMBER.findall(found))
    assert numbers_unclaimed("README.md", f"{text}\nIt is 7.5 times faster, 4x at least.") == [
        "7.5",
        "4",
    ]


@pytest.mark.parametrize("result", RESULTS.values(), ids=RESULTS)
def test_a_kept_result_says_where_it_is_from(result):
    assert date.fromisoformat(result["date"]) <= date.today()
    assert result["commit"]
    assert result["conditions"]


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_a_script_takes_the_command_that_is_kept(command, monkeypatch):
    script, *arguments = shlex.split(command)
    if script == "make":
        assert f"\n{arguments[0]}:" in text_of("Makefile")
        return

    class ReadError(Exception):
        pass

    def read(parser, *args, read=argparse.ArgumentParser.parse_args):
        read(parser, *args)
        raise ReadError

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", read)
    monkeypatch.setattr(sys, "argv", [script, *arguments])
    with pytest.raises(ReadError):
        runpy.run_path(str(ROOT / script), run_name="__main__")


def test_a_section_of_what_was_measured_tells_only_what_is_kept():
    _, *sections = re.split(r"(?m)^## ", text_of(MEASURED))
    unknown = {}
    for section in sections:
        title = section.partition("\n")[0]
        own = [r for r in RESULTS.values() if r["where"] == f"{MEASURED}#{kept.slug(title)}"]
        assert own, f"no kept result names the section {title!r}"
        known = set(kept.NUMBER.findall(" ".join(map(kept.json_text, own))))
        told = kept.NUMBER.findall(kept.unclaimed(MEASURED, section, RESULTS))
        unknown[title] = set(told) - known
    assert {title: numbers for title, numbers in unknown.items() if numbers} == {}


@pytest.mark.parametrize("page", sorted((ROOT / "docs").rglob("*.md")), ids=lambda page: page.name)
def test_no_other_page_has_a_measured_number_of_its_own(page):
    name = page.relative_to(ROOT).as_posix()
    if name in (*FIRST, MEASURED, kept.CLAIMS) or "_" in page.parts[-2][:1]:
        return
    text = kept.unclaimed(name, page.read_text(encoding="utf-8"), RESULTS, SETTINGS)
    assert LOOKS_MEASURED.findall(text) == []

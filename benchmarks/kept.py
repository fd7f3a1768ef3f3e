"""The kept results, and what the pages say of them.

    python benchmarks/kept.py        # bring the pages up to date: the last step of `make figures`

Each file of ``benchmarks/kept`` is one measurement:

===================== ========================================================================
measured              what was measured, in one line
script, takes         the command that measures it again, and how long that takes
conditions            data, seeds, budgets, kind of interval
date, commit          when it was measured, and of which code (that which states it first)
where                 the section of a page that tells of it
values                names to values as they are shown, with their intervals
tables                by page: columns and rows as they are shown
said                  by page: phrases with ``{name}`` where a value stands
data                  numbers that a figure is drawn from
===================== ========================================================================

A script keeps its results by `keep`, which leaves what is written by hand. A measured number in
a page is in a table, in a phrase, or in the section that the kept file names; a test finds any
other, and any that differs.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
KEPT = ROOT / "benchmarks" / "kept"
CLAIMS = "docs/explanation/claims.md"
VALUE = r"[-+]?\d(?:[\d.,]*\d)?(?: of \d+)?(?: ± [\d.]+)?(?: \([-+.\d]+ to [-+.\d]+\))?"
Result = dict[str, Any]


def results(folder: Path = KEPT) -> dict[str, Result]:
    """All kept results by name, as their sections follow each other in the pages."""
    found = {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}
    return dict(sorted(found.items(), key=lambda item: section_number(item[1]["where"])))


def keep(name: str, **measured: Any) -> None:
    """Keep what a script measured today: values, tables, data, conditions."""
    path = KEPT / f"{name}.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    head = ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(head, capture_output=True, text=True, check=False).stdout.strip()
    today = {"date": datetime.now(UTC).date().isoformat(), "commit": commit}
    path.write_text(json_text(known | today | measured))


def json_text(result: Result) -> str:
    """A kept result to be read: each row of a table on one line."""
    text = json.dumps(result, indent=1, ensure_ascii=False)
    row = re.compile(r"\[\n\s+([^\[\]{}]*?)\n\s+\]")
    return row.sub(lambda found: "[" + re.sub(r"\n +", " ", found[1]) + "]", text) + "\n"


# ------------------------------------------------------------------ pages


def slug(heading: str) -> str:
    """The anchor of a heading."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def section_number(where: str) -> tuple[str, int]:
    """For sorting: the page, and the line of the section there."""
    page, _, anchor = where.partition("#")
    lines = (ROOT / page).read_text().splitlines()
    slugs = [slug(line.lstrip("# ")) if line.startswith("#") else "" for line in lines]
    return page, slugs.index(anchor) if anchor else 0


def row_text(cells: list[Any]) -> str:
    return "|" + "".join(f" {cell} |" if cell else " |" for cell in cells)


def with_table(text: str, table: Result) -> str:
    """The page with the table that has these columns, or at least the first of them."""
    heads = row_text(table["columns"]), row_text(table["columns"][:1])
    patterns = [rf"(?m)^{re.escape(head)}.*\n(?:\|.*\n)+" for head in heads]
    found = re.search(patterns[0], text) or re.search(patterns[1], text)
    if not found:
        raise LookupError(f"no table {heads[0]}")
    rows = [table["columns"], ["---"] * len(table["columns"]), *table["rows"]]
    return text[: found.start()] + "\n".join(map(row_text, rows)) + "\n" + text[found.end() :]


def spaced(phrase: str) -> str:
    """A pattern of a phrase, wherever its lines break."""
    return r"(?<![\w.])" + r"\s+".join(re.escape(word) for word in phrase.split())


def said(phrase: str, values: dict[str, Any]) -> str:
    """A phrase with its values."""
    return re.sub(r"\{([^}]+)\}", lambda name: str(values[name[1]]), phrase)


def with_phrase(text: str, phrase: str, values: dict[str, Any]) -> str:
    """The page with the values in a phrase, and its lines broken where they were."""
    told = said(phrase, values)
    pattern = spaced(re.sub(r"\{[^}]+\}", "{}", phrase)).replace(r"\{\}", VALUE)

    def filled(found: re.Match[str]) -> str:
        gaps, words = re.findall(r"\s+", found[0]), told.split()
        if len(gaps) != len(words) - 1:  # an interval came or went
            return told
        return "".join(word + gap for word, gap in zip(words, [*gaps, ""], strict=True))

    text, found = re.subn(pattern, filled, text)
    if not found:
        raise LookupError(f"no phrase {phrase!r}")
    return text


def pages(kept: dict[str, Result]) -> list[str]:
    """The pages that tell of kept results."""
    told = (result.get(kind, {}) for result in kept.values() for kind in ("tables", "said"))
    return sorted({CLAIMS}.union(*told))


def brought_up(page: str, text: str, kept: dict[str, Result]) -> str:
    """The text of a page with what the kept results say."""
    for result in kept.values():
        for table in result.get("tables", {}).get(page, []):
            text = with_table(text, table)
        for phrase in result.get("said", {}).get(page, []):
            text = with_phrase(text, phrase, result["values"])
    return with_table(text, claims(kept)) if page == CLAIMS else text


def claims(kept: dict[str, Result]) -> Result:
    """The table of the page of claims."""
    rows = []
    for name, result in kept.items():
        page, _, anchor = result["where"].partition("#")
        there = f"{os.path.relpath(page, Path(CLAIMS).parent)}#{anchor}"
        # the README is not a page of the documentation
        linked = (
            f"[{result['measured']}]({there})" if page.startswith("docs") else result["measured"]
        )
        values = [f"{key}: {value}" for key, value in result.get("values", {}).items()]
        values += ["its table"] * bool(result.get("tables"))
        again = [f"`{command}`" for command in result["script"].split("; ")]
        again += [*result.get("takes", "").splitlines(), f"{result['date']}, {result['commit']}"]
        cells = ["; ".join(values), result["conditions"], "; ".join(again)]
        rows.append([f"{linked} (`{name}`)", *cells])
    columns = ["measured (kept as)", "values", "conditions", "by, takes, date and commit"]
    return {"columns": columns, "rows": rows}


# ------------------------------------------------------------------ numbers in a text


NUMBER = re.compile(r"(?<![\w.])\d[\d,.]*(?<![,.])")
NOT_PROSE = (
    r"\[[^]]*\]\(\S*sources\.md\)",
    r"(?ms)^```.*?^```",
    r"`[^`]*`",
    r"\]\([^)]*\)",
    r"<[^>]*>",
    r"(?s)\$\$.*?\$\$",
    r"\$[^$]*\$",
)


def unclaimed(page: str, text: str, kept: dict[str, Result], known: Iterable[str] = ()) -> str:
    """The prose of a page without kept tables and phrases, and without the phrases `known`."""
    for result in kept.values():
        for table in result.get("tables", {}).get(page, []):
            for cells in (table["columns"], *table["rows"]):
                text = text.replace(row_text(cells) + "\n", "\n")
        for phrase in result.get("said", {}).get(page, []):
            text = re.sub(spaced(said(phrase, result["values"])), " ", text)
    for pattern in NOT_PROSE:
        text = re.sub(pattern, " ", text)
    for phrase in known:
        text = re.sub(spaced(phrase), " ", text)
    return text


def main() -> None:
    kept = results()
    for page in pages(kept):
        text = (ROOT / page).read_text()
        (ROOT / page).write_text(brought_up(page, text, kept))
    print("The pages say what is kept. To measure anew:")
    for name, result in kept.items():
        print(f"  {name:<18} {result['script']}  ({result.get('takes', 'time not noted')})")


if __name__ == "__main__":
    main()

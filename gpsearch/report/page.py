"""The page of a report: content, advice and figures in the templates."""

import functools
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import jinja2
import numpy as np
from markupsafe import Markup

from gpsearch.arguments import instance_of
from gpsearch.comparison import Comparison
from gpsearch.described import duration, values_text
from gpsearch.errors import InvalidSearchError, public
from gpsearch.plotting.data import ConvergenceSeries, convergence_series
from gpsearch.report.content import read_comparison, read_content, read_result
from gpsearch.report.findings import Findings, advise, read_findings
from gpsearch.report.studies_page import read_side_by_side
from gpsearch.study import Study, require_study
from gpsearch.study.location import output_path, write_whole

SUFFIXES = (".html", ".htm", ".md")
MARK = r'<(?:use|path) data-trial="(\d+)"[^>]*/>\n? *'  # of a trial, in a figure
SPARK_WIDTH, SPARK_HEIGHT = 220.0, 44.0  # pixels of the curve beside a study in a notebook


class Drawn(NamedTuple):
    """What takes seconds to make of a page: its findings and its figures."""

    findings: Findings
    figures: Mapping[str, Any]


class Live(NamedTuple):
    """How a page follows a search, which its script reads."""

    kind: Literal["page", "reload"]
    """A page that asks its server for changes, or a file that is read again."""
    value: str
    """Name of this state of the page, or the seconds after which it is read again."""
    text: str
    """How the search stands."""


@public()
def render_report(
    study: Study | Comparison | Sequence[Study],
    path: str | os.PathLike[str],
    *,
    command: str = "",
) -> Path:
    """Write one self-contained HTML page of a study, of several, or of a comparison of strategies.

    The page opens from disk and loads nothing from the network. It shows the result with its
    uncertainty, what to try next, convergence, what mattered, partial dependence, the table of
    trials, failures, and how the search was run.

    Parameters
    ----------
    study : Study, Comparison or list of Study
        A study at any stage, also while its search runs. Of several, the page says in what they
        differ, and compares only scores of the same data, folds and metric.
    path : path
        File to write; an old one is kept until the new one is complete. ``.html`` is the page,
        ``.md`` the same in Markdown, without figures.
    command : str, optional
        Shell command or code with which the search is run again; by default the Python call.

    Returns
    -------
    Path
        The written file.

    Raises
    ------
    InvalidSearchError
        The suffix is none of these.
    StudyError
        A study stands at `path`: it is never overwritten.
    UnwritableError
        The file cannot be written; this is an OSError, too.
    """
    if not isinstance(study, list | tuple):
        wanted = "a Study or a Comparison, which gpsearch.search and gpsearch.compare return"
        instance_of("study", study, (Study, Comparison), wanted)
    if isinstance(study, Study):
        study = study.still()
    elif not isinstance(study, Comparison):
        study = [one.still() if isinstance(one, Study) else one for one in study]
    instance_of("command", command, str, "a text")
    path = output_path(path)
    suffix = ".md" if require_suffix(path) == ".md" else ".html"
    write_page(path, render_page(study, command=command, suffix=suffix))
    return path


def render_page(
    subject: Study | Comparison | Sequence[Study],
    *,
    command: str = "",
    suffix: str = ".html",
    drawn: Drawn | None = None,
    live: Live | None = None,
) -> str:
    """The text of a page, with figures where it is HTML; `drawn` are those made before."""
    if isinstance(subject, Comparison):
        template, values = "comparison", read_comparison(subject, command)
        if suffix == ".html":
            from gpsearch.report.figures import draw_comparison

            values["figures"] = draw_comparison(subject)
    elif not isinstance(subject, Study):
        template, values = "side_by_side", read_side_by_side(subject)
        if suffix == ".html":
            from gpsearch.report.figures import draw_groups

            values["figures"] = draw_groups(values["shown"])
    else:
        template, values = "report", read_content(subject, command)
        shown = {row.trial for row in values["rows"]}
        drawn = drawn or draw_page(subject, with_figures=suffix == ".html")
        values |= drawn._asdict()
        values["advice"] = advise(subject, values["result"], drawn.findings)
    text = render_template(template + suffix, live=live, **values)
    if template == "report" and len(shown) < values["n_trials"]:
        text = re.sub(MARK, lambda mark: mark[0] if int(mark[1]) in shown else "", text)
    return text


def draw_page(study: Study, *, with_figures: bool = True, earlier: Findings | None = None) -> Drawn:
    """Findings and figures of a study; with `earlier` findings the convergence alone, at once."""
    findings = read_findings(study) if earlier is None else earlier
    if not with_figures:
        return Drawn(findings, {})
    from gpsearch.report.figures import draw_convergence, draw_figures

    if earlier is not None:
        return Drawn(findings, {"convergence": draw_convergence(study, findings)})
    return Drawn(findings, draw_figures(study, findings))


def render_template(name: str, **values: Any) -> str:
    """One of the templates with its values, all escaped."""
    template = _environment(escaping=not name.endswith(".md")).get_template(name)
    return template.render(**values, safe=Markup)


@functools.cache
def _environment(*, escaping: bool) -> jinja2.Environment:
    """What keeps the templates once they are compiled, which takes longer than to fill them in."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("gpsearch.report"),
        autoescape=escaping,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {"cell": _markdown_cell, "values_text": values_text}
    return environment


def write_page(path: Path, text: str) -> None:
    """Write a page whole, or leave the old one."""
    write_whole(path, text.encode(errors="backslashreplace"))


@public()
def require_suffix(path: str | os.PathLike[str]) -> str:
    """The suffix of a report's file, in lower case.

    Raises
    ------
    InvalidSearchError
        The suffix is not that of a report.
    """
    instance_of("path", path, (str, os.PathLike), "the path of a file")
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise InvalidSearchError(
            f"the suffix must be one of {', '.join(SUFFIXES)}. For a PDF, print the page from a "
            "browser: it has a style for that."
        ).about("path", os.fspath(path))
    return suffix


@public()
def render_summary(study: Study) -> str:
    """The HTML summary of a study in a notebook: best configuration, score and convergence."""
    trials = require_study(study).trials
    series = convergence_series(study)
    return render_template(
        "summary.html",
        study=study,
        result=read_result(study),
        label=series.label,
        n_trials=len(trials),
        n_failed=sum(trial.state == "failed" for trial in trials),
        seconds=duration(sum(trial.seconds for trial in trials)),
        spark=_spark(series),
        width=SPARK_WIDTH,
        height=SPARK_HEIGHT,
    )


def _spark(series: ConvergenceSeries) -> str:
    """Points of an SVG polyline of the best score so far; empty for fewer than two."""
    best = series.best[~np.isnan(series.best)]
    if len(best) < 2:
        return ""
    x = np.linspace(2, SPARK_WIDTH - 2, len(best))
    span = float(np.ptp(best)) or 1.0
    y = SPARK_HEIGHT - 4 - (best - best.min()) / span * (SPARK_HEIGHT - 8)
    # Each step goes to the right first, then up.
    corners = zip(np.repeat(x, 2)[1:], np.repeat(y, 2)[:-1], strict=True)
    return " ".join(f"{right:.1f},{height:.1f}" for right, height in corners)


def _markdown_cell(text: str) -> str:
    r"""Text for a cell of a Markdown table, with Markdown characters escaped.

    >>> print(_markdown_cell("a|b* <c>"), _markdown_cell("$x_1$ _y_ ~z~"))
    a\|b\* &lt;c&gt; \$x_1\$ \_y\_ \~z\~
    """
    text = " ".join(text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").split())
    return re.sub(r"([\\|`*\[\]$~]|_(?!\w)|(?<!\w)_)", r"\\\1", text)

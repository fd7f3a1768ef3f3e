"""The page of a report: content, advice and figures in the templates."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
from markupsafe import Markup

from gpsearch.analysis import Recheck
from gpsearch.comparison import Comparison
from gpsearch.errors import InvalidSearchError
from gpsearch.plotting.data import convergence_series
from gpsearch.plotting.series import ConvergenceSeries
from gpsearch.report.advice import advise
from gpsearch.report.comparison_content import read_comparison
from gpsearch.report.content import params_text, read_content, read_result
from gpsearch.report.findings import read_findings
from gpsearch.study import Study
from gpsearch.study.duration import duration
from gpsearch.study.location import write_whole

SUFFIXES = (".html", ".htm", ".md")
SPARK_WIDTH, SPARK_HEIGHT = 220.0, 44.0  # pixels of the curve beside a study in a notebook


def render_report(
    study: Study | Comparison,
    path: str | os.PathLike[str],
    *,
    title: str | None = None,
    command: str = "",
    recheck: Recheck | None = None,
) -> Path:
    """Write one self-contained HTML page of a study, or of a comparison of strategies.

    The page opens from disk and loads nothing from the network. It shows the result with its
    uncertainty, what to try next, convergence, what mattered, partial dependence, the table of
    trials, failures, and how the search was run.

    Parameters
    ----------
    study : Study or Comparison
        A study at any stage, also while its search runs.
    path : path
        File to write; an old one is kept until the new one is complete. ``.html`` is the page,
        ``.md`` the same in Markdown, without figures.
    title : str, optional
        By default the name of the objective.
    command : str, optional
        Shell command or code with which the search is run again; by default the Python call.
    recheck : Recheck, optional
        The best configurations scored on fresh splits, by `gpsearch.analysis.recheck`: the report
        then says how optimistic the search's own score was.

    Returns
    -------
    Path
        The written file.

    Raises
    ------
    InvalidSearchError
        The suffix is none of these.
    OSError
        The file cannot be written.
    """
    path = Path(path)
    suffix = require_suffix(path)
    if isinstance(study, Comparison):
        compared = read_comparison(study, title, command)
        if suffix == ".md":
            return _write(path, "comparison.md", compared)
        from gpsearch.report.figures import draw_comparison

        return _write(path, "comparison.html", compared | {"figures": draw_comparison(study)})
    content = read_content(study, title, command)
    findings = read_findings(study)
    advice = advise(study, content.result, findings)
    values = vars(content) | {"findings": findings, "recheck": recheck, "advice": advice}
    if suffix == ".md":
        return _write(path, "report.md", values)
    from gpsearch.report.figures import draw_figures

    return _write(path, "report.html", values | {"figures": draw_figures(study, findings, recheck)})


def require_suffix(path: str | os.PathLike[str]) -> str:
    """The suffix of a report's file, in lower case.

    Raises
    ------
    InvalidSearchError
        The suffix is not that of a report.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise InvalidSearchError(
            f"report({os.fspath(path)!r}): the suffix must be one of {', '.join(SUFFIXES)}. For a "
            "PDF, print the page from a browser: it has a style for that."
        )
    return suffix


def render_summary(study: Study) -> str:
    """The HTML summary of a study in a notebook: best configuration, score and convergence."""
    trials = study.trials
    series = convergence_series(study)
    return (
        _environment()
        .get_template("summary.html")
        .render(
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
    )


def _write(path: Path, template: str, values: Mapping[str, Any]) -> Path:
    page = _environment().get_template(template).render(**values, safe=Markup)
    write_whole(path, page.encode(errors="backslashreplace"))
    return path


def _spark(series: ConvergenceSeries) -> str:
    """Points of an SVG polyline of the best score so far; empty for fewer than two."""
    known = ~np.isnan(series.best)
    if known.sum() < 2:
        return ""
    best = series.best[known]
    span = float(np.ptp(best)) or 1.0
    x = np.linspace(2, SPARK_WIDTH - 2, len(best))
    y = SPARK_HEIGHT - 4 - (best - best.min()) / span * (SPARK_HEIGHT - 8)
    steps = [f"{x[0]:.1f},{y[0]:.1f}"]
    for i in range(1, len(best)):
        steps += [f"{x[i]:.1f},{y[i - 1]:.1f}", f"{x[i]:.1f},{y[i]:.1f}"]
    return " ".join(steps)


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("gpsearch.report"),
        autoescape=lambda template: template is None or not template.endswith(".md"),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {"cell": _markdown_cell, "params_text": params_text}
    return environment


def _markdown_cell(text: str) -> str:
    r"""Text for a cell of a Markdown table, with Markdown characters escaped.

    >>> print(_markdown_cell("a|b* <c>"))
    a\|b\* &lt;c&gt;
    """
    text = " ".join(text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").split())
    return re.sub(r"([\\|`*\[\]])", r"\\\1", text)

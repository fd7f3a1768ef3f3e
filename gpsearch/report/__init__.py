"""One self-contained HTML page of a study or a comparison, and a study's summary in a notebook.

`content` makes the texts of a page, `findings` the results of the surrogate and what to try next,
`figures` the drawings of `gpsearch.plotting`; `page` renders them with the templates.
"""

from gpsearch.report.page import render_report, render_summary, require_suffix

__all__ = ["render_report", "render_summary", "require_suffix"]

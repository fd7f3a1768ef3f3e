"""One self-contained HTML page of a study, and the few lines a notebook shows of it.

`content` reads out of the study what is told, as frozen values without any markup; `advice`
draws the conclusions a reader would; `page` puts both, and the figures of `gpsearch.plotting`,
into the templates.
"""

from gpsearch.report.page import render_report, render_summary, require_suffix

__all__ = ["render_report", "render_summary", "require_suffix"]

"""Figures as SVG text that takes the colours of its page."""

import io
import re
import warnings
from collections.abc import Callable
from html import escape
from typing import Any

import matplotlib
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from gpsearch.plotting.style import AXIS, BLUE, TRIALS

# Colours that no plot uses: they are replaced by those of the page, light or dark.
INK, PAPER = "#010203", "#fdfefd"
IMAGE_DPI = 100  # of maps and shades, which are images in the drawing
PAGE_STYLE: Any = {
    "svg.fonttype": "none",  # text stays text: it can be selected, and is small
    "svg.hashsalt": "gpsearch",
    "font.family": "sans-serif",
    "font.size": 10.0,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.facecolor": PAPER,
    "figure.facecolor": "none",
}


def svg(
    draw: Callable[..., Any], *, title: str, inches: tuple[float, float], prefix: str = ""
) -> str:
    """Draw onto the Axes of a new figure, `ax` of `draw`, and return it as an ``<svg>`` element.

    The title is for screen readers; the prefix makes the ids of clip paths and the like unique in a
    page. Text and frames are in ``currentColor``, the background in ``var(--paper)``, the main
    series in ``var(--series)``. What `style.name_trials` named has ``data-trial``, the axes of
    parallel coordinates ``data-axis``.
    """
    with matplotlib.rc_context(PAGE_STYLE), warnings.catch_warnings():
        # names too long for a layout: it is left out then
        warnings.filterwarnings("ignore", message="constrained_layout not applied")
        # text stays text, and is drawn in the font of the browser
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure = Figure(figsize=inches, layout="constrained")
        canvas = FigureCanvasSVG(figure)
        ax = figure.add_subplot()
        draw(ax=ax)
        file = io.StringIO()
        if (layout := figure.get_layout_engine()) is not None:
            layout.execute(figure)
            figure.set_layout_engine("none")
        figure.set_dpi(IMAGE_DPI)  # to measure text, the layout sets it to 72
        # `savefig` would draw the figure once more, to nowhere, before it writes it
        canvas.print_svg(file, metadata={"Date": None, "Creator": None})
    text = file.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    # A style element would reach the whole page, and the page has its own font.
    text = re.sub(r"<style.*?</style>", "", text, flags=re.DOTALL)
    text = re.sub(r" font-family: [^;\"]*;", "", text)
    text = text.replace(INK, "currentColor").replace(PAPER, "var(--paper)")
    text = _name_marks(text.replace(BLUE.lower(), "var(--series)"))
    if prefix:
        text = re.sub(r'(\bid="|xlink:href="#|url\(#)', rf"\g<1>{prefix}-", text)
    text = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", text, count=1)
    text = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", text, count=1)
    return text.replace("<svg", f'<svg role="img" aria-label="{escape(title)}"', 1)


_TOKENS = re.compile(
    rf'<defs>.*?</defs>|<g id="({TRIALS}|{AXIS}) ([\d ]+)">|<g\b|</g>|<(use|path)\b', re.DOTALL
)


def _name_marks(text: str) -> str:
    """Move the numbers in the id of a group to the marks in it: an attribute of each."""
    kind, depth = "", 0
    numbers: list[str] = []  # of the marks that are still to come, the next one last

    def renamed(match: re.Match[str]) -> str:
        nonlocal kind, numbers, depth
        token = match[0]
        if match[1]:
            kind, numbers, depth = match[1], match[2].split()[::-1], 1
            return "<g>"
        depth += {"<g": 1, "</g>": -1}.get(token, 0)
        if depth < 1:
            numbers = []
        if not match[3] or not numbers:
            return token
        name = "data-trial" if kind == TRIALS else "data-axis"
        return f'{token} {name}="{numbers.pop()}"'

    return _TOKENS.sub(renamed, text)

"""The report in a real browser: no error, no request, sorted and filtered by keyboard, read out by
a screen reader, legible in light and dark, as wide as a phone. Skipped where there is no Chromium.
"""

import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time

import pytest

import gpsearch as gs

CHROMIUM = next(
    filter(None, map(shutil.which, ["chromium", "chromium-browser", "google-chrome", "chrome"])),
    None,
)
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--disable-extensions", "--remote-debugging-pipe",
]  # fmt: skip
# The browser reads commands from descriptor 3 and answers on 4, so that is where the pipes go.
ONTO_3_AND_4 = """
import fcntl, os, sys
ends = [fcntl.fcntl(int(end), fcntl.F_DUPFD, 10) for end in sys.argv[1:3]]
for place, end in zip((3, 4), ends):
    os.dup2(end, place)
os.execv(sys.argv[3], sys.argv[3:])
"""
DEADLINE = 120  # seconds for one answer of the browser
LEGIBLE = 4.5  # contrast of text that WCAG 2 asks for at level AA
SMALLEST = 9  # pixels of a label in a figure
COMPLAINTS = ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded")

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")

# The lowest contrast of any text that is shown with what lies behind it, and that text.
CONTRAST = """
(() => {
  const rgb = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
  const linear = (c) => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  function behind(element) {
    for (; element; element = element.parentElement) {
      const colour = rgb(getComputedStyle(element).backgroundColor);
      if (colour.length === 3 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  }
  let worst = [99, ""];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const holder = walk.currentNode.parentElement, text = walk.currentNode.textContent.trim();
    if (!text || !holder.checkVisibility() || holder.closest("svg, script, style")) continue;
    const [a, b] = [light(rgb(getComputedStyle(holder).color)), light(behind(holder))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < worst[0]) worst = [ratio, text];
  }
  return worst;
})()
"""

# Pairs of labels of a figure that cross, with its name; and the height of the smallest, in pixels.
LABELS = """
(() => {
  const corner = (m, x, y) => [m.a * x + m.c * y + m.e, m.b * x + m.d * y + m.f];
  function box(text) {
    const { x, y, width, height } = text.getBBox(), m = text.getScreenCTM();
    const [top, bottom] = [y + 0.2 * height, y + 0.8 * height];
    return [[x, top], [x + width, top], [x + width, bottom], [x, bottom]]
      .map(([u, v]) => corner(m, u, v));
  }
  // Two boxes are apart where all of one lies beyond an edge of the other.
  const apart = (a, b) => [[a, b], [b, a]].some(([one, other]) => one.some((p, i) => {
    const q = one[(i + 1) % 4], across = ([x, y]) => x * (q[1] - p[1]) + y * (p[0] - q[0]);
    const [s, t] = [one.map(across), other.map(across)];
    return Math.max(...s) <= Math.min(...t) || Math.max(...t) <= Math.min(...s);
  }));
  const clashes = [], sizes = [];
  for (const svg of document.querySelectorAll("figure svg")) {
    if (!svg.checkVisibility()) continue;
    const texts = [...svg.querySelectorAll("text")].filter((text) => text.textContent.trim());
    const boxes = texts.map(box), name = svg.getAttribute("aria-label");
    texts.forEach((text, i) => {
      const m = text.getScreenCTM();
      sizes.push(parseFloat(getComputedStyle(text).fontSize) * Math.hypot(m.a, m.b));
      texts.slice(0, i).forEach((other, j) => {
        if (!apart(boxes[i], boxes[j])) clashes.push([name, text.textContent, other.textContent]);
      });
    });
  }
  return [clashes, Math.min(...sizes)];
})()
"""


class Browser:
    """One tab, driven by the DevTools protocol over a pipe: no port, no driver, no library.

    ``browser("Page.navigate", url=...)`` sends a command and returns its result.
    """

    def __init__(self, profile):
        commands, self._to = os.pipe()
        self._answers, answers = os.pipe()
        self._process = subprocess.Popen(
            [sys.executable, "-c", ONTO_3_AND_4, str(commands), str(answers), CHROMIUM, *FLAGS,
             f"--user-data-dir={profile}"],
            pass_fds=(commands, answers),
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(commands)
        os.close(answers)
        self._unread, self._n, self._session, self.events = b"", 0, {}, []
        self.untouched = None  # the page that is open, as long as it is as it was loaded
        target = self("Target.createTarget", url="about:blank")["targetId"]
        attached = self("Target.attachToTarget", targetId=target, flatten=True)
        self._session = {"sessionId": attached["sessionId"]}
        for domain in ("Page", "Runtime", "Network", "Log", "Accessibility"):
            self(f"{domain}.enable")

    def __call__(self, method, **params):
        self._n += 1
        command = {"id": self._n, "method": method, "params": params} | self._session
        os.write(self._to, json.dumps(command).encode() + b"\0")
        while (message := self._read()).get("id") != self._n:
            self.events.append(message)
        assert "error" not in message, message
        return message["result"]

    def open(self, page):
        self.events.clear()
        self.untouched = None
        self("Page.navigate", url=page if isinstance(page, str) else page.as_uri())
        while not any(event["method"] == "Page.loadEventFired" for event in self.events):
            self.events.append(self._read())

    def run(self, script):
        answer = self("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def press(self, key, text=""):
        for kind in ("keyDown", "keyUp"):
            code = {"Enter": 13, "Tab": 9, "Home": 36, "ArrowRight": 39}.get(key, 0)
            self("Input.dispatchKeyEvent", type=kind, key=key, text=text if kind == "keyDown" else
                 "", windowsVirtualKeyCode=code)  # fmt: skip

    def point(self, kind, x, y):
        """Move the pointer to a place of the window, press its button there, or release it."""
        button = "none" if kind == "mouseMoved" else "left"
        self("Input.dispatchMouseEvent", type=kind, x=x, y=y, button=button, clickCount=1)

    def box(self, query):
        """Left, top, right and bottom of an element, scrolled into the middle of the window."""
        return self.run(
            f"(() => {{ const found = document.querySelector({json.dumps(query)});"
            'found.scrollIntoView({block: "center"}); const r = found.getBoundingClientRect();'
            "return [r.left, r.top, r.right, r.bottom]; })()"
        )

    def over(self, query):
        """Move the pointer onto the middle of an element."""
        left, top, right, bottom = self.box(query)
        self.point("mouseMoved", (left + right) / 2, (top + bottom) / 2)

    def close(self):
        with contextlib.suppress(OSError, AssertionError):
            self("Browser.close")
        self._process.wait(DEADLINE)
        os.close(self._to)
        os.close(self._answers)

    def _read(self):
        until = time.monotonic() + DEADLINE
        while b"\0" not in self._unread:
            ready, _, _ = select.select([self._answers], [], [], max(0, until - time.monotonic()))
            got = os.read(self._answers, 1 << 20) if ready else b""
            assert got, "the browser has ended" if ready else "the browser does not answer"
            self._unread += got
        message, _, self._unread = self._unread.partition(b"\0")
        return json.loads(message)


def rough(params):
    if params["x"] > 0.7:
        raise ValueError("too far <out>")
    return [params["x"] * (1 + fold / 10) for fold in range(3)]


SPACE = {
    "x": (0.0, 1.0),
    "opt": ["adam", "sgd", "rmsprop", "adagrad", "adadelta"],
    "kernel_initializer_of_all_layers": ["glorot_uniform", "he_normal", "lecun_normal", "zeros"],
    "scale": (-1e6, 1e6),
}
SAID = {"strategy": "random", "random_state": 1, "progress": False}


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    browser = Browser(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def study_page(tmp_path_factory):
    study = gs.search(rough, SPACE, n_calls=16, **SAID)
    assert any(trial.state == "failed" for trial in study.trials)
    return study.report(tmp_path_factory.mktemp("page") / "report.html")


@pytest.fixture(scope="module")
def comparison_page(tmp_path_factory):
    comparison = gs.compare(
        rough, SPACE, strategies=["random", "grid"], n_calls=6, n_repeats=2, random_state=1,
        progress=False,
    )  # fmt: skip
    return comparison.report(tmp_path_factory.mktemp("page") / "comparison.html")


@pytest.fixture(scope="module", params=["study_page", "comparison_page"])
def page(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def shown(browser, page):
    """The browser with the page open, as wide as a desk's screen, in light colours.

    Tests that only look at the page share one that is loaded once.
    """
    look(browser, 1280, "light")
    if browser.untouched != page:
        browser.open(page)
        browser.untouched = page
    return browser


def look(browser, width, scheme):
    browser(
        "Emulation.setDeviceMetricsOverride",
        width=width,
        height=800,
        deviceScaleFactor=1,
        mobile=width < 500,
    )
    feature = {"name": "prefers-color-scheme", "value": scheme}
    browser("Emulation.setEmulatedMedia", features=[feature])


def column(browser, i):
    """Texts of a column of the table, of the rows that are shown."""
    return browser.run(
        'Array.from(document.querySelectorAll("#trials tbody tr")).filter((row) => !row.hidden)'
        f".map((row) => row.cells[{i}].textContent)"
    )


def test_opens_without_an_error_or_a_request(browser, page):
    browser.open(page)
    assert [event for event in browser.events if event["method"] in COMPLAINTS] == []
    asked = [
        event["params"]["request"]["url"]
        for event in browser.events
        if event["method"] == "Network.requestWillBeSent"
    ]
    assert [url for url in asked if not url.startswith("data:")] == [page.as_uri()]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_fits_its_screen_and_can_be_read(shown, width, scheme):
    """The page itself never scrolls sideways; wide tables and figures scroll in their boxes."""
    look(shown, width, scheme)
    paper = shown.run('getComputedStyle(document.querySelector("section")).backgroundColor')
    assert (paper == "rgb(255, 255, 255)") == (scheme == "light")
    assert shown.run("document.documentElement.scrollWidth") <= width
    contrast, text = shown.run(CONTRAST)
    assert contrast >= LEGIBLE, text
    picture = shown("Page.captureScreenshot", captureBeyondViewport=True, format="png")["data"]
    assert len(picture) > 50_000  # the whole page, not an empty one


@pytest.mark.parametrize("width", [1280, 390])
def test_labels_of_figures_are_apart_and_large_enough(shown, width):
    look(shown, width, "light")
    clashes, smallest = shown.run(LABELS)
    assert clashes == []
    assert smallest >= SMALLEST


def test_a_phone_sees_whole_figures(shown):
    look(shown, 390, "light")
    widths = shown.run(
        'Array.from(document.querySelectorAll(".for-phones svg"))'
        ".map((svg) => svg.getBoundingClientRect().width)"
    )
    assert widths
    assert 0 < max(widths) <= 390
    assert not shown.run('document.querySelector(".for-desks").checkVisibility()')


@pytest.fixture
def table(browser, study_page):
    browser.point("mouseMoved", 0, 0)
    look(browser, 1280, "light")
    browser.open(study_page)
    return browser


class TestTable:
    def test_is_sorted_by_keyboard(self, table):
        table.run('document.querySelectorAll("#trials thead button")[1].focus()')
        table.press("Tab")
        table.press("Enter", "\r")
        rising = column(table, 2)
        scores = [float(text) for text in rising if text]
        assert scores == sorted(scores)
        assert len(set(scores)) > 3
        table.press("Enter", "\r")
        falling = column(table, 2)
        assert [float(text) for text in falling if text] == scores[::-1]
        assert rising[-1] == falling[-1] == ""  # failed trials come last in both
        heads = table.run(
            'Array.from(document.querySelectorAll("#trials th[scope=col]"))'
            '.map((head) => head.getAttribute("aria-sort"))'
        )
        assert [i for i, direction in enumerate(heads) if direction] == [2]
        assert heads[2] == "descending"

    def test_is_filtered_by_keyboard(self, table):
        table.run('document.getElementById("filter").focus()')
        for letter in "FAILED":
            table.press(letter, letter)
        states = column(table, 1)
        assert states
        assert set(states) == {"failed"}
        said = table.run('document.getElementById("shown").textContent')
        assert said == f"{len(states)} of 16 rows"


def marked(browser, look="hit"):
    """How many marks of each section of the page are highlighted, or pale."""
    return browser.run(
        'Object.fromEntries(["convergence", "dependence", "course", "table"].map((id) => [id,'
        f"document.querySelectorAll(`#${{id}} .{look}`).length]))"
    )


class TestFigures:
    """They and the table answer to the pointer together; trial 15 is complete, and not the best."""

    def test_the_pointer_on_a_mark_tells_the_trial(self, table):
        assert table.run('document.getElementById("tip").hidden')
        table.over('#convergence .for-desks [data-trial="15"]')
        told = table.run('document.getElementById("tip").innerText').splitlines()
        assert told[0].startswith("trial 15: score 0.")
        assert " ± " in told[0]
        assert told[1].startswith("x 0.")
        assert " (best: 0." in told[1]
        assert all(marked(table).values())
        row = table.run('document.querySelector("#trials tr.hit").dataset.trial')
        assert row == "15"

    def test_a_row_shows_its_trial_in_every_figure_until_it_is_clicked_again(self, table):
        table.over('#trials tr[data-trial="15"]')
        assert all(marked(table).values())
        table.point("mouseMoved", 0, 0)
        assert not any(marked(table).values())
        for kept in (True, False):
            left, top, _, bottom = table.box('#trials tr[data-trial="15"]')
            for kind in ("mousePressed", "mouseReleased"):
                table.point(kind, left + 5, (top + bottom) / 2)
            table.point("mouseMoved", 0, 0)
            assert any(marked(table).values()) is kept

    def test_a_range_of_an_axis_keeps_the_trials_that_pass_it(self, table):
        """The upper half of x, the first axis; then a click on the axis shows all again."""
        left, top, right, bottom = table.box(".parallel .for-desks .strip")
        x, middle = (left + right) / 2, (top + bottom) / 2
        table.point("mouseMoved", x, top)
        table.point("mousePressed", x, top + 1)
        table.point("mouseMoved", x, middle)
        table.point("mouseReleased", x, middle)
        kept = [float(text) for text in column(table, 4)]
        every = table.run(
            'Array.from(document.querySelectorAll("#trials tbody tr"))'
            ".filter((row) => row.cells[2].textContent)"
            ".map((row) => Number(row.cells[4].textContent))"
        )
        assert kept == [value for value in every if value > 0.5]
        assert 0 < len(kept) < len(every)
        assert all(marked(table, "off")[id] for id in ("convergence", "course"))
        for kind in ("mousePressed", "mouseReleased"):
            table.point(kind, x, middle)
        assert len(column(table, 0)) == 16
        assert not any(marked(table, "off").values())

    def test_the_slider_shows_the_search_up_to_a_trial(self, table):
        table.run('document.getElementById("at").focus()')
        table.press("Home")
        table.press("ArrowRight")
        assert column(table, 0) == ["0", "1"]
        said = table.run('document.getElementById("at-told").textContent')
        assert said.startswith("trial 1: ")
        assert "best so far" in said
        table.run('document.querySelector("#convergence .all").click()')
        assert len(column(table, 0)) == 16


def test_a_screen_reader_hears_figures_and_tables(shown):
    nodes = [n for n in shown("Accessibility.getFullAXTree")["nodes"] if not n.get("ignored")]

    def names(role):
        return [
            node.get("name", {}).get("value", "")
            for node in nodes
            if node.get("role", {}).get("value") == role
        ]

    assert len(names("image")) >= 2  # a comparison has no more
    assert all(len(name) > 2 for name in names("image"))
    assert all(names("columnheader"))
    assert len(names("rowheader")) >= 4
    assert names("searchbox") == ["Filter"]
    assert len(names("main")) == 1


def test_a_served_page_follows_the_search_and_keeps_what_was_set(browser, tmp_path):
    """Another process serves it; the trial that was clicked and the place on the page stay."""
    study = gs.Study.create(tmp_path / "study.db", space={"x": (0.0, 1.0)}, seed=0)

    def add_trial(x):
        with study.writing() as writer:
            writer.add_trial({"x": x}, [gs.FoldResult(fold=0, score=x)])

    def until(script):
        deadline = time.monotonic() + DEADLINE
        while not browser.run(script):
            assert time.monotonic() < deadline, script
            time.sleep(0.1)

    add_trial(0.2), add_trial(0.4)
    command = [sys.executable, "-m", "gpsearch", "serve", str(study.path), "--port", "0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        address = server.stdout.readline().split()[1]
        look(browser, 1280, "light")
        browser.open(address)
        row = '#trials tr[data-trial="1"]'
        until('document.querySelectorAll("#dependence svg").length')  # all is drawn
        left, top, _, bottom = browser.box(row)
        for kind in ("mousePressed", "mouseReleased"):
            browser.point(kind, left + 5, (top + bottom) / 2)
        browser.point("mouseMoved", 0, 0)
        place = browser.box(row)[1]
        add_trial(0.6)
        until('document.querySelectorAll("#trials tbody tr").length === 3')
        assert browser.run(f"document.querySelector({row!r}).classList.contains('hit')")
        now = browser.run(f"document.querySelector({row!r}).getBoundingClientRect().top")
        assert now == pytest.approx(place, abs=2)
        assert "3 trials" in browser.run('document.getElementById("live").textContent')
        assert [event for event in browser.events if event["method"] in COMPLAINTS] == []
        server.send_signal(signal.SIGINT)
        assert server.wait(DEADLINE) == 0
        assert server.stderr.read() == ""
        until('document.getElementById("live").textContent.startsWith("The server has ended")')
    finally:
        server.kill()
        server.communicate()


def test_prints_on_few_sheets(shown):
    """Without the tools of a screen; a sheet too many is a figure that has burst its width."""
    printed = shown("Page.printToPDF", printBackground=True, transferMode="ReturnAsStream")
    data = shown("IO.read", handle=printed["stream"], size=1 << 24)
    assert data["base64Encoded"]
    shown("Emulation.setEmulatedMedia", media="print")
    assert not shown.run('document.querySelector(".tools").checkVisibility()')
    assert shown.run("document.documentElement.scrollWidth") <= 1280
    shown("Emulation.setEmulatedMedia", media="")

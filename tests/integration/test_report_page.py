"""The report in a real browser: no error, no request, sorted and filtered by keyboard, read out by
a screen reader, legible in light and dark, as wide as a phone. Skipped where there is no Chromium.
"""

import contextlib
import json
import os
import select
import shutil
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

    def open(self, path):
        self.events.clear()
        self("Page.navigate", url=path.as_uri())
        while not any(event["method"] == "Page.loadEventFired" for event in self.events):
            self.events.append(self._read())

    def run(self, script):
        answer = self("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def press(self, key, text=""):
        for kind in ("keyDown", "keyUp"):
            code = {"Enter": 13, "Tab": 9}.get(key, 0)
            self("Input.dispatchKeyEvent", type=kind, key=key, text=text if kind == "keyDown" else
                 "", windowsVirtualKeyCode=code)  # fmt: skip

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


SPACE = {"x": (0.0, 1.0), "opt": ["adam", "sgd"], "n": (1, 4)}
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


@pytest.fixture(params=["study_page", "comparison_page"])
def page(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def shown(browser, page):
    """The browser with the page open, as wide as a desk's screen, in light colours."""
    look(browser, 1280, "light")
    browser.open(page)
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


def test_opens_without_an_error_or_a_request(shown, page):
    assert [event for event in shown.events if event["method"] in COMPLAINTS] == []
    asked = [
        event["params"]["request"]["url"]
        for event in shown.events
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


def test_a_phone_sees_whole_figures(shown):
    look(shown, 390, "light")
    widths = shown.run(
        'Array.from(document.querySelectorAll(".for-phones svg"))'
        ".map((svg) => svg.getBoundingClientRect().width)"
    )
    assert widths
    assert 0 < max(widths) <= 390
    assert not shown.run('document.querySelector(".for-desks").checkVisibility()')


class TestTable:
    @pytest.fixture
    def table(self, browser, study_page):
        look(browser, 1280, "light")
        browser.open(study_page)
        return browser

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


def test_a_screen_reader_hears_figures_and_tables(shown):
    nodes = [n for n in shown("Accessibility.getFullAXTree")["nodes"] if not n.get("ignored")]

    def names(role):
        return [
            node.get("name", {}).get("value", "")
            for node in nodes
            if node.get("role", {}).get("value") == role
        ]

    assert len(names("image")) >= 3
    assert all(len(name) > 2 for name in names("image"))
    assert all(names("columnheader"))
    assert len(names("rowheader")) >= 4
    assert names("searchbox") == ["Filter"]
    assert len(names("main")) == 1


def test_prints_on_few_sheets(shown):
    """Without the tools of a screen; a sheet too many is a figure that has burst its width."""
    printed = shown("Page.printToPDF", printBackground=True, transferMode="ReturnAsStream")
    data = shown("IO.read", handle=printed["stream"], size=1 << 24)
    assert data["base64Encoded"]
    shown("Emulation.setEmulatedMedia", media="print")
    assert not shown.run('document.querySelector(".tools").checkVisibility()')
    assert shown.run("document.documentElement.scrollWidth") <= 1280
    shown("Emulation.setEmulatedMedia", media="")

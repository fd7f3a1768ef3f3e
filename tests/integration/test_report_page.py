"""The report in a real browser: nothing goes wrong, sorting and filtering work, a phone is wide
enough. Skipped where no Chromium is installed."""

import json
import re
import shutil
import subprocess

import pytest

import gpsearch as gs

CHROMIUM = next(
    filter(None, map(shutil.which, ["chromium", "chromium-browser", "google-chrome", "chrome"])),
    None,
)
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--virtual-time-budget=5000",
]  # fmt: skip

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")

# Runs in the page after its own script, and leaves what it saw where --dump-dom shows it.
PROBE = """
<script>
const seen = {errors: window.seenErrors};
const heads = document.querySelectorAll("#trials thead th");
const column = (i) => Array.from(document.querySelectorAll("#trials tbody tr"))
  .filter((row) => !row.hidden).map((row) => row.cells[i].textContent);
heads[2].querySelector("button").click();
seen.rising = column(2);
heads[2].querySelector("button").click();
seen.falling = column(2);
seen.sort = heads[2].getAttribute("aria-sort");
const filter = document.getElementById("filter");
filter.value = "FAILED";
filter.dispatchEvent(new Event("input"));
seen.states = column(1);
seen.shown = document.getElementById("shown").textContent;
seen.overflow = document.documentElement.scrollWidth - document.documentElement.clientWidth;
seen.requests = performance.getEntriesByType("resource").map((entry) => entry.name)
  .filter((name) => !name.startsWith("data:"));
const out = document.createElement("pre");
out.id = "probe";
out.textContent = JSON.stringify(seen);
document.body.append(out);
</script>
"""
LISTENER = (
    "<script>window.seenErrors = [];"
    "window.addEventListener('error', (e) => window.seenErrors.push(String(e.message)));"
    "</script>"
)


def rough(params):
    if params["x"] > 0.7:
        raise ValueError("too far <out>")
    return [params["x"] * (1 + fold / 10) for fold in range(3)]


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    study = gs.search(
        rough,
        {"x": (0.0, 1.0), "opt": ["adam", "sgd"], "n": (1, 4)},
        n_calls=16,
        strategy="random",
        random_state=1,
        progress=False,
    )
    assert any(trial.state == "failed" for trial in study.trials)
    path = folder / "report.html"
    study.report(path)
    return path


def browse(path, profile, *flags):
    command = [CHROMIUM, *FLAGS, f"--user-data-dir={profile}", *flags, path.as_uri()]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr[-2000:]
    return run


def test_sorts_filters_and_makes_no_error(page, tmp_path):
    probed = tmp_path / "probed.html"
    text = page.read_text()
    probed.write_text(text.replace("<body>", "<body>" + LISTENER).replace("</body>", PROBE))
    run = browse(
        probed, tmp_path / "profile", "--enable-logging=stderr", "--window-size=1100,900",
        "--dump-dom",
    )  # fmt: skip
    assert "CONSOLE" not in run.stderr
    found = re.search(r'<pre id="probe">(.*?)</pre>', run.stdout, flags=re.DOTALL)
    seen = json.loads(found[1])
    assert seen["errors"] == []
    assert seen["requests"] == []
    scores = [float(text) for text in seen["rising"] if text]
    assert scores == sorted(scores)
    assert [float(text) for text in seen["falling"] if text] == scores[::-1]
    assert seen["rising"][-1] == seen["falling"][-1] == ""  # failed trials come last in both
    assert seen["sort"] == "descending"
    assert seen["states"]
    assert set(seen["states"]) == {"failed"}
    assert seen["shown"] == f"{len(seen['states'])} of 16 rows"
    assert seen["overflow"] == 0


def test_fits_a_phone(page, tmp_path):
    """At 360 pixels the page itself does not scroll sideways; wide tables scroll in their box."""
    frame = tmp_path / "phone.html"
    page_copy = tmp_path / "report.html"
    measure = (
        "<script>parent.postMessage(document.documentElement.scrollWidth, '*')</script></body>"
    )
    page_copy.write_text(page.read_text().replace("</body>", measure))
    frame.write_text(
        "<body><pre id=probe></pre><script>"
        "window.addEventListener('message', (e) => {"
        "document.getElementById('probe').textContent = e.data})</script>"
        "<iframe src=report.html style='width:360px;height:800px;border:0'></iframe></body>"
    )
    run = browse(frame, tmp_path / "profile", "--dump-dom")
    width = re.search(r'<pre id="probe">(\d+)</pre>', run.stdout)
    assert width is not None
    assert int(width[1]) <= 360

"""The pages that follow a search: what they show when, and what the server answers and refuses."""

import http.client
import json
import socket
import threading

import pytest

from gpsearch.cli import live, main, serve
from gpsearch.evaluation import FoldResult
from gpsearch.execution import StopReason
from gpsearch.report.figures import Figure
from gpsearch.report.findings import Findings
from gpsearch.report.page import Drawn
from gpsearch.study import Study

ENDED = StopReason.BUDGET.value


def new_study(path, n=3, ended=False):
    study = Study.create(path, space={"x": (0.0, 1.0)}, seed=0)
    with study.writing() as writer:
        for i in range(n):
            writer.add_trial({"x": i / 10}, [FoldResult(fold=0, score=float(i))])
        if ended:
            writer.set_stop_reason(ENDED)
    return study


def add_trial(study):
    with study.writing() as writer:
        writer.add_trial({"x": 0.9}, [FoldResult(fold=0, score=9.0)])


@pytest.fixture(autouse=True)
def _keep_priority(monkeypatch):
    monkeypatch.setattr(live.os, "nice", lambda more: 0)


@pytest.fixture
def drawn(monkeypatch):
    """What was drawn, "quick" or "whole", each a matter of ten seconds of a clock that stands."""
    calls, clock = [], [1000.0]

    def draw_page(study, *, earlier=None):
        calls.append("quick" if earlier else "whole")
        clock[0] += 10.0
        return Drawn(earlier or Findings(why_none="fitted"), {"convergence": Figure("<svg/>", "c")})

    monkeypatch.setattr(live, "draw_page", draw_page)
    monkeypatch.setattr(live.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(live.time, "sleep", lambda seconds: None)
    calls_of = lambda: [calls.pop(0) for _ in range(len(calls))]  # noqa: E731
    return calls_of, clock


def test_a_page_is_there_at_once_and_drawing_takes_a_tenth_of_the_time(drawn, tmp_path):
    calls, clock = drawn
    study = new_study(tmp_path / "study.db")
    page = live.LivePage(tmp_path / "study.db")
    assert [page.update() for _ in range(3)] == [True, True, False]
    assert calls() == ["quick", "whole"]
    assert "fitted" in page.html
    assert not page.done
    before = page.state
    add_trial(study)
    assert not page.update()  # ten seconds were spent on each, and ninety must pass
    clock[0] += 80.0
    assert page.update()
    assert calls() == ["quick"]
    assert page.state != before
    assert "4 trials" in page.html
    assert f'data-page="{page.state}"' in page.html
    clock[0] += 90.0
    assert page.update()
    assert calls() == ["whole"]
    assert not page.update()


def test_the_end_of_a_search_is_drawn_whole_at_once(drawn, tmp_path):
    calls, _ = drawn
    study = new_study(tmp_path / "study.db")
    page = live.LivePage(tmp_path / "study.db")
    page.update(), page.update(), calls()
    add_trial(study)
    with study.writing() as writer:
        writer.set_stop_reason(ENDED)
    assert page.update()
    assert calls() == ["whole"]
    assert page.done
    assert ENDED in page.html


def test_a_file_that_went_away_is_said(drawn, tmp_path):
    new_study(tmp_path / "study.db")
    page = live.LivePage(tmp_path / "study.db")
    page._make = lambda study, **_: page.study.predictions(99)
    assert page.update()
    assert "below 3" in page.text
    assert "below 3" in page.html
    assert not page.update()


def anew(path, **kwargs):
    path.unlink()
    return new_study(path, **kwargs)


def test_a_study_that_was_deleted_and_made_anew_is_shown(drawn, tmp_path):
    path = tmp_path / "study.db"
    new_study(path, n=3, ended=True)
    page = live.LivePage(path)
    assert [page.update(), page.update(), page.update()] == [True, True, False]
    path.unlink()
    assert [page.update(), page.update()] == [True, False]
    assert page.text == f"{path}: the file is gone."
    assert "the file is gone" in page.html
    assert not page.done
    new_study(path, n=2)
    assert page.update()
    assert "2 trials" in page.text
    anew(path, n=5)
    assert page.update()
    assert "5 trials" in page.html


def test_the_list_tells_of_files_that_are_gone_or_cannot_be_read(drawn, tmp_path, monkeypatch):
    new_study(tmp_path / "gone.db")
    broken, opened, open_study = tmp_path / "broken.db", [], Study.open
    broken.write_text("not a study")
    monkeypatch.setattr(Study, "open", lambda path: opened.append(path) or open_study(path))
    site = serve.Site([tmp_path])

    def text(address):
        site.ask(address)
        site.update()
        return site.pages[address].html

    text("/"), (tmp_path / "gone.db").unlink()
    assert "gone.db: the file is gone" in text("/")
    assert "the file is gone" in text("/gone.db")
    assert "is not a study" in text("/")
    assert "is not a study" in text("/broken.db")
    assert opened.count(broken) == 1  # an unchanged file is not read again
    anew(broken, n=2)
    new_study(tmp_path / "gone.db", n=4)
    assert "4 trials" in text("/")
    assert "2 trials" in text("/broken.db")


def test_report_watch_keeps_what_it_wrote_of_a_study_that_is_gone(
    drawn, tmp_path, monkeypatch, capsys
):
    path, output = tmp_path / "study.db", tmp_path / "page.html"
    new_study(path)
    turns = iter([path.unlink, lambda: None, raise_interrupt])
    monkeypatch.setattr(live.time, "sleep", lambda seconds: next(turns)())
    assert main(["report", str(path), "--watch", "-o", str(output)]) == 0
    assert capsys.readouterr().out.count("the file is gone") == 1
    assert "3 trials" in output.read_text()


def test_report_watch_writes_until_the_search_has_ended(drawn, tmp_path, capsys, monkeypatch):
    calls, _ = drawn
    path, output = tmp_path / "study.db", tmp_path / "page.html"
    study, written = new_study(path), []

    def write_page(to, text):
        written.append(text)
        if len(written) == 2:
            with study.writing() as writer:
                writer.set_stop_reason(ENDED)

    monkeypatch.setattr(live, "write_page", write_page)
    assert main(["report", str(path), "--watch", "-o", str(output)]) == 0
    assert calls() == ["quick", "whole", "whole"]
    assert ['data-reload="5"' in text for text in written] == [True, True, False]
    assert "written again as trials end" in capsys.readouterr().out
    assert main(["report", str(path), "--watch", "--format", "md"]) == 2
    assert "--watch writes a page, in HTML" in capsys.readouterr().err


def test_a_watched_page_that_is_interrupted_reloads_no_longer(drawn, tmp_path, monkeypatch):
    path, output = tmp_path / "study.db", tmp_path / "page.html"
    new_study(path)
    monkeypatch.setattr(live.time, "sleep", raise_interrupt)
    assert main(["report", str(path), "--watch", "-o", str(output)]) == 0
    assert "data-reload" not in output.read_text()


def test_a_watched_page_that_is_interrupted_before_it_is_drawn_is_not_written(
    tmp_path, capsys, monkeypatch
):
    path, output = tmp_path / "study.db", tmp_path / "page.html"
    new_study(path)
    errors = iter([KeyboardInterrupt(), AttributeError("of a library that is imported in part")])

    def interrupted(*args, **options):
        raise next(errors)

    monkeypatch.setattr(live, "draw_page", interrupted)
    assert main(["report", str(path), "--watch", "-o", str(output)]) == 130
    assert capsys.readouterr().err == "gpsearch: interrupted.\n"
    assert not output.exists()


def raise_interrupt(seconds=0):
    raise KeyboardInterrupt


@pytest.fixture
def ask(drawn, tmp_path):
    """Ask a server of a folder and one study with the same name: status, headers and text."""
    (tmp_path / "runs").mkdir()
    for name in ("study.db", "runs/study.db", "runs/<b>.db"):
        new_study(tmp_path / name, ended=True)
    (tmp_path / "runs" / "other.db").write_text("not a study")
    site = serve.Site([tmp_path / "study.db", tmp_path / "runs"])
    server = serve._Server((serve.HOST, 0), serve._Handler)
    server.site = site
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()

    def ask(path, host="localhost"):
        site.ask(path.partition("?")[0].replace("%3C", "<").replace("%3E", ">"))
        site.update()
        connection = http.client.HTTPConnection(serve.HOST, server.server_port, timeout=30)
        connection.request("GET", path, headers={"Host": host})
        answer = connection.getresponse()
        found = answer.status, answer.headers, answer.read().decode()
        connection.close()
        return found

    yield ask
    server.shutdown()
    server.server_close()


def test_the_first_page_lists_the_studies_of_files_and_folders(ask, tmp_path):
    status, headers, text = ask("/")
    assert status == 200
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    for address in ("/study.db", "/study.db%2B", "/%3Cb%3E.db"):
        assert f'href="{address}"' in text
    assert "other.db is not a study" in text
    assert "<b>" not in text
    assert "trial 2, score 2" in text
    new_study(tmp_path / "runs" / "later.db", n=1)
    assert "later.db" in ask("/")[2]


def test_a_page_and_how_its_search_stands(ask):
    _, _, text = ask("/%3Cb%3E.db")
    assert "<b>" not in text
    ask("/study.db"), ask("/study.db")  # first without what needs the surrogate, then whole
    status, headers, said = ask("/study.db?state")
    assert (status, headers["Content-Type"]) == (200, "application/json")
    state = json.loads(said)
    assert ENDED in state["text"]
    assert f'data-page="{state["page"]}"' in ask("/study.db")[2]


@pytest.mark.parametrize(
    ("path", "host", "status"),
    [
        ("/", "127.0.0.1:8600", 200), ("/", "evil.example", 403), ("/", "", 403),
        ("/", "[::1", 400),
        ("/none.db", "localhost", 404), ("/../study.db", "localhost", 404),
    ],
)  # fmt: skip
def test_others_are_refused(path, host, status, ask):
    assert ask(path, host)[0] == status


def test_a_single_study_is_the_first_page(drawn, tmp_path):
    new_study(tmp_path / "study.db")
    site = serve.Site([tmp_path / "study.db"])
    site.ask("/")
    site.update()
    assert "3 trials" in site.pages["/"].html


def test_a_page_is_made_however_long_others_take_after_it_was_asked_for(drawn, tmp_path):
    _, clock = drawn
    new_study(tmp_path / "study.db")
    site = serve.Site([tmp_path])
    site.ask("/study.db")
    clock[0] += 60.0
    site.update()
    assert "3 trials" in site.pages["/study.db"].html


def test_a_folder_without_a_study_says_so(tmp_path):
    site = serve.Site([tmp_path])
    site.ask("/")
    site.update()
    assert "No study has been found yet." in site.pages["/"].html


def test_a_port_in_use_and_a_missing_study_are_one_sentence(tmp_path, capsys):
    new_study(tmp_path / "study.db")
    with socket.create_server((serve.HOST, 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["serve", str(tmp_path / "study.db"), "--port", str(port)]) == 2
    said = capsys.readouterr().err
    assert f"--port {port} of 127.0.0.1 cannot be used" in said
    assert "--port 0" in said
    assert main(["serve", str(tmp_path / "study.db"), "--port", "99999"]) == 2
    assert ".." not in capsys.readouterr().err
    assert main(["serve", str(tmp_path / "no.db")]) == 2
    assert "no.db does not exist" in capsys.readouterr().err


def test_ctrl_c_ends_quietly(tmp_path, capsys, monkeypatch):
    new_study(tmp_path / "study.db")

    def interrupted(seconds):
        raise KeyboardInterrupt

    monkeypatch.setattr(serve.time, "sleep", interrupted)
    assert main(["serve", str(tmp_path / "study.db"), "--port", "0"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("Page     http://127.0.0.1:")
    assert err == ""

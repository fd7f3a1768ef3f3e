import ast
import contextlib
import importlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from gpsearch.analysis import EnsembleSelection
from gpsearch.cli import main, searches
from gpsearch.cli.parser import EXAMPLES, make_parser
from gpsearch.cli.terminal import fact
from gpsearch.comparison import compare
from gpsearch.config import load_config
from gpsearch.errors import InvalidObjectiveError
from gpsearch.evaluation import FoldResult
from gpsearch.execution import StopReason, search
from gpsearch.execution.progress import Progress, end_untold
from gpsearch.study import Study
from gpsearch.study.confirmation import Confirmation


@pytest.fixture
def study(tmp_path):
    """A study with two finished trials and a failed one; returns its path."""
    path = tmp_path / "study.db"
    record = Study.create(path, space={"lr": (0.1, 0.9), "opt": ["adam", "sgd"]}, seed=0)
    with record.writing() as writer:
        for lr, scores in ((0.25, (0.7, 0.8)), (0.5, (0.9, 1.0)), (0.75, ())):
            number = writer.start_trial({"lr": lr, "opt": "adam"}, seed=1)
            for fold, score in enumerate(scores):
                writer.record_fold(number, FoldResult(fold=fold, score=score, seconds=30.0))
            writer.end_trial(
                number, "complete" if scores else "failed", reason="" if scores else "diverged"
            )
    return str(path)


@pytest.fixture
def empty(tmp_path):
    Study.create(tmp_path / "empty.db", space={"lr": (0.1, 0.9)}, seed=0)
    return str(tmp_path / "empty.db")


def test_show_tells_how_the_search_stands(study, capsys):
    assert main(["show", study]) == 0
    out = capsys.readouterr().out
    assert "2 complete, 1 failed" in out
    assert "3 trials (2 complete, 1 failed)" in out
    assert "trial 1, score 0.950 ± 0.050 (standard error over 2 folds)" in out
    assert "trial 0    0.750 ± 0.050  lr=0.25\n" in out  # what differs from the best
    assert "Failed   1 of 3 trials\n  1 x diverged" in out
    assert "lr   0.5" in out
    assert "of training, 3 trials" in out


@pytest.mark.parametrize("command", ["show", "best"])
def test_what_a_study_holds_does_not_control_a_terminal(command, tmp_path, capsys, monkeypatch):
    path = str(tmp_path / "study.db")
    bad = "\033[2J\r\a\033]0;title\a"
    record = Study.create(path, space={f"k{bad}": [f"a{bad}", "b"]}, seed=0)
    with record.writing() as writer:
        for value, score in ((f"a{bad}", 1.0), ("b", 0.0)):
            writer.add_trial({f"k{bad}": value}, [FoldResult(fold=0, score=score)])
        number = writer.start_trial({f"k{bad}": "b"}, seed=0)
        writer.end_trial(number, "failed", reason=f"ValueError: {bad}")
    assert main([command, path]) == 0
    assert bad in capsys.readouterr().out  # in a pipe, all as it is
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert main([command, path]) == 0
    shown = re.sub(r"\033\[(0|1|2|31|32)m", "", capsys.readouterr().out)  # the colours
    assert r"\x1b[2J\r\x07" in shown
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", shown)


def test_an_error_of_0_is_not_named(tmp_path, capsys):
    path = str(tmp_path / "study.db")
    with Study.create(path, space={"lr": (0.1, 0.9)}, seed=0).writing() as writer:
        writer.add_trial({"lr": 0.5}, [FoldResult(fold=fold, score=0.5) for fold in range(3)])
    assert main(["show", path]) == 0
    assert "trial 0, score 0.5\n" in capsys.readouterr().out


def test_show_tells_the_work_where_that_of_all_trials_is_known(tmp_path, capsys):
    path = str(tmp_path / "study.db")
    with Study.create(path, space={"lr": (0.1, 0.9)}, seed=0).writing() as writer:
        for work, told in ((90.0, "(work of 1.5 min), 1 trial\n"), (None, "of training, 2 trials")):
            writer.add_trial({"lr": 0.5}, [FoldResult(fold=0, score=0.5, work=work)])
            assert main(["show", path]) == 0
            assert told in capsys.readouterr().out


def test_show_tells_what_more_trials_would_bring(tmp_path, capsys):
    path = str(tmp_path / "study.db")
    with Study.create(path, space={"lr": (0.1, 0.9)}, seed=0).writing() as writer:
        for i in range(10):
            writer.add_trial({"lr": 0.1 + 0.08 * i}, [FoldResult(fold=0, score=i * (7.5 - i))])
            if i == 8:
                assert main(["show", path, "--forecast"]) == 0
                assert "Ahead    forecast needs at least 10 trials" in capsys.readouterr().out
    assert main(["show", path, "--forecast"]) == 0
    assert "\nAhead    Expected gains (90% intervals): 10 more trials" in capsys.readouterr().out


@pytest.fixture
def ensemble(study, monkeypatch):
    """Has `study` belong to search.toml, and an ensemble of it be chosen."""
    record = Study.open(study)
    config = SimpleNamespace(study=Path(study), space=record.space, objective=None)
    members = {1: 3, 0: 1}
    selection = EnsembleSelection(
        members=members, chosen=members, single=1, gains=(0.1, 0.125), score_name="roc_auc"
    )
    fitted = SimpleNamespace(save=lambda path: Path(path).write_text("averaged"))
    monkeypatch.setattr(searches, "load_config", lambda path: config)
    monkeypatch.setattr(searches, "select_ensemble", lambda study: selection)
    monkeypatch.setattr(searches, "fit_ensemble", lambda *given: fitted)


def test_best_tells_and_saves_the_ensemble(ensemble, tmp_path, capsys):
    path = tmp_path / "ensemble.keras"
    assert main(["best", "search.toml", "--ensemble", "-o", str(path)]) == 0
    assert path.read_text() == "averaged"
    out = capsys.readouterr().out
    assert (
        "Ensemble of trials 1 (3 times), 0: on folds that did not choose it, it gains 0.11" in out
    )
    assert str(path) in out.splitlines()[-1]
    assert main(["best", "search.toml", "--ensemble", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["members"] == {"1": 3, "0": 1}
    assert told["gain"] == pytest.approx(0.1125)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["study.db", "--ensemble"], "needs the model and the data"),
        (["search.toml", "-o", "ensemble.keras"], "--output belongs to --ensemble"),
        (["search.toml", "--ensemble", "-o", "ensemble.h5"], r"must end in \.keras"),
    ],
)
def test_what_best_cannot_average_is_refused(arguments, why, capsys):
    assert main(["best", *arguments]) == 2
    assert re.search(why, capsys.readouterr().err)


def test_show_and_best_tell_why_no_trial_is_complete(tmp_path, capsys):
    path = str(tmp_path / "failing.db")
    with pytest.raises(InvalidObjectiveError, match="no such layer"):
        search(fails, {"lr": (0.1, 0.9)}, n_calls=9, study=path, strategy="random", progress=False)
    for command in ("show", "best"):
        assert main([command, path]) == 1
        told = "".join(capsys.readouterr())
        assert "The first failure: ValueError: no such layer" in told


def fails(params):
    raise ValueError("no such layer")


def test_show_as_json_is_for_programs(study, capsys):
    assert main(["show", study, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["trials"] == {"complete": 2, "stopped": 0, "failed": 1, "running": 0}
    assert told["best"] == {"trial": 1, "score": 0.95, "params": {"lr": 0.5, "opt": "adam"}}


def test_best_prints_the_params(study, capsys):
    assert main(["best", study]) == 0
    assert capsys.readouterr().out == "lr   0.5\nopt  adam\n"
    assert main(["best", study, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["params"] == {"lr": 0.5, "opt": "adam"}


def test_best_as_python_is_a_dict_to_paste(study, capsys):
    assert main(["best", study, "--python"]) == 0
    assert ast.literal_eval(capsys.readouterr().out) == Study.open(study).best_params


def test_show_tells_of_how_many_trials_and_what_time_is_left(study, capsys):
    record = Study.open(study)
    with record.writing() as writer:
        writer.set_budget(40)
        assert main(["show", study]) == 0
        told = capsys.readouterr().out
        assert f"{study}: 3 of 40 trials (" in told
        assert f"Process {os.getpid()} is searching, about " in told
        assert main(["show", study, "--json"]) == 0
        told = json.loads(capsys.readouterr().out)
        assert (told["n_calls"], told["metric"], told["failures"]) == (40, "score", {"diverged": 1})
        assert told["seconds_left"] > 0
        writer.set_stop_reason("No gain is expected.")
    assert main(["show", study, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["seconds_left"] is None


def test_a_long_sentence_stands_below_itself_on_a_terminal_and_is_one_line_elsewhere(monkeypatch):
    sentence = "The search reached its timeout, and /a/path/of/many/characters stays whole."
    assert fact("Ended", sentence) == f"Ended    {sentence}"
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "40")
    first, *further = fact("Ended", sentence).split("\n")
    assert first.startswith("Ended    The search")
    assert all(line.startswith(" " * 9) and len(line) <= 40 for line in further)
    assert " ".join([first[9:], *(line[9:] for line in further)]) == sentence


def test_colours_are_for_a_terminal_alone_and_can_be_refused(study, capsys, monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert main(["show", study]) == 0
    assert "\033[" not in capsys.readouterr().out
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert main(["show", study]) == 0
    assert "\033[1mBest" in capsys.readouterr().out
    monkeypatch.setenv("NO_COLOR", "1")
    assert main(["show", study]) == 0
    assert "\033[" not in capsys.readouterr().out


def test_every_help_has_examples_that_the_parser_takes(capsys):
    for name, examples in EXAMPLES.items():
        with pytest.raises(SystemExit):
            main([name, "--help"])
        assert f"gpsearch {name}" in capsys.readouterr().out.partition("examples:")[2]
        for example in examples:
            words = example.partition("gpsearch ")[2] or example
            arguments = make_parser().parse_args(words.partition(" >")[0].split())
            room, _, function = arguments.command.partition(":")
            assert callable(getattr(importlib.import_module(f"gpsearch.cli.{room}"), function))


def completed(shell_words, script, folder):
    """What bash offers for the last word, by the script that the command prints."""
    words = " ".join(f"'{word}'" for word in shell_words)
    code = f"source /dev/stdin\nCOMP_WORDS=({words}); COMP_CWORD={len(shell_words) - 1}\n"
    code += "_shtab_gpsearch 2>/dev/null; printf '%s\\n' \"${COMPREPLY[@]}\""
    run = subprocess.run(
        ["bash", "--norc", "-c", code],
        input=script,
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return run.stdout.split()


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_bash_completes_commands_options_and_files(tmp_path, capsys):
    (tmp_path / "search.db").touch()
    assert main(["completion", "bash"]) == 0
    script = capsys.readouterr().out
    assert completed(["gpsearch", "sh"], script, tmp_path) == ["show"]
    assert completed(["gpsearch", "run", "--n-"], script, tmp_path) == ["--n-calls", "--n-jobs"]
    assert completed(["gpsearch", "show", "se"], script, tmp_path) == ["search.db"]
    assert completed(["gpsearch", "export", "search.db", "--format", "j"], script, tmp_path) == [
        "json"
    ]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_know_each_command_with_its_files(shell, capsys):
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert all(name in script for name in EXAMPLES)
    assert {"zsh": ":_files", "fish": "__fish_complete_path"}[shell] in script


def test_show_loads_nothing_that_takes_seconds(study):
    code = "import sys; from gpsearch.cli import main; main(sys.argv[1:])\n"
    code += (
        "print([m for m in ('skopt', 'scipy', 'sklearn', 'pandas', 'shtab') if m in sys.modules])"
    )
    for arguments in (["show", study], ["best", study]):
        run = subprocess.run(
            [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
        )
        assert run.stdout.splitlines()[-1] == "[]"


def test_report_in_markdown(study, tmp_path, capsys):
    assert main(["report", study, "--format", "md"]) == 0
    assert (tmp_path / "study.md").read_text().startswith("# Search: ")
    capsys.readouterr()
    page = str(tmp_path / "page.html")
    assert main(["report", study, "--format", "md", "-o", page]) == 2
    assert "--format md writes a file with the suffix .md" in capsys.readouterr().err
    assert main(["report", study, "-o", str(tmp_path / "page.pdf")]) == 2
    assert "print the page from a browser" in capsys.readouterr().err


def test_export_holds_every_trial(study, tmp_path, capsys):
    target = tmp_path / "new" / "trials.csv"
    assert main(["export", study, "-o", str(target)]) == 0
    frame = pd.read_csv(target)
    assert len(frame) == 3
    assert main(["export", study, "--format", "json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert len(rows) == 3
    assert main(["export", study, "-o", str(target.with_suffix(".json"))]) == 0
    assert json.loads(target.with_suffix(".json").read_text()) == rows
    assert main(["export", study, "--format", "csv", "-o", str(target.with_suffix(".json"))]) == 0
    assert target.with_suffix(".json").read_text() == target.read_text()


def test_export_keeps_every_digit(tmp_path, capsys):
    path = tmp_path / "exact.db"
    space = {"x": (1e-12, 1e-10, "log-uniform")}
    study = search(lambda params: params["x"] / 3, space, n_calls=3, study=path, progress=False)
    assert main(["export", str(path), "--format", "json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["score"] for row in rows] == [trial.score for trial in study.trials]
    assert [row["param_x"] for row in rows] == [trial.params["x"] for trial in study.trials]


def test_a_comparison_as_json_keeps_every_digit(tmp_path, capsys):
    path, space = str(tmp_path / "exact.db"), {"x": (1e-12, 1e-10, "log-uniform")}
    made = compare(
        lambda params: params["x"] / 3,
        space,
        strategies=["grid", "random"],
        n_calls=3,
        n_repeats=2,
        study=path,
        progress=False,
    )
    assert main(["compare", path, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["strategies"]
    assert [row["score"] for row in told] == made.table()["score"].tolist()
    assert told[0]["score"] > 0.0


def test_a_loss_is_told_as_json_beside_its_score(tmp_path, capsys):
    path = str(tmp_path / "loss.db")
    search(
        lambda params: params["x"] + 1.0,
        {"x": (0.0, 1.0)},
        n_calls=3,
        study=path,
        greater_is_better=False,
        progress=False,
    )
    best = Study.open(path).best_trial
    told = []
    for command in ("show", "best"):
        assert main([command, path, "--json"]) == 0
        told.append(json.loads(capsys.readouterr().out))
    assert told[0]["metric"] == "loss"
    for entry in (told[0]["best"], told[1]):
        assert (entry["loss"], entry["score"]) == (best.loss, -best.loss)
        assert entry["loss"] > 1.0


def test_a_text_that_reads_like_no_time_is_exported_as_it_is(tmp_path, capsys):
    path = str(tmp_path / "study.db")
    record = Study.create(path, space={"x": ["NaT", "nan"], "n": [None, 1.5]}, seed=0)
    with record.writing() as writer:
        writer.add_trial({"x": "NaT", "n": None}, [FoldResult(fold=0, score=0.5)])
    assert main(["export", path, "--format", "json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["param_x"], row["param_n"], row["std"]) == ("NaT", None, None)


@pytest.mark.parametrize("command", [["show", "--json"], ["best", "--json"], ["export"]])
def test_a_number_that_json_lacks_is_null(command, tmp_path, capsys):
    path, table = str(tmp_path / "study.db"), tmp_path / "table.json"
    space = {"x": (0.0, 1.0), "norm": [float("inf")]}
    search(lambda params: params["x"], space, n_calls=2, study=path, progress=False)
    assert main([command[0], path, *(command[1:] or ["-o", str(table)])]) == 0
    told = table.read_text() if table.exists() else capsys.readouterr().out
    assert "null" in told
    json.loads(told, parse_constant=pytest.fail)


def test_studies_whose_names_end_in_a_number_have_a_page_each(study, tmp_path, capsys):
    pages = []
    for name in ("v1.1", "v1.2", "v1"):
        shutil.copy(study, tmp_path / name)
        assert main(["report", str(tmp_path / name)]) == 0
        pages.append(capsys.readouterr().out.split("/")[-1].strip())
    assert pages == ["v1.1.html", "v1.2.html", "v1.html"]


@pytest.mark.parametrize("command", [["show"], ["show", "--json"], ["best"], ["best", "--json"]])
def test_a_study_without_a_result_has_its_own_exit_code(empty, command, capsys):
    assert main([*command, empty]) == 1
    capsys.readouterr()


@pytest.mark.parametrize("command", ["show", "best", "export", "report"])
def test_a_missing_study_is_one_sentence(tmp_path, command, capsys):
    assert main([command, str(tmp_path / "none.db")]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("gpsearch: ")
    assert "none.db" in captured.err
    assert "Traceback" not in captured.err


def test_init_prints_a_configuration_that_loads(tmp_path, capsys):
    assert main(["init"]) == 0
    path = tmp_path / "search.toml"
    path.write_text(capsys.readouterr().out)
    config = load_config(path)
    assert config.search["n_calls"] == 50
    assert "momentum" in config.space.names
    assert "momentum" not in config.space.params(config.space.point({**_defaults, "opt": "adam"}))


_defaults = {
    "learning_rate": 0.01,
    "n_neurons": 32,
    "n_hidden": 2,
    "drop_rate": 0.1,
    "batch_size": 32,
    "act_func": "relu",
}


def test_a_wrong_call_exits_with_two(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["runn"])
    assert ended.value.code == 2
    assert "invalid choice" in capsys.readouterr().err
    assert main(["run", "none.toml"]) == 2


class Interrupted:
    """A configuration whose search is interrupted; keeps what it was run with."""

    study, report = "study.db", "report.html"
    source = SimpleNamespace(content={"report": report})

    def __init__(self, path):
        self.path = path

    def run(self, **overrides):
        self.overrides = overrides
        study = Study.open(self.path)
        with study.writing() as writer:
            writer.set_stop_reason(StopReason.INTERRUPTED.value)
        return study


def test_an_interrupted_run_gives_the_prompt_back_with_its_own_code(study, monkeypatch, capsys):
    config = Interrupted(study)
    monkeypatch.setattr("gpsearch.cli.searches.load_config", lambda path: config)
    assert main(["run", "search.toml", "--dask", "tcp://host:8786"]) == 130
    assert config.overrides == {"executor": "tcp://host:8786"}
    assert capsys.readouterr().out == ""  # the search itself has said how it goes on


def test_the_confirmed_winner_is_shown(study, capsys):
    made = Confirmation(trials=3, winner=0, probability=0.6, expected=0.7, favourite=1, luck=0.1)
    with Study.open(study).writing() as writer:
        writer.set_confirmation(made)
        writer.record_fresh(1, 0, FoldResult(fold=0, score=0.7, seconds=30.0))
    main(["show", study])
    text = capsys.readouterr().out
    assert "3 trials, and 30 s on fresh splits" in text
    assert "trial 0, " in text
    assert all(sentence in text for sentence in made.sentences())
    main(["show", study, "--json"])
    shown = json.loads(capsys.readouterr().out)
    assert (shown["best"]["trial"], shown["confirmation"]["luck"]) == (0, 0.1)


def test_run_leaves_it_to_the_command_to_tell_the_verdict(capsys, monkeypatch):
    """Standard output and standard error may both be seen, as in ``gpsearch run ... | cat``."""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    for untold, told in ((contextlib.nullcontext, 1), (end_untold, 0)):
        with contextlib.closing(Progress(1, shown=True)) as progress, untold():
            progress.last_lines(["the verdict"])
        assert capsys.readouterr().err.count("the verdict") == told


def test_show_tells_a_running_search_from_a_dead_one(study, capsys):
    assert main(["show", study]) == 0
    assert "No search is running; the same command continues it." in capsys.readouterr().out
    record = Study.open(study)
    with record.writing() as writer:
        assert main(["show", study]) == 0
        assert f"Process {os.getpid()} is searching." in capsys.readouterr().out
        assert main(["show", study, "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["writer"] == f"process {os.getpid()}"
        writer.set_stop_reason(StopReason.BUDGET.value)
    assert main(["show", study, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["writer"] is None
    main(["show", study])
    assert StopReason.BUDGET.value in capsys.readouterr().out


@pytest.mark.parametrize("command", ["export", "report"])
def test_a_place_that_cannot_be_written_is_one_sentence(study, tmp_path, command, capsys):
    (tmp_path / "file").touch()
    assert main([command, study, "-o", str(tmp_path / "file" / "out")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"gpsearch: {tmp_path / 'file' / 'out'} cannot be written: ")


def command(*arguments, **options):
    """The command in a process of its own."""
    return subprocess.Popen([sys.executable, "-m", "gpsearch", *arguments], text=True, **options)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a disk that is always full")
@pytest.mark.parametrize(
    "arguments", [["show"], ["show", "--json"], ["best"], ["export"], ["init"], ["--help"]]
)
def test_standard_output_on_a_full_disk_is_one_sentence(study, arguments, monkeypatch, capsys):
    if arguments[0] not in ("init", "--help"):
        arguments = [arguments[0], study, *arguments[1:]]
    with open("/dev/full", "w") as full:
        monkeypatch.setattr("sys.stdout", full)
        try:
            assert main(arguments) == 2
        finally:
            monkeypatch.undo()
            with contextlib.suppress(OSError):
                full.close()
    (line,) = capsys.readouterr().err.splitlines()
    assert "standard output cannot be written: No space left" in line


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a disk that is always full")
def test_a_process_on_a_full_disk_ends_without_a_word_more(study):
    with open("/dev/full", "w") as full:
        process = command("show", study, stdout=full, stderr=subprocess.PIPE)
        _, err = process.communicate(timeout=120)
    assert process.returncode == 2
    assert err == "gpsearch: standard output cannot be written: No space left on device.\n"


def test_ctrl_c_during_the_imports_is_one_sentence(study):
    environment = {**os.environ, "PYTHONVERBOSE": "1"}
    process = command("show", study, stderr=subprocess.PIPE, env=environment)
    lines = []
    for line in process.stderr:
        if "import 'gpsearch.errors'" in line:
            process.send_signal(signal.SIGINT)
        if not line.startswith(("import ", "#")):
            lines.append(line)
    assert process.wait(timeout=120) == 130
    process.stderr.close()
    assert "gpsearch: interrupted.\n" in lines
    assert not any("Traceback" in line for line in lines)


def test_what_nobody_expected_is_one_sentence_as_well(study, monkeypatch, capsys):
    def broken(path):
        raise ZeroDivisionError("no")

    monkeypatch.setattr("gpsearch.cli.records.Study.open", broken)
    assert main(["show", study]) == 3
    (line,) = capsys.readouterr().err.splitlines()
    assert re.fullmatch(r"gpsearch: ZeroDivisionError: no \(line \d+ of test_cli.py\)", line)


@pytest.mark.parametrize("name", ["show", "best"])
def test_a_study_whose_trials_all_failed_gives_the_reason(tmp_path, name, capsys):
    path = tmp_path / "failed.db"
    with Study.create(path, space={"lr": (0.1, 0.9)}, seed=0).writing() as writer:
        number = writer.start_trial({"lr": 0.5}, seed=0)
        writer.end_trial(number, "failed", reason="ValueError: no such layer")
    assert main([name, str(path)]) == 1
    captured = capsys.readouterr()
    assert "ValueError: no such layer" in captured.out + captured.err

"""Trials as runs of TensorBoard, read back from the files that it reads."""

import struct

import pytest

from gpsearch.callbacks import TensorBoard
from gpsearch.errors import InvalidSearchError
from gpsearch.evaluation import FoldResult
from gpsearch.execution import search
from gpsearch.study import Study

event_pb2 = pytest.importorskip("tensorboardX.proto.event_pb2")
plugin_hparams_pb2 = pytest.importorskip("tensorboardX.proto.plugin_hparams_pb2")

SPACE = {
    "rate": (0.1, 0.9),
    "units": (1, 9),
    "act": ["relu", ("leaky", 0.1)],
    "bias": [True, False],
}


def make_study(path=None, n_trials=2):
    study = Study.create(path, space=SPACE, seed=0)
    with study.writing() as writer:
        for i in range(n_trials):
            params = {"rate": 0.25 + i / 8, "units": 3, "act": ("leaky", 0.1), "bias": True}
            number = writer.start_trial(params, seed=i)
            for j in range(2):
                curves = {"loss": (3.0 + i, 2.0 + j)}
                fold = FoldResult(fold=j, score=0.5 + j / 4, curves=curves, metrics={"auc": 0.75})
                writer.record_fold(number, fold)
            writer.end_trial(number, "complete")
        number = writer.start_trial(params | {"rate": 0.75}, seed=9)
        writer.end_trial(number, "failed", reason="ValueError: <b>diverged</b>")
        writer.start_trial(params | {"rate": 0.875}, seed=10)
    return study


def events(folder):
    """Events of the one file of a run: length, its check, the event, its check."""
    (path,) = folder.iterdir()
    content, found = path.read_bytes(), []
    while content:
        (length,) = struct.unpack("<Q", content[:8])
        found.append(event_pb2.Event.FromString(content[12 : 12 + length]))
        content = content[16 + length :]
    return found


def scalars(folder):
    return {
        (value.tag, event.step): value.simple_value
        for event in events(folder)
        for value in event.summary.value
        if value.HasField("simple_value")
    }


def hparams(folder):
    """Params of the HParams page."""
    for event in events(folder):
        for value in event.summary.value:
            if value.tag == "_hparams_/session_start_info":
                content = value.metadata.plugin_data.content
                data = plugin_hparams_pb2.HParamsPluginData.FromString(content)
                return {
                    name: getattr(stored, stored.WhichOneof("kind"))
                    for name, stored in data.session_start_info.hparams.items()
                }
    raise AssertionError("no params")


def test_every_finished_trial_is_a_run_with_its_params_and_results(tmp_path):
    TensorBoard(tmp_path).write(make_study())
    assert sorted(p.name for p in tmp_path.iterdir()) == ["trial-0000", "trial-0001", "trial-0002"]
    assert hparams(tmp_path / "trial-0001") == {
        "rate": 0.375,
        "units": 3.0,
        "act": "('leaky', 0.1)",
        "bias": True,
        "state": "complete",
    }
    found = scalars(tmp_path / "trial-0001")
    assert found["score", 1] == 0.625
    assert found["auc", 1] == 0.75
    assert [found["loss/fold_1", epoch] for epoch in (1, 2)] == [4.0, 3.0]


def test_a_failed_trial_has_its_reason_and_no_score(tmp_path):
    TensorBoard(tmp_path).write(make_study())
    assert ("score", 2) not in scalars(tmp_path / "trial-0002")
    assert hparams(tmp_path / "trial-0002")["state"] == "failed"
    assert any(
        b"diverged" in event.SerializeToString() for event in events(tmp_path / "trial-0002")
    )


def test_what_is_written_is_left_alone_and_what_was_half_written_is_written_anew(tmp_path):
    study = make_study()
    TensorBoard(tmp_path).write(study)
    before = {p: p.stat().st_mtime_ns for p in tmp_path.glob("*/*")}
    (tmp_path / "trial-0001").rename(tmp_path / "trial-0001.unfinished")
    TensorBoard(tmp_path).write(study)
    after = {p: p.stat().st_mtime_ns for p in tmp_path.glob("*/*")}
    assert len(after) == len(before)
    assert {p for p in before if after.get(p) != before[p]} <= set(
        (tmp_path / "trial-0001").iterdir()
    ) | {p for p in before if p.parent.name == "trial-0001"}
    assert scalars(tmp_path / "trial-0001")["score", 1] == 0.625


def test_a_folder_that_cannot_be_written_does_not_end_the_search(tmp_path, caplog):
    (tmp_path / "file").touch()
    study = search(
        lambda params: params["x"],
        {"x": (0.0, 1.0)},
        n_calls=3,
        strategy="random",
        callback=TensorBoard(tmp_path / "file"),
        progress=False,
    )
    assert len(study.trials) == 3
    assert "TensorBoard did not receive trial 0" in caplog.text


def test_a_missing_library_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "tensorboardX", None)
    with pytest.raises(InvalidSearchError, match=r"pip install 'gpsearch\[tensorboard\]'"):
        TensorBoard(tmp_path)

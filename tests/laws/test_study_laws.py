"""Laws of the record, on random spaces, params and results."""

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gpsearch.evaluation import FoldResult
from gpsearch.space import Categorical, Integer, Real, Space
from gpsearch.study import Study
from gpsearch.study.encoding import ParamsEncoding

plain = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False),
    st.text(max_size=5),
)
categories = st.lists(
    st.recursive(plain, lambda inner: st.lists(inner, max_size=3).map(tuple), max_leaves=4),
    min_size=2,
    max_size=5,
    unique_by=repr,
)


@st.composite
def spaces(draw):
    low = draw(st.floats(1e-9, 1e3))
    return Space(
        {
            "real": Real(low, low * draw(st.floats(2.0, 1e6)), prior="log-uniform"),
            "integer": Integer(-3, draw(st.integers(0, 10**9))),
            "choice": Categorical(draw(categories.filter(_distinct))),
        }
    )


def _distinct(values):
    # what Python holds for equal, 1 and 1.0 or 0.0 and -0.0, is refused as a repeated category
    return all(a != b or type(a) is not type(b) for i, a in enumerate(values) for b in values[:i])


scores = st.floats(allow_nan=True, allow_infinity=True)
folds = st.builds(
    FoldResult,
    fold=st.integers(0, 99),
    score=scores,
    best_epoch=st.none() | st.integers(1, 10**6),
    epochs=st.none() | st.integers(1, 10**6),
    curves=st.dictionaries(
        st.text(max_size=5), st.lists(scores, max_size=4).map(tuple), max_size=2
    ),
    metrics=st.dictionaries(st.text(max_size=5), scores, max_size=2),
    seconds=st.floats(0, 1e9),
    train_metrics=st.dictionaries(st.text(max_size=5), scores, max_size=2),
    fit_seconds=st.none() | st.floats(0, 1e9),
    score_seconds=st.none() | st.floats(0, 1e9),
    work=st.none() | st.floats(0, 1e9),
    trainer=st.text(max_size=9),
    note=st.text(max_size=9),
    error=st.text(max_size=9),
)


@settings(max_examples=100, deadline=None)
@given(space=spaces(), seed=st.integers(0, 2**32 - 1))
def test_params_come_back_from_json_as_they_were(space, seed):
    encoding = ParamsEncoding(space)
    stranger = ParamsEncoding(Space.from_json(space.to_json()))
    for point in space.sample(5, np.random.default_rng(seed)):
        params = space.params(point)
        text = encoding.encode(params)
        assert repr(encoding.decode(text)) == repr(params)
        assert repr(stranger.decode(text)) == repr(params)


@settings(max_examples=50, deadline=None)
@given(results=st.lists(folds, max_size=4, unique_by=lambda fold: fold.fold))
def test_fold_results_come_back_as_they_were(results):
    study = Study.create(None, space={"x": Real(0.0, 1.0)}, seed=0)
    with study.writing() as writer:
        number = writer.start_trial({"x": 0.5}, seed=1)
        for fold in results:
            writer.record_fold(number, fold)
        written = study.trials[0].folds
        writer.end_trial(number, "failed")
    with study.writing():  # reads everything anew
        (trial,) = study.trials
    assert [_told(fold) for fold in trial.folds] == [_told(fold) for fold in written]
    assert [fold.fold for fold in trial.folds] == sorted(fold.fold for fold in results)


def _told(fold):
    curves = {name: repr(values) for name, values in fold.curves.items()}
    metrics = [repr(dict(values)) for values in (fold.metrics, fold.train_metrics)]
    score = "nan" if math.isnan(fold.score) else repr(fold.score + 0.0)  # -0.0 becomes 0.0
    times = (fold.seconds, fold.fit_seconds, fold.score_seconds, fold.work)
    rest = (fold.fold, fold.best_epoch, fold.epochs, fold.trainer, fold.note, fold.error)
    return (score, curves, metrics, times, rest)

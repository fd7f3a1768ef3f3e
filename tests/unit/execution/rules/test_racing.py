import numpy as np

from gpsearch.evaluation import FoldResult
from gpsearch.execution.rules.racing import paired
from gpsearch.space import Real
from gpsearch.study import Study, Trial


def study_of(*outcomes):
    study = Study.create(None, space={"x": Real(0.0, 1.0)}, seed=0)
    with study.writing() as writer:
        for state, scores in outcomes:
            number = writer.start_trial({"x": 0.5}, seed=0)
            for j, score in enumerate(scores):
                writer.record_fold(number, FoldResult(fold=j, score=float(score)))
            if state != "running":
                writer.end_trial(number, state)
    return study


def test_without_an_incumbent_every_trial_goes_on():
    study = study_of(("failed", [1.0]), ("running", [-1e9]))
    assert paired(study, study.trials[-1])


def drawn(rng, n, *, effects, noise=0.1, spread=1.0):
    """Complete trials of n params: a mean of each, the effects of the folds, noise."""
    means = spread * rng.normal(size=(n, 1))
    return [("complete", row) for row in means + effects + noise * rng.normal(size=(n, 5))]


def test_paired_is_not_misled_by_folds_that_are_easy_for_all():
    """Half a point below the incumbent on the easy fold is hopeless where the noise is 0.1."""
    rng = np.random.default_rng(0)
    effects = np.array([9.0, 3.0, 0.0, -4.0, -8.0])
    complete = drawn(rng, 12, effects=effects)
    best = max((scores for _, scores in complete), key=np.mean)
    for worse, goes_on in [(-1.0, False), (-0.5, False), (0.0, True), (0.5, True)]:
        study = study_of(*complete, ("running", [best[0] + worse]))
        assert paired(study, study.trials[-1]) is goes_on


def test_paired_waits_until_the_scatter_of_the_folds_is_known():
    complete = drawn(np.random.default_rng(1), 3, effects=np.zeros(5))
    study = study_of(*complete, ("running", [-50.0]))
    assert paired(study, study.trials[-1])
    study = study_of(*complete, complete[0], ("running", [-50.0]))
    assert not paired(study, study.trials[-1])


def test_paired_rarely_stops_what_would_have_won():
    """Trials as good as the incumbent, so that half of them win: few are lost on the way."""
    rng = np.random.default_rng(2)
    effects = rng.normal(size=5)
    complete = drawn(rng, 40, effects=effects)
    best = max((scores for _, scores in complete), key=np.mean)
    study, won, lost = study_of(*complete), 0, 0
    for _ in range(400):
        scores = best.mean() - effects.mean() + effects + 0.1 * rng.normal(size=5)
        if scores.mean() <= best.mean():
            continue
        won += 1
        lost += not all(
            paired(study, running_trial(study, scores[:m])) for m in range(1, len(scores))
        )
    assert won > 150
    assert lost / won < 0.03


def running_trial(study, scores):
    folds = tuple(FoldResult(fold=j, score=float(s)) for j, s in enumerate(scores))
    return Trial(
        number=len(study.trials),
        state="running",
        params={"x": 0.5},
        folds=folds,
        seed=0,
        started=0.0,
    )

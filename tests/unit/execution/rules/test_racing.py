import dataclasses

import numpy as np

from gpsearch.evaluation import FoldResult
from gpsearch.execution.rules.racing import paired
from gpsearch.space import Real
from gpsearch.study import Study, Trial
from gpsearch.study.trial import BASELINE


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


def test_a_given_score_does_not_end_the_racing():
    """It is of one fold, which cannot be compared with those of the trials, however good it is."""
    complete = drawn(np.random.default_rng(3), 4, effects=np.zeros(5))
    study = study_of(("complete", [99.0]), *complete, ("running", [-50.0]))
    assert not paired(study, study.trials[-1])


def test_dead_trainings_do_not_make_the_first_fold_certain():
    """More than half score the share of one class, which tells nothing of the scatter of others."""
    rng = np.random.default_rng(4)
    dead = [("complete", np.array([0.61, 0.59, 0.6, 0.6, 0.62]))] * 6
    alive = drawn(rng, 4, effects=np.full(5, 5.0), noise=0.1, spread=0.0)
    best = max((scores for _, scores in alive), key=np.mean)
    study = study_of(*dead, *alive)
    for behind, goes_on in ((0.05, True), (2.0, False)):
        assert paired(study, running_trial(study, [best[0] - behind])) is goes_on


def test_a_baseline_runs_all_folds():
    """Without them, the end of the search could not say what is gained over it."""
    study = study_of(*drawn(np.random.default_rng(5), 6, effects=np.zeros(5)))
    loser = running_trial(study, [-50.0])
    assert not paired(study, loser)
    assert paired(study, dataclasses.replace(loser, origin=BASELINE))

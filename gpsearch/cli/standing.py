"""How a search stands, as lines of text and as JSON."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from gpsearch.cli.terminal import fact, label, paint
from gpsearch.described import counted, duration, score_text, value_text
from gpsearch.study import Study, Trial
from gpsearch.study.contenders import best_first, differing
from gpsearch.study.info import digits_of
from gpsearch.study.lock import holder_of
from gpsearch.study.trial import seconds_left

N_BEST = 5
REASONS_SHOWN, REASON_WIDTH = 3, 160
STATES = ("complete", "stopped", "failed", "running")


def standing_lines(study: Study) -> list[str]:
    """All that ``gpsearch show`` tells."""
    lines = [state_line(study)]
    if study.complete:
        return [*lines, *result_lines(study), *_next_best(study), *_failures(study)]
    return [*lines, first_failure(study)]


def state_line(study: Study) -> str:
    """How many trials there are, how long the others take, and who is searching."""
    trials = study.trials
    counts = Counter[str](trial.state for trial in trials)
    text = f"{study.path}: {_progress(study)}"
    if trials:
        text += f" ({', '.join(f'{counts[state]} {state}' for state in STATES if counts[state])})"
    assert study.path is not None
    holder = holder_of(study.path)
    if holder:
        left = _seconds_left(study)
        now = f"{holder[0].upper()}{holder[1:]} is searching"
        now += "." if left is None else f", about {duration(left)} left."
    elif study.stop_reason or not trials:
        now = study.stop_reason
    else:
        now = "No search is running; the same command continues it."
    return f"{text}. {now}".rstrip()


def result_lines(study: Study) -> list[str]:
    """The best trial, what it is worth, and the time that all trials took."""
    best, trials = study.best_trial, study.trials
    works = [trial.work for trial in study.ended]
    known = [work for work in works if work is not None]
    work = f" (work of {duration(sum(known))})" if known and known == works else ""
    fresh = study.fresh_seconds
    again = f", and {duration(fresh)} on fresh splits" if fresh else ""
    return [
        f"{label('Best')}trial {best.number}, {paint(_score(study, best), 'green')}",
        params_lines(best.params, indent="  "),
        *(fact("", sentence) for sentence in study.confirmed()),
        fact(
            "Time",
            f"{duration(sum(trial.seconds for trial in trials))} of training{work}, "
            f"{counted(len(trials), 'trial')}{again}",
        ),
    ]


def params_lines(params: Mapping[str, Any], indent: str = "") -> str:
    """A configuration, one value a line."""
    width = max(map(len, params))
    return "\n".join(
        f"{indent}{name:<{width}}  {value_text(value, 6)}" for name, value in params.items()
    )


def first_failure(study: Study) -> str:
    """Why no trial is complete."""
    reasons = [trial.reason for trial in study.trials if trial.state == "failed"]
    return f"The first failure: {reasons[0]}" if reasons else "No trial has ended."


def summary(study: Study) -> dict[str, Any]:
    """What ``gpsearch show --json`` tells."""
    trials, complete = study.trials, _best_first(study)
    best = [{"trial": t.number} | worth(study, t) | {"params": dict(t.params)} for t in complete]
    return {
        "study": str(study.path),
        "metric": study.score_name,
        "n_calls": study.budget,
        "trials": {s: sum(trial.state == s for trial in trials) for s in STATES},
        "seconds_left": _seconds_left(study),
        "stop_reason": study.stop_reason,
        "writer": (study.path and holder_of(study.path)) or None,
        "best": best[0] if best else None,
        "best_trials": best[:N_BEST],
        "failures": dict(_reasons(study).most_common()),
        "confirmation": study.confirmation and study.confirmation.to_json(),
        "first_failure": None if best else first_failure(study),
    }


def worth(study: Study, trial: Trial) -> dict[str, float]:
    """The score of a trial, greater is better, and the loss that a function gave it for."""
    loss = {} if study.greater_is_better else {"loss": trial.loss}
    return {"score": trial.score} | loss


def _progress(study: Study) -> str:
    evaluated = sum(not trial.is_given for trial in study.ended)
    if not study.trials:
        return "no trial yet"
    if study.budget is None or study.budget < evaluated:
        return counted(len(study.trials), "trial")
    given = len(study.ended) - evaluated
    of = f"{evaluated} of {counted(study.budget, 'trial')}"
    return f"{of} and {given} given" if given else of


def _seconds_left(study: Study) -> float | None:
    evaluated = [trial for trial in study.ended if not trial.is_given]
    has_ended = study.stop_reason and not (study.path and holder_of(study.path))
    if has_ended or study.budget is None or study.budget < len(evaluated):
        return None
    return seconds_left(evaluated, study.budget - len(evaluated))


def _best_first(study: Study) -> list[Trial]:
    return best_first(study.complete, study.best_trial) if study.complete else []


def _next_best(study: Study) -> list[str]:
    """The trials after the best, each with what differs from it."""
    best, *others = _best_first(study)[:N_BEST]
    digits = digits_of(study.info)
    lines = []
    for trial in others:
        differs = [
            f"{name}={value_text(trial.params[name], digits.get(name, 3))}"
            if name in trial.params
            else f"no {name}"
            for name in differing(trial.params, best.params)
        ]
        score = _number(study, trial)
        lines.append(f"  trial {trial.number:<4} {score}  {paint(', '.join(differs), 'dim')}")
    return [f"{label('Next')}with what differs from the best", *lines] if lines else []


def _failures(study: Study) -> list[str]:
    reasons = _reasons(study)
    lines = [
        f"  {n} x {reason[:REASON_WIDTH]}{' ...' if len(reason) > REASON_WIDTH else ''}"
        for reason, n in reasons.most_common(REASONS_SHOWN)
    ]
    if further := reasons.total() - sum(n for _, n in reasons.most_common(REASONS_SHOWN)):
        lines.append(f"  {further} for other reasons")
    failed = paint(f"{reasons.total()} of {counted(len(study.ended), 'trial')}", "red")
    return [f"{label('Failed')}{failed}", *lines] if reasons else []


def _reasons(study: Study) -> Counter[str]:
    return Counter(trial.reason for trial in study.ended if trial.state == "failed")


def best_text(study: Study) -> str:
    """The best trial and its score, in a few words."""
    return f"trial {study.best_trial.number}, {study.score_name} {_number(study, study.best_trial)}"


def _score(study: Study, trial: Trial) -> str:
    text = f"{study.score_name} {_number(study, trial)}"
    return f"{text} (standard error over {len(trial.folds)} folds)" if " ± " in text else text


def _number(study: Study, trial: Trial) -> str:
    return score_text(study.as_user_value(trial.score), trial.standard_error)

"""Everything gpsearch raises on purpose.

One base class, so that ``except GPSearchError`` catches all of it; each kind is also the
builtin that a caller who has never heard of gpsearch would expect. A message names the call,
the value, the rule and the remedy.
"""


class GPSearchError(Exception):
    """Base of every error that gpsearch raises on purpose."""


class InvalidSpaceError(GPSearchError, ValueError):
    """A search space, or an entry of one, breaks a rule."""


class InvalidParamsError(GPSearchError, ValueError):
    """Params or a point do not belong to the space."""


class InvalidObjectiveError(GPSearchError, ValueError):
    """The model function, the data, the folds or the scoring cannot be evaluated."""


class TrialFailedError(GPSearchError, RuntimeError):
    """One evaluation gives no score, as where training diverges; other params may well."""


class InvalidConfigError(GPSearchError, ValueError):
    """A configuration file breaks a rule."""


class InvalidSearchError(GPSearchError, ValueError):
    """An argument of a search breaks a rule."""


class SpaceExhaustedError(GPSearchError, RuntimeError):
    """Nothing that is both feasible and not yet evaluated is left to propose."""


class StudyError(GPSearchError, RuntimeError):
    """A study cannot serve what was asked of it."""


class StudyMismatchError(StudyError, ValueError):
    """A study holds another space, objective or seed than the search that wants to continue it."""


class StudyLockedError(StudyError):
    """Another process is writing to the study."""


class StudyCorruptError(StudyError):
    """The file is not a study, or its content is damaged."""


class StudyReadOnlyError(StudyError):
    """A study opened for reading was asked to write."""

"""Everything gpsearch raises on purpose, and how an error learns which call the user made.

One base class, so that ``except GPSearchError`` catches all of it; each kind is also the
builtin that a caller who has never heard of gpsearch would expect. The text is one sentence,
``call(argument=value): rule. remedy``.

A function deep in the package knows the argument and the rule, not the call. Each public call
is marked with `public`: an error that passes through it takes its name. Public calls use each
other, so the outermost one that has the argument wins, and the first one that was called from
outside of the package ends it: code of the user's that runs inside a search and calls `KerasCV`
sees "KerasCV".
"""

import contextlib
import functools
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ParamSpec, Self, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

LONGEST = 200  # characters of a value that a message shows


class GPSearchError(Exception):
    """Base of every error that gpsearch raises on purpose.

    Parameters
    ----------
    rule : str
        What must hold, and what to write instead.

    Attributes
    ----------
    argument : str
        Name of the argument that breaks the rule; set by `about`, as are `value` and `entry`.
    value : str
        Text of what was given for it.
    entry : str
        Where `value` is one entry of a dict: its key.
    call : str
        The call that the user made; set by `public`.

    Examples
    --------
    >>> print(GPSearchError("must be at least 1.").about("n_calls", 0))
    n_calls=0: must be at least 1.
    """

    def __init__(self, rule: str = "") -> None:
        super().__init__(rule)
        self.argument = self.value = self.entry = self.call = ""
        self._is_final = False

    def about(self, argument: str, value: Any = ..., *, entry: str = "") -> Self:
        """Name the argument that breaks the rule; without `value` where it says nothing, as data.

        >>> raise GPSearchError("must be at least 1.").about("n_calls", 0)
        Traceback (most recent call last):
        gpsearch.errors.GPSearchError: n_calls=0: must be at least 1.
        """
        self.argument, self.entry = argument, entry
        self.value = _shown(value)  # as text: the error goes from a worker to the search
        return self

    @property
    def rule(self) -> str:
        """The message without the call, the argument and the value."""
        return str(self.args[0])

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"

    def __str__(self) -> str:
        if not self.argument:
            return self.rule
        value = f"{{{self.entry!r}: {self.value}}}" if self.entry else self.value
        given = f"{self.argument}={value}"
        return f"{f'{self.call}({given})' if self.call else given}: {self.rule}"


def public(**renamed: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Mark a public call: an error that leaves it names it.

    `renamed` holds this call's name for an argument of a function that it uses.
    """

    def mark(function: Callable[P, T]) -> Callable[P, T]:
        @functools.wraps(function)
        def marked(*args: P.args, **kwargs: P.kwargs) -> T:
            try:
                return function(*args, **kwargs)
            except GPSearchError as error:
                if not error._is_final:
                    error.argument = renamed.get(error.argument, error.argument)
                    error.call = _call_with(error.argument, function, args, kwargs) or error.call
                    module = sys._getframe(1).f_globals.get("__name__", "")
                    error._is_final = module.split(".")[0] != "gpsearch"
                raise

        return marked

    return mark


@contextlib.contextmanager
def renaming(**renamed: str) -> Iterator[None]:
    """Give the arguments of the functions called in a block the names that the caller has."""
    try:
        yield
    except GPSearchError as error:
        if not error._is_final:
            error.argument = renamed.get(error.argument, error.argument)
        raise


def _call_with(
    argument: str, function: Callable[..., Any], args: Any, kwargs: Mapping[str, Any]
) -> str:
    """Name of the call that takes the argument; empty where neither it nor its class does."""
    takes = not argument or argument in kwargs
    takes = takes or argument in inspect.signature(function).parameters
    owner, _, name = function.__qualname__.rpartition(".")
    if not owner:
        return name if takes else ""
    made = args[0] if isinstance(args[0], type) else type(args[0])
    if not takes:
        return made.__name__ if argument in inspect.signature(made).parameters else ""
    return made.__name__ if name in ("__init__", "__new__") else f"{made.__name__}.{name}"


def _shown(value: Any) -> str:
    """A value on one line; "..." where it is long or has no text."""
    if value is ...:
        return "..."
    try:
        text = str(getattr(value, "__name__", "")) or repr(value)
    except Exception:  # the user's object
        text = f"<{type(value).__name__}>"
    return text if len(text) <= LONGEST and "\n" not in text else "..."


class InvalidSpaceError(GPSearchError, ValueError):
    """A search space, or an entry of one, breaks a rule."""


class InvalidParamsError(GPSearchError, ValueError):
    """A configuration or a point does not belong to the space."""


class InvalidObjectiveError(GPSearchError, ValueError):
    """The model function, the data, the folds or the scoring cannot be evaluated."""


class TrialFailedError(GPSearchError, RuntimeError):
    """One evaluation gives no score, as where training diverges; other configurations may."""


class FitFailedError(TrialFailedError):
    """An estimator of scikit-learn's kind raised in a fold."""


class InvalidConfigError(GPSearchError, ValueError):
    """A configuration file breaks a rule."""


class InvalidSearchError(GPSearchError, ValueError):
    """An argument of a search breaks a rule."""


class SpaceExhaustedError(GPSearchError, RuntimeError):
    """Nothing that is both feasible and not yet evaluated is left to propose."""


class UnwritableError(GPSearchError, OSError):
    """A file cannot be written."""


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

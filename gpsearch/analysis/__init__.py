"""What one study says about random search, its dimensions and its best configurations.

`forecast` estimates what more trials would bring, `best_of_random` the result of a random search
of the same space, `sensitivity` the importance of each dimension; `one_standard_error` finds a
simpler configuration that is as good, `trade_off` the best under each bound on size and time;
`best_ensemble` averages the best ones, where that gains. `posterior` samples from the surrogate of
a finished study. Nothing here writes a study.
"""

from gpsearch.analysis.best_of_random import RandomEstimate, estimate_random, search_gain
from gpsearch.analysis.ensemble_selection import EnsembleSelection, best_ensemble, select_ensemble
from gpsearch.analysis.forecast import Forecast, forecast
from gpsearch.analysis.one_standard_error import OneStandardError, one_standard_error
from gpsearch.analysis.sensitivity import Importance, estimate_importance
from gpsearch.analysis.trade_off import TradeOff, trade_off

__all__ = [
    "EnsembleSelection",
    "Forecast",
    "Importance",
    "OneStandardError",
    "RandomEstimate",
    "TradeOff",
    "best_ensemble",
    "estimate_importance",
    "estimate_random",
    "forecast",
    "one_standard_error",
    "search_gain",
    "select_ensemble",
    "trade_off",
]

"""Ask and tell as scikit-optimize has it, over gpsearch's search.

`Optimizer` is a ``skopt.Optimizer`` and `gp_minimize` has the signature of
``skopt.gp_minimize``: a script changes one import. `skopt_arguments` reads dimensions and points as
scikit-optimize does, `proposals` maps its acquisition functions, `models` are the fitted
surrogates that its plots take, and `study_result` shows a study as its ``OptimizeResult``.

Its own tests run unchanged (``benchmarks/skopt_tests.py``). What differs on purpose:

================ ===========================================================================
first points     a scrambled Sobol sequence; ``initial_point_generator="random"`` draws
                 scikit-optimize's numbers, apart from those of Integers, uniform here
names            a dimension with the name of a network's setting is searched first where such a
                 setting is usually good; ``optimum_prior=None`` treats all alike
ask              every call gives another point, which is pending until it is told;
                 ``base_estimator="GP"`` has scikit-optimize's ask, which repeats itself
failures         a loss of NaN or infinity is data; it stands in ``func_vals`` as inf
finite spaces    no point is asked for twice; at the end `Optimizer` raises
                 SpaceExhaustedError, and `gp_minimize`, which promises `n_calls` calls,
                 evaluates the most promising points again and warns
fitting          happens when a point is asked for: ``tell(fit=False)`` adds no model, and
                 its losses are used nevertheless
models           one for each tell, as there, but only the last holds a fit; an earlier one
                 fits again when it is asked to predict
margins          `xi` is in standard deviations of the losses, and for PI alone
values           points hold plain Python values, and category objects by identity
================ ===========================================================================
"""

from gpsearch.optimizer.ask_tell import Optimizer
from gpsearch.optimizer.minimize import gp_minimize
from gpsearch.optimizer.result import study_result

__all__ = ["Optimizer", "gp_minimize", "study_result"]

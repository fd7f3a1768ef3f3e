"""Ask and tell as scikit-optimize has it, over gpsearch's search.

`Optimizer` is a ``skopt.Optimizer`` and `gp_minimize` has the signature of
``skopt.gp_minimize``: a script changes one import. `reading` takes dimensions and points as
scikit-optimize does, `proposals` maps its acquisition functions, `models` are the fitted
surrogates that its plots take, and `study_result` shows a study as its ``OptimizeResult``.
"""

from gpsearch.optimizer.ask_tell import Optimizer
from gpsearch.optimizer.minimize import gp_minimize
from gpsearch.optimizer.result import study_result

__all__ = ["Optimizer", "gp_minimize", "study_result"]

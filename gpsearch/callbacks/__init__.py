"""Callbacks that send the trials of a search to other tools.

Each library is imported by its own module alone, when the callback is made. A callback has one
method, ``on_trial_end(study, trial)``; `gpsearch.search` takes any object that has it, beside
scikit-optimize's functions of an ``OptimizeResult``. Both also take a study that is finished:
``TensorBoard("logs").write(study)``.
"""

from gpsearch.callbacks.mlflow import MLflow
from gpsearch.callbacks.tensorboard import TensorBoard

__all__ = ["MLflow", "TensorBoard"]

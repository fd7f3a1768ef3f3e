"""Gaussian processes on NumPy and SciPy: the loss where it was not measured.

`kernels` correlates points, `warping` transforms losses, `priors` and `likelihood` give the
posterior of the hyperparameters, `gaussian_process` predicts the loss from a part of many
observations (`subsets`), and `feasibility` predicts whether an evaluation succeeds.
"""

from gpsearch.surrogate.feasibility import FeasibilityModel
from gpsearch.surrogate.gaussian_process import GaussianProcess
from gpsearch.surrogate.likelihood import Hyperparameters
from gpsearch.surrogate.priors import Priors
from gpsearch.surrogate.warping import Linear, YeoJohnson

__all__ = [
    "FeasibilityModel",
    "GaussianProcess",
    "Hyperparameters",
    "Linear",
    "Priors",
    "YeoJohnson",
]

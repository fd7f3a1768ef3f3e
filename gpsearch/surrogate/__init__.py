"""Beliefs about the loss where it was not measured: Gaussian processes on NumPy and SciPy.

`kernels` says how alike two points are, `warping` on which scale losses are modelled, `priors`
and `likelihood` what makes hyperparameters credible, `gaussian_process` predicts the loss, and
`feasibility` whether an evaluation will succeed.
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

"""Bayesian hyperparameter search for Keras models."""

from gpsearch.version import __version__ as __version__

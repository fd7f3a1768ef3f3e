"""Friedman's regression problem: five of ten columns count, two of them together."""

from sklearn.datasets import make_friedman1


def load():
    """X of 400 rows and 10 columns; y in units of its standard deviation, a fifth of it noise."""
    X, y = make_friedman1(n_samples=400, n_features=10, noise=1.0, random_state=0)
    return X, (y - y.mean()) / y.std()

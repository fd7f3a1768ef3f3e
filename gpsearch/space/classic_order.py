"""The rule of thumb for what to tune first, by the names of dimensions.

For networks: the learning rate first; then momentum, hidden units and batch size; then the number
of layers and the decay of the learning rate (Ng 2017, Improving deep neural networks, course
notes).
"""

import re

CLASSIC_ORDER: tuple[tuple[str, ...], ...] = (
    ("learning_rate", "lr", "eta", "learn_rate", "initial_learning_rate"),
    (
        *("momentum", "beta_1", "beta1", "batch_size", "batch", "n_neurons", "neurons"),
        *("n_units", "units", "n_hidden_units", "hidden_units", "hidden_size", "width"),
    ),
    (
        *("n_hidden", "n_layers", "num_layers", "layers", "n_hidden_layers", "depth"),
        *("decay", "lr_decay", "learning_rate_decay", "decay_rate", "decay_steps"),
    ),
)
"""The names of each tier, the most important tier first."""


def classic_tier(name: str) -> int | None:
    """Tier of a dimension in the classic order, from 1; None for an unknown name.

    >>> classic_tier("learning_rate"), classic_tier("n_neurons_1"), classic_tier("act_func")
    (1, 2, None)
    """
    bare = bare_name(name)
    return next((tier for tier, names in enumerate(CLASSIC_ORDER, start=1) if bare in names), None)


def bare_name(name: str) -> str:
    """A dimension's name without prefix and number, in lower case with underscores.

    >>> bare_name("optimizer__Learning-Rate"), bare_name("n_neurons_2"), bare_name("beta_1")
    ('learning_rate', 'n_neurons', 'beta_1')
    """
    bare = re.sub(r"[-\s]", "_", name.split("__")[-1].lower())
    return bare if bare.startswith("beta") else re.sub(r"_?\d+$", "", bare)

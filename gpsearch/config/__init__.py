"""A search as a TOML file: one file, one call of `gpsearch.search` (or of `gpsearch.compare`).

======================= ====================================================================
in the file             meaning
======================= ====================================================================
``study``, ``report``   paths of the record and of the report, from the current directory
``[data]``              ``dataset`` (one of scikit-learn's own), or ``file`` (CSV, Parquet)
                        with its ``target`` column and, where the rows have them, the columns
                        ``groups`` and ``sample_weight``, or ``function`` to (X, y)
``[objective]``         ``create_model`` ("mlp", or a function of yours), then any argument
                        of `gpsearch.KerasCV`
``[search]``            any argument of `gpsearch.search`; ``stop`` is a table of rules,
                        ``{ target_score = 0.99, no_improvement = 20, below_noise = true }``
``[compare]``           any argument of `gpsearch.compare`; what it leaves out of ``n_calls``,
                        ``n_initial_points``, ``optimum_prior``, ``cost``, ``random_state``,
                        ``racing``, ``max_same_errors``, ``n_jobs``, ``executor``, ``isolate``,
                        ``trial_timeout`` and ``memory_limit`` is taken from ``[search]``
``[space]``             an entry for each name, as `gpsearch.Space` reads it; without this
                        table the ready-made ``mlp`` is searched over its own space
======================= ====================================================================

``"none"`` stands for None, which TOML lacks, as in ``cost = "none"``; in ``[space]`` it is a text.

A Python object is named as ``"module:name"`` or ``"file.py:name"``: ``create_model`` and
``function``; ``preprocess``, ``scoring``, ``cv`` and ``callbacks`` of the objective; ``strategy``,
``racing``, ``callback`` and ``stop`` of the search; ``racing`` of the comparison. Files, and
modules that are installed nowhere, are looked up in the folder of the configuration, so that it
runs from anywhere.

`toml_source` knows the text and its lines, `python_objects` loads what is named, and `search_call`
makes a `Config` of both.
"""

from gpsearch.config.search_call import Config, load_config

__all__ = ["Config", "load_config"]

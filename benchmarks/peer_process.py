"""The peers, each run in the Python where it is installed and asked over a pipe by `peers`.

``python benchmarks/peer_process.py NAME`` answers each line of JSON that it reads with one:

==================================================  =====================================
line                                                answer
==================================================  =====================================
``{"dimensions": [...], "seed": 0, "budget": 50}``  ``{"version": "optuna 5.0.0"}``
``{"tell": [[point, ...], [loss, ...]]}``           ``{}``
``{"ask": 1}``                                      ``{"point": [...]}``
==================================================  =====================================

An answer also has ``seconds``, the processor time so far, or says an ``error`` instead. A dimension
has a ``name`` and ``categories``, or ``low``, ``high``, ``log`` and ``integer``. NaN is a
failure.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
import traceback
import warnings

from peer_libraries import PEERS
from peer_shape import Random, Search


def main() -> None:
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what a library prints is no answer
    warnings.filterwarnings("ignore")
    kinds = PEERS | {"random": Random}  # which the tests of this protocol ask
    search = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer: dict = {}
            if search is None:
                search = Search(kinds[sys.argv[1]], **request)
                answer = {"version": search.version}
            elif "ask" in request:
                answer = {"point": search.ask()}
            else:
                search.tell(*request["tell"])
        except Exception:
            answer = {"error": traceback.format_exc()}
        with contextlib.suppress(BrokenPipeError):
            print(json.dumps(answer | {"seconds": time.process_time()}), file=answers)


if __name__ == "__main__":
    main()

"""TensorFlow's pool of threads, in which graphs nest loops.

A loop blocks a thread of the pool between operations while its body runs on another: in a pool
with a thread for each core, a machine of few cores could not nest loops. `threading` is
``tf.config.threading``.
"""

import logging
import os
from typing import Any

logger = logging.getLogger("gpsearch")

THREADS = 16


def widen_pool(threading: Any) -> None:
    """Let the pool nest loops, unless its size was chosen, or it exists already."""
    if _size(threading) == 0:
        try:
            threading.set_inter_op_parallelism_threads(max(THREADS, _cores()))
        except RuntimeError:  # something has computed with TensorFlow before gpsearch did
            logger.info(
                "TensorFlow was used before gpsearch, with a thread for each core. Of two or three "
                "cores, small networks train faster with TF_NUM_INTEROP_THREADS=16 in the "
                "environment before TensorFlow is imported."
            )


def pool_takes(threading: Any, depth: int) -> bool:
    """Whether the pool can nest `depth` loops, with a thread to spare."""
    return depth < (_size(threading) or _cores())


def _size(threading: Any) -> int:
    """Threads of the pool; 0 where nobody has chosen, and it has one for each core."""
    chosen = threading.get_inter_op_parallelism_threads()
    return chosen or int(os.environ.get("TF_NUM_INTEROP_THREADS") or 0)


def _cores() -> int:
    """Cores that this process may use; 0 where it is not known."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0

"""Rows that are read when they are needed: a `tf.data.Dataset` or `keras.utils.PyDataset` as X.

Cross-validation chooses rows by number, so a dataset is read once when the objective is made: its
rows are counted, and y is kept. Afterwards only the batches with chosen rows are read. Training
shuffles within a buffer of rows.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from gpsearch.errors import InvalidObjectiveError
from gpsearch.identity import fingerprint

BUFFER_ROWS = 10_000  # in memory at once while a training shuffles
BATCH_ROWS = 256  # of a dataset that comes without batches

REASON = "X is a dataset, which is read batch by batch"


class Streamed:
    """Chosen rows of a dataset, with the attributes of an array that need no reading.

    `source` gives batches of (x, y) or (x, y, sample_weight), the same in each pass; `offsets` are
    the first row of each batch, and the row after the last; `rows` are sorted numbers.
    """

    dtype = np.dtype(np.float32)

    def __init__(
        self,
        source: Any,
        offsets: np.ndarray,
        rows: np.ndarray,
        row_shape: tuple[int, ...],
        identity: str,
    ) -> None:
        self._source = source
        self._offsets = offsets
        self._rows = rows
        self._identity = identity
        self.shape = (len(rows), *row_shape)
        self.ndim = len(self.shape)

    def fingerprint(self) -> str:
        """Identity of the source's rows and of which are chosen; see `gpsearch.identity`."""
        return fingerprint([self._identity, self._rows])

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, chosen: Any) -> "Streamed":
        rows = self._rows[chosen]
        if np.any(np.diff(rows) <= 0):
            raise IndexError("rows of a dataset can be taken in its own order only")
        return Streamed(self._source, self._offsets, rows, self.shape[1:], self._identity)

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        """All chosen rows, read into memory."""
        parts = [features for features, _ in self.batches()]
        whole = np.concatenate(parts) if parts else np.empty(self.shape, self.dtype)
        return whole.astype(dtype or whole.dtype, copy=False)

    def batches(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Features batch by batch, each with the positions of its rows among the chosen."""
        needed = np.unique(np.searchsorted(self._offsets, self._rows, side="right") - 1)
        for batch, (features, *_) in _read(self._source, needed):
            first, last = np.searchsorted(self._rows, self._offsets[batch : batch + 2])
            yield features[self._rows[first:last] - self._offsets[batch]], np.arange(first, last)


def is_dataset(X: Any) -> bool:
    """Whether X is a dataset of TensorFlow or Keras; imports neither."""
    kinds = {f"{kind.__module__.split('.')[0]}.{kind.__name__}" for kind in type(X).__mro__}
    return bool(kinds & {"tensorflow.DatasetV2", "keras.PyDataset"})


def read_dataset(
    dataset: Any, y: Any = None, sample_weight: Any = None
) -> tuple[Streamed, np.ndarray, np.ndarray | None]:
    """X, y and weights of a dataset that gives the same rows in each pass; y is read."""
    if y is not None or sample_weight is not None:
        raise InvalidObjectiveError(
            "a dataset gives (x, y) or (x, y, sample_weight) itself. Leave out y and sample_weight."
        ).about("y" if sample_weight is None else "sample_weight")
    source = _batched(dataset)
    lengths, targets, weights, prints = [], [], [], []
    features = np.empty((0,))
    for _, (features, y, *weight) in _read(source):
        lengths.append(len(features))
        targets.append(y)
        weights.extend(weight)
        prints.append(fingerprint(features))
    if not lengths:
        raise InvalidObjectiveError("the dataset is empty. Give at least two rows.").about("X")
    for batch, (again, *_) in _read(source):
        if batch >= len(prints) or fingerprint(again) != prints[batch]:
            raise InvalidObjectiveError(
                "the dataset gives other rows in each pass, so that scored rows would be trained "
                "on. Leave out its shuffle, repeat and augmentation: KerasCV shuffles the "
                "training rows itself."
            ).about("X")
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    X = Streamed(source, offsets, np.arange(offsets[-1]), features.shape[1:], fingerprint(prints))
    return X, np.concatenate(targets), np.concatenate(weights) if weights else None


def _batched(dataset: Any) -> Any:
    """The dataset in batches."""
    spec = getattr(dataset, "element_spec", None)
    if isinstance(spec, tuple) and len(spec) > 1 and getattr(spec[1], "shape", None) is not None:
        if spec[1].shape.rank == 0:
            return dataset.batch(BATCH_ROWS)
        x = getattr(spec[0], "shape", None)
        if x is not None and x.rank == 1 and x[0] is not None:  # its values would count as rows
            raise InvalidObjectiveError(
                f"each element of the dataset has an x of shape {tuple(x)} and a y of several "
                "values, so it is a row and not a batch. Give dataset.batch(32); a batch of single "
                "values needs x of two axes."
            ).about("X")
    return dataset


def _read(source: Any, needed: np.ndarray | None = None) -> Iterator[tuple[int, Any]]:
    """Numbers and contents of the needed batches; of all by default."""
    if hasattr(source, "as_numpy_iterator"):
        wanted = None if needed is None else set(needed.tolist())
        for batch, element in enumerate(source.as_numpy_iterator()):
            if wanted is None or batch in wanted:
                yield batch, _checked(element)
            if needed is not None and batch == needed[-1]:
                return
        return
    for batch in range(len(source)) if needed is None else needed.tolist():
        yield batch, _checked(source[batch])


def _checked(element: Any) -> tuple[np.ndarray, ...]:
    arrays = tuple(map(np.asarray, element)) if isinstance(element, tuple | list) else ()
    lengths = {len(array) if array.ndim else -1 for array in arrays}
    if len(arrays) not in (2, 3) or len(lengths) > 1 or arrays[0].dtype.kind not in "biuf":
        raise InvalidObjectiveError(
            "each batch of the dataset must be (x, y) or (x, y, sample_weight), arrays of as "
            "many rows, x of numbers. For several inputs give arrays in a dict."
        ).about("X")
    return (arrays[0].astype(Streamed.dtype, copy=False), *arrays[1:])

"""Which data adapter a source of data gets."""

from typing import Any

import numpy as np

from keras_fn.backend.loader import current
from keras_fn.data_adapters.data_adapter import Arrange, Fetched
from keras_fn.data_adapters.iterable_adapter import IterableBatches
from keras_fn.data_adapters.py_dataset import PyDataset
from keras_fn.data_adapters.py_dataset_adapter import PyDatasetBatches
from keras_fn.errors import SpecError


def is_batches(x: Any) -> bool:
    """Whether `x` yields batches, rather than being an array or nested arrays.

    Raises:
        SpecError: It has samples by number, and is neither.
    """
    if isinstance(x, (list, tuple, dict, np.ndarray, str, bytes)) or hasattr(x, "__array__"):
        return False
    if current().is_tensor(x) or hasattr(x, "dtype"):
        return False
    if isinstance(x, PyDataset) or hasattr(x, "__iter__") or hasattr(x, "__next__"):
        return True
    if hasattr(x, "__getitem__"):
        raise SpecError(
            "data",
            expected="arrays, or something that yields batches",
            received=f"a {type(x).__name__}, which has items by number and cannot be gone through",
            fix="derive it from keras.utils.PyDataset if its items are batches; wrap it in a "
            "torch.utils.data.DataLoader if they are samples",
        )
    return False


def batches_of(
    source: Any, arrange: Arrange, steps: int | None, shuffle: bool, seed: int, background: bool
) -> "Fetched":
    """Returns the batches of what yields them.

    Args:
        source: A PyDataset, or what can be gone through.
        arrange: Turns what comes into rows.
        steps: Batches in an epoch; all by default.
        shuffle: Whether each epoch has an order of its own; a PyDataset's alone is ours to say.
        seed: Where the orders come from.
        background: Whether a thread fetches ahead; else the step waits.
    """
    if isinstance(source, PyDataset):
        return PyDatasetBatches(source, arrange, steps, shuffle, seed, background)
    return IterableBatches(source, arrange, steps, background)

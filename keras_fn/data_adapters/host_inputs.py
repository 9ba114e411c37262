"""The inputs of a model whose first layers compute on the host: on text, for example."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.data_adapters.host_rows import HostRows, to_batch


class HostInputs(HostRows):
    """All inputs of a model, as one object: the samples of a batch go through its host part.

    Args:
        arrays: For each input of the model an array, `HostRows`, a tensor, or None.
        preprocessing: The model's host part: `run(values)` returns the tensors that a step takes,
            whose specs are its `border`.
        background: Whether a thread may prepare batches.
    """

    sparse = False
    dtype = np.dtype(object)

    def __init__(self, arrays: Sequence[Any], preprocessing: Any, background: bool):
        self.arrays, self.preprocessing, self.background = arrays, preprocessing, background
        self.shape = next((a.shape[0],) for a in arrays if a is not None)

    def __getitem__(self, samples: slice | np.ndarray) -> "HostInputs":
        arrays = [None if a is None else a[samples] for a in self.arrays]
        return HostInputs(arrays, self.preprocessing, self.background)

    def astype(self, dtype: Any) -> "HostInputs":
        """Returns the same: each input has a dtype of its own."""
        del dtype
        return self

    @property
    def values(self) -> np.ndarray:
        """The first input."""
        return self.arrays[0]

    def to_array(self) -> np.ndarray:
        """Returns the first input."""
        return self.arrays[0]

    def to_tensor(self) -> list[Any]:
        """Runs the host part on all samples: called on those of a batch."""
        values = [to_batch(a) if isinstance(a, HostRows) else a for a in self.arrays]
        return self.preprocessing.run(values)

    @property
    def specs(self) -> list[KerasTensor]:
        """The specs of what `to_tensor` returns, for any number of samples."""
        return [
            KerasTensor((None, *t.shape[1:]), t.dtype, t.sparse, record_history=False)
            for t in self.preprocessing.border
        ]

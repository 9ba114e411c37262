"""The part of `Variable` about values of which a process has only slices."""

from collections.abc import Callable
from typing import Any, cast

import numpy as np

from keras_fn.backend.distribution_contract import SupportsDistribution, SupportsOwnedSlices
from keras_fn.backend.loader import current, supports


class Gathering:
    """How values are gathered while one process writes a file; there is one, `gathering`."""

    gather: Callable[[Any], np.ndarray] | None = None  # of a variable that spans processes


gathering = Gathering()


class ShardsMixin:
    """Reading and writing the slices of a variable that a process has."""

    layout: Any
    shape: tuple[int, ...]
    value: Any
    _dtype: str
    _new_handle: Callable[[Any], Any]

    def _read_handle(self, read: Callable[[tuple[slice, ...]], np.ndarray]) -> Any:
        """Returns the backend's variable with other values: the slices of this process are read.

        Args:
            read: Returns the values at an index, which no one else holds; all at `()`.
        """
        sharding = None if self.layout is None else self.layout.backend_layout
        if sharding is None:
            return self._new_handle(read(()))
        return cast(SupportsDistribution, current()).new_sharded_variable(
            read, self.shape, self._dtype, sharding
        )

    def _spans_processes(self) -> bool:
        """Returns whether all processes must take part in reading the value."""
        if self.layout is None or not supports("spans_processes"):
            return False
        return cast(SupportsOwnedSlices, current()).spans_processes(self.value)

    def _owned_slices(self) -> list[tuple[tuple[slice, ...], np.ndarray]] | None:
        """Returns the values that this process writes to files, which are in no other process.

        Returns:
            Each index with its values; None where all processes have all of them.
        """
        if not supports("owned_slices"):
            return None
        return cast(SupportsOwnedSlices, current()).owned_slices(self.value)

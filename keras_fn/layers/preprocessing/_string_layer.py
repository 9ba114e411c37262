"""The base class of the layers of text and categories: their inputs, results and arguments."""

from collections.abc import Sequence
from typing import Any, TypedDict, cast

import numpy as np

from keras_fn.backend.contract import SupportsRagged
from keras_fn.backend.loader import current, supports
from keras_fn.core.byte_strings import ByteStrings
from keras_fn.core.dtypes import is_int, stored_dtype
from keras_fn.core.farmhash import fingerprint64
from keras_fn.core.host_rows import RaggedRows, SparseEntries
from keras_fn.core.host_text import list_to_array
from keras_fn.core.ragged import is_ragged
from keras_fn.core.scopes import context
from keras_fn.core.siphash import siphash64
from keras_fn.core.sparse import get_sparse_backend
from keras_fn.core.tracing import is_dynamo_compiling
from keras_fn.errors import DTypeError, check_choice, missing_method
from keras_fn.layers._arguments import argument_error
from keras_fn.layers.preprocessing.data_layer import HostLayer
from keras_fn.types import DTypeLike, Nested, Tensor

_OLD_MODES = {"binary": "multi_hot", "tf-idf": "tf_idf"}  # names in Keras 2


class LookupOptions(TypedDict, total=False):
    """Keyword arguments of lookup layers that they do not list."""

    trainable: bool
    dtype: DTypeLike | None
    vocabulary_size: int | None
    has_input_vocabulary: bool


class StringLookupOptions(LookupOptions, total=False):
    """Keyword arguments of `StringLookup` that configs of Keras have."""

    oov_method: str


class StringHostLayer(HostLayer):
    """Base class of layers that map text or categories to numbers, on the host."""

    def _to_host(self, inputs: Any) -> Any:
        if is_ragged(inputs):
            samples = cast(SupportsRagged, current()).ragged_samples(inputs)
            return [sample.tolist() for sample in samples]
        values = super()._to_host(inputs)
        if (
            isinstance(inputs, (list, tuple))
            and getattr(values, "dtype", np.dtype(int)).kind in "US"
        ):
            raise DTypeError(  # NumPy makes strings of numbers next to strings
                self._label,
                expected="strings alone, or numbers alone",
                received=f"{str(inputs)[:100]}",
                fix="convert the numbers with str",
            )
        return values

    def _from_host(self, outputs: Any) -> Any:
        """Returns outputs as tensors of the backend."""
        if isinstance(outputs, SparseEntries):
            return get_sparse_backend().sparse_from_numpy(*outputs)
        if isinstance(outputs, RaggedRows):
            is_text = outputs.values.dtype.kind == "O"
            if supports("ragged_from_rows") and (not is_text or supports("text_tensors")):
                backend = cast(SupportsRagged, current())
                return backend.ragged_from_rows(outputs.values, outputs.row_lengths)
            return [super(StringHostLayer, self)._from_host(row) for row in outputs.split()]
        if isinstance(outputs, np.ndarray):
            self._check_range(outputs)
        return super()._from_host(outputs)

    def _check_range(self, result: np.ndarray) -> None:
        """Raises an error for integers that the backend would cut to 32 bits."""
        if stored_dtype("int64") == "int64" or result.dtype != np.int64 or not result.size:
            return
        if result.min() < -(2**31) or result.max() >= 2**31:
            raise DTypeError(
                self._label,
                expected="integers of 32 bits, the widest that the backend has",
                received=f"{result.min()} to {result.max()}",
                fix="turn 64-bit dtypes on; of JAX with JAX_ENABLE_X64=1",
            )


class HashLayer(StringHostLayer):
    """Base class of layers that hash; in compiled functions by ops, where they get integers.

    Subclasses define `_call_on_tensor(inputs)`.
    """

    num_bins: int

    def _convert_inputs(self, arguments: dict[str, Any]) -> dict[str, Any]:
        if all(map(self._runs_by_ops, arguments.values())):
            return arguments
        return super()._convert_inputs(arguments)

    def call(self, inputs: Nested) -> Nested:
        """Returns the outputs.

        Args:
            inputs: Strings or integers: arrays, tensors, or nested lists. In compiled functions
                tensors of integers.
        """
        return self._call_on_tensor(inputs) if self._runs_by_ops(inputs) else super().call(inputs)

    def _call_on_tensor(self, inputs: Any) -> Tensor:
        """Computes the outputs by ops. Subclasses define it."""
        raise missing_method(self, "_call_on_tensor(inputs)")

    def _runs_by_ops(self, inputs: Any) -> bool:
        features = inputs if isinstance(inputs, (list, tuple)) else [inputs]
        if (
            context.current.symbolic
            or self.num_bins > 2**31
            or not any(map(is_traced_tensor, features))
        ):
            return False
        return all(current().is_tensor(x) and is_int(current().dtype_name(x)) for x in features)


def to_whole(data: Any) -> Any:
    """Returns a list of strings as an array: the data that `adapt` is to see, fast.

    Args:
        data: What `adapt` was given.
    """
    text = list_to_array(data)
    return data if text is None else text


def is_traced_tensor(x: object) -> bool:
    """Returns whether `x` is a tensor without a value, in a function that is being compiled.

    Args:
        x: Any object.
    """
    is_tensor = current().is_tensor(x)
    return is_tensor and (is_dynamo_compiling() or current().is_traced(x))


def check_output_mode(layer: object, value: Any, modes: Sequence[str]) -> str:
    """Returns an output mode, under its new name.

    Args:
        layer: The layer.
        value: The argument `output_mode`.
        modes: The modes that the layer has.

    Raises:
        SpecError: It is another one.
    """
    name = _OLD_MODES.get(value, value) if isinstance(value, str) else value
    return check_choice(type(layer).__name__, "output_mode", name, modes)


def check_salt(layer: object, salt: Any) -> list[int] | None:
    """Returns the key of SipHash: two integers.

    Args:
        layer: The layer.
        salt: The argument: an integer, two of them, or None.

    Raises:
        SpecError: It is something else.
    """
    if salt is None:
        return None
    values = [salt, salt] if isinstance(salt, int) else salt
    if (
        isinstance(values, (list, tuple))
        and len(values) == 2
        and all(isinstance(v, int) and not isinstance(v, bool) for v in values)
    ):
        return list(values)
    raise argument_error(layer, "salt", "an integer, or two of them", salt, "for example salt=133")


def hash_to_bins(strings: ByteStrings, count: int, salt: Sequence[int] | None) -> np.ndarray:
    """Returns a number from 0 to `count - 1` for each byte string: its hash, modulo the count.

    Args:
        strings: The byte strings.
        count: The number of bins.
        salt: The key of SipHash; None for FarmHash64.
    """
    hashes = fingerprint64(strings) if salt is None else siphash64(strings, salt)
    return (hashes % np.uint64(count)).astype(np.int64)

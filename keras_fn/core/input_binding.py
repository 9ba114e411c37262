"""`InputBinder`: matches the data of a call with the inputs of a model, by name."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_fn.backend.loader import current
from keras_fn.core import tree
from keras_fn.core.dtypes import standardize_dtype
from keras_fn.core.host_text import holds_only_text, is_text, match_rank, to_host_values
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.name_matching import (
    find_missing,
    find_unexpected,
    input_name_error,
    select_by_name,
)
from keras_fn.core.named_dims import NamedSizes, format_shape
from keras_fn.core.operators import OPS
from keras_fn.core.ragged import get_ragged_test, pad_ragged_tensor
from keras_fn.core.shapes import is_compatible, missing_unit_axes
from keras_fn.core.sparse import get_sparse_test
from keras_fn.errors import DTypeError, SpecError
from keras_fn.types import Nested


class InputBinder:
    """Matches the data of a call with the inputs of a model, checks it, and converts it.

    Keys of dicts are matched by name, never by sorted position.

    Args:
        source: The model, for error messages.
        structure: The input KerasTensors, nested as the model's call takes them.
        names: The names of the inputs, in flat order.
        tensors: The input KerasTensors, flat.

    Attributes:
        single: Whether the model has one input that is not nested.
        is_ragged: The backend's test for ragged tensors, or None.
        is_sparse: The backend's test for sparse tensors.
        optional: For each input, whether it can be None.
        keeps_integers: Whether arrays of integers stay as they are, since layers on the host take
            wider ones than the backend may have.
        keeps_dtypes: Whether values keep their dtypes. False, unless no one chose the dtypes of
            the inputs and the layers take several.
    """

    def __init__(
        self, source: str, structure: Nested, names: Sequence[str], tensors: Sequence[KerasTensor]
    ):
        self.source, self.structure = source, structure
        self.names, self.tensors = list(names), list(tensors)
        histories = [getattr(t, "_keras_history", None) for t in tensors]
        layers = [history.operation if history else None for history in histories]
        self.layer_names = [layer.name if layer else None for layer in layers]
        self.is_ragged, self.is_sparse = get_ragged_test(), get_sparse_test()
        self.optional = [getattr(layer, "optional", False) for layer in layers]
        self.single = isinstance(structure, KerasTensor)
        self.keeps_dtypes = self.keeps_integers = False
        self.is_text = [t.dtype == "string" for t in tensors]
        self.has_text = any(self.is_text)
        self.named_sizes = NamedSizes(tensors)
        self.has_names = any(isinstance(key, str) for path in tree.paths(structure) for key in path)

    def bind(self, inputs: Nested) -> list[Any]:
        """Returns the tensor for each input, with the rank and dtype of the input.

        Args:
            inputs: Tensors nested like the inputs, or a dict of them by name.

        Raises:
            SpecError: An input is missing or unexpected, or has an incompatible shape.
        """
        values = self.flatten(inputs)
        converted = [self._convert(value, i) for i, value in enumerate(values)]
        if self.named_sizes.axes:
            self.named_sizes.check(converted, self.names, self.source)
        return converted

    def is_exact_match(self, x: Any) -> bool:
        """Returns whether `x` is the only input, and has its rank and dtype already."""
        if not self.single or self.named_sizes.axes:
            return False
        tensor = self.tensors[0]
        has_dtype = self.keeps_dtypes or current().dtype_name(x) == tensor.dtype
        has_layout = tensor.sparse or not self.is_sparse(x)
        return has_dtype and has_layout and len(x.shape) == len(tensor.shape)

    def flatten(self, inputs: Nested) -> list[Any]:
        """Returns the values for the inputs, in flat order, as they are.

        Args:
            inputs: Values nested like the inputs, or a dict of them by name.

        Raises:
            SpecError: An input is missing or unexpected.
        """
        if self.has_text and self.single and not isinstance(inputs, dict):
            return [_to_text(inputs)]
        if self.single and not tree.is_nested(inputs):
            return [inputs]
        if self.has_text and tree.is_nested(inputs):
            inputs = _lists_to_arrays(inputs, is_nest=True)
        if self.has_names and (values := tree.flatten_like(self.structure, inputs)) is not None:
            return values
        if isinstance(inputs, dict):
            return self._by_name(inputs)
        values = tree.flatten(inputs)
        if len(values) != len(self.names):
            raise SpecError(
                self.source,
                expected=f"{len(self.names)} inputs: {', '.join(self.names)}",
                received=f"{len(values)}",
                fix="pass one tensor for each, as a list in this order or as a dict by name",
            )
        return values

    def _by_name(self, inputs: dict[Any, Any]) -> list[Any]:
        for names in (self.names, self.layer_names):
            values = select_by_name(inputs, names, self.optional)
            if values is not None:
                return values
        missing = find_missing(inputs, self.names)
        unexpected = find_unexpected(inputs, self.names)
        raise input_name_error(self.source, self.names, inputs, missing, unexpected)

    def _convert(self, value: Any, i: int) -> Any:
        tensor = self.tensors[i]
        if value is None:
            if self.optional[i]:
                return None
            raise self._shape_error(
                i, "None", "feed a tensor, or create it as Input(optional=True)"
            )
        if self.is_text[i] and isinstance(value, np.ndarray):
            value = match_rank(value, tensor.shape)
        if self.is_ragged is not None and self.is_ragged(value):
            value = pad_ragged_tensor(value, self.source)
        shape = tuple(value.shape) if hasattr(value, "shape") else None
        if shape is None:
            if self.is_text[i]:
                raise self._text_error(i, value)
            value = current().convert_to_tensor(value)
            shape = tuple(value.shape)
        if len(shape) != len(tensor.shape):
            value = self._match_rank(value, shape, i)
            shape = tuple(value.shape)
        sizes, expected = shape[1:], tensor.shape[1:]  # a batch can have any size
        if sizes != expected and not is_compatible(sizes, expected):
            raise self._shape_error(i, f"shape {shape}", "reshape the data to the Input's shape")
        if self.is_text[i] and not isinstance(value, KerasTensor):
            return self._check_text(value, i)
        if self.keeps_integers and type(value) is np.ndarray and value.dtype.kind in "iu":
            return value
        if self.keeps_dtypes and hasattr(value, "dtype"):
            return self._cast(value, standardize_dtype(value.dtype))
        value = self._cast(value, tensor.dtype)
        is_sparse = value.sparse if isinstance(value, KerasTensor) else self.is_sparse(value)
        return OPS["densify"](value) if is_sparse and not tensor.sparse else value

    def _match_rank(self, value: Any, shape: tuple[int, ...], i: int) -> Any:
        """Adds or removes a last axis of size 1, as for labels of shape `(batch,)`."""
        expected = self.tensors[i].shape
        missing = missing_unit_axes(shape, expected)
        if missing:
            return OPS["expand_dims"](value, -1) if missing > 0 else OPS["squeeze"](value, -1)
        fix = "feed a batch of samples: add the batch axis, for example x[None]"
        if len(shape) != len(expected) - 1:
            fix = "reshape the data to the Input's shape"
        raise self._shape_error(i, f"shape {shape}", fix)

    def _check_text(self, value: Any, i: int) -> Any:
        """Returns text as it is: an array on the host, or a tensor where there are such."""
        is_array = isinstance(value, np.ndarray)
        if is_array and holds_only_text(value):
            return value
        if not is_array and current().dtype_name(value) == "string":
            return value
        raise self._text_error(i, value)

    def _text_error(self, i: int, value: Any) -> SpecError:
        dtype = getattr(value, "dtype", None)
        return DTypeError(
            self.source,
            expected=f"input {self.names[i]!r} as text: an array or a list of strings",
            received=f"{value!r:.200}" if dtype in (None, object) else f"numbers of dtype {dtype}",
            fix="pass strings; replace missing values by ''; or make the Input of another dtype",
        )

    def _cast(self, value: Any, dtype: str) -> Any:
        if isinstance(value, KerasTensor):
            if value.dtype == dtype:
                return value
            cast = KerasTensor(value.shape, dtype, value.sparse, value.ragged, record_history=False)
            cast._keras_mask = value._keras_mask
            if hasattr(value, "_keras_history"):
                cast._keras_history = value._keras_history
            return cast
        backend = current()
        if not backend.is_tensor(value):
            return backend.convert_to_tensor(value, dtype)
        return value if backend.dtype_name(value) == dtype else backend.cast(value, dtype)

    def _shape_error(self, i: int, received: str, fix: str) -> SpecError:
        tensor = self.tensors[i]
        return SpecError(
            self.source,
            expected=f"input {self.names[i]!r} of shape {format_shape(tensor)}",
            received=received,
            fix=fix,
        )


def _to_text(x: Any) -> Any:
    """Returns the data of an input of text as an array, unless it is symbolic or a tensor."""
    if isinstance(x, KerasTensor) or current().is_tensor(x):
        return x
    if isinstance(x, (list, tuple)) and len(x) == 1 and getattr(x[0], "shape", ()) != ():
        return _to_text(x[0])
    return to_host_values(x)


def _lists_to_arrays(inputs: Any, is_nest: bool = False) -> Any:
    """Returns nested inputs with arrays for lists of strings, which nest nothing."""
    if not is_nest and is_text(inputs):
        return to_host_values(inputs)
    if isinstance(inputs, dict):
        return {key: _lists_to_arrays(value) for key, value in inputs.items()}
    if isinstance(inputs, (list, tuple)):
        return type(inputs)([_lists_to_arrays(value) for value in inputs])
    return inputs

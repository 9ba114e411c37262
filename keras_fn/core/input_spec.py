"""`InputSpec`: the constraints of a layer on its inputs, and their check."""

from collections.abc import Mapping, Sequence
from typing import Any

from keras_fn.core import tree
from keras_fn.core.dtypes import standardize_dtype
from keras_fn.core.keras_tensor import standardize_shape
from keras_fn.core.name_matching import find_missing, input_name_error
from keras_fn.core.shapes import is_compatible, missing_unit_axes
from keras_fn.errors import DTypeError, SpecError
from keras_fn.types import DTypeLike, Nested, Shape


class InputSpec:
    """Constraints on an input of a layer. What is None is not checked.

    Args:
        dtype: The dtype.
        shape: The shape; None for axes of any size.
        ndim: The rank.
        max_ndim: The maximum rank.
        min_ndim: The minimum rank.
        axes: Sizes of axes, by index; negative indices count from the end.
        allow_last_axis_squeeze: Whether the input can have an additional last axis of size 1, or
            lack one. Default False.
        name: The key of the input, if the inputs are a dict.
        optional: Whether the input can be None. Default False.

    Example:
        >>> InputSpec(min_ndim=2, axes={-1: 8})
        InputSpec(min_ndim=2, axes={-1: 8})
    """

    def __init__(
        self,
        dtype: DTypeLike | None = None,
        shape: Sequence[int | None] | None = None,
        ndim: int | None = None,
        max_ndim: int | None = None,
        min_ndim: int | None = None,
        axes: Mapping[int, int | None] | None = None,
        allow_last_axis_squeeze: bool = False,
        name: str | None = None,
        optional: bool = False,
    ):
        self.dtype = None if dtype is None else standardize_dtype(dtype)
        self.shape = None if shape is None else standardize_shape(shape)
        self.ndim = len(self.shape) if self.shape is not None else ndim
        self.max_ndim, self.min_ndim = max_ndim, min_ndim
        self.axes = {int(axis): size for axis, size in (axes or {}).items()}
        self.allow_last_axis_squeeze = allow_last_axis_squeeze
        self.name, self.optional = name, optional

    def __repr__(self) -> str:
        fields = ("dtype", "shape", "ndim", "max_ndim", "min_ndim", "axes")
        if self.shape is not None:
            fields = ("dtype", "shape")
        received = [
            f"{f}={getattr(self, f)!r}" for f in fields if getattr(self, f) not in (None, {})
        ]
        return f"InputSpec({', '.join(received)})"

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as plain values."""
        names = ("dtype", "shape", "ndim", "max_ndim", "min_ndim", "axes", "optional", "name")
        return {name: getattr(self, name) for name in names}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "InputSpec":
        """Returns the spec of a config.

        Args:
            config: The result of `get_config`.
        """
        return cls(**config)

    def check(self, shape: Shape, dtype: str, source: str) -> None:
        """Checks the shape and dtype of an input.

        Args:
            shape: The shape of the input.
            dtype: Its dtype.
            source: The layer, for error messages.

        Raises:
            SpecError: The input does not satisfy the constraints.
        """
        rank = len(shape)
        if self.ndim is not None and rank != self.ndim and not self._squeezes(shape):
            raise _shape_error(
                source, f"an input of rank {self.ndim}", shape, _rank_fix(rank, self.ndim)
            )
        if self.max_ndim is not None and rank > self.max_ndim:
            raise _shape_error(
                source, f"an input of rank {self.max_ndim} at most", shape, "drop or join axes"
            )
        if self.min_ndim is not None and rank < self.min_ndim:
            raise _shape_error(
                source,
                f"an input of rank {self.min_ndim} at least",
                shape,
                _rank_fix(rank, self.min_ndim),
            )
        if self.dtype is not None and dtype != self.dtype:
            raise DTypeError(
                source,
                expected=f"dtype {self.dtype}",
                received=f"dtype {dtype}",
                fix=f"cast the input, for example ops.cast(x, {self.dtype!r})",
            )
        for axis, size in self.axes.items():
            actual = shape[axis] if -rank <= axis < rank else "no axis"
            if size is not None and actual not in (size, None):
                raise _shape_error(
                    source,
                    f"size {size} at axis {axis}",
                    shape,
                    f"feed size {size} there, or create another layer for this input",
                )
        if self.shape is not None:  # a squeezable last axis is not compared
            common = min(len(self.shape), rank)
            if not is_compatible(self.shape[:common], shape[:common]):
                raise _shape_error(source, f"shape {self.shape}", shape, "reshape the input")

    def _squeezes(self, shape: Shape) -> bool:
        if not self.allow_last_axis_squeeze or self.shape is None:
            return False
        return missing_unit_axes(shape, self.shape) != 0


def _rank_fix(rank: int, expected: int) -> str:
    if rank < expected:
        return "name all axes but the batch in Input(shape=...), or reshape the input"
    return "drop or join axes, for example with Flatten() or Reshape(...)"


def _shape_error(source: str, expected: str, shape: Shape, fix: str) -> SpecError:
    return SpecError(source, expected=expected, received=f"shape {shape}", fix=fix)


def check_inputs(specs: Nested, inputs: Nested, source: str) -> None:
    """Checks nested inputs against the specs of a layer.

    Args:
        specs: The `InputSpec`s of the layer, nested; None to check nothing.
        inputs: The inputs, nested, or a dict of them by the names of the specs.
        source: The layer, for error messages.

    Raises:
        SpecError: An input is missing, or does not satisfy its spec.
    """
    if specs is None:
        return
    specs = tree.flatten(specs)
    if isinstance(inputs, dict) and all(spec.name for spec in specs):
        missing = find_missing(inputs, [spec.name for spec in specs if not spec.optional])
        if missing:
            raise input_name_error(source, [spec.name for spec in specs], inputs, missing)
        values = [inputs.get(spec.name) for spec in specs]
    else:
        values = tree.flatten(inputs)
    if len(values) != len(specs):
        raise SpecError(
            source,
            expected=f"{len(specs)} input{'s' * (len(specs) != 1)}",
            received=f"{len(values)}",
            fix="pass one tensor for each, as a list or a dict",
        )
    for value, spec in zip(values, specs, strict=True):
        if value is None and spec.optional:
            continue
        if value is None or not hasattr(value, "shape"):
            raise DTypeError(
                source,
                expected="a tensor",
                received=repr(value)[:100],
                fix="call the layer on a KerasTensor from keras_fn.Input, an array or a tensor",
            )
        spec.check(tuple(value.shape), _dtype_of(value), source)


def _dtype_of(value: Any) -> str:
    return value.dtype if isinstance(value.dtype, str) else standardize_dtype(value.dtype)

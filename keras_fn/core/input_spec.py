"""What a layer asks of its inputs, and the check."""

from collections.abc import Mapping
from typing import Any

from keras_fn.core import tree
from keras_fn.core.dtypes import standardize_dtype
from keras_fn.core.keras_tensor import Shape, standardize_shape
from keras_fn.errors import DTypeError, SpecError


class InputSpec:
    """What one input of a layer must be like. Fields that are None are not checked.

    Args:
        dtype: Its dtype.
        shape: Its shape; None for axes of any size.
        ndim: Its rank.
        max_ndim: Its largest rank.
        min_ndim: Its smallest rank.
        axes: Sizes of some axes, by index (negative ones count from the end).
        allow_last_axis_squeeze: Whether a last axis of size 1 may be there or not.
        name: Name of the input, where inputs come as a dict.
        optional: Whether None is accepted.

    Example:
        >>> InputSpec(min_ndim=2, axes={-1: 8})
        InputSpec(min_ndim=2, axes={-1: 8})
    """

    def __init__(
        self,
        dtype: Any = None,
        shape: Any = None,
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
        """Returns the constructor's arguments."""
        names = ("dtype", "shape", "ndim", "max_ndim", "min_ndim", "axes", "optional", "name")
        return {name: getattr(self, name) for name in names}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "InputSpec":
        """Returns the spec of that config."""
        return cls(**config)

    def check(self, shape: Shape, dtype: str, place: str) -> None:
        """Raises `SpecError` unless an input of this shape and dtype is as it should be."""
        rank = len(shape)
        if self.ndim is not None and rank != self.ndim and not self._squeezes(shape):
            raise _misfit(
                place, f"an input of rank {self.ndim}", shape, _rank_hint(rank, self.ndim)
            )
        if self.max_ndim is not None and rank > self.max_ndim:
            raise _misfit(
                place, f"an input of rank {self.max_ndim} at most", shape, "drop or join axes"
            )
        if self.min_ndim is not None and rank < self.min_ndim:
            raise _misfit(
                place,
                f"an input of rank {self.min_ndim} at least",
                shape,
                _rank_hint(rank, self.min_ndim),
            )
        if self.dtype is not None and dtype != self.dtype:
            raise DTypeError(
                place,
                expected=f"dtype {self.dtype}",
                received=f"dtype {dtype}",
                fix=f"cast the input, for example ops.cast(x, {self.dtype!r})",
            )
        for axis, size in self.axes.items():
            found = shape[axis] if -rank <= axis < rank else "no axis"
            if size is not None and found not in (size, None):
                raise _misfit(
                    place,
                    f"size {size} at axis {axis}",
                    shape,
                    f"feed {size} there, or make a new layer for this input",
                )
        if self.shape is not None:  # where one has a last axis of 1 more, the rest is compared
            for wanted, size in zip(self.shape, shape, strict=False):
                if wanted is not None and size is not None and wanted != size:
                    raise _misfit(place, f"shape {self.shape}", shape, "reshape the input")

    def _squeezes(self, shape: Shape) -> bool:
        if not self.allow_last_axis_squeeze or self.shape is None:
            return False
        longer, shorter = sorted((self.shape, shape), key=len, reverse=True)
        return len(longer) == len(shorter) + 1 and longer[-1] == 1


def _rank_hint(rank: int, wanted: int) -> str:
    if rank < wanted:
        return "name all axes but the batch in Input(shape=...), or reshape the input"
    return "drop or join axes, for example with Flatten() or Reshape(...)"


def _misfit(place: str, expected: str, shape: Shape, fix: str) -> SpecError:
    return SpecError(place, expected=expected, received=f"shape {shape}", fix=fix)


def check_inputs(specs: Any, inputs: Any, place: str) -> None:
    """Checks nested inputs against the specs of a layer."""
    if specs is None:
        return
    specs = tree.flatten(specs)
    if isinstance(inputs, dict) and all(spec.name for spec in specs):
        missing = [spec.name for spec in specs if spec.name not in inputs and not spec.optional]
        if missing:
            raise SpecError(
                place,
                expected=f"inputs named {', '.join(spec.name for spec in specs)}",
                received=f"inputs named {', '.join(map(str, inputs))}",
                fix=f"add {', '.join(missing)}",
            )
        values = [inputs.get(spec.name) for spec in specs]
    else:
        values = tree.flatten(inputs)
    if len(values) != len(specs):
        raise SpecError(
            place,
            expected=f"{len(specs)} input{'s' * (len(specs) != 1)}",
            received=f"{len(values)}",
            fix="pass one tensor for each, as a list or a dict",
        )
    for value, spec in zip(values, specs, strict=True):
        if value is None and spec.optional:
            continue
        if value is None or not hasattr(value, "shape"):
            raise DTypeError(
                place,
                expected="a tensor",
                received=repr(value)[:100],
                fix="call the layer on a KerasTensor from keras_fn.Input, an array or a tensor",
            )
        spec.check(tuple(value.shape), _dtype_of(value), place)


def _dtype_of(value: Any) -> str:
    return value.dtype if isinstance(value.dtype, str) else standardize_dtype(value.dtype)

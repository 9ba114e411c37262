"""Shapes in layers: required sizes, nested shapes, shapes from constructors and configs."""

from collections.abc import Callable, Sequence
from typing import Any

from keras_fn.core.keras_tensor import KerasTensor, standardize_shape
from keras_fn.errors import SpecError, unexpected_arguments
from keras_fn.types import Nested, Shape


def static_dim(shape: Sequence[int | None], axis: int, layer: Any) -> int:
    """Returns the size of an axis that weights depend on.

    Args:
        shape: The shape of the input.
        axis: The axis along which to concatenate.
        layer: The layer, for the error.

    Raises:
        SpecError: The size is None.
    """
    size = shape[axis]
    if size is None:
        raise SpecError(
            f"{type(layer).__name__} layer {layer.name!r}",
            expected=f"an input whose axis {axis} has a known size",
            received=f"shape {shape}",
            fix="set the size in Input, for example Input(shape=(64,))",
        )
    return size


def pop_input_shape(cls: str, kwargs: dict[str, Any]) -> Shape | None:
    """Returns the input shape from Keras 2's arguments `input_shape`, `input_dim` and the like.

    Args:
        cls: The name of the layer's class, for the error.
        kwargs: The keyword arguments that are left; these arguments are removed.

    Raises:
        TypeError: Another keyword argument is left.
    """
    batch = kwargs.pop("batch_size", None)
    if "batch_input_shape" in kwargs:
        shape = standardize_shape(kwargs.pop("batch_input_shape"))
    elif "input_shape" in kwargs:
        shape = (batch, *standardize_shape(kwargs.pop("input_shape")))
    elif "input_dim" in kwargs:
        shape = (batch, kwargs.pop("input_dim"))
    else:
        shape = None
    if kwargs:
        raise unexpected_arguments(cls, kwargs)
    return shape


def to_shapes(value: Nested) -> Nested:
    """Converts the lists of a JSON config to shapes (tuples), nested as they are."""
    if isinstance(value, dict):
        return {key: to_shapes(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        if all(item is None or isinstance(item, int) for item in value):
            return tuple(value)
        return [to_shapes(item) for item in value]
    return value


def map_shapes(function: Callable[[Any], Any], shapes: Nested) -> Nested:
    """Applies `function` to each of some nested shapes; a tuple of shapes becomes a tuple."""
    if isinstance(shapes, dict):
        return {key: map_shapes(function, value) for key, value in shapes.items()}
    if all(size is None or isinstance(size, int) for size in shapes):
        return function(tuple(shapes))
    results = [map_shapes(function, shape) for shape in shapes]
    return tuple(results) if isinstance(shapes, tuple) else results


def symbolic_inputs(shapes: Nested, dtype: str) -> Nested:
    """Returns KerasTensors outside of any graph, of some nested shapes."""
    return map_shapes(lambda shape: KerasTensor(shape, dtype, record_history=False), shapes)

"""What layers ask of shapes."""

from typing import Any

from keras_fn.core.keras_tensor import Shape
from keras_fn.errors import SpecError


def known_size(shape: Shape, axis: int, layer: Any) -> int:
    """Returns the size of an axis on which weights depend.

    Raises:
        SpecError: It is None.
    """
    size = shape[axis]
    if size is None:
        raise SpecError(
            f"{type(layer).__name__} layer {layer.name!r}",
            expected=f"an input whose axis {axis} has a known size",
            received=f"shape {shape}",
            fix="name the size in Input, for example Input(shape=(64,))",
        )
    return size


def may_be(shape: Any, wanted: Any) -> bool:
    """Whether a shape can be another, where sizes that are unknown fit any."""
    return len(shape) == len(wanted) and all(
        m == n
        for m, n in zip(shape, wanted, strict=True)
        if isinstance(m, int) and isinstance(n, int)
    )

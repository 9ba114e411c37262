"""Masks that travel with tensors: booleans that are False at time steps to skip."""

from collections.abc import Callable
from typing import TypeVar

from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.scopes import context
from keras_fn.types import Nested, Tensor

ComputeMask = TypeVar("ComputeMask", bound=Callable[..., object])


def propagates_mask_only(compute_mask: ComputeMask) -> ComputeMask:
    """Marks a `compute_mask` that returns None for inputs without a mask.

    A layer with such a method can take the fast path.
    """
    compute_mask.propagates_mask_only = True  # type: ignore[attr-defined]
    return compute_mask


@propagates_mask_only
def drop_mask(
    self: object, inputs: Nested, mask: Nested = None, previous_mask: Nested = None
) -> None:
    """Returns None: the output has other axes than the mask. A `compute_mask` for layers.

    Keras calls the mask `previous_mask` in some layers, and `mask` in others.
    """


def get_mask(x: object) -> Tensor | None:
    """Returns the mask that travels with a tensor, or None.

    Args:
        x: A tensor. Any other object has no mask.
    """
    mask = getattr(x, "_keras_mask", None)
    if mask is None and (table := context.current.masks):
        entry = table.get(id(x))
        mask = entry[1] if entry is not None and entry[0] is x else None
    return mask


def set_mask(x: object, mask: Tensor | None) -> None:
    """Attaches a mask to a tensor.

    Args:
        x: A tensor, concrete or symbolic.
        mask: Booleans of shape `(batch, time)`; None removes the mask.
    """
    if mask is None and not isinstance(x, KerasTensor) and get_mask(x) is None:
        return
    try:
        x._keras_mask = mask  # type: ignore[attr-defined]
    except AttributeError:  # a traced value without attributes: the table keeps its mask
        table = context.current.masks
        if len(table) > 1000:
            table.clear()
        table[id(x)] = (x, mask)

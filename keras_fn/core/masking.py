"""Masks that travel with tensors: booleans that say which time steps count."""

from collections.abc import Callable
from typing import Any

from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.scopes import context

used = False
"""Whether any tensor has had a mask: until then nobody needs to look for one."""


def makes_none(compute_mask: Callable[..., Any]) -> Callable[..., Any]:
    """Marks a `compute_mask` that gives no mask where none came: such a layer has a short road."""
    compute_mask.makes_none = True  # type: ignore[attr-defined]
    return compute_mask


def get_mask(x: Any) -> Any:
    """Returns the mask that travels with `x`, or None."""
    if isinstance(x, KerasTensor):
        return x._keras_mask
    if not used:
        return None
    mask = getattr(x, "_keras_mask", None)
    if mask is None and (table := context.now.masks):
        entry = table.get(id(x))
        mask = entry[1] if entry is not None and entry[0] is x else None
    return mask


def set_mask(x: Any, mask: Any) -> None:
    """Lets `mask` travel with `x`."""
    global used
    if mask is not None:
        used = True  # already by a graph: a compiler that follows it finds it as it stays
    if isinstance(x, KerasTensor):
        x._keras_mask = mask
        return
    if not used:
        return
    try:
        x._keras_mask = mask
    except AttributeError:  # a traced value without room: kept beside it
        table = context.now.masks
        if len(table) > 1000:
            table.clear()
        table[id(x)] = (x, mask)

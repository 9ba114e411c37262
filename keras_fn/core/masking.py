"""Masks that travel with tensors: booleans that say which time steps count."""

from typing import Any

from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.scopes import context
from keras_fn.core.tracing import is_followed

used = False
"""Whether any concrete tensor has had a mask: until then nobody needs to look for one."""


def get_mask(x: Any) -> Any:
    """Returns the mask that travels with `x`, or None."""
    if isinstance(x, KerasTensor):
        return x._keras_mask
    followed = is_followed()  # who follows would compile anew for each value of `used` and `id`
    if not followed and not used:
        return None
    mask = getattr(x, "_keras_mask", None)
    if mask is None and not followed:
        entry = context.now.masks.get(id(x))
        mask = entry[1] if entry is not None and entry[0] is x else None
    return mask


def set_mask(x: Any, mask: Any) -> None:
    """Lets `mask` travel with `x`."""
    global used
    if isinstance(x, KerasTensor):
        x._keras_mask = mask
        return
    if mask is not None:
        used = True
    elif not is_followed() and not used:
        return
    try:
        x._keras_mask = mask
    except AttributeError:  # a traced value without room: kept beside it
        table = context.now.masks
        if len(table) > 1000:
            table.clear()
        table[id(x)] = (x, mask)

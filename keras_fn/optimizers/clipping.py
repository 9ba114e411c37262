"""Limits on gradients: by value, by the norm of each, by the norm of all together."""

from collections.abc import Sequence
from typing import Any

from keras_fn import ops

Tensor = Any


def clip_gradients(
    grads: Sequence[Tensor],
    xp: Any,
    clipnorm: float | None = None,
    clipvalue: float | None = None,
    global_clipnorm: float | None = None,
) -> list[Tensor]:
    """Returns the gradients within the limit that is set, if one is.

    Args:
        grads: Tensors, or the for-each objects of a backend.
        xp: The functions for what `grads` holds.
        clipnorm: Greatest norm of each gradient.
        clipvalue: Greatest absolute value of an element.
        global_clipnorm: Greatest norm of all gradients together.
    """
    if clipnorm:
        # A norm of 0 is no trouble: it is the limit that divides then.
        return [xp.scale(g, clipnorm / xp.maximum(xp.norm(g), clipnorm)) for g in grads]
    if global_clipnorm:
        squares = [xp.total_norm(g) ** 2 for g in grads]
        norm = sum(squares[1:], squares[0]) ** 0.5
        factor = global_clipnorm / ops.maximum(norm, global_clipnorm)
        # A norm that is no finite number makes all gradients NaN, rather than some of them 0.
        factor = factor + (norm - norm)
        return [xp.scale(g, factor) for g in grads]
    if clipvalue:
        return [xp.clip(g, -clipvalue, clipvalue) for g in grads]
    return list(grads)

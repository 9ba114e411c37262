"""Gradient clipping: by value, by norm, by global norm."""

from collections.abc import Sequence

from keras_fn import ops
from keras_fn.optimizers.array_namespace import ArrayNamespace
from keras_fn.types import Tensor


def clip_gradients(
    grads: Sequence[Tensor],
    xp: ArrayNamespace,
    clipnorm: float | None = None,
    clipvalue: float | None = None,
    global_clipnorm: float | None = None,
) -> list[Tensor]:
    """Clips gradients by the one limit that is set, if any.

    Args:
        grads: Tensors, or the `foreach` objects of a backend.
        xp: The functions for what `grads` holds, as in `Optimizer.update_rule`.
        clipnorm: Maximum norm of each gradient.
        clipvalue: Maximum absolute value of an element.
        global_clipnorm: Maximum norm of all gradients together.

    Returns:
        The clipped gradients.
    """
    if clipnorm:
        # A norm of 0 is safe: the divisor is the limit then.
        return [xp.scale(g, clipnorm / xp.maximum(xp.norm(g), clipnorm)) for g in grads]
    if global_clipnorm:
        squares = [xp.total_norm(g) ** 2 for g in grads]
        factor = global_norm_factor(sum(squares[1:], squares[0]) ** 0.5, global_clipnorm)
        return [xp.scale(g, factor) for g in grads]
    if clipvalue:
        return [xp.clip(g, -clipvalue, clipvalue) for g in grads]
    return list(grads)


def global_norm_factor(norm: Tensor, limit: float) -> Tensor:
    """Returns what gradients are multiplied with, so that their global norm is at most a limit.

    Args:
        norm: The norm of all gradients together.
        limit: The limit.
    """
    factor = limit / ops.maximum(norm, limit)
    # A non-finite norm turns all gradients into NaN, rather than some of them into 0.
    return factor + (norm - norm)

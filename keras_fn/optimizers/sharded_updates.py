"""Updates of variables of which each process stores a part (`keras_fn.core.sharded_variable`)."""

from collections.abc import Iterable, Sequence
from typing import Any

from keras_fn import ops
from keras_fn.core.replicas import sum_all_over_replicas
from keras_fn.core.scopes import context
from keras_fn.core.sharded_variable import ShardedVariable, ShardScope, gather_gradient
from keras_fn.optimizers import single_tensor
from keras_fn.optimizers.clipping import clip_gradients
from keras_fn.types import Tensor

Clips = tuple[float | None, float | None, float | None]
"""`clipnorm`, `clipvalue` and `global_clipnorm`, of which one is set at most."""


def has_shards(variables: Iterable[Any] | None) -> bool:
    """Whether an update needs a `ShardScope`, and none is active."""
    if not ShardedVariable.exist or context.current.shards is not None:
        return False
    return any(getattr(v, "shard_index", None) is not None for v in variables or ())


def apply_to_shards(
    optimizer: Any, grads: Sequence[Tensor | None], variables: Sequence[Any]
) -> None:
    """Applies gradients, of which some are of a whole variable and others of a part.

    An optimizer that acts element by element updates the part of this process; another one gathers
    each variable.

    Args:
        optimizer: The optimizer.
        grads: Gradients, one for each variable; None for a variable without one.
        variables: The variables.
    """
    is_local = optimizer._acts_elementwise()
    adapt = ShardedVariable.own_part if is_local else gather_gradient
    adapted = [
        g if g is None or v.shard_index is None else adapt(v, g)
        for g, v in zip(grads, variables, strict=True)
    ]
    with ShardScope("local" if is_local else "whole"):
        optimizer.apply(adapted, variables)


def clip_shards(
    grads: Sequence[Tensor], variables: Sequence[Any], clips: Clips
) -> Sequence[Tensor]:
    """Clips gradients of parts of variables, by the norms of the whole gradients.

    Args:
        grads: Gradients.
        variables: The variables.
        clips: The limits.
    """
    clipnorm, clipvalue, global_clipnorm = clips
    if not clipnorm and not global_clipnorm:
        return clip_gradients(grads, single_tensor, None, clipvalue)
    squares = [ops.square(single_tensor.norm(g)) for g in grads]
    sharded = [i for i, v in enumerate(variables) if v.shard_index is not None]
    sums = sum_all_over_replicas([squares[i] / variables[i].count_copies() for i in sharded])
    for i, total in zip(sharded, sums, strict=True):
        squares[i] = total
    norms = [ops.sqrt(square) for square in squares]
    if global_clipnorm:
        norm = ops.sqrt(sum(squares[1:], squares[0]))
        factor = global_clipnorm / ops.maximum(norm, global_clipnorm)
        factors = [factor + (norm - norm)] * len(norms)
    else:
        limit = clipnorm or 0.0
        factors = [limit / ops.maximum(norm, limit) for norm in norms]
    return [single_tensor.scale(g, f) for g, f in zip(grads, factors, strict=True)]

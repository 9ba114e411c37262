"""Updates in several processes: of variables of which each stores a part, and by its own gradients.

See `keras_fn.core.sharded_variable` and `keras_fn.core.replicas`.
"""

from collections.abc import Iterable, Sequence
from typing import Any, cast

from keras_fn import ops
from keras_fn.core.replicas import GradientState, ReplicaScope, sum_all_over_replicas
from keras_fn.core.scopes import context
from keras_fn.core.sharded_variable import ShardedVariable, ShardScope, gather_gradient
from keras_fn.errors import SpecError
from keras_fn.optimizers import single_tensor
from keras_fn.optimizers.clipping import clip_gradients, global_norm_factor
from keras_fn.types import Tensor

Clips = tuple[float | None, float | None, float | None]
"""`clipnorm`, `clipvalue` and `global_clipnorm`, of which one is set at most."""


def needs_scope(variables: Iterable[Any] | None) -> bool:
    """Whether an update needs `apply_in_scope`: called where there are shards, or in a replica."""
    replica = context.current.replica
    if replica is not None and not replica.gradients.summed:
        return True
    if not ShardedVariable.exist or context.current.shards is not None:
        return False
    return any(getattr(v, "shard_index", None) is not None for v in variables or ())


def apply_in_scope(
    optimizer: Any, grads: Sequence[Tensor | None], variables: Sequence[Any]
) -> None:
    """Applies gradients in several processes.

    Those that a step of the program has computed by the framework (`tf.GradientTape`,
    `loss.backward()`) are of the rows of this process: they are summed first. Some gradients are of
    a whole variable, and others of a part. An optimizer that acts element by element updates the
    part of this process; another one gathers each variable.

    Args:
        optimizer: The optimizer.
        grads: Gradients, one for each variable; None for a variable without one.
        variables: The variables.

    Raises:
        ValueError: The framework has computed gradients of weights that are sharded.
    """
    replica = context.current.replica
    if replica is not None and not replica.gradients.summed:
        _check_own_gradients(optimizer, grads, variables)
        present = [i for i, g in enumerate(grads) if g is not None]
        sums = sum_all_over_replicas([replica.weigh(grads[i]) for i in present])
        whole = dict(zip(present, sums, strict=True))
        with ReplicaScope(replica._replace(gradients=GradientState(summed=True))):
            optimizer.apply([whole.get(i) for i in range(len(grads))], variables)
        return
    is_local = optimizer._acts_elementwise()
    adapt = ShardedVariable.own_part if is_local else gather_gradient
    adapted = [
        g if g is None or v.shard_index is None else adapt(v, g)
        for g, v in zip(grads, variables, strict=True)
    ]
    with ShardScope("local" if is_local else "whole"):
        optimizer.apply(adapted, variables)


def _check_own_gradients(
    optimizer: Any, grads: Sequence[Tensor | None], variables: Sequence[Any]
) -> None:
    """Raises if the program's own gradients lack those of sharded weights."""
    found = {id(v) for g, v in zip(grads, variables, strict=False) if g is not None}
    for variable in optimizer._trainable_variables:
        if variable.shard_index is not None and id(variable) not in found:
            raise SpecError(
                f"{type(optimizer).__name__}, apply",
                expected="gradients of all weights",
                received=f"none of {variable.path!r}, which is sharded over processes",
                fix="compute gradients with keras.value_and_grad, not by the framework; or pass "
                "shard_weights=False",
            )


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
    if clipnorm:
        factors = [clipnorm / ops.maximum(ops.sqrt(square), clipnorm) for square in squares]
    else:
        norm = ops.sqrt(sum(squares[1:], squares[0]))
        factors = [global_norm_factor(norm, cast(float, global_clipnorm))] * len(squares)
    return [single_tensor.scale(g, f) for g, f in zip(grads, factors, strict=True)]

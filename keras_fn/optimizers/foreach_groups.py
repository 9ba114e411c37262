"""Groups of variables that are updated together in one `foreach` call."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from keras_fn import ops
from keras_fn.core.variable import Variable
from keras_fn.types import Tensor


class ForeachGroup(NamedTuple):
    """Variables of one dtype and number of slots."""

    dtype: str
    indices: tuple[int, ...]  # in the variables of the step
    variables: tuple[Variable, ...]
    slots: tuple[tuple[Variable, ...], ...]  # for each slot, the variables that hold it
    decayed: tuple[Variable, ...]  # the variables to which weight decay applies


def make_foreach_groups(
    variables: Sequence[Variable],
    slots_of: Callable[[Variable], Sequence[Variable]],
    decays: Callable[[Variable], bool],
) -> list[ForeachGroup]:
    """Groups variables by dtype and number of slots.

    Args:
        variables: The variables of a step.
        slots_of: Returns the slots of a variable.
        decays: Returns whether weight decay applies to a variable.

    Returns:
        The groups.
    """
    indices_by_key: dict[tuple[str, int], list[int]] = {}
    for i, v in enumerate(variables):
        indices_by_key.setdefault((ops.dtype(v), len(slots_of(v))), []).append(i)
    groups = []
    for (dtype, _), indices in indices_by_key.items():
        members = [variables[i] for i in indices]
        slots = tuple(zip(*map(slots_of, members), strict=True))
        decayed = tuple(v for v in members if decays(v))
        groups.append(ForeachGroup(dtype, tuple(indices), tuple(members), slots, decayed))
    return groups


def cast_like(values: Sequence[Tensor], grads: Sequence[Tensor]) -> list[Tensor]:
    """Returns gradients in the dtypes of the values of their variables."""
    return [
        g if g.dtype == w.dtype else ops.cast(g, ops.dtype(w))
        for g, w in zip(grads, values, strict=True)
    ]

"""Variables of one dtype, which are updated together; found once for each set of variables."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from keras_fn import ops


class ForeachGroup(NamedTuple):
    """Variables of one dtype and number of slots."""

    dtype: str
    indices: tuple[int, ...]  # their positions among all variables of the step
    variables: tuple[Any, ...]
    slots: tuple[tuple[Any, ...], ...]  # for each slot, the variables that hold it
    decayed: tuple[Any, ...]  # the variables to which weight decay applies


def make_foreach_groups(
    variables: Sequence[Any],
    slots_of: Callable[[Any], Sequence[Any]],
    decays: Callable[[Any], bool],
) -> list[ForeachGroup]:
    """Returns the groups of some variables.

    Args:
        variables: The variables of a step.
        slots_of: Gives the slots of a variable.
        decays: Says whether weight decay applies to a variable.
    """
    indices_by_key: dict[tuple[str, int], list[int]] = {}
    for i, v in enumerate(variables):
        indices_by_key.setdefault((ops.dtype(v), len(slots_of(v))), []).append(i)
    groups = []
    for (dtype, _), indices in indices_by_key.items():
        own = [variables[i] for i in indices]
        slots = tuple(zip(*map(slots_of, own), strict=True))
        decayed = tuple(v for v in own if decays(v))
        groups.append(ForeachGroup(dtype, tuple(indices), tuple(own), slots, decayed))
    return groups

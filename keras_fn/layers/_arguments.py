"""Constructor arguments that many layers take, checked in one way."""

from typing import Any

from keras_fn import constraints, initializers, regularizers
from keras_fn.core.variable import Variable
from keras_fn.errors import SpecError
from keras_fn.layers.layer import Layer


def misfit(layer: Any, argument: str, expected: str, received: Any, fix: str) -> SpecError:
    """Returns the error of a constructor argument that cannot be used."""
    return SpecError(
        type(layer).__name__,
        expected=f"{argument}: {expected}",
        received=f"{argument}={received!r}",
        fix=fix,
    )


def is_count(value: Any, least: int = 1) -> bool:
    """Whether it is an integer, no boolean, of `least` or more."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def count(layer: Any, argument: str, value: Any) -> int:
    """Returns `value`, a positive integer.

    Raises:
        SpecError: It is none.
    """
    if not is_count(value):
        raise misfit(layer, argument, "a positive integer", value, f"for example {argument}=8")
    return value


def counts(layer: Any, argument: str, value: Any, rank: int, least: int = 1) -> tuple[int, ...]:
    """Returns an integer for each of `rank` axes, from one for each or one for all.

    Raises:
        SpecError: Another number of them, or one that is less than `least`.
    """
    values = (value,) * rank if isinstance(value, int) else value
    several = isinstance(values, (list, tuple)) and len(values) == rank
    if several and all(is_count(v, least) for v in values):
        return tuple(values)
    integers = f"an integer of {least} or more"
    wanted = f"{integers}, or {rank} of them" if rank > 1 else integers
    raise misfit(layer, argument, wanted, value, f"for example {argument}={least + 1}")


def pairs(layer: Any, argument: str, value: Any, rank: int) -> tuple[tuple[int, int], ...]:
    """Returns (before, after) for each of `rank` axes: from pairs, a number an axis, or one.

    Raises:
        SpecError: Anything else, or a negative number.
    """
    values = (value,) * rank if isinstance(value, int) else value
    if isinstance(values, (list, tuple)) and len(values) == rank:
        ends = [(v, v) if isinstance(v, int) else v for v in values]
        two = all(isinstance(end, (list, tuple)) and len(end) == 2 for end in ends)
        if two and all(is_count(n, 0) for end in ends for n in end):
            return tuple((before, after) for before, after in ends)
    raise misfit(
        layer,
        argument,
        f"an integer of 0 or more, {rank} of them, or {rank} pairs",
        value,
        f"for example {argument}={((1, 1),) * rank}",
    )


def choice(layer: Any, argument: str, value: Any, among: tuple[str, ...]) -> str:
    """Returns `value` in lower case, one of some names.

    Raises:
        SpecError: It is none of them.
    """
    name = value.lower() if isinstance(value, str) else value
    if name not in among:
        names = " or ".join(map(repr, among))
        raise misfit(layer, argument, names, value, f"for example {argument}={among[0]!r}")
    return name


def share(layer: Any, argument: str, value: Any) -> Any:
    """Returns `value`, a number from 0 to 1.

    Raises:
        SpecError: It is none.
    """
    if not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise misfit(layer, argument, "a number from 0 to 1", value, f"for example {argument}=0.5")
    return value


def describe(
    layer: Any, name: str, initializer: Any, regularizer: Any = None, constraint: Any = None
) -> None:
    """Keeps how a weight begins, what it costs and how it is bounded, as attributes."""
    setattr(layer, f"{name}_initializer", initializers.get(initializer))
    setattr(layer, f"{name}_regularizer", regularizers.get(regularizer))
    setattr(layer, f"{name}_constraint", constraints.get(constraint))


def add_described(layer: Any, described: str, shape: Any, **options: Any) -> Variable:
    """Adds a weight as `describe` kept it; its name is that of the description, or `name`."""
    return layer.add_weight(
        shape,
        getattr(layer, f"{described}_initializer"),
        regularizer=getattr(layer, f"{described}_regularizer"),
        constraint=getattr(layer, f"{described}_constraint"),
        **{"name": described, **options},
    )


def _at_least_zero(layer: Layer, argument: str, value: Any, none: bool = False) -> Any:
    """Returns `value`, a number of 0 or more."""
    if isinstance(value, dict):  # as Keras 2 wrote NumPy numbers
        value = value.get("value")
    if (value is None and not none) or (value is not None and value < 0):
        raise misfit(layer, argument, "a number of 0 or more", value, f"for example {argument}=1.0")
    return value

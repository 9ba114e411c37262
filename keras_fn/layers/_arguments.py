"""Validation of constructor arguments that many layers have."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from keras_fn import constraints, initializers, regularizers
from keras_fn.core.variable import Variable
from keras_fn.errors import SpecError, check_choice
from keras_fn.types import ConstraintLike, InitializerLike, RegularizerLike


def argument_error(
    layer: object, argument: str, expected: str, received: object, fix: str
) -> SpecError:
    """Returns the error for an invalid constructor argument.

    Args:
        layer: The layer.
        argument: The name of the argument.
        expected: The valid values.
        received: The invalid value.
        fix: What to change.
    """
    return SpecError(
        type(layer).__name__,
        expected=f"{argument}: {expected}",
        received=f"{argument}={received!r}",
        fix=fix,
    )


def is_int_at_least(value: object, minimum: int = 1) -> bool:
    """Returns whether `value` is an integer (not a boolean) of `minimum` or more."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= minimum


def positive_int(layer: object, argument: str, value: Any) -> int:
    """Returns `value` if it is a positive integer.

    Raises:
        SpecError: It is not.
    """
    if not is_int_at_least(value):
        fix = f"for example {argument}=8"
        raise argument_error(layer, argument, "a positive integer", value, fix)
    return value


def check_flag(layer: object, argument: str, value: Any) -> bool:
    """Returns `value` if it is a boolean.

    Raises:
        SpecError: It is not.
    """
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    raise argument_error(layer, argument, "True or False", value, f"for example {argument}=True")


def check_seed(layer: object, seed: Any) -> int | None:
    """Returns `seed` if it is an integer or None.

    Raises:
        SpecError: It is not.
    """
    if seed is None or (isinstance(seed, int) and not isinstance(seed, bool)):
        return seed
    raise argument_error(layer, "seed", "an integer or None", seed, "for example seed=1")


def int_tuple(
    layer: object, argument: str, value: Any, rank: int, minimum: int = 1
) -> tuple[int, ...]:
    """Returns a tuple of `rank` integers, from one for each axis or one for all axes.

    Raises:
        SpecError: The number of integers differs, or one is less than `minimum`.
    """
    values = (value,) * rank if isinstance(value, int) else value
    is_sequence = isinstance(values, (list, tuple)) and len(values) == rank
    if is_sequence and all(is_int_at_least(v, minimum) for v in values):
        return tuple(values)
    expected = f"an integer of {minimum} or more"
    if rank > 1:
        expected = f"{expected}, or {rank} of them"
    raise argument_error(layer, argument, expected, value, f"for example {argument}={minimum + 1}")


def padding_pairs(
    layer: object, argument: str, value: Any, rank: int
) -> tuple[tuple[int, int], ...]:
    """Returns (before, after) for each of `rank` axes, from pairs, one integer an axis, or one.

    Raises:
        SpecError: `value` has another form, or a negative integer.
    """
    values = (value,) * rank if isinstance(value, int) else value
    if isinstance(values, (list, tuple)) and len(values) == rank:
        pairs = [(v, v) if isinstance(v, int) else v for v in values]
        are_pairs = all(isinstance(pair, (list, tuple)) and len(pair) == 2 for pair in pairs)
        if are_pairs and all(is_int_at_least(n, 0) for pair in pairs for n in pair):
            return tuple((before, after) for before, after in pairs)
    raise argument_error(
        layer,
        argument,
        f"an integer of 0 or more, {rank} of them, or {rank} pairs",
        value,
        f"for example {argument}={((1, 1),) * rank}",
    )


def one_of(layer: object, argument: str, value: Any, options: tuple[str, ...]) -> str:
    """Returns `value` in lower case if it is one of the options.

    Raises:
        SpecError: It is not.
    """
    name = value.lower() if isinstance(value, str) else value
    return check_choice(type(layer).__name__, argument, name, options)


def fraction(layer: object, argument: str, value: Any) -> float:
    """Returns `value` if it is a number from 0 to 1.

    Raises:
        SpecError: It is not.
    """
    if not isinstance(value, (int, float)) or not 0 <= value <= 1:
        fix = f"for example {argument}=0.5"
        raise argument_error(layer, argument, "a number from 0 to 1", value, fix)
    return value


def nonnegative_number(layer: object, argument: str, value: Any, optional: bool = False) -> Any:
    """Returns `value` if it is a number of 0 or more, or None where that is `optional`.

    Raises:
        SpecError: It is not.
    """
    if isinstance(value, dict):  # as Keras 2 wrote NumPy numbers
        value = value.get("value")
    if (value is None and not optional) or (value is not None and value < 0):
        fix = f"for example {argument}=1.0"
        raise argument_error(layer, argument, "a number of 0 or more", value, fix)
    return value


def refuse_strides_with_dilation(layer: Any) -> None:
    """Raises an error if both `strides` and `dilation_rate` of a layer are larger than 1.

    Raises:
        SpecError: They are.
    """
    if max(layer.strides) > 1 and max(layer.dilation_rate) > 1:
        raise argument_error(
            layer,
            "strides",
            f"1 where dilation_rate={layer.dilation_rate}",
            layer.strides,
            "set one of strides and dilation_rate to 1",
        )


def set_weight_spec(
    layer: object,
    name: str,
    initializer: InitializerLike | None,
    regularizer: RegularizerLike | None = None,
    constraint: ConstraintLike | None = None,
) -> None:
    """Sets the attributes `<name>_initializer`, `<name>_regularizer` and `<name>_constraint`."""
    setattr(layer, f"{name}_initializer", initializers.get(initializer))
    setattr(layer, f"{name}_regularizer", regularizers.get(regularizer))
    setattr(layer, f"{name}_constraint", constraints.get(constraint))


def add_weight_from_spec(layer: Any, spec: str, shape: tuple[int, ...], **options: Any) -> Variable:
    """Adds a weight with the attributes of `set_weight_spec`.

    Args:
        layer: The layer.
        spec: The name that `set_weight_spec` received, which is the weight's name by default.
        shape: The shape of the weight.
        **options: Other or further arguments of `add_weight`.
    """
    of_spec = {
        "initializer": getattr(layer, f"{spec}_initializer"),
        "regularizer": getattr(layer, f"{spec}_regularizer"),
        "constraint": getattr(layer, f"{spec}_constraint"),
        "name": spec,
    }
    return layer.add_weight(shape, **(of_spec | options))


Check = tuple[bool, tuple[str, str], str]
"""Whether a layer is in the right state, what was expected and received, and the fix."""


def check_state(layer: Any, method: str, checks: Iterable[Check]) -> None:
    """Raises an error for the first check that fails.

    Args:
        layer: A layer whose method cannot run in every state.
        method: The name of the method.
        checks: What must hold.

    Raises:
        SpecError: Something does not hold.
    """
    for is_right, (expected, received), fix in checks:
        if not is_right:
            source = f"{layer._label}, {method}"
            raise SpecError(source, expected=expected, received=received, fix=fix)


def require_built(is_built: bool) -> Check:
    """Returns the check of a method that needs the weights of a layer."""
    found = ("a layer that is built", "one that is not")
    return is_built, found, "call the layer once, or call build(input_shape)"

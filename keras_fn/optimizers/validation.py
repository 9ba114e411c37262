"""Validation of optimizer arguments, and of gradients against variables."""

import inspect
import warnings
from collections.abc import Mapping
from numbers import Real
from typing import Any

import numpy as np

from keras_fn.core.argument_forms import FLAG, NUMBER, OPTIONAL_NUMBER, check_arguments
from keras_fn.errors import SpecError

BASE_ARGUMENTS = (
    "weight_decay",
    "clipnorm",
    "global_clipnorm",
    "clipvalue",
    "use_ema",
    "ema_momentum",
    "ema_overwrite_frequency",
    "loss_scale_factor",
    "gradient_accumulation_steps",
)
"""The arguments that all optimizers share, in the order of the config."""

_FORMS = {
    "weight_decay": OPTIONAL_NUMBER,
    "loss_scale_factor": OPTIONAL_NUMBER,
    "use_ema": FLAG,
    "ema_momentum": NUMBER,
}

_CLIPPING_ARGUMENTS = ("clipnorm", "global_clipnorm", "clipvalue")


def check_learning_rate(learning_rate: Any, optimizer: Any) -> float:
    """Returns a constant learning rate as a float.

    Raises:
        SpecError: It is not a number.
    """
    learning_rate = learning_rate.item() if isinstance(learning_rate, np.generic) else learning_rate
    if isinstance(learning_rate, Real) and not isinstance(learning_rate, bool):
        return float(learning_rate)
    raise SpecError(
        f"{type(optimizer).__name__} {optimizer.name!r}",
        expected="learning_rate as a float, a LearningRateSchedule or a function of no arguments",
        received=f"{learning_rate!r}",
        fix="for example learning_rate=0.001",
    )


def check_base_arguments(optimizer: Any, unknown: Mapping[str, object]) -> None:
    """Validates the arguments that all optimizers share.

    Args:
        optimizer: The optimizer, with the arguments as attributes.
        unknown: Keyword arguments that the optimizer does not take.

    Raises:
        SpecError: An argument is out of range or unknown, or several kinds of clipping are set.
    """

    def raise_error(expected: str, received: str, fix: str) -> None:
        source = f"{type(optimizer).__name__} {optimizer.name!r}"
        raise SpecError(source, expected=expected, received=received, fix=fix)

    def argument(name: str) -> Any:
        return getattr(optimizer, name)

    if unknown:
        fix = "use a schedule: keras.optimizers.schedules" if "decay" in unknown else "remove it"
        fix = "use learning_rate" if "lr" in unknown else fix
        raise_error(
            "the arguments in its documentation", f"arguments not recognized: {unknown}", fix
        )
    source = f"{type(optimizer).__name__} {optimizer.name!r}"
    check_arguments(source, _FORMS, {name: argument(name) for name in BASE_ARGUMENTS})
    limits = {name: argument(name) for name in _CLIPPING_ARGUMENTS if argument(name) is not None}
    if len(limits) > 1:
        raise_error("only one kind of clipping", f"{limits}", "set one of them")
    for name, limit in limits.items():
        if not isinstance(limit, Real) or limit < 0:
            raise_error(
                f"{name} as a positive number or None", f"{limit!r}", f"pass {name}=None or 1.0"
            )
    steps = argument("gradient_accumulation_steps")
    if steps and (not isinstance(steps, int) or steps < 2):
        raise_error(
            "gradient_accumulation_steps as an integer >= 2, or None",
            f"{steps!r}",
            "pass None to update the variables in each step",
        )
    if not argument("use_ema"):
        return
    momentum, frequency = argument("ema_momentum"), argument("ema_overwrite_frequency")
    if not 0 <= momentum <= 1:
        raise_error(
            "ema_momentum between 0 and 1", f"{momentum!r}", "for example ema_momentum=0.99"
        )
    if frequency is not None and (not isinstance(frequency, int) or frequency < 1):
        raise_error(
            "ema_overwrite_frequency as an integer >= 1, or None", f"{frequency!r}", "pass None"
        )


def check_own_arguments(optimizer: Any) -> None:
    """Checks the arguments of an optimizer's class that are numbers or booleans by default.

    Args:
        optimizer: The optimizer, with the arguments as attributes.

    Raises:
        DTypeError: One is of another type.
    """
    parameters = inspect.signature(type(optimizer)).parameters
    forms = {}
    for name in optimizer.arguments:
        parameter = parameters.get(name)
        if parameter is None or not isinstance(parameter.default, Real):
            continue
        is_optional = "None" in str(parameter.annotation)
        is_flag = isinstance(parameter.default, bool)
        forms[name] = FLAG if is_flag else OPTIONAL_NUMBER if is_optional else NUMBER
    source = f"{type(optimizer).__name__} {optimizer.name!r}"
    check_arguments(source, forms, {name: getattr(optimizer, name, None) for name in forms})


def match_gradients(optimizer: Any, grads: list[Any], variables: Any) -> list[Any]:
    """Returns the variables that the gradients belong to.

    Args:
        optimizer: The optimizer.
        grads: The gradients.
        variables: The variables, or None for those that the optimizer was built for.

    Returns:
        One variable for each gradient.

    Raises:
        SpecError: The optimizer is not built, a variable is unknown, or the numbers differ.
    """
    source = f"{type(optimizer).__name__} {optimizer.name!r}"
    if variables is not None:
        variables = list(variables)
        for v in variables:
            if id(v) not in optimizer._variable_indices:
                raise SpecError(
                    source,
                    expected="one of the "
                    f"{len(optimizer._variable_indices)} variables it was built for",
                    received=f"unknown variable {getattr(v, 'path', v)!r}",
                    fix="create a new optimizer for a new set of variables",
                )
    elif optimizer.built:
        variables = optimizer._trainable_variables
    else:
        raise SpecError(
            source,
            expected="the variables that the gradients belong to",
            received="gradients alone, and the optimizer is not built",
            fix="pass trainable_variables, or call build(trainable_variables) before",
        )
    if len(grads) != len(variables):
        raise SpecError(
            source,
            expected=f"{len(variables)} gradients, one for each variable",
            received=f"{len(grads)}",
            fix="pass a gradient, or None, for each variable and in their order",
        )
    return variables


def filter_empty_gradients(
    optimizer: Any, grads: list[Any], variables: list[Any]
) -> tuple[list, list]:
    """Removes the variables without a gradient, with a warning.

    Args:
        optimizer: The optimizer.
        grads: The gradients; None for a variable without one.
        variables: The variables.

    Returns:
        The remaining gradients and variables.

    Raises:
        SpecError: There are no gradients.
    """
    if not any([g is None for g in grads]):
        return grads, variables
    pairs = [(g, v) for g, v in zip(grads, variables, strict=True) if g is not None]
    if not pairs:
        raise SpecError(
            f"{type(optimizer).__name__} {optimizer.name!r}",
            expected="a gradient for one variable at least",
            received="no gradients for any variable",
            fix="check that the loss depends on the variables",
        )
    missing = [v.path for g, v in zip(grads, variables, strict=True) if g is None]
    warnings.warn(
        f"Gradients do not exist for variables {missing}: the loss does not depend on them. "
        "These variables are not updated.",
        stacklevel=4,
    )
    return [g for g, _ in pairs], [v for _, v in pairs]

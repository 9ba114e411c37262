"""What optimizers refuse: arguments that do not fit, gradients that match no variables."""

import warnings
from numbers import Real
from typing import Any

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
"""In the order of an optimizer's config."""

_CLIPPING_ARGUMENTS = ("clipnorm", "global_clipnorm", "clipvalue")


def check_base_arguments(optimizer: Any, unknown: dict[str, Any]) -> None:
    """Raises where the shared arguments of an optimizer do not fit.

    Args:
        optimizer: Has them as attributes.
        unknown: Arguments that no optimizer takes.
    """

    def refuse(expected: str, received: str, fix: str) -> None:
        source = f"{type(optimizer).__name__} {optimizer.name!r}"
        raise SpecError(source, expected=expected, received=received, fix=fix)

    def value(name: str) -> Any:
        return getattr(optimizer, name)

    if unknown:
        fix = "use a schedule: keras.optimizers.schedules" if "decay" in unknown else "leave it out"
        refuse("the arguments in its documentation", f"arguments not recognized: {unknown}", fix)
    limits = {name: value(name) for name in _CLIPPING_ARGUMENTS if value(name) is not None}
    if len(limits) > 1:
        refuse("only one kind of clipping", f"{limits}", "choose one of them")
    for name, limit in limits.items():
        if not isinstance(limit, Real) or limit < 0:
            refuse(f"{name} as a positive number or None", f"{limit!r}", f"pass {name}=None or 1.0")
    steps = value("gradient_accumulation_steps")
    if steps and (not isinstance(steps, int) or steps < 2):
        refuse(
            "gradient_accumulation_steps as an integer >= 2, or None",
            f"{steps!r}",
            "pass None to update the variables in each step",
        )
    if not value("use_ema"):
        return
    momentum, every = value("ema_momentum"), value("ema_overwrite_frequency")
    if not 0 <= momentum <= 1:
        refuse("ema_momentum between 0 and 1", f"{momentum!r}", "for example ema_momentum=0.99")
    if every is not None and (not isinstance(every, int) or every < 1):
        refuse("ema_overwrite_frequency as an integer >= 1, or None", f"{every!r}", "pass None")


def match_gradients(optimizer: Any, grads: list[Any], variables: Any) -> list[Any]:
    """Returns the variables that gradients belong to, one each.

    Args:
        optimizer: The optimizer.
        grads: The gradients.
        variables: The variables, or None for those that the optimizer was built for.

    Raises:
        SpecError: The optimizer is not built, does not know a variable, or the numbers differ.
    """
    source = f"{type(optimizer).__name__} {optimizer.name!r}"
    if variables is not None:
        variables = list(variables)
        for v in variables:
            if id(v) not in optimizer._variable_indices:
                raise SpecError(
                    source,
                    expected=f"some of the {len(optimizer._variable_indices)} variables it was built for",
                    received=f"unknown variable {getattr(v, 'path', v)!r}",
                    fix="make a new optimizer for a new set of variables",
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
    """Returns gradients and variables without those that have no gradient, and warns of them.

    Raises:
        SpecError: No variable has one.
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
        "They stay as they are.",
        stacklevel=4,
    )
    return [g for g, _ in pairs], [v for _, v in pairs]

"""The arguments that all optimizers share, and what they may be."""

from numbers import Real
from typing import Any

from keras_fn.errors import SpecError

OPTIONS = (
    "weight_decay", "clipnorm", "global_clipnorm", "clipvalue", "use_ema", "ema_momentum",
    "ema_overwrite_frequency", "loss_scale_factor", "gradient_accumulation_steps",
)  # fmt: skip
"""In the order of an optimizer's config."""

_LIMITS = ("clipnorm", "global_clipnorm", "clipvalue")


def check_options(optimizer: Any, unknown: dict[str, Any]) -> None:
    """Raises where the shared arguments of an optimizer do not fit.

    Args:
        optimizer: Has them as attributes.
        unknown: Arguments that no optimizer takes.
    """

    def refuse(expected: str, given: str, fix: str) -> None:
        who = f"{type(optimizer).__name__} {optimizer.name!r}"
        raise SpecError(who, expected=expected, given=given, fix=fix)

    def value(name: str) -> Any:
        return getattr(optimizer, name)

    if unknown:
        fix = "use a schedule: keras.optimizers.schedules" if "decay" in unknown else "leave it out"
        refuse("the arguments in its documentation", f"arguments not recognized: {unknown}", fix)
    limits = {name: value(name) for name in _LIMITS if value(name) is not None}
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

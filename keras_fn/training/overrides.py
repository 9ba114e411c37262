"""Calls of overridden methods that take fewer arguments than the methods of `Model`."""

import inspect
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

_Names = tuple[str, ...]


def call_override(method: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
    """Calls an override with those of the arguments that it takes.

    It may leave arguments out (`compute_loss(self, x, y, y_pred, sample_weight)`, without
    `training`), or name them in its own way, in their order.

    Args:
        method: The override, bound to its model.
        arguments: All arguments by name, in the order of the method that is overridden; `training`
            is passed by name only.

    Returns:
        Its result.
    """
    function = getattr(method, "__func__", method)
    positional, named = _select(function, function is not method, tuple(arguments))
    return method(*(arguments[n] for n in positional), **{n: arguments[n] for n in named})


@lru_cache(maxsize=256)
def _select(function: Callable[..., Any], is_bound: bool, names: _Names) -> tuple[_Names, _Names]:
    """Returns the names of the arguments to pass in order, and of those to pass by name."""
    parameters = list(inspect.signature(function).parameters.values())[int(is_bound) :]
    kinds = {p.kind for p in parameters}
    listed = [p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.POSITIONAL_ONLY)]
    by_name = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY]
    takes_any = inspect.Parameter.VAR_KEYWORD in kinds
    has_own_names = inspect.Parameter.POSITIONAL_ONLY in kinds or not set(names).issuperset(listed)
    if not has_own_names and (listed or takes_any):
        return (), tuple(n for n in names if takes_any or n in listed or n in by_name)
    in_order = [n for n in names if n != "training"]
    if inspect.Parameter.VAR_POSITIONAL not in kinds:
        in_order = in_order[: len([n for n in listed if n != "training"])]
    rest = [n for n in names if n not in in_order]
    return tuple(in_order), tuple(n for n in rest if takes_any or n in by_name or n in listed)

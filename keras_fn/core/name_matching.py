"""Matching of the keys of a dict with the names of inputs or outputs."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from keras_fn.errors import SpecError


def select_by_name(
    values: Mapping[Any, Any], names: Sequence[Any], optional: Sequence[bool]
) -> list[Any] | None:
    """Returns the values in the order of the names, None for optional ones without a key.

    Args:
        values: Values by name.
        names: The names.
        optional: For each name, whether its key can be missing.

    Returns:
        A list of values, one for each name; None if a key is missing or unexpected.

    Example:
        >>> select_by_name({"b": 2, "a": 1}, ["a", "b"], [False, False])
        [1, 2]
    """
    if find_unexpected(values, names):
        return None
    pairs = zip(names, optional, strict=True)
    if find_missing(values, [name for name, is_optional in pairs if not is_optional]):
        return None
    return [values.get(name) for name in names]


def find_missing(values: Mapping[Any, Any], names: Iterable[Any]) -> list[Any]:
    """Returns the names without a key.

    Args:
        values: Values by name.
        names: The names.
    """
    return [name for name in names if name not in values]


def find_unexpected(values: Mapping[Any, Any], names: Sequence[Any]) -> list[Any]:
    """Returns the keys that are not names.

    Args:
        values: Values by name.
        names: The names.
    """
    return [key for key in values if key not in names]


def input_name_error(
    source: str,
    names: Iterable[str],
    inputs: Mapping[Any, Any],
    missing: Sequence[str],
    unexpected: Sequence[Any] = (),
) -> SpecError:
    """Returns the error for a dict of inputs whose keys do not match.

    Args:
        source: The layer or model.
        names: The names of its inputs.
        inputs: The inputs by name.
        missing: The names to add.
        unexpected: The keys to drop.
    """
    return SpecError(
        source,
        expected=f"inputs named {', '.join(names)}",
        received=f"inputs named {', '.join(map(str, inputs))}",
        fix="; ".join(
            [f"add {', '.join(missing)}"] * bool(missing)
            + [f"drop {', '.join(map(str, unexpected))}"] * bool(unexpected)
        ),
    )

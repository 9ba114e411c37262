"""Automatic names (`dense`, `dense_1`) and name scopes."""

import re
from collections import defaultdict
from types import TracebackType

from keras_fn.core.memoize import memoize
from keras_fn.core.scopes import context
from keras_fn.errors import DTypeError, SpecError

_counts: defaultdict[str, int] = defaultdict(int)

# Characters that cannot be part of a key of a weights file.
_FORBIDDEN = re.compile(r"[/\\\x00-\x1f\x7f]")
_MAX_LENGTH = 255


@memoize
def to_snake_case(name: str) -> str:
    """Returns a class name in snake case, as Keras writes it in automatic names.

    Example:
        >>> to_snake_case("Conv2DTranspose"), to_snake_case("LSTMCell")
        ('conv2d_transpose', 'lstm_cell')
    """
    name = re.sub(r"\W+", "", name)
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def auto_name(prefix: str) -> str:
    """Returns a unique name: `prefix`, then `prefix_1`, `prefix_2`, ... in later calls."""
    prefix = to_snake_case(prefix)
    count = _counts[prefix]
    _counts[prefix] = count + 1
    return prefix if count == 0 else f"{prefix}_{count}"


def get_uid(prefix: str = "") -> int:
    """Returns a unique integer for a prefix: 1, 2, 3, ... in successive calls.

    Example:
        >>> keras.backend.get_uid("block"), keras.backend.get_uid("block")
        (1, 2)
    """
    _counts[f"uid:{prefix}"] += 1
    return _counts[f"uid:{prefix}"]


def reset_names() -> None:
    """Resets the counters of automatic names."""
    _counts.clear()


def check_name(name: object, owner: str) -> str:
    """Validates the name of a layer or variable, which also must be a key of a weights file.

    Args:
        name: The name.
        owner: The class of the named object, for error messages.

    Returns:
        The name.

    Raises:
        ValueError: The name is empty, too long, or has a slash, backslash or control character.
        TypeError: The name is not a string.
    """
    if isinstance(name, str) and name.isidentifier() and len(name) <= _MAX_LENGTH:
        return name  # nearly all are
    fix = "pass another name=, or leave it out for an automatic name"
    expected = f"a name of 1 to {_MAX_LENGTH} characters without '/', '\\' or control characters"
    if not isinstance(name, str):
        raise DTypeError(owner, expected=expected, received=f"{name!r}"[:100], fix=fix)
    if not name or len(name) > _MAX_LENGTH or name in (".", "..") or _FORBIDDEN.search(name):
        raise SpecError(owner, expected=expected, received=f"{name!r}"[:300], fix=fix)
    return name


class name_scope:
    """Context manager that prefixes the paths of variables created inside with `name`.

    Args:
        name: The prefix, without slashes. Nested scopes are joined by slashes.
        **kwargs: Ignored; accepted for compatibility with Keras.

    Raises:
        ValueError: The name is not a string, or has a slash.

    Example:
        >>> with keras.name_scope("encoder"):
        ...     keras.Variable(0.0, name="step").path
        'encoder/step'
    """

    def __init__(self, name: str, **kwargs: object):
        if not isinstance(name, str) or "/" in name:
            raise SpecError(
                "name_scope",
                expected="a name without '/'",
                received=repr(name)[:300],
                fix="nest several scopes for a longer path",
            )
        self.name = name

    def __enter__(self) -> "name_scope":
        self._outer = context.name_path
        context.name_path = (*self._outer, self.name)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        context.name_path = self._outer


def current_path() -> str:
    """Returns the names of the active name scopes, joined by slashes."""
    return "/".join(context.name_path)

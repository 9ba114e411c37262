"""Automatic names (`dense`, `dense_1`) and the stack of name scopes."""

import re
from collections import defaultdict
from threading import local
from types import TracebackType

from keras_fn.core.memoize import remembered

_counts: defaultdict[str, int] = defaultdict(int)


class _OfThread(local):
    """The name scopes that are active in this thread, as an attribute: see `core/scopes.py`."""

    path: tuple[str, ...] = ()


_active = _OfThread()

# The pattern that a layer's name must match to be a key of a weights file.
_FORBIDDEN = re.compile(r"[/\\\x00-\x1f\x7f]")


@remembered
def to_snake_case(name: str) -> str:
    """Returns a class name as Keras writes it in automatic names.

    Example:
        >>> to_snake_case("Conv2DTranspose"), to_snake_case("LSTMCell")
        ('conv2d_transpose', 'lstm_cell')
    """
    name = re.sub(r"\W+", "", name)
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def auto_name(prefix: str) -> str:
    """Returns `prefix`, or `prefix_1`, `prefix_2` … when it was given before."""
    prefix = to_snake_case(prefix)
    count = _counts[prefix]
    _counts[prefix] = count + 1
    return prefix if count == 0 else f"{prefix}_{count}"


def get_uid(prefix: str = "") -> int:
    """Returns 1, 2, 3 … for each call with the same prefix."""
    _counts[f"uid:{prefix}"] += 1
    return _counts[f"uid:{prefix}"]


def reset_names() -> None:
    """Lets automatic names begin anew."""
    _counts.clear()


def check_name(name: object, owner: str) -> str:
    """Returns `name` if it can name a layer, also in a file.

    Raises:
        ValueError: It is no string, empty, too long, or holds a slash or a control character.
    """
    if not isinstance(name, str):
        raise ValueError(f"{owner}: name must be a string, not {name!r}.")
    if not name or len(name) > 255 or name in (".", "..") or _FORBIDDEN.search(name):
        raise ValueError(
            f"{owner}: the name {name!r} cannot be used. It must have 1 to 255 characters and "
            "hold no '/', '\\' or control character."
        )
    return name


class name_scope:
    """Puts `name` before the paths of the variables made inside.

    Args:
        name: The name; no slash.

    Example:
        >>> with name_scope("encoder"):
        ...     current_path()
        'encoder'
    """

    def __init__(self, name: str, **kwargs: object):
        if not isinstance(name, str) or "/" in name:
            raise ValueError(f"name_scope: name must be a string without '/', not {name!r}.")
        self.name = name

    def __enter__(self) -> "name_scope":
        self._outer = _active.path
        _active.path = (*self._outer, self.name)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        _active.path = self._outer


def current_path() -> str:
    """Returns the names of the active scopes, joined by slashes."""
    return "/".join(_active.path)

"""Saves and restores the position of iterators, so that a resumed run does not repeat batches.

Two protocols are supported, by their methods alone: `state_dict` and `load_state_dict` of a loader
(such as torchdata's StatefulDataLoader) or its iterator, and `get_state` and `set_state` of an
iterator (such as Grain's).
"""

import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from keras_fn.core import tree
from keras_fn.core.host_state import HostTensor, is_serializable
from keras_fn.errors import SpecError

_SOURCE_PROTOCOLS = (("state_dict", "load_state_dict"),)

_ITERATOR_PROTOCOLS = (*_SOURCE_PROTOCOLS, ("get_state", "set_state"))


def get_iterator_state(source: Any, iterator: Any) -> dict[str, Any] | None:
    """Returns the position in a source, or None if it does not support this.

    It warns if there is a position that a backup cannot hold.

    Args:
        source: The iterable.
        iterator: The iterator over it; None between two passes.

    Returns:
        A dict: `of` (whether the state is of the source or the iterator) and `state`.
    """
    for owner, holder in (("source", source), ("iterator", iterator)):
        methods = _state_methods(owner, holder)
        if methods is None:
            continue
        try:
            state = tree.map_structure(_to_host, methods[0]())
            if is_serializable(state):
                return {"of": owner, "state": state}
            reason = f"it holds more than numbers, text, bytes and arrays: {state!r:.200}"
        except Exception as error:  # training can go on without a position
            reason = f"{type(error).__name__}: {error}"
        warnings.warn(
            f"The position in {type(holder).__name__} cannot be saved: a resumed run reads "
            f"the data again, up to its position.\n  cause: {reason}",
            stacklevel=2,
        )
        return None
    return None


def set_iterator_state(
    source: Any, position: Mapping[str, Any], is_within_pass: bool
) -> Iterator[Any] | None:
    """Sets a source to a position.

    Args:
        source: The iterable.
        position: The result of `get_iterator_state`.
        is_within_pass: Whether the position is within a pass through the source.

    Returns:
        The iterator that continues from there; None between two passes.
    """
    owner, state = position["of"], tree.map_structure(_from_host, position["state"])
    if owner == "source":
        _state_setter(owner, source)(state)
        return iter(source) if is_within_pass else None
    iterator = iter(source)
    _state_setter(owner, iterator)(state)
    return iterator


def check_iterator_state(source: Any, iterator: Any, position: Mapping[str, Any]) -> None:
    """Raises SpecError if a source does not support a position of this kind.

    Args:
        source: The iterable.
        iterator: The iterator over it.
        position: The result of `get_iterator_state`.
    """
    _state_setter(position["of"], source if position["of"] == "source" else iterator)


def _state_methods(
    owner: str, holder: Any
) -> tuple[Callable[[], Any], Callable[[Any], Any]] | None:
    """Returns the getter and the setter of the position, if the source or iterator has both."""
    # With `set_epoch` (as Hugging Face's) each later pass would start at the loaded position.
    if owner == "source" and hasattr(holder, "set_epoch"):
        return None
    for get, set_ in _SOURCE_PROTOCOLS if owner == "source" else _ITERATOR_PROTOCOLS:
        if callable(getattr(holder, get, None)) and callable(getattr(holder, set_, None)):
            return getattr(holder, get), getattr(holder, set_)
    return None


def _state_setter(owner: str, holder: Any) -> Callable[[Any], Any]:
    methods = _state_methods(owner, holder)
    if methods is None:
        raise SpecError(
            "fit",
            expected="the data that the run started with, with support for its position",
            received=f"{type(holder).__name__}",
            fix="pass the same data, or use another folder for the backup",
        )
    return methods[1]


def _to_host(x: Any) -> Any:
    if isinstance(x, Mapping):  # other mappings than dicts are leaves to `tree`
        return tree.map_structure(_to_host, dict(x))
    if hasattr(x, "detach"):
        return HostTensor(np.array(x.detach().cpu()))
    return x.copy() if isinstance(x, np.ndarray) else x


def _from_host(x: Any) -> Any:
    # Such data comes from PyTorch, so it is loaded; keras_fn itself imports no framework.
    return sys.modules["torch"].from_numpy(x.array.copy()) if isinstance(x, HostTensor) else x

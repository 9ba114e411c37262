"""Positions of data that tells and takes them: a resumed run goes through nothing again.

Two protocols are known, by their methods alone: `state_dict` and `load_state_dict`, of a loader (as
torchdata's StatefulDataLoader) or its iterator, and `get_state` and `set_state`, of an iterator (as
Grain's).
"""

import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from keras_fn.errors import SpecError
from keras_fn.training.backup_format import HostTensor, is_plain

_OF_SOURCE = (("state_dict", "load_state_dict"),)

_OF_ITERATOR = (*_OF_SOURCE, ("get_state", "set_state"))


def tell(source: Any, iterator: Any) -> dict[str, Any] | None:
    """Returns the position in a source; None where it does not say.

    Args:
        source: What is gone through.
        iterator: What goes through it; None between two turns.
    """
    for of, holder in (("source", source), ("iterator", iterator)):
        methods = _methods(of, holder)
        if methods is None:
            continue
        try:
            state = _mapped(_to_host, methods[0]())
            if is_plain(state):
                return {"of": of, "state": state}
            reason = f"it holds more than numbers, text, bytes and arrays: {state!r:.200}"
        except Exception as error:  # whatever it is, training can go on
            reason = f"{type(error).__name__}: {error}"
        warnings.warn(
            f"The position in {type(holder).__name__} cannot be kept: a resumed run goes through "
            f"the data again, up to where it was.\n  cause: {reason}",
            stacklevel=2,
        )
        return None
    return None


def take(source: Any, told: Mapping[str, Any], has_begun: bool) -> Iterator[Any] | None:
    """Sets a source to a position.

    Args:
        source: What is gone through.
        told: What `tell` said.
        has_begun: Whether that was within a turn.

    Returns:
        What goes on from there; None between two turns.
    """
    of, state = told["of"], _mapped(_from_host, told["state"])
    if of == "source":
        _method(of, source)(state)
        return iter(source) if has_begun else None
    iterator = iter(source)
    _method(of, iterator)(state)
    return iterator


def check(source: Any, iterator: Any, told: Mapping[str, Any]) -> None:
    """Raises SpecError where a source does not take such a position."""
    _method(told["of"], source if told["of"] == "source" else iterator)


def _methods(of: str, holder: Any) -> tuple[Callable[[], Any], Callable[[Any], Any]] | None:
    """What tells and what takes the position of a source or an iterator, if it has both."""
    # One with epochs of its own to set (Hugging Face's) begins each later turn at what it loaded.
    if of == "source" and hasattr(holder, "set_epoch"):
        return None
    for get, set_ in _OF_SOURCE if of == "source" else _OF_ITERATOR:
        if callable(getattr(holder, get, None)) and callable(getattr(holder, set_, None)):
            return getattr(holder, get), getattr(holder, set_)
    return None


def _method(of: str, holder: Any) -> Callable[[Any], Any]:
    methods = _methods(of, holder)
    if methods is None:
        raise SpecError(
            "fit",
            expected="the data that the run began with, which takes its position back",
            received=f"{type(holder).__name__}",
            fix="pass the same data, or use another folder for the backup",
        )
    return methods[1]


def _mapped(function: Callable[[Any], Any], x: Any) -> Any:
    """A copy of nested values, with a function applied to what is no container."""
    if isinstance(x, Mapping):
        return {k: _mapped(function, v) for k, v in x.items()}
    if type(x) in (list, tuple):
        return type(x)(_mapped(function, v) for v in x)
    return function(x)


def _to_host(x: Any) -> Any:
    if hasattr(x, "detach"):
        return HostTensor(np.array(x.detach().cpu()))
    return x.copy() if isinstance(x, np.ndarray) else x


def _from_host(x: Any) -> Any:
    # The data is PyTorch's then, so it is there; keras_fn itself imports no framework.
    return sys.modules["torch"].from_numpy(x.array.copy()) if isinstance(x, HostTensor) else x

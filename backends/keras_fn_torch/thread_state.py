"""Thread-local state of the backend."""

from threading import local
from typing import Any

import torch

from keras_fn.core.scopes import context


class _ThreadState(local):
    """Thread-local state, as attributes: see `keras_fn/core/scopes.py`."""

    device: torch.device | None = None  # set by `device_scope`
    abstract = False  # whether `abstract_eval` runs
    # The layer and call that `forward` runs while the layer's hooks run around it.
    hooked: tuple[Any, Any] = (None, None)


thread_state = _ThreadState()


def is_abstract() -> bool:
    """Returns whether `abstract_eval` runs, outside of the building of a layer."""
    # Layers are built with real tensors: a BuildScope suspends the evaluation's StatelessScope.
    return thread_state.abstract and context.current.stateless is not None

"""State of the current thread."""

from threading import local
from typing import Any

import torch

from keras_fn.core.scopes import context


class _ThreadState(local):
    """What is in force in this thread, as attributes: see `keras_fn/core/scopes.py`."""

    device: torch.device | None = None  # of `device_scope`
    abstract = False  # whether `abstract_eval` runs
    # The call that `forward` shall make for a layer, while that layer's hooks run around it.
    hooked: tuple[Any, Any] = (None, None)


thread_state = _ThreadState()


def is_abstract() -> bool:
    """Whether `abstract_eval` runs, and what happens now is not the building of a layer."""
    # Layers inside are built for real: a BuildScope lifts the StatelessScope of the evaluation.
    return thread_state.abstract and context.current.stateless is not None

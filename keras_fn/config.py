"""Settings of the process: the public namespace `keras.config`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keras_fn import dtype_policies, settings
from keras_fn.backend import loader
from keras_fn.backend.loader import set_backend as set_backend
from keras_fn.core import namespaces
from keras_fn.settings import (
    epsilon as epsilon,
    floatx as floatx,
    image_data_format as image_data_format,
    set_epsilon as set_epsilon,
    set_floatx as set_floatx,
    set_image_data_format as set_image_data_format,
)

if TYPE_CHECKING:
    from keras_fn.dtype_policies import DTypePolicy


def backend() -> str:
    """Returns the name of the active backend, or of the one that would be loaded."""
    return loader.name()


def dtype_policy() -> DTypePolicy:
    """Returns the dtype policy of new layers."""
    return dtype_policies.dtype_policy()


def set_dtype_policy(policy: str | DTypePolicy) -> None:
    """Sets the dtype policy of new layers.

    Args:
        policy: A policy, or its name, for example `"mixed_bfloat16"`.
    """
    dtype_policies.set_dtype_policy(policy)


def enable_interactive_logging() -> None:
    """Displays progress as a line that is redrawn: the default in terminals and notebooks."""
    settings.settings.interactive_logging = True


def disable_interactive_logging() -> None:
    """Displays progress as one line per epoch."""
    settings.settings.interactive_logging = False


def is_interactive_logging_enabled() -> bool:
    """Returns whether progress is displayed as a line that is redrawn."""
    return settings.settings.interactive_logging


def enable_flash_attention() -> None:
    """Enables flash attention, which computes attention in blocks, if supported: the default."""
    settings.settings.flash_attention = True


def disable_flash_attention() -> None:
    """Disables flash attention, except for calls with `flash_attention=True`.

    The results differ by rounding errors only, and the matrix of all logits is kept in memory.
    """
    settings.settings.flash_attention = False


def is_flash_attention_enabled() -> bool:
    """Returns whether flash attention is enabled."""
    return settings.settings.flash_attention


def enable_traceback_filtering() -> None:
    """Hides internal frames in the tracebacks of errors: the default."""
    settings.settings.traceback_filtering = True


def disable_traceback_filtering() -> None:
    """Shows complete tracebacks."""
    settings.settings.traceback_filtering = False


def is_traceback_filtering_enabled() -> bool:
    """Returns whether internal frames are hidden in tracebacks."""
    return settings.settings.traceback_filtering


def is_nnx_enabled() -> bool:
    """Returns whether variables are variables of Flax NNX: always False."""
    return False


def max_epochs() -> int | None:
    """Returns the maximum number of epochs of `fit`, or None."""
    return settings.settings.max_epochs


def set_max_epochs(max_epochs: int | None) -> None:
    """Sets the maximum number of epochs of `fit`; None for no limit."""
    settings.settings.max_epochs = max_epochs


def max_steps_per_epoch() -> int | None:
    """Returns the maximum number of steps per epoch, or None."""
    return settings.settings.max_steps_per_epoch


def set_max_steps_per_epoch(max_steps_per_epoch: int | None) -> None:
    """Sets the maximum number of steps per epoch; None for no limit."""
    settings.settings.max_steps_per_epoch = max_steps_per_epoch


def enable_unsafe_deserialization() -> None:
    """Has no effect: no setting lets a model file run code.

    It exists for compatibility with Keras. Custom functions and classes of a file are passed to the
    loader by name: `load_model(path, custom_objects={"name": function})`.
    """


def __dir__() -> list[str]:
    return namespaces.list_public_names(globals())

"""Settings of the process: the public face of `keras_fn.settings`."""

from typing import Any

from keras_fn import dtype_policies, settings
from keras_fn.backend import loader
from keras_fn.backend.loader import set_backend as set_backend
from keras_fn.settings import epsilon as epsilon
from keras_fn.settings import floatx as floatx
from keras_fn.settings import image_data_format as image_data_format
from keras_fn.settings import set_epsilon as set_epsilon
from keras_fn.settings import set_floatx as set_floatx
from keras_fn.settings import set_image_data_format as set_image_data_format


def backend() -> str:
    """Returns the name of the backend in use, or of the one that would be loaded."""
    return loader.name()


def dtype_policy() -> Any:
    """Returns the dtype policy of new layers."""
    return dtype_policies.dtype_policy()


def set_dtype_policy(policy: Any) -> None:
    """Sets the dtype policy of new layers, for example to `"mixed_bfloat16"`."""
    dtype_policies.set_dtype_policy(policy)


def enable_interactive_logging() -> None:
    """Lets progress show as a line that is redrawn."""
    settings.settings.interactive_logging = True


def disable_interactive_logging() -> None:
    """Lets progress show as one line an epoch."""
    settings.settings.interactive_logging = False


def is_interactive_logging_enabled() -> bool:
    """Whether progress shows as a line that is redrawn."""
    return settings.settings.interactive_logging


def enable_flash_attention() -> None:
    """Lets attention be computed in blocks where the backend and the device can: the default."""
    settings.settings.flash_attention = True


def disable_flash_attention() -> None:
    """Keeps attention from being computed in blocks, where a call does not ask for it.

    Values differ by rounding only; the matrix of all logits then takes memory.
    """
    settings.settings.flash_attention = False


def is_flash_attention_enabled() -> bool:
    """Whether attention may be computed in blocks."""
    return settings.settings.flash_attention


def enable_traceback_filtering() -> None:
    """Hides the frames of keras_fn in the tracebacks of errors: the default."""
    settings.settings.traceback_filtering = True


def disable_traceback_filtering() -> None:
    """Shows tracebacks whole."""
    settings.settings.traceback_filtering = False


def is_traceback_filtering_enabled() -> bool:
    """Whether tracebacks leave out the frames of keras_fn."""
    return settings.settings.traceback_filtering


def is_nnx_enabled() -> bool:
    """Whether variables are those of Flax NNX: never, here."""
    return False


def max_epochs() -> int | None:
    """Returns the largest number of epochs that `fit` runs, or None."""
    return settings.settings.max_epochs


def set_max_epochs(max_epochs: int | None) -> None:
    """Limits the epochs of `fit`, whatever it is told; None for no limit."""
    settings.settings.max_epochs = max_epochs


def max_steps_per_epoch() -> int | None:
    """Returns the largest number of steps in an epoch, or None."""
    return settings.settings.max_steps_per_epoch


def set_max_steps_per_epoch(max_steps_per_epoch: int | None) -> None:
    """Limits the steps of an epoch; None for no limit."""
    settings.settings.max_steps_per_epoch = max_steps_per_epoch


def enable_unsafe_deserialization() -> None:
    """Changes nothing: no setting lets a model file run code here.

    It exists for programs written for Keras. A lambda or a class of your own in a file is given
    to the loader by name: `load_model(path, custom_objects={"name": thing})`.
    """

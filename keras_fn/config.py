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

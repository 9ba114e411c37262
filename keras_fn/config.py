"""Settings of the process: the public namespace `keras.config`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keras_fn import dtype_policies, settings
from keras_fn.backend import compilation_cache, loader
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
    from os import PathLike

    from keras_fn.dtype_policies import DTypePolicy


def backend() -> str:
    """Returns the name of the active backend, or of the one that would be loaded.

    Example:
        >>> keras.config.backend() in ("jax", "torch", "tensorflow")
        True
    """
    return loader.name()


def dtype_policy() -> DTypePolicy:
    """Returns the dtype policy of new layers.

    Example:
        >>> keras.config.dtype_policy().name
        'float32'
    """
    return dtype_policies.dtype_policy()


def set_dtype_policy(policy: str | DTypePolicy) -> None:
    """Sets the dtype policy of new layers.

    Args:
        policy: A policy, or its name, for example `"mixed_bfloat16"`.

    Example:
        >>> previous = keras.config.dtype_policy()
        >>> keras.config.set_dtype_policy("mixed_bfloat16")
        >>> layer = keras.layers.Dense(2)
        >>> layer.compute_dtype, layer.variable_dtype
        ('bfloat16', 'float32')
        >>> keras.config.set_dtype_policy(previous)
    """
    dtype_policies.set_dtype_policy(policy)


def enable_interactive_logging() -> None:
    """Displays progress as a line that is redrawn: the default in terminals and notebooks.

    Example:
        >>> keras.config.enable_interactive_logging()
        >>> keras.config.is_interactive_logging_enabled()
        True
    """
    settings.settings.interactive_logging = True


def disable_interactive_logging() -> None:
    """Displays progress as one line per epoch.

    Example:
        >>> keras.config.disable_interactive_logging()
        >>> keras.config.is_interactive_logging_enabled()
        False
        >>> keras.config.enable_interactive_logging()
    """
    settings.settings.interactive_logging = False


def is_interactive_logging_enabled() -> bool:
    """Returns whether progress is displayed as a line that is redrawn.

    Example:
        >>> keras.config.is_interactive_logging_enabled()
        True
    """
    return settings.settings.interactive_logging


def enable_flash_attention() -> None:
    """Enables flash attention, which computes attention in blocks, if supported: the default.

    Example:
        >>> keras.config.enable_flash_attention()
        >>> keras.config.is_flash_attention_enabled()
        True
    """
    settings.settings.flash_attention = True


def disable_flash_attention() -> None:
    """Disables flash attention, except for calls with `flash_attention=True`.

    The results differ by rounding errors only, and the matrix of all logits is kept in memory.

    Example:
        >>> keras.config.disable_flash_attention()
        >>> keras.config.is_flash_attention_enabled()
        False
        >>> keras.config.enable_flash_attention()
    """
    settings.settings.flash_attention = False


def is_flash_attention_enabled() -> bool:
    """Returns whether flash attention is enabled.

    Example:
        >>> keras.config.is_flash_attention_enabled()
        True
    """
    return settings.settings.flash_attention


def enable_traceback_filtering() -> None:
    """Hides internal frames in the tracebacks of errors: the default.

    Example:
        >>> keras.config.enable_traceback_filtering()
        >>> keras.config.is_traceback_filtering_enabled()
        True
        >>> keras.config.disable_traceback_filtering()
    """
    settings.settings.traceback_filtering = True


def disable_traceback_filtering() -> None:
    """Shows complete tracebacks.

    Example:
        >>> keras.config.disable_traceback_filtering()
        >>> keras.config.is_traceback_filtering_enabled()
        False
    """
    settings.settings.traceback_filtering = False


def is_traceback_filtering_enabled() -> bool:
    """Returns whether internal frames are hidden in tracebacks.

    Example:
        >>> keras.config.disable_traceback_filtering()
        >>> keras.config.is_traceback_filtering_enabled()
        False
    """
    return settings.settings.traceback_filtering


def is_nnx_enabled() -> bool:
    """Returns whether variables are variables of Flax NNX: always False.

    Example:
        >>> keras.config.is_nnx_enabled()
        False
    """
    return False


def max_epochs() -> int | None:
    """Returns the maximum number of epochs of `fit`, or None.

    Example:
        >>> keras.config.max_epochs() is None
        True
    """
    return settings.settings.max_epochs


def set_max_epochs(max_epochs: int | None) -> None:
    """Sets the maximum number of epochs of `fit`, to try a program quickly; None for no limit.

    The environment variable `KERAS_MAX_EPOCHS` sets it for a whole process.

    Args:
        max_epochs: A positive integer, or None.

    Raises:
        ValueError: It is neither.

    Example:
        >>> keras.config.set_max_epochs(2)
        >>> keras.config.max_epochs()
        2
        >>> keras.config.set_max_epochs(None)
    """
    settings.settings.max_epochs = settings.check_limit("max_epochs", max_epochs)


def max_steps_per_epoch() -> int | None:
    """Returns the maximum number of steps per epoch, or None.

    Example:
        >>> keras.config.max_steps_per_epoch() is None
        True
    """
    return settings.settings.max_steps_per_epoch


def set_max_steps_per_epoch(max_steps_per_epoch: int | None) -> None:
    """Sets the maximum number of steps in an epoch of `fit`, `evaluate` and `predict`.

    The environment variable `KERAS_MAX_STEPS_PER_EPOCH` sets it for a whole process.

    Args:
        max_steps_per_epoch: A positive integer, or None for no limit.

    Raises:
        ValueError: It is neither.

    Example:
        >>> keras.config.set_max_steps_per_epoch(10)
        >>> keras.config.max_steps_per_epoch()
        10
        >>> keras.config.set_max_steps_per_epoch(None)
    """
    limit = settings.check_limit("max_steps_per_epoch", max_steps_per_epoch)
    settings.settings.max_steps_per_epoch = limit


def enable_compilation_cache(folder: str | PathLike[str] | None = None) -> None:
    """Keeps compiled functions on disk, so that the next process need not compile them.

    Call it before the first training or prediction. On JAX it is the persistent compilation cache
    with thresholds that let in small functions. On PyTorch it is Inductor's, which works for
    `compile(jit_compile=True)`. TensorFlow can keep no functions of XLA for CPUs, so there it is a
    warning. The environment variable `KERAS_COMPILATION_CACHE` does the same for a whole process:
    the path of a folder, or `1` for the default one.

    A process runs what it finds in the folder: it must be one where only you can write.

    Args:
        folder: The folder, in which each backend has one of its own. It grows: delete it whenever
            you like. Default `compilation_cache` in `KERAS_HOME`, or in `~/.keras`.

    Raises:
        ValueError: It is not the path of a folder in which files can be written.

    Example:
        >>> keras.config.enable_compilation_cache("my_cache")  # doctest: +SKIP
    """
    compilation_cache.cache_compilations(loader.current(), folder)


def enable_unsafe_deserialization() -> None:
    """Has no effect: no setting lets a model file run code.

    It exists for compatibility with Keras. Custom functions and classes of a file are passed to the
    loader by name: `load_model(path, custom_objects={"name": function})`.

    Example:
        >>> keras.config.enable_unsafe_deserialization()
    """


def __dir__() -> list[str]:
    return namespaces.list_public_names(globals())

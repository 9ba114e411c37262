"""Process-wide settings: backend, floatx, epsilon, image data format.

Read once from `KERAS_BACKEND` and from `keras.json` (in `KERAS_HOME`, else `~/.keras`). The
file is read, never written. `keras_fn.config` is the public namespace of this module.
"""

import importlib.util
import json
import os
import warnings
from numbers import Integral
from pathlib import Path
from typing import Any

from keras_fn.errors import SpecError, check_choice

BUILTIN_BACKENDS = {
    "jax": ("keras_fn_jax", "jax"),
    "torch": ("keras_fn_torch", "torch"),
    "tensorflow": ("keras_fn_tensorflow", "tensorflow"),
}  # name: (package of the backend, required library), in order of preference

_FLOATS = ("float16", "bfloat16", "float32", "float64")
_DATA_FORMATS = ("channels_last", "channels_first")


class Settings:
    """The values. The process has one instance, `settings`."""

    def __init__(self) -> None:
        self.floatx = "float32"
        self.epsilon = 1e-7
        self.image_data_format = "channels_last"
        self.dtype_policy: Any = None  # a DTypePolicy, created at its first use
        self.backend: str | None = None
        self.max_epochs: int | None = _int_from_environment("KERAS_MAX_EPOCHS")
        self.max_steps_per_epoch: int | None = _int_from_environment("KERAS_MAX_STEPS_PER_EPOCH")
        self.interactive_logging = True
        self.flash_attention = True
        self.traceback_filtering = True
        self.distribution: Any = None  # a keras.distribution.DataParallel or ModelParallel
        self._read_file(home() / "keras.json")
        self.backend = os.environ.get("KERAS_BACKEND") or self.backend

    def op_cache_key(self) -> tuple[Any, ...]:
        """Returns the values on which the semantics of ops depend: a key for compiled ops."""
        return self.floatx, self.epsilon, self.image_data_format

    def _read_file(self, path: Path) -> None:
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return
        if not isinstance(values, dict):
            return
        if values.get("floatx") in _FLOATS:
            self.floatx = values["floatx"]
        if isinstance(values.get("epsilon"), float):
            self.epsilon = values["epsilon"]
        if values.get("image_data_format") in _DATA_FORMATS:
            self.image_data_format = values["image_data_format"]
        self.backend = self._installed_or_none(values.get("backend"), path)

    @staticmethod
    def _installed_or_none(name: Any, path: Path) -> str | None:
        """Ignores, with a warning, a backend in the file that is not installed."""
        # Keras writes "tensorflow" into this file by default: it need not be the user's choice.
        if name in BUILTIN_BACKENDS and not is_installed(BUILTIN_BACKENDS[name][1]):
            if not os.environ.get("KERAS_BACKEND"):
                warnings.warn(
                    f"{path} names the backend {name!r}, which is not installed: ignored. "
                    f"Set KERAS_BACKEND, or run: pip install {name}",
                    stacklevel=2,
                )
            return None
        return name if isinstance(name, str) else None


def _int_from_environment(name: str) -> int | None:
    """Returns a positive integer from the environment; None, with a warning, for another value."""
    text = os.environ.get(name, "")
    if text.isdecimal() and int(text) > 0:
        return int(text)
    if text:
        warnings.warn(f"{name}={text!r} is ignored: it must be a positive integer.", stacklevel=2)
    return None


def check_limit(name: str, limit: Any) -> int | None:
    """Returns a limit of the training loops.

    Args:
        name: The name of the setting, for errors.
        limit: A positive integer, or None for no limit.

    Raises:
        SpecError: It is neither.
    """
    if limit is None:
        return None
    if isinstance(limit, Integral) and not isinstance(limit, bool) and int(limit) >= 1:
        return int(limit)
    raise SpecError(
        f"config.set_{name}",
        expected=f"{name} as a positive integer, or None for no limit",
        received=f"{limit!r}",
        fix=f"for example config.set_{name}(2)",
    )


def home() -> Path:
    """Returns the folder of the config file and of downloaded files."""
    return Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")


def is_installed(library: str) -> bool:
    """Returns whether `library` can be imported, without importing it."""
    return importlib.util.find_spec(library) is not None


def floatx() -> str:
    """Returns the default float dtype of new layers and tensors, as a string.

    Example:
        >>> floatx()
        'float32'
    """
    return settings.floatx


def set_floatx(value: str) -> None:
    """Sets the default float dtype of new layers and tensors.

    Args:
        value: `"float16"`, `"bfloat16"`, `"float32"` or `"float64"`.

    Raises:
        ValueError: `value` is another dtype.

    Example:
        >>> set_floatx("float32")
        >>> floatx()
        'float32'
    """
    settings.floatx = check_choice("set_floatx", "value", value, _FLOATS)
    settings.dtype_policy = None


def epsilon() -> float:
    """Returns the small constant (fuzz factor) that keeps divisions and logarithms finite.

    Example:
        >>> epsilon()
        1e-07
    """
    return settings.epsilon


def set_epsilon(value: float) -> None:
    """Sets the constant that `epsilon()` returns.

    Args:
        value: A small positive number. Default of a new process: 1e-7.

    Example:
        >>> set_epsilon(1e-7)
        >>> epsilon()
        1e-07
    """
    settings.epsilon = float(value)


def image_data_format() -> str:
    """Returns the default data format of images: `"channels_last"` or `"channels_first"`.

    Example:
        >>> image_data_format()
        'channels_last'
    """
    return settings.image_data_format


def set_image_data_format(data_format: str) -> None:
    """Sets the default data format of images, the order of their axes.

    Args:
        data_format: `"channels_last"` or `"channels_first"`.

    Raises:
        ValueError: `data_format` is another string.

    Example:
        >>> set_image_data_format("channels_first")
        >>> image_data_format()
        'channels_first'
        >>> set_image_data_format("channels_last")
    """
    settings.image_data_format = standardize_data_format(data_format)


def standardize_data_format(data_format: str | None) -> str:
    """Returns `data_format`, checked; the configured one for None.

    Args:
        data_format: `"channels_last"`, `"channels_first"` or None.

    Returns:
        `"channels_last"` or `"channels_first"`.

    Raises:
        ValueError: `data_format` is another string.
    """
    if data_format is None:
        return settings.image_data_format
    return check_choice(
        "standardize_data_format", "data_format", str(data_format).lower(), _DATA_FORMATS
    )


settings = Settings()

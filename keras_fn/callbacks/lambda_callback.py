"""LambdaCallback: a callback from functions."""

from collections.abc import Callable
from typing import Any

from keras_fn.callbacks.callback import Callback
from keras_fn.core.argument_forms import FUNCTION, check_arguments
from keras_fn.errors import unexpected_arguments

Hook = Callable[..., Any]


class LambdaCallback(Callback):
    """Creates a simple callback from functions.

    Args:
        on_epoch_begin: Called with `(epoch, logs)`.
        on_epoch_end: Called with `(epoch, logs)`.
        on_train_begin: Called with `(logs)`.
        on_train_end: Called with `(logs)`.
        on_train_batch_begin: Called with `(batch, logs)`.
        on_train_batch_end: Called with `(batch, logs)`.
        **kwargs: Functions for other hooks of `Callback`, and attributes.

    Raises:
        TypeError: There is no hook of that name, or it is not a function.

    Example:
        >>> callback = keras.callbacks.LambdaCallback(
        ...     on_epoch_end=lambda epoch, logs: print(epoch, logs["loss"])
        ... )
        >>> callback.on_epoch_end(3, {"loss": 0.25})
        3 0.25
    """

    def __init__(
        self,
        on_epoch_begin: Hook | None = None,
        on_epoch_end: Hook | None = None,
        on_train_begin: Hook | None = None,
        on_train_end: Hook | None = None,
        on_train_batch_begin: Hook | None = None,
        on_train_batch_end: Hook | None = None,
        **kwargs: Any,
    ):
        super().__init__()
        hooks = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
            "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end,
        }
        hooks = {**{name: f for name, f in hooks.items() if f is not None}, **kwargs}
        known = [name for name in vars(Callback) if name.startswith("on_")]
        unknown = [name for name in hooks if name.startswith("on_") and name not in known]
        if unknown:
            raise unexpected_arguments("LambdaCallback", unknown, known)
        check_arguments("LambdaCallback", dict.fromkeys(known, FUNCTION), hooks)
        vars(self).update(hooks)

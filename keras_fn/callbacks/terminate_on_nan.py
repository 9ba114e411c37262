"""TerminateOnNaN: stops training at a NaN or infinite loss, and reports its source."""

import math
from typing import Any

from keras_fn.callbacks.callback import Callback, Logs
from keras_fn.callbacks.progress_display import print_message
from keras_fn.debugging.nan_debugging import find_non_finite
from keras_fn.training.snapshot import restore_on_exit


class TerminateOnNaN(Callback):
    """Stops training when the loss of a batch is NaN or infinite, and reports the source.

    It reads the loss after each batch, and so waits for the device each time.

    Args:
        raise_error: Whether to raise an error instead of ending training normally.
        data: A batch for finding the source: `(x, y)` or `(x, y, sample_weight)`. The model runs on
            it layer by layer (see `keras.debugging.find_non_finite`) with the weights from before
            the step, which are copied at each batch. Without it, the message names the first layer
            whose weights are not finite after the step.

    Raises:
        RuntimeError: The loss is not finite, and `raise_error` is True.

    Example:
        >>> callback = keras.callbacks.TerminateOnNaN(raise_error=True)
        >>> callback.on_batch_end(7, {"loss": float("nan")})
        Traceback (most recent call last):
        ...
        RuntimeError: Batch 7: the loss is nan; training ends.
    """

    def __init__(self, raise_error: bool = False, data: tuple[Any, ...] | None = None):
        super().__init__()
        self.raise_error, self.data = raise_error, data
        self._before: list[tuple[Any, Any]] = []
        if data is not None:
            self.on_train_batch_begin = self._copy_variables

    def _copy_variables(self, batch: int, logs: Logs = None) -> None:
        self._before = [(v, v.numpy()) for v in self.model.variables]

    def on_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Checks the loss."""
        loss = (logs or {}).get("loss")
        if loss is None or math.isfinite(float(loss)):
            return
        message = f"Batch {batch}: the loss is {float(loss)}; training ends."
        if hasattr(self.model, "_flatten_layers"):
            message += f"\n{self._describe_source()}"
        if self.raise_error:
            raise RuntimeError(message)
        print_message(message)
        self.model.stop_training = True

    def _describe_source(self) -> str:
        if self.data is None:
            return str(find_non_finite(self.model) or "The weights are finite.")
        x, y, *rest = self.data
        with restore_on_exit(self.model):
            for variable, value in self._before:
                variable.assign(value)
            report = find_non_finite(self.model, x, y, sample_weight=rest[0] if rest else None)
        return str(report or "On `data`, with the weights from before the batch, all is finite.")

"""The callback that ends training when the loss is no number, and says where that began."""

import math
from typing import Any

from keras_fn.callbacks.callback import Callback, Logs
from keras_fn.callbacks.progress_display import print_message
from keras_fn.debugging.nan_debugging import find_non_finite
from keras_fn.training.snapshot import restore_on_exit


class TerminateOnNaN(Callback):
    """Ends training when the loss of a batch is NaN or infinite, and says where that began.

    It looks at the loss of each batch, which makes the program wait for the device each time.

    Args:
        raise_error: Whether to raise, rather than to end the training in order.
        data: A batch to look for the cause with: `(x, y)` or `(x, y, sample_weight)`. It is run
            layer by layer (see `keras.debugging.find_non_finite`) with the weights of before the
            step, of which a copy is made at each batch then. Without it, the message names the
            first layer whose weights are not finite after the step.

    Raises:
        RuntimeError: The loss is no finite number, and `raise_error` is True.

    Example:
        >>> callback = keras.callbacks.TerminateOnNaN(raise_error=True)
        >>> callback.on_batch_end(7, {"loss": float("nan")})
        Traceback (most recent call last):
        ...
        RuntimeError: Batch 7: the loss is nan; training ends.
    """

    def __init__(self, raise_error: bool = False, data: Any = None):
        super().__init__()
        self.raise_error, self.data = raise_error, data
        self._before: list[tuple[Any, Any]] = []
        if data is not None:
            self.on_train_batch_begin = self._keep

    def _keep(self, batch: int, logs: Logs = None) -> None:
        self._before = [(v, v.numpy()) for v in self.model.variables]

    def on_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Looks at the loss."""
        loss = (logs or {}).get("loss")
        if loss is None or math.isfinite(float(loss)):
            return
        message = f"Batch {batch}: the loss is {float(loss)}; training ends."
        if hasattr(self.model, "_flatten_layers"):
            message += f"\n{self._cause()}"
        if self.raise_error:
            raise RuntimeError(message)
        print_message(message)
        self.model.stop_training = True

    def _cause(self) -> str:
        if self.data is None:
            return str(find_non_finite(self.model) or "The weights are finite.")
        x, y, *weights = self.data
        with restore_on_exit(self.model):
            for variable, value in self._before:
                variable.assign(value)
            found = find_non_finite(self.model, x, y, sample_weight=weights[0] if weights else None)
        return str(found or "On `data`, with the weights of before the batch, all is finite.")

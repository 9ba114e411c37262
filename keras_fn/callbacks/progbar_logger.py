"""ProgbarLogger: a progress bar for custom training loops."""

from collections.abc import Mapping
from typing import Any

from keras_fn.callbacks.callback import Callback, Logs, get_last_batch
from keras_fn.callbacks.progress_display import Progbar, print_message


class ProgbarLogger(Callback):
    """Prints the progress and the metrics of training, evaluation and prediction.

    `fit` displays its progress without this callback; it is meant for custom training loops with
    `CallbackList`.

    Example:
        >>> callbacks = keras.callbacks.CallbackList(
        ...     add_progbar=True, verbose=2, epochs=2, steps=1
        ... )
        >>> callbacks.on_epoch_begin(0)
        Epoch 1/2
        >>> callbacks.on_epoch_end(0, {"loss": 0.25})
        1/1 - 0s - ...s/step - loss: 0.2500
    """

    def __init__(self) -> None:
        super().__init__()
        self.seen, self.target, self.verbose, self.epochs = 0, None, 1, 1
        self.progbar: Progbar | None = None
        self._in_fit = False

    def set_params(self, params: dict[str, Any] | None) -> None:
        """Sets the parameters of the run.

        Args:
            params: `verbose`, `epochs` and `steps`.
        """
        super().set_params(params)
        params = params or {}
        verbose = params.get("verbose", 1)
        self.verbose = 1 if verbose == "auto" else verbose
        self.epochs, self.target = params.get("epochs", 1), params.get("steps")

    def _begin(self) -> None:
        # The logs are averages already.
        self.seen = 0
        self.progbar = Progbar(self.target, verbose=self.verbose, stateless_metrics=())

    def _update(self, batch: int, logs: Mapping[str, Any] | None) -> None:
        if self.progbar is None:
            self._begin()
        assert self.progbar is not None
        self.seen = batch + 1
        if self.verbose == 1:
            self.progbar.update(self.seen, list((logs or {}).items()), finalize=False)

    def _end(self, logs: Mapping[str, Any] | None) -> None:
        if self.progbar is not None:
            self.target = self.progbar.target = self.target or self.seen
            self.progbar.update(self.target, list((logs or {}).items()), finalize=True)

    def on_train_begin(self, logs: Logs = None) -> None:
        """Hides the progress bars of evaluation: from here on it is a validation."""
        self._in_fit = True

    def on_train_end(self, logs: Logs = None) -> None:
        """Shows the progress bars of evaluation again."""
        self._in_fit = False

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Starts a progress bar."""
        self._begin()
        if self.verbose and self.epochs > 1:
            print_message(f"Epoch {epoch + 1}/{self.epochs}")

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Finishes the progress bar."""
        self._end(logs)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Updates the progress bar."""
        self._update(get_last_batch(batch, logs), logs)

    def on_test_begin(self, logs: Logs = None) -> None:
        """Starts a progress bar, unless it is a validation."""
        if not self._in_fit:
            self._begin()

    def on_test_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Updates the progress bar, unless it is a validation."""
        if not self._in_fit:
            self._update(get_last_batch(batch, logs), logs)

    def on_test_end(self, logs: Logs = None) -> None:
        """Finishes the progress bar, unless it is a validation."""
        if not self._in_fit:
            self._end(logs)

    def on_predict_begin(self, logs: Logs = None) -> None:
        """Starts a progress bar."""
        self._begin()

    def on_predict_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Updates the progress bar."""
        self._update(get_last_batch(batch, logs), None)

    def on_predict_end(self, logs: Logs = None) -> None:
        """Finishes the progress bar."""
        self._end(None)

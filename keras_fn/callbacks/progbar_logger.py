"""What fit, evaluate and predict show: one line that lives in a terminal, one a epoch in a log."""

from collections.abc import Mapping
from typing import Any

from keras_fn.callbacks.callback import Callback
from keras_fn.callbacks.progress_display import Progbar, print_message


class ProgbarLogger(Callback):
    """Shows the progress of training, evaluation and prediction by a progress bar.

    `fit` shows its progress without it; this one is for loops of your own with `CallbackList`.

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
        """Takes `verbose`, `epochs` and `steps`."""
        super().set_params(params)
        params = params or {}
        verbose = params.get("verbose", 1)
        self.verbose = 1 if verbose == "auto" else verbose
        self.epochs, self.target = params.get("epochs", 1), params.get("steps")

    def _begin(self) -> None:
        # Averages are the metrics' own: nothing is averaged here.
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

    def on_train_begin(self, logs: Any = None) -> None:
        """Notes that evaluations from now on are part of the training."""
        self._in_fit = True

    def on_train_end(self, logs: Any = None) -> None:
        """Notes that evaluations from now on stand for themselves."""
        self._in_fit = False

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Begins a bar."""
        self._begin()
        if self.verbose and self.epochs > 1:
            print_message(f"Epoch {epoch + 1}/{self.epochs}")

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Ends the bar."""
        self._end(logs)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Moves the bar."""
        self._update(batch, logs)

    def on_test_begin(self, logs: Any = None) -> None:
        """Begins a bar, outside of training."""
        if not self._in_fit:
            self._begin()

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        """Moves the bar, outside of training."""
        if not self._in_fit:
            self._update(batch, logs)

    def on_test_end(self, logs: Any = None) -> None:
        """Ends the bar, outside of training."""
        if not self._in_fit:
            self._end(logs)

    def on_predict_begin(self, logs: Any = None) -> None:
        """Begins a bar."""
        self._begin()

    def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
        """Moves the bar."""
        self._update(batch, None)

    def on_predict_end(self, logs: Any = None) -> None:
        """Ends the bar."""
        self._end(None)

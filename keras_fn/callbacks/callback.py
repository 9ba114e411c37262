"""The base class of callbacks, and the logs that they receive."""

import inspect
from collections.abc import Callable, Iterator, MutableMapping
from typing import Any

from keras_fn.callbacks.step_counter import StepCounter
from keras_fn.core.host_state import is_serializable
from keras_fn.types import AnyModel

Logs = MutableMapping[str, Any] | None
"""Loss and metrics by name; None is the same as no entries."""


class LazyLogs(MutableMapping[str, Any]):
    """Logs whose values are copied from the device at the first access.

    Args:
        read: Returns the values; called at most once.
        last_batch: Index of the last batch that they are of. A batch hook receives the index that
            it would be if all groups of `steps_per_execution` batches were full.

    Example:
        >>> from keras_fn.callbacks.callback import LazyLogs
        >>> logs = LazyLogs(lambda: {"loss": 0.5})
        >>> logs["loss"]
        0.5
    """

    def __init__(self, read: Callable[[], dict[str, Any]], last_batch: int | None = None):
        self._read = read
        self.last_batch = last_batch
        self._cache: dict[str, Any] | None = None

    @property
    def _values(self) -> dict[str, Any]:
        if self._cache is None:
            self._cache = dict(self._read())
        return self._cache

    def __getitem__(self, key: str) -> Any:
        return self._values[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self._values[key] = value

    def __delitem__(self, key: str) -> None:
        del self._values[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __bool__(self) -> bool:  # else `logs or {}` would read the values
        return True

    def __repr__(self) -> str:
        return repr(self._values)

    def copy(self) -> dict[str, Any]:
        """Returns the values as a dict."""
        return dict(self._values)


def get_last_batch(batch: int, logs: Logs) -> int:
    """Returns the index of the last batch that logs are of.

    Args:
        batch: The index that the hook received.
        logs: The logs that it received.
    """
    last = getattr(logs, "last_batch", None)
    return batch if last is None else last


class Callback:
    """Base class of callbacks: hooks that `fit`, `evaluate` and `predict` call.

    A subclass overrides the hooks that it needs. Batch-level hooks that no callback overrides are
    not called at all, which makes training faster.

    Attributes:
        params: Parameters of the run: `verbose`, `epochs`, `steps`.
        model: The model.

    Example:
        >>> class PrintLoss(keras.callbacks.Callback):
        ...     def on_epoch_end(self, epoch, logs=None):
        ...         print(f"epoch {epoch}: loss {logs['loss']}")
        >>> PrintLoss().on_epoch_end(0, {"loss": 0.5})
        epoch 0: loss 0.5
    """

    def __init__(self) -> None:
        self.params: dict[str, Any] | None = None
        self._model: Any = None

    runs_last = False
    """Whether it is called after all others, whatever its position in the list."""

    @property
    def model(self) -> AnyModel:
        """The model that is trained, evaluated or used for prediction."""
        return self._model

    def set_params(self, params: dict[str, Any] | None) -> None:
        """Sets the parameters of the run.

        Args:
            params: `verbose`, `epochs` and `steps`.
        """
        self.params = params

    def set_model(self, model: AnyModel) -> None:
        """Sets the model.

        Args:
            model: The model of the run.
        """
        self._model = model

    def get_state(self) -> dict[str, Any]:
        """Returns the state that a resumed run needs; see `BackupAndRestore`.

        Returns:
            By default, all attributes that are plain values or NumPy arrays, nested or not, except
            the constructor's arguments, which the program passes again.
        """
        arguments = {"params", *inspect.signature(type(self)).parameters}
        state = {k: v for k, v in vars(self).items() if k not in arguments and is_serializable(v)}
        counters = {k: v for k, v in vars(self).items() if isinstance(v, StepCounter)}
        return {**state, **{k: dict(vars(counter)) for k, counter in counters.items()}}

    def set_state(self, state: dict[str, Any]) -> None:
        """Restores a state; called after `on_train_begin`.

        Args:
            state: A return value of `get_state`.
        """
        for name, value in state.items():
            current = getattr(self, name, None)
            if isinstance(current, StepCounter):
                vars(current).update(value)
            else:
                setattr(self, name, value)

    def next_batch_due(self, batch: int) -> int | None:
        """Batch-level scheduling: returns the batch after which training hooks must run next.

        By default, `on_train_batch_begin` and `on_train_batch_end` run for every batch, and so
        steps run one by one. A callback that overrides this method lets the trainer run the batches
        in between as one compiled multi-step call, if the backend has one; the hooks then run once
        for all of these batches, if not more often.

        Args:
            batch: Index of the next batch in the epoch, from 0.

        Returns:
            The index of the batch, `batch` or a later one, after which the hooks must run; None if
            they need not run again in this epoch.

        Example:
            >>> class EveryHundredBatches(keras.callbacks.Callback):
            ...     def next_batch_due(self, batch):
            ...         return batch // 100 * 100 + 99
            ...
            ...     def on_train_batch_end(self, batch, logs=None):
            ...         if batch % 100 == 99:
            ...             print(batch + 1, logs["loss"])
            >>> EveryHundredBatches().next_batch_due(100)
            199
        """
        return batch

    def on_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Alias of `on_train_batch_begin`.

        Args:
            batch: Index of the batch in the epoch, from 0.
            logs: Empty.
        """

    def on_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Alias of `on_train_batch_end`.

        Args:
            batch: Index of the batch in the epoch, from 0.
            logs: Loss and metrics of the epoch so far; reading them waits for the device.
        """

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Called before each training batch; see `next_batch_due`.

        Args:
            batch: Index of the batch in the epoch, from 0.
            logs: Empty.
        """
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Called after each training batch; see `next_batch_due`.

        Args:
            batch: Index of the batch in the epoch, from 0. With `steps_per_execution=n` n - 1, then
                2n - 1 and so on, also where there are fewer than n batches at the end.
            logs: Loss and metrics of the epoch so far; reading them waits for the device.
        """
        self.on_batch_end(batch, logs)

    def on_test_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Called before each batch of `evaluate`, and of the validation in `fit`.

        Args:
            batch: Index of the batch, from 0.
            logs: Empty.
        """

    def on_test_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Called after each batch of `evaluate`, and of the validation in `fit`.

        Args:
            batch: Index of the batch, from 0.
            logs: Loss and metrics, averaged over the batches so far.
        """

    def on_predict_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Called before each batch of `predict`.

        Args:
            batch: Index of the batch, from 0.
            logs: Empty.
        """

    def on_predict_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Called after each batch of `predict`.

        Args:
            batch: Index of the batch, from 0.
            logs: The outputs of the batch as `logs["outputs"]`.
        """

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Called before each epoch of training.

        Args:
            epoch: Index of the epoch, from 0.
            logs: Empty.
        """

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Called after each epoch of training and its validation.

        Args:
            epoch: Index of the epoch, from 0.
            logs: Loss and metrics; validation results have the prefix `val_`.
        """

    def on_train_begin(self, logs: Logs = None) -> None:
        """Called at the start of training.

        Args:
            logs: Empty.
        """

    def on_train_end(self, logs: Logs = None) -> None:
        """Called at the end of training.

        Args:
            logs: The logs of the last epoch.
        """

    def on_test_begin(self, logs: Logs = None) -> None:
        """Called at the start of `evaluate`, and of each validation in `fit`.

        Args:
            logs: Empty.
        """

    def on_test_end(self, logs: Logs = None) -> None:
        """Called at the end of `evaluate`, and of each validation in `fit`.

        Args:
            logs: Loss and metrics.
        """

    def on_predict_begin(self, logs: Logs = None) -> None:
        """Called at the start of `predict`.

        Args:
            logs: Empty.
        """

    def on_predict_end(self, logs: Logs = None) -> None:
        """Called at the end of `predict`.

        Args:
            logs: Empty.
        """

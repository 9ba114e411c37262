"""What a callback is, and the logs that it gets."""

import inspect
from collections.abc import Callable, Iterator, MutableMapping
from typing import Any

from keras_fn.callbacks.step_counter import StepCounter
from keras_fn.training.backup_format import is_serializable

Logs = MutableMapping[str, Any] | None


class LazyLogs(MutableMapping[str, Any]):
    """Logs whose values are read from the device when somebody first looks at them.

    Args:
        read: Returns the values; called once at most.

    Example:
        >>> from keras_fn.training.callbacks_base import LazyLogs
        >>> logs = LazyLogs(lambda: {"loss": 0.5})
        >>> logs["loss"]
        0.5
    """

    def __init__(self, read: Callable[[], dict[str, Any]]):
        self._read = read
        self._known: dict[str, Any] | None = None

    @property
    def _values(self) -> dict[str, Any]:
        if self._known is None:
            self._known = dict(self._read())
        return self._known

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

    def __bool__(self) -> bool:  # else `logs or {}` would read them
        return True

    def __repr__(self) -> str:
        return repr(self._values)

    def copy(self) -> dict[str, Any]:
        """Returns the values as a dict."""
        return dict(self._values)


class Callback:
    """Base class of callbacks: what `fit`, `evaluate` and `predict` call on their way.

    A subclass writes the methods that it needs. Methods of batches that no callback writes are not
    called at all, and training is faster without them.

    Attributes:
        params: What the run was started with: `verbose`, `epochs`, `steps`.
        model: The model.

    Example:
        >>> class Announce(keras.callbacks.Callback):
        ...     def on_epoch_end(self, epoch, logs=None):
        ...         print(f"epoch {epoch}: loss {logs['loss']}")
        >>> Announce().on_epoch_end(0, {"loss": 0.5})
        epoch 0: loss 0.5
    """

    def __init__(self) -> None:
        self.params: dict[str, Any] | None = None
        self._model: Any = None

    runs_last = False
    """Whether it is called after the others, whatever its place in the list."""

    @property
    def model(self) -> Any:
        """The model that is trained, evaluated or asked to predict."""
        return self._model

    def set_params(self, params: dict[str, Any] | None) -> None:
        """Takes what the run was started with."""
        self.params = params

    def set_model(self, model: Any) -> None:
        """Takes the model."""
        self._model = model

    def get_state(self) -> dict[str, Any]:
        """Returns what a resumed run must know: see `BackupAndRestore`.

        By default, all attributes that are plain values or NumPy arrays, nested or not, except the
        arguments of the constructor, which the program gives anew.
        """
        received = {"params", *inspect.signature(type(self)).parameters}
        state = {k: v for k, v in vars(self).items() if k not in received and is_serializable(v)}
        counters = {k: v for k, v in vars(self).items() if isinstance(v, StepCounter)}
        return {**state, **{k: dict(vars(counter)) for k, counter in counters.items()}}

    def set_state(self, state: dict[str, Any]) -> None:
        """Takes what `get_state` gave, after `on_train_begin`."""
        for name, value in state.items():
            mine = getattr(self, name, None)
            if isinstance(mine, StepCounter):
                vars(mine).update(value)
            else:
                setattr(self, name, value)

    def next_batch_due(self, batch: int) -> int | None:
        """Says when methods of batches of training are to be called next.

        Without it, they are called for each batch, and steps run one by one. A callback that writes
        it beside them leaves the steps up to that batch to one call of the backend, where it runs
        many in one, and is called once for all of them, if not more often.

        Args:
            batch: The batch of the epoch that comes next, from 0.

        Returns:
            The batch, this one or a later one, after which it must be called; None where the rest
            of the epoch does not matter to it.

        Example:
            >>> class Hundreds(keras.callbacks.Callback):
            ...     def next_batch_due(self, batch):
            ...         return batch // 100 * 100 + 99
            ...
            ...     def on_train_batch_end(self, batch, logs=None):
            ...         if batch % 100 == 99:
            ...             print(batch + 1, logs["loss"])
            >>> Hundreds().next_batch_due(100)
            199
        """
        return batch

    def on_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Another name of `on_train_batch_begin`."""

    def on_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Another name of `on_train_batch_end`."""

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Called before a batch of an epoch is trained on.

        Args:
            batch: Which batch of the epoch it is, from 0.
            logs: Empty.
        """
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Called after a batch.

        Args:
            batch: Which batch of the epoch it is, from 0.
            logs: Loss and metrics of the epoch so far; looking at them waits for the device.
        """
        self.on_batch_end(batch, logs)

    def on_test_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Called before a batch of an evaluation, or of a validation in `fit`."""

    def on_test_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Called after a batch of an evaluation, or of a validation in `fit`."""

    def on_predict_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Called before a batch of `predict`."""

    def on_predict_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Called after a batch of `predict`; `logs["outputs"]` are its outputs."""

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Called before an epoch of training.

        Args:
            epoch: Which epoch it is, from 0.
            logs: Empty.
        """

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Called after an epoch of training, and the validation that follows it.

        Args:
            epoch: Which epoch it is, from 0.
            logs: Loss and metrics; those of the validation begin with `val_`.
        """

    def on_train_begin(self, logs: Logs = None) -> None:
        """Called at the beginning of training."""

    def on_train_end(self, logs: Logs = None) -> None:
        """Called at the end of training, with the logs of the last epoch."""

    def on_test_begin(self, logs: Logs = None) -> None:
        """Called at the beginning of an evaluation, or of a validation in `fit`."""

    def on_test_end(self, logs: Logs = None) -> None:
        """Called at the end of an evaluation, or of a validation in `fit`."""

    def on_predict_begin(self, logs: Logs = None) -> None:
        """Called at the beginning of `predict`."""

    def on_predict_end(self, logs: Logs = None) -> None:
        """Called at the end of `predict`."""

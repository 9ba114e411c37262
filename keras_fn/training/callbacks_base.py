"""What a callback is, and the logs that it gets."""

import inspect
from collections.abc import Callable, Iterator, MutableMapping
from typing import Any

from keras_fn.training.resume import is_plain

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
        given = {"params", *inspect.signature(type(self)).parameters}
        state = {k: v for k, v in vars(self).items() if k not in given and is_plain(v)}
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


class StepCounter:
    """Counts batches over epochs, also where one call of a hook stands for several of them.

    Attributes:
        total: How many batches there were.

    Example:
        >>> from keras_fn.training.callbacks_base import StepCounter
        >>> counter = StepCounter()
        >>> [counter.advance(batch) for batch in (3, 7, 0)], counter.total
        ([4, 4, 1], 9)
        >>> counter.due(1, total=12)
        3
    """

    def __init__(self) -> None:
        self.total = 0
        self._last: int | None = None

    def advance(self, batch: int) -> int:
        """Returns how many batches have ended since the last call.

        Args:
            batch: The batch that has just ended; it begins anew at 0 in each epoch.
        """
        new_epoch = self._last is None or batch <= self._last
        steps = batch + 1 if new_epoch else batch - (self._last or 0)
        self._last = batch
        self.total += steps
        return steps

    def begin_epoch(self) -> None:
        """Notes that batches begin anew at 0."""
        self._last = None

    def due(self, batch: int, total: int) -> int:
        """Returns the batch with which there will have been `total` batches; `batch` comes next."""
        return batch + max(total - self.total, 1) - 1


class LambdaCallback(Callback):
    """A callback made of functions.

    Args:
        on_epoch_begin: Called with `(epoch, logs)`.
        on_epoch_end: Called with `(epoch, logs)`.
        on_train_begin: Called with `(logs)`.
        on_train_end: Called with `(logs)`.
        on_train_batch_begin: Called with `(batch, logs)`.
        on_train_batch_end: Called with `(batch, logs)`.
        **kwargs: Functions for other methods of `Callback`, and attributes.

    Example:
        >>> callback = keras.callbacks.LambdaCallback(
        ...     on_epoch_end=lambda epoch, logs: print(epoch, logs["loss"])
        ... )
        >>> callback.on_epoch_end(3, {"loss": 0.25})
        3 0.25
    """

    def __init__(
        self,
        on_epoch_begin: Callable[..., Any] | None = None,
        on_epoch_end: Callable[..., Any] | None = None,
        on_train_begin: Callable[..., Any] | None = None,
        on_train_end: Callable[..., Any] | None = None,
        on_train_batch_begin: Callable[..., Any] | None = None,
        on_train_batch_end: Callable[..., Any] | None = None,
        **kwargs: Any,
    ):
        super().__init__()
        given = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
            "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end,
        }
        vars(self).update(kwargs)
        vars(self).update({name: f for name, f in given.items() if f is not None})

"""The container that runs several callbacks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from keras_fn.callbacks.callback import Callback, Logs
from keras_fn.callbacks.history import History
from keras_fn.callbacks.progbar_logger import ProgbarLogger
from keras_fn.core import tree
from keras_fn.errors import DTypeError
from keras_fn.types import AnyModel

_BATCH_HOOKS = {
    "train": ("on_train_batch_begin", "on_train_batch_end", "on_batch_begin", "on_batch_end"),
    "test": ("on_test_batch_begin", "on_test_batch_end"),
    "predict": ("on_predict_batch_begin", "on_predict_batch_end"),
}


class CallbackList(Callback):
    """Container of callbacks: each of its hooks calls the same hook of every callback.

    Args:
        callbacks: Callbacks, or nested lists of them. None for no callbacks.
        add_history: Whether to add a `History` if the list has none.
        add_progbar: Whether to add a `ProgbarLogger` if the list has none.
        model: The model.
        **params: Parameters of the run: `verbose`, `epochs`, `steps`.

    Attributes:
        callbacks: The callbacks as a flat list.
        wants_train_batches: Whether a callback overrides a batch-level hook of training.
        wants_each_train_batch: Whether such a callback does not override `next_batch_due`, and so
            must be called for every batch.
        wants_test_batches: Whether a callback overrides a batch-level hook of evaluation.
        wants_predict_batches: Whether a callback overrides a batch-level hook of prediction.

    Raises:
        TypeError: An element of `callbacks` is not a callback.

    Example:
        >>> callbacks = keras.callbacks.CallbackList(add_history=True, epochs=1)
        >>> callbacks.on_train_begin()
        >>> callbacks.on_epoch_end(0, {"loss": 0.5})
        >>> callbacks.callbacks[0].history
        {'loss': [0.5]}
        >>> callbacks.wants_train_batches
        False
    """

    def __init__(
        self,
        callbacks: Callback | Iterable[Any] | None = None,
        add_history: bool = False,
        add_progbar: bool = False,
        model: AnyModel | None = None,
        **params: Any,
    ):
        super().__init__()
        self.callbacks: list[Callback] = []
        self.wants_train_batches = self.wants_test_batches = self.wants_predict_batches = False
        self.wants_each_train_batch = False
        self._schedulers: list[Any] = []  # `next_batch_due` of callbacks that override it
        for callback in tree.flatten(callbacks) if callbacks is not None else ():
            self._add(callback)
        if add_progbar and not self._has(ProgbarLogger):
            self._add(ProgbarLogger())
        if add_history and not self._has(History):
            self._add(History())
        if model is not None:
            self.set_model(model)
        if params:
            self.set_params(params)

    def _has(self, cls: type) -> bool:
        return any(isinstance(c, cls) for c in self.callbacks)

    def _add(self, callback: Any) -> None:
        if isinstance(callback, CallbackList):
            for inner in callback.callbacks:
                self._add(inner)
            return
        missing = [n for n in ("set_model", "on_epoch_end") if not hasattr(callback, n)]
        if isinstance(callback, type) or missing:
            raise DTypeError(
                "callbacks",
                expected="instances of keras.callbacks.Callback",
                received=f"{callback!r}",
                fix="pass an instance of the class"
                if isinstance(callback, type)
                else "subclass keras.callbacks.Callback",
            )
        self.callbacks.append(callback)
        self.callbacks.sort(key=lambda c: getattr(c, "runs_last", False))
        for phase, hooks in _BATCH_HOOKS.items():
            if _overrides_any(callback, hooks):
                setattr(self, f"wants_{phase}_batches", True)
        if _overrides_any(callback, _BATCH_HOOKS["train"]):
            if _schedules_batches(callback):
                self._schedulers.append(callback.next_batch_due)
            else:
                self.wants_each_train_batch = True

    def next_batch_due(self, batch: int) -> int | None:
        """Returns the earliest batch that a callback with batch-level scheduling asks for.

        Args:
            batch: Index of the next batch in the epoch, from 0.

        Returns:
            The index of the batch; None if no such callback asks for one.
        """
        due = (next_due(batch) for next_due in self._schedulers)
        return min((batch for batch in due if batch is not None), default=None)

    def append(self, callback: Callback) -> None:
        """Adds a callback.

        Args:
            callback: The callback.
        """
        self._add(callback)
        if self._model is not None:
            callback.set_model(self._model)
        if self.params is not None:
            callback.set_params(self.params)

    def set_params(self, params: dict[str, Any] | None) -> None:
        """Sets the parameters of the run on every callback.

        Args:
            params: `verbose`, `epochs` and `steps`.
        """
        self.params = params
        for callback in self.callbacks:
            callback.set_params(params)

    def set_model(self, model: AnyModel) -> None:
        """Sets the model on every callback, and the `History` on the model.

        Args:
            model: The model of the run.
        """
        super().set_model(model)
        for callback in self.callbacks:
            callback.set_model(model)
            if isinstance(callback, History):
                model.history = callback


def _overrides_any(callback: Any, hooks: Iterable[str]) -> bool:
    """Whether a callback overrides one of these hooks, in its class or as an attribute."""
    return any(
        name in vars(callback) or getattr(type(callback), name, None) is not getattr(Callback, name)
        for name in hooks
    )


def _schedules_batches(callback: Any) -> bool:
    """Whether `next_batch_due` covers all batch-level hooks of a callback.

    It does not if a class further down overrides such a hook without `next_batch_due`.
    """
    if "next_batch_due" in vars(callback):
        return True
    for cls in type(callback).__mro__:
        if "next_batch_due" in vars(cls):
            return cls is not Callback
        if not vars(cls).keys().isdisjoint(_BATCH_HOOKS["train"]):
            return False
    return False


def _broadcast_hook(name: str, has_index: bool) -> Any:
    """Returns a method that calls the hook of that name on each callback."""

    def call_with_index(self: CallbackList, index: int, logs: Logs = None) -> None:
        logs = {} if logs is None else logs
        for callback in self.callbacks:
            getattr(callback, name)(index, logs)

    def call(self: CallbackList, logs: Logs = None) -> None:
        logs = {} if logs is None else logs
        for callback in self.callbacks:
            getattr(callback, name)(logs)

    method = call_with_index if has_index else call
    method.__name__, method.__doc__ = name, f"Calls `{name}` of each callback."
    return method


for _name in [n for n in vars(Callback) if n.startswith("on_")]:
    setattr(CallbackList, _name, _broadcast_hook(_name, "batch" in _name or "epoch" in _name))

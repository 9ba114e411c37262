"""The callbacks, and the list of them that a run calls."""

from collections.abc import Iterable
from typing import Any

from keras_fn.callbacks.callback import Callback, Logs
from keras_fn.callbacks.history import History
from keras_fn.callbacks.progbar_logger import ProgbarLogger
from keras_fn.core import tree
from keras_fn.errors import DTypeError

_BATCH_METHODS = {
    "train": ("on_train_batch_begin", "on_train_batch_end", "on_batch_begin", "on_batch_end"),
    "test": ("on_test_batch_begin", "on_test_batch_end"),
    "predict": ("on_predict_batch_begin", "on_predict_batch_end"),
}


class CallbackList(Callback):
    """Calls several callbacks, one after the other.

    Args:
        callbacks: Callbacks, or nested lists of them.
        add_history: Whether a `History` is added if there is none.
        add_progbar: Whether a `ProgbarLogger` is added if there is none.
        model: The model.
        **params: What the run is started with: `verbose`, `epochs`, `steps`.

    Attributes:
        callbacks: The callbacks.
        wants_train_batches: Whether one of them has methods for batches of training.
        wants_each_train_batch: Whether one of these does not say which batches matter to it.
        wants_test_batches: Likewise for evaluation.
        wants_predict_batches: Likewise for prediction.

    Raises:
        TypeError: Something in `callbacks` is no callback.

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
        callbacks: Any = None,
        add_history: bool = False,
        add_progbar: bool = False,
        model: Any = None,
        **params: Any,
    ):
        super().__init__()
        self.callbacks: list[Callback] = []
        self.wants_train_batches = self.wants_test_batches = self.wants_predict_batches = False
        self.wants_each_train_batch = False
        self._due: list[Any] = []
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

    def _has(self, kind: type) -> bool:
        return any(isinstance(c, kind) for c in self.callbacks)

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
                fix="make an object of the class"
                if isinstance(callback, type)
                else "subclass keras.callbacks.Callback",
            )
        self.callbacks.append(callback)
        self.callbacks.sort(key=lambda c: getattr(c, "runs_last", False))
        for phase, names in _BATCH_METHODS.items():
            if _defines(callback, names):
                setattr(self, f"wants_{phase}_batches", True)
        if _defines(callback, _BATCH_METHODS["train"]):
            if _schedules_batches(callback):
                self._due.append(callback.next_batch_due)
            else:
                self.wants_each_train_batch = True

    def next_batch_due(self, batch: int) -> int | None:
        """Returns the first batch that matters to a callback which says so; None if none does."""
        return min((due for f in self._due if (due := f(batch)) is not None), default=None)

    def append(self, callback: Callback) -> None:
        """Adds a callback."""
        self._add(callback)
        if self._model is not None:
            callback.set_model(self._model)
        if self.params is not None:
            callback.set_params(self.params)

    def set_params(self, params: dict[str, Any] | None) -> None:
        """Tells all what the run is started with."""
        self.params = params
        for callback in self.callbacks:
            callback.set_params(params)

    def set_model(self, model: Any) -> None:
        """Tells all the model; the model gets the `History`."""
        super().set_model(model)
        for callback in self.callbacks:
            callback.set_model(model)
            if isinstance(callback, History):
                model.history = callback


def _defines(callback: Any, names: Iterable[str]) -> bool:
    """Whether a callback has one of these methods of its own, in its class or as an attribute."""
    return any(
        name in vars(callback) or getattr(type(callback), name, None) is not getattr(Callback, name)
        for name in names
    )


def _schedules_batches(callback: Any) -> bool:
    """Whether `next_batch_due` speaks for all methods of batches, and none was written since."""
    if "next_batch_due" in vars(callback):
        return True
    for cls in type(callback).__mro__:
        if "next_batch_due" in vars(cls):
            return cls is not Callback
        if not vars(cls).keys().isdisjoint(_BATCH_METHODS["train"]):
            return False
    return False


def _broadcast_hook(name: str, counted: bool) -> Any:
    """Makes the method that calls the one of that name of each callback."""

    def call_counted(self: CallbackList, index: int, logs: Logs = None) -> None:
        logs = {} if logs is None else logs
        for callback in self.callbacks:
            getattr(callback, name)(index, logs)

    def call(self: CallbackList, logs: Logs = None) -> None:
        logs = {} if logs is None else logs
        for callback in self.callbacks:
            getattr(callback, name)(logs)

    method = call_counted if counted else call
    method.__name__, method.__doc__ = name, f"Calls `{name}` of each callback."
    return method


for _name in [n for n in vars(Callback) if n.startswith("on_")]:
    setattr(CallbackList, _name, _broadcast_hook(_name, "batch" in _name or "epoch" in _name))

"""Callbacks that write down what happens, and those that set what an epoch or batch asks for."""

from typing import Any

from keras_fn.callbacks.callback import Callback, Logs
from keras_fn.errors import SpecError


class History(Callback):
    """Keeps the logs of all epochs. `fit` adds one and returns it.

    Attributes:
        history: For each name in the logs, its values, one an epoch.
        epoch: The epochs.

    Example:
        >>> history = keras.callbacks.History()
        >>> history.on_train_begin()
        >>> history.on_epoch_end(0, {"loss": 0.5})
        >>> history.on_epoch_end(1, {"loss": 0.25})
        >>> history.history, history.epoch
        ({'loss': [0.5, 0.25]}, [0, 1])
    """

    def __init__(self) -> None:
        super().__init__()
        self.history: dict[str, list[Any]] = {}
        self.epoch: list[int] = []

    def on_train_begin(self, logs: Logs = None) -> None:
        """Begins a new list of epochs."""
        self.epoch = []

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Keeps the logs."""
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
        if self.model is not None:
            self.model.history = self

    def plot(self) -> Any:
        """Draws a panel for each metric, with the values of training and validation.

        Returns:
            The figure of Matplotlib.

        Raises:
            ImportError: Matplotlib is not installed.
            ValueError: Nothing was kept yet.
        """
        names = list(dict.fromkeys(name.removeprefix("val_") for name in self.history))
        if not names:
            raise SpecError(
                "History.plot",
                expected="a history of one epoch at least",
                received="none",
                fix="call it after fit()",
            )
        figure = new_figure("History.plot()", figsize=(4 * len(names), 3))
        for axes, name in zip(figure.subplots(1, len(names), squeeze=False)[0], names, strict=True):
            for key, label in ((name, "training"), (f"val_{name}", "validation")):
                values = self.history.get(key)
                if values:
                    first = len(self.epoch) - len(values)
                    epochs = self.epoch[first:] if first >= 0 else range(len(values))
                    axes.plot([e + 1 for e in epochs], values, label=label)
            axes.set(title=name, xlabel="epoch")
            axes.legend()
        return figure


def new_figure(source: str, figsize: tuple[float, float]) -> Any:
    """Returns an empty figure of Matplotlib.

    Args:
        who: What needs it.
        figsize: Width and height in inches.

    Raises:
        ImportError: Matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError(
            f"{source} needs Matplotlib.\n  fix: pip install 'keras-fn[plot]'"
        ) from error
    return Figure(figsize=figsize, layout="constrained")

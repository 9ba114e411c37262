"""History: the logs of all epochs, which `fit` returns."""

from typing import TYPE_CHECKING, Any

from keras_fn.callbacks.callback import Callback, Logs
from keras_fn.errors import SpecError
from keras_fn.visualization.figures import new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class History(Callback):
    """Records the logs of each epoch. `fit` adds one automatically and returns it.

    Attributes:
        history: For each name in the logs, the list of its values, one per epoch.
        epoch: Indices of the epochs.

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
        """Resets the list of epochs."""
        self.epoch = []

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Records the logs."""
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
        if self.model is not None:
            self.model.history = self

    def plot(self) -> "Figure":
        """Plots the learning curves: one panel per metric, with training and validation values.

        Returns:
            A Matplotlib figure.

        Raises:
            ImportError: Matplotlib is not installed.
            ValueError: No epoch has been recorded yet.
        """
        names = list(dict.fromkeys(name.removeprefix("val_") for name in self.history))
        if not names:
            raise SpecError(
                "History.plot",
                expected="a history of at least one epoch",
                received="an empty history",
                fix="call it after fit()",
            )
        figure = new_figure("History.plot()", figsize=(4 * len(names), 3))
        panels = figure.subplots(1, len(names), squeeze=False)[0]
        for axes, name in zip(panels, names, strict=True):
            for key, label in ((name, "training"), (f"val_{name}", "validation")):
                values = self.history.get(key)
                if values:
                    first = len(self.epoch) - len(values)
                    epochs = self.epoch[first:] if first >= 0 else range(len(values))
                    axes.plot([e + 1 for e in epochs], values, label=label)
            axes.set(title=name, xlabel="epoch")
            axes.legend()
        return figure

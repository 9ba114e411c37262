"""Callbacks that watch one number in the logs: stop, save, or slow down after it."""

import operator
import warnings
from collections.abc import Callable
from typing import Any

from keras_fn.callbacks.callback import Callback
from keras_fn.core import tree
from keras_fn.errors import SpecError


class MonitorCallback(Callback):
    """Base of callbacks that watch a number in the logs.

    Args:
        monitor: Its name.
        mode: `"min"` if less is better, `"max"` if more is; `"auto"` to ask the metric.
        baseline: What the first value is compared with, or None.
        min_delta: By how much a value must be better to count.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        mode: str = "auto",
        baseline: float | None = None,
        min_delta: float = 0,
    ):
        super().__init__()
        if mode not in ("auto", "min", "max"):
            warnings.warn(
                f"{type(self).__name__}: the mode {mode!r} is unknown; 'auto' is taken instead.",
                stacklevel=3,
            )
            mode = "auto"
        self.monitor, self.mode, self.best = monitor, mode, baseline
        self.min_delta = abs(min_delta)
        self.monitor_op: Callable[[Any, Any], Any] | None = None

    def _set_monitor_op(self) -> None:
        """Finds out what is better; in the first epoch, when the metrics are there."""
        mode = self.mode
        if mode == "auto":
            mode = self._mode_of_metric()
        self.monitor_op = operator.lt if mode == "min" else operator.gt
        if mode == "min":
            self.min_delta = -self.min_delta

    def _mode_of_metric(self) -> str:
        name = self.monitor.removeprefix("val_")
        if name == "loss":
            return "min"
        for metric in _metrics_of(self.model):
            if metric.name == name and getattr(metric, "_direction", None):
                return "max" if metric._direction == "up" else "min"
        raise SpecError(
            type(self).__name__,
            expected="mode='min' or mode='max', where the metric does not say what is better",
            received=f"monitor={self.monitor!r}, mode='auto'",
            fix="pass mode='max' if more is better, else mode='min'",
        )

    def _is_improvement(self, value: Any, reference: Any) -> bool:
        if reference is None:
            return True
        assert self.monitor_op is not None
        return bool(self.monitor_op(value - self.min_delta, reference))


def _metrics_of(model: Any) -> list[Any]:
    """Returns the model's metrics, those inside a group of them too."""
    found = []
    for metric in getattr(model, "metrics", None) or ():
        found += [metric, *tree.flatten(getattr(metric, "metrics", None) or [])]
    return [m for m in found if hasattr(m, "name")]

"""The base class of callbacks that monitor a quantity in the logs."""

import operator
import warnings
from collections.abc import Callable
from typing import Any

from keras_fn.callbacks.callback import Callback
from keras_fn.core import tree
from keras_fn.errors import SpecError


class MonitorCallback(Callback):
    """Base class of callbacks that monitor a quantity in the logs.

    Args:
        monitor: Name of the quantity in the logs.
        mode: `"min"` if lower is better, `"max"` if higher is better, `"auto"` to infer it from
            the metric.
        baseline: Value that the first one is compared with; None for no baseline.
        min_delta: Minimum change that counts as an improvement.
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
                f"{type(self).__name__}: the mode {mode!r} is unknown; falling back to 'auto'.",
                stacklevel=3,
            )
            mode = "auto"
        self.monitor, self.mode = monitor, mode
        self.best: Any = baseline
        self.min_delta = abs(min_delta)
        self.monitor_op: Callable[[Any, Any], Any] | None = None

    def _set_monitor_op(self) -> None:
        """Chooses the comparison; in the first epoch, since metrics may not exist before."""
        mode = self.mode
        if mode == "auto":
            mode = self._infer_mode()
        self.monitor_op = operator.lt if mode == "min" else operator.gt
        if mode == "min":
            self.min_delta = -self.min_delta

    def _infer_mode(self) -> str:
        name = self.monitor.removeprefix("val_")
        if name == "loss":
            return "min"
        for metric in _list_metrics(self.model):
            if metric.name == name and getattr(metric, "_direction", None):
                return "max" if metric._direction == "up" else "min"
        raise SpecError(
            type(self).__name__,
            expected="mode='min' or mode='max', since the metric does not define a direction",
            received=f"monitor={self.monitor!r}, mode='auto'",
            fix="pass mode='max' if higher is better, else mode='min'",
        )

    def _is_improvement(self, value: Any, reference: Any) -> bool:
        if reference is None:
            return True
        assert self.monitor_op is not None
        return bool(self.monitor_op(value - self.min_delta, reference))


def _list_metrics(model: Any) -> list[Any]:
    """Returns the model's metrics, including metrics inside containers."""
    metrics = []
    for metric in getattr(model, "metrics", None) or ():
        metrics += [metric, *tree.flatten(getattr(metric, "metrics", None) or [])]
    return [m for m in metrics if hasattr(m, "name")]

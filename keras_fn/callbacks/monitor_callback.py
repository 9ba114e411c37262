"""The base class of callbacks that monitor a quantity in the logs."""

import operator
import warnings
from collections.abc import Callable, Iterable
from typing import Any

from keras_fn import losses, metrics
from keras_fn.callbacks.callback import Callback, Logs
from keras_fn.core import tree
from keras_fn.core.argument_forms import NUMBER, OPTIONAL_NUMBER, TEXT, check_arguments
from keras_fn.errors import SpecError, find_similar


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
        check_arguments(
            type(self).__name__,
            {"monitor": TEXT, "baseline": OPTIONAL_NUMBER, "min_delta": NUMBER},
            {"monitor": monitor, "baseline": baseline, "min_delta": min_delta},
        )
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

    def on_train_begin(self, logs: Logs = None) -> None:
        """Checks that the direction of improvement is known, if the metric is."""
        if self.mode == "auto" and self._name in _named_metrics(self.model):
            self._infer_mode(())

    @property
    def _name(self) -> str:
        return self.monitor.removeprefix("val_")

    def _set_monitor_op(self, logs: Logs = None) -> None:
        """Chooses the comparison; in the first epoch, since metrics may not exist before."""
        mode = self.mode
        if mode == "auto":
            mode = self._infer_mode(logs or ())
        self.monitor_op = operator.lt if mode == "min" else operator.gt
        if mode == "min":
            self.min_delta = -self.min_delta

    def _infer_mode(self, logs: Iterable[str]) -> str:
        known = _named_metrics(self.model)
        mode = _mode_of(known.get(self._name))
        if mode is None and self._name.endswith("loss"):
            mode = "min"  # the total, that of one output, or a part in a custom step
        if mode is not None:
            return mode
        names = list(logs)
        if names and self.monitor not in names and self._name not in known:
            near = find_similar(self.monitor, names)
            raise SpecError(
                type(self).__name__,
                expected=f"monitor as one of {', '.join(names)}",
                received=f"monitor={self.monitor!r}",
                fix=f"for example monitor={(near or names)[0]!r}, or pass mode='min' or mode='max' "
                "if it is there in later epochs",
            )
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


def _named_metrics(model: Any) -> dict[str, Any]:
    """Returns the model's metrics, including metrics inside containers, by all of their names.

    These are the names under which they are reported (`"acc"`, `"output_acc"`), and their own.
    """
    found = []
    for metric in getattr(model, "metrics", None) or ():
        found += [metric, *tree.flatten(getattr(metric, "metrics", None) or [])]
    compiled = getattr(model, "_compile_metrics", None)
    reported = {} if compiled is None else compiled.by_name
    return {m.name: m for m in found if hasattr(m, "name")} | reported


def _mode_of(metric: Any) -> str | None:
    """Returns the direction in which a metric improves, `"min"` or `"max"`, or None."""
    direction = getattr(metric, "_direction", None)
    if direction is not None:
        return "max" if direction == "up" else "min"
    function = getattr(metric, "_fn", None)  # of a metric that is the mean of a function
    if isinstance(function, losses.Loss) or _is_member(losses, function):
        return "min"
    return "max" if _is_member(metrics, function) else None


def _is_member(module: Any, function: Any) -> bool:
    name = getattr(function, "__name__", None)
    return name is not None and getattr(module, name, None) is function

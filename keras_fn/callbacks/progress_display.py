"""Progress bars of fit, evaluate and predict: a live line in a terminal, a plain line in a log."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from numbers import Real
from types import TracebackType
from typing import Any

import numpy as np

from keras_fn import ops
from keras_fn.distribution.processes import is_primary
from keras_fn.errors import DTypeError, SpecError
from keras_fn.settings import is_installed, settings
from keras_fn.types import Verbosity

_REFRESH_SECONDS = 0.1


def make_console() -> Any:
    """Returns a rich console on the current standard output."""
    # rich is imported at the first output, not with the package.
    from rich.console import Console

    return Console(highlight=False, soft_wrap=False)


def print_message(message: str) -> None:
    """Prints a line, above the live line if one is displayed; of several processes, process 0."""
    if is_primary():
        print(message)


def is_live(console: Any, verbose: Verbosity) -> bool:
    """Whether the progress line is redrawn in place: wanted by the user, possible on the console.

    Args:
        console: A rich console.
        verbose: The verbosity of the run.
    """
    is_wanted = verbose in (1, "auto", True) and settings.interactive_logging
    # In a notebook rich redraws through ipywidgets, and warns each time if it is not installed.
    can_redraw = is_installed("ipywidgets") if console.is_jupyter else console.is_terminal
    return bool(is_wanted and can_redraw)


class ProgressLine:
    """The text of a progress bar: steps, bar, time, speed and metrics.

    Args:
        total: Total number of steps; None if unknown.
        width: Width of the bar in characters.
        unit: Name of a step.
    """

    def __init__(self, total: int | None, width: int = 20, unit: str = "step"):
        self.total, self.width, self.unit = total, width, unit
        self.start = time.perf_counter()
        self._first: tuple[int, float] | None = None

    def count(self, seen: int) -> None:
        """Records the number of steps done. The first call is timed apart, as it may compile.

        Args:
            seen: Number of steps done so far.
        """
        if self._first is None and seen > 0:
            self._first = (seen, time.perf_counter())

    def text(self, seen: int, logs: Mapping[str, Any], final: bool, bar: bool) -> str:
        """Returns the line.

        Args:
            seen: Number of steps done.
            logs: The metrics.
            final: Whether it is the last line: it shows the elapsed time, others the remaining.
            bar: Whether to include the bar.
        """
        now = time.perf_counter()
        seconds = self._seconds_per_step(seen, now)
        if final or self.total is None:
            duration = _format_duration(now - self.start)
        else:
            duration = _format_duration(seconds * (self.total - seen))
        speed = f"{_format_step_time(seconds)}/{self.unit}"
        count = f"{seen}/{'Unknown' if self.total is None else self.total}"
        if not bar:
            parts = [count, duration, speed]
        else:
            width = len(str(self.total)) if self.total is not None else 1
            count = f"{seen:>{width}}{count[len(str(seen)) :]}"
            bar_text = f"{self._bar(seen)} " if self.total is not None else ""
            parts = [f"{count} {bar_text}{duration} {speed}"]
        return " - ".join([*parts, *(f"{k}: {_format_metric(v)}" for k, v in logs.items())])

    def _bar(self, seen: int) -> str:
        done = min(seen / self.total, 1.0) if self.total else 1.0
        filled = int(done * self.width)
        pointer = "╸" if filled < self.width else ""
        return "━" * filled + pointer + "─" * (self.width - filled - len(pointer))

    def _seconds_per_step(self, seen: int, now: float) -> float:
        steps, since = self._first or (0, self.start)
        if seen <= steps:
            steps, since = 0, self.start
        return (now - since) / max(seen - steps, 1)


def _format_duration(seconds: float) -> str:
    whole = max(int(seconds), 0)
    if whole < 60:
        return f"{whole}s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes}:{rest:02d}"
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


def _format_step_time(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.0f}{unit}"
    return f"{seconds * 1e6:.0f}us"


def _format_metric(value: Any) -> str:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return str(value)
    is_small = number != 0 and abs(number) <= 1e-3
    return f"{number:.4e}" if is_small and math.isfinite(number) else f"{number:.4f}"


class _Display:
    """A line on a console: redrawn in place if `live`, else printed once at the end."""

    def __init__(self, console: Any, live: bool):
        self.console, self._live = console, None
        self.live = live

    def draw(self, text: str) -> None:
        """Replaces the line."""
        if not self.live:
            return
        from rich.live import Live
        from rich.text import Text

        if self._live is None:
            self._live = Live(console=self.console, auto_refresh=False)
            self._live.start()
        self._live.update(Text(text), refresh=True)

    def end(self, text: str | None) -> None:
        """Draws the last line, if there is one, and stops redrawing."""
        if text is not None:
            if self.live:
                self.draw(text)
            else:
                self.console.print(text, soft_wrap=True, markup=False)
        if self._live is not None:
            self._live.stop()
            self._live = None


class EpochDisplay:
    """Displays the progress of one epoch.

    On a terminal and in a notebook it is one live line, redrawn about ten times a second at most.
    In a log file, and with `verbose=2`, it is one plain line at the end.

    Args:
        total: Total number of steps; None if unknown.
        epoch: Index of the epoch, from 0.
        epochs: Number of epochs; a single epoch has no heading.
        verbose: 0 for silent, 1 for a live line, 2 for a line per epoch; `"auto"` for 1.
        read_logs: Returns the current metrics. It may wait for the device, so it is called only
            when the line is drawn.
        console: A rich console; by default one on the standard output.

    Example:
        >>> with EpochDisplay(3, 0, 2, verbose=2, read_logs=dict) as display:
        ...     display.advance(3)
        ...     display.finish({"loss": 0.5})
        Epoch 1/2
        3/3 - 0s - ...s/step - loss: 0.5000
    """

    def __init__(
        self,
        total: int | None,
        epoch: int = 0,
        epochs: int = 1,
        verbose: Verbosity = "auto",
        read_logs: Callable[[], Mapping[str, Any]] = dict,
        console: Any = None,
    ):
        self.seen = 0
        self.epoch, self.epochs, self.verbose = epoch, epochs, verbose
        self._read_logs = read_logs
        self._line = ProgressLine(total)
        self._display: _Display | None = None
        if verbose:
            console = console or make_console()
            self._display = _Display(console, is_live(console, verbose))
        self._next_draw = 0.0 if self._display and self._display.live else math.inf

    def __enter__(self) -> EpochDisplay:
        if self._display is not None and self.epochs > 1:
            self._display.console.print(f"Epoch {self.epoch + 1}/{self.epochs}")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._display is not None:
            self._display.end(None)

    def advance(self, steps: int = 1) -> None:
        """Advances the display.

        Args:
            steps: Number of steps done since the last call.
        """
        self.seen += steps
        self._line.count(self.seen)
        if self._next_draw == math.inf or time.perf_counter() < self._next_draw:
            return
        assert self._display is not None
        self._display.draw(self._line.text(self.seen, self._read_logs(), final=False, bar=True))
        self._next_draw = time.perf_counter() + _REFRESH_SECONDS

    def finish(self, logs: Mapping[str, Any] | None = None) -> None:
        """Draws the final line.

        Args:
            logs: The metrics of the whole epoch.
        """
        if self._display is None:
            return
        if self._line.total is None or self.seen:  # the run may end early, or learn its length
            self._line.total = self.seen
        self._display.end(self._line.text(self.seen, logs or {}, True, self._display.live))
        self._next_draw = math.inf


class Progbar:
    """Progress bar with metrics.

    Args:
        target: Total number of steps; None if unknown.
        width: Width of the bar in characters.
        verbose: 0 for silent, 1 for a live line, 2 for a line at the end.
        interval: Minimum time between two updates, in seconds.
        stateful_metrics: Names of the metrics that are displayed as they are; all others are
            averaged over the steps.
        stateless_metrics: Names of the metrics that are averaged over the steps; all others are
            displayed as they are.
        unit_name: Name of a step.

    Raises:
        ValueError: Both `stateful_metrics` and `stateless_metrics` are given.

    Example:
        >>> bar = keras.utils.Progbar(2, verbose=2)
        >>> bar.add(1, [("loss", 1.0)])
        >>> bar.add(1, [("loss", 0.5)])
        2/2 - 0s - ...s/step - loss: 0.7500
    """

    def __init__(
        self,
        target: int | None,
        width: int = 20,
        verbose: int = 1,
        interval: float = 0.05,
        stateful_metrics: Iterable[str] | None = None,
        stateless_metrics: Iterable[str] | None = None,
        unit_name: str = "step",
    ):
        if stateful_metrics is not None and stateless_metrics is not None:
            raise SpecError(
                "Progbar",
                expected="stateful_metrics or stateless_metrics",
                received="both",
                fix="pass one of the two: all other metrics are of the other kind",
            )
        if target is not None:
            _check_count("target", target)
        self.target, self.width, self.verbose = target, width, verbose
        self.interval, self.unit_name = interval, unit_name
        self.stateful_metrics = None if stateless_metrics is not None else stateful_metrics or ()
        self.stateless_metrics = stateless_metrics
        self._line = ProgressLine(target, width, unit_name)
        self._sums: dict[str, tuple[float, float]] = {}  # name: (sum, number of steps)
        self._seen, self._next_draw = 0, 0.0
        self._display: _Display | None = None

    def _is_averaged(self, name: str) -> bool:
        if self.stateless_metrics is not None:
            return name in self.stateless_metrics
        return name not in (self.stateful_metrics or ())

    def update(
        self,
        current: int,
        values: Sequence[tuple[str, Any]] | Mapping[str, Any] | None = None,
        finalize: bool | None = None,
    ) -> None:
        """Updates the progress bar.

        Args:
            current: Number of steps done.
            values: Pairs `(name, value)` of metrics, with their values over the last steps; or a
                dict. Of an array or a list the mean is displayed.
            finalize: Whether this is the last update; by default whether `target` is reached.

        Raises:
            TypeError: `current` is not a number, or `values` are not pairs of a name and numbers.
        """
        _check_count("current", current)
        self._line.total = self.target
        if finalize is None:
            finalize = self.target is not None and current >= self.target
        for name, value in _to_pairs(values):
            if finalize or not self._is_averaged(name):
                self._set_value(name, value, current, finalize)
            else:
                total, weight = self._sums.get(name, (0.0, 0.0))
                steps = max(current - self._seen, 1)
                self._sums[name] = (total + value * steps, weight + steps)
        self._seen = current
        self._line.count(current)
        self._show(bool(finalize))

    def _set_value(self, name: str, value: float, current: int, finalize: bool) -> None:
        """Sets a value that is not averaged; an averaged one of the last step joins its average."""
        total, weight = self._sums.get(name, (0.0, 0.0))
        steps = current - self._seen
        if finalize and self._is_averaged(name) and weight and steps > 0:
            self._sums[name] = (total + value * steps, weight + steps)
        else:
            self._sums[name] = (value, 1.0)

    def _show(self, finalize: bool) -> None:
        if not self.verbose:
            return
        now = time.perf_counter()
        if not finalize and (now < self._next_draw or self.verbose == 2):
            return
        if self._display is None:
            console = make_console()
            self._display = _Display(console, is_live(console, self.verbose))
        logs = {name: total / weight for name, (total, weight) in self._sums.items()}
        text = self._line.text(self._seen, logs, finalize, self._display.live)
        if finalize:
            self._display.end(text)
        else:
            self._display.draw(text)
        self._next_draw = now + self.interval

    def add(
        self, n: int, values: Sequence[tuple[str, Any]] | Mapping[str, Any] | None = None
    ) -> None:
        """Advances the progress bar.

        Args:
            n: Number of steps done since the last update.
            values: Pairs `(name, value)` of metrics, with their values over these steps; or a dict.

        Raises:
            TypeError: `n` is not a number, or `values` are not pairs of a name and numbers.
        """
        _check_count("n", n)
        self.update(self._seen + n, values)


def _check_count(name: str, value: Any) -> None:
    if isinstance(value, Real) and not isinstance(value, bool):
        return
    raise DTypeError(
        "Progbar",
        expected=f"{name} as a number of steps",
        received=f"{name}={value!r}",
        fix="values of metrics go in values: bar.update(5, [('loss', 0.5)])",
    )


def _to_pairs(values: Any) -> list[tuple[str, float]]:
    """Returns the names and values of metrics, each value as one number."""
    cause: Exception | None = None
    try:
        pairs = [
            (k, v) for k, v in (values.items() if isinstance(values, Mapping) else values or ())
        ]
        if all(isinstance(k, str) and not isinstance(v, (str, bytes)) for k, v in pairs):
            return [(k, _to_number(v)) for k, v in pairs]
    except (TypeError, ValueError) as error:
        cause = error
    raise DTypeError(
        "Progbar",
        expected="values as pairs (name, number), or as a dict",
        received=f"{values!r:.200}",
        fix="for example values=[('loss', 0.5)]",
    ) from cause


def _to_number(value: Any) -> float:
    if isinstance(value, Real):
        return float(value)
    return float(np.mean(ops.convert_to_numpy(value).astype("float64")))

"""What fit, evaluate and predict show: one line that lives in a terminal, one a epoch in a log."""

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any

from keras_fn.errors import SpecError
from keras_fn.settings import is_installed, settings

_REFRESH_SECONDS = 0.1


def make_console() -> Any:
    """Returns a console of rich on the standard output of now."""
    # rich is imported when something is shown, not with the package.
    from rich.console import Console

    return Console(highlight=False, soft_wrap=False)


def print_message(message: str) -> None:
    """Prints a line: where a live line is shown, above it."""
    print(message)


def is_live(console: Any, verbose: Any) -> bool:
    """Whether a line can be drawn again on this console, and the user wants to see it."""
    wanted = verbose in (1, "auto", True) and settings.interactive_logging
    # In a notebook rich draws again through ipywidgets, and warns each time if it is not there.
    redraws = is_installed("ipywidgets") if console.is_jupyter else console.is_terminal
    return bool(wanted and redraws)


class ProgressLine:
    """The text of the display: how far, how fast, and the metrics.

    Args:
        total: How many steps there are; None if nobody knows.
        width: How many characters the bar has.
        unit: What a step is called.
    """

    def __init__(self, total: int | None, width: int = 20, unit: str = "step"):
        self.total, self.width, self.unit = total, width, unit
        self.start = time.perf_counter()
        self._first: tuple[int, float] | None = None

    def count(self, seen: int) -> None:
        """Notes that this many steps are done. The first ones, which may compile, count apart."""
        if self._first is None and seen > 0:
            self._first = (seen, time.perf_counter())

    def text(self, seen: int, logs: Mapping[str, Any], final: bool, bar: bool) -> str:
        """Returns the line.

        Args:
            seen: How many steps are done.
            logs: The metrics.
            final: Whether it is the last line: it tells the time it took, others that to come.
            bar: Whether there is a bar in it.
        """
        now = time.perf_counter()
        seconds = self._seconds_per_step(seen, now)
        if final or self.total is None:
            shown = _duration(now - self.start)
        else:
            shown = _duration(seconds * (self.total - seen))
        speed = f"{_short(seconds)}/{self.unit}"
        count = f"{seen}/{'Unknown' if self.total is None else self.total}"
        if not bar:
            parts = [count, shown, speed]
        else:
            width = len(str(self.total)) if self.total is not None else 1
            count = f"{seen:>{width}}{count[len(str(seen)) :]}"
            drawn = f"{self._bar(seen)} " if self.total is not None else ""
            parts = [f"{count} {drawn}{shown} {speed}"]
        return " - ".join([*parts, *(f"{k}: {_number(v)}" for k, v in logs.items())])

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


def _duration(seconds: float) -> str:
    whole = max(int(seconds), 0)
    if whole < 60:
        return f"{whole}s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes}:{rest:02d}"
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


def _short(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.0f}{unit}"
    return f"{seconds * 1e6:.0f}us"


def _number(value: Any) -> str:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return str(value)
    small = number != 0 and abs(number) <= 1e-3
    return f"{number:.4e}" if small and math.isfinite(number) else f"{number:.4f}"


class _Display:
    """Where the line is drawn: again and again if `live`, else once, at the end."""

    def __init__(self, console: Any, live: bool):
        self.console, self._live = console, None
        self.live = live

    def draw(self, text: str) -> None:
        """Draws the line in place of the one before."""
        if not self.live:
            return
        from rich.live import Live
        from rich.text import Text

        if self._live is None:
            self._live = Live(console=self.console, auto_refresh=False)
            self._live.start()
        self._live.update(Text(text), refresh=True)

    def end(self, text: str | None) -> None:
        """Leaves the last line standing."""
        if text is not None:
            if self.live:
                self.draw(text)
            else:
                self.console.print(text, soft_wrap=True, markup=False)
        if self._live is not None:
            self._live.stop()
            self._live = None


class EpochDisplay:
    """Shows how an epoch goes on.

    On a terminal and in a notebook it is one line that is drawn again, some ten times a second
    at most. In a log file, and with `verbose=2`, it is one plain line at the end.

    Args:
        total: Number of steps; None if nobody knows.
        epoch: Which epoch it is, from 0.
        epochs: How many there are; where there is one, it is not named.
        verbose: 0 for nothing, 1 for a live line, 2 for a line an epoch; `"auto"` for 1.
        read_logs: Returns the metrics of now. It may wait for the device, so it is called only
            when the line is drawn.
        console: A console of rich; by default one on the standard output.

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
        verbose: Any = "auto",
        read_logs: Callable[[], Mapping[str, Any]] = dict,
        console: Any = None,
    ):
        self.seen = 0
        self.epoch, self.epochs, self.verbose = epoch, epochs, verbose
        self._read_logs = read_logs
        self._line = ProgressLine(total)
        self._screen: _Display | None = None
        if verbose:
            console = console or make_console()
            self._screen = _Display(console, is_live(console, verbose))
        self._due = 0.0 if self._screen and self._screen.live else math.inf

    def __enter__(self) -> "EpochDisplay":
        if self._screen is not None and self.epochs > 1:
            self._screen.console.print(f"Epoch {self.epoch + 1}/{self.epochs}")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._screen is not None:
            self._screen.end(None)

    def advance(self, steps: int = 1) -> None:
        """Notes that some more steps are done."""
        self.seen += steps
        self._line.count(self.seen)
        if self._due == math.inf or time.perf_counter() < self._due:
            return
        assert self._screen is not None
        self._screen.draw(self._line.text(self.seen, self._read_logs(), final=False, bar=True))
        self._due = time.perf_counter() + _REFRESH_SECONDS

    def finish(self, logs: Mapping[str, Any] | None = None) -> None:
        """Draws the line for the last time.

        Args:
            logs: The metrics of the whole epoch.
        """
        if self._screen is None:
            return
        if self._line.total is None or self.seen:  # a run may end early, or come to know its length
            self._line.total = self.seen
        self._screen.end(self._line.text(self.seen, logs or {}, True, self._screen.live))
        self._due = math.inf


class Progbar:
    """A progress bar.

    Args:
        target: Number of steps; None if nobody knows.
        width: How many characters the bar has.
        verbose: 0 for nothing, 1 for a live line, 2 for a line at the end.
        interval: Seconds between two drawings, at least.
        stateful_metrics: Names of metrics that are shown as they are; all others are averaged.
        stateless_metrics: Names of metrics that are averaged; all others are shown as they are.
        unit_name: What a step is called.

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
                fix="name the metrics of one kind: the others are of the other kind",
            )
        self.target, self.width, self.verbose = target, width, verbose
        self.interval, self.unit_name = interval, unit_name
        self.stateful_metrics = None if stateless_metrics is not None else stateful_metrics or ()
        self.stateless_metrics = stateless_metrics
        self._line = ProgressLine(target, width, unit_name)
        self._sums: dict[str, tuple[float, float]] = {}  # name: (sum, number of steps)
        self._seen, self._due = 0, 0.0
        self._screen: _Display | None = None

    def _is_averaged(self, name: str) -> bool:
        if self.stateless_metrics is not None:
            return name in self.stateless_metrics
        return name not in (self.stateful_metrics or ())

    def update(
        self,
        current: int,
        values: Sequence[tuple[str, Any]] | None = None,
        finalize: bool | None = None,
    ) -> None:
        """Moves the bar.

        Args:
            current: How many steps are done.
            values: Pairs of a metric's name and its value in the last steps.
            finalize: Whether this is the end; by default when `target` is reached.
        """
        self._line.total = self.target
        if finalize is None:
            finalize = self.target is not None and current >= self.target
        for name, value in values or ():
            if finalize or not self._is_averaged(name):
                self._note_last(name, value, current, finalize)
            else:
                total, weight = self._sums.get(name, (0.0, 0.0))
                steps = max(current - self._seen, 1)
                self._sums[name] = (total + float(value) * steps, weight + steps)
        self._seen = current
        self._line.count(current)
        self._show(bool(finalize))

    def _note_last(self, name: str, value: Any, current: int, finalize: bool) -> None:
        """Notes a value that stands for itself: of the last step, it joins the average."""
        total, weight = self._sums.get(name, (0.0, 0.0))
        steps = current - self._seen
        if finalize and self._is_averaged(name) and weight and steps > 0:
            self._sums[name] = (total + float(value) * steps, weight + steps)
        else:
            self._sums[name] = (value, 1.0)

    def _show(self, finalize: bool) -> None:
        if not self.verbose:
            return
        now = time.perf_counter()
        if not finalize and (now < self._due or self.verbose == 2):
            return
        if self._screen is None:
            console = make_console()
            self._screen = _Display(console, is_live(console, self.verbose))
        logs = {name: total / weight for name, (total, weight) in self._sums.items()}
        text = self._line.text(self._seen, logs, finalize, self._screen.live)
        if finalize:
            self._screen.end(text)
        else:
            self._screen.draw(text)
        self._due = now + self.interval

    def add(self, n: int, values: Sequence[tuple[str, Any]] | None = None) -> None:
        """Moves the bar by `n` steps; see `update`."""
        self.update(self._seen + n, values)

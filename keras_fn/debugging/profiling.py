"""Where the time of a training step goes: by stage, and by layer."""

import io
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any, cast

import numpy as np

from keras_fn._lazy import LazyModule
from keras_fn.backend.contract import SupportsProfiling
from keras_fn.backend.loader import current, supports
from keras_fn.core import tree
from keras_fn.core.tracebacks import filter_traceback
from keras_fn.debugging.layer_hooks import hook_layers
from keras_fn.errors import SpecError
from keras_fn.ops._op import class_name
from keras_fn.training.snapshot import list_training_variables, restore_on_exit

_rich_console = LazyModule("rich.console")  # imported when something is shown

_rich_table = LazyModule("rich.table")

_WIDTH = 80  # of the text, where it is in no terminal


@dataclass(frozen=True)
class LayerTime:
    """The time of a layer's or op's call.

    Attributes:
        path: Its path.
        kind: Its class.
        seconds: The median of its time in one step.
    """

    path: str
    kind: str
    seconds: float


@dataclass(frozen=True)
class StepProfile:
    """Where the time of a training step goes. Printed, it is two tables.

    Attributes:
        stages: Seconds of each stage of a compiled step: `"data"`, one batch from the host to the
            device; `"forward"`, up to the loss; `"backward and update"`, what is left of the step;
            `"metrics"`.
        layers: The layers in the order in which they run, called one by one and not compiled: the
            compiler may merge what is apart here, and all of them together take longer.
        step_seconds: One compiled step, without the data.
    """

    stages: dict[str, float]
    layers: tuple[LayerTime, ...]
    step_seconds: float

    def __rich__(self) -> Any:
        stages = _table("Stage of a step", None, self.stages.items())
        layers = ((x.path, x.kind, x.seconds) for x in self.layers)
        by_layer = _table("Layer, forward, on its own", "Class", layers)
        return _rich_console.Group(stages, by_layer)

    def __str__(self) -> str:
        console = _rich_console.Console(file=io.StringIO(), width=_WIDTH, color_system=None)
        console.print(self)
        return console.file.getvalue().rstrip("\n")


def _table(title: str, second: str | None, rows: Any) -> Any:
    """Makes a table of rows whose last column is seconds; a column says their share."""
    rows = list(rows)
    total = sum(seconds for *_, seconds in rows) or 1.0
    table = _rich_table.Table(title, *([] if second is None else [second]))
    for header in ("Milliseconds", "Share"):
        table.add_column(header, justify="right")
    for *names, seconds in rows:
        table.add_row(*names, f"{seconds * 1e3:.3f}", f"{seconds / total:.1%}")
    return table


@filter_traceback
def profile_step(
    model: Any,
    x: Any,
    y: Any = None,
    *,
    sample_weight: Any = None,
    repeats: int = 10,
) -> StepProfile:
    """Measures the stages of a training step, and the layers of the model one by one.

    Each measurement waits for the device, and is the median of several after a first one that is
    not counted. The model is then as it was before. For what a framework does inside, there is the
    profiler of its own: `TensorBoard(profile_batch=...)`.

    Args:
        model: A compiled model.
        x: The inputs of one batch: arrays.
        y: Its targets.
        sample_weight: What each sample counts.
        repeats: How often everything is measured.

    Returns:
        The times. `print(profile)` or `rich.print(profile)` shows them.

    Raises:
        ValueError: The model is not compiled.

    Example:
        >>> x = keras.Input((2,), name="x")
        >>> model = keras.Model(x, keras.layers.Dense(1, name="out")(x))
        >>> model.compile("sgd", "mse")
        >>> profile = keras.debugging.profile_step(model, np.ones((8, 2)), np.ones(8), repeats=2)
        >>> list(profile.stages), [layer.path for layer in profile.layers]
        (['data', 'forward', 'backward and update', 'metrics'], ['out'])
    """
    if not getattr(model, "compiled", False) or model.optimizer is None:
        raise SpecError(
            "profile_step",
            expected="a model that is compiled, with an optimizer",
            received=f"{type(model).__name__} {model.name!r} that is not",
            fix="call model.compile(optimizer=..., loss=...) before",
        )
    if not model.built:
        model.predict_on_batch(x)
    with restore_on_exit(model):
        # It builds the optimizer, the losses and the metrics.
        model.train_on_batch(x, y, sample_weight)
        stages, step_seconds = _stages(model, (x, y, sample_weight), repeats)
        layers = _layers(model, x, repeats)
    return StepProfile(stages, layers, step_seconds)


def _wait(x: Any) -> None:
    """Returns when nested tensors have been computed."""
    backend = current()
    tensors = [t for t in tree.flatten(x) if backend.is_tensor(t)]
    if supports("block_until_ready"):
        cast(SupportsProfiling, backend).block_until_ready(tensors)
    else:
        for tensor in tensors:
            backend.convert_to_numpy(tensor)


def _seconds(function: Callable[..., Any], args: Any, repeats: int) -> float:
    """Returns the median time of a call; the first one, which may compile, does not count."""
    times = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        _wait(function(*args))
        times.append(time.perf_counter() - start)
    return median(times[1:])


def _stages(model: Any, batch: Any, repeats: int) -> tuple[dict[str, float], float]:
    backend = current()
    # Of float64 there is no copy on the way to the device in `fit`, either.
    host = tree.map_structure(lambda a: a if a is None else np.array(a, _kept(a)), batch)

    def to_device() -> Any:
        return tree.map_structure(lambda a: a if a is None else backend.convert_to_tensor(a), host)

    def forward(x: Any, y: Any, sample_weight: Any) -> Any:
        y_pred = model(x, training=True)
        return model.compute_loss(x, y, y_pred, sample_weight), y_pred

    def step(x: Any, y: Any, sample_weight: Any) -> Any:
        return model.train_step((x, y, sample_weight))

    def metrics(x: Any, y: Any, y_pred: Any, sample_weight: Any) -> Any:
        return model.compute_metrics(x, y, y_pred, sample_weight)

    state, tensors = list_training_variables(model), to_device()

    def compiled(function: Callable[..., Any], args: Any) -> float:
        return _seconds(backend.compile(function, state), args, repeats)

    _, y_pred = backend.compile(forward, state)(*tensors)
    times = {
        "data": _seconds(to_device, (), repeats),
        "forward": compiled(forward, tensors),
        "backward and update": 0.0,
        "metrics": compiled(metrics, (tensors[0], tensors[1], y_pred, tensors[2])),
    }
    step_seconds = compiled(step, tensors)
    rest = step_seconds - times["forward"] - times["metrics"]
    times["backward and update"] = max(0.0, rest)
    return times, step_seconds


def _kept(a: Any) -> Any:
    """The dtype in which an array goes to the device."""
    dtype = np.asarray(a).dtype
    return "float32" if dtype == "float64" else dtype


def _layers(model: Any, x: Any, repeats: int) -> tuple[LayerTime, ...]:
    times: dict[str, list[float]] = {}
    kinds: dict[str, str] = {}

    def hook(path: str, layer: Any, args: tuple, kwargs: dict[str, Any]) -> Any:
        start = time.perf_counter()
        outputs = layer(*args, **kwargs)
        _wait(outputs)
        sums[path] = sums.get(path, 0.0) + time.perf_counter() - start  # a layer may run twice
        kinds[path] = class_name(layer)
        return outputs

    with hook_layers(model, hook) as call:
        for turn in range(repeats + 1):
            sums: dict[str, float] = {}
            call(x, training=True)
            for path, seconds in sums.items() if turn else ():
                times.setdefault(path, []).append(seconds)
    return tuple(LayerTime(path, kinds[path], median(found)) for path, found in times.items())

"""Profiling of a training step, by stage and by layer."""

from __future__ import annotations

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
from keras_fn.types import AnyModel, DataLike, TensorLike

_rich_console = LazyModule("rich.console")  # imported at the first output
_rich_table = LazyModule("rich.table")

_WIDTH = 80  # of the text, in characters, outside a terminal


@dataclass(frozen=True)
class LayerTime:
    """Forward time of a layer or op.

    Attributes:
        path: Path of the layer or op.
        class_name: Class of the layer or op.
        seconds: Median time in one step, in seconds.

    Example:
        >>> time = keras.debugging.LayerTime("dense", "Dense", seconds=0.002)
        >>> f"{time.path}: {1000 * time.seconds:.1f} ms"
        'dense: 2.0 ms'
    """

    path: str
    class_name: str
    seconds: float


@dataclass(frozen=True)
class StepProfile:
    """Profile of a training step. It prints as two tables.

    Attributes:
        stages: Time of each stage of a compiled step, in seconds: `"data"`, copying one batch from
            the host to the device; `"forward"`, up to the loss; `"backward and update"`, the rest
            of the step; `"metrics"`.
        layers: Forward times of the layers in execution order. Each is called on its own and not
            compiled: a compiler may fuse layers, so the sum exceeds the time of a compiled step.
        step_seconds: Time of one compiled step without the data, in seconds.

    Example:
        >>> layer = keras.debugging.LayerTime("dense", "Dense", seconds=0.002)
        >>> stages = {"data": 0.006, "forward": 0.004}
        >>> profile = keras.debugging.StepProfile(stages, (layer,), step_seconds=0.008)
        >>> profile.layers[0].seconds / profile.step_seconds
        0.25
    """

    stages: dict[str, float]
    layers: tuple[LayerTime, ...]
    step_seconds: float

    def __rich__(self) -> Any:
        stages = _table("Stage of a step", None, self.stages.items())
        layers = ((x.path, x.class_name, x.seconds) for x in self.layers)
        by_layer = _table("Layer, forward, on its own", "Class", layers)
        return _rich_console.Group(stages, by_layer)

    def __str__(self) -> str:
        console = _rich_console.Console(file=io.StringIO(), width=_WIDTH, color_system=None)
        console.print(self)
        return console.file.getvalue().rstrip("\n")


def _table(title: str, second: str | None, rows: Any) -> Any:
    """Returns a table of rows that end with a time in seconds, with a column of fractions."""
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
    model: AnyModel,
    x: DataLike,
    y: DataLike | None = None,
    *,
    sample_weight: TensorLike | None = None,
    repeats: int = 10,
) -> StepProfile:
    """Profiles a training step: the time of each stage, and of each layer on its own.

    Each time is the median of several measurements after a warm-up, and includes waiting for the
    device. The model is restored afterward. For the framework's own profiler, use
    `keras.callbacks.TensorBoard(profile_batch=...)`.

    Args:
        model: A compiled model.
        x: Inputs of one batch, as arrays.
        y: Targets of the batch.
        sample_weight: Weight of each sample in the loss, shape `(batch_size,)`.
        repeats: Number of measurements.

    Returns:
        The times; `print(profile)` or `rich.print(profile)` displays them as tables.

    Raises:
        ValueError: The model is not compiled with an optimizer.

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
            expected="a model that is compiled with an optimizer",
            received=f"{type(model).__name__} {model.name!r} that is not",
            fix="call model.compile(optimizer=..., loss=...) before",
        )
    if not model.built:
        model.predict_on_batch(x)
    with restore_on_exit(model):
        # Builds the optimizer, the losses and the metrics.
        model.train_on_batch(x, y, sample_weight)
        stages, step_seconds = _time_stages(model, (x, y, sample_weight), repeats)
        layers = _time_layers(model, x, repeats)
    return StepProfile(stages, layers, step_seconds)


def _block_until_ready(x: Any) -> None:
    """Waits until nested tensors have been computed."""
    backend = current()
    tensors = [t for t in tree.flatten(x) if backend.is_tensor(t)]
    if supports("block_until_ready"):
        cast(SupportsProfiling, backend).block_until_ready(tensors)
    else:
        for tensor in tensors:
            backend.convert_to_numpy(tensor)


def _time_call(function: Callable[..., Any], args: Any, repeats: int) -> float:
    """Returns the median time of a call, without the first one, which may compile."""
    times = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        _block_until_ready(function(*args))
        times.append(time.perf_counter() - start)
    return median(times[1:])


def _time_stages(model: Any, batch: Any, repeats: int) -> tuple[dict[str, float], float]:
    backend = current()
    # As in `fit`, float64 is cast on the host, before the copy to the device.
    host = tree.map_structure(lambda a: a if a is None else np.array(a, _device_dtype(a)), batch)

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

    def time_compiled(function: Callable[..., Any], args: Any) -> float:
        return _time_call(backend.compile(function, state), args, repeats)

    _, y_pred = backend.compile(forward, state)(*tensors)
    times = {
        "data": _time_call(to_device, (), repeats),
        "forward": time_compiled(forward, tensors),
        "backward and update": 0.0,
        "metrics": time_compiled(metrics, (tensors[0], tensors[1], y_pred, tensors[2])),
    }
    step_seconds = time_compiled(step, tensors)
    rest = step_seconds - times["forward"] - times["metrics"]
    times["backward and update"] = max(0.0, rest)
    return times, step_seconds


def _device_dtype(a: Any) -> Any:
    """Returns the dtype that an array has on the device."""
    dtype = np.asarray(a).dtype
    return "float32" if dtype == "float64" else dtype


def _time_layers(model: Any, x: Any, repeats: int) -> tuple[LayerTime, ...]:
    times: dict[str, list[float]] = {}
    class_names: dict[str, str] = {}

    def hook(path: str, layer: Any, args: tuple, kwargs: dict[str, Any]) -> Any:
        start = time.perf_counter()
        outputs = layer(*args, **kwargs)
        _block_until_ready(outputs)
        totals[path] = totals.get(path, 0.0) + time.perf_counter() - start  # it may run twice
        class_names[path] = class_name(layer)
        return outputs

    with hook_layers(model, hook) as call:
        for repeat in range(repeats + 1):
            totals: dict[str, float] = {}
            call(x, training=True)
            for path, seconds in totals.items() if repeat else ():  # the first is a warm-up
                times.setdefault(path, []).append(seconds)
    return tuple(LayerTime(path, class_names[path], median(t)) for path, t in times.items())

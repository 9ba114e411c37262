"""Retracing: records for which batch shapes a step was compiled, and why it was compiled again."""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from keras_fn.backend.loader import current, supports
from keras_fn.core.graph_model import get_graph
from keras_fn.types import AnyModel

MAX_SILENT_RETRACES = 8  # batch shapes per step before a warning

Shapes = dict[str, tuple[tuple[int, ...], str]]
"""Shape and dtype of each array of a batch, by name."""


@dataclass(frozen=True)
class TraceRecord:
    """Record of one compilation of a step.

    Attributes:
        kind: The step: `"train"`, `"test"` or `"predict"`.
        shapes: Shape and dtype of each array of the batch.
        reason: The differences from earlier batches.
        key: Cache key of the batch shapes.
    """

    kind: str
    shapes: Shapes
    reason: str
    key: tuple[Any, ...] = field(repr=False)


def track_retraces(model: AnyModel, kind: str, batches: Iterator[Any]) -> Iterator[Any]:
    """Yields the batches, and appends to `model.trace_log` each for which the step is compiled.

    It warns once per kind of step if shapes keep changing. Batches sliced from arrays are not
    tracked, since they have at most two shapes; nor are steps that are not compiled.

    Args:
        model: The model.
        kind: `"train"`, `"test"` or `"predict"`.
        batches: Pairs of tensors and row indices.
    """
    compiles = supports("compile_call") and model._jit not in (None, False)
    known_keys = {record.key for record in model.trace_log if record.kind == kind}
    for batch in batches:
        tensors, indices = batch
        if compiles and indices is None:
            key = _cache_key(tensors)
            if key not in known_keys:
                known_keys.add(key)
                _record_trace(model, kind, tensors, key)
        yield batch


def _cache_key(tensors: Any) -> tuple[Any, ...]:
    """Returns the shapes and dtypes of a batch: the only work for a batch of known shape."""
    return tuple(
        None
        if group is None
        else tuple(t if t is None else (tuple(t.shape), t.dtype) for t in group)
        for group in tensors
    )


def _record_trace(model: Any, kind: str, tensors: Any, key: tuple[Any, ...]) -> None:
    shapes = _describe_batch(model, tensors)
    earlier = [record.shapes for record in model.trace_log if record.kind == kind]
    model.trace_log.append(TraceRecord(kind, shapes, _explain(shapes, earlier), key))
    if len(earlier) == MAX_SILENT_RETRACES:
        warnings.warn(_retracing_warning(model, kind, [*earlier, shapes]), stacklevel=2)


def _describe_batch(model: Any, tensors: Any) -> Shapes:
    dtype_name = current().dtype_name
    shapes = {}
    for group, (argument, names) in zip(tensors, _argument_names(model), strict=True):
        for i, t in enumerate(group or ()):
            if t is not None:
                has_names = len(names) == len(group)
                name = f"{argument} {names[i]!r}" if has_names else f"{argument}[{i}]"
                shapes[name if len(group) > 1 else argument] = tuple(t.shape), dtype_name(t)
    return shapes


def _argument_names(model: Any) -> list[tuple[str, list[str]]]:
    """Returns inputs, targets and sample weights: name of the argument, names of its arrays."""
    graph = get_graph(model)
    compile_loss = model._compile_loss
    inputs: list[str] = []  # those of a step after a host preprocessing have no names
    if graph is not None and graph.host_preprocessing is None:
        inputs = list(graph.input_binder.names)
    outputs = list(compile_loss.outputs.names) if compile_loss is not None else []
    return [("x", inputs), ("y", outputs), ("sample_weight", outputs)]


def _explain(shapes: Shapes, earlier: list[Shapes]) -> str:
    """Returns the differences from the most similar earlier batch."""
    if not earlier:
        return "the first batch"
    return "; ".join(min((_differences(shapes, other) for other in earlier), key=len))


def _differences(now: Shapes, before: Shapes) -> list[str]:
    differences = [f"{name} is new" for name in now if name not in before]
    differences += [f"{name} is missing" for name in before if name not in now]
    both = [(name, now[name], before[name]) for name in now if name in before]
    differences += [
        f"{name} is {dtype}, was {old}" for name, (_, dtype), (_, old) in both if dtype != old
    ]
    changes: dict[str, list[str]] = {}  # the change of an axis: names of the arrays
    for name, (shape, _), (old, _) in both:
        if len(shape) != len(old):
            differences.append(f"{name} has {len(shape)} axes, had {len(old)}")
            continue
        for axis, (m, n) in enumerate(zip(shape, old, strict=True)):
            if m != n:
                changes.setdefault(f"axis {axis} is {m}, was {n}", []).append(name)
    return differences + [f"{', '.join(names)}: {change}" for change, names in changes.items()]


def _retracing_warning(model: Any, kind: str, all_shapes: list[Shapes]) -> str:
    sizes: dict[tuple[str, int], list[int]] = {}
    for shapes in all_shapes:
        for name, (shape, _) in shapes.items():
            for axis, size in enumerate(shape):
                seen = sizes.setdefault((name, axis), [])
                seen += [size] if size not in seen else []
    (name, axis), changing = max(sizes.items(), key=lambda item: len(item[1]))
    fix = (
        "give all batches the same number of samples, and drop or pad the last one"
        if axis == 0
        else "pad them to one length, or to a few, for example with keras.utils.pad_sequences"
    )
    return (
        f"Model {model.name!r} has compiled its {kind} step for {len(all_shapes)} batch shapes, "
        "and each compilation takes longer than many steps.\n"
        f"  cause: axis {axis} of {name} keeps changing: {', '.join(map(str, changing))}\n"
        f"  fix: {fix}; model.trace_log lists all shapes"
    )

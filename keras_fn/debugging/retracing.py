"""Which shapes of batches a model's steps were compiled for, and why another one was needed."""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from keras_fn.backend.loader import current, supports
from keras_fn.core.graph_model import get_graph

MAX_SILENT_RETRACES = 8  # shapes of one step that pass without a word

Shapes = dict[str, tuple[tuple[int, ...], str]]
"""Shape and dtype of each array of a batch, by its name."""


@dataclass(frozen=True)
class TraceRecord:
    """A step was compiled for a batch.

    Attributes:
        kind: The step: `"train"`, `"test"` or `"predict"`.
        shapes: Shape and dtype of each array of the batch.
        reason: What differs from the batches before.
    """

    kind: str
    shapes: Shapes
    reason: str
    key: tuple[Any, ...] = field(repr=False)  # what batches are recognised by


def track_retraces(model: Any, kind: str, batches: Iterator[Any]) -> Iterator[Any]:
    """Passes batches on, and notes in `model.compilations` those for which a step is compiled.

    It warns where a step meets ever new shapes, once for each kind of step. Batches that are cut
    from arrays have one shape, or two, and are not looked at; nor are any where a step runs as it
    is.
    """
    compiles = supports("compile_call") and model._jit not in (None, False)
    known = {c.key for c in model.trace_log if c.kind == kind}
    for batch in batches:
        tensors, indices = batch
        if compiles and indices is None:
            key = _key(tensors)
            if key not in known:
                known.add(key)
                _note(model, kind, tensors, key)
        yield batch


def _key(tensors: Any) -> tuple[Any, ...]:
    """The shapes and dtypes of a batch; this is all that is done for a batch of a known shape."""
    return tuple(
        None
        if group is None
        else tuple(t if t is None else (tuple(t.shape), t.dtype) for t in group)
        for group in tensors
    )


def _note(model: Any, kind: str, tensors: Any, key: tuple[Any, ...]) -> None:
    shapes = _shapes(model, tensors)
    earlier = [c.shapes for c in model.trace_log if c.kind == kind]
    model.trace_log.append(TraceRecord(kind, shapes, _reason(shapes, earlier), key))
    if len(earlier) == MAX_SILENT_RETRACES:
        warnings.warn(_warning(model, kind, [*earlier, shapes]), stacklevel=2)


def _shapes(model: Any, tensors: Any) -> Shapes:
    dtype_name = current().dtype_name
    found = {}
    for group, names in zip(tensors, _names(model), strict=True):
        what, own = names
        for i, t in enumerate(group or ()):
            if t is not None:
                name = own[i] if len(own) == len(group) else f"{what}[{i}]"
                name = f"{what} {name!r}" if len(own) == len(group) else name
                found[name if len(group) > 1 else what] = tuple(t.shape), dtype_name(t)
    return found


def _names(model: Any) -> list[tuple[str, list[str]]]:
    """For inputs, targets and weights: what they are, and what each is called."""
    graph = get_graph(model)
    binder = None if graph is None else graph.input_binder
    objective = model._compile_loss
    inputs = list(binder.names) if binder is not None else []
    outputs = list(objective.outputs.names) if objective is not None else []
    return [("x", inputs), ("y", outputs), ("sample_weight", outputs)]


def _reason(shapes: Shapes, earlier: list[Shapes]) -> str:
    """What differs from the batch before that is most alike."""
    if not earlier:
        return "the first batch"
    return "; ".join(min((_differences(shapes, other) for other in earlier), key=len))


def _differences(now: Shapes, before: Shapes) -> list[str]:
    found = [f"{name} is there for once" for name in now if name not in before]
    found += [f"{name} is missing" for name in before if name not in now]
    both = [(name, now[name], before[name]) for name in now if name in before]
    found += [
        f"{name} is {dtype}, was {old}" for name, (_, dtype), (_, old) in both if dtype != old
    ]
    changes: dict[str, list[str]] = {}  # what happened to an axis: of which arrays
    for name, (shape, _), (old, _) in both:
        if len(shape) != len(old):
            found.append(f"{name} has {len(shape)} axes, had {len(old)}")
            continue
        for axis, (m, n) in enumerate(zip(shape, old, strict=True)):
            if m != n:
                changes.setdefault(f"axis {axis} is {m}, was {n}", []).append(name)
    return found + [f"{', '.join(names)}: {change}" for change, names in changes.items()]


def _warning(model: Any, kind: str, every: list[Shapes]) -> str:
    sizes: dict[tuple[str, int], list[int]] = {}
    for shapes in every:
        for name, (shape, _) in shapes.items():
            for axis, size in enumerate(shape):
                known = sizes.setdefault((name, axis), [])
                known += [size] if size not in known else []
    (name, axis), changing = max(sizes.items(), key=lambda item: len(item[1]))
    mend = (
        "give all batches the same number of samples, and leave out or fill up the last one"
        if axis == 0
        else "bring them to one length, or to a few, for example with keras.utils.pad_sequences"
    )
    return (
        f"Model {model.name!r} has compiled its {kind} step for {len(every)} shapes of batches, "
        "and each takes longer than many steps.\n"
        f"  cause: axis {axis} of {name} keeps changing: {', '.join(map(str, changing))}\n"
        f"  fix: {mend}; model.compilations lists all shapes"
    )

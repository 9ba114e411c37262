"""Takes data in: binds it to the model's inputs and outputs, checks it, makes batches of it."""

from typing import Any

import numpy as np

from keras_fn.backend.loader import current
from keras_fn.core import tree
from keras_fn.core.dtypes import numpy_dtype
from keras_fn.data_adapters.array_conversion import as_array
from keras_fn.data_adapters.array_data_adapter import ArrayBatches
from keras_fn.data_adapters.data_adapter_utils import (
    Rows,
    check_lengths,
    each_array,
    unpack_x_y_sample_weight,
)
from keras_fn.data_adapters.factory import batches_of, is_batches
from keras_fn.data_adapters.output_binding import Outputs, outputs_of
from keras_fn.errors import DTypeError, SpecError
from keras_fn.random.seed_generator import make_default_seed


def place(model: Any) -> str:
    """How errors name the model."""
    return f"{type(model).__name__} model {model.name!r}"


def rows(model: Any, x: Any, y: Any, sample_weight: Any, class_weight: Any) -> Rows:
    """Returns checked arrays, flat: for each input, each output, each output's weights."""
    source = place(model)
    inputs = _inputs(model, x, source)
    if y is None and sample_weight is None and class_weight is None:
        check_lengths(_named("x", inputs), source)
        return inputs, None, None
    outputs = _known_outputs(model)
    if outputs is None and (isinstance(y, dict) or isinstance(sample_weight, dict)):
        model._meet(inputs)  # what its outputs are called, its call alone can say
        outputs = _known_outputs(model)
    targets = _bound(y, outputs, "targets", source)
    weights = _bound(sample_weight, outputs, "sample weights", source)
    if class_weight is not None:
        weights = _class_weights(targets, weights, class_weight, source)
    named = _named("x", inputs) + _named("y", targets) + _named("sample_weight", weights)
    check_lengths(named, source)
    return inputs, targets, weights


def _named(what: str, group: list[Any] | None) -> list[tuple[str, Any]]:
    """The arrays of a group with what errors call them."""
    return [
        (f"{what}[{i}]" if len(group) > 1 else what, a)  # type: ignore[arg-type]
        for i, a in enumerate(group or ())
    ]


def _inputs(model: Any, x: Any, source: str) -> list[Any]:
    """Returns the arrays for the model's inputs, in their order, of their shapes and dtypes."""
    binder = getattr(graph_of(model), "_binder", None)
    if binder is None:
        return [as_array(a, "x", source) for a in _leaves(model, x)]
    if binder.single and isinstance(x, (list, tuple)) and not _holds_arrays(x):
        x = np.asarray(x) if _is_regular(x) else x
    values = binder.flatten(x)
    arrays = []
    for i, value in enumerate(values):
        tensor, name = binder.tensors[i], binder.names[i]
        if value is None and binder.optional[i]:
            arrays.append(None)
            continue
        array = as_array(value, f"input {name!r}", source)
        arrays.append(_fitted(array, tensor, name, source))
    return arrays


def _leaves(model: Any, x: Any) -> list[Any]:
    """Returns the inputs of a subclassed model, which is called on them nested as they came."""
    if not _is_nest(x):
        return [x]
    known = getattr(model, "_input_nest", None)
    values = tree.flatten_like(known, x) if known is not None else None
    if values is None:  # the first time, or other keys
        model._input_nest = tree.map_structure(lambda _: None, x)
        values = tree.flatten(x)
    return values


def graph_of(model: Any) -> Any:
    """Returns the Functional model that a layer is, or that a Sequential one holds; else None."""
    return model if hasattr(model, "_plan") else getattr(model, "_functional", None)


def _is_nest(x: Any) -> bool:
    return isinstance(x, dict) or (isinstance(x, (list, tuple)) and _holds_arrays(x))


def _holds_arrays(x: Any) -> bool:
    return any(
        hasattr(item, "shape") or (isinstance(item, (list, tuple, dict)) and _holds_arrays(item))
        for item in (x.values() if isinstance(x, dict) else x)
    )


def _is_regular(x: Any) -> bool:
    try:
        np.asarray(x)
    except ValueError:
        return False
    return True


def _fitted(array: Any, tensor: Any, name: str, source: str) -> Any:
    """Checks rank and sizes; casts to the input's dtype."""
    shape, wanted = tuple(array.shape), tensor.shape
    if len(shape) == len(wanted) - 1 and wanted[-1] == 1:
        array = array.reshape((*shape, 1))
    elif len(shape) == len(wanted) + 1 and shape[-1] == 1:
        array = array.reshape(shape[:-1])
    shape = tuple(array.shape)
    if len(shape) != len(wanted) or any(
        n is not None and n != m for n, m in zip(wanted[1:], shape[1:], strict=True)
    ):
        raise SpecError(
            source,
            expected=f"input {name!r} of shape {wanted}",
            received=f"shape {shape}",
            fix="reshape the data; the first axis is the samples",
        )
    if isinstance(array, np.ndarray):
        dtype = numpy_dtype(tensor.dtype)
        if (
            array.dtype.kind == "f"
            and dtype.kind in "iu"
            and not np.array_equal(array, np.floor(array))
        ):
            raise DTypeError(
                source,
                expected=f"input {name!r} of dtype {tensor.dtype}",
                received="fractions",
                fix="feed integers, or make the Input with dtype='float32'",
            )
        return array if array.dtype == dtype else array.astype(dtype)
    return current().cast(array, tensor.dtype)


def _known_outputs(model: Any) -> Outputs | None:
    graph = graph_of(model)
    if hasattr(graph, "_outputs_struct"):
        return outputs_of(graph, graph._outputs_struct)
    objective = model._objective
    return objective.outputs if objective is not None else None


def _bound(values: Any, outputs: Outputs | None, what: str, source: str) -> list[Any] | None:
    if values is None:
        return None
    if outputs is None or (len(outputs) == 1 and not isinstance(values, dict)):
        flat = tree.flatten(values) if _is_nest(values) else [values]
        if outputs is not None and len(flat) > 1:
            flat = [values]
    elif what == "sample weights" and not isinstance(values, (dict, list, tuple)):
        flat = [values] * len(outputs)
    else:
        flat = outputs.bind(values, what, fill=True)  # an output without a loss needs no target
    return [None if a is None else as_array(a, what, source) for a in flat]


def _class_weights(
    targets: list[Any] | None, weights: list[Any] | None, class_weight: dict, source: str
) -> list[Any]:
    """Returns a weight for each sample, by its class."""
    if not targets or len(targets) != 1:
        raise SpecError(
            source,
            expected="class_weight for a model with one output",
            received=f"{len(targets or ())}",
            fix="use sample_weight for models with several outputs",
        )
    y = _host(targets[0])
    one_hot = y.ndim > 1 and y.shape[-1] > 1
    classes = y.argmax(-1) if one_hot else y.reshape(y.shape[: max(y.ndim - 1, 1)])
    found = np.ones(classes.shape, dtype="float32")
    for label, weight in class_weight.items():
        found[classes == int(label)] = weight
    return [found if weights is None or weights[0] is None else found * _host(weights[0])]


def _host(array: Any) -> np.ndarray:
    return current().convert_to_numpy(array) if current().is_tensor(array) else array


def arranged(model: Any, x: list[Any]) -> Any:
    """Returns flat inputs nested as the model's call takes them."""
    struct = getattr(graph_of(model), "_inputs_struct", None)
    if struct is not None:
        return tree.unflatten(struct, x)
    nest = getattr(model, "_input_nest", None)
    if nest is not None:
        return tree.unflatten(nest, x)
    return x[0] if len(x) == 1 else x


def one_batch(found: Rows) -> Any:
    """Returns rows as a single step takes them."""
    return each_array(found, current().batch_rows)


def batches(
    model: Any,
    x: Any,
    y: Any,
    sample_weight: Any,
    batch_size: int,
    shuffle: bool,
    steps: int | None,
    x_only: bool = False,
    class_weight: Any = None,
) -> Any:
    """Returns what yields the batches of an epoch."""
    if x is None:
        raise ValueError(f"{place(model)}: no data came: pass x=.")
    if is_batches(x):
        if y is not None or sample_weight is not None:
            raise ValueError(
                f"{place(model)}: data that yields batches brings its own targets; y and "
                "sample_weight cannot be given besides."
            )

        def arrange(batch: Any) -> Rows:
            bx, by, bw = unpack_x_y_sample_weight(batch)
            return rows(model, bx, None if x_only else by, None if x_only else bw, class_weight)

        background = not getattr(model, "run_eagerly", False)  # a debugger stays in one thread
        return batches_of(x, arrange, steps, shuffle, make_default_seed(), background)
    found = rows(model, x, y, sample_weight, class_weight)
    seed = make_default_seed() if shuffle else 0
    made = ArrayBatches(found, batch_size, shuffle, seed, once=x_only)
    made.limit = steps
    return made


def training_data(
    model: Any,
    x: Any,
    y: Any,
    sample_weight: Any,
    class_weight: Any,
    batch_size: int | None,
    shuffle: bool,
    steps: int | None,
    validation_split: float,
) -> tuple[Any, Any]:
    """Returns batches to train on, and the part of the arrays that is held out, or None."""
    if batch_size is not None and batch_size < 1:
        raise ValueError(f"{place(model)}: batch_size must be 1 or more, not {batch_size}.")
    if not validation_split:
        made = batches(
            model, x, y, sample_weight, batch_size or 32, shuffle, steps, class_weight=class_weight
        )
        return made, None
    if is_batches(x):
        raise ValueError(
            f"{place(model)}: validation_split needs arrays; pass validation_data instead."
        )
    if not 0 < validation_split < 1:
        raise ValueError(
            f"{place(model)}: validation_split must be between 0 and 1, not {validation_split}."
        )
    every = rows(model, x, y, sample_weight, class_weight)
    size = every[0][0].shape[0]
    cut = int(size * (1 - validation_split))
    if cut in (0, size):
        raise ValueError(
            f"{place(model)}: validation_split={validation_split} of {size} samples leaves none "
            "to train on, or none to validate on."
        )
    made = ArrayBatches(_cut(every, slice(0, cut)), batch_size or 32, shuffle, make_default_seed())
    made.limit = steps
    return made, HeldOut(_cut(every, slice(cut, None)))


class HeldOut:
    """Rows that are kept for validation."""

    def __init__(self, rows: Rows):
        self.rows = rows


def _cut(found: Rows, part: slice) -> Rows:
    return tuple(  # type: ignore[return-value]
        None if group is None else [None if a is None else a[part] for a in group]
        for group in found
    )


def validation_data(model: Any, data: Any, batch_size: int | None, steps: int | None) -> Any:
    """Returns the batches of a validation."""
    if isinstance(data, HeldOut):
        made = ArrayBatches(data.rows, batch_size or 32, False, 0)
        made.limit = steps
    elif is_batches(data):
        made = batches(model, data, None, None, batch_size or 32, False, steps)
    else:
        x, y, weight = unpack_x_y_sample_weight(data)
        made = batches(model, x, y, weight, batch_size or 32, False, steps)
        check_rows(model, made.rows)
    return made


def check_targets(model: Any, data: Any) -> None:
    """Checks the targets of a whole data set of arrays; of the first batch of any other."""
    check_rows(model, data.peek())


def _check_complete(model: Any, targets: list[Any], objective: Any) -> None:
    rows = list(zip(objective.outputs.names, objective.losses, targets, strict=True))
    missing = [name for name, loss, y in rows if loss is not None and y is None]
    if missing:
        wanted = [name for name, loss, _ in rows if loss is not None]
        received = [name for name, _, y in rows if y is not None]
        raise SpecError(
            place(model),
            expected=f"targets for the outputs {', '.join(wanted)}",
            received=f"targets for {', '.join(received)}",
            fix=f"add {', '.join(missing)}",
        )


def check_rows(model: Any, found: Rows) -> None:
    """Raises unless targets are there and fit the losses."""
    _, targets, _ = found
    objective = model._objective
    if objective is None or model._compile_arguments["loss"] is None:
        return
    if targets is None:
        raise SpecError(
            place(model),
            expected="targets y, as compile() named a loss",
            received="none",
            fix="pass y=",
        )
    _check_complete(model, targets, objective)
    struct = objective.outputs.structure
    shapes = [tuple(t.shape) for t in tree.flatten(struct)]
    host = [a if a is None else _host(a) for a in targets]
    objective.check(host, shapes)

"""Binds data to a model: to its inputs, outputs and sample weights, by name or in order.

Data adapters call `DataBinder.bind` on arrays or batches. It returns flat lists of checked arrays;
`input_structure` says how the compiled step nests the inputs again for the model's call.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from keras_fn.backend.loader import current
from keras_fn.core import tree
from keras_fn.core.dtypes import numpy_dtype
from keras_fn.core.graph_model import GraphModel, PreprocessedInputs, get_graph
from keras_fn.core.host_text import has_text, holds_only_text, match_rank, to_host_values
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.named_dims import format_shape
from keras_fn.core.shapes import is_compatible, missing_unit_axes
from keras_fn.data_adapters.array_conversion import check_sample_counts, convert_to_array
from keras_fn.data_adapters.data_adapter_utils import (
    FlatBatch,
    class_weight_to_sample_weights,
    to_host,
)
from keras_fn.data_adapters.host_inputs import HostInputs
from keras_fn.data_adapters.host_rows import HostRows
from keras_fn.data_adapters.ragged_rows import RaggedRows, find_ragged
from keras_fn.data_adapters.sparse_rows import SparseRows
from keras_fn.errors import DTypeError, SpecError
from keras_fn.training.output_binding import OutputBinder, make_output_binder


class DataBinder:
    """Binds data to the inputs and outputs of a model. On the way of `fit`, it alone checks them.

    Args:
        model: The model.
    """

    def __init__(self, model: Any):
        self.model = model
        self.source = model._label
        self.weight_name = "sample_weight"  # where the weights come from, for errors

    @property
    def background(self) -> bool:
        """Whether threads may prepare batches: not with `run_eagerly`, for a debugger's sake."""
        return not getattr(self.model, "run_eagerly", False)

    def bind(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Mapping[int, float] | None = None,
    ) -> FlatBatch:
        """Converts data to checked arrays, flat and in the order of the model.

        Args:
            x: Inputs: an array, or a list or a dict of them.
            y: Targets, for each output.
            sample_weight: Sample weights, for all outputs or for each.
            class_weight: Weight of each class index, for a model with one output.

        Returns:
            Inputs, targets and sample weights, the last two None if they are missing.

        Raises:
            SpecError: A shape, a name or the number of arrays or samples is wrong.
            DTypeError: Something is not numeric, or not integer where the input is.
        """
        inputs = self._bind_inputs(x)
        if y is None and sample_weight is None and class_weight is None:
            check_sample_counts(_with_names("x", inputs), self.source)
            return inputs, None, None
        if self.model._keeps_target_structure:
            targets = self._flatten_as_passed(y, "targets")
            weights = self._flatten_as_passed(sample_weight, "sample weights")
            return self._check_counts(inputs, targets, weights, class_weight)
        outputs = self._get_outputs()
        if outputs is None and (isinstance(y, dict) or isinstance(sample_weight, dict)):
            self.model._symbolic_build(inputs)  # only a call shows the names of the outputs
            outputs = self._get_outputs()
        targets = self._bind_to_outputs(y, outputs, "targets")
        weights = self._bind_to_outputs(sample_weight, outputs, "sample weights")
        return self._check_counts(inputs, targets, weights, class_weight)

    def _check_counts(
        self,
        inputs: list[Any],
        targets: list[Any] | None,
        weights: list[Any] | None,
        class_weight: Mapping[int, float] | None,
    ) -> FlatBatch:
        named = _with_names("x", inputs) + _with_names("y", targets)
        check_sample_counts(named + _with_names("sample_weight", weights), self.source)
        return self.apply_class_weight((inputs, targets, weights), class_weight)

    def apply_class_weight(
        self, data: FlatBatch, class_weight: Mapping[int, float] | None
    ) -> FlatBatch:
        """Returns data whose sample weights are multiplied by the weights of the classes.

        Args:
            data: Checked arrays.
            class_weight: Weight of each class index, or None.

        Raises:
            SpecError: The model has several outputs, or `class_weight` is not a dict of numbers.
        """
        if class_weight is None:
            return data
        inputs, targets, weights = data
        self.weight_name = "class_weight" if weights is None else "sample_weight and class_weight"
        shape = None
        if targets and len(targets) == 1 and len(targets[0].shape) > 1:
            if self._get_outputs() is None:
                self.model._symbolic_build(inputs)  # only a call shows the shape of the output
            outputs = self._get_outputs()
            specs = [] if outputs is None else tree.flatten(outputs.structure)
            shape = tuple(specs[0].shape) if len(specs) == 1 else None
        weights = class_weight_to_sample_weights(targets, weights, class_weight, self.source, shape)
        return inputs, targets, weights

    @property
    def input_structure(self) -> Any:
        """How the flat inputs are nested for the model's call; a leaf for a single input."""
        graph = get_graph(self.model)
        if graph is None:
            return self.model._input_structure
        if graph.host_preprocessing is not None:
            return PreprocessedInputs(list(graph.host_preprocessing.border))
        return graph.input_structure

    def _find_ragged(self, x: Any, graph: Any) -> Any:
        """Returns inputs with those whose samples have unequal lengths as `RaggedRows`."""
        if isinstance(x, dict):
            return {name: find_ragged(value, self.source) for name, value in x.items()}
        if isinstance(x, (list, tuple)):
            is_single = graph is None or graph.input_binder.single
            if is_single and (rows := find_ragged(x, self.source)) is not x:
                return rows
            if graph is not None and len(x) == len(graph.input_binder.names):
                return type(x)([find_ragged(value, self.source) for value in x])
            return x
        return find_ragged(x, self.source)

    def _bind_inputs(self, x: Any) -> list[Any]:
        graph = get_graph(self.model)
        if graph is None and has_text(x):
            graph = self._build_for_text(x)
        try:
            return self._bind_to_graph(x, graph)
        except SpecError:
            self.model._relax_if_open()
            opened = get_graph(self.model)
            if opened is graph:
                raise
        return self._bind_to_graph(x, opened)

    def _bind_to_graph(self, x: Any, graph: GraphModel | None) -> list[Any]:
        if type(x) is not np.ndarray or x.dtype == object:
            x = self._find_ragged(x, graph)
        if graph is None:
            float64 = self.model._float_input_dtype("float64")
            return [convert_to_array(a, "x", self.source, float64) for a in self._flatten(x)]
        binder = graph.input_binder
        is_list = binder.single and isinstance(x, (list, tuple)) and not binder.has_text
        if is_list and not _holds_arrays(x):
            x = np.asarray(x) if _is_rectangular(x) else x
        is_single = binder.single and not isinstance(x, (list, tuple, dict)) and not binder.has_text
        arrays = []
        for i, value in enumerate([x] if is_single else binder.flatten(x)):
            if value is None and binder.optional[i]:
                arrays.append(None)
                continue
            name = binder.names[i]
            keeps = binder.keeps_dtypes
            float64 = self.model._float_input_dtype("float64") if keeps else "float64"
            spec = binder.tensors[i]
            if spec.dtype == "string":
                arrays.append(self._check_text(to_host_values(value), spec, name))
                continue
            array = convert_to_array(value, f"input {name!r}", self.source, float64)
            is_wide = binder.keeps_integers and array.dtype in (np.int64, np.uint64)
            keeps_dtype = keeps or (is_wide and "int" in spec.dtype)
            arrays.append(self._check_input(array, spec, name, keeps_dtype))
        if binder.named_sizes.axes:
            binder.named_sizes.check(arrays, binder.names, self.source)
        if graph.host_preprocessing is not None:
            check_sample_counts(list(zip(binder.names, arrays, strict=True)), self.source)
            return [HostInputs(arrays, graph.host_preprocessing, self.background)]
        return arrays

    def _build_for_text(self, x: Any) -> GraphModel:
        """Builds a model whose first data are text: a `Sequential` without an `Input`."""
        if self.model._is_stack and not self.model.built:
            self.model._build_for({"inputs": to_host_values(x)})
            graph = get_graph(self.model)
            if graph is not None:
                return graph
        raise DTypeError(
            self.source,
            expected="numbers, as its compiled step takes no text",
            received="text",
            fix="turn it into numbers before, on each batch: dataset.map(layer); or make a "
            "Functional or Sequential model that begins with Input(shape, dtype='string'), whose "
            "text layers run on each batch before the step",
        )

    def _check_text(self, array: Any, spec: KerasTensor, name: str) -> np.ndarray:
        """Checks that an input is text, and its rank and sizes."""
        is_array = isinstance(array, np.ndarray)
        array = match_rank(array, spec.shape) if is_array else array
        if not is_array or not holds_only_text(array):
            is_numeric = is_array and array.dtype != object
            raise DTypeError(
                self.source,
                expected=f"input {name!r} as text: strings, as many in each sample",
                received=f"numbers of dtype {array.dtype}" if is_numeric else f"{array!r:.200}",
                fix="pass strings; replace missing values by ''",
            )
        if array.ndim != len(spec.shape) or not is_compatible(array.shape[1:], spec.shape[1:]):
            raise self._shape_error(name, spec, array.shape)
        return array

    def _shape_error(self, name: str, spec: KerasTensor, shape: Any) -> SpecError:
        return SpecError(
            self.source,
            expected=f"input {name!r} of shape {format_shape(spec)}",
            received=f"shape {shape}",
            fix="reshape the data; the first axis is the samples",
        )

    def _flatten(self, x: Any) -> list[Any]:
        """Flattens the inputs of a subclassed model. The step nests them again in the same way."""
        if not _is_nest(x):
            return [x]
        structure = self.model._input_structure
        leaves = None if structure is None else tree.flatten_like(structure, x)
        if leaves is None:  # the first time, or other keys
            self.model._input_structure = tree.map_structure(lambda _: None, x)
            leaves = tree.flatten(x)
        return leaves

    def _flatten_as_passed(self, values: Any, kind: str) -> list[Any] | None:
        """Flattens targets or weights. The program's own methods get them nested as passed."""
        if values is None:
            return None
        structure, leaves = None, [values]
        if _is_nest(values):
            structure, leaves = self.model._target_structures.get(kind), None
            if structure is not None:
                leaves = tree.flatten_like(structure, values)
            if leaves is None:  # the first time, or other keys
                structure = tree.map_structure(lambda _: None, values)
                leaves = tree.flatten(values)
        known = self.model._target_structures.setdefault(kind, structure)
        if known != structure:
            self.model._target_structures[kind] = structure
            self.model._functions.clear()  # compiled for the earlier nesting
        return [_to_target(a, kind, self.source) for a in leaves]

    def _check_input(self, array: Any, spec: KerasTensor, name: str, keeps_dtype: bool) -> Any:
        """Checks rank and sizes; casts to the dtype of the input."""
        shape, expected = tuple(array.shape), spec.shape
        if len(shape) != len(expected) and (missing := missing_unit_axes(shape, expected)):
            array = array.reshape((*shape, 1) if missing > 0 else shape[:-1])
            shape = tuple(array.shape)
        if len(shape) != len(expected) or not is_compatible(shape[1:], expected[1:]):
            raise self._shape_error(name, spec, shape)
        if isinstance(array, np.ndarray):
            pass
        elif isinstance(array, SparseRows):
            array = array if spec.sparse else array.to_dense_batches()
        elif isinstance(array, RaggedRows):
            array = array.with_length(expected[1], self.source)
        else:
            return array if keeps_dtype else current().cast(array, spec.dtype)
        if keeps_dtype:
            return array
        dtype = numpy_dtype(spec.dtype)
        if array.dtype.kind == "f" and dtype.kind in "iu" and _has_fractions(array):
            raise DTypeError(
                self.source,
                expected=f"input {name!r} of dtype {spec.dtype}",
                received="fractions",
                fix="feed integers, or make the Input with dtype='float32'",
            )
        return array if array.dtype == dtype else array.astype(dtype)

    def _get_outputs(self) -> OutputBinder | None:
        graph = get_graph(self.model)
        if graph is not None:
            return make_output_binder(graph, graph.output_structure)
        loss = self.model._compile_loss
        return None if loss is None else loss.outputs

    def _bind_to_outputs(
        self, values: Any, outputs: OutputBinder | None, kind: str
    ) -> list[Any] | None:
        if values is None:
            return None
        if outputs is None or (len(outputs) == 1 and not isinstance(values, dict)):
            leaves = tree.flatten(values) if _is_nest(values) else [values]
            if outputs is not None and len(leaves) > 1:
                leaves = [values]
        elif kind == "sample weights" and not isinstance(values, (dict, list, tuple)):
            leaves = [values] * len(outputs)
        else:
            # An output without a loss needs no target.
            leaves = outputs.bind(values, kind, fill=True)
        return [_to_target(a, kind, self.source) for a in leaves]

    def check_targets(self, data: FlatBatch) -> None:
        """Checks that there are targets, and that they fit the losses of the outputs.

        Args:
            data: All arrays, or one batch.

        Raises:
            SpecError: Targets are missing, or a loss refuses them.
        """
        _, targets, weights = data
        model, loss = self.model, self.model._compile_loss
        if loss is None or model._compile_arguments["loss"] is None:
            return
        if targets is None and not model._needs_targets:
            return
        if model._overrides("compute_loss") or loss.error is not None:
            return  # the program's own loss knows its targets
        has_own_step = model._overrides("train_step") or model._overrides("test_step")
        if targets is None:
            if has_own_step:
                return
            raise SpecError(
                self.source,
                expected="targets y, as compile() named a loss",
                received="none",
                fix="pass y=",
            )
        if model._keeps_target_structure:
            try:
                targets = loss.outputs.bind(
                    model._pack_targets(targets, "targets"), "targets", True
                )
                packed = model._pack_targets(weights, "sample weights")
                weights = loss.outputs.bind(packed, "sample weights", True)
            except SpecError:
                if has_own_step:
                    return
                raise
        self._check_no_target_missing(targets, loss)
        targets = [a if a is None else to_host(a) for a in targets]
        loss.check(targets, weights, self.weight_name)

    def _check_no_target_missing(self, targets: list[Any], loss: Any) -> None:
        names = loss.outputs.names
        indices = [i for x in loss.losses for i in x.indices]
        missing = [names[i] for i in indices if targets[i] is None]
        if missing:
            needed = [names[i] for i in indices]
            received = [name for name, y in zip(names, targets, strict=True) if y is not None]
            raise SpecError(
                self.source,
                expected=f"targets for the outputs {', '.join(needed)}",
                received=f"targets for {', '.join(received)}",
                fix=f"add {', '.join(missing)}",
            )


def _to_target(x: Any, kind: str, source: str) -> Any:
    """Returns targets or sample weights as an array; batches of a sparse matrix are dense."""
    if x is None:
        return None
    array = convert_to_array(find_ragged(x, source), kind, source)
    if isinstance(array, RaggedRows):
        return array.without_mask()
    return array.to_dense_batches() if isinstance(array, SparseRows) else array


def _has_fractions(array: Any) -> bool:
    values = array.values if isinstance(array, HostRows) else array
    return not np.array_equal(values, np.floor(values))


def _with_names(argument: str, arrays: list[Any] | None) -> list[tuple[str, Any]]:
    """Returns each array with its name for errors."""
    arrays = arrays or []
    return [(f"{argument}[{i}]" if len(arrays) > 1 else argument, a) for i, a in enumerate(arrays)]


def _is_nest(x: Any) -> bool:
    return isinstance(x, dict) or (isinstance(x, (list, tuple)) and _holds_arrays(x))


def _holds_arrays(x: Any) -> bool:
    """Whether a container holds arrays or containers of them, rather than nested numbers."""
    return any(
        hasattr(item, "shape") or (isinstance(item, (list, tuple, dict)) and _holds_arrays(item))
        for item in (x.values() if isinstance(x, dict) else x)
    )


def _is_rectangular(x: Any) -> bool:
    try:
        np.asarray(x)
    except ValueError:
        return False
    return True

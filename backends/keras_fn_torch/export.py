"""Artifacts for inference: programs of `torch.export`, and ONNX models made from them."""

import contextlib
import logging
import re
import warnings
from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from keras_fn.core import tree
from keras_fn.core.endpoint import Endpoint, to_identifier, unique_names
from keras_fn.core.scopes import StatelessScope
from keras_fn.errors import SpecError
from keras_fn_torch.device import default_device
from keras_fn_torch.tensors import Tensor, native_dtype

# Example sizes of unknown axes: 0 and 1 would be taken for constants, and layers that split or pool
# an axis need one that has divisors.
_BATCH, _SIZE = 6, 240


class EndpointModule(nn.Module):
    """An endpoint as a module, whose parameters and buffers are the variables that it reads.

    Assignments of the function go nowhere: an exported program has no state.
    """

    def __init__(self, endpoint: Endpoint):
        super().__init__()
        keys = unique_names([to_identifier(v.path) for v in endpoint.variables])
        self.pairs = list(zip(endpoint.variables, keys, strict=True))
        self.function = endpoint.function
        for variable, key in self.pairs:
            value: Any = variable.value
            if variable.trainable and value.requires_grad:
                self.register_parameter(key, nn.Parameter(value.detach()))
            else:
                self.register_buffer(key, value.detach())
        self.eval()

    def forward(self, *args: Any) -> Any:
        """Calls the endpoint with the values that the module has."""
        with StatelessScope([(v, getattr(self, key)) for v, key in self.pairs]):
            return self.function(*args)


def example_inputs(endpoint: Endpoint) -> tuple[Any, ...]:
    """Returns tensors for the arguments of an endpoint, with sizes for the unknown axes."""

    def example(spec: Any) -> Tensor:
        sizes = [
            size if size is not None else _SIZE if axis else _BATCH
            for axis, size in enumerate(spec.shape)
        ]
        return torch.ones(sizes, dtype=native_dtype(spec.dtype), device=default_device())

    return tree.map_structure(example, endpoint.signature)


def export_program(endpoint: Endpoint, dynamic_shapes: Any = None, **options: Any) -> Any:
    """`torch.export.export` of an endpoint, with axes of unknown size as dynamic.

    Args:
        endpoint: The endpoint.
        dynamic_shapes: PyTorch's description of the axes, for each argument of the call as a list,
            or of the only argument. By default the axes of unknown size are dynamic.
        **options: Other arguments of `torch.export.export`.
    """
    if dynamic_shapes is None:
        dynamic = torch.export.Dim.DYNAMIC
        axes = [dict.fromkeys(named, dynamic) for named in endpoint.dynamic_axes()]
        shapes = tree.unflatten(endpoint.signature, axes)
    else:
        shapes = _for_each_argument(dynamic_shapes, len(endpoint.signature))
    module = EndpointModule(endpoint)
    with torch.no_grad():
        program = torch.export.export(
            module,
            example_inputs(endpoint),
            dynamic_shapes=(shapes,),
            **{"strict": False, **options},
        )
    _check_conditions(program)
    return program


def _check_conditions(program: Any) -> None:
    """Raises an error if a program is right for some sizes alone, since its code asked for others.

    What it asked for becomes conditions of the program, which an ONNX model does not check. That
    two inputs have equal sizes, or that an axis is long enough for a window, are conditions of
    every model. Inequalities come from PyTorch, which asks whether a size is 1 to know the layout
    of memory: the operators take such a size as others, and the program need not refuse it.
    """
    conditions = [c for c in getattr(program, "_guards_code", ()) if "!=" not in c]
    for condition in conditions:
        is_rounded = "==" in condition and re.search("//|%|Mod", condition)
        if is_rounded and not _holds_for_long_axes(condition):
            raise ValueError(f"the computation is another one unless {condition}")
    if hasattr(program, "_guards_code"):
        program._guards_code = conditions


_SIZE_IN_CONDITION = re.compile(r"L(?:\[[^\]]*\])+\.size\(\)\[\d+\]")


def _holds_for_long_axes(condition: str) -> bool:
    """Returns whether a condition holds for sizes of many remainders, none of them short."""
    terms = list(dict.fromkeys(_SIZE_IN_CONDITION.findall(condition)))
    text = _SIZE_IN_CONDITION.sub(lambda match: f"size_{terms.index(match[0])}", condition)
    try:
        code = compile(text, "a condition of torch.export", "eval")
        return all(
            eval(code, {f"size_{i}": _SIZE + shift * (i + 1) for i in range(len(terms))})
            for shift in range(12)
        )
    except Exception:  # it has a function of PyTorch
        return False


def _for_each_argument(shapes: Any, count: int) -> tuple[Any, ...]:
    """Returns descriptions of axes for each argument; Keras has `[(shapes,)]`, too."""
    if not isinstance(shapes, (list, tuple)):
        return (shapes,)
    is_wrapped = len(shapes) == 1 and isinstance(shapes[0], (list, tuple))
    return tuple(shapes[0] if is_wrapped and len(shapes[0]) == count else shapes)


def export_torch(endpoint: Endpoint, path: str, **options: Any) -> None:
    """Writes a program of `torch.export`."""
    torch.export.save(export_program(endpoint, **options), path)


def export_onnx(endpoint: Endpoint, path: str, opset_version: int | None = None) -> None:
    """Writes an ONNX model: `torch.onnx.export` of the program that `torch.export` makes.

    Inputs and outputs are flat, under the endpoint's names; the axes have the names of
    `Endpoint.dynamic_axes`. Weights of 2 GB and more are in a second file, `<name>.data`.

    Raises:
        SpecError: PyTorch does not write that version of the operators.
    """
    if opset_version is not None and type(opset_version) is not int:
        raise _unknown_opset(endpoint, opset_version)
    outputs: list[str] = []

    def call(*tensors: Tensor) -> tuple[Any, ...]:
        result = endpoint.function(*tree.unflatten(endpoint.signature, tensors))
        names = unique_names([*endpoint.input_names, *endpoint.name_outputs(result)])
        outputs[:] = names[len(tensors) :]  # an input and an output cannot have one name
        is_input = {id(t) for t in tensors}
        return tuple(t.clone() if id(t) in is_input else t for t in tree.flatten(result))

    flat = Endpoint(
        endpoint.name,
        endpoint.source,
        call,
        endpoint.inputs,
        endpoint.input_names,
        None,
        endpoint.variables,
    )
    with _quiet():
        program = export_program(flat)
        model = torch.onnx.export(
            program,
            dynamo=True,
            input_names=endpoint.input_names,
            output_names=outputs,
            opset_version=opset_version,
            verbose=False,
        )
        assert model is not None  # as with `dynamo=True`
        if opset_version not in (None, model.model.opset_imports.get("")):
            raise _unknown_opset(endpoint, opset_version)
        _rename_axes(model.model, endpoint.dynamic_axes())
        _rename_inner_values(model.model)
        model.save(path)


def _unknown_opset(endpoint: Endpoint, version: Any) -> SpecError:
    return SpecError(
        endpoint.source,
        expected="opset_version: a version of ONNX's operators that PyTorch can write, or None",
        received=f"opset_version={version!r}",
        fix="omit it, or pass opset_version=18",
    )


def _rename_axes(model: Any, axes: list[dict[int, str]]) -> None:
    """Gives the unknown sizes of a model their names, in place of PyTorch's symbols."""
    from onnxscript import ir

    inputs = model.graph.inputs
    names = {
        str(value.shape[axis]): name
        for value, named in zip(inputs, axes, strict=True)
        for axis, name in named.items()
    }

    def rename(dim: Any) -> Any:
        text = str(dim)
        renamed = re.sub(r"[A-Za-z_]\w*", lambda match: names.get(match[0], match[0]), text)
        return dim if isinstance(dim, int) or renamed == text else ir.SymbolicDim(renamed)

    values = [*inputs, *model.graph.outputs]
    values += [value for node in model.graph for value in node.outputs]
    for value in values:
        if value.shape is not None and not value.shape.is_static():
            value.shape = ir.Shape([rename(dim) for dim in value.shape])


def _rename_inner_values(model: Any) -> None:
    """Gives other names to values that have those of inputs and outputs: the exporter may not."""
    from onnxscript import ir

    graph = model.graph
    public = {id(value) for value in (*graph.inputs, *graph.outputs)}
    taken = {value.name for value in (*graph.inputs, *graph.outputs)}
    nodes = ir.traversal.RecursiveGraphIterator(graph)
    values = [*graph.initializers.values(), *(value for node in nodes for value in node.outputs)]
    for value in values:
        if value.name in taken and id(value) not in public:
            value.name = f"{value.name}_value"


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Hides what the exporter says about itself: torchvision's ops, deprecated functions."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)

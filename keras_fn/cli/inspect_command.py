"""Shows what is in a file of a model or of weights. It is read as data: no layer is built, no code
is run, and no backend is needed."""

import argparse
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from keras_fn.cli import output
from keras_fn.cli.config_summary import (
    CustomObject,
    LayerSummary,
    find_custom_objects,
    summarize_compile,
    summarize_model,
)
from keras_fn.cli.model_file import ModelFile, Tensor, open_model_file
from keras_fn.cli.output import Block, Fields, Table, format_bytes, format_shape


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command."""
    parser.add_argument(
        "file",
        help="a .keras, .h5, .weights.h5, .json, .safetensors or .pt file, an index of shards, a "
        "folder, or a path hf://user/repo/file",
    )
    parser.add_argument(
        "--weights", action="store_true", help="list each weight, also next to an architecture"
    )


def execute(arguments: argparse.Namespace) -> int:
    """Runs the command, and returns the exit code."""
    with open_model_file(arguments.file) as file:
        tensors = file.tensors()
        if arguments.json:
            output.show_json("inspect", to_json(file, tensors))
        else:
            output.show(*_blocks(file, tensors, arguments.weights))
    return 0


def to_json(file: ModelFile, tensors: Sequence[Tensor]) -> dict[str, Any]:
    """Returns the result of the command.

    Args:
        file: The file.
        tensors: The arrays in it.
    """
    custom = find_custom_objects(file.config)
    return {
        "file": file.path,
        "format": file.format,
        "bytes": sum(file.members.values()),
        "versions": dict(file.versions),
        "members": [{"name": name, "bytes": size} for name, size in file.members.items()],
        "model": summarize_model(file.config).to_json() if file.config else None,
        "compile": summarize_compile(file.compile_config) if file.compile_config else None,
        "custom_objects": [item._asdict() for item in custom],
        "parameters": _count(tensors, "weight"),
        "weights": [
            {key: value for key, value in tensor._asdict().items() if key != "source"}
            for tensor in tensors
        ],
    }


def _blocks(file: ModelFile, tensors: Sequence[Tensor], lists_weights: bool) -> Iterator[Block]:
    model = summarize_model(file.config) if file.config else None
    yield Fields("", list(_fields(file, tensors, model)))
    if model and model.layers:
        rows = list(_layer_rows(model.layers, _parameters_by_layer(tensors)))
        yield Table("Layers", ("layer", "class", "parameters", "inputs"), rows, ("parameters",))
    custom = find_custom_objects(file.config)
    yield Table(
        "Custom classes and functions: pass them in custom_objects, or import their modules",
        ("name", "module", "used by"), [_custom_row(item) for item in custom],
    )  # fmt: skip
    if lists_weights or model is None:
        rows = [(t.path, t.dtype, format_shape(t.shape), format_bytes(t.bytes)) for t in tensors]
        yield Table("Weights", ("weight", "dtype", "shape", "size"), rows, ("size",))
    if len(file.members) > 1:
        rows = [(name, format_bytes(size)) for name, size in file.members.items()]
        yield Table("Parts", ("name", "size"), rows, ("size",))


def _fields(
    file: ModelFile, tensors: Sequence[Tensor], model: LayerSummary | None
) -> Iterator[tuple[str, object]]:
    yield "file", file.path
    yield "format", file.format
    yield "size", format_bytes(sum(file.members.values()))
    yield (
        "written by",
        ", ".join(
            name if version == "yes" else f"{name} {version}"
            for name, version in file.versions.items()
        ),
    )
    if model:
        yield "model", f"{model.class_name} {model.name!r}, {len(model.layers)} layers"
    for role, title in (("weight", "weights"), ("optimizer", "optimizer state")):
        if chosen := [t for t in tensors if t.role == role]:
            size = format_bytes(sum(t.bytes for t in chosen))
            dtypes = ", ".join(sorted({t.dtype for t in chosen}))
            yield title, f"{_count(tensors, role):,} numbers in {len(chosen)}, {size}, {dtypes}"
    if file.compile_config:
        yield from summarize_compile(file.compile_config).items()


def _count(tensors: Sequence[Tensor], role: str) -> int:
    return sum(math.prod(tensor.shape) for tensor in tensors if tensor.role == role)


def _parameters_by_layer(tensors: Sequence[Tensor]) -> dict[str, int]:
    layers: dict[str, list[Tensor]] = {}
    for tensor in tensors:
        layers.setdefault(tensor.layer, []).append(tensor)
    return {layer: _count(own, "weight") for layer, own in layers.items()}


def _layer_rows(
    layers: Sequence[LayerSummary], parameters: Mapping[str, int], models: tuple[str, ...] = ()
) -> Iterator[tuple[str, ...]]:
    for layer in layers:
        path = "/".join((*models, layer.name))
        inside = (n for other, n in parameters.items() if other.startswith(f"{path}/"))
        count = parameters.get(path, 0) + (sum(inside) if layer.layers else 0)
        inputs = ", ".join(layer.inputs) or format_shape(layer.shape)
        name = "  " * len(models) + layer.name
        yield name, layer.class_name, f"{count:,}" if count else "", inputs
        yield from _layer_rows(layer.layers, parameters, (*models, layer.name))


def _custom_row(item: CustomObject) -> tuple[str, ...]:
    return item.name, item.module, ", ".join(item.layers)

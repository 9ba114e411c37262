"""Formats that another framework writes: the model is made again there, in a process of its own.

PyTorch has the exporter to ONNX that is maintained, TensorFlow those to SavedModel and LiteRT. The
model is handed over as a `.keras` file, so that what holds for files holds here: custom classes are
found by the module that defines them.
"""

import json
import os
import subprocess
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from typing import Any

from keras_fn.core import registry, tree
from keras_fn.core.endpoint import Endpoint
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.temporary_folder import temporary_folder
from keras_fn.errors import SpecError
from keras_fn.export.formats import ExportFormat
from keras_fn.export.requirements import require
from keras_fn.layers.layer import Layer
from keras_fn.saving import saving_api
from keras_fn.settings import settings
from keras_fn.types import Nested

MODEL, REQUEST, ERROR = "model-{}.keras", "request.json", "error.json"
WARNINGS = "warnings.json"
_PROCESS = "keras_fn.export.rebuild_process"
_OUTPUT_CHARACTERS = 2000
_SETTINGS = ("floatx", "epsilon", "image_data_format")


def export_in_process(
    models: Sequence[tuple[Endpoint, Any]],
    path: str,
    row: ExportFormat,
    options: Mapping[str, Any] | None = None,
) -> None:
    """Writes an artifact of models of another backend than the one that writes it.

    Args:
        models: The endpoints, each with the model whose call it is.
        path: The path of the file, or of an empty folder.
        row: The format.
        options: The keyword arguments of the exporter: numbers, words, lists, or enumerations.

    Raises:
        SpecError: A custom class cannot be imported, or a layer cannot be exported.
        ImportError: The framework or its exporter is not installed.
    """
    source = f"{models[0][1]._label}, export to {row.name!r}"
    require(row.rebuild_libraries, source, row.description)
    request = {
        "format": row.name,
        "path": os.path.abspath(path),
        "options": _encode_options(options or {}, source),
        "endpoints": [
            {"name": endpoint.name, "signature": encode_signature(endpoint.signature)}
            for endpoint, _ in models
        ],
        "custom_objects": {
            name: place
            for _, model in models
            for name, place in _custom_objects(model, source).items()
        },
        "settings": {name: getattr(settings, name) for name in _SETTINGS},
    }
    with temporary_folder() as folder:
        for i, (_, model) in enumerate(models):
            saving_api.save_model(
                model,
                os.path.join(folder, MODEL.format(i)),
                include_optimizer=False,  # type: ignore[arg-type]
            )
        with open(os.path.join(folder, REQUEST), "w", encoding="utf-8") as file:
            json.dump(request, file)
        done = subprocess.run(
            [sys.executable, "-m", _PROCESS, folder],
            env={
                **os.environ,
                "KERAS_BACKEND": row.rebuilt_on,
                "PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path),
                "PYTHONSAFEPATH": "1",  # modules are not searched for in the working folder
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        if done.returncode:
            raise _error_of(folder, done, source, row)
        with open(os.path.join(folder, WARNINGS), encoding="utf-8") as file:
            for message in json.load(file):
                warnings.warn(message, stacklevel=2)


def _error_of(folder: str, done: Any, source: str, row: ExportFormat) -> SpecError:
    """Returns the error that the process wrote, or one with what it printed."""
    try:
        with open(os.path.join(folder, ERROR), encoding="utf-8") as file:
            return SpecError(**json.load(file))
    except FileNotFoundError:
        printed = done.stderr.decode(errors="replace").strip()[-_OUTPUT_CHARACTERS:]
        return SpecError(
            source,
            expected=f"a process with KERAS_BACKEND={row.rebuilt_on} that makes the model again",
            received=f"exit status {done.returncode}: {printed}",
            fix="save the model, load it in such a process and export it there",
        )


def _encode_options(options: Mapping[str, Any], source: str) -> dict[str, Any]:
    """Returns options as what JSON can say: enumerations by their names."""

    def encode(x: Any) -> Any:
        return x.name if isinstance(x, Enum) else x

    encoded = tree.map_structure(encode, dict(options))
    for name, value in encoded.items():
        try:
            json.dumps(value)
        except TypeError:
            raise SpecError(
                source,
                expected="options that can be sent to another process: numbers, words, lists",
                received=f"{name}={options[name]!r}"[:200],
                fix="save the model, load it with the backend that writes the format, and export "
                "it there",
            ) from None
    return encoded


# ---------------------------------------------------------------- custom objects


def _custom_objects(model: Layer, source: str) -> dict[str, list[str]]:
    """Returns the module and qualified name of each custom class and function of a model."""
    found: dict[str, list[str]] = {}
    for obj in _custom_values(model):
        module, name = obj.__module__, obj.__qualname__
        if module == "__main__" or "<" in name:
            where = "the main program" if module == "__main__" else f"a function: {name}"
            raise SpecError(
                source,
                expected="custom classes and functions that another process can import",
                received=f"{obj.__name__}, which is defined in {where}",
                fix="define it at the top of a module of its own and import it from there",
            )
        found[registry.get_registered_name(obj)] = [module, name]
        found.setdefault(obj.__name__, [module, name])
    return found


def _custom_values(model: Layer) -> Iterator[Any]:
    """Yields the custom classes of layers, and custom functions and objects in their attributes."""
    for layer in model._flatten_layers():
        values: list[Any] = [type(layer)]
        for value in tree.flatten(list(vars(layer).values())):
            is_function = callable(value) and hasattr(value, "__qualname__")
            values.append(value if is_function else type(value))
        for value in values:
            module = getattr(value, "__module__", None) or ""
            if _is_custom(module) and not registry.is_builtin(value):
                yield value


def _is_custom(module: str) -> bool:
    """Returns whether a module is the program's: neither Python's nor a framework's."""
    top = module.partition(".")[0]
    known = {"keras_fn", "numpy", "jax", "jaxlib", "tensorflow", "torch", "optree", "ml_dtypes"}
    is_backend = top.startswith("keras_fn_")
    return bool(top) and not is_backend and top not in known and top not in sys.stdlib_module_names


# ---------------------------------------------------------------- the signature


def encode_signature(signature: Nested) -> Any:
    """Returns nested KerasTensors as JSON.

    Args:
        signature: KerasTensors in lists, tuples and dicts.
    """
    if isinstance(signature, KerasTensor):
        return {
            "shape": signature.shape,
            "dtype": signature.dtype,
            "name": signature.name,
            "dim_names": signature.dim_names,
        }
    if isinstance(signature, dict):
        return {"dict": [[key, encode_signature(value)] for key, value in signature.items()]}
    return [encode_signature(value) for value in signature]


def decode_signature(encoded: Any) -> Nested:
    """Returns the KerasTensors that `encode_signature` encoded; lists stand for tuples.

    Args:
        encoded: Its result.
    """
    if isinstance(encoded, list):
        return [decode_signature(value) for value in encoded]
    if "dict" in encoded:
        return {key: decode_signature(value) for key, value in encoded["dict"]}
    spec = KerasTensor(
        encoded["shape"], encoded["dtype"], record_history=False, name=encoded["name"]
    )
    names = encoded["dim_names"]
    spec.dim_names = None if names is None else tuple(names)
    return spec

"""ONNX from JAX and TensorFlow: the model is made again on PyTorch, in a process of its own.

PyTorch has an exporter to ONNX that is maintained. The model is handed over as a `.keras` file, so
that what holds for files holds here: custom classes are found by the module that defines them.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from keras_fn.core import registry, tree
from keras_fn.core.endpoint import Endpoint
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.temporary_folder import temporary_folder
from keras_fn.errors import SpecError
from keras_fn.export.requirements import require
from keras_fn.layers.layer import Layer
from keras_fn.saving import saving_api
from keras_fn.settings import settings
from keras_fn.types import AnyModel, Nested

MODEL, REQUEST, ERROR = "model.keras", "request.json", "error.json"
_PROCESS = "keras_fn.export.onnx_process"
_OUTPUT_CHARACTERS = 2000
_SETTINGS = ("floatx", "epsilon", "image_data_format")


def export_in_torch_process(
    model: AnyModel, endpoint: Endpoint, path: str, opset_version: int | None = None
) -> None:
    """Writes an ONNX model of a model of another backend than PyTorch.

    Args:
        model: The model.
        endpoint: Its call.
        path: The path of the file.
        opset_version: The version of ONNX's operators.

    Raises:
        SpecError: A custom class cannot be imported, or a layer cannot be exported.
        ImportError: PyTorch or its exporter is not installed.
    """
    source = f"{model._label}, export to 'onnx'"
    require({"torch": "torch", "onnxscript": "onnxscript"}, source, "an ONNX model")
    request = {
        "path": os.path.abspath(path),
        "opset_version": opset_version,
        "signature": encode_signature(endpoint.signature),
        "custom_objects": _custom_objects(model, source),
        "settings": {name: getattr(settings, name) for name in _SETTINGS},
    }
    with temporary_folder() as folder:
        saving_api.save_model(
            model,
            os.path.join(folder, MODEL),
            include_optimizer=False,  # type: ignore[arg-type]
        )
        with open(os.path.join(folder, REQUEST), "w", encoding="utf-8") as file:
            json.dump(request, file)
        done = subprocess.run(
            [sys.executable, "-m", _PROCESS, folder],
            env={
                **os.environ,
                "KERAS_BACKEND": "torch",
                "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        if done.returncode:
            raise _error_of(folder, done, source)


def _error_of(folder: str, done: Any, source: str) -> SpecError:
    """Returns the error that the process wrote, or one with what it printed."""
    try:
        with open(os.path.join(folder, ERROR), encoding="utf-8") as file:
            return SpecError(**json.load(file))
    except FileNotFoundError:
        printed = done.stderr.decode(errors="replace").strip()[-_OUTPUT_CHARACTERS:]
        return SpecError(
            source,
            expected="a process with KERAS_BACKEND=torch that makes the model again",
            received=f"exit status {done.returncode}: {printed}",
            fix="save the model, load it in such a process and export it there",
        )


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

"""The process that makes a model again on PyTorch and exports it to ONNX.

`python -m keras_fn.export.onnx_process FOLDER`, with `KERAS_BACKEND=torch`; see `onnx_export`.
"""

import importlib
import json
import os
import sys
from operator import attrgetter
from typing import Any

from keras_fn.backend.loader import current
from keras_fn.export.export_api import explained_errors
from keras_fn.export.formats import FORMATS
from keras_fn.export.input_signature import DEFAULT_ENDPOINT, layer_endpoint
from keras_fn.export.onnx_export import ERROR, MODEL, REQUEST, decode_signature
from keras_fn.saving import load_model
from keras_fn.settings import settings


def export_request(folder: str) -> None:
    """Exports the model in a folder as the request in it says.

    Args:
        folder: The folder.
    """
    with open(os.path.join(folder, REQUEST), encoding="utf-8") as file:
        request = json.load(file)
    for name, value in request["settings"].items():
        setattr(settings, name, value)
    custom = {
        name: attrgetter(path)(importlib.import_module(module))
        for name, (module, path) in request["custom_objects"].items()
    }
    model = load_model(os.path.join(folder, MODEL), custom_objects=custom, compile=False)
    signature = decode_signature(request["signature"])
    endpoint = layer_endpoint(DEFAULT_ENDPOINT, model, signature, keeps_batch=True)
    backend: Any = current()
    with explained_errors(model, FORMATS["onnx"], backend.export_onnx):
        backend.export_onnx(endpoint, request["path"], request["opset_version"])


def main(folder: str) -> int:
    """Exports, and returns the exit status: 1 after an error, which is written to a file.

    Args:
        folder: The folder of the request.
    """
    try:
        export_request(folder)
    except Exception as error:
        parts = ("source", "expected", "received", "fix")
        content = {part: str(getattr(error, part, "")) for part in parts}
        if not content["source"]:
            content["source"] = "the model cannot be made again on PyTorch"
            content["received"] = f"{type(error).__name__}: {error}"
        with open(os.path.join(folder, ERROR), "w", encoding="utf-8") as file:
            json.dump(content, file)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

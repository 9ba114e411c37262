"""The process that makes models again on another backend and exports them.

`python -m keras_fn.export.rebuild_process FOLDER`, with `KERAS_BACKEND`; see `rebuild`.
"""

import importlib
import json
import os
import sys
import warnings
from operator import attrgetter

from keras_fn.backend.loader import current
from keras_fn.core.endpoint import Endpoint
from keras_fn.export.export_api import explained_errors
from keras_fn.export.formats import FORMATS
from keras_fn.export.input_signature import layer_endpoint
from keras_fn.export.rebuild import ERROR, MODEL, REQUEST, WARNINGS, decode_signature
from keras_fn.saving import load_model
from keras_fn.settings import settings


def export_request(folder: str) -> None:
    """Exports the models in a folder as the request in it says.

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
    row, options = FORMATS[request["format"]], request["options"]
    models, endpoints = [], []
    for i, described in enumerate(request["endpoints"]):
        path = os.path.join(folder, MODEL.format(i))
        models.append(load_model(path, custom_objects=custom, compile=False))
        signature = decode_signature(described["signature"])
        endpoints.append(layer_endpoint(described["name"], models[i], signature, keeps_batch=True))
    export = getattr(current(), f"export_{row.name}")

    def write(endpoint: Endpoint, path: str) -> None:
        export([endpoint] if row.has_endpoints else endpoint, path, **options)

    with explained_errors(models[0], row, write):
        export(endpoints if row.has_endpoints else endpoints[0], request["path"], **options)


def _is_for_user(warning: warnings.WarningMessage) -> bool:
    """Returns whether a warning is ours, not one of a library."""
    return warning.category is UserWarning and "keras_fn" in warning.filename


def main(folder: str) -> int:
    """Exports, and returns the exit status: 1 after an error, which is written to a file.

    Args:
        folder: The folder of the request.
    """
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", UserWarning)
            export_request(folder)
        with open(os.path.join(folder, WARNINGS), "w", encoding="utf-8") as file:
            json.dump([str(w.message) for w in caught if _is_for_user(w)], file)
    except Exception as error:
        parts = ("source", "expected", "received", "fix")
        content = {part: str(getattr(error, part, "")) for part in parts}
        if not content["source"]:
            content["source"] = f"the model cannot be made again with {current().name}"
            content["received"] = f"{type(error).__name__}: {error}"
        with open(os.path.join(folder, ERROR), "w", encoding="utf-8") as file:
            json.dump(content, file)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

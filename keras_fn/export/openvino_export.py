"""OpenVINO: its converter reads the ONNX model."""

import os
from typing import Any

from keras_fn._lazy import LazyModule
from keras_fn.backend.loader import current, supports
from keras_fn.core.endpoint import Endpoint
from keras_fn.core.temporary_folder import temporary_folder
from keras_fn.export.formats import FORMATS
from keras_fn.export.rebuild import export_in_process
from keras_fn.types import AnyModel

openvino: Any = LazyModule("openvino", pip="openvino")


def export_openvino(
    model: AnyModel, endpoint: Endpoint, path: str, opset_version: int | None = None
) -> None:
    """Writes a model of OpenVINO: `path`, which ends in `.xml`, and the weights in a `.bin` file.

    Args:
        model: The model.
        endpoint: Its call, or that of a part of it.
        path: The path of the `.xml` file.
        opset_version: The version of ONNX's operators.
    """
    backend: Any = current()
    with temporary_folder() as folder:
        onnx = os.path.join(folder, "model.onnx")
        if supports("export_onnx"):
            backend.export_onnx(endpoint, onnx, opset_version)
        else:
            options = {"opset_version": opset_version}
            export_in_process([(endpoint, model)], onnx, FORMATS["onnx"], options)
        openvino.save_model(openvino.convert_model(onnx), path, compress_to_fp16=False)

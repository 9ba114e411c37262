"""The table of formats that a model can be exported to."""

from typing import NamedTuple


class ExportFormat(NamedTuple):
    """A format of artifacts.

    A backend offers it by a function `export_<name>` (`SupportsExport`).

    Attributes:
        name: The value of `format`.
        title: What it is, for messages and docs.
        suffix: The ending of the file; "" for a folder.
        requires_suffix: Whether the path must end so, as Keras requires of some formats.
        options: The keyword arguments of `export` that it takes; None for those of a library.
        backends: The backends that write it themselves, for messages.
        libraries: The modules that must be installed, with the argument of `pip install` for each.
        fallback: Where the backend does not write it: the module and function that does. It is
            called with the model, the endpoint, the path and the options.
        marker: Of a folder: a file that every artifact has.
        has_endpoints: Whether an artifact can have several endpoints, so that the backend's
            function takes a list of them.
    """

    name: str
    title: str
    suffix: str
    requires_suffix: bool
    options: tuple[str, ...] | None
    backends: tuple[str, ...]
    libraries: dict[str, str]
    fallback: str = ""
    marker: str = ""
    has_endpoints: bool = False


FORMATS = {
    row.name: row
    for row in (
        ExportFormat(
            "tf_saved_model",
            "TensorFlow SavedModel",
            suffix="",
            requires_suffix=False,
            options=("is_static", "jax2tf_kwargs"),
            backends=("tensorflow", "jax"),
            libraries={"tensorflow": "tensorflow"},
            marker="saved_model.pb",
            has_endpoints=True,
        ),
        ExportFormat(
            "onnx",
            "ONNX model",
            suffix=".onnx",
            requires_suffix=False,
            options=("opset_version",),
            backends=("torch",),
            libraries={},  # checked where it is written, which may be another process
            fallback="keras_fn.export.onnx_export:export_in_torch_process",
        ),
        ExportFormat(
            "openvino",
            "OpenVINO IR",
            suffix=".xml",
            requires_suffix=True,
            options=("opset_version",),
            backends=(),
            libraries={"openvino": "openvino"},
            fallback="keras_fn.export.openvino_export:export_openvino",
        ),
        ExportFormat(
            "litert",
            "LiteRT model",
            suffix=".tflite",
            requires_suffix=True,
            options=None,
            backends=("tensorflow",),
            libraries={"tensorflow": "tensorflow"},
        ),
        ExportFormat(
            "torch",
            "PyTorch ExportedProgram",
            suffix=".pt2",
            requires_suffix=True,
            options=(
                "strict",
                "dynamic_shapes",
                "prefer_deferred_runtime_asserts_over_guards",
                "preserve_module_call_signature",
            ),
            backends=("torch",),
            libraries={},
        ),
        ExportFormat(
            "stablehlo",
            "StableHLO program of jax.export",
            suffix=".stablehlo",
            requires_suffix=False,
            options=("platforms",),
            backends=("jax",),
            libraries={},
        ),
    )
}

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
        options_of: The backend that an option is for, if not for all.
        rebuilt_on: Where the backend does not write it: the backend that does, in a process in
            which the model is made again.
        rebuild_libraries: The modules that this process needs, as in `libraries`.
        fallback: Where no backend writes it: the module and function that does. It is called with
            the model, the endpoint, the path and the options.
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
    options_of: dict[str, str] = {}  # noqa: RUF012  # never changed
    rebuilt_on: str = ""
    rebuild_libraries: dict[str, str] = {}  # noqa: RUF012  # never changed
    fallback: str = ""
    marker: str = ""
    has_endpoints: bool = False

    @property
    def description(self) -> str:
        """The title with its article."""
        return f"{'an' if self.title[0] in 'AEIO' else 'a'} {self.title}"


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
            options_of={"is_static": "jax", "jax2tf_kwargs": "jax"},
            rebuilt_on="tensorflow",
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
            rebuilt_on="torch",
            rebuild_libraries={"torch": "torch", "onnxscript": "onnxscript"},
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
            rebuilt_on="tensorflow",
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
            libraries={"torch": "torch"},
            rebuilt_on="torch",
        ),
        ExportFormat(
            "stablehlo",
            "StableHLO program of jax.export",
            suffix=".stablehlo",
            requires_suffix=False,
            options=("platforms", "vjp_order"),
            backends=("jax",),
            libraries={"jax": "jax", "flatbuffers": "flatbuffers"},
            rebuilt_on="jax",
        ),
    )
}

"""The optional part of the backend contract about artifacts for inference."""

from collections.abc import Sequence
from typing import Any, Protocol


class SupportsExport(Protocol):
    """Optional: artifacts for inference, by format. A backend may implement any subset.

    Each function takes an `Endpoint` of `keras_fn.core.endpoint` (a function of tensors with a
    signature, names and variables), or a list of them, and writes an artifact to a path in an empty
    folder. The options are the keyword arguments of `Model.export`; a backend checks their values.
    The artifact computes what the function does, for every size of the axes that are None. State
    that the function assigns is not part of it. Whatever a function raises becomes an error that
    names the layer.
    """

    def export_torch(self, endpoint: Any, path: str, **options: Any) -> None:
        """Writes a program of `torch.export`."""
        ...

    def export_onnx(self, endpoint: Any, path: str, opset_version: int | None = None) -> None:
        """Writes an ONNX model with the endpoint's names of inputs and outputs."""
        ...

    def export_tf_saved_model(self, endpoints: Sequence[Any], path: str, **options: Any) -> None:
        """Writes a SavedModel with several endpoints into an empty folder.

        The options are those of `Model.export`, or `collections` (`{name: variables}`), `resources`
        (trackable objects) and `save_options` of an `ExportArchive`.
        """
        ...

    def export_stablehlo(self, endpoint: Any, path: str, **options: Any) -> None:
        """Writes a program of `jax.export`."""
        ...

    def export_litert(self, endpoint: Any, path: str, **options: Any) -> None:
        """Writes a model of LiteRT (TensorFlow Lite)."""
        ...

    def endpoint_function(self, endpoint: Any) -> Any:
        """Returns the function of an endpoint of an `ExportArchive` in the framework's own form."""
        ...

    def traced_signature(self, function: Any) -> list[Any]:
        """Returns the arguments of a function that the framework has traced, as nested specs.

        Raises:
            SpecError: It has no traces.
        """
        ...

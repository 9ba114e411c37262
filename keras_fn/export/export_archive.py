"""`ExportArchive`: several endpoints in one SavedModel."""

import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Unpack

from keras_fn.backend.loader import current
from keras_fn.core.endpoint import Endpoint
from keras_fn.core.variable import Variable
from keras_fn.errors import DTypeError, SpecError, check_choice, unexpected_arguments
from keras_fn.export.export_api import check_format, write_artifact
from keras_fn.export.formats import FORMATS
from keras_fn.export.input_signature import function_endpoint, layer_endpoint
from keras_fn.layers.layer import Layer
from keras_fn.types import Nested, NoArguments, PathLike

if TYPE_CHECKING:
    from keras_fn.types import EndpointOptions

_SAVED_MODEL = FORMATS["tf_saved_model"]


class ExportArchive:
    """Writes a TensorFlow SavedModel with endpoints that the program chooses.

    Each endpoint is a function of tensors with a signature. `Model.export` makes one endpoint,
    `serve`, which is the model's call in inference mode.

    Args:
        format: `"saved_model"`.
        **kwargs: None are accepted.

    Raises:
        SpecError: The format is another one, or the backend writes no SavedModel.

    Example:
        >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
        >>> archive = keras.export.ExportArchive()  # doctest: +SKIP
        >>> archive.track(model)  # doctest: +SKIP
        >>> archive.add_endpoint(  # doctest: +SKIP
        ...     "serve", model.call, [keras.InputSpec(shape=(None, 3), dtype="float32")]
        ... )
        >>> archive.write_out("served", verbose=False)  # doctest: +SKIP
    """

    def __init__(self, format: str = "saved_model", **kwargs: Unpack[NoArguments]):
        if kwargs:
            raise unexpected_arguments("ExportArchive", kwargs, ["format"])
        check_choice("ExportArchive", "format", format, ["saved_model"])
        check_format(_SAVED_MODEL, "ExportArchive")
        self._layers: list[Layer] = []
        self._resources: list[object] = []
        self._endpoints: dict[str, Endpoint] = {}
        self._collections: dict[str, list[Variable]] = {}

    def track(self, resource: object) -> None:
        """Adds a layer or model whose variables the endpoints use.

        Args:
            resource: A layer or model; on TensorFlow, any trackable object.
        """
        if isinstance(resource, Layer):
            self._layers.append(resource)
        else:
            self._resources.append(resource)

    def add_endpoint(
        self,
        name: str,
        fn: Callable[..., Any],
        input_signature: Nested = None,
        **kwargs: Unpack["EndpointOptions"],
    ) -> Callable[..., Any]:
        """Adds a function under a name.

        Args:
            name: The name of the endpoint.
            fn: Takes tensors as the signature says, and returns nested tensors.
            input_signature: A list with an `InputSpec`, a KerasTensor, a tensor or a
                `tf.TensorSpec` for each argument, nested as the argument is.
            **kwargs: `is_static` and `jax2tf_kwargs`, on JAX.

        Returns:
            The function, which other endpoints may call.

        Raises:
            SpecError: The name is taken.
            TypeError: `fn` cannot be called, or the signature is malformed.
        """
        if not callable(fn):
            raise DTypeError(
                "ExportArchive.add_endpoint",
                expected="fn: a function of tensors",
                received=f"{type(fn).__name__} {fn!r}"[:200],
                fix="pass a function, such as model.call",
            )
        endpoint = function_endpoint(name, fn, input_signature, self._layers)
        return self._add(endpoint, kwargs)

    def track_and_add_endpoint(
        self,
        name: str,
        resource: Layer,
        input_signature: Nested,
        **kwargs: Unpack["EndpointOptions"],
    ) -> Callable[..., Any]:
        """Adds the call of a layer or model in inference mode.

        Args:
            name: The name of the endpoint.
            resource: The layer or model.
            input_signature: Its inputs, as in `add_endpoint`.
            **kwargs: As in `add_endpoint`.

        Returns:
            The function, which other endpoints may call.
        """
        self.track(resource)
        return self._add(layer_endpoint(name, resource, input_signature), kwargs)

    def _add(self, endpoint: Endpoint, options: Any) -> Callable[..., Any]:
        if endpoint.name in self._endpoints:
            raise SpecError(
                "ExportArchive.add_endpoint",
                expected="a name that no other endpoint has",
                received=f"name={endpoint.name!r}, which was added before",
                fix="choose another name",
            )
        endpoint.options = dict(options)
        self._endpoints[endpoint.name] = endpoint
        return endpoint.function

    def add_variable_collection(self, name: str, variables: Iterable[Variable]) -> None:
        """Adds variables under a name, as an attribute of the SavedModel.

        Args:
            name: The name of the attribute.
            variables: The variables.
        """
        self._collections[name] = list(variables)

    def write_out(self, filepath: PathLike, options: object = None, verbose: bool = True) -> None:
        """Writes the SavedModel.

        Args:
            filepath: The path of the folder. A SavedModel that is there is replaced.
            options: The `tf.saved_model.SaveOptions`, or None.
            verbose: Whether to print the path and the endpoints. Default True.

        Raises:
            SpecError: There is no endpoint, or the folder has something else.
        """
        if not self._endpoints:
            raise SpecError(
                "ExportArchive.write_out",
                expected="at least one endpoint",
                received="none",
                fix="call add_endpoint or track_and_add_endpoint first",
            )
        backend: Any = current()
        write_artifact(
            _SAVED_MODEL,
            filepath,
            lambda path: backend.export_tf_saved_model(
                list(self._endpoints.values()),
                path,
                collections=self._collections,
                resources=self._resources,
                save_options=options,
            ),
        )
        if verbose:
            names = ", ".join(self._endpoints)
            print(f"Saved {_SAVED_MODEL.title} at {os.fspath(filepath)!r}: {names}.", flush=True)

"""`ExportArchive`: several endpoints in one SavedModel."""

import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, Unpack

from keras_fn._lazy import LazyModule
from keras_fn.backend.loader import current, supports
from keras_fn.core.endpoint import Endpoint
from keras_fn.core.variable import Variable
from keras_fn.distribution.processes import is_primary
from keras_fn.errors import DTypeError, SpecError, check_choice, unexpected_arguments
from keras_fn.export.export_api import (
    check_backend_of_options,
    explained_errors,
    write_artifact,
)
from keras_fn.export.formats import FORMATS
from keras_fn.export.input_signature import function_endpoint, layer_endpoint
from keras_fn.export.requirements import require
from keras_fn.layers.layer import Layer
from keras_fn.types import Nested, NoArguments, PathLike

if TYPE_CHECKING:
    from keras_fn.export import rebuild
    from keras_fn.types import EndpointOptions
else:
    rebuild = LazyModule("keras_fn.export.rebuild")

_SAVED_MODEL = FORMATS["tf_saved_model"]
_VARIABLES = ("variables", "trainable_variables", "non_trainable_variables")


class ExportArchive:
    """Writes a TensorFlow SavedModel with endpoints that the program chooses.

    Each endpoint is a function of tensors with a signature. `Model.export` makes one endpoint,
    `serve`, which is the model's call in inference mode.

    Args:
        format: `"saved_model"`.
        **kwargs: None are accepted.

    Raises:
        SpecError: The format is another one.
        ImportError: TensorFlow is not installed.

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
        require(_SAVED_MODEL.libraries, "ExportArchive", _SAVED_MODEL.description)
        self._layers: list[Layer] = []
        self._resources: list[object] = []
        self._endpoints: dict[str, Endpoint] = {}
        self._models: dict[str, Layer] = {}  # of endpoints that are the call of one
        self._collections: dict[str, list[Any]] = {}

    def track(self, resource: object) -> None:
        """Adds a layer or model whose variables the endpoints use.

        On TensorFlow, the variables that an endpoint uses are found without it. On JAX they are
        not: what a function reads of a model that is not tracked becomes a constant.

        Args:
            resource: A layer or model; or a trackable object of TensorFlow, such as a lookup table.

        Raises:
            SpecError: The layer is not built.
            TypeError: It is something else.
        """
        if isinstance(resource, Layer):
            if not resource.built:
                raise SpecError(
                    "ExportArchive.track",
                    expected="a built layer",
                    received=f"{resource._label}, which has no weights yet",
                    fix="call it on data once, or build it: layer.build(input_shape)",
                )
            self._layers.append(resource)
        elif hasattr(resource, "_trackable_children"):  # TensorFlow's interface of such objects
            self._resources.append(resource)
        else:
            raise DTypeError(
                "ExportArchive.track",
                expected="a layer, a model, or a trackable object of TensorFlow",
                received=f"{type(resource).__name__} {resource!r}"[:200],
                fix="pass the model whose variables the endpoints use",
            )

    def add_endpoint(
        self,
        name: str,
        fn: Callable[..., Any],
        input_signature: Nested = None,
        **kwargs: Unpack["EndpointOptions"],
    ) -> Callable[..., Any]:
        """Adds a function under a name.

        Args:
            name: The name of the endpoint, an identifier.
            fn: Takes tensors as the signature says, and returns nested tensors.
            input_signature: A list with an `InputSpec`, a KerasTensor, a tensor or a
                `tf.TensorSpec` for each argument, nested as the argument is. None for a
                `tf.function` that was called before: the signature is that of the call.
            **kwargs: `is_static` and `jax2tf_kwargs`, on JAX: see `Model.export`.

        Returns:
            The function, which other endpoints may call: a `tf.function` on TensorFlow.

        Raises:
            SpecError: The name is taken or no identifier; the signature is missing; a model of
                PyTorch is exported by `track_and_add_endpoint` only.
            TypeError: `fn` cannot be called, or the signature is malformed.
        """
        if not callable(fn):
            raise DTypeError(
                "ExportArchive.add_endpoint",
                expected="fn: a function of tensors",
                received=f"{type(fn).__name__} {fn!r}"[:200],
                fix="pass a function, such as model.call",
            )
        if not supports("export_tf_saved_model"):
            raise SpecError(
                "ExportArchive.add_endpoint",
                expected="a model, which is made again on TensorFlow",
                received=f"a function of {current().name}",
                fix="call track_and_add_endpoint(name, model, input_signature)",
            )
        self._check_name(name, "add_endpoint", _VARIABLES)
        if input_signature is None:
            return self._add(self._traced_endpoint(name, fn), kwargs)
        return self._add(function_endpoint(name, fn, input_signature, self._layers), kwargs)

    def _traced_endpoint(self, name: str, function: Callable[..., Any]) -> Endpoint:
        """Returns the endpoint of a `tf.function` that was called before."""
        backend: Any = current()
        if supports("traced_signature"):
            return function_endpoint(name, function, backend.traced_signature(function))
        raise SpecError(
            "ExportArchive.add_endpoint",
            expected="input_signature: a spec for each argument",
            received="none",
            fix="pass input_signature=[keras.InputSpec(shape=(None, 8), dtype='float32')]",
        )

    def track_and_add_endpoint(
        self,
        name: str,
        resource: Layer,
        input_signature: Nested,
        **kwargs: Unpack["EndpointOptions"],
    ) -> Callable[..., Any]:
        """Adds the call of a layer or model in inference mode.

        Args:
            name: The name of the endpoint, an identifier.
            resource: The layer or model.
            input_signature: Its inputs, as in `add_endpoint`; None for those of a model.
            **kwargs: As in `add_endpoint`.

        Returns:
            The function, which other endpoints may call: a `tf.function` on TensorFlow.

        Raises:
            SpecError: The name is taken or no identifier; the layer is not built.
            TypeError: `resource` is another object than a layer, or the signature is malformed.
        """
        self._check_name(name, "track_and_add_endpoint", _VARIABLES)
        if not isinstance(resource, Layer):
            raise DTypeError(
                "ExportArchive.track_and_add_endpoint",
                expected="resource: a layer or a model",
                received=f"{type(resource).__name__} {resource!r}"[:200],
                fix="for a function, call add_endpoint",
            )
        self.track(resource)
        self._models[name] = resource
        return self._add(layer_endpoint(name, resource, input_signature), kwargs)

    def _check_name(self, name: str, method: str, reserved: Sequence[str] = ()) -> None:
        """Checks the name of an attribute of the SavedModel; a collection may be replaced."""
        taken = [*self._endpoints, *(self._collections if reserved else ())]
        is_free = isinstance(name, str) and name not in [*taken, *reserved, "signatures"]
        if not (is_free and name.isidentifier() and not name.startswith("_")):
            raise SpecError(
                f"ExportArchive.{method}",
                expected="name: an identifier without an underscore in front, which no endpoint or "
                "collection has, nor the SavedModel itself",
                received=f"name={name!r}{', which was added before' if name in taken else ''}",
                fix="choose another name, such as 'serve_scores'",
            )

    def _add(self, endpoint: Endpoint, options: Any) -> Callable[..., Any]:
        for name in options:
            if name not in _SAVED_MODEL.options_of:
                raise unexpected_arguments(
                    "ExportArchive.add_endpoint", [name], _SAVED_MODEL.options_of
                )
        check_backend_of_options("ExportArchive.add_endpoint", _SAVED_MODEL, options)
        endpoint.options = dict(options)
        self._endpoints[endpoint.name] = endpoint
        backend: Any = current()
        if supports("endpoint_function"):
            endpoint.function = backend.endpoint_function(endpoint)
        return endpoint.function

    def add_variable_collection(self, name: str, variables: Iterable[Variable]) -> None:
        """Adds variables under a name, as an attribute of the SavedModel.

        Args:
            name: The name of the attribute, an identifier.
            variables: A list, tuple or set of variables.

        Raises:
            TypeError: It is another object than a collection of variables.
            SpecError: The name is not an identifier, or taken.
        """
        self._check_name(name, "add_variable_collection")
        is_collection = isinstance(variables, (list, tuple, set))
        if not is_collection or not all(hasattr(v, "trainable") for v in variables):
            raise DTypeError(
                "ExportArchive.add_variable_collection",
                expected="variables: a list, tuple or set of variables",
                received=f"{type(variables).__name__} {variables!r}"[:200],
                fix="for example model.optimizer.variables",
            )
        self._collections[name] = list(variables)

    def write_out(self, filepath: PathLike, options: object = None, verbose: bool = True) -> None:
        """Writes the SavedModel.

        The first endpoint is also the signature `serving_default`, unless one has that name.

        Args:
            filepath: The path of the folder. A SavedModel that is there is replaced.
            options: The `tf.saved_model.SaveOptions`, or None.
            verbose: Whether to print the path and the endpoints. Default True.

        Raises:
            SpecError: There is no endpoint, the folder has something else, or an endpoint cannot be
                exported.
        """
        if not self._endpoints:
            raise SpecError(
                "ExportArchive.write_out",
                expected="at least one endpoint",
                received="none",
                fix="call add_endpoint or track_and_add_endpoint first",
            )
        with self._explained_errors():
            write_artifact(_SAVED_MODEL, filepath, lambda path: self._write(path, options))
        if verbose and is_primary():
            names = ", ".join(self._endpoints)
            print(f"Saved {_SAVED_MODEL.title} at {os.fspath(filepath)!r}: {names}.", flush=True)

    def _explained_errors(self) -> AbstractContextManager[None]:
        """Returns a context in which errors name the layer, where one model is exported."""
        if len(self._layers) != 1:
            return nullcontext()
        backend: Any = current()
        return explained_errors(
            self._layers[0],
            _SAVED_MODEL,
            lambda endpoint, path: backend.export_tf_saved_model([endpoint], path),
        )

    def _write(self, path: str, options: object) -> None:
        backend: Any = current()
        endpoints = list(self._endpoints.values())
        if supports("export_tf_saved_model"):
            backend.export_tf_saved_model(
                endpoints,
                path,
                collections=self._collections,
                resources=self._resources,
                save_options=options,
            )
            return
        if self._collections or self._resources or options is not None:
            raise SpecError(
                "ExportArchive.write_out",
                expected="endpoints alone, as the models are made again on TensorFlow",
                received="variable collections, resources or options",
                fix="load the models with KERAS_BACKEND=tensorflow, and write the archive there",
            )
        models: list[Any] = [(endpoint, self._models[endpoint.name]) for endpoint in endpoints]
        rebuild.export_in_process(models, path, _SAVED_MODEL)

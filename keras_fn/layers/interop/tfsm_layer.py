"""SavedModels of TensorFlow as layers."""

import os
from collections.abc import Mapping
from typing import Any, Self

from keras_fn.backend.loader import current
from keras_fn.errors import SpecError
from keras_fn.layers._arguments import argument_error
from keras_fn.layers.interop._requirements import (
    framework_backend,
    refuse_code,
    refuse_symbols,
    reraise_refusal,
)
from keras_fn.layers.layer import Layer
from keras_fn.types import DTypeLike, Nested


class TFSMLayer(Layer):
    """Wraps an endpoint of a SavedModel of TensorFlow as a layer, on the tensorflow backend.

    The variables that the endpoint uses are the layer's weights. A SavedModel is a program: load
    only what you trust. A model file never loads one.

    Args:
        filepath: The folder of the SavedModel.
        call_endpoint: The name of the function to call: an attribute of the saved object, or a
            signature such as `"serving_default"`.
        call_training_endpoint: The name of the function to call in training mode; `call_endpoint`
            by default.
        trainable: Whether optimizers update the weights.
        name: The name of the layer. Unique by default.
        dtype: The dtype or dtype policy of the layer. The global policy by default.

    Call arguments:
        inputs: The argument of the endpoint: a tensor, or nested tensors.
        training: Whether to call the endpoint of training mode.

    Input shape:
        Any that the endpoint takes.

    Output shape:
        That of the endpoint. A signature returns a dict.

    Raises:
        ValueError: The backend is not tensorflow, or there is no such endpoint.

    Example:
        >>> module = tf.Module()  # doctest: +SKIP
        >>> module.serve = tf.function(lambda x: 2 * x)  # doctest: +SKIP
        >>> module.serve(tf.ones((1, 3)))  # doctest: +SKIP
        >>> tf.saved_model.save(module, "doubled")  # doctest: +SKIP
        >>> layer = keras.layers.TFSMLayer("doubled")  # doctest: +SKIP
        >>> layer(keras.Input((3,), batch_size=1)).shape  # doctest: +SKIP
        (1, 3)
    """

    def __init__(
        self,
        filepath: str | os.PathLike[str],
        call_endpoint: str = "serve",
        call_training_endpoint: str | None = None,
        trainable: bool = True,
        name: str | None = None,
        dtype: DTypeLike | None = None,
    ):
        backend = framework_backend(
            type(self), "load_saved_model", "tensorflow", "a program of TensorFlow"
        )
        super().__init__(trainable=trainable, name=name, dtype=dtype)
        folder = "pass the folder that tf.saved_model.save or model.export wrote"
        if not isinstance(filepath, (str, os.PathLike)):
            raise argument_error(self, "filepath", "a path", filepath, folder)
        self.filepath = filepath
        self.call_endpoint = self._check_name("call_endpoint", call_endpoint)
        self.call_training_endpoint = (
            self._check_name("call_training_endpoint", call_training_endpoint)
            if call_training_endpoint is not None
            else None
        )
        names = [name for name in (call_endpoint, call_training_endpoint) if name]
        try:
            functions, self._saved_variables = backend.load_saved_model(os.fspath(filepath), names)
        except OSError as error:
            raise argument_error(
                self, "filepath", "the folder of a SavedModel", filepath, folder
            ) from error
        except LookupError as error:
            raise SpecError(
                type(self).__name__,
                expected=f"an endpoint of the SavedModel: one of {error.args[0]}, or an attribute",
                received=f"call_endpoint={call_endpoint!r}, "
                f"call_training_endpoint={call_training_endpoint!r}",
                fix="pass the name of one of them",
            ) from None
        self._functions_by_mode = functions[0], functions[-1]  # of inference, of training
        self.built = True

    def _check_name(self, argument: str, name: Any) -> str:
        if isinstance(name, str):
            return name
        raise argument_error(self, argument, "the name of an endpoint", name, "for example 'serve'")

    def call(self, inputs: Nested, training: bool = False) -> Nested:
        """Returns the result of the endpoint."""
        refuse_symbols(inputs)
        try:
            return self._functions_by_mode[training](inputs)
        except Exception as error:
            reraise_refusal(self, inputs, error)

    def compute_output_spec(self, inputs: Nested, training: bool = False) -> Nested:
        """Returns KerasTensors of the shapes of the results."""
        return current().abstract_eval(self.call, (inputs, training), {})

    @classmethod
    def from_config(
        cls,
        config: dict[str, Any],
        custom_objects: Mapping[str, Any] | None = None,
        safe_mode: bool | None = None,
    ) -> Self:
        """Creates a layer from a config of this program, as `get_config` returns it.

        Args:
            config: The config.
            custom_objects: Has no effect; accepted for compatibility.
            safe_mode: False, to load the program in the folder that the config names. Configs in
                model files are always refused.

        Raises:
            ValueError: `safe_mode` is not False.
        """
        del custom_objects
        if safe_mode is not False:
            raise refuse_code(
                cls,
                f"the path {str(config.get('filepath'))[:200]!r}, whose program would be run",
                "create the layer in the program: TFSMLayer(filepath)",
            )
        return cls(**config)

"""Custom functions as layers."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Unpack

from keras_fn.core import tree
from keras_fn.core.operation import infer_spec
from keras_fn.core.serialization import deserialize_keras_object, serialize_keras_object
from keras_fn.errors import DTypeError
from keras_fn.layers._options import LayerOptions
from keras_fn.layers._shapes import map_shapes, symbolic_inputs, to_shapes
from keras_fn.layers._signature import shape_of
from keras_fn.layers.layer import Layer
from keras_fn.types import Nested, Tensor


class Lambda(Layer):
    """Wraps a function as a layer.

    A model with this layer can be saved if the function has a name: to load the file, pass the
    function in `custom_objects` or register it. A Python `lambda` has no name, and files never
    hold code: define a function or a custom layer instead.

    Args:
        function: A function of the inputs, with optional parameters `mask` and `training`.
        output_shape: The shape of a sample of the output, or a function from the shape of the
            input to the shape of the output; inferred by default.
        mask: The mask of the output, or a function of `(inputs, mask)` that returns it.
        arguments: Further keyword arguments of the function.

    Input shape:
        Any inputs that the function takes.

    Output shape:
        The outputs of the function.

    Raises:
        TypeError: `function` is not callable.

    Example:
        >>> y = keras.layers.Lambda(lambda x: x * 2)(np.array([1.0], "float32"))
        >>> convert_to_numpy(y).tolist()
        [2.0]
    """

    def __init__(
        self,
        function: Callable[..., Any],
        output_shape: Sequence[int | Sequence[int | None] | None]
        | Callable[..., Any]
        | None = None,
        mask: Tensor | Callable[..., Any] | None = None,
        arguments: dict[str, Any] | None = None,
        **kwargs: Unpack[LayerOptions],
    ):
        super().__init__(**kwargs)
        if not callable(function):
            raise DTypeError(
                "Lambda",
                expected="function: a callable",
                received=f"function={function!r}",
                fix="for example Lambda(lambda x: x * 2)",
            )
        self.function, self.output_shape, self.mask = function, output_shape, mask
        self.arguments = arguments or {}
        self.supports_masking = mask is not None
        named = inspect.signature(function).parameters
        self._takes_mask, self._takes_training = "mask" in named, "training" in named

    def call(self, inputs: Nested, mask: Nested = None, training: bool | None = None) -> Nested:
        """Returns the result of the function."""
        arguments = dict(self.arguments)
        if self._takes_mask:
            arguments["mask"] = mask
        if self._takes_training:
            arguments["training"] = training
        return self.function(inputs, **arguments)

    def compute_output_spec(
        self, inputs: Nested, mask: Nested = None, training: bool | None = None
    ) -> Nested:
        """Returns KerasTensors, of the shapes of `output_shape` if it is set."""
        if self.output_shape is None:
            return infer_spec(self.call, (inputs, mask, training), {})
        shapes = self.output_shape
        received = shape_of(inputs)
        if callable(shapes):
            shapes = shapes(received)
        else:
            batch = tree.flatten(received)[0]
            shapes = map_shapes(lambda shape: (batch, *shape), shapes)
        return symbolic_inputs(shapes, self.compute_dtype)

    @property
    def _makes_masks(self) -> bool:
        return super()._makes_masks and self.mask is not None

    def compute_mask(self, inputs: Nested, mask: Nested = None) -> Nested:
        """Returns the mask of the constructor, or the result of the mask function."""
        return self.mask(inputs, mask) if callable(self.mask) else self.mask

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor, with functions by name.

        Raises:
            ValueError: A function is a Python lambda.
        """
        names = ("function", "output_shape", "mask", "arguments")
        written = {name: serialize_keras_object(getattr(self, name)) for name in names}
        return {**super().get_config(), **written}

    @classmethod
    def from_config(
        cls,
        config: dict[str, Any],
        custom_objects: Mapping[str, Any] | None = None,
        safe_mode: bool | None = None,
    ) -> "Lambda":
        """Creates a layer from a config, as `get_config` returns it.

        Args:
            config: The config.
            custom_objects: Custom classes and functions, by name.
            safe_mode: Has no effect; accepted for compatibility. There is no unsafe mode.

        Raises:
            ValueError: A function is written as code, which is never loaded.
        """
        del safe_mode
        names = ("function", "output_shape", "mask", "arguments")
        read = {
            n: deserialize_keras_object(config[n], custom_objects) for n in names if n in config
        }
        if read.get("output_shape") is not None:
            read["output_shape"] = to_shapes(read["output_shape"])
        return cls(**{**config, **read})

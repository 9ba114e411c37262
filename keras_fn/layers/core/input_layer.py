"""Inputs of a graph of layers."""

from typing import Any, Unpack

from keras_fn.core.dtypes import standardize_dtype
from keras_fn.core.keras_tensor import KerasTensor, standardize_shape
from keras_fn.core.named_dims import split_names
from keras_fn.core.operation import Node
from keras_fn.errors import DTypeError, SpecError
from keras_fn.layers._options import InputLayerOptions
from keras_fn.layers.layer import Layer
from keras_fn.types import DTypeLike, NamedShapeLike, Tensor


class InputLayer(Layer):
    """Input of a graph of layers, for one tensor. `Input` creates it.

    Args:
        shape: Shape of one sample, without the batch axis. None for an axis of any size, or a name
            for it.
        batch_size: Size of the batch axis; None for any.
        dtype: The dtype of the tensor. `floatx()` by default.
        sparse: Whether the tensor is sparse.
        ragged: Whether the tensor is ragged.
        batch_shape: Shape with the batch axis, instead of `shape` and `batch_size`.
        input_tensor: A KerasTensor to use as the input.
        optional: Whether the input may be None.
        name: The name of the layer. Unique by default.

    Raises:
        ValueError: The shape is missing, or given twice; or an argument contradicts
            `input_tensor`.

    Example:
        >>> keras.layers.InputLayer(shape=(3,)).output.shape
        (None, 3)
    """

    _takes_text = True

    def __init__(
        self,
        shape: NamedShapeLike | None = None,
        batch_size: int | None = None,
        dtype: DTypeLike | None = None,
        sparse: bool | None = None,
        ragged: bool | None = None,
        batch_shape: NamedShapeLike | None = None,
        input_tensor: KerasTensor | None = None,
        optional: bool = False,
        name: str | None = None,
        **kwargs: Unpack[InputLayerOptions],
    ):
        if "input_shape" in kwargs:
            shape = kwargs.pop("input_shape")
        if "batch_input_shape" in kwargs:
            batch_shape = kwargs.pop("batch_input_shape")
        super().__init__(name=name, **kwargs)
        if input_tensor is not None:
            received = {"shape": shape, "batch_size": batch_size, "batch_shape": batch_shape}
            received |= {"dtype": dtype, "sparse": sparse, "ragged": ragged}
            _check_against_tensor(input_tensor, **received)
            batch_shape, dtype = input_tensor.shape, input_tensor.dtype
            sparse, ragged = input_tensor.sparse, input_tensor.ragged
            dim_names = input_tensor.dim_names
        elif batch_shape is None:
            if shape is None:
                raise SpecError(
                    "Input",
                    expected="a shape",
                    received="shape=None",
                    fix="for example Input(shape=(784,)) or Input(shape=(None, 8))",
                )
            sizes, names = split_names(shape, "Input")
            batch_shape = (batch_size, *standardize_shape(sizes))
            dim_names = None if names is None else (None, *names)
        elif shape is not None or batch_size is not None:
            raise SpecError(
                "Input",
                expected="shape= (and batch_size=), or batch_shape=, not both",
                received=f"shape={shape}, batch_size={batch_size}, batch_shape={batch_shape}",
                fix="remove one of them",
            )
        else:
            batch_shape, dim_names = split_names(batch_shape, "Input")
        self._tensor_dtype = standardize_dtype(dtype)
        self.batch_shape = standardize_shape(batch_shape)
        self.sparse, self.ragged = bool(sparse), bool(ragged)
        self.optional = bool(optional)
        self.built = True
        tensor = KerasTensor(
            self.batch_shape, self._tensor_dtype, self.sparse, self.ragged, name=self.name
        )
        self.dim_names = tensor.dim_names = dim_names
        Node(self, (), {}, tensor)

    @property
    def dtype(self) -> str:
        """Dtype of the tensor."""
        return self._tensor_dtype

    def call(self, inputs: Tensor | None = None) -> Tensor | None:
        """Returns the inputs."""
        return inputs

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor; names of axes apart, for Keras knows none."""
        names = {} if self.dim_names is None else {"dim_names": self.dim_names}
        return {
            "batch_shape": self.batch_shape,
            "dtype": self._tensor_dtype,
            "sparse": self.sparse,
            "ragged": self.ragged,
            "name": self.name,
            "optional": self.optional,
            **names,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Returns a layer created from a config.

        Args:
            config: The result of `get_config`.
        """
        names = config.get("dim_names")
        if names is None:
            return super().from_config(config)
        shape = _join_names(config.get("batch_shape"), names)
        rest = {key: value for key, value in config.items() if key != "dim_names"}
        return super().from_config({**rest, "batch_shape": shape})


def _join_names(shape: Any, names: Any) -> tuple[Any, ...]:
    """Returns a shape with names in place of unknown sizes, from a config."""
    if (
        not isinstance(shape, (list, tuple))
        or not isinstance(names, (list, tuple))
        or len(shape) != len(names)
        or not all(
            n is None or (isinstance(n, str) and s is None)
            for s, n in zip(shape, names, strict=True)
        )
    ):
        raise SpecError(
            "Input",
            expected="dim_names: a name or None for each axis, and names for unknown sizes only",
            received=f"batch_shape={shape!r}, dim_names={names!r}"[:300],
            fix="the config is damaged",
        )
    return tuple(s if n is None else n for s, n in zip(shape, names, strict=True))


def _check_against_tensor(tensor: Any, **received: Any) -> None:
    """Checks that no argument says something else than the tensor."""
    if not isinstance(tensor, KerasTensor):
        raise DTypeError(
            "Input",
            expected="tensor: a KerasTensor",
            received=f"{type(tensor).__name__} {tensor!r}"[:200],
            fix="pass its shape and dtype instead, or call the model on it",
        )
    batch, *sizes = tensor.shape or (None,)
    actual = {
        "shape": tuple(sizes),
        "batch_size": batch,
        "batch_shape": tensor.shape,
        "dtype": tensor.dtype,
        "sparse": tensor.sparse,
        "ragged": tensor.ragged,
    }
    for name, value in received.items():
        if value is None:
            continue
        if name in ("shape", "batch_shape"):
            value = standardize_shape(value)
        elif name == "dtype":
            value = standardize_dtype(value)
        if value != actual[name]:
            raise SpecError(
                "Input",
                expected=f"{name}={actual[name]!r}, which the tensor has, or no {name}",
                received=f"{name}={value!r}",
                fix=f"remove {name}, or tensor",
            )


def Input(
    shape: NamedShapeLike | None = None,
    batch_size: int | None = None,
    dtype: DTypeLike | None = None,
    sparse: bool | None = None,
    ragged: bool | None = None,
    batch_shape: NamedShapeLike | None = None,
    name: str | None = None,
    tensor: KerasTensor | None = None,
    optional: bool = False,
) -> KerasTensor:
    """Creates an input of a graph: a symbolic tensor, to call layers on.

    Args:
        shape: Shape of one sample, without the batch axis. None for an axis of any size, or a name
            for it: `("time", 64)`. Axes of one name are of one size in each call.
        batch_size: Size of the batch axis; None for any.
        dtype: The dtype of the tensor. `floatx()` by default.
        sparse: Whether the tensor is sparse.
        ragged: Whether the tensor is ragged.
        batch_shape: Shape with the batch axis, instead of `shape` and `batch_size`.
        name: The name of the input, a key for dicts of inputs. Unique by default.
        tensor: A KerasTensor whose shape and dtype the input has.
        optional: Whether the input may be None.

    Returns:
        A KerasTensor of shape `(batch_size, *shape)`.

    Raises:
        ValueError: The shape is missing, or given twice; or an argument contradicts `tensor`.

    Example:
        >>> x = keras.Input(shape=(784,))
        >>> x.shape, x.dtype
        ((None, 784), 'float32')
        >>> keras.layers.LSTM(8, return_sequences=True)(keras.Input(("time", 64))).named_shape
        (None, 'time', 8)
    """
    return InputLayer(
        shape, batch_size, dtype, sparse, ragged, batch_shape, tensor, optional, name
    ).output

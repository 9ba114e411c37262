"""The entrance of a graph."""

from typing import Any, Unpack

from keras_fn.core.dtypes import standardize_dtype
from keras_fn.core.keras_tensor import KerasTensor, standardize_shape
from keras_fn.core.operation import Node
from keras_fn.layers._options import UnnamedLayerOptions
from keras_fn.layers.layer import Layer
from keras_fn.types import Tensor


class InputLayer(Layer):
    """The entrance of a graph, one tensor wide. `Input` makes it.

    Args:
        shape: Shape of one sample, without the batch axis.
        batch_size: Size of the batch axis; None for any.
        dtype: Dtype of the tensor; `floatx()` by default.
        sparse: Whether the tensor is sparse.
        ragged: Whether the tensor is ragged.
        batch_shape: Shape with the batch axis, instead of `shape` and `batch_size`.
        input_tensor: A KerasTensor to take as it is.
        optional: Whether None may be fed.
        name: The name of the layer. Unique by default.

    Example:
        >>> keras.layers.InputLayer(shape=(3,)).output.shape
        (None, 3)
    """

    def __init__(
        self,
        shape: Any = None,
        batch_size: int | None = None,
        dtype: Any = None,
        sparse: bool | None = None,
        ragged: bool | None = None,
        batch_shape: Any = None,
        input_tensor: KerasTensor | None = None,
        optional: bool = False,
        name: str | None = None,
        **kwargs: Unpack[UnnamedLayerOptions],
    ):
        if "input_shape" in kwargs:
            shape = kwargs.pop("input_shape")
        if "batch_input_shape" in kwargs:
            batch_shape = kwargs.pop("batch_input_shape")
        super().__init__(name=name, **kwargs)
        self._tensor_dtype = standardize_dtype(
            input_tensor.dtype if input_tensor is not None and dtype is None else dtype
        )
        if input_tensor is not None:
            batch_shape = input_tensor.shape
        elif batch_shape is None:
            if shape is None:
                raise ValueError(
                    "Input needs a shape.\n  fix: Input(shape=(784,)) for vectors of 784 numbers; "
                    "None for axes of any size"
                )
            batch_shape = (batch_size, *standardize_shape(shape))
        elif shape is not None or batch_size is not None:
            raise ValueError("Input: give shape= (and batch_size=), or batch_shape=, not both.")
        self.batch_shape = standardize_shape(batch_shape)
        self.sparse, self.ragged = bool(sparse), bool(ragged)
        self.optional = bool(optional)
        self.built = True
        tensor = KerasTensor(
            self.batch_shape, self._tensor_dtype, self.sparse, self.ragged, name=self.name
        )
        Node(self, (), {}, tensor)

    @property
    def dtype(self) -> str:
        """Dtype of the tensor."""
        return self._tensor_dtype

    def call(self, inputs: Tensor = None) -> Tensor:
        """Returns the inputs: an entrance computes nothing."""
        return inputs

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {
            "batch_shape": self.batch_shape,
            "dtype": self._tensor_dtype,
            "sparse": self.sparse,
            "ragged": self.ragged,
            "name": self.name,
            "optional": self.optional,
        }


def Input(
    shape: Any = None,
    batch_size: int | None = None,
    dtype: Any = None,
    sparse: bool | None = None,
    ragged: bool | None = None,
    batch_shape: Any = None,
    name: str | None = None,
    tensor: KerasTensor | None = None,
    optional: bool = False,
) -> KerasTensor:
    """Makes the entrance of a graph: a symbolic tensor to call layers on.

    Args:
        shape: Shape of one sample, without the batch axis; None for axes of any size.
        batch_size: Size of the batch axis; None for any.
        dtype: Dtype; `floatx()` by default.
        sparse: Whether the tensor is sparse.
        ragged: Whether the tensor is ragged.
        batch_shape: Shape with the batch axis, instead of `shape` and `batch_size`.
        name: A name, by which inputs may be fed.
        tensor: A KerasTensor to make an entrance of.
        optional: Whether None may be fed.

    Returns:
        A KerasTensor.

    Raises:
        ValueError: No shape, or two.

    Example:
        >>> x = keras.Input(shape=(784,))
        >>> x.shape, x.dtype
        ((None, 784), 'float32')
    """
    return InputLayer(
        shape, batch_size, dtype, sparse, ragged, batch_shape, tensor, optional, name
    ).output

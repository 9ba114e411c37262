"""The symbolic tensor: a shape and a dtype, and the place in the graph that will compute it."""

from typing import TYPE_CHECKING, Any, NamedTuple

from keras_fn.core.dtypes import standardize_dtype
from keras_fn.core.naming import auto_name
from keras_fn.core.operators import Arithmetic

if TYPE_CHECKING:
    from keras_fn.core.operation import Operation

Shape = tuple[int | None, ...]


class KerasHistory(NamedTuple):
    """Where a tensor comes from: output `tensor_index` of the operation's call `node_index`."""

    operation: "Operation"
    node_index: int
    tensor_index: int


class ForeignCall(TypeError):
    """A framework's own function was given a KerasTensor."""


class KerasTensor(Arithmetic):
    """A tensor-to-be: what ops and layers pass along while a graph is built.

    Args:
        shape: Sizes of the axes; None where the size is known at run time only.
        dtype: Name of the dtype.
        sparse: Whether it stands for a sparse tensor.
        ragged: Whether it stands for a ragged tensor.
        record_history: Whether calls on it are recorded. Inside a layer's `call` they are not:
            the layer is one node.
        name: A name; automatic by default.

    Example:
        >>> x = KerasTensor((None, 3))
        >>> (x + 1).shape
        (None, 3)
    """

    _keras_history: KerasHistory
    _keras_mask: "KerasTensor | None" = None

    def __init__(
        self,
        shape: Any,
        dtype: Any = "float32",
        sparse: bool = False,
        ragged: bool = False,
        record_history: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ):
        if kwargs:
            raise TypeError(f"KerasTensor does not take {', '.join(kwargs)}.")
        self.shape = standardize_shape(shape)
        self.dtype = standardize_dtype(dtype)
        self.sparse, self.ragged = bool(sparse), bool(ragged)
        self.record_history = record_history
        self.name = name if name or not record_history else auto_name("keras_tensor")

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int | None:
        """Number of elements, or None when an axis is unknown."""
        size = 1
        for axis in self.shape:
            if axis is None:
                return None
            size *= axis
        return size

    def __repr__(self) -> str:
        return f"<KerasTensor shape={self.shape}, dtype={self.dtype}, name={self.name}>"

    def __iter__(self):
        raise TypeError(_NO_VALUE.format("iterated over"))

    def __bool__(self) -> bool:
        raise TypeError(_NO_VALUE.format("used as a boolean"))

    def __int__(self) -> int:
        raise TypeError(_NO_VALUE.format("turned into an int"))

    __index__ = __int__

    def __float__(self) -> float:
        raise TypeError(_NO_VALUE.format("turned into a float"))

    def __len__(self) -> int:
        if not self.shape or self.shape[0] is None:
            raise TypeError(_NO_VALUE.format("asked for its length"))
        return self.shape[0]

    # The frameworks ask for a value through these four. Inside a layer's call the answer makes
    # the layer run on the backend's abstract values instead (`Operation.compute_output_spec`).
    def __array__(self, *args: Any, **kwargs: Any):
        raise ForeignCall(_FOREIGN)

    def __jax_array__(self, *args: Any):
        raise ForeignCall(_FOREIGN)

    def __tf_tensor__(self, *args: Any, **kwargs: Any):
        raise ForeignCall(_FOREIGN)

    @classmethod
    def __torch_function__(cls, function: Any, types: Any, args: Any = (), kwargs: Any = None):
        raise ForeignCall(_FOREIGN)


def standardize_shape(shape: Any) -> Shape:
    """Returns `shape` as a tuple of ints and None.

    Raises:
        ValueError: It is no shape, or a size is negative.
    """
    try:
        sizes = tuple([None if size is None else size.__index__() for size in shape])
    except (TypeError, AttributeError):
        raise ValueError(
            f"A shape is a tuple of integers and None, for example (None, 3), not {shape!r}."
        ) from None
    for size in sizes:
        if size is not None and size < 0:
            raise ValueError(f"The sizes of a shape cannot be negative: {shape!r}.")
    return sizes


def is_keras_tensor(x: Any) -> bool:
    """Whether `x` is a KerasTensor.

    Example:
        >>> is_keras_tensor(KerasTensor((2,))), is_keras_tensor([1.0])
        (True, False)
    """
    return isinstance(x, KerasTensor)


_NO_VALUE = (
    "A KerasTensor has a shape and a dtype but no value yet, so it cannot be {}. Use "
    "keras_fn.ops (for example ops.where, ops.cond, ops.shape) or put the code in a layer's call."
)
_FOREIGN = (
    "A KerasTensor has no value yet, so a function of NumPy, JAX, PyTorch or TensorFlow cannot "
    "take it. Use the function of that name in keras_fn.ops, or call the framework inside the "
    "call method of a layer of your own."
)

"""`KerasTensor`: the symbolic tensor, with a shape, a dtype and a position in a graph."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, SupportsIndex, Unpack

from keras_fn.core.dtypes import standardize_dtype, stored_dtype
from keras_fn.core.naming import auto_name
from keras_fn.core.operators import OperatorsMixin
from keras_fn.errors import SpecError, unexpected_arguments
from keras_fn.types import DTypeLike, RaggedOptions, Shape

if TYPE_CHECKING:
    from keras_fn.core.operation import Operation


class KerasHistory(NamedTuple):
    """The origin of a tensor: output `tensor_index` of call `node_index` of an operation."""

    operation: "Operation"
    node_index: int
    tensor_index: int


class SymbolicConversionError(TypeError, ValueError):
    """A function of NumPy, JAX, PyTorch or TensorFlow was called on a KerasTensor."""


class KerasTensor(OperatorsMixin):
    """Symbolic tensor: a shape and a dtype without a value, from which graphs are built.

    Args:
        shape: Sizes of the axes; None for a size that is only known at run time.
        dtype: Dtype of the elements. Default `"float32"`. JAX has 64-bit dtypes in its x64 mode
            only; without it, such a tensor has the 32-bit dtype that its values will have.
        sparse: Whether the tensor is sparse. Default False.
        ragged: Whether the tensor is ragged. Default False.
        record_history: Whether calls on the tensor are recorded as nodes of the graph. Inside a
            layer's `call` they are not, because the layer is one node.
        name: Name of the tensor; automatic by default.
        **kwargs: `ragged_rank`, the number of ragged axes, and `row_splits_dtype`, of their splits.

    Raises:
        ValueError: The shape or the dtype is invalid.
        TypeError: There are unknown arguments.

    Example:
        >>> x = KerasTensor((None, 3))
        >>> (x + 1).shape
        (None, 3)
    """

    _keras_history: KerasHistory
    _keras_mask: "KerasTensor | None" = None
    ragged_rank: int | None = None
    row_splits_dtype: str | None = None
    dim_names: tuple[str | None, ...] | None = None
    """The name of each axis that has one: see `Input(shape=("time", 64))`."""

    def __init__(
        self,
        shape: Iterable[SupportsIndex | None],
        dtype: DTypeLike | None = "float32",
        sparse: bool = False,
        ragged: bool = False,
        record_history: bool = True,
        name: str | None = None,
        **kwargs: Unpack[RaggedOptions],
    ):
        if kwargs:
            self._set_ragged_options({**kwargs})
        self.shape = standardize_shape(shape)
        self.dtype = stored_dtype(standardize_dtype(dtype))
        self.sparse, self.ragged = bool(sparse), bool(ragged)
        self.record_history = record_history
        self.name = name if name or not record_history else auto_name("keras_tensor")

    def copy_spec(self, record_history: bool = False) -> "KerasTensor":
        """Returns a new tensor of the same shape and dtype, without the mask and the history."""
        copy = KerasTensor.__new__(KerasTensor)
        copy.shape, copy.dtype = self.shape, self.dtype
        copy.sparse, copy.ragged = self.sparse, self.ragged
        copy.record_history = record_history
        copy.name = auto_name("keras_tensor") if record_history else None
        return copy

    def _set_ragged_options(self, options: dict[str, Any]) -> None:
        rank, dtype = options.pop("ragged_rank", None), options.pop("row_splits_dtype", None)
        if options:
            raise unexpected_arguments("KerasTensor", options)
        self.ragged_rank = None if rank is None else int(rank)
        self.row_splits_dtype = None if dtype is None else standardize_dtype(dtype)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int | None:
        """The number of elements, or None if the size of an axis is unknown."""
        size = 1
        for axis in self.shape:
            if axis is None:
                return None
            size *= axis
        return size

    @property
    def named_shape(self) -> tuple[int | str | None, ...]:
        """The shape, with names in place of the unknown sizes that have one."""
        if self.dim_names is None:
            return self.shape
        pairs = zip(self.shape, self.dim_names, strict=True)
        return tuple(size if name is None else name for size, name in pairs)

    def __repr__(self) -> str:
        return f"<KerasTensor shape={self.named_shape}, dtype={self.dtype}, name={self.name}>"

    def __iter__(self) -> Iterator[Any]:
        raise TypeError(_NO_VALUE.format("iterated over"))

    def __bool__(self) -> bool:
        raise TypeError(_NO_VALUE.format("used as a boolean"))

    def __int__(self) -> int:
        raise TypeError(_NO_VALUE.format("converted to an int"))

    __index__ = __int__

    def __float__(self) -> float:
        raise TypeError(_NO_VALUE.format("converted to a float"))

    def __len__(self) -> int:
        if not self.shape or self.shape[0] is None:
            raise TypeError(_NO_LENGTH)
        return self.shape[0]

    # The frameworks convert an object to a tensor by these four methods. If one of them is called
    # inside a layer's `call`, the layer runs on abstract values of the backend instead (see
    # `Operation.compute_output_spec`).
    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise SymbolicConversionError(_NO_CONVERSION)

    def __jax_array__(self, *args: Any) -> Any:
        raise SymbolicConversionError(_NO_CONVERSION)

    def __tf_tensor__(self, *args: Any, **kwargs: Any) -> Any:
        raise SymbolicConversionError(_NO_CONVERSION)

    @classmethod
    def __torch_function__(
        cls, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        raise SymbolicConversionError(_NO_CONVERSION)


def standardize_shape(shape: Any) -> Shape:
    """Returns a shape as a tuple of ints and None.

    Args:
        shape: Integers (or objects with `__index__`) and None.

    Raises:
        ValueError: It is not a shape, or a size is negative.
    """
    try:
        sizes = tuple([None if size is None else size.__index__() for size in shape])
    except (TypeError, AttributeError):
        raise _shape_error("a tuple of integers and None", shape) from None
    for size in sizes:
        if size is not None and size < 0:
            raise _shape_error("sizes that are not negative", shape)
    return sizes


def _shape_error(expected: str, shape: Any) -> SpecError:
    return SpecError(
        "The shape of a tensor",
        expected=expected,
        received=repr(shape)[:300],
        fix="pass a shape such as (None, 3), with None for a size that is not known yet",
    )


def is_keras_tensor(x: object) -> bool:
    """Returns whether `x` is a `KerasTensor`.

    Example:
        >>> is_keras_tensor(KerasTensor((2,))), is_keras_tensor([1.0])
        (True, False)
    """
    return isinstance(x, KerasTensor)


_NO_VALUE = (
    "A KerasTensor has a shape and a dtype but no value, so it cannot be {}.\n  fix: use keras.ops "
    "(for example ops.where, ops.cond, ops.shape), or move the code into the call of a layer"
)
_NO_LENGTH = (
    "The first axis of this KerasTensor is missing or of unknown size, so it has no length.\n"
    "  fix: use ops.shape(x)[0], which is evaluated at run time"
)
_NO_CONVERSION = (
    "A KerasTensor has no value, so functions of NumPy, JAX, PyTorch and TensorFlow cannot take "
    "it.\n  fix: use the function of that name in keras.ops, or call the framework's function in "
    "the call of a custom layer"
)

"""Python's operators in terms of ops, for `KerasTensor` and `Variable`."""

from typing import Any

from keras_fn.types import Axis, Shape, Tensor, TensorLike

OPS: dict[str, Any] = {}
"""Every op by name. `@op` registers them; operators look them up here, on a lower level."""


class OperatorsMixin:
    """Mixin of Python's operators, which call the op of that name."""

    # The results are `Any` so that type checkers accept the classes as a `Tensor`, whose operators
    # return `Self`.

    def __add__(self, other: TensorLike) -> Any:
        return OPS["add"](self, other)

    def __radd__(self, other: TensorLike) -> Any:
        return OPS["add"](other, self)

    def __sub__(self, other: TensorLike) -> Any:
        return OPS["subtract"](self, other)

    def __rsub__(self, other: TensorLike) -> Any:
        return OPS["subtract"](other, self)

    def __mul__(self, other: TensorLike) -> Any:
        return OPS["multiply"](self, other)

    def __rmul__(self, other: TensorLike) -> Any:
        return OPS["multiply"](other, self)

    def __truediv__(self, other: TensorLike) -> Any:
        return OPS["true_divide"](self, other)

    def __rtruediv__(self, other: TensorLike) -> Any:
        return OPS["true_divide"](other, self)

    def __floordiv__(self, other: TensorLike) -> Any:
        return OPS["floor_divide"](self, other)

    def __rfloordiv__(self, other: TensorLike) -> Any:
        return OPS["floor_divide"](other, self)

    def __mod__(self, other: TensorLike) -> Any:
        return OPS["mod"](self, other)

    def __rmod__(self, other: TensorLike) -> Any:
        return OPS["mod"](other, self)

    def __pow__(self, other: TensorLike) -> Any:
        return OPS["power"](self, other)

    def __rpow__(self, other: TensorLike) -> Any:
        return OPS["power"](other, self)

    def __matmul__(self, other: TensorLike) -> Any:
        return OPS["matmul"](self, other)

    def __rmatmul__(self, other: TensorLike) -> Any:
        return OPS["matmul"](other, self)

    def __and__(self, other: TensorLike) -> Any:
        return OPS["bitwise_and"](self, other)

    def __rand__(self, other: TensorLike) -> Any:
        return OPS["bitwise_and"](other, self)

    def __or__(self, other: TensorLike) -> Any:
        return OPS["bitwise_or"](self, other)

    def __ror__(self, other: TensorLike) -> Any:
        return OPS["bitwise_or"](other, self)

    def __xor__(self, other: TensorLike) -> Any:
        return OPS["bitwise_xor"](self, other)

    def __rxor__(self, other: TensorLike) -> Any:
        return OPS["bitwise_xor"](other, self)

    def __lt__(self, other: TensorLike) -> Any:
        return OPS["less"](self, other)

    def __le__(self, other: TensorLike) -> Any:
        return OPS["less_equal"](self, other)

    def __gt__(self, other: TensorLike) -> Any:
        return OPS["greater"](self, other)

    def __ge__(self, other: TensorLike) -> Any:
        return OPS["greater_equal"](self, other)

    # As in Keras, `==` of two KerasTensors is identity, since they are searched for in lists.
    def __ne__(self, other: object) -> Any:
        return OPS["not_equal"](self, other)

    __hash__ = object.__hash__

    def __eq__(self, other: object) -> Any:
        return self is other

    def __pos__(self) -> Any:
        return self

    def __neg__(self) -> Any:
        return OPS["negative"](self)

    def __invert__(self) -> Any:
        return OPS["bitwise_not"](self)

    def __abs__(self) -> Any:
        return OPS["absolute"](self)

    def __round__(self, ndigits: int | None = None) -> Tensor:
        return OPS["round"](self, decimals=ndigits or 0)

    def __getitem__(self, key: Any) -> Any:
        return OPS["getitem"](self, key)

    @property
    def T(self) -> Tensor:
        """The transpose: the tensor with its axes reversed."""
        return OPS["transpose"](self)

    def reshape(self, newshape: int | Shape, *sizes: int) -> Tensor:
        """Returns `ops.reshape(self, newshape)`.

        Args:
            newshape: The new shape, as one tuple or as separate sizes.
            *sizes: The other sizes.
        """
        return OPS["reshape"](self, (newshape, *sizes) if sizes else newshape)

    def squeeze(self, axis: Axis = None) -> Tensor:
        """Returns `ops.squeeze(self, axis)`."""
        return OPS["squeeze"](self, axis)

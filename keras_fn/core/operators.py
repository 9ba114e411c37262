"""Python's operators, each the op of that name, for KerasTensor and Variable alike."""

from typing import Any

OPS: dict[str, Any] = {}
"""Every op by name. Floor 2 fills it; operators look their op up here."""


class Arithmetic:
    """Operators that call ops."""

    def __add__(self, other: Any) -> Any:
        return OPS["add"](self, other)

    def __radd__(self, other: Any) -> Any:
        return OPS["add"](other, self)

    def __sub__(self, other: Any) -> Any:
        return OPS["subtract"](self, other)

    def __rsub__(self, other: Any) -> Any:
        return OPS["subtract"](other, self)

    def __mul__(self, other: Any) -> Any:
        return OPS["multiply"](self, other)

    def __rmul__(self, other: Any) -> Any:
        return OPS["multiply"](other, self)

    def __truediv__(self, other: Any) -> Any:
        return OPS["true_divide"](self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return OPS["true_divide"](other, self)

    def __floordiv__(self, other: Any) -> Any:
        return OPS["floor_divide"](self, other)

    def __rfloordiv__(self, other: Any) -> Any:
        return OPS["floor_divide"](other, self)

    def __mod__(self, other: Any) -> Any:
        return OPS["mod"](self, other)

    def __rmod__(self, other: Any) -> Any:
        return OPS["mod"](other, self)

    def __pow__(self, other: Any) -> Any:
        return OPS["power"](self, other)

    def __rpow__(self, other: Any) -> Any:
        return OPS["power"](other, self)

    def __matmul__(self, other: Any) -> Any:
        return OPS["matmul"](self, other)

    def __rmatmul__(self, other: Any) -> Any:
        return OPS["matmul"](other, self)

    def __and__(self, other: Any) -> Any:
        return OPS["bitwise_and"](self, other)

    def __rand__(self, other: Any) -> Any:
        return OPS["bitwise_and"](other, self)

    def __or__(self, other: Any) -> Any:
        return OPS["bitwise_or"](self, other)

    def __ror__(self, other: Any) -> Any:
        return OPS["bitwise_or"](other, self)

    def __xor__(self, other: Any) -> Any:
        return OPS["bitwise_xor"](self, other)

    def __rxor__(self, other: Any) -> Any:
        return OPS["bitwise_xor"](other, self)

    def __lt__(self, other: Any) -> Any:
        return OPS["less"](self, other)

    def __le__(self, other: Any) -> Any:
        return OPS["less_equal"](self, other)

    def __gt__(self, other: Any) -> Any:
        return OPS["greater"](self, other)

    def __ge__(self, other: Any) -> Any:
        return OPS["greater_equal"](self, other)

    def __ne__(self, other: Any) -> Any:  # `==` stays identity: graphs key on tensors
        return OPS["not_equal"](self, other)

    __hash__ = object.__hash__

    def __eq__(self, other: object) -> Any:
        return self is other

    def __neg__(self) -> Any:
        return OPS["negative"](self)

    def __invert__(self) -> Any:
        return OPS["bitwise_not"](self)

    def __abs__(self) -> Any:
        return OPS["absolute"](self)

    def __round__(self, digits: int = 0) -> Any:
        return OPS["round"](self, decimals=digits)

    def __getitem__(self, key: Any) -> Any:
        return OPS["getitem"](self, key)

    @property
    def T(self) -> Any:
        """The tensor with its axes reversed."""
        return OPS["transpose"](self)

    def reshape(self, *shape: Any) -> Any:
        """Returns `ops.reshape(self, shape)`; the sizes come as one tuple or as arguments."""
        return OPS["reshape"](self, shape[0] if len(shape) == 1 else shape)

    def squeeze(self, axis: Any = None) -> Any:
        """Returns `ops.squeeze(self, axis)`."""
        return OPS["squeeze"](self, axis)

"""Lists of tensors: arithmetic by `torch._foreach_*`, one call for all tensors."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from keras_fn_torch.tensors import Tensor


def _operand(other: Any) -> Any:
    """Returns the operand for PyTorch: a list for a list; a number or a scalar tensor for all."""
    if type(other) is ForEach:
        return other.tensors
    return float(other) if type(other) is np.float32 else other


def _binary(function: Callable[..., Any]) -> Callable[..., Any]:
    def method(self: "ForEach", other: Any) -> "ForEach":
        return ForEach(function(self.tensors, _operand(other)))

    return method


def _in_place(function: Callable[..., Any]) -> Callable[..., Any]:
    def method(self: "ForEach", other: Any) -> "ForEach":
        function(self.tensors, _operand(other))
        return self

    return method


def _unary(function: Callable[..., Any]) -> Callable[..., Any]:
    def method(self: "ForEach") -> "ForEach":
        return ForEach(function(self.tensors))

    return method


class ForEach:
    """A list of tensors with the arithmetic of one tensor; see the contract.

    The other operand is another such list, a number or a scalar tensor. `+=` and the other in-place
    operators change the tensors themselves.
    """

    __slots__ = ("tensors",)
    no_grad = staticmethod(torch.no_grad)

    @staticmethod
    def scalar(x: Tensor) -> Any:
        """Returns a scalar tensor on the CPU as a number, which saves calls of PyTorch."""
        if not x.is_cpu or torch.compiler.is_compiling():
            return x
        return np.float32(x.item())  # rounds as the tensor does

    @staticmethod
    def match_memory_format(tensors: Sequence[Tensor], others: Sequence[Tensor]) -> None:
        """Gives tensors the strides of others of their shapes."""
        for x, other in zip(tensors, others, strict=True):
            if x.shape == other.shape and x.stride() != other.stride():
                x.data = torch.empty_like(other, dtype=x.dtype).copy_(x)

    def __init__(self, tensors: Sequence[Tensor]):
        self.tensors = tensors

    __add__ = __radd__ = _binary(torch._foreach_add)
    __mul__ = __rmul__ = scale = _binary(torch._foreach_mul)
    __truediv__ = _binary(torch._foreach_div)
    __pow__ = power = _binary(torch._foreach_pow)
    __iadd__ = _in_place(torch._foreach_add_)
    __imul__ = _in_place(torch._foreach_mul_)
    __itruediv__ = _in_place(torch._foreach_div_)
    __neg__ = _unary(torch._foreach_neg)
    add_scalar = __add__

    # PyTorch has no `_foreach_sub` of a scalar tensor.
    def __sub__(self, other: Any) -> "ForEach":
        if isinstance(other, Tensor):
            return self + -other
        return ForEach(torch._foreach_sub(self.tensors, _operand(other)))

    def __isub__(self, other: Any) -> "ForEach":
        if isinstance(other, Tensor):
            self += -other
        else:
            torch._foreach_sub_(self.tensors, _operand(other))
        return self

    def __rsub__(self, other: Any) -> "ForEach":
        return -self + other

    def __rtruediv__(self, other: Any) -> "ForEach":
        return ForEach(torch._foreach_reciprocal(self.tensors)) * other

    sqrt = _unary(torch._foreach_sqrt)
    sign = _unary(torch._foreach_sign)
    absolute = _unary(torch._foreach_abs)
    maximum = _binary(torch._foreach_maximum)

    def square(self) -> "ForEach":
        """Returns the squares of all elements."""
        return ForEach(torch._foreach_mul(self.tensors, self.tensors))

    def clip(self, low: float, high: float) -> "ForEach":
        """Returns all elements clipped to [low, high]."""
        clipped = torch._foreach_clamp_min(self.tensors, low)
        torch._foreach_clamp_max_(clipped, high)
        return ForEach(clipped)

    def sub_scaled(self, direction: "ForEach", rate: Any) -> "ForEach":
        """Updates all tensors in place: `x -= direction * rate`."""
        if isinstance(rate, Tensor):
            self -= direction * rate
        else:
            torch._foreach_add_(self.tensors, direction.tensors, alpha=-float(rate))
        return self

    def lerp(self, end: "ForEach", weight: float) -> "ForEach":
        """Interpolates all tensors in place: `x += (target - x) * rate`."""
        torch._foreach_lerp_(self.tensors, end.tensors, weight)
        return self

    def lerp_square(self, end: "ForEach", weight: float) -> "ForEach":
        """Interpolates all tensors in place: `x += (target ** 2 - x) * rate`."""
        torch._foreach_mul_(self.tensors, 1 - weight)
        torch._foreach_addcmul_(self.tensors, end.tensors, end.tensors, weight)
        return self

    def sub_scaled_ratio(
        self, numerator: "ForEach", denominator: "ForEach", rate: Any
    ) -> "ForEach":
        """Updates all tensors in place: `x -= direction / divisor * rate`."""
        if isinstance(rate, Tensor):
            return self.sub_scaled(numerator / denominator, rate)
        torch._foreach_addcdiv_(self.tensors, numerator.tensors, denominator.tensors, -float(rate))
        return self

    def norm(self) -> "ForEach":
        """Returns the Euclidean norm of each tensor."""
        return ForEach(torch._foreach_norm(self.tensors, 2, _norm_dtype(self.tensors)))

    def total_norm(self) -> Tensor:
        """Returns the Euclidean norm of all tensors together."""
        return torch.linalg.vector_norm(torch.stack(list(self.norm().tensors)))

    def assign(self, other: "ForEach") -> None:
        """Copies the values of another list; does nothing if it is this list."""
        if other is not self:
            torch._foreach_copy_(self.tensors, other.tensors)


def _norm_dtype(tensors: Sequence[Tensor]) -> torch.dtype:
    return torch.float64 if tensors[0].dtype is torch.float64 else torch.float32

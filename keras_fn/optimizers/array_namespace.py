"""The type of `xp`, the functions that update rules call in addition to operators."""

from typing import Protocol

from keras_fn.types import Scalar, Tensor


class ArrayNamespace(Protocol):
    """Functions of one tensor, or of a list of tensors that is updated in one call.

    `keras_fn.optimizers.single_tensor` has them for one tensor, the `foreach` type of a backend
    (see `keras_fn.backend.contract.ForEach`) for a list.
    """

    def sqrt(self, x: Tensor, /) -> Tensor: ...
    def square(self, x: Tensor, /) -> Tensor: ...
    def sign(self, x: Tensor, /) -> Tensor: ...
    def absolute(self, x: Tensor, /) -> Tensor: ...
    def maximum(self, x: Tensor, y: Tensor | Scalar, /) -> Tensor: ...
    def clip(self, x: Tensor, low: float, high: float, /) -> Tensor: ...
    def power(self, x: Tensor, exponent: Tensor | Scalar, /) -> Tensor: ...
    def scalar(self, x: Tensor, /) -> Tensor:
        """Returns a scalar tensor as a number if that does not block, otherwise `x`."""
        ...

    def scale(self, x: Tensor, factor: Tensor | Scalar, /) -> Tensor:
        """Returns `x * factor` in the dtype of `x`."""
        ...

    def sub_scaled(self, x: Tensor, direction: Tensor, rate: Tensor | Scalar, /) -> Tensor:
        """Returns `x - direction * rate`, for a scalar rate. Like `-=`, it may overwrite `x`."""
        ...

    def lerp(self, x: Tensor, end: Tensor, weight: float, /) -> Tensor:
        """Returns `x + (end - x) * weight`. Like `+=`, it may overwrite `x`."""
        ...

    def lerp_square(self, x: Tensor, end: Tensor, weight: float, /) -> Tensor:
        """Returns `x + (end**2 - x) * weight`. It may overwrite `x`."""
        ...

    def sub_scaled_ratio(
        self, x: Tensor, numerator: Tensor, denominator: Tensor, rate: Tensor | Scalar, /
    ) -> Tensor:
        """Returns `x - numerator / denominator * rate`. It may overwrite `x`."""
        ...

    def norm(self, x: Tensor, /) -> Tensor:
        """Returns the Euclidean norm: a scalar tensor, or one for each tensor of a list."""
        ...

    def total_norm(self, x: Tensor, /) -> Tensor:
        """Returns the Euclidean norm of all elements: a scalar tensor."""
        ...

    def add_scalar(self, x: Tensor, offset: Tensor | Scalar, /) -> Tensor:
        """Returns `x + offset` in the dtype of `x`."""
        ...

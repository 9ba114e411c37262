"""Complex numbers: their parts, and how they are made of them."""

from __future__ import annotations

from typing import Any

from keras_fn.core import dtypes
from keras_fn.errors import SpecError
from keras_fn.ops._op import Rule, TensorSpec, op, spec_of
from keras_fn.ops._rules import broadcast, like, magnitude, predicate, real_type
from keras_fn.ops.arithmetic import as_tensors, multiply
from keras_fn.ops.creation import zeros_like
from keras_fn.ops.indexing import getitem
from keras_fn.ops.logic import equal
from keras_fn.ops.manipulation import stack
from keras_fn.ops.trigonometric import arctan2, cos, sin
from keras_fn.types import Tensor, TensorLike


def is_complex(x: TensorLike) -> bool:
    """Whether `x` is a tensor of complex numbers."""
    return spec_of(x).dtype in dtypes.COMPLEX


def _part_type(*operands: Any) -> str:
    """The dtype of parts that make complex numbers: 32 bits, or 64."""
    return "float64" if dtypes.float_type(*operands) == "float64" else "float32"


def _complex_type(*operands: Any) -> str:
    return "complex128" if _part_type(*operands) == "float64" else "complex64"


def _view_as_complex(x: TensorSpec) -> TensorSpec:
    if not x.shape or x.shape[-1] not in (2, None):
        raise SpecError(
            "ops.view_as_complex",
            expected="a last axis of size 2: the real and the imaginary part",
            received=f"shape {x.shape}",
            fix="put the parts along the last axis, with ops.stack",
        )
    return TensorSpec(x.shape[:-1], _complex_type(x.dtype))


@op(rule=Rule(_view_as_complex, promote=_part_type))
def view_as_complex(x: TensorLike) -> Tensor:
    """Complex numbers from pairs of real and imaginary parts.

    Args:
        x: Tensor of shape `(..., 2)`.

    Returns:
        A tensor of shape `(...)`: complex128 if `x` is float64, else complex64.

    Raises:
        ValueError: The last axis has another size than 2.

    Example:
        >>> convert_to_numpy(view_as_complex([[1.0, 2.0]])).tolist()
        [(1+2j)]
    """
    ...


@op(rule=Rule(lambda x: TensorSpec((*x.shape, 2), real_type(x.dtype))))
def view_as_real(x: TensorLike) -> Tensor:
    """Real and imaginary parts side by side, along a new last axis.

    Args:
        x: Tensor of any shape. The imaginary part of real numbers is 0.

    Returns:
        A tensor of shape `(*x.shape, 2)`.

    Example:
        >>> convert_to_numpy(view_as_real(view_as_complex([1.0, 2.0]))).tolist()
        [1.0, 2.0]
    """
    ...


@op(rule=magnitude)
def real(x: TensorLike) -> Tensor:
    """Real part; real numbers as they are.

    Example:
        >>> float(real(view_as_complex([1.0, 2.0])))
        1.0
    """
    return getitem(view_as_real(x), (..., 0)) if is_complex(x) else x


@op(rule=magnitude)
def imag(x: TensorLike) -> Tensor:
    """Imaginary part, which is 0 for real numbers.

    Example:
        >>> float(imag(view_as_complex([1.0, 2.0])))
        2.0
    """
    return getitem(view_as_real(x), (..., 1)) if is_complex(x) else zeros_like(x)


@op(rule=like)
def conjugate(x: TensorLike) -> Tensor:
    """Complex conjugate: the sign of the imaginary part changes.

    Example:
        >>> convert_to_numpy(conjugate(view_as_complex([[1.0, 2.0]]))).tolist()
        [(1-2j)]
    """
    return view_as_complex(multiply(view_as_real(x), [1.0, -1.0])) if is_complex(x) else x


conj = conjugate


@op(rule=Rule(lambda x: TensorSpec(x.shape, dtypes.float_type(real_type(x.dtype)))))
def angle(x: TensorLike) -> Tensor:
    """Angle of each complex number in radians: 0 for positive numbers, pi for negative ones.

    Example:
        >>> print(convert_to_numpy(angle([1.0, -1.0])).round(3))
        [0.    3.142]
    """
    return arctan2(imag(x), real(x))


@op(rule=predicate)
def isreal(x: TensorLike) -> Tensor:
    """Whether the imaginary part of each element is 0.

    Example:
        >>> convert_to_numpy(isreal(view_as_complex([[1.0, 0.0], [1.0, 2.0]]))).tolist()
        [True, False]
    """
    return equal(imag(x), 0)


def _polar(abs_: TensorSpec, angle: TensorSpec) -> TensorSpec:
    return TensorSpec(broadcast(abs_.shape, angle.shape), _complex_type(abs_.dtype, angle.dtype))


@op(rule=Rule(_polar, promote=_part_type))
def polar(abs_: TensorLike, angle: TensorLike) -> Tensor:
    """The complex numbers `abs_ * exp(1j * angle)`.

    Args:
        abs_: Lengths.
        angle: Angles in radians, of a shape that broadcasts with that of `abs_`.

    Example:
        >>> convert_to_numpy(polar([2.0], [0.0])).tolist()
        [(2+0j)]
    """
    abs_, angle = as_tensors(abs_, angle)
    return view_as_complex(stack([multiply(abs_, cos(angle)), multiply(abs_, sin(angle))], -1))

"""Complex numbers: construction, parts, conjugate, angle."""

from __future__ import annotations

from typing import Any

from keras_fn.core import dtypes
from keras_fn.errors import SpecError
from keras_fn.ops._op import Rule, TensorSpec, op, spec_of
from keras_fn.ops._rules import broadcast, like, magnitude, predicate, real_type
from keras_fn.ops.arithmetic import multiply, promote_scalars
from keras_fn.ops.core import convert_to_tensor
from keras_fn.ops.creation import zeros_like
from keras_fn.ops.indexing import getitem
from keras_fn.ops.joining_splitting import stack
from keras_fn.ops.logic import equal
from keras_fn.ops.trigonometric import arctan2, cos, sin
from keras_fn.types import Tensor, TensorLike


def is_complex(x: TensorLike) -> bool:
    """Returns whether `x` has a complex dtype."""
    return spec_of(x).dtype in dtypes.COMPLEX


def _part_type(*operands: Any) -> str:
    """Returns the dtype of the real and imaginary parts of a complex number."""
    return "float64" if dtypes.float_type(*operands) == "float64" else "float32"


def _complex_type(*operands: Any) -> str:
    return "complex128" if _part_type(*operands) == "float64" else "complex64"


def _view_as_complex_spec(x: TensorSpec) -> TensorSpec:
    if not x.shape or x.shape[-1] not in (2, None):
        raise SpecError(
            "ops.view_as_complex",
            expected="a last axis of size 2: the real and the imaginary part",
            received=f"shape {x.shape}",
            fix="stack the parts along the last axis, with ops.stack",
        )
    return TensorSpec(x.shape[:-1], _complex_type(x.dtype))


@op(rule=Rule(_view_as_complex_spec, promote=_part_type))
def view_as_complex(x: TensorLike) -> Tensor:
    """Combines real and imaginary parts along the last axis into complex numbers.

    Args:
        x: Tensor of shape `(..., 2)`.

    Returns:
        Tensor of shape `(...)`: complex128 if `x` is float64, else complex64.

    Raises:
        ValueError: The size of the last axis is not 2.

    Example:
        >>> convert_to_numpy(view_as_complex([[1.0, 2.0]])).tolist()
        [(1+2j)]
    """
    ...


@op(rule=Rule(lambda x: TensorSpec((*x.shape, 2), real_type(x.dtype))))
def view_as_real(x: TensorLike) -> Tensor:
    """Splits complex numbers into real and imaginary parts along a new last axis.

    Args:
        x: Tensor of any shape. The imaginary part of real numbers is 0.

    Returns:
        Tensor of shape `(*x.shape, 2)`, of the real dtype.

    Example:
        >>> convert_to_numpy(view_as_real(view_as_complex([1.0, 2.0]))).tolist()
        [1.0, 2.0]
    """
    ...


@op(rule=magnitude)
def real(x: TensorLike) -> Tensor:
    """Real part, element by element; real numbers are left as they are.

    Example:
        >>> float(real(view_as_complex([1.0, 2.0])))
        1.0
    """
    return getitem(view_as_real(x), (..., 0)) if is_complex(x) else convert_to_tensor(x)


@op(rule=magnitude)
def imag(x: TensorLike) -> Tensor:
    """Imaginary part, element by element; 0 for real numbers.

    Example:
        >>> float(imag(view_as_complex([1.0, 2.0])))
        2.0
    """
    return getitem(view_as_real(x), (..., 1)) if is_complex(x) else zeros_like(x)


@op(rule=like)
def conjugate(x: TensorLike) -> Tensor:
    """Complex conjugate, element by element: negates the imaginary part.

    Example:
        >>> convert_to_numpy(conjugate(view_as_complex([[1.0, 2.0]]))).tolist()
        [(1-2j)]
    """
    if not is_complex(x):
        return convert_to_tensor(x)
    return view_as_complex(multiply(view_as_real(x), [1.0, -1.0]))


conj = conjugate


@op(rule=Rule(lambda x: TensorSpec(x.shape, dtypes.float_type(real_type(x.dtype)))))
def angle(x: TensorLike) -> Tensor:
    """Argument (phase angle) of complex numbers in radians, element by element.

    Returns:
        Float tensor of the shape of `x`: 0 for positive real numbers, pi for negative ones.

    Example:
        >>> print(convert_to_numpy(angle([1.0, -1.0])).round(3))
        [0.    3.142]
    """
    return arctan2(imag(x), real(x))


@op(rule=predicate)
def isreal(x: TensorLike) -> Tensor:
    """Tests each element for being real: an imaginary part of 0.

    Example:
        >>> convert_to_numpy(isreal(view_as_complex([[1.0, 0.0], [1.0, 2.0]]))).tolist()
        [True, False]
    """
    return equal(imag(x), 0)


def _polar_spec(abs_: TensorSpec, angle: TensorSpec) -> TensorSpec:
    return TensorSpec(broadcast(abs_.shape, angle.shape), _complex_type(abs_.dtype, angle.dtype))


@op(rule=Rule(_polar_spec, promote=_part_type))
def polar(abs_: TensorLike, angle: TensorLike) -> Tensor:
    """Complex numbers from polar coordinates: `abs_ * exp(1j * angle)`.

    Args:
        abs_: Moduli: a float tensor.
        angle: Angles in radians, of a shape that broadcasts with `abs_`.

    Returns:
        Tensor of the broadcast shape: complex128 for float64 operands, else complex64.

    Example:
        >>> convert_to_numpy(polar([2.0], [0.0])).tolist()
        [(2+0j)]
    """
    abs_, angle = promote_scalars(abs_, angle)
    return view_as_complex(stack([multiply(abs_, cos(angle)), multiply(abs_, sin(angle))], -1))

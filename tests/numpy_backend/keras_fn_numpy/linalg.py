"""Linear algebra: products, decompositions, solvers."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from keras_fn.core.linalg_errors import (
    not_positive_definite_error,
    rank_tolerance,
    singular_matrix_error,
)
from keras_fn_numpy.dtype_fallback import in_float32
from keras_fn_numpy.tensors import convert_to_tensor, dtype_name

det = in_float32(np.linalg.det)

eig = in_float32(lambda x: np.linalg.eig(x + 0j))

qr = in_float32(np.linalg.qr)

slogdet = in_float32(np.linalg.slogdet)

svd = in_float32(np.linalg.svd)


def _reraise_linalg_error(error: Callable[[str], Exception]) -> Callable[..., Any]:
    """Decorator: raises the error of all backends instead of NumPy's."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def call(*args: Any, **options: Any) -> Any:
            try:
                return function(*args, **options)
            except np.linalg.LinAlgError as refusal:
                if "must be" in str(refusal):  # a shape error, which the op's rule explains
                    raise
                raise error(f"ops.{function.__name__}") from None

        return in_float32(call)

    return decorate


inv, solve = map(_reraise_linalg_error(singular_matrix_error), (np.linalg.inv, np.linalg.solve))


@_reraise_linalg_error(singular_matrix_error)
def solve_triangular(a: Any, b: Any, lower: bool = False) -> Any:
    """`np.linalg.solve` with the other triangle set to zero."""
    return np.linalg.solve((np.tril if lower else np.triu)(a[..., :, :]), b)


def _symmetric(x: Any) -> Any:
    """Returns the symmetric part: NumPy reads one triangle only."""
    return (x + x.swapaxes(-1, -2).conj()) / 2


@_reraise_linalg_error(not_positive_definite_error)
def cholesky(x: Any, upper: bool = False) -> Any:
    """`np.linalg.cholesky` of the symmetric part."""
    return np.linalg.cholesky(_symmetric(x), upper=upper)


@in_float32
def eigh(x: Any) -> Any:
    """`np.linalg.eigh` of the symmetric part."""
    return tuple(np.linalg.eigh(_symmetric(x)))


def pinv(x: Any, rcond: float | None = None) -> Any:
    """`np.linalg.pinv`, with the default tolerance of the dtype of `x`."""
    if rcond is None:
        rcond = rank_tolerance(dtype_name(x), *x.shape[-2:], factor=10)
    return in_float32(np.linalg.pinv)(x, rcond)


def lu_factor(x: Any) -> tuple[Any, Any]:
    """LU decomposition with partial pivoting; the pivots stay integers."""
    rows, columns = x.shape[-2:]
    pivots = np.zeros((*x.shape[:-2], min(rows, columns)), "int32")

    @in_float32
    def factor(lu: Any) -> Any:
        for i in range(pivots.shape[-1]):
            pivots[..., i] = best = i + np.argmax(np.abs(lu[..., i:, i]), -1)
            order = np.array(np.broadcast_to(np.arange(rows), (*best.shape, rows)))
            np.put_along_axis(order, best[..., None], i, -1)
            order[..., i] = best
            lu = np.take_along_axis(lu, order[..., None], -2)
            pivot = lu[..., i, i, None]
            lu[..., i + 1 :, i] /= np.where(pivot == 0, 1, pivot)
            lu[..., i + 1 :, i + 1 :] -= lu[..., i + 1 :, i, None] * lu[..., i, None, i + 1 :]
        return lu

    return factor(x), convert_to_tensor(pivots)


einsum = in_float32(np.einsum)

matmul = in_float32(np.matmul)

tensordot = in_float32(np.tensordot)

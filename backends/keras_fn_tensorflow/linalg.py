"""Linear algebra: products, decompositions, solvers."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import tensorflow as tf
from tensorflow import raw_ops as raw

from keras_fn.core.linalg_errors import (
    complex_type,
    not_positive_definite_error,
    rank_tolerance,
    singular_matrix_error,
)
from keras_fn_tensorflow.dtype_fallback import in_float32, product_in_float32, through_int64
from keras_fn_tensorflow.manipulation import reshape
from keras_fn_tensorflow.tensors import dtype_name, native_dtype, shape


def _reraise_singular(source: str = "") -> Callable[..., Any]:
    """Decorator: raises our error for a singular matrix; returns NaN for one that is not finite."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @in_float32
        @wraps(function)
        def call(a: Any, *rest: Any, **options: Any) -> Any:
            try:
                return function(a, *rest, **options)
            except tf.errors.InvalidArgumentError as refusal:
                if not any(words in str(refusal) for words in _REFUSALS):
                    raise
                if tf.reduce_all(tf.math.is_finite(tf.abs(a))):
                    if source:
                        raise singular_matrix_error(source) from None
                    raise
            regular = tf.zeros_like(a) + tf.eye(a.shape[-1], dtype=a.dtype)
            results = function(regular, *rest, **options)
            return tf.nest.map_structure(lambda x: x * tf.cast(float("nan"), x.dtype), results)

        return call

    return decorate


_REFUSALS = ("not invertible", "not successful")


def _symmetric(x: Any) -> tf.Tensor:
    return (x + tf.linalg.adjoint(x)) / 2


@in_float32
def cholesky(x: Any, upper: bool = False) -> tf.Tensor:
    """`raw.Cholesky` of the symmetric part; raises if it failed, which TensorFlow does not."""
    factor = raw.Cholesky(input=_symmetric(x))
    if tf.executing_eagerly() and not tf.reduce_all(tf.math.is_finite(tf.abs(factor))):
        raise not_positive_definite_error("ops.cholesky")
    factor = tf.linalg.band_part(factor, -1, 0)  # the upper triangle is undefined
    return tf.linalg.adjoint(factor) if upper else factor


@_reraise_singular("ops.inv")
def inv(x: Any) -> tf.Tensor:
    """`raw.MatrixInverse`."""
    return raw.MatrixInverse(input=x)


def _system(a: Any, b: Any, solver: Callable[..., Any]) -> tf.Tensor:
    """Solves with batch axes that broadcast, or for one vector."""
    columns = tf.expand_dims(b, 1) if b.shape.rank == 1 else b
    if a.shape.rank != 2 or columns.shape.rank != 2:
        batch = tf.broadcast_dynamic_shape(tf.shape(a)[:-2], tf.shape(columns)[:-2])
        a = tf.broadcast_to(a, tf.concat([batch, tf.shape(a)[-2:]], 0))
        columns = tf.broadcast_to(columns, tf.concat([batch, tf.shape(columns)[-2:]], 0))
    x = solver(matrix=a, rhs=columns)
    return tf.squeeze(x, -1) if b.shape.rank == 1 else x


@_reraise_singular("ops.solve")
def solve(a: Any, b: Any) -> tf.Tensor:
    """`raw.MatrixSolve`."""
    return _system(a, b, raw.MatrixSolve)


@in_float32
def solve_triangular(a: Any, b: Any, lower: bool = False) -> tf.Tensor:
    """`raw.MatrixTriangularSolve`; raises for zeros on the diagonal."""
    if tf.executing_eagerly() and tf.reduce_any(tf.linalg.diag_part(a) == 0):
        raise singular_matrix_error("ops.solve_triangular")
    return _system(a, b, lambda **system: raw.MatrixTriangularSolve(lower=lower, **system))


@in_float32
def det(x: Any) -> tf.Tensor:
    """`raw.MatrixDeterminant`, with a gradient for singular matrices, too."""

    @tf.custom_gradient
    def run(x: Any) -> Any:
        return raw.MatrixDeterminant(input=x), lambda upstream: _cofactors(x, upstream)

    return run(x)


def _cofactors(x: Any, upstream: Any) -> tf.Tensor:
    s, u, v = tf.linalg.svd(x)
    below = tf.math.cumprod(s, -1, exclusive=True)
    others = below * tf.math.cumprod(s, -1, exclusive=True, reverse=True)
    sign = tf.math.conj(raw.MatrixDeterminant(input=u)) * raw.MatrixDeterminant(input=v)
    scaled = u * tf.expand_dims(tf.cast(others, x.dtype), -2)
    weight = tf.reshape(upstream * sign, [*shape(upstream), 1, 1])
    return weight * (scaled @ tf.linalg.adjoint(v))


@in_float32
def slogdet(x: Any) -> tuple[tf.Tensor, tf.Tensor]:
    """`raw.LogMatrixDeterminant`."""
    sign, logarithm = raw.LogMatrixDeterminant(input=x)
    return sign, logarithm if not x.dtype.is_complex else tf.math.real(logarithm)


@_reraise_singular()
def eig(x: Any) -> tuple[tf.Tensor, tf.Tensor]:
    """`raw.Eig`."""
    return tuple(raw.Eig(input=x, Tout=native_dtype(complex_type(dtype_name(x)))))


@_reraise_singular()
def eigh(x: Any) -> tuple[tf.Tensor, tf.Tensor]:
    """`raw.SelfAdjointEigV2` of the symmetric part: TensorFlow reads one triangle."""
    w, v = raw.SelfAdjointEigV2(input=_symmetric(x))
    return tf.math.real(w), v


@in_float32
def qr(x: Any, mode: str = "reduced") -> tuple[tf.Tensor, tf.Tensor]:
    """`raw.Qr`."""
    return tuple(raw.Qr(input=x, full_matrices={"reduced": False, "complete": True}[mode]))


@in_float32
def svd(x: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """`raw.Svd`; full matrices are completed by QR, as TensorFlow differentiates few of them."""
    s, u, v = raw.Svd(input=x, compute_uv=compute_uv, full_matrices=False)
    s = tf.math.real(s)
    if not compute_uv:
        return s
    if full_matrices:
        u, v = _complete_basis(u), _complete_basis(v)
    return u, s, tf.linalg.adjoint(v)


def _complete_basis(q: Any) -> tf.Tensor:
    """Extends orthonormal columns to a square matrix."""
    if q.shape[-2] is not None and q.shape[-2] == q.shape[-1]:
        return q
    full, _ = raw.Qr(input=tf.stop_gradient(q), full_matrices=True)
    return tf.concat([q, full[..., tf.shape(q)[-1] :]], -1)


@in_float32
def pinv(x: Any, rcond: float | None = None) -> tf.Tensor:
    """Pseudoinverse by SVD, with a gradient that is finite for equal singular values, too."""
    if rcond is None:
        unit = rank_tolerance(dtype_name(x), 1, 1, factor=10)
        rows, columns = shape(x)[-2:]
        rcond = unit * tf.cast(tf.maximum(rows, columns), x.dtype.real_dtype)
    return _pinv(x, rcond)


def _pinv(x: Any, rcond: Any) -> tf.Tensor:
    @tf.custom_gradient
    def run(x: Any) -> Any:
        s, u, v = raw.Svd(input=x)
        s = tf.math.real(s)
        significant = s > rcond * s[..., :1]
        inverse = tf.where(significant, 1 / tf.where(significant, s, 1), 0)
        result = (v * tf.expand_dims(tf.cast(inverse, x.dtype), -2)) @ tf.linalg.adjoint(u)
        return result, lambda upstream: _pinv_gradient(x, rcond, upstream)

    return run(x)


def _pinv_gradient(x: Any, rcond: Any, upstream: Any) -> tf.Tensor:
    p = _pinv(x, rcond)  # recomputed, so that it can be differentiated again
    ph, gh = tf.linalg.adjoint(p), tf.linalg.adjoint(upstream)
    left = gh @ p @ ph
    right = ph @ p @ gh
    return left - x @ (p @ left) + right - (right @ p) @ x - ph @ upstream @ ph


@in_float32
def lu_factor(x: Any) -> tuple[tf.Tensor, tf.Tensor]:
    """Gaussian elimination: `raw.Lu` has no gradient and refuses singular matrices."""
    return _gaussian_elimination(x)


@tf.function(autograph=False)
def _gaussian_elimination(x: Any) -> tuple[tf.Tensor, tf.Tensor]:
    rank = x.shape.rank
    rows, columns = shape(x)[-2:]
    steps = tf.minimum(rows, columns) if None in x.shape[-2:] else min(rows, columns)
    down, right = tf.range(rows), tf.range(columns)

    def step(k: Any, lu: Any, pivots: Any) -> Any:
        column = tf.abs(tf.gather(lu, k, axis=-1))
        size = tf.where(down < k, tf.constant(-1, column.dtype), column)
        pivot = tf.expand_dims(tf.argmax(size, -1, tf.int32), -1)
        order = tf.where(down == k, pivot, tf.where(down == pivot, k, down))
        lu = tf.gather(lu, order, axis=-2, batch_dims=rank - 2)
        row, column = tf.gather(lu, [k], axis=-2), tf.gather(lu, [k], axis=-1)
        top = tf.gather(row, [k], axis=-1)
        factors = column / tf.where(top == 0, tf.ones_like(top), top)
        below = (down > k)[:, None]
        change = tf.where(below & (right > k), factors * row, 0)
        lu = tf.where(below & (right == k), factors, lu - change)
        lu = tf.ensure_shape(lu, x.shape)
        return k + 1, lu, tf.where(tf.range(steps) == k, pivot, pivots)

    pivots = tf.zeros(tf.concat([tf.shape(x)[:-2], [steps]], 0), tf.int32)
    pivots = tf.ensure_shape(pivots, [*x.shape[:-2], steps if isinstance(steps, int) else None])
    _, lu, pivots = tf.while_loop(
        lambda k, *_: k < steps, step, (0, x, pivots), maximum_iterations=steps
    )
    return lu, pivots


@through_int64
def matmul(x1: Any, x2: Any) -> tf.Tensor:
    """Matrix product; a matrix on the right is one product over all leading axes."""
    rank1, rank2 = x1.shape.rank, x2.shape.rank
    if rank1 == rank2 == 2:
        return raw.MatMul(a=x1, b=x2)
    if rank1 == 1:
        return tf.squeeze(matmul(tf.expand_dims(x1, 0), x2), -1 if rank2 == 1 else -2)
    if rank2 == 1:
        return tf.squeeze(matmul(x1, tf.expand_dims(x2, 1)), -1)
    if rank2 > 2 or x1.shape[-1] == 0:
        return _batch_matmul(x1, x2)
    # One large product: the gradient of a batch of small ones is slow.
    rows = raw.MatMul(a=tf.reshape(x1, [-1, x1.shape[-1]]), b=x2)
    return reshape(rows, [*shape(x1)[:-1], x2.shape[-1]])


@product_in_float32
def _batch_matmul(x1: Any, x2: Any) -> tf.Tensor:
    return raw.BatchMatMulV2(x=x1, y=x2)


def tensordot(x1: Any, x2: Any, axes: Any = 2) -> tf.Tensor:
    """`tf.tensordot`, with negative axes, too."""
    if not isinstance(axes, int):
        left, right = ([a] if isinstance(a, int) else a for a in axes)
        axes = [[a % x1.shape.rank for a in left], [a % x2.shape.rank for a in right]]
    return through_int64(tf.tensordot)(x1, x2, axes=axes)


def einsum(subscripts: str, *operands: Any) -> tf.Tensor:
    """`tf.einsum`."""
    subscripts = subscripts.replace(" ", "")
    in_wider_dtype = in_float32 if len(operands) == 1 else product_in_float32
    return in_wider_dtype(through_int64(lambda *tensors: tf.einsum(subscripts, *tensors)))(
        *operands
    )

"""Linear algebra: products, decompositions, solvers."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.core import Tracer

from keras_fn.core.linalg_errors import (
    not_positive_definite_error,
    rank_tolerance,
    singular_matrix_error,
)
from keras_fn_jax.dtype_fallback import in_float32, is_half
from keras_fn_jax.tensors import dtype_name


def _is_concrete(*xs: Any) -> bool:
    """Returns whether no operand is a tracer, so that values can be checked."""
    return not any(isinstance(x, Tracer) for x in xs)


def _checked(x: jax.Array, a: jax.Array, is_bad: Callable[[Any], Any], error: Any) -> jax.Array:
    """Returns the result `x`; raises if it is not finite and `is_bad(a)` shows the cause."""
    if _is_concrete(x, a) and not _all_finite(x) and bool(is_bad(a)):
        raise error()
    return x


_all_finite = jax.jit(lambda x: jnp.isfinite(x).all())


def _has_zero_pivot(a: jax.Array) -> jax.Array:
    lu, *_ = lax.linalg.lu(a)
    return _has_zero_diagonal(lu)


def _has_zero_diagonal(a: jax.Array) -> jax.Array:
    return (jnp.diagonal(a, axis1=-2, axis2=-1) == 0).any()


@in_float32
def cholesky(x: jax.Array, upper: bool = False) -> jax.Array:
    """`jnp.linalg.cholesky`, which symmetrizes its input."""
    factor = jnp.linalg.cholesky(x, upper=upper)
    return _checked(factor, x, lambda _: True, partial(not_positive_definite_error, "ops.cholesky"))


@in_float32
def inv(x: jax.Array) -> jax.Array:
    """`jnp.linalg.inv`; raises for singular matrices, which JAX does not detect."""
    return _checked(
        jnp.linalg.inv(x), x, _has_zero_pivot, partial(singular_matrix_error, "ops.inv")
    )


@in_float32
def solve(a: jax.Array, b: jax.Array) -> jax.Array:
    """`jnp.linalg.solve`; raises for singular matrices, which JAX does not detect."""
    return _checked(
        jnp.linalg.solve(a, b), a, _has_zero_pivot, partial(singular_matrix_error, "ops.solve")
    )


@in_float32
def solve_triangular(a: jax.Array, b: jax.Array, lower: bool = False) -> jax.Array:
    """`lax.linalg.triangular_solve`, with batch axes that broadcast."""
    columns = b[:, None] if b.ndim == 1 else b
    batch = jnp.broadcast_shapes(a.shape[:-2], columns.shape[:-2])
    x = lax.linalg.triangular_solve(
        jnp.broadcast_to(a, (*batch, *a.shape[-2:])),
        jnp.broadcast_to(columns, (*batch, *columns.shape[-2:])),
        left_side=True,
        lower=lower,
    )
    x = x[..., 0] if b.ndim == 1 else x
    return _checked(
        x, a, _has_zero_diagonal, partial(singular_matrix_error, "ops.solve_triangular")
    )


det = in_float32(jnp.linalg.det)


@in_float32
def slogdet(x: jax.Array) -> tuple[jax.Array, jax.Array]:
    """`jnp.linalg.slogdet`."""
    return tuple(jnp.linalg.slogdet(x))


@in_float32
def eigh(x: jax.Array) -> tuple[jax.Array, jax.Array]:
    """`jnp.linalg.eigh`, which symmetrizes its input."""
    return tuple(jnp.linalg.eigh(x))


_eig: Any = jax.custom_jvp(lambda x: tuple(jnp.linalg.eig(x)))


@_eig.defjvp
def _eig_derivative(primals: Any, tangents: Any) -> Any:
    """Derivative of `eig` in which eigenvectors keep their norm.

    Older versions of JAX have no derivative of eigenvectors, newer ones require a flag.
    """
    w, v = _eig(*primals)
    change = jnp.linalg.solve(v, tangents[0].astype(v.dtype) @ v)
    gaps = w[..., None, :] - w[..., :, None]
    same = jnp.eye(w.shape[-1], dtype=bool)
    turn = v @ jnp.where(same, 0, change / jnp.where(same, 1, gaps))
    stretch = jnp.real(jnp.sum(jnp.conj(v) * turn, axis=-2, keepdims=True))
    return (w, v), (jnp.diagonal(change, axis1=-2, axis2=-1), turn - v * stretch)


eig = in_float32(_eig)


@in_float32
def lu_factor(x: jax.Array) -> tuple[jax.Array, jax.Array]:
    """`lax.linalg.lu`, of any batch."""
    lu, pivots, _ = lax.linalg.lu(x)
    return lu, pivots


@in_float32
def qr(x: jax.Array, mode: str = "reduced") -> tuple[jax.Array, jax.Array]:
    """QR of the leading columns; older JAX cannot differentiate QR of wide matrices."""
    rows, columns = x.shape[-2:]
    if rows >= columns:
        full = {"reduced": False, "complete": True}[mode]
        q, r = lax.linalg.qr(x, full_matrices=full)
        return q, r
    q, r = qr(x[..., :rows], mode)
    rest = jnp.conj(jnp.swapaxes(q, -1, -2)) @ x[..., rows:]
    return q, jnp.concatenate([r, rest], axis=-1)


@in_float32
def svd(x: jax.Array, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """`jnp.linalg.svd`; full matrices are completed by QR, as JAX cannot differentiate them."""
    if not compute_uv:
        return jnp.linalg.svd(x, compute_uv=False)
    u, s, vh = jnp.linalg.svd(x, full_matrices=False)
    if full_matrices:
        u = _complete_basis(u)
        vh = jnp.swapaxes(_complete_basis(jnp.swapaxes(vh, -1, -2)), -1, -2)
    return u, s, vh


def _complete_basis(q: jax.Array) -> jax.Array:
    """Extends orthonormal columns to a square matrix."""
    rows, columns = q.shape[-2:]
    if rows == columns:
        return q
    full, _ = jnp.linalg.qr(lax.stop_gradient(q), mode="complete")
    return jnp.concatenate([q, full[..., columns:]], axis=-1)


@in_float32
def pinv(x: jax.Array, rcond: float | None = None) -> jax.Array:
    """`jnp.linalg.pinv`, whose derivative is finite for equal singular values, too."""
    if rcond is None:
        rcond = rank_tolerance(dtype_name(x), *x.shape[-2:], factor=10)
    return jnp.linalg.pinv(x, rcond)


def einsum(subscripts: str, *operands: jax.Array) -> jax.Array:
    """`jnp.einsum`, which rounds sums of half precision at each step unless they are products."""
    if is_half(operands[0]) and _has_plain_sum(subscripts, len(operands)):
        wide = jnp.einsum(subscripts, *[x.astype("float32") for x in operands])
        return wide.astype(operands[0].dtype)
    return jnp.einsum(subscripts, *operands)


def _has_plain_sum(subscripts: str, count: int) -> bool:
    """Returns whether something else is summed than the products of two operands."""
    left, arrow, right = subscripts.partition("->")
    terms = left.split(",")
    summed = {c for c in left if c.isalpha() and c not in right} if arrow else set()
    return count != 2 or any(sum(c in term for term in terms) == 1 for c in summed)

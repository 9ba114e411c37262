"""Linear algebra: products, decompositions, solvers."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import torch

from keras_fn.core.linalg_errors import (
    not_positive_definite_error,
    rank_tolerance,
    singular_matrix_error,
)
from keras_fn.errors import SpecError
from keras_fn_torch.dtype_fallback import with_dtype_fallback
from keras_fn_torch.tensors import Tensor, dtype_name

_LinAlgError = torch.linalg.LinAlgError


def _reraise_linalg_error(
    source: str, error: Callable[[str], SpecError] = singular_matrix_error
) -> Callable[..., Any]:
    """Decorator: raises our error for a matrix that PyTorch refuses for its values."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        function = with_dtype_fallback(function)

        @wraps(function)
        def call(*args: Any, **options: Any) -> Any:
            try:
                return function(*args, **options)
            except _LinAlgError:
                raise error(source) from None

        return call

    return decorate


def _symmetric(x: Tensor) -> Tensor:
    return (x + x.mH) / 2


@_reraise_linalg_error("ops.cholesky", not_positive_definite_error)
def cholesky(x: Tensor, upper: bool = False) -> Tensor:
    """`torch.linalg.cholesky` of the symmetric part: PyTorch reads one triangle."""
    return torch.linalg.cholesky(_symmetric(x), upper=upper)


inv = _reraise_linalg_error("ops.inv")(torch.linalg.inv)


@_reraise_linalg_error("ops.solve")
def solve(a: Tensor, b: Tensor) -> Tensor:
    """`torch.linalg.solve`, in which a `b` of lower rank is a matrix, not a batch of vectors."""
    columns = b[:, None] if b.dim() == 1 else b
    if 1 < columns.dim() < a.dim():
        columns = columns.expand(*a.shape[: a.dim() - columns.dim()], *columns.shape)
    x = torch.linalg.solve(a, columns)
    return x[..., 0] if b.dim() == 1 else x


@_reraise_linalg_error("ops.solve_triangular")
def solve_triangular(a: Tensor, b: Tensor, lower: bool = False) -> Tensor:
    """`torch.linalg.solve_triangular`; raises for zeros on the diagonal."""
    if (a.diagonal(dim1=-2, dim2=-1) == 0).any():
        raise _LinAlgError
    if b.dim() == 1:
        return torch.linalg.solve_triangular(a, b[:, None], upper=not lower)[..., 0]
    return torch.linalg.solve_triangular(a, b, upper=not lower)


class _Det(torch.autograd.Function):
    """`torch.linalg.det` with a gradient that is correct for singular matrices, too."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor) -> Tensor:
        return torch.linalg.det(x)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor], output: Tensor) -> None:
        ctx.save_for_backward(*inputs)
        ctx.save_for_forward(*inputs)

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> Tensor:  # type: ignore[override]
        return upstream[..., None, None] * _cofactors(*ctx.saved_tensors).conj()

    @staticmethod
    def jvp(ctx: Any, tangent: Tensor) -> Tensor:  # type: ignore[override]
        return (_cofactors(*ctx.saved_tensors) * tangent).sum((-2, -1))


def _cofactors(x: Tensor) -> Tensor:
    """Cofactor matrix by SVD: replaces each singular value by the product of the others."""
    u, s, vh = torch.linalg.svd(x)
    ones = torch.ones_like(s[..., :1])
    below = torch.cat([ones, s[..., :-1]], -1).cumprod(-1)
    above = torch.cat([ones, s.flip(-1)[..., :-1]], -1).cumprod(-1).flip(-1)
    sign = torch.linalg.det(u) * torch.linalg.det(vh)
    others = (sign[..., None] * (below * above))[..., None, :]
    return ((u * others.conj()) @ vh).conj()


@with_dtype_fallback
def det(x: Tensor) -> Tensor:
    """`torch.linalg.det`, through a custom gradient where one is required."""
    return _Det.apply(x) if x.requires_grad else torch.linalg.det(x)


slogdet = with_dtype_fallback(lambda x: tuple(torch.linalg.slogdet(x)))


@with_dtype_fallback
def eigh(x: Tensor) -> tuple[Tensor, Tensor]:
    """`torch.linalg.eigh` of the symmetric part: PyTorch reads one triangle."""
    return tuple(torch.linalg.eigh(_symmetric(x)))


def _propagate_nonfinite(function: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator: returns NaN for input that is not finite, where PyTorch raises."""

    @with_dtype_fallback
    @wraps(function)
    def call(x: Tensor, *args: Any, **options: Any) -> Any:
        try:
            return function(x, *args, **options)
        except RuntimeError:
            if x.isfinite().all():
                raise
            results = function(torch.zeros_like(x), *args, **options)
            nan = x.sum() * torch.nan
            return tuple(r + nan for r in results) if isinstance(results, tuple) else results + nan

    return call


eig = _propagate_nonfinite(lambda x: tuple(torch.linalg.eig(x)))


@_propagate_nonfinite
def svd(x: Tensor, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """`torch.linalg.svd`."""
    if compute_uv:
        return tuple(torch.linalg.svd(x, full_matrices))
    return torch.linalg.svdvals(x)


@_propagate_nonfinite
def pinv(x: Tensor, rcond: float | None = None) -> Tensor:
    """`torch.linalg.pinv`, with the default tolerance of all backends."""
    if rcond is None:
        rcond = rank_tolerance(dtype_name(x), *x.shape[-2:], factor=10)
    return torch.linalg.pinv(x, rtol=rcond)


@with_dtype_fallback
def lu_factor(x: Tensor) -> tuple[Tensor, Tensor]:
    """`torch.linalg.lu_factor_ex` with zero-based pivots; singular matrices are allowed."""
    lu, pivots, _ = torch.linalg.lu_factor_ex(x)
    return lu, pivots - 1


@with_dtype_fallback
def qr(x: Tensor, mode: str = "reduced") -> tuple[Tensor, Tensor]:
    """`torch.linalg.qr`."""
    return tuple(torch.linalg.qr(x, mode))


_inner = with_dtype_fallback(torch.inner)


def inner(x1: Any, x2: Any) -> Tensor:
    """`torch.inner`; a product if one operand is a number."""
    both = isinstance(x1, Tensor) and isinstance(x2, Tensor)
    return _inner(x1, x2) if both else x1 * x2


matmul = with_dtype_fallback(torch.matmul)

_sum_of_products = with_dtype_fallback(torch.einsum)


def einsum(subscripts: str, *operands: Tensor) -> Tensor:
    """`torch.einsum`, in the dtype of the operands."""
    return _sum_of_products(subscripts.replace(" ", ""), *operands).to(operands[0].dtype)


_tensordot = with_dtype_fallback(torch.tensordot)


def tensordot(x1: Tensor, x2: Tensor, axes: Any = 2) -> Tensor:
    """`torch.tensordot`; accepts single axes."""
    if not isinstance(axes, int):
        axes = [[a] if isinstance(a, int) else list(a) for a in axes]
    return _tensordot(x1, x2, axes)

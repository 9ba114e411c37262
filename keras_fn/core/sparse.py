"""Sparse tensors: how ops find them among their operands, and where SciPy's matrices become some.

A backend represents a sparse tensor by its framework's own class (`SupportsSparse` in the backend
contract). What each op does with one is written once for all backends, in `ops/_sparse.py`.
"""

import warnings
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, cast

import numpy as np

from keras_fn.backend.contract import SupportsSparse
from keras_fn.backend.loader import current, supports
from keras_fn.core.dtypes import numpy_dtype
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.tracing import is_dynamo_compiling
from keras_fn.errors import UnsupportedError


class SparseRule(NamedTuple):
    """What an op does with sparse operands.

    Attributes:
        call: Computes the op: takes the public op, then its arguments.
        is_sparse: Whether the result is sparse, for the same arguments, concrete or symbolic.
    """

    call: Callable[..., Any]
    is_sparse: Callable[..., bool]


SPARSE_OPS: dict[str, SparseRule] = {}
"""The ops that take sparse tensors, by name. Others take dense tensors in their place."""


def is_sparse(x: object) -> bool:
    """Returns whether `x` is a sparse tensor, a sparse KerasTensor, or a matrix of SciPy.

    Args:
        x: Any object.
    """
    if isinstance(x, KerasTensor):
        return x.sparse
    return get_sparse_test()(x) or is_scipy_sparse(x)


def get_sparse_test() -> Callable[[object], bool]:
    """Returns the backend's test for sparse tensors, for callers that make it in each call."""
    return get_sparse_backend().is_sparse if supports("is_sparse") else _is_never_sparse


def _is_never_sparse(_: object) -> bool:
    return False


def is_scipy_sparse(x: object) -> bool:
    """Returns whether `x` is a sparse matrix or array of SciPy, which is not imported for it.

    Args:
        x: Any object.
    """
    if is_dynamo_compiling():  # it traces tensors, not objects of other libraries
        return False
    return type(x).__module__.startswith("scipy.sparse") and hasattr(x, "tocoo")


def get_sparse_backend() -> SupportsSparse:
    """Returns the active backend, if it has sparse tensors.

    Raises:
        UnsupportedError: It has none.
    """
    backend = current()
    if not supports("is_sparse"):
        raise UnsupportedError(
            f"the {backend.name} backend has no sparse tensors",
            fix="make the data dense, for example with .toarray()",
        )
    return cast(SupportsSparse, backend)


def sparse_from_scipy(x: Any, dtype: str | None = None) -> Any:
    """Converts a matrix or array of SciPy to a sparse tensor.

    Args:
        x: The matrix, in any of SciPy's formats.
        dtype: The dtype of the tensor; that of the matrix by default.
    """
    indices, values, shape = get_entries(x)
    values = values if dtype is None else values.astype(numpy_dtype(dtype))
    return get_sparse_backend().sparse_from_numpy(indices, values, shape)


def get_entries(x: Any) -> tuple[np.ndarray, np.ndarray, tuple[int, ...]]:
    """Returns a matrix of SciPy, or a sparse tensor, as arrays on the host.

    Args:
        x: The matrix or tensor.

    Returns:
        Indices of shape `(entries, axes)`, values of shape `(entries,)`, and the sizes of the axes.
        No index occurs twice.
    """
    if is_scipy_sparse(x):
        entries = x.tocoo(copy=True)
        entries.sum_duplicates()
        coordinates = entries.coords if hasattr(entries, "coords") else (entries.row, entries.col)
        return np.stack(coordinates, axis=1), entries.data, tuple(x.shape)
    to_numpy = current().convert_to_numpy
    indices, values = map(to_numpy, get_sparse_backend().sparse_parts(x))
    shape = tuple(map(int, x.shape))
    is_entry = np.all(indices < shape, axis=1)  # the others are padding
    return indices[is_entry], values[is_entry], shape


def to_dense(x: Any) -> Any:
    """Returns a sparse tensor as a dense one; anything else is returned as it is.

    Args:
        x: A tensor, sparse or not, or a matrix of SciPy.
    """
    if is_scipy_sparse(x):
        return current().convert_to_tensor(x.toarray())
    if supports("is_sparse") and get_sparse_backend().is_sparse(x):
        return get_sparse_backend().to_dense(x)
    return x


def make_dense(xs: Iterable[Any]) -> list[Any]:
    """Returns tensors with the sparse ones among them dense: as gradients, which may be None.

    Args:
        xs: Tensors, of the backend or of the framework itself.
    """
    if not supports("is_sparse"):
        return list(xs)
    is_sparse = get_sparse_backend().is_sparse
    return [to_dense(x) if is_sparse(x) else x for x in xs]


def warn_made_dense(name: str) -> None:
    """Warns, once for each op, that an op has made its sparse operands dense.

    Args:
        name: The op, such as `"ops.exp"`.
    """
    if name not in _WARNED:
        _WARNED.add(name)
        warnings.warn(
            f"{name} has no sparse form for these operands: it makes sparse tensors dense, which "
            "may take much memory. Pass ops.convert_to_tensor(x, sparse=False) to do so on "
            "purpose.",
            stacklevel=2,
        )


_WARNED: set[str] = set()


def call_sparse(op: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Calls an op on sparse operands: by its rule, else on dense tensors in their place.

    Args:
        op: The public op.
        args: The positional arguments, with all operands among them.
        kwargs: The options.
    """
    definition = op.op
    if not supports("is_sparse"):
        get_sparse_backend()
    rule = SPARSE_OPS.get(definition.name)
    if rule is not None:
        if definition.rule is not None:
            definition.check_specs(args, kwargs)
        return rule.call(op, *args, **kwargs)
    warn_made_dense(definition.full_name)
    return op(*definition.map_operands(to_dense, args), **kwargs)


def mark_sparse(op: Any, results: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Returns the inferred result of an op, marked as sparse where the rule says so.

    Args:
        op: The public op.
        results: KerasTensors without history.
        args: The positional arguments, with all operands among them.
        kwargs: The options.
    """
    rule = SPARSE_OPS.get(op.op.name)
    if rule is None or not isinstance(results, KerasTensor):
        return results
    if "sparse" in op.op.parameters:  # an option chooses
        results.sparse = rule.is_sparse(*args, **kwargs)
        return results
    signature = op.op
    has_lists = signature.sequences or signature.is_variadic
    for x in signature.list_operands(args) if has_lists else args:
        if isinstance(x, KerasTensor) and x.sparse:
            results.sparse = rule.is_sparse(*args, **kwargs)
            break
    return results

"""Encoding of class indices: one-hot and multi-hot."""

from __future__ import annotations

from typing import TypedDict, Unpack

from keras_fn.core import dtypes
from keras_fn.errors import SpecError
from keras_fn.ops._op import op
from keras_fn.ops._rules import check_at_least, normalize_axis
from keras_fn.ops._sparse.encoding import one_hot as sparse_one_hot
from keras_fn.ops.arithmetic import sign
from keras_fn.ops.core import cast, ndim
from keras_fn.ops.creation import arange
from keras_fn.ops.logic import equal
from keras_fn.ops.manipulation import expand_dims, reshape
from keras_fn.ops.reductions import max as max_, sum as sum_
from keras_fn.types import DTypeLike, Tensor, TensorLike


@op
def one_hot(
    x: TensorLike,
    num_classes: int,
    axis: int = -1,
    dtype: DTypeLike | None = None,
    sparse: bool = False,
) -> Tensor:
    """One-hot encoding of class indices: a vector with 1 at the index and 0 elsewhere.

    Args:
        x: Integer tensor of any shape. An index out of range is encoded as zeros.
        num_classes: Number of classes: the size of the new axis.
        axis: Index of the new axis in the result.
        dtype: Dtype of the result; `floatx()` by default.
        sparse: Whether the result is a sparse tensor.

    Returns:
        Tensor of the shape of `x` with a new axis of size `num_classes`.

    Example:
        >>> convert_to_numpy(one_hot([1, 0], 2)).tolist()
        [[0.0, 1.0], [1.0, 0.0]]
    """
    rank = ndim(x) + 1
    axis = normalize_axis(axis, rank, "ops.one_hot")
    check_at_least(0, "ops.one_hot", num_classes=num_classes)
    if sparse:
        return sparse_one_hot(x, num_classes, axis, dtypes.standardize_dtype(dtype))
    classes = reshape(
        arange(num_classes, dtype="int32"), [num_classes if i == axis else 1 for i in range(rank)]
    )
    return cast(equal(expand_dims(x, axis), classes), dtypes.standardize_dtype(dtype))


class _MultiHotOptions(TypedDict, total=False):
    num_tokens: int


@op
def multi_hot(
    inputs: TensorLike,
    num_classes: int | None = None,
    axis: int = -1,
    dtype: DTypeLike | None = None,
    sparse: bool = False,
    **kwargs: Unpack[_MultiHotOptions],
) -> Tensor:
    """Multi-hot encoding: one vector for the class indices of each row, with 1 at each index.

    Args:
        inputs: Integer tensor of shape `(n,)` or `(batch, n, ...)`.
        num_classes: Number of classes: the size of the new axis.
        axis: Index of the new axis, counted before the axis of the class indices is removed.
        dtype: Dtype of the result; `floatx()` by default.
        sparse: Whether the result is a sparse tensor.
        **kwargs: `num_tokens`, the former name of `num_classes`.

    Returns:
        Tensor of shape `(num_classes,)` or `(batch, num_classes, ...)`.

    Raises:
        ValueError: `num_classes` is missing.

    Example:
        >>> convert_to_numpy(multi_hot([[0, 2]], 3)).tolist()
        [[1.0, 0.0, 1.0]]
    """
    num_classes = kwargs.pop("num_tokens", num_classes)
    if kwargs or num_classes is None:
        raise SpecError(
            "ops.multi_hot",
            expected="num_classes",
            received=", ".join(kwargs) or "none",
            fix="pass the number of classes",
        )
    codes = one_hot(inputs, num_classes, axis, dtype, sparse)
    class_axis = normalize_axis(axis, len(codes.shape), "ops.multi_hot")
    # The axis of the integers is reduced; the class axis may come before it.
    integer_axis = 0 if ndim(inputs) == 1 else 1
    integer_axis += class_axis <= integer_axis
    if sparse:
        return cast(sign(sum_(codes, axis=integer_axis)), dtypes.standardize_dtype(dtype))
    return max_(codes, axis=integer_axis)

"""Encoding of class indices: one-hot and multi-hot."""

from __future__ import annotations

from typing import Any

from keras_fn.core import dtypes
from keras_fn.errors import SpecError
from keras_fn.ops._op import op
from keras_fn.ops._rules import normalize_axis
from keras_fn.ops.core import cast
from keras_fn.ops.creation import arange
from keras_fn.ops.logic import equal
from keras_fn.ops.manipulation import expand_dims, reshape
from keras_fn.ops.reductions import max as max_
from keras_fn.types import Tensor, TensorLike


@op
def one_hot(
    x: TensorLike, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False
) -> Tensor:
    """A vector for each integer: 1 at that index, else 0; all 0 for an index out of range.

    Args:
        x: Integers of any shape.
        num_classes: Size of the new axis.
        axis: Where the new axis stands.
        dtype: Dtype of the result; `floatx()` by default.
        sparse: Sparse tensors are for backends that have them; here False.

    Example:
        >>> convert_to_numpy(one_hot([1, 0], 2)).tolist()
        [[0.0, 1.0], [1.0, 0.0]]
    """
    if sparse:
        raise ValueError("ops.one_hot: sparse=True is not supported; use a dense tensor.")
    place = normalize_axis(axis, len(x.shape) + 1, "ops.one_hot")
    rank = len(x.shape) + 1
    classes = reshape(
        arange(num_classes, dtype="int32"), [num_classes if i == place else 1 for i in range(rank)]
    )
    return cast(equal(expand_dims(x, place), classes), dtypes.standardize_dtype(dtype))


@op
def multi_hot(
    inputs: TensorLike,
    num_classes: int | None = None,
    axis: int = -1,
    dtype: Any = None,
    sparse: bool = False,
    **kwargs: Any,
) -> Tensor:
    """One vector for the integers of each row: 1 at each of their indices, else 0.

    Args:
        inputs: Integers of shape `(n,)` or `(batch, n, ...)`.
        num_classes: Size of the new axis. Its old name `num_tokens` is taken, too.
        axis: Where the new axis stands among those of `inputs`, that of the integers included.
        dtype: Dtype of the result; `floatx()` by default.
        sparse: Sparse tensors are for backends that have them; here False.
        **kwargs: `num_tokens`.

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
            fix="say how many classes there are",
        )
    codes = one_hot(inputs, num_classes, axis, dtype, sparse)
    place = normalize_axis(axis, len(codes.shape), "ops.multi_hot")
    # One row of integers becomes one vector. The new axis may stand before that of the integers.
    first = 0 if len(inputs.shape) == 1 else 1
    return max_(codes, axis=first + (place <= first))

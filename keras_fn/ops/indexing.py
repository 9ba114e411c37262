"""Ops that select: slices, indices, one-hot codes, order."""

from __future__ import annotations

from typing import Any

from keras_fn.core import dtypes
from keras_fn.core.keras_tensor import Shape
from keras_fn.errors import SpecError
from keras_fn.ops._op import Rule, Spec, op, spec_of
from keras_fn.ops._rules import broadcast, normalize_axis, product
from keras_fn.ops._types import Tensor
from keras_fn.ops.binary import equal, greater_equal
from keras_fn.ops.core import cast
from keras_fn.ops.creation import arange
from keras_fn.ops.reductions import any as any_
from keras_fn.ops.reductions import max as max_
from keras_fn.ops.reductions import sum as sum_
from keras_fn.ops.shapes import expand_dims, reshape


def _getitem(x: Spec, key: Any) -> Spec:
    keys = list(key) if isinstance(key, tuple) else [key]
    plain = [k for k in keys if k is not None and k is not Ellipsis]
    if len(plain) > len(x.shape):
        raise SpecError(
            "indexing",
            expected=f"at most {len(x.shape)} indices",
            given=f"{len(plain)} for a tensor of shape {x.shape}",
            fix="drop an index",
        )
    if Ellipsis not in [k for k in keys if not hasattr(k, "shape")]:
        keys.append(Ellipsis)
    sizes = list(x.shape)
    result: list[int | None] = []
    gathered: Shape | None = None  # the axes that index tensors give, once for all of them
    for k in keys:
        if k is None:
            result.append(1)
        elif k is Ellipsis:
            free = len(sizes) - sum(1 for later in keys[keys.index(k) + 1 :] if later is not None)
            result += sizes[:free]
            del sizes[:free]
        elif isinstance(k, slice):
            result.append(_sliced(sizes.pop(0), k))
        elif isinstance(k, int):
            size = sizes.pop(0)
            if size is not None and not -size <= k < size:
                raise SpecError(
                    "indexing", expected=f"an index from {-size} to {size - 1}",
                    given=f"{k} for a tensor of shape {x.shape}", fix="check the index",
                )  # fmt: skip
        else:
            sizes.pop(0)
            index = spec_of(k).shape
            if gathered is None:
                place, gathered = len(result), index
            else:
                gathered = broadcast(gathered, index, who="indexing")
    if gathered is not None:
        result[place:place] = gathered
    return Spec(tuple(result), x.dtype)


def _sliced(size: int | None, key: slice) -> int | None:
    bounds = (key.start, key.stop, key.step)
    if any(b is not None and not isinstance(b, int) for b in bounds):
        return None
    if size is not None:
        return len(range(*key.indices(size)))
    return None


@op(rule=Rule(_getitem))
def getitem(x: Tensor, key: Any) -> Tensor:
    """`x[key]`: integers, slices, `...`, None for a new axis, or tensors of integers.

    Example:
        >>> convert_to_numpy(getitem([1, 2, 3], slice(1, None))).tolist()
        [2, 3]
    """


def _take(x: Spec, indices: Spec, axis: int | None = None) -> Spec:
    if axis is None:
        return Spec(indices.shape, x.dtype)
    axis = normalize_axis(axis, len(x.shape), "ops.take")
    return Spec((*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :]), x.dtype)


@op(rule=Rule(_take))
def take(x: Tensor, indices: Tensor, axis: int | None = None) -> Tensor:
    """Elements or slices of `x` at `indices` along `axis`; negative indices count from the end.

    Args:
        x: Tensor of any shape.
        indices: Integers of any shape.
        axis: The axis; None for the flattened tensor.

    Example:
        >>> convert_to_numpy(take([10, 20, 30], [2, 0])).tolist()
        [30, 10]
    """


def _take_along_axis(x: Spec, indices: Spec, axis: int | None = None) -> Spec:
    if axis is None:
        return Spec((product(indices.shape),), x.dtype)
    axis = normalize_axis(axis, len(x.shape), "ops.take_along_axis")
    a = [1 if i == axis else n for i, n in enumerate(x.shape)]
    shape = list(broadcast(tuple(a), indices.shape, who="ops.take_along_axis"))
    shape[axis] = indices.shape[axis]
    return Spec(tuple(shape), x.dtype)


@op(rule=Rule(_take_along_axis))
def take_along_axis(x: Tensor, indices: Tensor, axis: int | None = None) -> Tensor:
    """Elements of `x` at `indices` along `axis`, position by position along the others.

    Example:
        >>> convert_to_numpy(take_along_axis([[10, 20], [30, 40]], [[1], [0]], axis=1)).tolist()
        [[20], [30]]
    """


@op
def one_hot(
    x: Tensor, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False
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


def _sort(x: Spec, axis: int | None = -1) -> Spec:
    return Spec((product(x.shape),) if axis is None else x.shape, x.dtype)


@op(rule=Rule(_sort))
def sort(x: Tensor, axis: int = -1) -> Tensor:
    """Elements in rising order along `axis`.

    Example:
        >>> convert_to_numpy(sort([3, 1, 2])).tolist()
        [1, 2, 3]
    """


@op(rule=Rule(lambda x, axis=-1: Spec(_sort(x, axis).shape, "int32")))
def argsort(x: Tensor, axis: int | None = -1) -> Tensor:
    """Indices (int32) that would sort `x` along `axis`; ties keep their order.

    Example:
        >>> convert_to_numpy(argsort([3, 1, 2])).tolist()
        [1, 2, 0]
    """


def _top_k(x: Spec, k: int, sorted: bool = True) -> tuple[Spec, Spec]:
    shape = (*x.shape[:-1], k)
    return Spec(shape, x.dtype), Spec(shape, "int32")


@op(rule=Rule(_top_k))
def top_k(x: Tensor, k: int, sorted: bool = True) -> tuple[Tensor, Tensor]:
    """The `k` largest elements of the last axis and their indices (int32).

    Args:
        x: Tensor of rank 1 or more.
        k: How many.
        sorted: Whether they come in falling order.

    Example:
        >>> [convert_to_numpy(t).tolist() for t in top_k([1, 5, 3], 2)]
        [[5, 3], [1, 2]]
    """


@op
def in_top_k(targets: Tensor, predictions: Tensor, k: int) -> Tensor:
    """Whether the prediction for the target is among the `k` largest.

    Args:
        targets: Class indices of shape `(batch,)`.
        predictions: Scores of shape `(batch, classes)`.
        k: How many of the largest count.

    Example:
        >>> convert_to_numpy(in_top_k([1, 0], [[0.1, 0.9], [0.2, 0.8]], 1)).tolist()
        [True, False]
    """
    largest, _ = top_k(predictions, k)
    score = take_along_axis(predictions, expand_dims(cast(targets, "int32"), -1), axis=-1)
    return greater_equal(reshape(score, (-1,)), getitem(largest, (slice(None), k - 1)))


@op
def digitize(x: Tensor, bins: Any) -> Tensor:
    """Index (int32) of the bin that each element falls in: the number of edges at or below it.

    Example:
        >>> convert_to_numpy(digitize([0.5, 2.5], [1.0, 2.0])).tolist()
        [0, 2]
    """
    return sum_(cast(greater_equal(expand_dims(x, -1), bins), "int32"), -1)


@op
def multi_hot(
    inputs: Tensor, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False
) -> Tensor:
    """One vector for the integers of the last axis: 1 at each of their indices, else 0.

    Example:
        >>> convert_to_numpy(multi_hot([[0, 2]], 3)).tolist()
        [[1.0, 0.0, 1.0]]
    """
    codes = one_hot(inputs, num_classes, dtype=dtype, sparse=sparse)
    return max_(codes, axis=len(inputs.shape) - 1 if len(inputs.shape) > 1 else 0)


@op
def isin(x1: Tensor, x2: Tensor) -> Tensor:
    """Whether each element of `x1` is among those of `x2`.

    Example:
        >>> convert_to_numpy(isin([1, 2], [2, 3])).tolist()
        [False, True]
    """
    return any_(equal(expand_dims(x1, -1), reshape(x2, (-1,))), -1)

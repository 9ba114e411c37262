"""What happens to the losses of the elements: masks and weights, then one number."""

from typing import Any

from keras_fn import ops
from keras_fn.core.dtypes import standardize_dtype
from keras_fn.errors import SpecError

Tensor = Any

REDUCTIONS = ("sum_over_batch_size", "mean", "sum", "mean_with_sample_weight", "none", None)


def resolve_compute_dtype(dtype: Any) -> str:
    """Returns the dtype in which to compute: `dtype`, that of a policy, or `floatx()`."""
    dtype = getattr(dtype, "compute_dtype", dtype)
    if isinstance(dtype, str):  # names of policies and Python's "int", as Keras writes them
        dtype = {"int": "int32", "float": "float32"}.get(dtype, dtype.removeprefix("mixed_"))
    return standardize_dtype(dtype)


def check_reduction(reduction: str | None, source: str) -> str | None:
    """Returns `reduction` if it is one.

    Raises:
        ValueError: It is none.
    """
    if reduction not in REDUCTIONS:
        raise SpecError(
            source,
            expected="reduction to be one of " + ", ".join(map(repr, REDUCTIONS)),
            received=f"reduction={reduction!r}",
            fix="leave it out for the mean over the batch",
        )
    return reduction


def squeeze_or_expand_to_same_rank(
    x1: Tensor, x2: Tensor, expand_rank_1: bool = True
) -> tuple[Tensor, Tensor]:
    """Drops a last axis of size 1 that one of two tensors has too many.

    Where the other one is a vector, it is given that axis instead, unless `expand_rank_1` is
    False.
    """
    longer = len(x1.shape) - len(x2.shape)
    if longer == 1 and x1.shape[-1] == 1:
        if len(x2.shape) == 1 and expand_rank_1:
            return x1, ops.expand_dims(x2, -1)
        return ops.squeeze(x1, -1), x2
    if longer == -1 and x2.shape[-1] == 1:
        x2, x1 = squeeze_or_expand_to_same_rank(x2, x1, expand_rank_1)
    return x1, x2


def convert_to_same_rank(y_true: Tensor, y_pred: Tensor) -> tuple[Tensor, Tensor]:
    """Returns both as tensors of the dtype of `y_pred`, of one rank."""
    return squeeze_or_expand_to_same_rank(*convert_inputs(y_true, y_pred))


def convert_inputs(y_true: Tensor, y_pred: Tensor) -> tuple[Tensor, Tensor]:
    """Returns both as tensors of the dtype of `y_pred`."""
    y_pred = ops.convert_to_tensor(y_pred)
    return ops.convert_to_tensor(y_true, dtype=ops.dtype(y_pred)), y_pred


def apply_mask(
    sample_weight: Tensor | None, mask: Tensor | None, dtype: str, reduction: str | None
) -> Tensor | None:
    """Returns the weights with those of masked elements set to 0.

    Where the reduction is a mean over all elements, the rest weighs so much more that it is the
    mean over those that count.
    """
    if mask is None:
        return sample_weight
    counts = ops.cast(mask, dtype)
    if reduction in ("mean", "sum_over_batch_size"):
        counts = ops.multiply(counts, ops.divide_no_nan(1.0, ops.mean(counts)))
    if sample_weight is None:
        return counts
    counts, sample_weight = squeeze_or_expand_to_same_rank(counts, ops.cast(sample_weight, dtype))
    return ops.multiply(sample_weight, counts)


def reduce_weighted_values(
    values: Tensor, sample_weight: Tensor | None, mask: Tensor | None, reduction: str | None
) -> Tensor:
    """Returns the losses, weighted and reduced.

    Args:
        values: The loss of each element.
        sample_weight: Weights that broadcast to `values`, or None.
        mask: Booleans that broadcast to `values`: where False, the element does not count.
        reduction: One of `REDUCTIONS`.
    """
    dtype = ops.dtype(values)
    if sample_weight is not None:
        sample_weight = ops.convert_to_tensor(sample_weight, dtype=dtype)
    weight = apply_mask(sample_weight, mask, dtype, reduction)
    if weight is not None:
        values, weight = squeeze_or_expand_to_same_rank(values, weight)
        values = ops.multiply(values, weight)
    if reduction in (None, "none") or len(values.shape) == 0:
        return values
    if reduction == "sum" or 0 in values.shape:  # of nothing, 0 rather than NaN
        return ops.sum(values)
    if reduction == "mean_with_sample_weight" and weight is not None:
        return ops.divide_no_nan(ops.sum(values), ops.sum(weight))
    return ops.mean(values)

"""Reduction of per-sample losses: masks, sample weights, one number."""

from typing import Any, TypeVar

from keras_fn import ops
from keras_fn.core.dtypes import standardize_dtype
from keras_fn.core.shapes import missing_unit_axes
from keras_fn.errors import SpecError
from keras_fn.types import DTypeLike, Tensor, TensorLike

Weight = TypeVar("Weight", bound="TensorLike | None")

REDUCTIONS = ("sum_over_batch_size", "mean", "sum", "mean_with_sample_weight", "none", None)


def resolve_compute_dtype(dtype: DTypeLike | None) -> str:
    """Returns the compute dtype of a dtype or dtype policy; `floatx()` for None."""
    compute_dtype: Any = getattr(dtype, "compute_dtype", dtype)
    if isinstance(compute_dtype, str):  # also names of policies, and Python's "int", as in Keras
        aliases = {"int": "int32", "float": "float32"}
        compute_dtype = aliases.get(compute_dtype, compute_dtype.removeprefix("mixed_"))
    return standardize_dtype(compute_dtype)


def check_reduction(reduction: str | None, source: str) -> str | None:
    """Returns `reduction` if it is valid.

    Raises:
        ValueError: It is not one of `REDUCTIONS`.
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
    """Drops the last axis of size 1 that one of two tensors has in addition to the other's.

    Where the other one is a vector, it is expanded by that axis instead, unless `expand_rank_1`
    is False.
    """
    missing = missing_unit_axes(x1.shape, x2.shape)
    if missing == -1:
        if len(x2.shape) == 1 and expand_rank_1:
            return x1, ops.expand_dims(x2, -1)
        return ops.squeeze(x1, -1), x2
    if missing == 1:
        if len(x1.shape) == 1 and expand_rank_1:
            return ops.expand_dims(x1, -1), x2
        return x1, ops.squeeze(x2, -1)
    return x1, x2


def convert_to_same_rank(y_true: TensorLike, y_pred: TensorLike) -> tuple[Tensor, Tensor]:
    """Converts both to tensors of the dtype of `y_pred` and of the same rank."""
    return squeeze_or_expand_to_same_rank(*convert_inputs(y_true, y_pred))


def convert_inputs(y_true: TensorLike, y_pred: TensorLike) -> tuple[Tensor, Tensor]:
    """Converts both to tensors of the dtype of `y_pred`."""
    predictions = ops.convert_to_tensor(y_pred)
    return ops.convert_to_tensor(y_true, dtype=ops.dtype(predictions)), predictions


def apply_mask(
    sample_weight: Weight, mask: Tensor | None, dtype: str, reduction: str | None
) -> Weight | Tensor:
    """Returns the sample weights, with the weights of masked elements set to 0.

    For a mean over all elements the other weights are scaled up, so that it becomes the mean over
    the elements that are not masked.

    Args:
        sample_weight: Weights, or None.
        mask: Booleans; False where an element is masked. Or None.
        dtype: Dtype of the weights.
        reduction: One of `REDUCTIONS`.

    Returns:
        The weights, or None if there are neither weights nor a mask.
    """
    if mask is None:
        return sample_weight
    mask_weight = ops.cast(mask, dtype)
    if reduction in ("mean", "sum_over_batch_size"):
        mask_weight = ops.multiply(mask_weight, ops.divide_no_nan(1.0, ops.mean(mask_weight)))
    if sample_weight is None:
        return mask_weight
    mask_weight, weight = squeeze_or_expand_to_same_rank(
        mask_weight, ops.cast(sample_weight, dtype)
    )
    return ops.multiply(weight, mask_weight)


def reduce_weighted_values(
    values: Tensor,
    sample_weight: TensorLike | None,
    mask: Tensor | None,
    reduction: str | None,
) -> Tensor:
    """Applies mask and sample weights to per-sample losses, and reduces them.

    Args:
        values: Per-sample losses of shape `(batch, ...)`.
        sample_weight: Weights that broadcast to `values`, or None.
        mask: Booleans that broadcast to `values`; False where an element is masked. Or None.
        reduction: One of `REDUCTIONS`.

    Returns:
        A scalar tensor; a tensor of the shape of `values` without reduction.
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
    if reduction == "sum" or 0 in values.shape:  # an empty batch: 0 rather than NaN
        return ops.sum(values)
    if reduction == "mean_with_sample_weight" and weight is not None:
        return ops.divide_no_nan(ops.sum(values), ops.sum(weight))
    return ops.mean(values)

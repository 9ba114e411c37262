"""Reduction of per-sample losses: masks, sample weights, one number."""

from typing import Any, TypeVar

from keras_fn import ops
from keras_fn.core.dtypes import standardize_dtype
from keras_fn.core.scopes import context
from keras_fn.core.shapes import is_size_compatible, missing_unit_axes
from keras_fn.errors import SpecError, check_choice
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
    return check_choice(source, "reduction", reduction, REDUCTIONS)


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


def keep_weighted_axis(
    y_true: Tensor, y_pred: Tensor, *weights: Tensor | None
) -> tuple[Tensor, Tensor]:
    """Expands the tensor that lacks the last axis of size 1 of the other, if weights need it.

    A loss averages over the last axis. With targets of shape `(batch, time)` for predictions of
    shape `(batch, time, 1)`, that would be the time, for which weights of shape `(batch, time)`
    have a number each.
    """
    missing = missing_unit_axes(y_true.shape, y_pred.shape)
    if not missing:
        return y_true, y_pred
    rank = min(len(y_true.shape), len(y_pred.shape))
    if rank < 2 or all(w is None or len(w.shape) != rank or w.shape[-1] == 1 for w in weights):
        return y_true, y_pred
    if missing == 1:
        return ops.expand_dims(y_true, -1), y_pred
    return y_true, ops.expand_dims(y_pred, -1)


def align_weight(weight: Tensor, values: Tensor, owner: Any, name: str = "sample_weight") -> Tensor:
    """Returns weights with axes of size 1 added or dropped at the end, to the rank of the values.

    The axes of weights are the first ones of the values: `(batch,)` weighs all values of a sample.

    Args:
        weight: Weights. A scalar stays one, and so do weights for a scalar value.
        values: The values to be weighted.
        owner: The loss or metric, for errors.
        name: The argument, for errors.

    Raises:
        SpecError: A size is neither 1 nor that of the values.
    """
    shape, expected = tuple(weight.shape), tuple(values.shape)
    rank = len(expected)
    if not shape or not rank or shape == expected:
        return weight
    aligned = shape
    while len(aligned) > rank and aligned[-1] == 1:
        aligned = aligned[:-1]
    if len(aligned) > rank or not all(
        size == 1 or is_size_compatible(size, other)
        for size, other in zip(aligned, expected, strict=False)
    ):
        raise weight_error(shape, expected, owner, name)
    if len(shape) > rank:
        return ops.squeeze(weight, tuple(range(rank, len(shape))))
    if len(shape) < rank:
        return ops.expand_dims(weight, tuple(range(len(shape), rank)))
    return weight


def weight_error(shape: Any, expected: Any, owner: Any, name: str) -> SpecError:
    """Returns the error for weights of a shape that values of the shape `expected` do not have."""
    return SpecError(
        f"{type(owner).__name__} {owner.name!r}",
        expected=f"{name} whose axes are the first ones of the values to weigh, of shape "
        f"{tuple(expected)}",
        received=f"{name} of shape {tuple(shape)}",
        fix="reshape the targets to the shape of the predictions, so that no axis with a mask is "
        "averaged"
        if name == "mask"
        else "pass a weight for each sample, or for each value (add axes of size 1 where a weight "
        "holds for the whole axis)",
    )


def apply_mask(
    sample_weight: Weight,
    mask: Tensor | None,
    dtype: str,
    reduction: str | None,
    owner: Any,
) -> Weight | Tensor:
    """Returns the sample weights, with the weights of masked elements set to 0.

    For a mean over all elements the other weights are scaled up, so that it becomes the mean over
    the elements that are not masked.

    Args:
        sample_weight: Weights, or None.
        mask: Booleans; False where an element is masked. Or None.
        dtype: Dtype of the weights.
        reduction: One of `REDUCTIONS`.
        owner: The loss or metric, for errors.

    Returns:
        The weights, or None if there are neither weights nor a mask.

    Raises:
        SpecError: The first axes of weights and mask differ.
    """
    if mask is None:
        return sample_weight
    mask_weight = ops.cast(mask, dtype)
    if reduction in ("mean", "sum_over_batch_size"):
        kept, replica = ops.mean(mask_weight), context.current.replica
        kept = kept if replica is None else replica.average(kept)
        mask_weight = ops.multiply(mask_weight, ops.divide_no_nan(1.0, kept))
    if sample_weight is None:
        return mask_weight
    weight = ops.cast(sample_weight, dtype)
    if len(weight.shape) > len(mask_weight.shape):
        mask_weight = align_weight(mask_weight, weight, owner, "mask")
    else:
        weight = align_weight(weight, mask_weight, owner)
    return ops.multiply(weight, mask_weight)


def reduce_weighted_values(
    values: Tensor,
    sample_weight: Tensor | None,
    mask: Tensor | None,
    reduction: str | None,
    owner: Any,
) -> Tensor:
    """Applies mask and sample weights to per-sample losses, and reduces them.

    Args:
        values: Per-sample losses of shape `(batch, ...)`.
        sample_weight: Weights in the dtype of `values`, for their first axes. Or None.
        mask: Booleans for the first axes of `values`; False where an element is masked. Or None.
        reduction: One of `REDUCTIONS`.
        owner: The loss, for errors.

    Returns:
        A scalar tensor; a tensor of the shape of `values` without reduction.

    Raises:
        SpecError: The weights or the mask do not fit the first axes of `values`.
    """
    weight = None
    if sample_weight is not None or mask is not None:
        if mask is not None:
            mask = align_weight(mask, values, owner, "mask")
        weights: Any = apply_mask(sample_weight, mask, ops.dtype(values), reduction, owner)
        if len(values.shape) == 1 and len(weights.shape) == 2 and weights.shape[1] == 1:
            values = ops.expand_dims(values, -1)  # so that unreduced losses are a column, too
        weight = align_weight(weights, values, owner)
        values = ops.multiply(values, weight)
    if reduction in (None, "none") or len(values.shape) == 0:
        return values
    if reduction == "sum" or 0 in values.shape:  # an empty batch: 0 rather than NaN
        total, replica = ops.sum(values), context.current.replica
        return total if replica is None else replica.unweigh(total)
    if reduction == "mean_with_sample_weight" and weight is not None:
        return _divide_sums(values, weight)
    return ops.mean(values)


def _divide_sums(values: Tensor, weight: Tensor) -> Tensor:
    """Returns the sum of the weighted values, divided by that of the weights of all of them."""
    dtype = ops.dtype(values)
    if tuple(weight.shape) != tuple(values.shape):
        weight = ops.multiply(weight, ops.ones_like(values))
    replica = context.current.replica
    if replica is not None:
        wide = "float32" if dtype in ("float16", "bfloat16") else dtype
        kept = replica.average(ops.mean(ops.cast(weight, wide)))
        values = ops.mean(ops.cast(values, wide))
        return ops.cast(ops.divide_no_nan(values, kept), dtype)
    if dtype not in ("float16", "bfloat16"):
        return ops.divide_no_nan(ops.sum(values), ops.sum(weight))
    values, weight = ops.cast(values, "float32"), ops.cast(weight, "float32")  # not to overflow
    return ops.cast(ops.divide_no_nan(ops.sum(values), ops.sum(weight)), dtype)

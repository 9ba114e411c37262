"""Metric-learning losses for embeddings."""

from keras_fn import ops
from keras_fn.core.masking import set_mask
from keras_fn.losses import target_validation
from keras_fn.losses.loss import BuiltInLoss
from keras_fn.types import DTypeLike, Tensor, TensorLike


def circle(
    y_true: TensorLike,
    y_pred: TensorLike,
    ref_labels: TensorLike | None = None,
    ref_embeddings: TensorLike | None = None,
    remove_diagonal: bool = True,
    gamma: float = 80,
    margin: float = 0.4,
) -> Tensor:
    """Circle loss: pulls embeddings of one class together and pushes other classes apart.

    Args:
        y_true: Class indices of shape `(batch,)` or `(batch, 1)`.
        y_pred: L2-normalized embeddings of shape `(batch, d)`.
        ref_labels: Class indices of the reference embeddings. Default `y_true`.
        ref_embeddings: Reference embeddings of shape `(references, d)`. Default `y_pred`.
        remove_diagonal: Whether an embedding is not compared with the reference of the same row.
            Default True.
        gamma: Scale factor of the similarities. Default 80.
        margin: Relaxation margin of the similarities. Default 0.4.

    Returns:
        Per-sample losses of shape `(batch,)`; those that are 0 are masked out of a mean.

    Example:
        >>> embeddings = [[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]
        >>> print(convert_to_numpy(keras.losses.circle([0, 0, 1], embeddings)).round(3))
        [0. 0. 0.]

    References:
        Sun et al., "Circle Loss: A Unified Perspective of Pair Similarity Optimization", 2020.
        https://arxiv.org/abs/2002.10857
    """
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.reshape(ops.cast(y_true, "int32"), (-1, 1))
    labels = y_true if ref_labels is None else ops.cast(ref_labels, "int32")
    references = y_pred if ref_embeddings is None else ops.convert_to_tensor(ref_embeddings)
    distance = ops.subtract(1.0, ops.matmul(y_pred, ops.transpose(references)))
    distance = ops.maximum(distance, 0.0)
    is_positive = ops.equal(y_true, ops.reshape(labels, (1, -1)))
    is_negative = ops.logical_not(is_positive)
    if remove_diagonal:
        is_positive = ops.logical_and(is_positive, ops.logical_not(_diagonal_mask(is_positive)))
    # Distant positive and close negative pairs weigh most. As in Keras, gradients flow through
    # the weights.
    positive = ops.multiply(ops.add(distance, margin), ops.subtract(distance, margin))
    negative = ops.multiply(
        ops.maximum(ops.subtract(1.0 + margin, distance), 0.0),
        ops.subtract(1.0 - margin, distance),
    )
    losses = ops.softplus(
        ops.add(
            _masked_logsumexp(positive, is_positive, gamma),
            _masked_logsumexp(negative, is_negative, gamma),
        )
    )
    set_mask(losses, ops.greater(losses, 0))
    return losses


def _masked_logsumexp(values: Tensor, mask: Tensor, gamma: float) -> Tensor:
    """Returns the logsumexp of the scaled values of each row where `mask` is True."""
    return ops.logsumexp(ops.where(mask, ops.multiply(values, gamma), float("-inf")), 1)


def _diagonal_mask(x: Tensor) -> Tensor:
    """Returns a boolean tensor of the shape of `x`: True on the main diagonal."""
    rows = ops.cumsum(ops.ones_like(x, dtype="int32"), 0)
    return ops.equal(rows, ops.cumsum(ops.ones_like(x, dtype="int32"), 1))


class Circle(BuiltInLoss):
    """Circle loss: pulls embeddings of one class together and pushes others apart, in a batch.

    Args:
        gamma: Scale factor of the similarities. Default 80.
        margin: Relaxation margin of the similarities. Default 0.4.
        remove_diagonal: Whether an embedding is not compared with itself. Default True.
        reduction: How the per-sample losses become one number: `"sum_over_batch_size"` (default) or
            `"mean"`, `"sum"`, `"mean_with_sample_weight"`, `"none"` or None. See `Loss`.
        name: Name of the loss.
        dtype: Dtype of the computation, or a dtype policy. Default `floatx()`.

    Example:
        >>> embeddings = [[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]
        >>> print(f"{float(keras.losses.Circle()([0, 0, 1], embeddings)):.3f}")
        0.000

    References:
        Sun et al., "Circle Loss: A Unified Perspective of Pair Similarity Optimization", 2020.
        https://arxiv.org/abs/2002.10857
    """

    _compares_samples = True

    function = staticmethod(circle)
    target_check = staticmethod(target_validation.check_class_vector)
    _casts_targets = False

    def __init__(
        self,
        gamma: float = 80.0,
        margin: float = 0.4,
        remove_diagonal: bool = True,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "circle",
        dtype: DTypeLike | None = None,
    ):
        super().__init__(
            reduction, name, dtype, gamma=gamma, margin=margin, remove_diagonal=remove_diagonal
        )

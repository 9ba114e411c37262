"""Losses of overlap, for segmentation, and of similarity, for embeddings."""

from typing import Any

from keras_fn import ops
from keras_fn.core.masking import set_mask
from keras_fn.losses import target_validation as targets
from keras_fn.losses.loss import BuiltInLoss
from keras_fn.losses.segmentation import Tensor


def circle(
    y_true: Tensor,
    y_pred: Tensor,
    ref_labels: Tensor = None,
    ref_embeddings: Tensor = None,
    remove_diagonal: bool = True,
    gamma: float = 80,
    margin: float = 0.4,
) -> Tensor:
    """Draws embeddings of one class together and those of others apart, the worst pairs most.

    Args:
        y_true: Class numbers of shape `(batch,)` or `(batch, 1)`.
        y_pred: Embeddings of length 1, of shape `(batch, size)`.
        ref_labels: Class numbers of the references; by default `y_true`.
        ref_embeddings: The references, of shape `(references, size)`; by default `y_pred`.
        remove_diagonal: Whether an embedding is not compared with the reference of its row.
        gamma: Scale of the similarities.
        margin: How far a similarity may be from 1, or 0, to be good enough.

    Returns:
        Losses of shape `(batch,)`. Those that are 0 do not count in a mean.

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
    same = ops.equal(y_true, ops.reshape(labels, (1, -1)))
    other = ops.logical_not(same)
    if remove_diagonal:
        same = ops.logical_and(same, ops.logical_not(_diagonal_mask(same)))
    # Far friends and near strangers weigh most. As in Keras, gradients flow through the weights.
    far = ops.multiply(ops.add(distance, margin), ops.subtract(distance, margin))
    near = ops.multiply(
        ops.maximum(ops.subtract(1.0 + margin, distance), 0.0),
        ops.subtract(1.0 - margin, distance),
    )
    losses = ops.softplus(
        ops.add(_masked_logsumexp(far, same, gamma), _masked_logsumexp(near, other, gamma))
    )
    set_mask(losses, ops.greater(losses, 0))
    return losses


def _masked_logsumexp(values: Tensor, among: Tensor, gamma: float) -> Tensor:
    return ops.logsumexp(ops.where(among, ops.multiply(values, gamma), float("-inf")), 1)


def _diagonal_mask(x: Tensor) -> Tensor:
    """Whether row and column number are equal."""
    rows = ops.cumsum(ops.ones_like(x, dtype="int32"), 0)
    return ops.equal(rows, ops.cumsum(ops.ones_like(x, dtype="int32"), 1))


class Circle(BuiltInLoss):
    """Draws embeddings of one class together and those of others apart, within a batch.

    Args:
        gamma: Scale of the similarities.
        margin: How far a similarity may be from 1, or 0, to be good enough.
        remove_diagonal: Whether an embedding is not compared with itself.
        reduction: As in `Loss`.
        name: A name.
        dtype: As in `Loss`.

    Example:
        >>> embeddings = [[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]
        >>> print(f"{float(keras.losses.Circle()([0, 0, 1], embeddings)):.3f}")
        0.000

    References:
        Sun et al., "Circle Loss: A Unified Perspective of Pair Similarity Optimization", 2020.
        https://arxiv.org/abs/2002.10857
    """

    function = staticmethod(circle)
    targets = staticmethod(targets.check_class_vector)
    _casts_targets = False

    def __init__(
        self,
        gamma: float = 80.0,
        margin: float = 0.4,
        remove_diagonal: bool = True,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "circle",
        dtype: Any = None,
    ):
        super().__init__(
            reduction, name, dtype, gamma=gamma, margin=margin, remove_diagonal=remove_diagonal
        )

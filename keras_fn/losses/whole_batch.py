"""Losses that compare the samples of a batch, where a process has its rows of the batch only."""

from typing import Any

from keras_fn import ops
from keras_fn.core import tree
from keras_fn.core.masking import get_mask, set_mask
from keras_fn.core.replicas import ReplicaBatch, ReplicaScope
from keras_fn.ops._replicas import gather_rows
from keras_fn.types import Nested, Tensor, TensorLike


def call_with_whole_batch(
    loss: Any, y_true: Nested, y_pred: Nested, sample_weight: TensorLike | None, replica: Any
) -> Tensor:
    """Returns a loss of the rows of all processes; gradients flow to the rows of each.

    Args:
        loss: The loss.
        y_true: Ground truth of the rows of this process.
        y_pred: Predictions for them.
        sample_weight: Their weights, or None.
        replica: Which rows these are.
    """
    own: ReplicaBatch = replica

    def gather(x: Any) -> Tensor:
        whole, mask = gather_rows(ops.convert_to_tensor(x), own), get_mask(x)
        if mask is not None:
            set_mask(whole, gather_rows(mask, own))
        return whole

    weight = None if sample_weight is None else gather(sample_weight)
    targets, predictions = tree.map_structure(gather, y_true), tree.map_structure(gather, y_pred)
    with ReplicaScope(None):
        return loss(targets, predictions, weight)

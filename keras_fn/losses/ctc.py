"""Connectionist temporal classification: labels of sequences, without their times."""

from typing import Any

from keras_fn import ops
from keras_fn.losses import target_validation as targets
from keras_fn.losses.loss import BuiltInLoss

Tensor = Any


def ctc(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Connectionist temporal classification: see `ops.ctc_loss`. Class 0 is the blank.

    Args:
        y_true: Class numbers of shape `(batch, labels)`, padded with 0.
        y_pred: Logits of shape `(batch, time, classes)`.

    Returns:
        The loss of each sample, of shape `(batch,)`.

    Example:
        >>> loss = keras.losses.ctc([[1, 0]], zeros((1, 2, 2)))
        >>> print(convert_to_numpy(loss).round(3))
        [0.288]
    """
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.cast(y_true, "int32")
    labels = ops.count_nonzero(y_true, axis=1)
    time = ops.add(ops.zeros_like(labels), ops.shape(y_pred)[1])
    return ops.ctc_loss(y_true, y_pred, labels, time, mask_index=0)


class CTC(BuiltInLoss):
    """Connectionist temporal classification, for sequences of labels without times.

    Class 0 is the blank; targets are padded with it.

    Args:
        reduction: As in `Loss`.
        name: A name.
        dtype: As in `Loss`.

    Example:
        >>> print(f"{float(keras.losses.CTC()([[1, 0]], zeros((1, 2, 2)))):.3f}")
        0.288

    References:
        Graves et al., "Connectionist Temporal Classification: Labelling Unsegmented Sequence Data
        with Recurrent Neural Networks", 2006.
    """

    function = staticmethod(ctc)
    targets = staticmethod(targets.check_padded_labels)
    _casts_targets = False

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "ctc",
        dtype: Any = None,
    ):
        super().__init__(reduction, name, dtype)

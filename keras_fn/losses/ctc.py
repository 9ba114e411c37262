"""Connectionist temporal classification (CTC) loss."""

from keras_fn import ops
from keras_fn.losses import target_validation
from keras_fn.losses.loss import BuiltInLoss
from keras_fn.types import DTypeLike, Tensor, TensorLike


def ctc(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """CTC loss: negative log-likelihood of unaligned label sequences. Class 0 is the blank.

    Args:
        y_true: Class indices of shape `(batch, max_labels)`, padded with 0.
        y_pred: Logits of shape `(batch, time, classes)`.

    Returns:
        The loss of each sample, of shape `(batch,)`, in float32 at least.

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
    """CTC loss, for label sequences that are not aligned with the input.

    Class 0 is the blank; label sequences are padded with it.

    Args:
        reduction: How the per-sample losses become one number: `"sum_over_batch_size"` (default) or
            `"mean"`, `"sum"`, `"mean_with_sample_weight"`, `"none"` or None. See `Loss`.
        name: Name of the loss.
        dtype: Dtype of the computation, or a dtype policy. Default `floatx()`.

    Example:
        >>> print(f"{float(keras.losses.CTC()([[1, 0]], zeros((1, 2, 2)))):.3f}")
        0.288

    References:
        Graves et al., "Connectionist Temporal Classification: Labelling Unsegmented Sequence Data
        with Recurrent Neural Networks", 2006.
    """

    function = staticmethod(ctc)
    target_check = staticmethod(target_validation.check_padded_labels)
    _casts_targets = False

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "ctc",
        dtype: DTypeLike | None = None,
    ):
        super().__init__(reduction, name, dtype)

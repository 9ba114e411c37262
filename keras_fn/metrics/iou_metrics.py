"""Intersection over union (IoU, Jaccard index), for segmentation."""

import math
from collections.abc import Sequence
from typing import Any

from keras_fn import ops
from keras_fn.errors import SpecError
from keras_fn.losses.reduction import align_weight
from keras_fn.metrics._confusion_matrix import segment_sum_columns
from keras_fn.metrics.metric import Metric
from keras_fn.settings import settings
from keras_fn.types import DTypeLike, Tensor, TensorLike


class IoU(Metric):
    """Intersection over union, `TP / (TP + FP + FN)`, averaged over some classes.

    Classes that occur neither in labels nor in predictions are left out.

    Args:
        num_classes: Number of classes.
        target_class_ids: Indices of the classes that are averaged.
        name: Name of the metric. Default: from the class name.
        dtype: Dtype of the metric. Default int32. The confusion matrix is float32, or float64.
        ignore_class: Class index of labels that are ignored. Default None.
        sparse_y_true: Whether `y_true` holds class indices (default True) rather than one-hot
            labels.
        sparse_y_pred: Whether `y_pred` holds class indices (default True) rather than scores.
        axis: Axis of the classes, where there is one. Default -1.

    Raises:
        ValueError: A target class is out of range, or there are none.

    Example:
        >>> metric = keras.metrics.IoU(num_classes=2, target_class_ids=[0])
        >>> print(f"{float(metric([0, 0, 1, 1], [0, 1, 0, 1])):.3f}")
        0.333
    """

    _direction = "up"

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: DTypeLike | None = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ):
        super().__init__(name=name, dtype=dtype or "int32")
        self.num_classes, self.target_class_ids = num_classes, list(target_class_ids)
        out_of_range = [i for i in self.target_class_ids if not 0 <= i < num_classes]
        if out_of_range or not self.target_class_ids:
            raise SpecError(
                f"{type(self).__name__} {self.name!r}",
                expected=f"target_class_ids from 0 to {num_classes - 1}",
                received=f"target_class_ids={self.target_class_ids}",
                fix="count the classes from 0",
            )
        self.ignore_class = ignore_class
        self.sparse_y_true, self.sparse_y_pred, self.axis = sparse_y_true, sparse_y_pred, axis
        # Fractional weights would be cut off in the integers that Keras names as the dtype.
        dtype = "float64" if self.dtype == "float64" else "float32"
        self.total_cm = self.add_variable(
            (num_classes, num_classes), "zeros", dtype=dtype, name="total_confusion_matrix"
        )

    def update_state(
        self, y_true: TensorLike, y_pred: TensorLike, sample_weight: TensorLike | None = None
    ) -> None:
        """Accumulates the confusion matrix of a batch. Class indices out of range are ignored.

        Args:
            y_true: Class indices of any shape; one-hot labels without `sparse_y_true`.
            y_pred: Class indices of that shape; scores without `sparse_y_pred`.
            sample_weight: Weights for the first axes of the class indices, or in one axis for all
                of them. Or None.

        Raises:
            SpecError: The weights do not fit the first axes of the class indices.
        """
        if not self.sparse_y_true:
            y_true = ops.argmax(y_true, self.axis)
        if not self.sparse_y_pred:
            y_pred = ops.argmax(y_pred, self.axis)
        true, pred = (ops.reshape(ops.cast(y, "int32"), (-1,)) for y in (y_true, y_pred))
        valid = ops.logical_and(self._in_range(true), self._in_range(pred))
        if self.ignore_class is not None:
            valid = ops.logical_and(valid, ops.not_equal(true, self.ignore_class))
        weight = ops.cast(valid, self.total_cm.dtype)
        if sample_weight is not None:
            weight = ops.multiply(weight, self._flatten_weight(sample_weight, y_true))
        pairs = ops.where(valid, ops.add(ops.multiply(true, self.num_classes), pred), 0)
        matrix = segment_sum_columns(weight, pairs, self.num_classes**2)
        self.total_cm.accumulate(ops.reshape(matrix, (self.num_classes, self.num_classes)))

    def _flatten_weight(self, sample_weight: TensorLike, labels: TensorLike) -> Tensor:
        """Returns a weight for each label, in one axis."""
        dtype = self.total_cm.dtype
        labels = ops.convert_to_tensor(labels)
        weight = ops.convert_to_tensor(sample_weight, dtype=dtype)
        shape = tuple(labels.shape)
        if None not in shape and tuple(weight.shape) == (math.prod(shape),):
            return weight  # flat already
        weight = align_weight(weight, labels, self)
        ones = ops.ones_like(labels, dtype=dtype)
        return ops.reshape(ops.multiply(ones, weight), (-1,))

    def _in_range(self, classes: Tensor) -> Tensor:
        return ops.logical_and(ops.greater_equal(classes, 0), ops.less(classes, self.num_classes))

    def result(self) -> Tensor:
        """Returns the mean IoU of the target classes: a scalar float32 tensor."""
        matrix = ops.cast(self.total_cm, "float32")
        intersection = ops.sum(ops.multiply(matrix, ops.eye(self.num_classes)), 0)
        union = ops.subtract(ops.add(ops.sum(matrix, 0), ops.sum(matrix, 1)), intersection)
        intersection, union = (
            ops.take(x, self.target_class_ids, axis=0) for x in (intersection, union)
        )
        present = ops.greater(union, 1e-9)
        scores = ops.where(present, ops.divide(intersection, ops.add(union, settings.epsilon)), 0.0)
        count = ops.sum(ops.cast(present, "float32"))
        return ops.divide(ops.sum(scores), ops.add(count, settings.epsilon))

    _arguments: tuple[str, ...] = (
        "num_classes",
        "target_class_ids",
        "ignore_class",
        "sparse_y_true",
        "sparse_y_pred",
        "axis",
    )

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments as a JSON-serializable dict."""
        return {**super().get_config(), **{key: getattr(self, key) for key in self._arguments}}


class BinaryIoU(IoU):
    """Intersection over union of two classes, which a threshold separates.

    Args:
        target_class_ids: Indices of the classes that are averaged. Default `(0, 1)`.
        threshold: Predictions at or above it are of class 1. Default 0.5.
        name: Name of the metric. Default: from the class name.
        dtype: Dtype of the metric. Default int32. The confusion matrix is float32, or float64.

    Raises:
        ValueError: A target class is out of range, or there are none.

    Example:
        >>> metric = keras.metrics.BinaryIoU(threshold=0.3)
        >>> print(f"{float(metric([0, 1, 0, 1], [0.1, 0.2, 0.4, 0.7])):.3f}")
        0.333
    """

    _arguments = ("target_class_ids", "threshold")

    def __init__(
        self,
        target_class_ids: Sequence[int] = (0, 1),
        threshold: float = 0.5,
        name: str | None = None,
        dtype: DTypeLike | None = None,
    ):
        super().__init__(2, target_class_ids, name=name, dtype=dtype)
        self.threshold = threshold

    def update_state(
        self, y_true: TensorLike, y_pred: TensorLike, sample_weight: TensorLike | None = None
    ) -> None:
        """Accumulates the confusion matrix of a batch.

        Args:
            y_true: Labels 0 and 1 of any shape.
            y_pred: Predictions of that shape.
            sample_weight: Weights for the first axes of the labels, or None.
        """
        y_pred = ops.convert_to_tensor(y_pred, dtype="float32")
        super().update_state(y_true, ops.greater_equal(y_pred, self.threshold), sample_weight)


class MeanIoU(IoU):
    """Mean intersection over union, `TP / (TP + FP + FN)`, of all classes.

    Args:
        num_classes: Number of classes.
        name: Name of the metric. Default: from the class name.
        dtype: Dtype of the metric. Default int32. The confusion matrix is float32, or float64.
        ignore_class: Class index of labels that are ignored. Default None.
        sparse_y_true: Whether `y_true` holds class indices (default True) rather than one-hot
            labels.
        sparse_y_pred: Whether `y_pred` holds class indices (default True) rather than scores.
        axis: Axis of the classes, where there is one. Default -1.

    Example:
        >>> metric = keras.metrics.MeanIoU(num_classes=2)
        >>> print(f"{float(metric([0, 0, 1, 1], [0, 1, 0, 1])):.3f}")
        0.333
    """

    _arguments = ("num_classes", "ignore_class", "sparse_y_true", "sparse_y_pred", "axis")

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: DTypeLike | None = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ):
        super().__init__(
            num_classes,
            range(num_classes),
            name,
            dtype,
            ignore_class,
            sparse_y_true,
            sparse_y_pred,
            axis,
        )


class OneHotIoU(IoU):
    """Intersection over union for one-hot labels, averaged over some classes.

    Args:
        num_classes: Number of classes.
        target_class_ids: Indices of the classes that are averaged.
        name: Name of the metric. Default: from the class name.
        dtype: Dtype of the metric. Default int32. The confusion matrix is float32, or float64.
        ignore_class: Class index of labels that are ignored. Default None.
        sparse_y_pred: Whether `y_pred` holds class indices rather than scores. Default False.
        axis: Axis of the classes. Default -1.

    Raises:
        ValueError: A target class is out of range, or there are none.

    Example:
        >>> metric = keras.metrics.OneHotIoU(num_classes=2, target_class_ids=[0])
        >>> print(f"{float(metric([[1, 0], [0, 1]], [[0.8, 0.2], [0.6, 0.4]])):.3f}")
        0.500
    """

    _arguments = ("num_classes", "target_class_ids", "ignore_class", "sparse_y_pred", "axis")

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: DTypeLike | None = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ):
        super().__init__(
            num_classes, target_class_ids, name, dtype, ignore_class, False, sparse_y_pred, axis
        )


class OneHotMeanIoU(MeanIoU):
    """Mean intersection over union of all classes, for one-hot labels.

    Args:
        num_classes: Number of classes.
        name: Name of the metric. Default: from the class name.
        dtype: Dtype of the metric. Default int32. The confusion matrix is float32, or float64.
        ignore_class: Class index of labels that are ignored. Default None.
        sparse_y_pred: Whether `y_pred` holds class indices rather than scores. Default False.
        axis: Axis of the classes. Default -1.

    Example:
        >>> metric = keras.metrics.OneHotMeanIoU(num_classes=2)
        >>> print(f"{float(metric([[1, 0], [0, 1]], [[0.8, 0.2], [0.6, 0.4]])):.3f}")
        0.250
    """

    _arguments = ("num_classes", "ignore_class", "sparse_y_pred", "axis")

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: DTypeLike | None = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ):
        super().__init__(num_classes, name, dtype, ignore_class, False, sparse_y_pred, axis)

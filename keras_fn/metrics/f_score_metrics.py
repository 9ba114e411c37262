"""F-scores: harmonic means of precision and recall."""

from typing import Any

from keras_fn import ops
from keras_fn.core.keras_tensor import Shape
from keras_fn.errors import SpecError
from keras_fn.losses.reduction import align_weight
from keras_fn.metrics.metric import Metric
from keras_fn.metrics.regression_metrics import check_rank_2_inputs
from keras_fn.settings import settings
from keras_fn.types import DTypeLike, Tensor, TensorLike


class FBetaScore(Metric):
    """F-beta score: the weighted harmonic mean of precision and recall.

    `(1 + beta**2) * precision * recall / (beta**2 * precision + recall)`.

    Args:
        average: `"micro"` counts all classes together, `"macro"` averages the scores of the
            classes, `"weighted"` averages them weighted by support; None (default) returns one
            score per class.
        beta: Weight of recall relative to precision. Default 1.0.
        threshold: Predictions above it are positive. Default None: the highest of each row.
        name: Name of the metric.
        dtype: Dtype of the computation, or a dtype policy. Default `floatx()`.

    Raises:
        ValueError: An argument is invalid.

    Example:
        >>> metric = keras.metrics.FBetaScore(beta=2.0, threshold=0.5)
        >>> y_true, y_pred = [[1, 1, 1], [1, 0, 0]], [[0.2, 0.6, 0.7], [0.2, 0.6, 0.6]]
        >>> print(convert_to_numpy(metric(y_true, y_pred)).round(3))
        [0. 0.833 0.833]
    """

    _direction = "up"

    def __init__(
        self,
        average: str | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str | None = "fbeta_score",
        dtype: DTypeLike | None = None,
    ):
        super().__init__(name=name, dtype=dtype)
        checks = {
            "average": (average in (None, "micro", "macro", "weighted"), average),
            "beta": (isinstance(beta, float) and beta > 0, beta),
            "threshold": (
                threshold is None or (isinstance(threshold, float) and 0 < threshold <= 1),
                threshold,
            ),
        }
        for argument, (is_valid, value) in checks.items():
            if not is_valid:
                raise SpecError(
                    f"{type(self).__name__} {self.name!r}",
                    expected=_EXPECTED[argument],
                    received=f"{argument}={value!r}",
                    fix=f"check {argument}",
                )
        self.average, self.beta, self.threshold = average, beta, threshold
        self._built = False

    def _build(self, y_true_shape: Shape, y_pred_shape: Shape) -> None:
        check_rank_2_inputs(f"{type(self).__name__} {self.name!r}", y_true_shape, y_pred_shape)
        shape = () if self.average == "micro" else (y_pred_shape[-1] or 0,)
        dtype = self._accumulator_dtype
        for name in _VARIABLE_NAMES:
            setattr(self, name, self.add_variable(shape, "zeros", dtype, name=name))
        self._built = True

    def update_state(
        self, y_true: TensorLike, y_pred: TensorLike, sample_weight: TensorLike | None = None
    ) -> None:
        """Accumulates the confusion counts of a batch.

        Args:
            y_true: Labels 0 and 1 of shape `(batch, classes)`.
            y_pred: Predictions of shape `(batch, classes)`.
            sample_weight: Weights of shape `(batch,)` or `(batch, classes)`, or None.

        Raises:
            SpecError: The shapes of the first batch are not of rank 2, or the weights do not fit.
        """
        dtype = self._accumulator_dtype
        y_true = ops.convert_to_tensor(y_true, dtype=dtype)
        y_pred = ops.convert_to_tensor(y_pred, dtype=dtype)
        if not self._built:
            self._build(tuple(y_true.shape), tuple(y_pred.shape))
        if self.threshold is None:
            largest = ops.greater_equal(y_pred, ops.max(y_pred, -1, True))
            positive = ops.logical_and(largest, ops.greater(ops.absolute(y_pred), 1e-9))
        else:
            positive = ops.greater(y_pred, self.threshold)
        positive = ops.cast(positive, dtype)
        weight: Any = 1.0
        if sample_weight is not None:
            weight = align_weight(ops.convert_to_tensor(sample_weight, dtype=dtype), y_true, self)
        weighted = ops.multiply(y_true, weight)
        negative = ops.multiply(ops.subtract(1, y_true), weight)
        counts = (
            ops.multiply(positive, weighted),
            ops.multiply(positive, negative),
            ops.multiply(ops.subtract(1, positive), weighted),
            weighted,
        )
        axis = None if self.average == "micro" else 0
        for name, values in zip(_VARIABLE_NAMES, counts, strict=True):
            getattr(self, name).accumulate(ops.sum(values, axis))

    def result(self) -> Tensor:
        """Returns the score: a scalar, or a tensor of shape `(classes,)` with `average=None`."""
        if not self._built:
            return ops.zeros((), self.dtype)
        tp, fp, fn, support = (getattr(self, name) for name in _VARIABLE_NAMES)
        precision = ops.divide(tp, ops.add(ops.add(tp, fp), settings.epsilon))
        recall = ops.divide(tp, ops.add(ops.add(tp, fn), settings.epsilon))
        square = self.beta**2
        total = ops.add(ops.add(ops.multiply(precision, square), recall), settings.epsilon)
        score = ops.multiply(ops.divide(ops.multiply(precision, recall), total), 1 + square)
        if self.average == "weighted":
            fraction = ops.divide(support, ops.add(ops.sum(support), settings.epsilon))
            return self._cast_result(ops.sum(ops.multiply(score, fraction)))
        return self._cast_result(score if self.average is None else ops.mean(score))

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments as a JSON-serializable dict."""
        return {
            **super().get_config(),
            "average": self.average,
            "beta": self.beta,
            "threshold": self.threshold,
        }


_VARIABLE_NAMES = ("true_positives", "false_positives", "false_negatives", "intermediate_weights")

_EXPECTED = {
    "average": 'average "micro", "macro", "weighted" or None',
    "beta": "beta to be a float above 0",
    "threshold": "threshold to be a float above 0, at most 1, or None",
}


class F1Score(FBetaScore):
    """F1 score: the harmonic mean of precision and recall.

    Args:
        average: `"micro"` counts all classes together, `"macro"` averages the scores of the
            classes, `"weighted"` averages them weighted by support; None (default) returns one
            score per class.
        threshold: Predictions above it are positive. Default None: the highest of each row.
        name: Name of the metric.
        dtype: Dtype of the computation, or a dtype policy. Default `floatx()`.

    Raises:
        ValueError: An argument is invalid.

    Example:
        >>> metric = keras.metrics.F1Score(threshold=0.5)
        >>> y_true, y_pred = [[1, 1, 1], [1, 0, 0]], [[0.2, 0.6, 0.7], [0.2, 0.6, 0.6]]
        >>> print(convert_to_numpy(metric(y_true, y_pred)).round(3))
        [0. 0.667 0.667]
    """

    def __init__(
        self,
        average: str | None = None,
        threshold: float | None = None,
        name: str | None = "f1_score",
        dtype: DTypeLike | None = None,
    ):
        super().__init__(average=average, threshold=threshold, name=name, dtype=dtype)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments as a JSON-serializable dict."""
        config = super().get_config()
        del config["beta"]
        return config

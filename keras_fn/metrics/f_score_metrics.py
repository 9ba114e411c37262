"""Means of precision and recall."""

from typing import Any

from keras_fn import ops
from keras_fn.core.keras_tensor import Shape
from keras_fn.errors import SpecError
from keras_fn.metrics.metric import Metric
from keras_fn.metrics.regression_metrics import check_rank_2_inputs
from keras_fn.settings import settings

Tensor = Any


class FBetaScore(Metric):
    """The weighted harmonic mean of precision and recall.

    `(1 + beta**2) * precision * recall / (beta**2 * precision + recall)`.

    Args:
        average: How the scores of the classes become one: `"micro"` counts all classes together,
            `"macro"` is their mean, `"weighted"` their mean weighted by how often they are true;
            None keeps them apart.
        beta: How much more recall weighs than precision.
        threshold: Predictions above it are positive; None for the largest of each row.
        name: A name.
        dtype: As in `Metric`.

    Raises:
        ValueError: An argument is none of these.

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
        dtype: Any = None,
    ):
        super().__init__(name=name, dtype=dtype)
        valid = {
            "average": (average in (None, "micro", "macro", "weighted"), average),
            "beta": (isinstance(beta, float) and beta > 0, beta),
            "threshold": (
                threshold is None or (isinstance(threshold, float) and 0 < threshold <= 1),
                threshold,
            ),
        }
        for argument, (good, value) in valid.items():
            if not good:
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
        for name in _COUNTS:
            setattr(self, name, self.add_variable(shape, "zeros", dtype=self.dtype, name=name))
        self._built = True

    def update_state(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> None:
        """Takes a batch into account.

        Args:
            y_true: Targets 0 and 1 of shape `(batch, classes)`.
            y_pred: Predictions, likewise.
            sample_weight: Weights of shape `(batch,)`, or None.
        """
        y_true = ops.convert_to_tensor(y_true, dtype=self.dtype)
        y_pred = ops.convert_to_tensor(y_pred, dtype=self.dtype)
        if not self._built:
            self._build(tuple(y_true.shape), tuple(y_pred.shape))
        if self.threshold is None:
            largest = ops.greater_equal(y_pred, ops.max(y_pred, -1, True))
            positive = ops.logical_and(largest, ops.greater(ops.absolute(y_pred), 1e-9))
        else:
            positive = ops.greater(y_pred, self.threshold)
        positive = ops.cast(positive, self.dtype)
        weight: Any = 1.0
        if sample_weight is not None:
            weight = ops.expand_dims(ops.convert_to_tensor(sample_weight, dtype=self.dtype), 1)
        weighted = ops.multiply(y_true, weight)
        negative = ops.multiply(ops.subtract(1, y_true), weight)
        counts = (
            ops.multiply(positive, weighted),
            ops.multiply(positive, negative),
            ops.multiply(ops.subtract(1, positive), weighted),
            weighted,
        )
        axis = None if self.average == "micro" else 0
        for name, values in zip(_COUNTS, counts, strict=True):
            getattr(self, name).assign_add(ops.sum(values, axis))

    def result(self) -> Tensor:
        """Returns the score, or those of the classes."""
        if not self._built:
            return ops.zeros((), self.dtype)
        hits, wrong, missed, truths = (getattr(self, name) for name in _COUNTS)
        precision = ops.divide(hits, ops.add(ops.add(hits, wrong), settings.epsilon))
        recall = ops.divide(hits, ops.add(ops.add(hits, missed), settings.epsilon))
        square = self.beta**2
        total = ops.add(ops.add(ops.multiply(precision, square), recall), settings.epsilon)
        score = ops.multiply(ops.divide(ops.multiply(precision, recall), total), 1 + square)
        if self.average == "weighted":
            share = ops.divide(truths, ops.add(ops.sum(truths), settings.epsilon))
            return ops.sum(ops.multiply(score, share))
        return score if self.average is None else ops.mean(score)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments, as plain values."""
        return {
            **super().get_config(),
            "average": self.average,
            "beta": self.beta,
            "threshold": self.threshold,
        }


_COUNTS = ("true_positives", "false_positives", "false_negatives", "intermediate_weights")

_EXPECTED = {
    "average": 'average "micro", "macro", "weighted" or None',
    "beta": "beta to be a float above 0",
    "threshold": "threshold to be a float above 0, at most 1, or None",
}


class F1Score(FBetaScore):
    """The harmonic mean of precision and recall.

    Args:
        average: As in `FBetaScore`.
        threshold: As in `FBetaScore`.
        name: A name.
        dtype: As in `Metric`.

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
        dtype: Any = None,
    ):
        super().__init__(average=average, threshold=threshold, name=name, dtype=dtype)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments, as plain values."""
        config = super().get_config()
        del config["beta"]
        return config

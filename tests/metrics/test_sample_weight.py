"""Sample weights of metrics: a sample of weight 3 counts as three samples."""

from typing import Any

import numpy as np
import pytest

from keras_fn import losses, metrics, ops
from keras_fn.errors import SpecError

rng = np.random.default_rng(0)
COUNTS = np.array([2, 1, 0, 1])
ONE_HOT = np.eye(3, dtype="float32")[rng.integers(0, 3, 4)]
P = rng.dirichlet(np.ones(3), 4).astype("float32")
STEPS_TRUE = rng.integers(0, 2, (4, 4, 3)).astype("float32")  # as many samples as steps
STEPS_PRED = rng.uniform(0.1, 0.9, (4, 4, 3)).astype("float32")
LABELS = rng.integers(0, 3, (4, 4))

OPTIONS: dict[str, dict[str, Any]] = {
    "IoU": {"num_classes": 3, "target_class_ids": [0, 1], "sparse_y_pred": False},
    "MeanIoU": {"num_classes": 3, "sparse_y_pred": False},
    "OneHotIoU": {"num_classes": 3, "target_class_ids": [0, 1]},
    "OneHotMeanIoU": {"num_classes": 3},
    "SensitivityAtSpecificity": {"specificity": 0.4},
    "SpecificityAtSensitivity": {"sensitivity": 0.4},
    "PrecisionAtRecall": {"recall": 0.4},
    "RecallAtPrecision": {"precision": 0.4},
    "AUC": {"num_thresholds": 7},
    "Precision": {"class_id": 1},
    "Recall": {"top_k": 2},
    "TopKCategoricalAccuracy": {"k": 2},
    "SparseTopKCategoricalAccuracy": {"k": 2},
}
OF_ROWS = ("FBetaScore", "F1Score", "R2Score")  # take targets of rank 2 only
OF_LABELS = ("IoU", "MeanIoU", "SparseCategoricalAccuracy", "SparseCategoricalCrossentropy",
             "SparseTopKCategoricalAccuracy")  # fmt: skip
OFTEN = ("RootMeanSquaredError", "SparseCategoricalAccuracy", "Precision", "R2Score", "MeanIoU")
NAMES = [
    pytest.param(cls.__name__, marks=[] if cls.__name__ in OFTEN else pytest.mark.thorough)
    for cls in metrics._CLASSES
    if cls.__name__ not in ("Mean", "Sum", "Metric", "MeanMetricWrapper", "PearsonCorrelation",
                            "ConcordanceCorrelation")
]  # fmt: skip


def number(x) -> np.ndarray:
    return ops.convert_to_numpy(x).astype("float64")


@pytest.mark.parametrize("name", NAMES)
def test_a_weight_for_each_sample_counts_as_often(name: str) -> None:
    y_true, y_pred = (ONE_HOT, P) if name in OF_ROWS else (STEPS_TRUE, STEPS_PRED)
    y_true = LABELS if name in OF_LABELS else y_true
    make = getattr(metrics, name)
    weighted = make(**OPTIONS.get(name, {}))
    got = number(weighted(y_true, y_pred, sample_weight=COUNTS.astype("float32")))
    repeated = make(**OPTIONS.get(name, {}))
    expected = number(repeated(*(np.repeat(x, COUNTS, 0) for x in (y_true, y_pred))))
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", ["RootMeanSquaredError", "Precision", "MeanIoU", "R2Score"])
def test_weights_that_do_not_fit_are_named_with_the_metric_and_both_shapes(name: str) -> None:
    y_true, y_pred = (ONE_HOT, P) if name in OF_ROWS else (STEPS_TRUE, STEPS_PRED)
    y_true = LABELS if name in OF_LABELS else y_true
    metric = getattr(metrics, name)(**OPTIONS.get(name, {}), name="m")
    with pytest.raises(SpecError) as caught:
        metric(y_true, y_pred, sample_weight=np.ones(3, "float32"))
    for part in (f"{name} 'm'", "sample_weight", "(3,)", "(4, "):
        assert part in str(caught.value)


def test_weights_of_a_column_and_of_one_class() -> None:
    column = COUNTS[:, None].astype("float32")
    for make in (metrics.R2Score, metrics.MeanSquaredError):
        expected = number(make()(ONE_HOT, P, sample_weight=column[:, 0]))
        np.testing.assert_allclose(number(make()(ONE_HOT, P, sample_weight=column)), expected)
    weight = rng.uniform(size=(4, 3)).astype("float32")
    precision = metrics.Precision(thresholds=0.2, class_id=1)
    got = number(precision(ONE_HOT, P, sample_weight=weight))
    above = P[:, 1] > 0.2
    expected = (weight[:, 1] * above * ONE_HOT[:, 1]).sum() / (weight[:, 1] * above).sum()
    np.testing.assert_allclose(got, expected, rtol=1e-5)


def test_a_scalar_is_the_weight_of_the_batch_as_a_whole() -> None:
    """As where a program passes the mean of a batch and its size."""
    mean = metrics.Mean()
    mean.update_state([2.0, 4.0, 6.0], sample_weight=3)
    mean.update_state(10.0, sample_weight=2)
    np.testing.assert_allclose(number(mean.result()), (12 + 20) / 5, rtol=1e-6)


@pytest.mark.parametrize("function", [losses.mean_squared_error, losses.binary_crossentropy])
def test_weights_of_steps_where_targets_lack_an_axis_of_size_1(function) -> None:
    y_true, y_pred = STEPS_TRUE[..., :1], STEPS_PRED[..., :1]
    weight = rng.uniform(size=(4, 4)).astype("float32")
    values = number(function(y_true, y_pred))
    got = number(metrics.MeanMetricWrapper(function)(y_true[..., 0], y_pred, weight))
    np.testing.assert_allclose(got, (values * weight).sum() / weight.sum(), rtol=1e-5)


def test_fractional_weights_of_an_intersection_over_union() -> None:
    metric = metrics.IoU(num_classes=2, target_class_ids=[0])
    metric.update_state([0, 0, 1, 1], [0, 1, 0, 1], sample_weight=[0.3, 0.3, 0.3, 0.1])
    np.testing.assert_allclose(number(metric.total_cm), [[0.3, 0.3], [0.3, 0.1]], rtol=1e-5)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
class TestHalfPrecision:
    """Sums of half precision would overflow, or stop growing at 2048 (256 in bfloat16)."""

    def test_a_mean_lies_within_its_numbers(self, dtype: str) -> None:
        values = ops.cast(np.full((3000, 2), 50.0, "float32"), dtype)
        for weight in (None, np.ones(3000)):
            mean = metrics.Mean(dtype=dtype)
            for _ in range(2):
                mean.update_state(values, sample_weight=weight)
            assert number(mean.result()) == 50.0 and ops.dtype(mean.result()) == dtype
        mean = metrics.Mean(dtype=dtype)
        mean.add_mean(ops.cast(50.0, dtype), 10_000)
        assert number(mean.result()) == 50.0

    def test_errors_of_predictions_are_squared_in_float32(self, dtype: str) -> None:
        y_pred = ops.cast(np.full((4, 1), 1000.0, "float32"), dtype)
        y_true = np.zeros((4, 1), "float32")
        assert number(metrics.MeanSquaredError()(y_true, y_pred)) == 1e6
        assert number(metrics.RootMeanSquaredError(dtype=dtype)(y_true, y_pred)) == 1000.0

    def test_counts_go_on_growing(self, dtype: str) -> None:
        y_true, y_pred = np.zeros((3000, 2), "float32"), np.zeros((3000, 2), "float32")
        y_true[:, 0] = y_pred[:2000, 0] = y_pred[2000:, 1] = 1
        scores = (
            metrics.F1Score(dtype=dtype, average="micro"),
            metrics.CategoricalAccuracy(dtype=dtype),
        )
        for score in scores:
            for _ in range(2):
                score.update_state(y_true, y_pred)
            np.testing.assert_allclose(number(score.result()), 2 / 3, rtol=5e-3)


def test_state_is_float32_if_floatx_is_half_precision() -> None:
    import keras_fn as keras

    keras.config.set_floatx("float16")
    try:
        made = [metrics.Mean(), metrics.AUC(), metrics.Precision(), metrics.F1Score()]
        made[3].update_state(ONE_HOT, P)
        own = metrics.Metric(name="own").add_weight(name="total")
    finally:
        keras.config.set_floatx("float32")
    assert {v.dtype for metric in made for v in metric.variables} | {own.dtype} == {"float32"}

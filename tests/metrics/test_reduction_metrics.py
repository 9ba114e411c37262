"""Means and sums: weights, masks, dtypes."""

import numpy as np
import pytest

from keras_fn import losses, metrics, ops
from keras_fn.core.masking import set_mask


def number(x) -> np.ndarray:
    return ops.convert_to_numpy(x).astype("float64")


def test_the_mean_without_values_is_zero() -> None:
    assert number(metrics.Mean().result()) == 0.0


def test_a_number_counts_once() -> None:
    mean = metrics.Mean()
    mean.update_state(2.0)
    mean.update_state(np.array([5.0, 8.0], "float32"))
    assert number(mean.result()) == 5.0


def test_batches_are_weighted_by_their_size() -> None:
    values = np.arange(10.0, dtype="float32").reshape(5, 2)
    mean = metrics.Mean()
    mean.update_state(values[:4])
    mean.update_state(values[4:])
    np.testing.assert_allclose(number(mean.result()), values.mean())


def test_weights_broadcast_over_trailing_axes() -> None:
    values = np.arange(12.0, dtype="float32").reshape(2, 2, 3)
    weight = np.array([[1.0, 2.0], [0.0, 4.0]], "float32")
    mean, total = metrics.Mean(), metrics.Sum()
    np.testing.assert_allclose(
        number(mean(values, weight)), (values.mean(-1) * weight).sum() / weight.sum()
    )
    np.testing.assert_allclose(number(total(values, weight)), (values * weight[..., None]).sum())


def test_masked_steps_are_ignored() -> None:
    y_true, mask = np.array([[1, 0, 1]]), np.array([[True, True, False]])
    y_pred = ops.convert_to_tensor(np.array([[[0.1, 0.9], [0.2, 0.8], [0.9, 0.1]]], "float32"))
    set_mask(y_pred, ops.convert_to_tensor(mask))
    accuracy = metrics.SparseCategoricalAccuracy()
    assert number(accuracy(y_true, y_pred)) == 0.5
    weighted = metrics.SparseCategoricalAccuracy()
    weight = np.array([[3.0, 1.0, 100.0]], "float32")
    assert number(weighted(y_true, y_pred, sample_weight=weight)) == 0.75


def test_ignore_class_is_ignored_in_the_metric_as_in_the_loss() -> None:
    y_true, y_pred = np.array([0, -1, 1]), np.array([[0.5, 0.5], [0.2, 0.8], [0.75, 0.25]], "f")
    metric = metrics.SparseCategoricalCrossentropy(ignore_class=-1)
    loss = losses.SparseCategoricalCrossentropy(ignore_class=-1)
    expected = (np.log(2) + np.log(4)) / 2
    np.testing.assert_allclose(number(metric(y_true, y_pred)), expected, rtol=1e-6)
    np.testing.assert_allclose(number(loss(y_true, y_pred)), expected, rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_sums_are_float32_at_least_and_the_result_has_the_dtype(dtype: str) -> None:
    mean = metrics.Mean(dtype=dtype)
    result = mean([1.0, 2.0, 4.5])
    assert {v.dtype for v in mean.variables} == {"float32"}
    assert ops.dtype(result) == dtype
    np.testing.assert_allclose(number(result), 2.5)


def test_any_function_of_targets_and_predictions_is_averaged() -> None:
    def far(y_true, y_pred, limit):
        return ops.cast(ops.greater(ops.abs(ops.subtract(y_true, y_pred)), limit), "float32")

    metric = metrics.MeanMetricWrapper(far, name="far", limit=1.5)
    y_true, y_pred = np.array([0.0, 0.0], "float32"), np.array([1.0, 2.0], "float32")
    assert number(metric(y_true, y_pred)) == 0.5
    assert metric.name == "far"


def test_a_result_of_sum_does_not_change_later():
    metric = metrics.Sum()
    first = metric([1.0, 2.0])
    metric.update_state([4.0])
    assert float(first) == 3.0
    assert float(metric.result()) == 7.0

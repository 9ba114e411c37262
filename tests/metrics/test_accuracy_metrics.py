"""Accuracy metrics: ranks, k above the number of classes, shapes."""

import numpy as np
import pytest

from keras_fn import metrics, ops


def number(x) -> np.ndarray:
    return ops.convert_to_numpy(x).astype("float64")


SCORES = np.array([[0.1, 0.7, 0.2], [0.5, 0.3, 0.2]], "float32")


def test_class_indices_may_be_a_column() -> None:
    for y_true in (np.array([1, 2]), np.array([[1], [2]]), np.array([[1.0], [2.0]])):
        assert number(metrics.sparse_categorical_accuracy(y_true, SCORES)).tolist() == [1.0, 0.0]


def test_class_indices_stay_exact_with_float16_predictions() -> None:
    scores = np.zeros((1, 3000), "float32")
    scores[0, 2999] = 1.0
    scores = ops.cast(scores, "bfloat16")  # which has no 2999
    assert number(metrics.sparse_categorical_accuracy(np.array([2999]), scores)).tolist() == [1.0]
    assert number(metrics.sparse_categorical_accuracy(np.array([2998]), scores)).tolist() == [0.0]


@pytest.mark.parametrize(("k", "expected"), [(1, [1, 0]), (2, [1, 0]), (3, [1, 1]), (9, [1, 1])])
def test_the_target_is_among_the_k_largest(k: int, expected: list[int]) -> None:
    y_true = np.array([1, 2])
    got = number(metrics.sparse_top_k_categorical_accuracy(y_true, SCORES, k=k))
    assert got.tolist() == expected
    one_hot = np.eye(3, dtype="float32")[y_true]
    assert number(metrics.top_k_categorical_accuracy(one_hot, SCORES, k=k)).tolist() == expected


def test_results_have_the_shape_of_the_class_indices() -> None:
    scores = np.random.RandomState(0).normal(size=(2, 5, 4)).astype("float32")
    best = scores.argmax(-1)
    for function in (
        metrics.sparse_categorical_accuracy,
        metrics.sparse_top_k_categorical_accuracy,
    ):
        assert number(function(best, scores)).tolist() == np.ones((2, 5)).tolist()


def test_a_probability_at_the_threshold_counts_as_0() -> None:
    got = metrics.binary_accuracy(np.array([0, 1, 1]), np.array([0.5, 0.5, 0.6], "float32"))
    assert number(got).tolist() == [1.0, 0.0, 1.0]


def test_correlations_by_hand() -> None:
    a, b = np.random.RandomState(1).normal(size=(2, 3, 20)).astype("float32")
    expected = [np.corrcoef(x, y)[0, 1] for x, y in zip(a, b, strict=True)]
    np.testing.assert_allclose(number(metrics.pearson_correlation(a, b)), expected, rtol=1e-4)
    concordance = [
        2 * np.mean((x - x.mean()) * (y - y.mean()))
        / (x.var() + y.var() + (x.mean() - y.mean()) ** 2)
        for x, y in zip(a, b, strict=True)
    ]  # fmt: skip
    got = number(metrics.concordance_correlation(a, b))
    np.testing.assert_allclose(got, concordance, rtol=1e-4)

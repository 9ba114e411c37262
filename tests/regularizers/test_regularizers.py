"""Regularizers against NumPy; configs and names."""

import numpy as np
import pytest

from keras_fn import ops, regularizers
from keras_fn.core.variable import Variable

W = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")


def mean_cosine(w):
    rows = w / np.linalg.norm(w, axis=1, keepdims=True)
    cosines = np.abs(rows @ rows.T)
    return np.mean(cosines[np.triu_indices(len(w), 1)])


CASES = [
    (regularizers.L1(0.1), 0.1 * np.abs(W).sum()),
    (regularizers.L2(0.1), 0.1 * (W**2).sum()),
    (regularizers.L1L2(0.1, 0.2), 0.1 * np.abs(W).sum() + 0.2 * (W**2).sum()),
    (regularizers.L1L2(), 0.0),
    (regularizers.OrthogonalRegularizer(0.1), 0.1 * mean_cosine(W)),
    (regularizers.OrthogonalRegularizer(0.1, "columns"), 0.1 * mean_cosine(W.T)),
]


@pytest.mark.parametrize(("regularizer", "expected"), CASES)
def test_values(regularizer, expected):
    for w in (ops.convert_to_tensor(W), Variable(W)):
        value = ops.convert_to_numpy(regularizer(w))
        assert value.shape == () and value.dtype == "float32"
        np.testing.assert_allclose(value, expected, rtol=1e-5, atol=1e-7)


def test_a_single_row_is_orthogonal_to_nothing():
    assert float(regularizers.OrthogonalRegularizer()(ops.ones((1, 3)))) == 0.0


@pytest.mark.parametrize(
    ("name", "config"),
    [
        ("L1", {"l1": 0.01}),
        ("L2", {"l2": 0.01}),
        ("L1L2", {"l1": 0.0, "l2": 0.0}),
        ("OrthogonalRegularizer", {"factor": 0.01, "mode": "rows"}),
    ],
)
def test_configs(name, config):
    written = regularizers.serialize(regularizers.get(name))
    assert written["module"] == "keras.regularizers" and written["class_name"] == name
    assert written["config"] == config
    assert regularizers.deserialize(written).get_config() == config


def test_names():
    assert regularizers.get("l1_l2").get_config() == {"l1": 0.0, "l2": 0.0}
    assert isinstance(regularizers.get("l1l2"), regularizers.l1_l2)
    assert regularizers.get(None) is None and regularizers.get(abs) is abs
    with pytest.raises(ValueError, match="did you mean"):
        regularizers.get("orthogonal_regularizers")


@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf"), "1", [1.0]])
def test_factors_that_are_refused(value):
    for make in (regularizers.L1, regularizers.L2, regularizers.OrthogonalRegularizer):
        with pytest.raises(ValueError, match="0 or more"):
            make(value)


def test_orthogonality_is_of_matrices():
    with pytest.raises(ValueError, match="rank 2"):
        regularizers.OrthogonalRegularizer()(ops.ones((2, 2, 2)))
    with pytest.raises(ValueError, match="mode"):
        regularizers.OrthogonalRegularizer(mode="diagonals")

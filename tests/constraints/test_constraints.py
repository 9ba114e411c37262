"""Constraints against NumPy; configs and names."""

import numpy as np
import pytest

from keras_fn import constraints, ops
from keras_fn.core.variable import Variable

W = np.random.default_rng(0).normal(size=(4, 3, 2)).astype("float32")


def with_norms(change, axis):
    norms = np.sqrt((W**2).sum(axis=axis, keepdims=True))
    return W * change(norms) / (norms + 1e-7)


CASES = [
    (constraints.MaxNorm(1.5), with_norms(lambda n: np.minimum(n, 1.5), 0)),
    (constraints.MaxNorm(1.5, axis=[0, 1]), with_norms(lambda n: np.minimum(n, 1.5), (0, 1))),
    (
        constraints.MinMaxNorm(1.0, 1.5, rate=0.3, axis=1),
        with_norms(lambda n: 0.3 * np.clip(n, 1.0, 1.5) + 0.7 * n, 1),
    ),
    (constraints.UnitNorm(axis=2), with_norms(np.ones_like, 2)),
    (constraints.NonNeg(), np.maximum(W, 0)),
]


@pytest.mark.parametrize(("constraint", "expected"), CASES)
def test_values(constraint, expected):
    for w in (ops.convert_to_tensor(W), Variable(W)):
        value = ops.convert_to_numpy(constraint(w))
        assert value.dtype == "float32"
        np.testing.assert_allclose(value, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("constraint", [c for c, _ in CASES])
def test_zeros_stay_finite(constraint):
    assert np.isfinite(ops.convert_to_numpy(constraint(ops.zeros((2, 2, 2))))).all()


@pytest.mark.parametrize(
    ("name", "config"),
    [
        ("MaxNorm", {"max_value": 2, "axis": 0}),
        ("MinMaxNorm", {"min_value": 0.0, "max_value": 1.0, "rate": 1.0, "axis": 0}),
        ("NonNeg", {}),
        ("UnitNorm", {"axis": 0}),
    ],
)
def test_configs(name, config):
    written = constraints.serialize(constraints.get(name))
    assert written["module"] == "keras.constraints" and written["class_name"] == name
    assert written["config"] == config
    assert constraints.deserialize(written).get_config() == config


def test_names():
    assert isinstance(constraints.get("max_norm"), constraints.MaxNorm)
    assert isinstance(constraints.get(constraints.NonNeg), constraints.NonNeg)
    assert constraints.get(None) is None and constraints.get(abs) is abs
    with pytest.raises(ValueError, match="unit_norm"):
        constraints.get("unitnorm")

"""Activations against NumPy, and the names that stand for them."""

import numpy as np
import pytest
from scipy import special

from keras_fn import activations, ops
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.registry import table

X = np.random.default_rng(0).normal(size=(5, 8)).astype("float32") * 3


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softplus(x):
    return np.logaddexp(x, 0)


def elu(x, alpha=1.0):
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def gelu_tanh(x):
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def glu(x):
    return x[..., :4] * sigmoid(x[..., 4:])


def sparsemax(x, axis=-1):
    """By bisection for the tau with sum(max(x - tau, 0)) = 1."""
    low, high = x.max(axis, keepdims=True) - 1, x.max(axis, keepdims=True)
    for _ in range(60):
        middle = (low + high) / 2
        above = np.maximum(x - middle, 0).sum(axis, keepdims=True) > 1
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return np.maximum(x - low, 0)


CASES = {
    "celu": [({}, elu), ({"alpha": 0.5}, lambda x: np.where(x > 0, x, 0.5 * np.expm1(x / 0.5)))],
    "elu": [({}, elu), ({"alpha": 0.5}, lambda x: elu(x, 0.5))],
    "exponential": [({}, np.exp)],
    "gelu": [({}, lambda x: x * special.ndtr(x)), ({"approximate": True}, gelu_tanh)],
    "glu": [({}, glu)],
    "hard_shrink": [({"threshold": 1.0}, lambda x: np.where(abs(x) > 1, x, 0))],
    "hard_sigmoid": [({}, lambda x: np.clip(x / 6 + 0.5, 0, 1))],
    "hard_silu": [({}, lambda x: x * np.clip(x / 6 + 0.5, 0, 1))],
    "hard_tanh": [({}, lambda x: np.clip(x, -1, 1))],
    "leaky_relu": [({}, lambda x: np.where(x > 0, x, 0.2 * x))],
    "linear": [({}, lambda x: x)],
    "log_sigmoid": [({}, lambda x: -softplus(-x))],
    "log_softmax": [({"axis": 0}, lambda x: special.log_softmax(x, 0))],
    "mish": [({}, lambda x: x * np.tanh(softplus(x)))],
    "relu": [
        ({}, lambda x: np.maximum(x, 0)),
        ({"max_value": 6}, lambda x: np.clip(x, 0, 6)),
        ({"max_value": 2.0}, lambda x: np.clip(x, 0, 2)),
        ({"negative_slope": 0.3}, lambda x: np.where(x > 0, x, 0.3 * x)),
        ({"threshold": 1.0}, lambda x: np.where(x > 1, x, 0)),
        (
            {"negative_slope": 0.2, "max_value": 1.5, "threshold": 0.5},
            lambda x: np.where(x > 0.5, np.minimum(x, 1.5), 0.2 * (x - 0.5)),
        ),
    ],
    "relu6": [({}, lambda x: np.clip(x, 0, 6))],
    "selu": [({}, lambda x: 1.0507009873554805 * elu(x, 1.6732632423543772))],
    "sigmoid": [({}, sigmoid)],
    "silu": [({}, lambda x: x * sigmoid(x))],
    "soft_shrink": [({}, lambda x: np.sign(x) * np.maximum(abs(x) - 0.5, 0))],
    "softmax": [({}, lambda x: special.softmax(x, -1))],
    "softplus": [({}, softplus)],
    "softsign": [({}, lambda x: x / (1 + abs(x)))],
    "sparse_plus": [
        ({}, lambda x: np.where(x >= 1, x, np.where(x <= -1, 0, (x + 1) ** 2 / 4)))
    ],
    "sparse_sigmoid": [({}, lambda x: np.clip((x + 1) / 2, 0, 1))],
    "sparsemax": [({}, sparsemax), ({"axis": 0}, lambda x: sparsemax(x, 0))],
    "squareplus": [({"b": 3}, lambda x: (x + np.sqrt(x**2 + 3)) / 2)],
    "tanh": [({}, np.tanh)],
    "tanh_shrink": [({}, lambda x: x - np.tanh(x))],
    "threshold": [
        ({"threshold": 0.3, "default_value": -2.0}, lambda x: np.where(x > 0.3, x, -2))
    ],
}  # fmt: skip
ROWS = [(name, options, f) for name, rows in CASES.items() for options, f in rows]


def test_every_activation_has_a_case():
    assert {f.__name__ for f in table("activation").values()} - {"exp"} == set(CASES)


@pytest.mark.parametrize(("name", "options", "reference"), ROWS)
def test_values_and_shapes(name, options, reference):
    function = getattr(activations, name)
    expected = reference(X.astype("float64"))
    y = ops.convert_to_numpy(function(ops.convert_to_tensor(X), **options))
    assert y.dtype == "float32"
    np.testing.assert_allclose(y, expected, rtol=2e-5, atol=2e-6)
    symbol = function(KerasTensor((None, 8)), **options)
    assert symbol.shape == (None, *expected.shape[1:]) and symbol.dtype == "float32"


@pytest.mark.parametrize("name", CASES)
def test_names_lead_there_and_back(name):
    function = activations.get(name)
    assert function is getattr(activations, name)
    assert activations.serialize(function) == name
    assert activations.deserialize(name) is function


def test_other_names_of_the_same():
    assert activations.get("swish") is activations.swish is activations.silu
    assert activations.serialize(activations.hard_swish) == "hard_silu"


def mine(x):
    return x


def test_get_takes_none_functions_and_configs():
    assert activations.get(None) is activations.linear
    assert activations.get(mine) is mine
    config = activations.serialize(mine)
    assert config["config"] == "mine" and config["module"] == "builtins"
    assert activations.deserialize(config, {"mine": mine}) is mine
    written = {"module": "builtins", "class_name": "function", "config": "relu"}
    assert activations.get(written) is activations.relu


@pytest.mark.parametrize("identifier", ["relux", 3, {"class_name": "Zeros", "config": {}}])
def test_what_is_no_activation_is_refused(identifier):
    with pytest.raises(ValueError, match="expected:"):
        activations.get(identifier)


def test_integers_are_taken_where_they_make_sense():
    x = np.array([-2, 0, 9])
    assert ops.convert_to_numpy(activations.relu(x)).tolist() == [0, 0, 9]
    assert ops.convert_to_numpy(activations.relu(x, max_value=5)).tolist() == [0, 0, 5]

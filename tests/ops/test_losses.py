"""The crossentropies, beyond the table of conformance: gradients at ties, errors word by word."""

import numpy as np
import pytest

from keras_fn import ops
from keras_fn.backend.loader import current
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.variable import Variable
from keras_fn.errors import SpecError

X = np.random.RandomState(1).normal(size=(5, 4)) * 3
Z = np.array([[0, 1, 0.5, 1]] * 5)
CLASSES = np.array([0, 3, 1, 1, 2])
ONE_HOT = np.eye(4)[CLASSES]


def number(x) -> np.ndarray:
    return ops.convert_to_numpy(x).astype("float64")


def softmax(x: np.ndarray, axis: int = -1) -> np.ndarray:
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def gradient(function, x: np.ndarray) -> np.ndarray:
    variable = Variable(x.astype("float32"))
    step = current().value_and_grad(lambda: (ops.sum(function(variable)), None), [variable])
    return number(step()[1][0])


def f32(x: np.ndarray):
    return ops.convert_to_tensor(x.astype("float32"))


def test_gradients_of_logits_are_p_minus_target_at_zero_too() -> None:
    x = X.copy()
    x[0] = 0.0
    got = gradient(lambda v: ops.binary_crossentropy(f32(Z), v, from_logits=True), x)
    np.testing.assert_allclose(got, sigmoid(x) - Z, atol=1e-6)
    got = gradient(lambda v: ops.categorical_crossentropy(f32(ONE_HOT), v, from_logits=True), x)
    np.testing.assert_allclose(got, softmax(x) - ONE_HOT, atol=1e-6)
    got = gradient(lambda v: ops.sparse_categorical_crossentropy(CLASSES, v, from_logits=True), x)
    np.testing.assert_allclose(got, softmax(x) - ONE_HOT, atol=1e-6)


def test_shapes_are_inferred_and_unknown_sizes_pass() -> None:
    x = KerasTensor((None, 7, 3))
    assert ops.binary_crossentropy(KerasTensor((4, None, 3)), x).shape == (4, 7, 3)
    assert ops.categorical_crossentropy(KerasTensor((None, 7, 3)), x, axis=1).shape == (None, 3)
    sparse = ops.sparse_categorical_crossentropy(KerasTensor((None, 7), "int32"), x)
    assert (sparse.shape, sparse.dtype) == ((None, 7), "float32")


@pytest.mark.parametrize("symbolic", [False, True])
def test_shapes_that_do_not_fit_are_refused(symbolic: bool) -> None:
    def tensor(*shape: int):
        return KerasTensor(shape) if symbolic else f32(np.zeros(shape))

    with pytest.raises(SpecError) as caught:
        ops.binary_crossentropy(tensor(2, 3), tensor(2, 4))
    assert str(caught.value) == (
        "ops.binary_crossentropy\n"
        "  expected: target and output of one shape\n"
        "  received: target of shape (2, 3), output of shape (2, 4)\n"
        "  fix:      reshape one of them (class indices are for "
        "ops.sparse_categorical_crossentropy)"
    )
    with pytest.raises(SpecError) as caught:
        ops.sparse_categorical_crossentropy(tensor(2, 4), tensor(2, 4))
    assert str(caught.value) == (
        "ops.sparse_categorical_crossentropy\n"
        "  expected: class indices of shape (2,): the shape of output without its classes\n"
        "  received: target of shape (2, 4), output of shape (2, 4)\n"
        "  fix:      reshape the target (one-hot vectors are for ops.categorical_crossentropy)"
    )

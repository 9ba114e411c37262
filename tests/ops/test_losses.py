"""The crossentropies: values, stability, gradients, shapes that do not fit."""

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


@pytest.mark.parametrize("from_logits", [False, True])
def test_binary_values(from_logits: bool) -> None:
    p = sigmoid(X)
    expected = -Z * np.log(p) - (1 - Z) * np.log(1 - p)
    output = X if from_logits else p
    got = number(ops.binary_crossentropy(f32(Z), f32(output), from_logits=from_logits))
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("axis", [-1, 0])
@pytest.mark.parametrize("from_logits", [False, True])
def test_categorical_values(from_logits: bool, axis: int) -> None:
    expected = -(Z * np.log(softmax(X, axis))).sum(axis)
    output = X if from_logits else softmax(X, axis) * 7
    got = ops.categorical_crossentropy(f32(Z), f32(output), from_logits=from_logits, axis=axis)
    np.testing.assert_allclose(number(got), expected, rtol=1e-5)


@pytest.mark.parametrize("from_logits", [False, True])
@pytest.mark.parametrize("column", [False, True])
def test_sparse_values(from_logits: bool, column: bool) -> None:
    expected = -np.log(softmax(X)[np.arange(5), CLASSES])
    target = CLASSES[:, None] if column else CLASSES
    output = f32(X if from_logits else softmax(X) * 7)
    got = ops.sparse_categorical_crossentropy(target, output, from_logits=from_logits)
    # A loss near 0 is the difference of two logits of about 8: float32 rounds these.
    np.testing.assert_allclose(number(got), expected, rtol=1e-5, atol=1e-6)


def test_sparse_with_the_classes_on_another_axis() -> None:
    x = np.random.RandomState(2).normal(size=(2, 3, 4))
    target = np.array([[0, 1, 2, 2], [2, 1, 0, 0]])
    got = ops.sparse_categorical_crossentropy(target, f32(x), from_logits=True, axis=1)
    expected = -np.log(np.take_along_axis(softmax(x, 1), target[:, None], 1))[:, 0]
    np.testing.assert_allclose(number(got), expected, rtol=1e-5)


def test_large_logits_neither_overflow_nor_lose_what_is_small() -> None:
    logits = f32(np.array([[1000.0, -1000.0], [20.0, -20.0]]))
    got = number(ops.binary_crossentropy(f32(np.array([[1, 0], [1, 0]])), logits, from_logits=True))
    np.testing.assert_allclose(got, [[0, 0], [np.exp(-20.0)] * 2], rtol=1e-5)
    wrong = number(ops.sparse_categorical_crossentropy([1], logits[:1], from_logits=True))
    np.testing.assert_allclose(wrong, [2000.0])
    both = number(ops.categorical_crossentropy([[0.0, 1.0]], logits[:1], from_logits=True))
    np.testing.assert_allclose(both, [2000.0])


def test_probabilities_are_clipped_by_epsilon() -> None:
    certain = f32(np.array([[0.0, 1.0]]))
    got = number(ops.binary_crossentropy(f32(np.array([[1.0, 1.0]])), certain))
    np.testing.assert_allclose(got, [[-np.log(1e-7), 1e-7]], rtol=0.2)
    np.testing.assert_allclose(
        number(ops.sparse_categorical_crossentropy([0], certain)), [-np.log(1e-7)], rtol=1e-5
    )


def test_gradients_of_logits_are_p_minus_target_at_zero_too() -> None:
    x = X.copy()
    x[0] = 0.0
    got = gradient(lambda v: ops.binary_crossentropy(f32(Z), v, from_logits=True), x)
    np.testing.assert_allclose(got, sigmoid(x) - Z, atol=1e-6)
    got = gradient(lambda v: ops.categorical_crossentropy(f32(ONE_HOT), v, from_logits=True), x)
    np.testing.assert_allclose(got, softmax(x) - ONE_HOT, atol=1e-6)
    got = gradient(lambda v: ops.sparse_categorical_crossentropy(CLASSES, v, from_logits=True), x)
    np.testing.assert_allclose(got, softmax(x) - ONE_HOT, atol=1e-6)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_is_computed_wide_and_returned_half(dtype: str) -> None:
    output = ops.cast(f32(np.array([[1.0, 0.0]])), dtype)
    for got in (
        ops.binary_crossentropy(ops.cast(output, "float32"), output),
        ops.categorical_crossentropy(output, output),
        ops.sparse_categorical_crossentropy([0], output),
    ):
        assert ops.dtype(got) == dtype
        assert np.all(np.abs(number(got)) < 1e-3)


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
        "  given:    target of shape (2, 3), output of shape (2, 4)\n"
        "  fix:      reshape one of them (class numbers are for "
        "ops.sparse_categorical_crossentropy)"
    )
    with pytest.raises(SpecError) as caught:
        ops.categorical_crossentropy(tensor(2), tensor(2, 4))
    assert caught.value.given == "target of shape (2,), output of shape (2, 4)"
    with pytest.raises(SpecError) as caught:
        ops.sparse_categorical_crossentropy(tensor(2, 4), tensor(2, 4))
    assert str(caught.value) == (
        "ops.sparse_categorical_crossentropy\n"
        "  expected: class numbers of shape (2,): that of output without its classes\n"
        "  given:    target of shape (2, 4), output of shape (2, 4)\n"
        "  fix:      reshape the target (one-hot codes are for ops.categorical_crossentropy)"
    )
    with pytest.raises(SpecError, match="an output with an axis of classes"):
        ops.categorical_crossentropy(tensor(), tensor())
    with pytest.raises(SpecError, match="axis=2"):
        ops.categorical_crossentropy(tensor(2, 4), tensor(2, 4), axis=2)

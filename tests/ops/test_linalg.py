"""Linear algebra: results that are not unique, gradients, and errors that depend on values."""

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import ops
from keras_fn.backend.loader import current
from keras_fn.errors import SpecError

SINGULAR = np.array([[1.0, 2.0], [2.0, 4.0]], "float32")
NAN = np.array([[np.nan, 1.0], [1.0, 2.0]], "float32")


def to_numpy(x):
    return np.asarray(ops.convert_to_numpy(x))


def gradient(function, x):
    """The gradient of a scalar function at a NumPy array."""
    variable = keras.Variable(x)

    def scalar():
        return function(ops.convert_to_tensor(variable)), None

    _, (slope,) = current().value_and_grad(scalar, [variable])()
    return to_numpy(slope)


def differences(function, x, step=1e-5):
    """The same by central differences, of a function of NumPy arrays."""
    slope = np.zeros(x.shape)
    for i in np.ndindex(x.shape):
        move = np.zeros(x.shape)
        move[i] = step
        slope[i] = (function(x + move) - function(x - move)) / (2 * step)
    return slope


@pytest.mark.parametrize(
    ("op", "args", "expected"),
    [
        ("inv", (SINGULAR,), "can be inverted"),
        ("inv", (np.stack([np.eye(2, dtype="float32"), SINGULAR]),), "can be inverted"),
        ("solve", (SINGULAR, np.ones(2, "float32")), "can be inverted"),
        ("solve_triangular", (np.diag([1.0, 0.0]).astype("float32"), np.ones(2)), "can be"),
        ("cholesky_inverse", (np.diag([1.0, 0.0]).astype("float32"),), "can be inverted"),
        ("cholesky", (-np.eye(2, dtype="float32"),), "positive definite"),
        ("cholesky", (NAN,), "positive definite"),
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_singular_and_indefinite_matrices_are_refused(op, args, expected, dtype):
    tensors = [ops.cast(x, dtype) for x in args]
    with pytest.raises(SpecError, match=f"ops.*\n.*{expected}"):
        getattr(ops, op)(*tensors)


@pytest.mark.parametrize("op", ["inv", "det", "logdet", "svd", "eig", "pinv", "qr", "lu_factor"])
def test_matrices_that_are_not_finite_return_nan(op):
    results = keras.tree.flatten(getattr(ops, op)(NAN))
    assert any(np.isnan(to_numpy(x)).any() for x in results)


def test_the_rank_of_a_matrix_that_is_not_finite_is_0():
    assert int(ops.matrix_rank(NAN)) == 0


# Functions that do not depend on signs and phases; finite differences are taken with NumPy.
def low_rank(decompose, xp):
    """The largest part of a singular value decomposition."""

    def function(x):
        u, s, vh = decompose(x)
        part = u[:, :1] * s[:1] @ vh[:1]
        return xp.sum(part * part * part) + xp.sum(s * s * s)

    return function


def projection(decompose, xp, size=1):
    """A projection on an eigenvector, and the eigenvalues."""

    def function(x):
        w, v = decompose(x)
        part = v[:, :size] @ xp.transpose(v[:, :size])
        return xp.sum(part * part * part) + xp.sum(w * w * w)

    return function


def triangle(decompose, xp):
    """Products of Q and R in which the signs cancel."""

    def function(x):
        q, r = decompose(x)
        return xp.sum(xp.abs(q) * q * q) + xp.sum(r * r * xp.abs(r))

    return function


def matrix(rows, columns):
    return np.random.default_rng(rows * 7 + columns).normal(size=(rows, columns)).astype("float32")


@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 4), (5, 1)])
@pytest.mark.parametrize("full", [True, False])
def test_gradient_of_svd(shape, full):
    x = matrix(*shape)
    result = gradient(low_rank(lambda a: ops.svd(a, full_matrices=full), ops), x)
    expected = differences(low_rank(lambda a: np.linalg.svd(a, full), np), x.astype("float64"))
    np.testing.assert_allclose(result, expected, rtol=1e-3, atol=1e-3)


def test_gradient_of_eigh():
    x = matrix(4, 4)  # not symmetric: the gradient belongs to its symmetric part

    def symmetric(a):
        return np.linalg.eigh((a + a.T) / 2)

    result = gradient(projection(ops.eigh, ops), x)
    expected = differences(projection(symmetric, np), x.astype("float64"))
    np.testing.assert_allclose(result, expected, rtol=1e-3, atol=1e-3)


def test_gradient_of_eig():
    x = matrix(4, 4) + np.diag([0.0, 4.0, 8.0, 12.0]).astype("float32")
    probe = matrix(4, 4).astype("float64")

    def function(decompose, xp, a):
        w, v = decompose(a)
        seen = xp.abs(xp.matmul(probe.astype("complex64"), v))  # does not depend on phases
        return xp.sum(seen * seen * seen) + xp.sum(xp.abs(w))

    result = gradient(lambda a: function(ops.eig, ops, a), x)
    expected = differences(lambda a: function(np.linalg.eig, np, a), x.astype("float64"))
    np.testing.assert_allclose(result, expected, rtol=2e-3, atol=2e-3)


@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 4)])
def test_gradient_of_qr(shape):
    x = matrix(*shape)
    result = gradient(triangle(ops.qr, ops), x)
    expected = differences(triangle(np.linalg.qr, np), x.astype("float64"))
    np.testing.assert_allclose(result, expected, rtol=1e-3, atol=1e-3)


def test_gradient_of_the_determinant_of_a_singular_matrix():
    # Rank 1 of 2: the gradient is the cofactor matrix, which needs no inverse.
    np.testing.assert_allclose(gradient(ops.det, SINGULAR), [[4, -2], [-2, 1]], atol=1e-4)


def test_gradient_of_a_pseudoinverse_with_equal_singular_values():
    x = 2 * np.eye(3, 2, dtype="float32")
    weights = matrix(2, 3)
    result = gradient(lambda a: ops.sum(ops.multiply(ops.pinv(a), weights)), x)
    expected = differences(lambda a: (np.linalg.pinv(a) * weights).sum(), x.astype("float64"))
    np.testing.assert_allclose(result, expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("ord", [None, 2, 3])
def test_gradient_of_a_norm_at_0_is_0(ord):
    slope = gradient(lambda x: ops.norm(x, ord=ord, axis=-1), np.zeros(3, "float32"))
    assert slope.tolist() == [0, 0, 0]


def test_lu_factors_of_a_larger_matrix():
    x = np.random.default_rng(0).normal(size=(2, 60, 40)).astype("float32")
    lu, pivots = map(to_numpy, ops.lu_factor(x))
    lower, upper = np.tril(lu, -1)[..., :40] + np.eye(60, 40), np.triu(lu)[:, :40]
    for i in range(2):
        rows = np.arange(60)
        for k, p in enumerate(pivots[i]):
            rows[[k, p]] = rows[[p, k]]
        np.testing.assert_allclose(lower[i] @ upper[i], x[i][rows], atol=1e-4)


def test_linalg_is_a_namespace_of_ops():
    names = ops.linalg.__all__
    assert len(names) >= 15
    assert all(getattr(ops.linalg, name) is getattr(ops, name) for name in names)


@pytest.mark.parametrize(
    ("sublists", "equation"),
    [
        (([0, 1], [1]), "ij,j"),
        (([0, 1], [1], [0]), "ij,j->i"),
        (([..., 1], [1]), "...j,j"),
        (([1, 0], [1], [0]), "ji,j->i"),
    ],
)
def test_einsum_takes_labels_after_each_tensor(sublists, equation):
    x, y = np.arange(9.0).reshape(3, 3), np.arange(3.0)
    wanted = np.einsum(equation, x, y)
    arguments = [x, sublists[0], y, *sublists[1:]]
    np.testing.assert_allclose(ops.convert_to_numpy(ops.einsum(*arguments)), wanted)


def test_einsum_takes_labels_in_a_graph():
    x = keras.Input((3,))
    model = keras.Model(x, ops.einsum(x, [0, 1], [0]))
    assert ops.convert_to_numpy(model(np.ones((2, 3)))).tolist() == [3.0, 3.0]
    assert ops.einsum(x, [0, 1], [1, 0]).shape == (3, None)


@pytest.mark.parametrize("arguments", [(np.ones(2),), (np.ones(2), 3), (np.ones(2), [99])])
def test_einsum_says_how_labels_are_given(arguments):
    with pytest.raises(ValueError, match=r"ops\.einsum"):
        ops.einsum(*arguments)

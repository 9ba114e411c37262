"""Gamma, beta and binomial samples: distributions, seeds, dtypes, shapes, compilation, errors."""

import numpy as np
import pytest
from scipy import stats

from keras_fn import ops, random
from keras_fn.backend.loader import current
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.scopes import SymbolicScope
from keras_fn.random import SeedGenerator

MANY = 100_000


def array(x):
    return np.asarray(ops.convert_to_numpy(x))


def fits(x: np.ndarray, law) -> bool:
    """Checks a distribution: Kolmogorov-Smirnov test, mean and variance."""
    x = x.astype("float64")
    mean, variance = law.stats("mv")
    # By the fourth moment, which determines the variance of the sample variance.
    fourth = float(law.stats("k")) + 3.0
    assert abs(x.mean() - mean) < 5 * np.sqrt(variance / x.size)
    assert abs(x.var() / variance - 1) < 5 * np.sqrt(fourth / x.size)
    return stats.kstest(x, law.cdf).pvalue > 1e-3


@pytest.mark.parametrize("alpha", [0.1, 0.5, 0.99, 1, 1.5, 30.0, 1e4])
def test_gamma(alpha):
    x = array(random.gamma((MANY,), alpha, seed=3))
    assert x.dtype == "float32" and (x >= 0).all()
    assert fits(x, stats.gamma(alpha))


def test_gamma_of_a_tiny_parameter_underflows_as_often_as_it_should():
    x = array(random.gamma((MANY,), 1e-3, seed=3))
    for bound in (1e-30, 1e-10, 1e-3):
        share = stats.gamma(1e-3).cdf(bound)
        assert abs((x < bound).mean() - share) < 5 * np.sqrt(share * (1 - share) / MANY)


@pytest.mark.parametrize(
    ("alpha", "beta"), [(0.1, 0.2), (0.5, 0.5), (1, 1), (2.0, 5.0), (0.5, 20.0), (1e3, 2e3)]
)
def test_beta(alpha, beta):
    x = array(random.beta((MANY,), alpha, beta, seed=3))
    assert x.dtype == "float32" and ((x >= 0) & (x <= 1)).all()
    law = stats.beta(alpha, beta)
    if alpha >= 1 <= beta:
        assert fits(x, law)
    else:  # near 1 floats are too coarse for the test of Kolmogorov and Smirnov
        edges = np.concatenate([np.logspace(-6, -1, 9), np.linspace(0.2, 0.99, 9)])
        shares = law.cdf(edges)
        inside = (shares > 1e-4) & (shares < 1 - 1e-4)
        found = (x[:, None] <= edges).mean(0)
        far = np.abs(found - shares) > 5 * np.sqrt(shares * (1 - shares) / MANY)
        assert inside.sum() > 9 and not far[inside].any()


def test_beta_of_tiny_parameters_is_near_0_or_1():
    x = array(random.beta((MANY,), 1e-3, 1e-3, seed=3))
    assert not np.isnan(x).any()
    assert ((x < 1e-3) | (x > 1 - 1e-3)).mean() > 0.98
    assert abs(x.mean() - 0.5) < 0.01


@pytest.mark.parametrize(
    ("counts", "probability"), [(1, 0.3), (5, 0.5), (20, 0.05), (100, 0.7), (3000, 0.4)]
)
def test_binomial(counts, probability):
    x = array(random.binomial((MANY,), counts, probability, seed=3))
    assert x.dtype == "float32" and (x == np.round(x)).all()
    law = stats.binom(counts, probability)
    low, high = law.ppf([0.001, 0.999])
    edges = np.unique(np.round(np.linspace(low, high, 15)))
    shares = np.diff(np.concatenate([[0], law.cdf(edges), [1]]))
    found = np.histogram(x, [-1, *(edges + 0.5), counts + 1])[0]
    seen = shares > 0
    assert (found[~seen] == 0).all()
    assert stats.chisquare(found[seen], shares[seen] * MANY).pvalue > 1e-3


def test_binomial_at_the_ends():
    x = array(random.binomial((4, 5), [0, 7, 7, 3, 0], [0.5, 0.0, 1.0, 1.0, 1.0], seed=3))
    np.testing.assert_array_equal(x, [[0, 0, 7, 3, 0]] * 4)


def test_parameters_differ_from_element_to_element():
    alpha = np.array([[0.3], [1.0], [50.0]], "float32")
    x = array(random.gamma((3, MANY), alpha, seed=3))
    for row, a in zip(x, alpha[:, 0], strict=True):
        assert fits(row, stats.gamma(float(a)))
    x = array(random.beta((3, MANY), alpha, 2.0, seed=3))
    np.testing.assert_allclose(x.mean(1), (alpha / (alpha + 2))[:, 0], atol=5e-3)
    x = array(random.binomial((3, MANY), 10, [[0.1], [0.5], [0.9]], seed=3))
    np.testing.assert_allclose(x.mean(1), [1, 5, 9], atol=0.05)


DRAWS = [
    (random.gamma, (0.5,)), (random.gamma, ([0.5, 2.0, 3.0],)), (random.beta, (0.5, 2.0)),
    (random.beta, ([0.5, 1.5, 2.0], 3.0)), (random.binomial, (9, 0.5)),
]  # fmt: skip


@pytest.mark.parametrize(("draw", "arguments"), DRAWS)
def test_seeds(draw, arguments):
    seed = SeedGenerator(3)
    first, second = (array(draw((50, 3), *arguments, seed=seed)) for _ in range(2))
    assert (first != second).any()
    np.testing.assert_array_equal(array(draw((50, 3), *arguments, seed=3)), first)
    assert (array(draw((50, 3), *arguments)) != array(draw((50, 3), *arguments))).any()


@pytest.mark.parametrize(("draw", "arguments"), DRAWS)
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", None])
def test_dtypes(draw, arguments, dtype):
    x = draw((4, 3), *arguments, dtype=dtype, seed=1)
    assert ops.dtype(x) == (dtype or "float32") and tuple(x.shape) == (4, 3)
    wide = array(draw((4, 3), *arguments, seed=1))
    np.testing.assert_allclose(array(x).astype("float32"), wide, rtol=1e-2, atol=1e-4)


@pytest.mark.parametrize(("draw", "arguments"), DRAWS)
def test_compiled_draws_equal_eager_draws(draw, arguments):
    def function(key):
        return draw((40, 3), *arguments, seed=key)

    key = ops.convert_to_tensor(np.array([3, 1], "int32"))
    compiled = current().compile(function, [])
    np.testing.assert_allclose(array(compiled(key)), array(function(key)), rtol=1e-5)


@pytest.mark.parametrize(("draw", "arguments"), DRAWS)
def test_no_element_depends_on_another(draw, arguments):
    x = array(draw((MANY, 3), *arguments, seed=5)).astype("float64")
    limit = 5 / np.sqrt(MANY)
    assert abs(np.corrcoef(x[1:, 0], x[:-1, 0])[0, 1]) < limit
    assert abs(np.corrcoef(x[:, 0], x[:, 1])[0, 1]) < limit


@pytest.mark.parametrize(("draw", "arguments"), DRAWS)
def test_symbolic_calls_only_infer(draw, arguments):
    seed = SeedGenerator(3)
    with SymbolicScope():
        x = draw((KerasTensor((), "int32"), 3), *arguments, seed=seed)
        assert (x.shape, x.dtype) == ((None, 3), "float32")
    assert seed.state.numpy().tolist() == [3, 0]


def test_parameters_out_of_range_are_nan():
    assert np.isnan(array(random.gamma((2,), [-1.0, np.nan], seed=1))).all()
    assert np.isnan(array(random.beta((2,), [-1.0, 1.0], [1.0, -1.0], seed=1))).all()
    x = array(random.binomial((3,), [-1.0, 5.0, 5.0], [0.5, 1.5, -0.5], seed=1))
    assert np.isnan(x).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: random.gamma((2,), 0.0), "alpha: a positive number"),
        (lambda: random.gamma((2,), 1.0, dtype="int32"), "a float dtype"),
        (lambda: random.beta((2,), 1.0, -2.0), "beta: a positive number"),
        (lambda: random.binomial((2,), -1, 0.5), "counts from 0"),
        (lambda: random.binomial((2,), 1, 1.5), "probabilities from 0 to 1"),
        (lambda: random.binomial((2,), 1, 0.5, dtype="int32"), "a float dtype"),
    ],
)
def test_invalid_arguments_are_rejected(call, message):
    with pytest.raises(ValueError, match=message):
        call()

"""Gradients at the points where a formula divides by 0 or meets infinity: right, and never NaN."""

import math

import numpy as np
import pytest
from scipy import special

import keras_fn as keras
from keras_fn import ops
from keras_fn.backend.loader import current


def gradients(function, *arrays, dtype="float32"):
    """The gradients of the sum of the results."""
    variables = [keras.Variable(np.asarray(x), dtype=dtype) for x in arrays]

    def total():
        result = function(*[ops.convert_to_tensor(v) for v in variables])
        return ops.sum(ops.cast(result, "float32")), None

    _, slopes = current().value_and_grad(total, variables)()
    return [np.asarray(ops.convert_to_numpy(ops.cast(g, "float32"))) for g in slopes]


WEIGHTS = np.array([1.0, 2.0, 4.0], "float32")


def weighted(function):
    """Weights the results, so that their gradients do not cancel."""
    return lambda x: ops.multiply(function(x), WEIGHTS)


def order(p):
    return weighted(lambda x: ops.normalize(x, order=p))


def norm(p):
    return lambda x: ops.norm(x, ord=p)


INF = math.inf
BELOW_1 = float(np.nextafter(np.float32(1), np.float32(0)))

# Each row: the function, its arguments, the gradients. Where there is no derivative, a convention:
# 0 for lengths and deviations of 0 (as PyTorch's norm has it), the mean or one side for a kink.
POINTS = {
    # 1 / epsilon times the weights: x / max(norm, epsilon) is linear near 0.
    **{
        f"normalize_{p}_at_0": (order(p), [[0.0, 0.0, 0.0]], [WEIGHTS * 1e7])
        for p in (0.5, 1, 1.5, 2, 3, 4, INF)
    },
    "normalize_3_with_a_0": (order(3), [[1.0, 0.0, 0.0]], [[0.0, 2.0, 4.0]]),
    "normalize_inf": (order(INF), [[2.0, 1.0, 0.0]], [[-0.5, 1.0, 2.0]]),
    **{f"norm_{p}_at_0": (norm(p), [[0.0, 0.0]], [[0.0, 0.0]]) for p in (0.5, 1, 2, 3, INF, -1)},
    "norm_0.5_with_a_0": (norm(0.5), [[4.0, 0.0]], [[1.0, 0.0]]),
    "norm_-2_with_a_0": (norm(-2), [[4.0, 0.0]], [[0.0, 0.0]]),
    "norm_fro_at_0": (lambda x: ops.norm(x, "fro"), [np.zeros((2, 2))], [np.zeros((2, 2))]),
    "std_of_equal_numbers": (ops.std, [[2.0, 2.0, 2.0]], [[0.0, 0.0, 0.0]]),
    "nanstd_of_equal_numbers": (ops.nanstd, [[2.0, math.nan, 2.0]], [[0.0, 0.0, 0.0]]),
    "std_of_one_number": (ops.std, [[5.0]], [[0.0]]),
    "cumprod_with_a_0": (weighted(ops.cumprod), [[1.0, 0.0, 3.0]], [[1.0, 14.0, 0.0]]),
    "cumprod_with_two": (weighted(ops.cumprod), [[0.0, 2.0, 0.0]], [[5.0, 0.0, 0.0]]),
    "cumprod_of_0": (weighted(ops.cumprod), [[0.0, 0.0, 0.0]], [[1.0, 0.0, 0.0]]),
    "cumprod_of_rows": (
        lambda x: ops.cumprod(x, axis=1),
        [[[0.0, 2.0], [3.0, 0.0]]],
        [[[3.0, 0.0], [1.0, 3.0]]],
    ),
    "nancumprod_with_a_0": (
        weighted(ops.nancumprod),
        [[math.nan, 0.0, 3.0]],
        [[0.0, 14.0, 0.0]],
    ),
    "prod_with_a_0": (ops.prod, [[2.0, 0.0, 3.0]], [[0.0, 6.0, 0.0]]),
    "prod_with_two": (ops.prod, [[0.0, 0.0, 3.0]], [[0.0, 0.0, 0.0]]),
    "erfinv_below_1": (
        ops.erfinv,
        [[BELOW_1, -BELOW_1, 0.0, 0.5]],
        [math.sqrt(math.pi) / 2 * np.exp(special.erfinv([BELOW_1, -BELOW_1, 0.0, 0.5]) ** 2)],
    ),
    "absolute": (ops.absolute, [[-2.0, 0.0, 2.0]], [[-1.0, 0.0, 1.0]]),
    "cbrt": (ops.cbrt, [[-8.0, 0.0, 8.0]], [[1 / 12, INF, 1 / 12]]),
    "sinc_near_0": (
        ops.sinc,
        [[0.0, 1e-30, 1e-6, -1e-3]],
        [[0.0, 0.0, -(math.pi**2) / 3 * 1e-6, math.pi**2 / 3 * 1e-3]],
    ),
    "celu": (ops.celu, [[-1.0, 0.0, 1.0]], [[math.exp(-1), 1.0, 1.0]]),
    "power_0_of_0": (ops.power, [[0.0, 2.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, math.log(2)]]),
    "power_by_a_number": (lambda x: ops.power(x, 0.0), [[0.0, 2.0]], [[0.0, 0.0]]),
    "square_by_power": (lambda x: ops.power(x, 2), [[0.0, -2.0]], [[0.0, -4.0]]),
    "arctan2_at_the_origin": (ops.arctan2, [[0.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [0.0, 0.0]]),
    "fmod": (lambda x: ops.fmod(x, 3.0), [[0.0, 4.0, -4.0]], [[1.0, 1.0, 1.0]]),
    "floor_divide": (ops.floor_divide, [[3.0, 4.0], [2.0, 3.0]], [[0.0, 0.0], [0.0, 0.0]]),
    "nextafter": (lambda x: ops.nextafter(x, INF), [[1.0, 2.0]], [[1.0, 1.0]]),
    "logaddexp_of_-inf": (ops.logaddexp, [[-INF, -INF], [-INF, 1.0]], None),
    "logsumexp_of_-inf": (lambda x: ops.logsumexp(x, -1), [[[-INF, 1.0]]], [[[0.0, 1.0]]]),
    "sparsemax_of_one_class": (weighted(ops.sparsemax), [[-1.0, -2.0, -3.0]], [[0.0, 0.0, 0.0]]),
    "cdist_of_equal_points": (ops.cdist, [[[1.0, 2.0]], [[1.0, 2.0]]], None),
    "rsqrt_of_relu": (lambda x: ops.sqrt(ops.relu(x) + 1.0), [[-1.0, 0.0]], None),
    "var_of_equal_numbers": (ops.var, [[2.0, 2.0]], [[0.0, 0.0]]),
}


@pytest.mark.parametrize("name", POINTS)
def test_the_gradient_at_a_special_point(name):
    function, arrays, expected = POINTS[name]
    slopes = gradients(function, *arrays)
    if expected is None:
        assert all(np.isfinite(slope).all() for slope in slopes)
        return
    for slope, value in zip(slopes, expected, strict=True):
        np.testing.assert_allclose(slope, np.asarray(value, "float32"), rtol=2e-5, atol=1e-7)


def test_hypot_has_a_subgradient_at_the_origin():
    slopes = gradients(ops.hypot, [0.0, 3.0], [0.0, 4.0])
    assert np.hypot(slopes[0][0], slopes[1][0]) <= 1
    np.testing.assert_allclose([slopes[0][1], slopes[1][1]], [0.6, 0.8], rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_gradients_of_half_precision_are_computed_in_float32(dtype):
    # The logarithm of the sum, rounded, is 300 or so: softmax of it would be 1 and 1.
    (slope,) = gradients(ops.logsumexp, [300.0, 300.0], dtype=dtype)
    assert slope.tolist() == [0.5, 0.5]
    (slope,) = gradients(ops.gelu, [-50.0, 50.0], dtype=dtype)
    assert slope.tolist() == [0.0, 1.0]
    (slope,) = gradients(ops.std, np.linspace(0, 250, 6), dtype=dtype)  # its variance: 7292
    x = np.linspace(0, 250, 6)
    np.testing.assert_allclose(slope, (x - x.mean()) / 6 / x.std(), rtol=1e-2)


def test_erfinv_is_exact_from_end_to_end():
    x = np.concatenate([[BELOW_1, -BELOW_1, 1e-30, 0.0], np.linspace(-0.9999, 0.9999, 201)])
    x = x.astype("float32")
    y = ops.convert_to_numpy(ops.erfinv(x))
    np.testing.assert_allclose(y, special.erfinv(x.astype("float64")), rtol=5e-6)
    y = ops.convert_to_numpy(ops.erfinv(np.array([1.0, -1.0, 1.5, math.nan], "float32")))
    np.testing.assert_equal(y, [INF, -INF, math.nan, math.nan])


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="64 bits are off")
def test_erfinv_is_exact_in_float64():
    x = np.concatenate([[1 - 1e-15, -1 + 1e-12, 1e-300, 0.0], np.linspace(-0.9999, 0.9999, 201)])
    y = ops.convert_to_numpy(ops.erfinv(x))
    np.testing.assert_allclose(y, special.erfinv(x), rtol=1e-13)


def test_sinc_is_exact_where_its_series_ends():
    x = np.concatenate([np.linspace(-0.2, 0.2, 41), [0.0, 1.0, 2.5]]).astype("float32")
    y = ops.convert_to_numpy(ops.sinc(x))
    np.testing.assert_allclose(y, np.sinc(x.astype("float64")), rtol=1e-6, atol=1e-7)

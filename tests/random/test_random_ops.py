"""Random tensors: distributions, seeds, shapes, errors."""

import numpy as np
import pytest
from scipy import stats

import keras_fn as keras
from keras_fn import initializers, ops, random
from keras_fn.backend.loader import current
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.scopes import SymbolicScope
from keras_fn.random import SeedGenerator


def array(x):
    return np.asarray(ops.convert_to_numpy(x))


CONTINUOUS = [
    (random.uniform, (), stats.uniform()),
    (random.uniform, (-2.0, 3.0), stats.uniform(-2, 5)),
    (random.normal, (), stats.norm()),
    (random.normal, (1.0, 2.0), stats.norm(1, 2)),
    (random.truncated_normal, (), stats.truncnorm(-2, 2)),
    (random.truncated_normal, (1.0, 2.0), stats.truncnorm(-2, 2, 1, 2)),
]


@pytest.mark.parametrize(("draw", "arguments", "law"), CONTINUOUS)
def test_continuous_distributions(draw, arguments, law):
    x = array(draw((100_000,), *arguments, seed=3))
    assert x.dtype == "float32"
    assert stats.kstest(x, law.cdf).pvalue > 1e-3


def test_randint_is_uniform():
    x = array(random.randint((60_000,), -2, 4, seed=3))
    assert x.dtype == "int32"
    values, counts = np.unique(x, return_counts=True)
    assert values.tolist() == [-2, -1, 0, 1, 2, 3]
    assert stats.chisquare(counts).pvalue > 1e-3


def test_categorical_has_the_probabilities_of_the_logits():
    probabilities = np.array([[0.1, 0.2, 0.7], [0.5, 0.25, 0.25]])
    x = array(random.categorical(np.log(probabilities).astype("float32"), 30_000, seed=3))
    assert x.shape == (2, 30_000) and x.dtype == "int32"
    for row, p in zip(x, probabilities, strict=True):
        assert stats.chisquare(np.bincount(row, minlength=3), p * 30_000).pvalue > 1e-3


def test_dropout_keeps_the_mean():
    x = array(random.dropout(np.ones((1000, 100), "float32"), 0.3, seed=3))
    np.testing.assert_allclose(np.unique(x), [0, 1 / 0.7], rtol=1e-6)
    assert abs(x.mean() - 1) < 0.01


def test_dropout_shares_the_mask_along_axes_of_size_1():
    x = array(random.dropout(np.ones((50, 7, 4), "float32"), 0.5, noise_shape=(None, 1, 4), seed=3))
    assert (x == x[:, :1]).all() and 0 < (x == 0).mean() < 1


def test_dropout_at_the_ends():
    x = np.ones((3, 4), "float32")
    np.testing.assert_array_equal(array(random.dropout(x, 0.0)), x)
    np.testing.assert_array_equal(array(random.dropout(x, 1.0)), 0 * x)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_dropout_keeps_the_dtype(dtype):
    x = ops.ones((8,), dtype=dtype)
    assert ops.dtype(random.dropout(x, 0.5, seed=1)) == dtype
    assert ops.dtype(random.truncated_normal((8,), dtype=dtype, seed=1)) == dtype
    assert ops.dtype(random.uniform((8,), -1.0, 1.0, dtype=dtype, seed=1)) == dtype


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_shuffle_moves_whole_slices(axis):
    x = np.arange(5 * 50).reshape(5, 50)
    y = array(random.shuffle(x, axis=axis, seed=3))
    order = np.moveaxis(y, axis, 0)
    assert sorted(map(tuple, order)) == sorted(map(tuple, np.moveaxis(x, axis, 0)))
    assert (y != x).any()


def test_every_order_is_as_likely():
    orders = [tuple(array(random.shuffle([0, 1, 2], seed=s)).tolist()) for s in range(600)]
    counts = [orders.count(order) for order in set(orders)]
    assert len(counts) == 6 and stats.chisquare(counts).pvalue > 1e-3


def test_seeds():
    seed = SeedGenerator(3)
    first, second = array(random.normal((9,), seed=seed)), array(random.normal((9,), seed=seed))
    assert (first != second).any()
    np.testing.assert_array_equal(array(random.normal((9,), seed=3)), first)
    assert (array(random.normal((9,))) != array(random.normal((9,)))).any()


def test_symbolic_calls_only_infer():
    seed = SeedGenerator(3)
    x = KerasTensor((None, 4), "float16")
    y = random.dropout(x, 0.5, seed=seed)
    assert (y.shape, y.dtype) == ((None, 4), "float16")
    assert random.categorical(KerasTensor((None, 4)), 5, seed=seed).shape == (None, 5)
    assert random.shuffle(x, seed=seed).shape == (None, 4)
    with SymbolicScope():
        assert random.uniform((2, 3), -1.0, 1.0, seed=seed).shape == (2, 3)
        assert random.randint((2,), 0, 5, seed=seed).dtype == "int32"
    assert seed.state.numpy().tolist() == [3, 0]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: random.uniform((2,), dtype="int32"), "float"),
        (lambda: random.randint((2,), 0, 5, dtype="float32"), "integer"),
        (lambda: random.dropout(np.ones(3, "float32"), 1.5), "rate from 0 to 1"),
        (lambda: random.categorical(np.ones(3, "float32"), 2), "batch, classes"),
    ],
)
def test_invalid_arguments_are_rejected(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
@pytest.mark.parametrize(
    "bounds", [(3, 5), (0.1, 0.2), (-1, 1), (100, 101), (1000, 1000.75), (-5, -3), (0, 1)]
)
def test_uniform_numbers_stay_below_the_upper_bound(dtype, bounds):
    low, high = bounds
    for limits in (bounds, [ops.convert_to_tensor(float(x)) for x in bounds]):
        x = random.uniform((20_000,), *limits, dtype=dtype, seed=1)
        x = ops.convert_to_numpy(x).astype("float64")
        assert low <= x.min() + (0 if limits is bounds else 1e-3 * abs(low))
        assert x.max() < high
    if dtype == "float16":
        assert x.max() - x.min() > (high - low) / 4


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_the_uniform_initializer_stays_below_the_upper_bound(dtype):
    x = initializers.RandomUniform(3.0, 5.0, seed=1)((20_000,), dtype)
    x = ops.convert_to_numpy(x).astype("float64")
    assert x.min() >= 3 and 4.9 < x.max() < 5


def test_a_uniform_distribution_of_width_0():
    x = random.uniform((3,), 2.0, 2.0, dtype="bfloat16")
    assert ops.convert_to_numpy(ops.cast(x, "float32")).tolist() == [2.0, 2.0, 2.0]


@pytest.mark.parametrize(
    ("dtype", "low", "high"), [("int8", -128, 128), ("uint8", 0, 256), ("uint32", 0, 2**32)]
)
def test_integers_of_the_whole_range(dtype, low, high):
    x = ops.convert_to_numpy(random.randint((20_000,), low, high, dtype, seed=1))
    assert x.dtype == dtype
    assert int(x.max()) - int(x.min()) > 0.99 * (high - 1 - low)


DRAWS = {
    "uniform": lambda shape, seed: random.uniform(shape, seed=seed),
    "normal": lambda shape, seed: random.normal(shape, seed=seed),
    "randint": lambda shape, seed: random.randint(shape, 0, 1000, seed=seed),
    "truncated_normal": lambda shape, seed: random.truncated_normal(shape, seed=seed),
    "gamma": lambda shape, seed: random.gamma(shape, 2.0, seed=seed),
    "beta": lambda shape, seed: random.beta(shape, 1.0, 2.0, seed=seed),
}


@pytest.mark.parametrize(
    "name",
    [
        n if n in ("uniform", "randint") else pytest.param(n, marks=pytest.mark.thorough)
        for n in DRAWS
    ],
)
def test_draws_of_the_shape_of_a_tensor_in_a_compiled_function(name):
    x = ops.ones((3, 4))

    def draw(seed):
        if keras.config.backend() == "tensorflow":
            import tensorflow as tf

            spec = [tf.TensorSpec((None, None), tf.float32)]  # sizes that are not known
            function = tf.function(
                lambda x: DRAWS[name](ops.shape(x), seed), input_signature=spec, autograph=False
            )
        else:
            function = current().compile(lambda x: DRAWS[name](ops.shape(x), seed), [])
        return ops.convert_to_numpy(function(x)), function

    first, function = draw(None)
    assert first.shape == (3, 4) and np.isfinite(first).all()
    if keras.config.backend() != "jax":  # there the state of a generator is an argument
        assert (ops.convert_to_numpy(function(x)) != first).any()
    seeded, function = draw(5)
    np.testing.assert_array_equal(ops.convert_to_numpy(function(x)), seeded)
    np.testing.assert_allclose(
        ops.convert_to_numpy(DRAWS[name]((3, 4), 5)), seeded, rtol=1e-5, atol=1e-6
    )


def test_the_first_draw_without_a_seed_may_be_in_a_compiled_function():
    from keras_fn.random import seed_generator

    seed_generator.clear_global_generator()
    if keras.config.backend() == "tensorflow":
        import tensorflow as tf

        draw = tf.function(lambda x: random.uniform(tf.shape(x)), autograph=False)
        first, second = draw(ops.ones((3,))), draw(ops.ones((3,)))
        assert (ops.convert_to_numpy(first) != ops.convert_to_numpy(second)).any()
    assert (
        ops.convert_to_numpy(random.uniform((3,))) != ops.convert_to_numpy(random.uniform((3,)))
    ).any()

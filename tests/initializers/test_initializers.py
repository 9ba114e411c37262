"""Initial values: equal on every backend, with the moments and the configs of Keras."""

import hashlib

import numpy as np
import pytest
from scipy import stats

from keras_fn import initializers, ops
from keras_fn.core.scopes import DeferredInitScope
from keras_fn.core.variable import Variable
from keras_fn.random import SeedGenerator
from keras_fn.random.seed_generator import set_random_seed

# SHA-256, first 16 digits, of the values for set_random_seed(1) and the shape (3, 3, 4, 5).
GOLDEN = {
    ("glorot_uniform", "float32"): "888dc15093ecd07d",
    ("he_normal", "float32"): "01e662e91ac00681",
    ("lecun_uniform", "float64"): "2db065a7f7558c94",
    ("random_normal", "float64"): "a0d1fc955974a291",
    ("truncated_normal", "bfloat16"): "7feb557f5946d310",
    ("random_uniform", "float16"): "5077046558fc22bd",
}


def drawn(name, dtype):
    set_random_seed(1)
    variable = Variable(initializers.get(name), shape=(3, 3, 4, 5), dtype=dtype)
    return variable.numpy().astype("float64")


@pytest.mark.parametrize(("name", "dtype"), GOLDEN)
def test_values_are_the_same_on_every_backend_and_machine(name, dtype):
    initializer = initializers.get(name)
    set_random_seed(1)
    values = initializer.draw((3, 3, 4, 5), dtype).astype("<f8")
    assert hashlib.sha256(values.tobytes()).hexdigest()[:16] == GOLDEN[name, dtype]
    if dtype != "float64":  # which not every backend has
        np.testing.assert_array_equal(drawn(name, dtype), values)


def test_each_draw_without_a_seed_differs():
    initializer = initializers.GlorotUniform()
    assert (initializer.draw((4, 4)) != initializer.draw((4, 4))).all()


def test_a_seed_fixes_every_draw():
    for make in (lambda: initializers.HeNormal(seed=3), lambda: initializers.Orthogonal(seed=3)):
        initializer = make()
        np.testing.assert_array_equal(initializer.draw((4, 4)), initializer.draw((4, 4)))
        np.testing.assert_array_equal(initializer.draw((4, 4)), make().draw((4, 4)))


def test_a_generator_fixes_a_row_of_draws():
    def two():
        initializer = initializers.RandomNormal(seed=SeedGenerator(3))
        return initializer.draw((4,)), initializer.draw((4,))

    (a, b), (c, d) = two(), two()
    assert (a != b).all() and (a == c).all() and (b == d).all()


def test_values_drawn_later_are_those_of_the_moment_of_making():
    def build(scope):
        set_random_seed(1)
        with scope:
            first = Variable(initializers.GlorotUniform(), shape=(3, 4), dtype="float32")
        second = Variable(initializers.GlorotUniform(), shape=(3, 4), dtype="float32")
        return second.numpy(), first.numpy()

    class Nothing(DeferredInitScope):
        def _overrides(self):
            return {}

    np.testing.assert_array_equal(build(DeferredInitScope()), build(Nothing()))


@pytest.mark.parametrize(
    ("initializer", "law"),
    [
        (initializers.RandomNormal(1.0, 2.0, seed=1), stats.norm(1, 2)),
        (initializers.TruncatedNormal(1.0, 2.0, seed=1), stats.truncnorm(-2, 2, 1, 2)),
        (initializers.RandomUniform(-1.0, 3.0, seed=1), stats.uniform(-1, 4)),
    ],
)
def test_distributions(initializer, law):
    assert stats.kstest(initializer.draw((200, 300)).ravel(), law.cdf).pvalue > 1e-3


@pytest.mark.parametrize(
    ("name", "variance"),
    [
        ("glorot_uniform", 2 / (3 * 3 * 50)),
        ("glorot_normal", 2 / (3 * 3 * 50)),
        ("he_uniform", 2 / (3 * 3 * 10)),
        ("he_normal", 2 / (3 * 3 * 10)),
        ("lecun_uniform", 1 / (3 * 3 * 10)),
        ("lecun_normal", 1 / (3 * 3 * 10)),
    ],
)
def test_variance_follows_the_fans(name, variance):
    set_random_seed(1)
    x = initializers.get(name).draw((3, 3, 10, 40))
    np.testing.assert_allclose(x.var(), variance, rtol=0.06)
    assert abs(x.mean()) < 4 * np.sqrt(variance / x.size)


def test_variance_scaling_modes_and_axes():
    def variance(shape, **options):
        return initializers.VarianceScaling(seed=1, **options).draw(shape).var()

    np.testing.assert_allclose(variance((50, 200), mode="fan_out"), 1 / 200, rtol=0.05)
    np.testing.assert_allclose(variance((9000,)), 1 / 9000, rtol=0.05)
    axes = {"input_axes": (0, 1), "output_axes": (2,)}
    np.testing.assert_allclose(variance((10, 20, 60), **axes), 1 / 200, rtol=0.05)
    options = {"distribution": "untruncated_normal", "scale": 3.0}
    np.testing.assert_allclose(variance((100, 100), **options), 3 / 100, rtol=0.05)


@pytest.mark.parametrize("shape", [(6, 6), (8, 3), (3, 8), (2, 3, 4)])
def test_orthogonal(shape):
    q = initializers.Orthogonal(gain=2.0, seed=1).draw(shape, "float64").reshape(-1, shape[-1])
    q = q if q.shape[0] < q.shape[1] else q.T
    np.testing.assert_allclose(q @ q.T, 4 * np.eye(len(q)), atol=1e-12)


def test_orthogonal_is_uniform_over_signs():
    corners = [initializers.Orthogonal(seed=s).draw((2, 2))[0, 0] for s in range(400)]
    assert stats.kstest(np.arccos(corners), stats.uniform(0, np.pi).cdf).pvalue > 1e-3


def test_constants():
    assert initializers.Zeros().draw((2, 3), "int32").dtype == "int32"
    np.testing.assert_array_equal(initializers.Ones().draw((2,)), [1, 1])
    np.testing.assert_array_equal(initializers.Identity(3.0).draw((2, 3)), [[3, 0, 0], [0, 3, 0]])
    np.testing.assert_array_equal(initializers.Constant(7).draw((2,), "int32"), [7, 7])
    value = ops.convert_to_tensor([1.0, 2.0])
    np.testing.assert_array_equal(initializers.Constant(value).draw((2, 2)), [[1, 2], [1, 2]])


# Noted from Keras 3.15 for the shape (6, 1, 4), the first two frequencies.
STFT = [
    ({}, [0, 0, 0.25231, 0.12616, 0.66056, -0.33028, 0.66056, -0.66056, 0.25231, -0.12616, 0, 0]),
    (
        {"side": "imag", "scaling": "spectrum", "window": "hamming"},
        [0, 0, 0, -0.12394, 0, -0.28415, 0, 0, 0, 0.12394, 0, 0.02492],
    ),
    (
        {"scaling": None, "periodic": True},
        [0, 0, 0.25, 0.125, 0.75, -0.375, 1, -1, 0.75, -0.375, 0.25, 0.125],
    ),
]


@pytest.mark.parametrize(("options", "expected"), STFT)
def test_stft(options, expected):
    kernel = initializers.STFT(**options).draw((6, 1, 4))
    np.testing.assert_allclose(kernel[:, 0, :2].ravel(), expected, atol=1e-5)


def test_stft_takes_the_values_of_a_window():
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(6) / 5)
    given = initializers.STFT(window=window)
    expected = initializers.STFT().draw((6, 1, 4))
    np.testing.assert_allclose(given.draw((6, 1, 4)), expected)
    again = initializers.deserialize(initializers.serialize(given))
    np.testing.assert_allclose(again.draw((6, 1, 4)), expected)
    with pytest.raises(ValueError, match=r"window of shape \(7,\)"):
        given.draw((7, 1, 4))


FANS = {"seed": None, "input_axes": None, "output_axes": None}
CONFIGS = {  # noted from Keras 3.15
    "Constant": {"value": 0.0},
    "GlorotNormal": FANS,
    "GlorotUniform": FANS,
    "HeNormal": FANS,
    "HeUniform": FANS,
    "Identity": {},
    "LecunNormal": FANS,
    "LecunUniform": FANS,
    "Ones": {},
    "Orthogonal": {"seed": None, "gain": 1.0},
    "RandomNormal": {"seed": None, "mean": 0.0, "stddev": 0.05},
    "RandomUniform": {"seed": None, "minval": -0.05, "maxval": 0.05},
    "STFT": {"side": "real", "window": "hann", "periodic": False, "scaling": "density"},
    "TruncatedNormal": {"seed": None, "mean": 0.0, "stddev": 0.05},
    "VarianceScaling": {
        "scale": 1.0,
        "mode": "fan_in",
        "distribution": "truncated_normal",
        **FANS,
    },
    "Zeros": {},
}


@pytest.mark.parametrize("name", CONFIGS)
def test_configs_are_keras_own(name):
    config = initializers.serialize(initializers.get(name))
    assert config == {
        "module": "keras.initializers",
        "class_name": name,
        "config": CONFIGS[name],
        "registered_name": None,
    }
    again = initializers.deserialize(config)
    assert type(again).__name__ == name and again.get_config() == CONFIGS[name]
    assert type(again.clone()) is type(again)


def test_a_gain_and_a_seed_survive_the_config():
    for initializer in (initializers.Identity(2.0), initializers.Orthogonal(2.0, seed=4)):
        again = initializers.deserialize(initializers.serialize(initializer))
        np.testing.assert_array_equal(again.draw((3, 3)), initializer.draw((3, 3)))


@pytest.mark.parametrize(
    ("name", "cls"),
    [
        ("glorot_uniform", initializers.GlorotUniform),
        ("normal", initializers.RandomNormal),
        ("uniform", initializers.RandomUniform),
        ("one", initializers.Ones),
        ("zero", initializers.Zeros),
        ("OrthogonalInitializer", initializers.Orthogonal),
        ("stft", initializers.STFT),
    ],
)
def test_names(name, cls):
    assert type(initializers.get(name)) is cls


def test_get_takes_objects_classes_functions_arrays_and_tensors():
    zeros = initializers.Zeros()
    assert initializers.get(zeros) is zeros
    assert initializers.get(None) is None
    assert type(initializers.get(initializers.Ones)) is initializers.Ones
    assert initializers.get(max) is max
    for values in (np.ones((2,), "float32"), ops.ones((2,))):
        variable = Variable(initializers.get(values), shape=(2,), dtype="float32")
        assert variable.numpy().tolist() == [1.0, 1.0]
        with pytest.raises(ValueError, match=r"shape \(3,\)"):
            initializers.get(values)((3,))


def test_an_unknown_name_is_told_with_its_neighbours():
    with pytest.raises(ValueError, match="did you mean glorot_uniform"):
        initializers.get("glorot_unform")


def test_a_call_returns_a_tensor():
    x = initializers.GlorotUniform(seed=1)((2, 3), dtype="float16")
    assert ops.is_tensor(x) and ops.dtype(x) == "float16"
    expected = initializers.GlorotUniform(seed=1).draw((2, 3), "float16")
    np.testing.assert_array_equal(ops.convert_to_numpy(x), expected)


def test_a_users_own_call_is_what_a_variable_takes():
    class Sevens(initializers.RandomNormal):
        def __call__(self, shape, dtype=None):
            return ops.full(shape, 7, dtype=dtype)

    class Eights(initializers.Initializer):
        def __call__(self, shape, dtype=None):
            return ops.full(shape, 8, dtype=dtype)

    assert Variable(Sevens(), shape=(2,)).numpy().tolist() == [7, 7]
    assert Variable(Eights(), shape=(2,)).numpy().tolist() == [8, 8]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: initializers.Identity().draw((2, 2, 2)), "rank 2"),
        (lambda: initializers.Orthogonal().draw((2,)), "rank 2 or more"),
        (lambda: initializers.Zeros().draw((2, None)), "sizes are all known"),
        (lambda: initializers.RandomNormal(seed="1"), "seed"),
        (lambda: initializers.VarianceScaling(scale=0), "scale"),
        (lambda: initializers.VarianceScaling(mode="fan"), "fan_in, fan_out, fan_avg"),
        (lambda: initializers.VarianceScaling(distribution="beta"), "untruncated_normal"),
        (lambda: initializers.STFT(side="left"), "side"),
        (lambda: initializers.STFT(window="kaiser"), "window"),
        (lambda: initializers.get(3), "a name, a config"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ValueError, match=message):
        call()

"""Low-rank adaptation of layers: what is computed, trained and stored."""

from typing import Any

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import layers, ops

X = np.linspace(-1, 1, 18, dtype="float32").reshape(3, 6)
IDS = np.array([[1, 2], [0, 4]])
CASES: dict[str, tuple[Any, np.ndarray, dict[str, Any]]] = {
    "dense": (lambda **k: layers.Dense(4, activation="tanh", **k), X, {}),
    "einsum": (lambda **k: layers.EinsumDense("ab,bcd->acd", (2, 3), **k), X, {}),
    "einsum_last": (lambda **k: layers.EinsumDense("ab,cb->ac", 4, **k), X, {}),
    "embedding": (lambda **k: layers.Embedding(5, 4, **k), IDS, {}),
    "reverse": (lambda **k: layers.ReversibleEmbedding(5, 6, **k), X, {"reverse": True}),
    "conv": (lambda **k: layers.Conv1D(4, 2, groups=2, **k), X.reshape(1, 3, 6), {}),
    "conv_2d": (lambda **k: layers.Conv2D(2, 2, **k), X.reshape(1, 3, 3, 2), {}),
}


def numbers(x: Any) -> np.ndarray:
    return ops.convert_to_numpy(x)


def built(name: str, **arguments: Any) -> tuple[Any, np.ndarray, dict[str, Any]]:
    make, x, options = CASES[name]
    layer = make(**arguments, name="layer")
    layer.build(x.shape)
    return layer, x, options


def factors(layer: Any) -> tuple[Any, Any]:
    prefix = f"lora_{layer._adapted_weight}"
    return getattr(layer, f"{prefix}_a"), getattr(layer, f"{prefix}_b")


def adapt(layer: Any, **arguments: Any) -> None:
    layer.enable_lora(2, **arguments)
    _, b = factors(layer)
    b.assign(np.linspace(-1, 2, b.size).reshape(b.shape))


@pytest.mark.parametrize("name", CASES)
def test_the_update_is_a_product_of_two_thin_matrices(name):
    layer, x, options = built(name)
    weight = layer._adapted_weight
    before, base = numbers(layer(x, **options)), getattr(layer, weight).numpy()
    layer.enable_lora(2, lora_alpha=3)
    np.testing.assert_allclose(numbers(layer(x, **options)), before, 1e-6, 1e-6)  # B is zero
    a, b = factors(layer)
    b.assign(np.linspace(-1, 2, b.size).reshape(b.shape))
    total = base + 1.5 * a.numpy() @ b.numpy()
    np.testing.assert_allclose(numbers(getattr(layer, weight)), total, 1e-5, 1e-6)
    plain, _, _ = built(name)
    plain.set_weights([total, *plain.get_weights()[1:]])
    expected = numbers(plain(x, **options))
    np.testing.assert_allclose(numbers(layer(x, **options)), expected, 1e-4, 1e-5)
    assert not np.allclose(expected, before)


@pytest.mark.parametrize("name", ["dense", "einsum_last", "embedding", "conv"])
def test_weights_are_those_of_keras(name):
    layer, _, _ = built(name)
    plain = [v.name for v in layer.weights]
    shape = getattr(layer, layer._adapted_weight).shape
    layer.enable_lora(2)
    prefix = f"lora_{layer._adapted_weight}"
    assert [v.path for v in layer.weights] == [
        f"layer/{v}" for v in (*plain, f"{prefix}_a", f"{prefix}_b")
    ]
    a, b = factors(layer)
    assert (a.shape, b.shape) == ((*shape[:-1], 2), (2, shape[-1]))
    frozen = layer.non_trainable_weights
    assert [v.name for v in frozen] == plain[:1]
    layer.trainable = False
    layer.trainable = True
    assert layer.non_trainable_weights == frozen


@pytest.mark.parametrize("name", CASES)
def test_a_file_holds_the_sum(name):
    layer, x, options = built(name)
    adapt(layer, lora_alpha=4)
    expected, store = numbers(layer(x, **options)), {}
    layer.save_own_variables(store)
    plain, _, _ = built(name)
    plain.load_own_variables(store)
    np.testing.assert_allclose(numbers(plain(x, **options)), expected, 1e-4, 1e-5)
    again = type(layer).from_config(layer.get_config())
    assert again.lora_rank == 2 and again.lora_alpha == 4
    again.build(x.shape)
    again.load_own_variables(store)
    np.testing.assert_allclose(numbers(again(x, **options)), expected, 1e-4, 1e-5)
    a, b = factors(again)
    assert a.numpy().any() and not b.numpy().any()  # so that training goes on


def test_the_config_names_an_adaptation_only_where_there_is_one():
    layer, _, _ = built("dense")
    assert "lora_rank" not in layer.get_config()
    layer.enable_lora(2)
    config = layer.get_config()
    assert (config["lora_rank"], config["lora_alpha"]) == (2, 2)
    same, _, _ = built("dense", lora_rank=2, lora_alpha=3)
    assert same.lora_enabled and same.lora_alpha == 3 and len(same.weights) == 4
    assert same(keras.Input((6,))).shape == (None, 4)


def test_factors_stay_in_32_bits_under_mixed_precision():
    layer, x, _ = built("dense", dtype="mixed_bfloat16")
    layer.enable_lora(2)
    assert {v.dtype for v in layer.weights} == {"float32"}
    assert ops.dtype(layer(x)) == ops.dtype(layer.kernel) == "bfloat16"
    half, _, _ = built("embedding", dtype="float16")
    half.enable_lora(2)
    assert [v.dtype for v in half.weights] == ["float16", "float32", "float32"]
    assert ops.dtype(half(IDS)) == "float16"


def model() -> Any:
    inputs = keras.Input((6,))
    x = layers.Dense(4, activation="tanh", name="hidden")(inputs)
    return keras.Model(inputs, layers.Dense(2, name="head")(x))


def test_training_moves_the_factors_and_not_the_weight(tmp_path):
    net = model()
    net.compile("sgd", "mse")
    y = X[:, :2]
    net.fit(X, y, verbose=0)
    for _ in range(3):
        net(ops.convert_to_tensor(X))  # what is compiled must not survive
    net.predict(X, verbose=0)
    hidden = net.get_layer("hidden")
    hidden.enable_lora(2)
    hidden.bias.trainable = False
    net.get_layer("head").trainable = False
    net.compile(keras.optimizers.SGD(0.1), "mse")
    frozen = [v.numpy() for v in net.non_trainable_weights]
    losses = net.fit(X, y, epochs=5, verbose=0).history["loss"]
    assert losses[-1] < losses[0] and factors(hidden)[1].numpy().any()
    for value, variable in zip(frozen, net.non_trainable_weights, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)
    expected = net.predict(X, verbose=0)
    np.testing.assert_allclose(numbers(net(X)), expected, 1e-5, 1e-6)
    net.save(tmp_path / "net.keras")
    again = keras.models.load_model(tmp_path / "net.keras", compile=False)
    assert again.get_layer("hidden").lora_enabled
    np.testing.assert_allclose(again.predict(X, verbose=0), expected, 1e-4, 1e-5)
    net.save_weights(tmp_path / "net.weights.h5")
    plain = model()
    plain.load_weights(tmp_path / "net.weights.h5")
    np.testing.assert_allclose(plain.predict(X, verbose=0), expected, 1e-4, 1e-5)


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (lambda: layers.Dense(2).enable_lora(2), "layer that is built"),
        (lambda: built("dense", kernel_constraint="non_neg")[0].enable_lora(2), "constraint"),
        (lambda: built("dense", lora_rank=2)[0].enable_lora(2), "not adapted"),
        (lambda: built("dense")[0].enable_lora(0), "positive integer"),
        (lambda: layers.Dense(2, lora_rank=-1), "lora_rank"),
        (lambda: layers.Dense(2, lora_alpha=2), "lora_rank is None"),
    ],
)
def test_what_cannot_be_adapted_is_refused(prepare, message):
    with pytest.raises(ValueError, match=message):
        prepare()


@pytest.mark.parametrize("arguments", [{"b_initializer": "nought"}, {"lora_alpha": "2"}])
def test_a_layer_that_refuses_is_as_it_was(arguments):
    layer, _, _ = built("dense")
    with pytest.raises((ValueError, TypeError), match=r"nought|lora_alpha"):
        layer.enable_lora(2, **arguments)
    layer.enable_lora(2)
    assert len(layer.weights) == 4


def test_a_layer_that_is_not_built_has_no_weight():
    assert not hasattr(layers.Dense(2), "kernel") and not hasattr(layers.Dense(2), "_kernel")
    layer, _, _ = built("dense")
    assert layer._kernel is layer.kernel

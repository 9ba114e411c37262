"""Embedding, Masking, Lambda, Activation, Identity, Rescaling, PReLU, Softmax."""

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import layers, ops, settings
from keras_fn.backend.loader import current
from keras_fn.core.registry import CustomObjectScope
from keras_fn.layers import Input


def as_numpy(x):
    return ops.convert_to_numpy(x)


# ------------------------------------------------------------------ Embedding


def test_embedding_rows_that_were_not_taken_get_no_gradient():
    layer = layers.Embedding(4, 2)
    layer.build()

    def loss():
        return ops.sum(layer(np.array([1, 3, 1], "int32"))), None

    _, (gradient,) = current().value_and_grad(loss, [layer.embeddings])()
    assert as_numpy(gradient).tolist() == [[0, 0], [2, 2], [0, 0], [1, 1]]


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8", "float32", "bool"])
def test_rows_are_taken_by_number(dtype):
    layer = layers.Embedding(3, 2)
    y = layer(np.array([[0, 1], [1, 0]]).astype(dtype))
    np.testing.assert_array_equal(as_numpy(y), layer.embeddings.numpy()[[[0, 1], [1, 0]]])


def test_numbers_are_not_rounded_to_half_precision():
    table = np.arange(5000, dtype="float32")[:, None]
    layer = layers.Embedding(5000, 1, weights=table, dtype="mixed_float16")
    numbers = np.array([2049.0, 4097.0], "float32")  # no float16 is either of these
    assert as_numpy(layer(numbers)).ravel().tolist() == [2048.0, 4096.0]  # rounded afterwards
    layer = layers.Embedding(5000, 1, weights=[table % 7], dtype="mixed_float16")
    assert as_numpy(layer(numbers)).ravel().tolist() == [2049 % 7, 4097 % 7]
    assert ops.dtype(layer(numbers)) == "float16" == layer(Input((2,))).dtype


def test_a_table_that_was_built_without_a_shape_is_saved(tmp_path):
    embedding = layers.Embedding(5, 2)
    embedding.build()
    assert embedding.get_build_config() == {"input_shape": None}
    model = keras.Sequential([embedding])  # not built itself
    with pytest.warns(UserWarning, match="is not built"):
        model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    table = again.layers[0].embeddings.numpy()
    np.testing.assert_array_equal(table, embedding.embeddings.numpy())


def test_zeros_are_masked_where_asked_for():
    x = Input((4,), dtype="int32")
    assert layers.Embedding(3, 2)(x)._keras_mask is None
    assert layers.Embedding(3, 2, mask_zero=True)(x)._keras_mask.shape == (None, 4)
    mask = layers.Embedding(3, 2, mask_zero=True).compute_mask(np.array([[0, 2]]))
    assert as_numpy(mask).tolist() == [[False, True]]


def test_a_table_to_begin_with_is_no_part_of_the_config():
    layer = layers.Embedding(2, 1, weights=np.ones((2, 1), "float32"))
    assert "weights" not in layer.get_config()
    again = layers.Embedding.from_config(layer.get_config())
    assert not again.built


# ------------------------------------------------------------------ Masking


def test_masks_travel_to_whoever_takes_them():
    x = np.array([[[1.0], [5.0], [2.0]]], "float32")
    y = layers.Masking(mask_value=5.0)(x)
    assert as_numpy(y).tolist() == [[[1.0], [0.0], [2.0]]]
    assert as_numpy(layers.GlobalAveragePooling1D()(y)).tolist() == [[1.5]]
    assert as_numpy(layers.GlobalAveragePooling1D()(layers.Dropout(0.5)(y))).tolist() == [[1.5]]


# ------------------------------------------------------------------ Lambda


def twice(x):
    return ops.multiply(x, 2.0)


def test_a_function_gets_what_it_names():
    def seen(x, factor, mask=None, training=None):
        return ops.multiply(x, factor if training else 0.0 if mask is None else 1.0)

    layer = layers.Lambda(seen, arguments={"factor": 3.0})
    x = np.ones((1, 2, 1), "float32")
    assert as_numpy(layer(x)).sum() == 0
    assert as_numpy(layer(x, training=True)).sum() == 6
    assert as_numpy(layer(x, mask=np.ones((1, 2), bool))).sum() == 2


def test_shapes_are_worked_out_or_told():
    x = Input((4,))
    assert layers.Lambda(lambda x: ops.sum(x, axis=-1, keepdims=True))(x).shape == (None, 1)
    assert layers.Lambda(lambda x: x, output_shape=(7,))(x).shape == (None, 7)
    assert layers.Lambda(lambda x: x, output_shape=lambda s: (*s, 2))(x).shape == (None, 4, 2)
    pair = layers.Lambda(lambda x: [x, x], output_shape=[(1,), (2,)])(x)
    assert [y.shape for y in pair] == [(None, 1), (None, 2)]


def test_a_lambda_passes_the_mask_that_it_was_given():
    x = layers.Masking()(Input((4, 3)))
    assert layers.Lambda(twice)(x)._keras_mask is None
    assert layers.Lambda(twice, mask=lambda inputs, mask: mask)(x)._keras_mask.shape == (None, 4)


def test_a_named_function_is_written_and_read_by_its_name():
    layer = layers.Lambda(twice, arguments={}, output_shape=(3,))
    config = layer.get_config()
    assert config["function"]["config"] == "twice"
    with CustomObjectScope({"twice": twice}):
        again = layers.Lambda.from_config(config)
    assert again.function is twice and again.get_config() == config
    with pytest.raises(TypeError, match="twice"):
        layers.Lambda.from_config(config)


def test_code_is_neither_written_nor_read():
    with pytest.raises(ValueError, match="received: a lambda"):
        layers.Lambda(lambda x: x).get_config()
    code = {"class_name": "__lambda__", "config": {"code": "4wAAAA=="}}
    for key in ("function", "output_shape", "mask"):
        with pytest.raises(ValueError, match="would run code from the config"):
            layers.Lambda.from_config({"function": code, key: code})


# ------------------------------------------------------------------ others


def test_identity_takes_nested_tensors():
    x = {"a": Input((2,)), "b": [Input((3,))]}
    y = layers.Identity()(x)
    assert y["a"].shape == (None, 2) and y["b"][0].shape == (None, 3)


def test_activations_by_name_function_or_layer():
    x = np.array([-1.0, 2.0], "float32")
    for activation in ("relu", layers.ReLU(), twice):
        layer = layers.Activation(activation)
        expected = x * 2 if activation is twice else np.maximum(x, 0)
        assert as_numpy(layer(x)).tolist() == expected.tolist()


def test_rescaling_makes_floats_and_finds_the_channels():
    x = np.full((1, 2, 2, 3), 10, "uint8")
    layer = layers.Rescaling([1.0, 2.0, 3.0], offset=[0.0, 1.0, 2.0])
    y = layer(x)
    assert ops.dtype(y) == "float32"
    assert as_numpy(y)[0, 0, 0].tolist() == [10.0, 21.0, 32.0]
    settings.set_image_data_format("channels_first")
    try:
        y = layer(x.transpose(0, 3, 1, 2))
        assert as_numpy(y)[0, :, 0, 0].tolist() == [10.0, 21.0, 32.0]
    finally:
        settings.set_image_data_format("channels_last")
    half = layers.Rescaling(0.5, dtype="mixed_float16")
    assert ops.dtype(half(x)) == "float16" == half(Input((3,), dtype="uint8")).dtype


def test_slopes_are_shared_along_axes():
    layer = layers.PReLU("ones", shared_axes=[1])
    layer(Input((None, 3)))
    assert layer.alpha.shape == (1, 3)
    x = np.full((1, 2, 3), -2.0, "float32")
    layer.alpha.assign([[1.0, 0.5, 0.0]])
    assert as_numpy(layer(x))[0, 1].tolist() == [-2.0, -1.0, 0.0]
    with pytest.raises(ValueError, match="has a known size"):
        layers.PReLU()(Input((None, 3)))


@pytest.mark.parametrize("policy", ["float32", "mixed_float16"])
def test_a_softmax_gives_nothing_to_what_is_hidden(policy):
    x = np.array([[1.0, 2.0, 9.0]], "float32")
    layer = layers.Softmax(dtype=policy)
    for mask in (np.array([[True, True, False]]), np.array([[1.0, 1.0, 0.0]], "float32")):
        y = as_numpy(ops.cast(layer(x, mask=mask), "float32"))
        expected = np.exp([1.0, 2.0]) / np.exp([1.0, 2.0]).sum()
        np.testing.assert_allclose(y[0, :2], expected, rtol=2e-3)
        assert y[0, 2] == 0
    hidden = layer(x, mask=np.zeros((1, 3), bool))
    assert as_numpy(ops.cast(hidden, "float32")).tolist() == [[0.0, 0.0, 0.0]]


def test_the_length_of_sequences_builds_a_stack_that_begins_with_an_embedding():
    model = keras.Sequential([layers.Embedding(9, 2, input_length=5), layers.Flatten()])
    assert model.output_shape == (None, 10)
    alone = layers.Embedding(9, 2, input_length=5)
    assert alone.compute_output_shape((3, 7)) == (3, 7, 2)
    assert "input_length" not in alone.get_config()

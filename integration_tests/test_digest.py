"""The text-only digest of the guide: its statements, step by step."""

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import layers, ops


def simple_model(name=None):
    inputs = keras.Input(shape=(16,))
    x = layers.Dense(32, activation="relu")(inputs)
    x = layers.Dense(32, activation="relu")(x)
    return keras.Model(inputs, layers.Dense(4, activation="softmax")(x), name=name)


def test_the_input_holds_the_shape_and_dtype_of_the_data():
    inputs = keras.Input(shape=(16,))
    assert inputs.shape == (None, 16)
    assert inputs.dtype == "float32"


def test_a_model_saves_and_loads_like_any_other(tmp_path):
    model = simple_model()
    x = np.random.default_rng(0).random((5, 16), dtype="float32")
    for name in ("model.keras", "model.h5"):
        model.save(tmp_path / name)
        again = keras.models.load_model(tmp_path / name)
        np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))


def test_the_summary_can_be_checked_and_the_graph_plotted(tmp_path, capsys):
    model = simple_model()
    model.summary()
    assert "Total params: 1,732" in capsys.readouterr().out
    keras.utils.plot_model(model, tmp_path / "model.png", show_shapes=True)
    assert (tmp_path / "model.png").stat().st_size > 2000


def test_a_clear_session_resets_layer_names():
    simple_model()
    keras.backend.clear_session()
    assert simple_model().layers[1].name == "dense"


def test_one_stack_of_layers_makes_two_models():
    image = keras.Input((28, 28, 1))
    code = layers.GlobalMaxPooling2D()(layers.Conv2D(16, 3)(image))
    encoder = keras.Model(image, code)
    x = layers.Conv2DTranspose(1, 28)(layers.Reshape((1, 1, 16))(code))
    autoencoder = keras.Model(image, x)
    assert autoencoder.output_shape == autoencoder.input_shape
    assert encoder.layers[1] is autoencoder.layers[1]


def test_calling_a_model_reuses_its_weights():
    model = simple_model()
    other = keras.Input((16,))
    nested = keras.Model(other, model(other))
    assert [id(v) for v in nested.weights] == [id(v) for v in model.weights]


def test_an_ensemble_averages_the_predictions_of_its_models():
    models = [simple_model() for _ in range(3)]
    inputs = keras.Input((16,))
    ensemble = keras.Model(inputs, layers.average([m(inputs) for m in models]))
    x = np.random.default_rng(1).random((6, 16), dtype="float32")
    expected = np.mean([m.predict(x, verbose=0) for m in models], axis=0)
    np.testing.assert_allclose(ensemble.predict(x, verbose=0), expected, rtol=1e-6)


def test_a_shared_embedding_learns_from_both_inputs():
    shared = layers.Embedding(1000, 8)
    a, b = keras.Input((None,), dtype="int32"), keras.Input((None,), dtype="int32")
    x = layers.concatenate(
        [layers.GlobalAveragePooling1D()(shared(a)), layers.GlobalAveragePooling1D()(shared(b))]
    )
    model = keras.Model([a, b], layers.Dense(1)(x))
    before = shared.get_weights()[0].copy()
    model.compile("sgd", "mse")
    words = [np.full((4, 3), 7), np.full((4, 5), 9)]
    model.fit(words, np.ones((4, 1)), epochs=1, verbose=0)
    changed = np.unique(np.nonzero(shared.get_weights()[0] - before)[0])
    assert changed.tolist() == [7, 9]


def test_inner_nodes_can_be_reused():
    model = simple_model()
    features = keras.Model(model.input, [layer.output for layer in model.layers])
    outputs = features(np.ones((2, 16), "float32"))
    assert [tuple(o.shape) for o in outputs] == [(2, 16), (2, 32), (2, 32), (2, 4)]


def test_a_subclassed_layer_works_in_a_graph_when_its_call_takes_training_and_mask():
    class Scale(layers.Layer):
        def call(self, inputs, training=None, mask=None):
            factor = 2.0 if training else 1.0
            x = inputs * factor
            return x if mask is None else ops.where(ops.expand_dims(mask, -1), x, 0.0)

    words = keras.Input((3,), dtype="int32")
    model = keras.Model(words, Scale()(layers.Embedding(5, 2, mask_zero=True)(words)))
    x = np.array([[1, 0, 2]])
    quiet = ops.convert_to_numpy(model(x))
    loud = ops.convert_to_numpy(model(x, training=True))
    np.testing.assert_allclose(loud, 2 * quiet, rtol=1e-6)
    assert not quiet[0, 1].any() and quiet[0, 0].any()


def test_a_model_is_validated_while_it_is_defined():
    with pytest.raises(ValueError, match="expected: an input of rank 4"):
        layers.Conv2D(4, 3)(keras.Input((16,)))

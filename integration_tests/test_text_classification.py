"""A transformer that is trained on raw strings, saved, and loaded, on every backend."""

import numpy as np
from examples import text_classification as example

import keras_fn as keras

SENTENCES = {
    "The film was very good": 1,
    "The film was not very good": 0,
    "our room was not so awful!": 1,
    "Her voice was rather cold.": 0,
}


def test_a_text_classifier_learns_from_strings(tmp_path):
    model, history = example.main()
    assert history["val_accuracy"][-1] > 0.95
    expected = list(SENTENCES.values())
    predictions = model.predict(np.array(list(SENTENCES), object), verbose=0)
    assert np.round(predictions[:, 0]).tolist() == expected
    assert model.predict(list(SENTENCES), verbose=0).tolist() == predictions.tolist()
    model.save(tmp_path / "model.keras")
    objects = {"TokenAndPositionEmbedding": example.TokenAndPositionEmbedding}
    loaded = keras.saving.load_model(tmp_path / "model.keras", custom_objects=objects)
    np.testing.assert_allclose(loaded.predict(list(SENTENCES), verbose=0), predictions, rtol=1e-5)

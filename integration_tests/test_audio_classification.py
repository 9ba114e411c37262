"""Sounds that are classified from their waveforms, on every backend."""

import numpy as np
import pytest
from examples import audio_classification as example

import keras_fn as keras


@pytest.mark.parametrize("spectrogram", ["mel", "stft"])
def test_a_classifier_of_sounds_learns_from_waveforms(spectrogram, tmp_path):
    model, history = example.main(spectrogram)
    assert history["val_accuracy"][-1] > 0.9
    sounds, _ = example.record_sounds(8, seed=3)
    predictions = model.predict(sounds, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded.predict(sounds, verbose=0), predictions, 1e-4, 1e-5)
    # A prediction does not depend on the sounds that are next to it.
    alone = loaded.predict(sounds[:1], verbose=0)
    np.testing.assert_allclose(alone, predictions[:1], 1e-3, 1e-4)


def test_kernels_of_the_transform_are_trained():
    sounds, kinds = example.record_sounds(32, seed=1)
    model = example.make_model(sounds, "stft")
    layer = next(x for x in model.layers if isinstance(x, keras.layers.STFTSpectrogram))
    before = [w.numpy().copy() for w in layer.trainable_weights]
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(sounds, kinds, batch_size=32, verbose=0)
    changes = [
        np.abs(w.numpy() - b).max() for w, b in zip(layer.trainable_weights, before, strict=True)
    ]
    assert len(changes) == 2 and min(changes) > 1e-5

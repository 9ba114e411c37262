"""Images that are classified by a model with augmentation inside, on every backend."""

import numpy as np
from examples import image_classification as example

import keras_fn as keras


def test_an_image_classifier_with_augmentation_inside_learns_and_is_saved(tmp_path):
    model, history = example.main()
    assert history["loss"][-1] < history["loss"][0]
    assert max(history["val_accuracy"][-3:]) > 0.85
    images, _ = example.draw_images(32, seed=2)
    predictions = model.predict(images, verbose=0)
    # Augmentation is random in training, and does nothing at inference.
    np.testing.assert_allclose(model.predict(images, verbose=0), predictions, atol=1e-6)
    trained = keras.ops.convert_to_numpy(model(images, training=True))
    assert np.abs(trained - predictions).max() > 0.01
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded.predict(images, verbose=0), predictions, atol=1e-5)
    augmentation = [type(x).__name__ for x in loaded.get_layer("augmentation").layers]
    assert augmentation == ["RandomFlip", "RandomRotation", "RandomZoom", "RandomTranslation"]


def test_images_of_other_sizes_are_resized_inside_of_the_model():
    inputs = keras.Input((None, None, 3))
    outputs = keras.layers.Resizing(8, 8)(keras.layers.RandomCrop(12, 12)(inputs))
    model = keras.Model(inputs, outputs)
    for size in (12, 20):
        assert model.predict(np.ones((1, size, size, 3)), verbose=0).shape == (1, 8, 8, 3)

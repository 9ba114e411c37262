"""The optimizers of Keras 2 name their replacements."""

import pytest

import keras_fn as keras


@pytest.mark.parametrize("name", ["Adagrad", "Adam", "Ftrl", "Optimizer", "RMSprop", "SGD"])
def test_the_error_names_the_replacement(name):
    with pytest.raises(ImportError, match=f"use keras.optimizers.{name}$"):
        getattr(keras.optimizers.legacy, name)(learning_rate=0.1)
    assert hasattr(keras.optimizers, name)

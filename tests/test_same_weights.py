"""One seed gives the same initial weights, bit by bit, on every backend.

The digests below were noted once. Each backend's run compares itself with them, so together the
runs compare the backends. (`Orthogonal` is not among them: LAPACK's last bits are the machine's.)
With a folder in `KERAS_FN_SHARED` they also compare through files.
"""

import hashlib
import os
from pathlib import Path

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import initializers, layers

DIGESTS = {
    "glorot_uniform": "e90f99bb43ef14c1",
    "glorot_normal": "d10874bbe8aa2c2b",
    "he_normal": "ec599926e3a45ab2",
    "lecun_uniform": "31091a5f61b43b93",
    "random_normal": "b5f81d48f535a7bb",
    "truncated_normal": "7bb9f85548b58aff",
    "model": "6418de1f4604e673",
    "half precision": "eefd0c229ed880f1",
}


def digest(arrays: list[np.ndarray]) -> str:
    """Returns a hash of shapes, dtypes and bits."""
    found = hashlib.sha256()
    for array in arrays:
        found.update(f"{array.shape}{array.dtype}".encode() + np.ascontiguousarray(array).tobytes())
    return found.hexdigest()[:16]


def made_with(initializer: str) -> list[np.ndarray]:
    keras.utils.set_random_seed(7)
    layer = layers.Dense(5, kernel_initializer=initializer)
    layer.build((None, 6))
    return layer.get_weights()


def model_weights(dtype: str | None = None) -> list[np.ndarray]:
    """The weights of a model with several initializers, layers that draw twice, and a seed."""
    keras.utils.set_random_seed(42)
    image = keras.Input((8, 8, 1))
    words = keras.Input((5,), dtype="int32")
    x = layers.Conv2D(4, 3, kernel_initializer="he_uniform", dtype=dtype)(image)
    x = layers.Dropout(0.5)(layers.Flatten()(layers.BatchNormalization(dtype=dtype)(x)))
    y = layers.Embedding(11, 3, dtype=dtype)(words)
    y = layers.LSTM(4, recurrent_initializer="lecun_normal", dtype=dtype)(y)
    own = initializers.RandomUniform(-2.0, 2.0, seed=3)
    z = layers.Dense(3, kernel_initializer=own, bias_initializer="random_normal", dtype=dtype)(
        layers.Concatenate()([x, y])
    )
    return [v.numpy() for v in keras.Model([image, words], z).variables]


def all_weights() -> dict[str, list[np.ndarray]]:
    names = list(DIGESTS)[:-2]
    return {name: made_with(name) for name in names} | {
        "model": model_weights(),
        "half precision": model_weights("bfloat16"),
    }


@pytest.mark.parametrize("name", DIGESTS)
def test_the_weights_of_a_seed_are_those_noted(name):
    assert digest(all_weights()[name]) == DIGESTS[name]


def test_another_seed_gives_other_weights():
    keras.utils.set_random_seed(8)
    layer = layers.Dense(5)
    layer.build((None, 6))
    assert digest(layer.get_weights()) != DIGESTS["glorot_uniform"]


def test_the_seed_set_again_gives_the_weights_again():
    assert digest(model_weights()) == digest(model_weights())


def test_backends_that_share_a_folder_hold_the_same_bits(tmp_path):
    folder = Path(os.environ.get("KERAS_FN_SHARED") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    mine = {str(i): array for i, array in enumerate(model_weights())}
    np.savez(folder / f"weights_{keras.config.backend()}.npz", **mine)
    for path in folder.glob("weights_*.npz"):
        with np.load(path) as theirs:
            assert set(theirs.files) == set(mine), path.name
            for key, array in mine.items():
                same = array.dtype == theirs[key].dtype and array.tobytes() == theirs[key].tobytes()
                assert same, f"weight {key} differs from that of {path.name}"

"""Files of Keras 3.0 to 3.15 and of Keras 2, which stay as they were written, and load.

`tests/fixtures/keras_versions/make.py` wrote them, with the outputs that Keras computed.
"""

import json
import tarfile
from pathlib import Path

import numpy as np
import pytest

import keras_fn as keras
from keras_fn.saving.errors import ModelFileError

FIXTURES = Path(__file__).parents[1] / "fixtures" / "keras_versions"
ARCHIVES = sorted(FIXTURES.glob("*.tar.xz"))


def contents(archive):
    with tarfile.open(archive) as tar:
        return json.load(tar.extractfile("contents.json"))


FILES = [
    (archive.name.removesuffix(".tar.xz"), name)
    for archive in ARCHIVES
    for name in contents(archive)["files"]
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("versions")
    for archive in ARCHIVES:
        with tarfile.open(archive) as tar:
            tar.extractall(place / archive.name.removesuffix(".tar.xz"), filter="data")
    return place


class Scale(keras.layers.Layer):
    """The custom layer of the files."""

    def __init__(self, power=1.0, **kwargs):
        super().__init__(**kwargs)
        self.power = power

    def build(self, input_shape):
        self.factor = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="factor")

    def call(self, x):
        return x * self.factor**self.power

    def get_config(self):
        return {**super().get_config(), "power": self.power}


CUSTOM = {"golden>Scale": Scale, "Scale": Scale}


def load(path, name):
    """The model of a file, or for a file of weights that of the model's file with these weights."""
    if "weights" not in name:
        return keras.saving.load_model(path / name, custom_objects=CUSTOM)
    ending = "h5" if path.name.startswith("2.") else "keras"
    model = keras.saving.load_model(path / f"graph.{ending}", custom_objects=CUSTOM)
    model.set_weights([np.zeros(v.shape) for v in model.weights])
    model.load_weights(path / name)
    return model


# Neither does Keras 3.15 load these: of Keras 3.1, 8-bit integers have another form, and the
# weights of low-rank adaptation in a legacy file have no layer.
REFUSED = {
    ("3.0.5", "lora.h5"), ("3.1.1", "lora.h5"), ("3.1.1", "quantized.h5"),
    ("3.1.1", "quantized.keras"),
}  # fmt: skip
# Of the versions in between, nothing differs that the first and the last ones do not have.
IN_BETWEEN = ("3.1.1", "3.3.3", "3.6.0", "3.9.2")
LOADED = [
    pytest.param(*file, marks=[pytest.mark.thorough] * (file[0] in IN_BETWEEN))
    for file in FILES
    if file not in REFUSED
]


@pytest.mark.parametrize("version, name", sorted(REFUSED))
def test_a_file_that_no_newer_keras_loads_is_refused(folder, version, name):
    with pytest.raises(ModelFileError, match=r"number of weights|another shape"):
        load(folder / version, name)


@pytest.mark.filterwarnings("ignore:.*read as")
@pytest.mark.parametrize("version, name", LOADED)
def test_a_file_loads_with_the_outputs_of_keras_and_goes_on_training(folder, version, name):
    path = folder / version
    arrays = dict(np.load(path / f"{name.partition('.')[0].partition('-')[0]}.npz"))
    model = load(path, name)
    inputs = {key[3:]: value for key, value in arrays.items() if key.startswith("in/")}
    outputs = model(inputs or arrays["in"], training=False)
    outputs = {f"out/{k}": v for k, v in outputs.items()} if inputs else {"out": outputs}
    tolerance = 2e-2 if name.startswith("mixed") else 1e-5
    for key, value in outputs.items():
        found = np.asarray(keras.ops.convert_to_numpy(value), "float32")
        np.testing.assert_allclose(found, arrays[key], tolerance, tolerance, err_msg=key)
    if "weights" not in name:
        check_training(model, version, arrays)


def check_training(model, version, arrays):
    """Asserts that the compile arguments and the state of the optimizer are those of the file."""
    state = [arrays[f"opt/{i}"] for i in range(sum(key.startswith("opt/") for key in arrays))]
    optimizer = model.optimizer
    if not state:
        assert optimizer is None
        return
    assert type(optimizer).__name__ == ("SGD" if model.name == "image" else "Adam")
    if model.name == "graph":
        assert set(model.loss) == {"y", "z"}
    else:
        losses = {"image": "categorical_crossentropy", "old_optimizer": "mse"}
        assert model.loss == losses[model.name]
    found = [v.numpy() for v in optimizer.variables]
    if version.startswith("2."):  # the learning rate is not a variable
        found = [v.numpy() for v in optimizer.variables if "learning_rate" not in v.path]
        state = [x for x in state if x.shape or x == state[0]]
    if model.name == "old_optimizer":  # all first moments, then all second ones
        found = [found[0], *found[1::2], *found[2::2]]
    assert len(found) == len(state)
    for one, other in zip(found, state, strict=True):
        np.testing.assert_allclose(one, other, 1e-6, 1e-6)

"""Files of `jax.export`: read by JAX alone, they compute what the model does."""

from pathlib import Path

import numpy as np
import pytest

import keras_fn as keras
from keras_fn.errors import SpecError

if keras.config.backend() != "jax":
    pytest.skip("files of jax.export", allow_module_level=True)
pytest.importorskip("flatbuffers")  # in which they are written

import jax
from jax import export

L = keras.layers
X = np.sin(np.arange(15.0)).reshape(5, 3).astype("float32")


def read(path: Path) -> export.Exported:
    return export.deserialize(bytearray(path.read_bytes()))


def test_any_batch_size_and_names_of_inputs(tmp_path: Path):
    a, b = keras.Input((3,), name="a"), keras.Input((None, 4), name="b")
    model = keras.Model({"a": a, "b": b}, {"sum": L.Dense(2)(a), "gru": L.GRU(2)(b)})
    model.export(tmp_path / "m.stablehlo", "stablehlo", verbose=False)
    program = read(tmp_path / "m.stablehlo")
    assert program.in_avals[0].shape[0] == program.in_avals[1].shape[0]  # one batch
    for batch, steps in ((2, 3), (5, 4)):
        inputs = {"a": X[:batch], "b": np.ones((batch, steps, 4), "float32")}
        expected, found = model(inputs), program.call(inputs)
        assert set(found) == {"sum", "gru"}
        for name in found:
            np.testing.assert_allclose(found[name], expected[name], atol=1e-5)


def test_options(tmp_path: Path):
    model = keras.Sequential([keras.Input((3,)), L.Dense(2, "tanh")])
    path = tmp_path / "m.stablehlo"
    options = {"platforms": ["cpu", "cuda", "tpu"], "vjp_order": 1}
    model.export(path, "stablehlo", verbose=False, **options)
    program = read(path)
    assert program.platforms == ("cpu", "cuda", "tpu")
    found = jax.grad(lambda x: program.call(x).sum())(X)
    np.testing.assert_allclose(found, jax.grad(lambda x: model(x).sum())(X), atol=1e-5)
    with pytest.raises(SpecError, match="platforms: a list of names"):
        model.export(path, "stablehlo", platforms="cpu")
    with pytest.raises(SpecError, match="vjp_order: how often"):
        model.export(path, "stablehlo", vjp_order=-1)


def test_weights_are_limited_by_the_format(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    import keras_fn_jax.export

    monkeypatch.setattr(keras_fn_jax.export, "_MAX_FILE_BYTES", 16)
    model = keras.Sequential([keras.Input((3,)), L.Dense(2)])
    with pytest.raises(SpecError, match="weights of less than 2 GiB"):
        model.export(tmp_path / "m.stablehlo", "stablehlo")


def test_seeds_stay_as_they_are(tmp_path: Path):
    class Noise(L.Layer):
        def __init__(self):
            super().__init__()
            self.seed = keras.random.SeedGenerator(1)

        def call(self, x):
            return x + keras.random.uniform(keras.ops.shape(x), seed=self.seed)

    x = keras.Input((3,))
    model = keras.Model(x, Noise()(x))
    model.export(tmp_path / "m.stablehlo", "stablehlo", verbose=False)
    program = read(tmp_path / "m.stablehlo")
    np.testing.assert_array_equal(program.call(X), program.call(X))
    np.testing.assert_allclose(program.call(X), model(X), atol=1e-5)  # the draw of the export

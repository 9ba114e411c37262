"""`.keras` files: those of Keras give Keras's results, and what is saved comes back whole."""

import io
import json
import zipfile

import numpy as np
import pytest

import keras_fn as keras
from keras_fn.saving.errors import ModelFileError
from tests.saving import oracle_check
from tests.saving.oracle_check import FIXTURES

MANIFEST = {f["name"]: f for f in json.loads((FIXTURES / "manifest.json").read_text())["fixtures"]}


def expected(name):
    arrays = np.load(FIXTURES / f"{name}.npz")
    return {key: arrays[key] for key in arrays if key.startswith("out/")}


def results(name, model):
    """The outputs for the fixture's inputs, under the names that the fixture gives them."""
    arrays, spec = np.load(FIXTURES / f"{name}.npz"), MANIFEST[name]
    inputs = {key: arrays[f"in/{key}"] for key in spec["input_keys"]}
    found = model(inputs if spec["inputs"] == "dict" else inputs["0"], training=False)
    if spec["outputs"] != "dict":
        found = found if spec["outputs"] == "list" else [found]
        found = dict(zip(spec["output_keys"], found, strict=True))
    return {f"out/{key}": keras.ops.convert_to_numpy(x) for key, x in found.items()}


def assert_gives_what_keras_gave(name, model):
    wanted, found = expected(name), results(name, model)
    assert wanted.keys() == found.keys()
    for key, value in wanted.items():
        tolerance = {"atol": MANIFEST[name]["atol"], "rtol": MANIFEST[name]["rtol"]}
        np.testing.assert_allclose(found[key], value, **tolerance, err_msg=key)


def saved(model, **options):
    file = io.BytesIO()
    keras.saving.save_model(model, file, **options)
    return file.getvalue()


def loaded(data, **options):
    return keras.saving.load_model(io.BytesIO(data), **options)


@pytest.mark.parametrize("name", MANIFEST)
@pytest.mark.parametrize("ending", ["keras", "h5"])
def test_a_file_of_keras_gives_the_results_of_keras(name, ending):
    model = keras.saving.load_model(FIXTURES / f"{name}.{ending}")
    assert model.count_params() == MANIFEST[name]["parameters"]
    assert_gives_what_keras_gave(name, model)


@pytest.mark.parametrize("name", MANIFEST)
def test_weights_of_keras_give_the_results_of_keras(name):
    model = keras.saving.load_model(FIXTURES / f"{name}.keras")
    for ending in ("weights.h5", "keras", "h5"):
        for variable in model.weights:
            variable.assign(np.zeros(variable.shape))
        model.load_weights(FIXTURES / f"{name}.{ending}")
        assert_gives_what_keras_gave(name, model)


@pytest.mark.parametrize("name", MANIFEST)
def test_a_model_of_keras_survives_a_round_trip(name):
    model = keras.saving.load_model(FIXTURES / f"{name}.keras")
    data = saved(model)
    again = loaded(data)
    assert_gives_what_keras_gave(name, again)
    assert saved(again) == data


def test_a_trained_model_comes_back_with_the_state_of_its_optimizer():
    model, x = oracle_check.trained_model(keras)
    again = loaded(saved(model))
    for a, b in zip(model.optimizer.variables, again.optimizer.variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy(), err_msg=a.path)
    for m in (model, again):
        m.fit(x, x[:, :1], batch_size=4, shuffle=False, verbose=0)
    np.testing.assert_allclose(
        model.predict(x, verbose=0), again.predict(x, verbose=0), rtol=1e-5, atol=1e-6
    )


def test_a_model_compiled_but_not_trained_comes_back():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("adam", "mse")
    assert int(loaded(saved(model)).optimizer.iterations) == 0


def test_compile_false_leaves_out_how_it_was_trained():
    model, _ = oracle_check.trained_model(keras)
    again = loaded(saved(model), compile=False)
    assert not again.compiled


def test_include_optimizer_false_leaves_the_state_out():
    model, _ = oracle_check.trained_model(keras)
    data = saved(model, include_optimizer=False)
    assert len(data) < len(saved(model))


def test_the_same_model_gives_the_same_bytes():
    keras.utils.set_random_seed(3)
    first = saved(oracle_check.dense_model(keras)[0])
    assert saved(loaded(first)) == first


def test_the_archive_has_the_members_and_metadata_of_keras():
    archive = zipfile.ZipFile(io.BytesIO(saved(oracle_check.dense_model(keras)[0])))
    assert set(archive.namelist()) == {"metadata.json", "config.json", "model.weights.h5"}
    metadata = json.loads(archive.read("metadata.json"))
    assert metadata["keras_version"].startswith("3.")
    assert metadata["keras_fn"] == {"version": keras.__version__}


def test_seeds_come_back_so_that_draws_go_on():
    model = keras.Sequential([keras.Input((50,)), keras.layers.Dropout(0.5, seed=7)])
    x = np.ones((1, 50), "float32")
    model(x, training=True)
    again = loaded(saved(model))
    for _ in range(2):
        a, b = model(x, training=True), again(x, training=True)
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(a), keras.ops.convert_to_numpy(b))


@keras.saving.register_keras_serializable("tests")
class TwoTowers(keras.Model):
    """A model with a call of its own, and layers in every kind of place."""

    def __init__(self, units=2, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.a = keras.layers.Dense(units)
        self.z = keras.layers.Dense(units)
        self.block = Block()
        self.inner = keras.Sequential([keras.Input((units,)), keras.layers.Dense(units)])
        self.listed = [keras.layers.Dense(units)]

    def call(self, x):
        return self.listed[0](self.inner(self.z(self.block(self.a(x)))))

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@keras.saving.register_keras_serializable("tests")
class Block(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        dense = keras.layers.Dense
        self.proj = dense(2)
        self.many = [dense(2), dense(2), [dense(2)]]
        self.named = {"b": dense(2), "a": dense(2)}
        self._hidden = dense(2)

    def build(self, input_shape):
        self.w = self.add_weight((2,), name="w")
        self.fixed = self.add_weight((1,), name="fixed", trainable=False)
        self.v = self.add_weight((3,), name="v")

    def call(self, x):
        x = self.proj(x)
        for layer in [*self.many[:2], *self.many[2], *self.named.values(), self._hidden]:
            x = layer(x)
        return x * self.w


# Noted from Keras 3.15.1, which wrote a model of these classes.
TWO_TOWERS = {
    "a/vars/0", "a/vars/1", "block/vars/0", "block/vars/1", "block/vars/2",
    *(f"block/{path}/vars/{i}" for i in (0, 1) for path in (
        "_hidden", "many/container/dense", "many/dense", "many/dense_1", "named/dense",
        "named/dense_1", "proj")),
    "inner/layers/dense/vars/0", "inner/layers/dense/vars/1",
    "layers/dense_1/vars/0", "layers/dense_1/vars/1",
    "layers/dense_2/vars/0", "layers/dense_2/vars/1",
}  # fmt: skip


def test_a_model_with_a_call_of_its_own_has_the_paths_of_keras():
    from keras_fn.saving.weights import collect

    model = TwoTowers()
    model(np.ones((1, 2), "float32"))
    datasets, attributes = collect(model)
    assert set(datasets) == TWO_TOWERS
    assert datasets["block/vars/1"].shape == (3,)  # trainable ones go before the others
    assert attributes["block/vars"] == {"name": model.block.name}


def test_a_model_with_a_call_of_its_own_comes_back():
    model = TwoTowers(name="towers")
    x = np.ones((1, 2), "float32")
    wanted = keras.ops.convert_to_numpy(model(x))
    again = loaded(saved(model))
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(again(x)), wanted)


def test_an_unbuilt_model_is_saved_without_weights():
    model = keras.Sequential([keras.layers.Dense(2)])
    model.compile("adam", "mse")
    with pytest.warns(UserWarning, match="not built"):
        again = loaded(saved(model))
    assert not again.built
    assert again.layers[0].units == 2 and again.loss == "mse"
    assert tuple(again(np.ones((1, 3))).shape) == (1, 2)


@pytest.mark.parametrize("path", ["model", "model.pb", "model.weights.h5"])
def test_other_endings_are_refused(path, tmp_path):
    model, _ = oracle_check.dense_model(keras)
    with pytest.raises(ModelFileError, match=r"\.keras"):
        model.save(tmp_path / path)
    assert not list(tmp_path.iterdir())


def test_a_file_is_not_overwritten_unless_asked(tmp_path):
    model, _ = oracle_check.dense_model(keras)
    path = tmp_path / "m.keras"
    path.write_bytes(b"precious")
    with pytest.raises(ModelFileError, match="already"):
        model.save(path, overwrite=False)
    assert path.read_bytes() == b"precious"
    model.save(path)
    assert keras.saving.load_model(path).name == model.name


def test_a_save_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    model, _ = oracle_check.dense_model(keras)
    path = tmp_path / "m.keras"
    model.save(path)
    before = path.read_bytes()

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("keras_fn.saving.keras_format.write_archive", full)
    with pytest.raises(OSError, match="No space"):
        model.save(path)
    assert path.read_bytes() == before and [p.name for p in tmp_path.iterdir()] == ["m.keras"]


def test_a_model_is_one_file(tmp_path):
    model, x = oracle_check.dense_model(keras)
    model.save(tmp_path / "m.keras", zipped=True)
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    got, expected = loaded.predict(x, verbose=0), model.predict(x, verbose=0)
    assert got.keys() == expected.keys() == {"x", "y", "z"}
    for name, values in expected.items():
        np.testing.assert_array_equal(got[name], values)
    assert [p.name for p in tmp_path.iterdir()] == ["m.keras"]


def test_outputs_of_a_layer_in_a_dict_are_counted_in_the_order_of_the_keys_as_in_keras():
    x, y = keras.Input((2,)), keras.Input((2,))
    inner = keras.Model(x, {"z": x * 2.0, "a": [x * 3.0, x * 5.0]}, name="inner")
    found = inner(y)
    model = keras.Model(y, [found["a"][1], found["z"], found["a"][0]])
    assert model.get_config()["output_layers"] == [
        ["inner", 1, 1],
        ["inner", 1, 2],
        ["inner", 1, 0],
    ]
    file = io.BytesIO()
    model.save(file)
    again = keras.saving.load_model(file)
    assert [float(v[0, 0]) for v in again.predict(np.ones((1, 2)), verbose=0)] == [5.0, 2.0, 3.0]


@pytest.mark.parametrize("in_sequential", [True, False])
def test_a_custom_layer_whose_config_has_no_name_is_loaded(tmp_path, in_sequential):
    class Nameless(keras.layers.Layer):
        def __init__(self, units):
            super().__init__()
            self.units = units

        def build(self, input_shape):
            self.w = self.add_weight((input_shape[-1], self.units), initializer="uniform")

        def call(self, x):
            return keras.ops.matmul(x, self.w)

        def get_config(self):
            return {"units": self.units}

    class Bare(Nameless):
        def __init__(self):
            super().__init__(2)

        def get_config(self):
            return {}

    x = keras.Input((3,))
    parts = [Nameless(4), Bare()]
    model = keras.Sequential([x, *parts])
    if not in_sequential:
        model = keras.Model(x, parts[1](parts[0](x)))
    model.save(tmp_path / "model.keras")
    found = keras.saving.load_model(
        tmp_path / "model.keras", custom_objects={"Nameless": Nameless, "Bare": Bare}
    )
    for a, b in zip(model.get_weights(), found.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)

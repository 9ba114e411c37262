"""Weights of models in safetensors files: all or none, in one file or in shards."""

import json
import shutil

import numpy as np
import pytest

import keras_fn as keras
from keras_fn.saving.errors import ModelFileError
from keras_fn.saving.safetensors import safetensors_file, safetensors_format
from keras_fn.saving.safetensors.safetensors_file import open_safetensors, write_safetensors

L = keras.layers


def stack(*units, name="stack", dtype=None):
    layers = [L.Dense(n, name=f"{name}_{i}", dtype=dtype) for i, n in enumerate(units)]
    return keras.Sequential([keras.Input((3,)), *layers], name=name)


def values(model):
    return [v.numpy() for v in model.weights]


def assert_same(a, b):
    for x, y in zip(a, b, strict=True):
        np.testing.assert_array_equal(x, y)


def names_in(path):
    with open(path, "rb") as file:
        return list(open_safetensors(file).datasets)


def test_weights_come_back_into_a_model_of_other_names(tmp_path):
    model, other = stack(4, 2), stack(4, 2, name="other")
    model.save_weights(tmp_path / "m.safetensors")
    names = names_in(tmp_path / "m.safetensors")
    assert names == [f"layers/{d}/{v}" for d in ("dense", "dense_1") for v in ("kernel", "bias")]
    keras.saving.load_weights(other, tmp_path / "m.safetensors")
    assert_same(values(model), values(other))


def test_the_state_of_the_optimizer_and_of_seeds_is_there_too(tmp_path):
    def build():
        model = keras.Sequential([keras.Input((3,)), L.Dropout(0.5), L.Dense(1)])
        model.compile("adam", "mse")
        return model

    model, other = build(), build()
    path = tmp_path / "m.safetensors"
    callback = keras.callbacks.ModelCheckpoint(path, save_weights_only=True)
    model.fit(np.ones((4, 3)), np.ones((4, 1)), verbose=0, callbacks=[callback])
    other.load_weights(tmp_path / "m.safetensors")
    assert_same(values(model), values(other))
    assert int(other.optimizer.iterations.numpy()) == 1
    assert any("seed_generator" in name for name in names_in(tmp_path / "m.safetensors"))


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_weights_of_half_precision(dtype, tmp_path):
    model, other = stack(4, dtype=dtype), stack(4, dtype=dtype)
    model.save_weights(tmp_path / "m.safetensors")
    other.load_weights(tmp_path / "m.safetensors")
    assert_same(values(model), values(other))


@pytest.mark.parametrize(
    "other, said",
    [
        (lambda: stack(4, 3), r"another shape[\s\S]*expected: 'kernel' of shape \(4, 3\)"),
        (lambda: stack(4, 2, 2), r"no weight 'kernel'[\s\S]*layers/dense_2/kernel"),
        (lambda: stack(4), r"that the model does not have"),
        (lambda: keras.Sequential([keras.Input((3, 3)), L.Conv1D(2, 1)]), "load_state_dict"),
    ],
)  # fmt: skip
def test_weights_of_another_model_are_an_error_and_change_nothing(tmp_path, other, said):
    path = tmp_path / "m.safetensors"
    stack(4, 2).save_weights(path)
    model = other()
    before = values(model)
    with pytest.raises(ModelFileError, match=said) as error:
        model.load_weights(path)
    assert str(path) in str(error.value) and "fix:" in str(error.value)
    assert_same(values(model), before)


@pytest.mark.parametrize("in_background", [False, True])
def test_damage_is_an_error_and_changes_nothing(tmp_path, monkeypatch, in_background):
    if in_background:
        monkeypatch.setattr(safetensors_file, "_WORTH_A_THREAD", 0)
    model, path = stack(4, 2), tmp_path / "m.safetensors"
    model.save_weights(path)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    other = stack(4, 2)
    before = values(other)
    with pytest.raises(ModelFileError, match=r"safetensors, layers/dense_1/bias: .*CRC-32"):
        other.load_weights(path)
    path.write_bytes(b"no safetensors")
    with pytest.raises(ModelFileError, match="safetensors"):
        other.load_weights(path)
    assert_same(values(other), before)


def test_skip_mismatch_and_layers_to_skip(tmp_path):
    path = tmp_path / "m.safetensors"
    model, other = stack(4, 2), stack(4, 3)
    model.save_weights(path)
    before = values(other)
    with pytest.warns(UserWarning, match="not loaded: Dense 'stack_1'"):
        other.load_weights(path, skip_mismatch=True)
    assert_same(values(other)[:2] + before[2:], values(model)[:2] + values(other)[2:])
    third = stack(4, 2)
    before = values(third)
    third.load_weights(path, objects_to_skip=[third.layers[0]])
    assert_same(values(third), before[:2] + values(model)[2:])


class Tied(L.Layer):
    """A projection with the table of another layer."""

    def __init__(self, embedding, **kwargs):
        super().__init__(**kwargs)
        self.embedding = embedding

    def build(self, shape):
        self.table = self.embedding.embeddings

    def call(self, x):
        return keras.ops.matmul(x, keras.ops.transpose(self.table))


def tied_model():
    embedding = L.Embedding(5, 3)
    x = keras.Input((2,), dtype="int32")
    return keras.Model(x, Tied(embedding)(embedding(x)))


def test_tied_weights_are_stored_once(tmp_path):
    model, other, path = tied_model(), tied_model(), tmp_path / "m.safetensors"
    model.save_weights(path)
    with open(path, "rb") as file:
        stored = open_safetensors(file)
        assert len(stored.stored_names) == 1 < len(stored.datasets)
    other.load_weights(path)
    assert_same(values(model), values(other))


def test_automatic_names_are_numbered_by_their_order(tmp_path):
    class Pair(L.Layer):
        def build(self, shape):
            self.a, self.b = (self.add_weight(shape=(i + 1,)) for i in range(2))

        def call(self, x):
            return x + self.a

    model, other = (keras.Sequential([keras.Input((1,)), Pair()]) for _ in range(2))
    model.save_weights(tmp_path / "m.safetensors")
    assert names_in(tmp_path / "m.safetensors") == ["layers/pair/vars/0", "layers/pair/vars/1"]
    other.load_weights(tmp_path / "m.safetensors")
    assert_same(values(model), values(other))


# ---------------------------------------------------------------- shards


def test_shards_have_the_form_of_hugging_face_and_come_back(tmp_path):
    model, other = stack(4, 4, 2), stack(4, 4, 2)
    model.save_weights(tmp_path / "m.safetensors", max_shard_size=100 / 2**30)
    index = json.loads((tmp_path / "m.safetensors.index.json").read_text())
    assert index["metadata"] == {"total_size": sum(v.nbytes for v in values(model))}
    files = sorted(p.name for p in tmp_path.glob("*.safetensors"))
    assert files[0] == f"m-00001-of-0000{len(files)}.safetensors" and len(files) > 1
    assert index["weight_map"]["layers/dense/kernel"] == files[0]
    assert {n for f in files for n in names_in(tmp_path / f)} == index["weight_map"].keys()
    other.load_weights(tmp_path / "m.safetensors.index.json")
    assert_same(values(model), values(other))
    path = tmp_path / "m.safetensors.index.json"
    other.save_weights(path, max_shard_size=1)  # the older shards go
    assert len(list(tmp_path.glob("*.safetensors"))) == 1
    model.load_weights(path)


def test_shards_of_another_program_are_read(tmp_path):
    arrays = dict(zip(["layers/dense/kernel", "layers/dense/bias"], values(stack(4)), strict=True))
    for i, (name, array) in enumerate(arrays.items()):
        with open(tmp_path / f"model-0000{i + 1}-of-00002.safetensors", "wb") as file:
            write_safetensors(file, {name: array})
    places = {n: f"model-0000{i + 1}-of-00002.safetensors" for i, n in enumerate(arrays)}
    path = tmp_path / "model.safetensors.index.json"
    path.write_text(json.dumps({"metadata": {}, "weight_map": places}))
    model = stack(4)
    model.load_weights(path)
    assert_same(values(model), list(arrays.values()))
    for wrong, said in (
        ({**places, "layers/dense/bias": "../model-00002-of-00002.safetensors"}, "in the folder"),
        ({**places, "layers/dense/bias": places["layers/dense/kernel"]}, "not in the shard"),
        ({**places, "more": places["layers/dense/kernel"]}, "not in the shard"),
        ({**places, "layers/dense/bias": 5}, "in the folder"),
        ([], "not an index"),
    ):
        path.write_text(json.dumps({"weight_map": wrong}))
        with pytest.raises(ModelFileError, match=said):
            model.load_weights(path)
    shutil.copy(tmp_path / places["layers/dense/kernel"], tmp_path / places["layers/dense/bias"])
    path.write_text(json.dumps({"weight_map": places}))
    with pytest.raises(ModelFileError, match="not in the shard"):
        model.load_weights(path)


def test_a_save_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    model, path = stack(4, 2), tmp_path / "m.safetensors"
    model.save_weights(path)
    model.save_weights(path, max_shard_size=100 / 2**30)
    before = {p: p.read_bytes() for p in tmp_path.iterdir()}

    def fail(file, arrays, metadata):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(safetensors_format, "write_safetensors", fail)
    for size in (None, 100 / 2**30):
        with pytest.raises(OSError, match="No space"):
            model.save_weights(path, max_shard_size=size)
    assert {p: p.read_bytes() for p in tmp_path.iterdir()} == before
    with pytest.raises(ModelFileError, match="already"):
        keras.saving.save_weights(model, path, overwrite=False)

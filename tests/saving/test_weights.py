"""Files of weights: all or none, in one file or several."""

import io
import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import h5py
import numpy as np
import pytest
from hdf5_files import hdf5_bytes

import keras_fn as keras
from keras_fn.saving import shards, weights_format
from keras_fn.saving.checksum import TRAILER_BYTES, write_with_trailer
from keras_fn.saving.errors import ModelFileError
from keras_fn.saving.hdf5.file import open_hdf5
from keras_fn.saving.weights import collect
from tests.saving import oracle_check


def stack(*units, name="stack"):
    layers = [keras.layers.Dense(n, name=f"{name}_{i}") for i, n in enumerate(units)]
    return keras.Sequential([keras.Input((3,)), *layers], name=name)


def values(model):
    return [v.numpy() for v in model.weights]


def assert_same(a, b):
    for x, y in zip(a, b, strict=True):
        np.testing.assert_array_equal(x, y)


def test_weights_come_back_into_a_model_of_other_names(tmp_path):
    model, other = stack(4, 2), stack(4, 2, name="other")
    model.save_weights(tmp_path / "m.weights.h5")
    other.load_weights(tmp_path / "m.weights.h5")
    assert_same(values(model), values(other))


@pytest.mark.parametrize(
    "other, said",
    [
        (lambda: stack(4, 3), r"another shape[\s\S]*expected: 'kernel' of shape \(4, 3\)"),
        (lambda: stack(4, 2, 2), "there is no weight 'kernel'"),
        (lambda: stack(4), "1 weights that the model does not have"),
        (lambda: keras.Sequential([keras.Input((3,)), keras.layers.Dense(4, use_bias=False),
                                   keras.layers.Dense(2)]), "layers/dense/vars/1"),
    ],
)  # fmt: skip
def test_weights_of_another_model_are_an_error_and_change_nothing(tmp_path, other, said):
    path = tmp_path / "m.weights.h5"
    stack(4, 2).save_weights(path)
    model = other()
    before = values(model)
    with pytest.raises(ModelFileError, match=said) as error:
        model.load_weights(path)
    assert str(path) in str(error.value) and "fix:" in str(error.value)
    assert_same(values(model), before)


def test_skip_mismatch_loads_what_fits_and_lists_the_rest(tmp_path):
    path = tmp_path / "m.weights.h5"
    model, other = stack(4, 2), stack(4, 3)
    model.save_weights(path)
    before = values(other)
    with pytest.warns(UserWarning, match="not loaded: Dense 'stack_1'"):
        other.load_weights(path, skip_mismatch=True)
    assert_same(values(other)[:2], values(model)[:2])
    assert_same(values(other)[2:], before[2:])


def test_layers_that_are_to_be_skipped_stay(tmp_path):
    path = tmp_path / "m.weights.h5"
    model, other = stack(4, 2), stack(4, 2)
    model.save_weights(path)
    before = values(other)
    other.load_weights(path, objects_to_skip=[other.layers[0]])
    assert_same(values(other)[:2], before[:2])
    assert_same(values(other)[2:], values(model)[2:])


def test_one_weight_of_another_dtype_kind_is_an_error(tmp_path):
    model = stack(2)
    datasets, attributes = collect(model)
    datasets["layers/dense/vars/1"] = np.zeros(2, "int32")
    (tmp_path / "m.weights.h5").write_bytes(hdf5_bytes(datasets, attributes))
    with pytest.raises(ModelFileError, match="another kind of dtype"):
        model.load_weights(tmp_path / "m.weights.h5")


def test_floats_of_another_width_are_converted_and_that_is_told(tmp_path):
    model = stack(2)
    datasets, attributes = collect(model)
    datasets["layers/dense/vars/1"] = np.array([0.5, 2.0], "float64")
    (tmp_path / "m.weights.h5").write_bytes(hdf5_bytes(datasets, attributes))
    with pytest.warns(UserWarning, match="float64"):
        model.load_weights(tmp_path / "m.weights.h5")
    np.testing.assert_array_equal(model.weights[1].numpy(), [0.5, 2.0])


def test_a_flipped_bit_is_an_error(tmp_path):
    model, path = stack(4, 2), tmp_path / "m.weights.h5"
    model.save_weights(path)
    kernel = model.weights[0].numpy().tobytes()
    data = bytearray(path.read_bytes())
    data[data.index(kernel) + 5] ^= 1
    path.write_bytes(data)
    with pytest.raises(ModelFileError, match="CRC-32"):
        model.load_weights(path)


def test_a_flipped_bit_in_the_checksum_itself_is_an_error(tmp_path):
    model, path = stack(2), tmp_path / "m.weights.h5"
    model.save_weights(path)
    whole = path.read_bytes()
    for position in range(len(whole) - TRAILER_BYTES, len(whole)):
        for bit in range(8):
            data = bytearray(whole)
            data[position] ^= 1 << bit
            with pytest.raises(ModelFileError, match=r"checksum|CRC-32"):
                open_hdf5(io.BytesIO(data))


def test_a_weight_larger_than_a_shard_is_an_error_before_anything_is_written(tmp_path):
    with pytest.raises(ModelFileError, match="larger than a shard"):
        stack(20, 2).save_weights(tmp_path / "m.weights.json", max_shard_size=100 / 2**30)
    assert not list(tmp_path.iterdir())


def test_shards_come_back(tmp_path):
    model, other = stack(4, 4, 2), stack(4, 4, 2)
    path = tmp_path / "m.weights.json"
    model.save_weights(path, max_shard_size=100 / 2**30)
    index = json.loads(path.read_text())
    assert index["metadata"]["total_size"] == sum(v.nbytes for v in values(model))
    assert index["weight_map"]["/layers/dense/vars"] == "m_00000.weights.h5"
    assert len(list(tmp_path.glob("m_*.weights.h5"))) > 1
    other.load_weights(path)
    assert_same(values(model), values(other))


def test_a_save_in_shards_that_fails_leaves_the_old_one(tmp_path, monkeypatch):
    old, new, other = stack(4, 4, 2), stack(4, 4, 2), stack(4, 4, 2)
    path = tmp_path / "m.weights.json"
    old.save_weights(path, max_shard_size=100 / 2**30)
    before = sorted(tmp_path.iterdir())
    for fails_at in range(1, len(before)):
        calls = iter(range(1, 100))

        def write(file, parts, fails_at=fails_at, calls=calls):
            write_with_trailer(file, parts)
            if next(calls) == fails_at:
                raise OSError(28, "No space left on device")

        monkeypatch.setattr(weights_format, "write_with_trailer", write)
        with pytest.raises(OSError, match="No space left"):
            new.save_weights(path, max_shard_size=100 / 2**30)
        monkeypatch.undo()
        assert sorted(tmp_path.iterdir()) == before
    other.load_weights(path)
    assert_same(values(old), values(other))


@pytest.mark.parametrize("ending", ["weights.json", "safetensors.index.json"])
def test_shards_that_are_replaced_while_they_are_read_are_read_again(tmp_path, monkeypatch, ending):
    path, todo, read = tmp_path / f"m.{ending}", [2], shards.open_for_reading
    old, new = stack(4, 4, 2), stack(4, 4, 2)
    old.save_weights(path, max_shard_size=100 / 2**30)

    def replace_first(name):
        if todo and str(name).endswith(("1.weights.h5", "00002-of-00003.safetensors")):
            for _ in range(todo.pop()):  # the second one has the names of the old shards
                new.save_weights(path, max_shard_size=100 / 2**30)
        return read(name)

    monkeypatch.setattr(shards, "open_for_reading", replace_first)
    other = stack(4, 4, 2)
    other.load_weights(path)
    assert not todo
    for value, expected in zip(other.get_weights(), new.get_weights(), strict=True):
        np.testing.assert_array_equal(value, expected)


def test_two_saves_in_shards_at_the_same_time_do_not_mix(tmp_path):
    path, models = tmp_path / "m.weights.json", [stack(4, 4, 2) for _ in range(3)]

    def save(model):
        for _ in range(5):
            model.save_weights(path, max_shard_size=100 / 2**30)

    with ThreadPoolExecutor(len(models)) as pool:
        list(pool.map(save, models))
    other = stack(4, 4, 2)
    other.load_weights(path)
    assert any(
        all(map(np.array_equal, other.get_weights(), model.get_weights())) for model in models
    )
    index = json.loads(path.read_text())["weight_map"]
    names = {name for v in index.values() for name in ([v] if isinstance(v, str) else v)}
    assert set(os.listdir(tmp_path)) == {path.name, "m_00000.weights.h5", *names}


def test_a_second_save_in_shards_replaces_the_first(tmp_path):
    path = tmp_path / "m.weights.json"
    stack(4, 4, 4, 2).save_weights(path, max_shard_size=100 / 2**30)
    (tmp_path / "m_1_00000.weights.h5").write_bytes(b"of another model")
    for _ in range(3):
        model, other = stack(4, 4, 2), stack(4, 4, 2)
        model.save_weights(path, max_shard_size=100 / 2**30)
        weight_map = json.loads(path.read_text())["weight_map"]
        named = {name for names in weight_map.values() for name in np.atleast_1d(names)}
        files = {file.name for file in tmp_path.iterdir()}
        assert files == named | {path.name, "m_00000.weights.h5", "m_1_00000.weights.h5"}
        with h5py.File(tmp_path / "m_00000.weights.h5") as h5:  # real Keras opens it first
            assert not h5.keys()
        other.load_weights(path)
        assert_same(values(model), values(other))


KILLED = """
import os, signal, sys
import numpy as np
import keras_fn as keras
from keras_fn.saving import file_io
model = keras.Sequential([keras.Input((3,)), *(keras.layers.Dense(n) for n in (4, 4, 2))])
renames, replace = int(sys.argv[2]), os.replace
def stop(*paths):
    global renames
    if not renames:
        os.kill(os.getpid(), signal.SIGKILL)
    renames -= 1
    replace(*paths)
os.replace = stop
def stop_unlinking(path):
    os.kill(os.getpid(), signal.SIGKILL)
if len(sys.argv) > 3:
    os.unlink = stop_unlinking
model.save_weights(sys.argv[1], max_shard_size=100 / 2**30)
"""


@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize("renames", [1, 3, "all"])
def test_a_save_in_shards_that_is_killed_leaves_no_files_after_the_next_save(tmp_path, renames):
    path = tmp_path / "m.weights.json"
    model, other = stack(4, 4, 2), stack(4, 4, 2)
    model.save_weights(path, max_shard_size=100 / 2**30)
    single = tmp_path / "m_00077.weights.h5"  # of somebody who numbers single files
    single.write_bytes(b"")
    before = {p.name for p in tmp_path.iterdir()}
    options = [str(path), "99" if renames == "all" else str(renames)]
    options += ["and the old files are not removed"] * (renames == "all")
    done = subprocess.run(
        [sys.executable, "-c", KILLED, *options],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    assert len(list(tmp_path.iterdir())) > len(before)
    other.load_weights(path)
    if renames != "all":
        assert_same(values(model), values(other))
    stack(2).save_weights(tmp_path / "another.weights.h5")
    weight_map = json.loads(path.read_text())["weight_map"]
    named = {name for names in weight_map.values() for name in np.atleast_1d(names)}
    expected = named | {path.name, single.name, "another.weights.h5", "m_00000.weights.h5"}
    assert {p.name for p in tmp_path.iterdir()} == expected
    other.load_weights(path)


@pytest.mark.parametrize("name", ["../m_00000.weights.h5", "/etc/passwd", "a/b.weights.h5", 3])
def test_a_list_of_shards_names_files_beside_it_only(tmp_path, name):
    path = tmp_path / "m.weights.json"
    path.write_text(json.dumps({"weight_map": {"/vars": name}}))
    with pytest.raises(ModelFileError, match="not in the folder of the index"):
        stack(2).load_weights(path)


def test_the_optimizer_of_another_training_is_left_alone_and_that_is_told(tmp_path):
    model, _ = oracle_check.trained_model(keras)
    model.save_weights(tmp_path / "m.weights.h5")
    other, _ = oracle_check.trained_model(keras)
    other.compile("sgd", "mse")
    with pytest.warns(UserWarning, match="SGD"):
        other.load_weights(tmp_path / "m.weights.h5")
    assert_same(values(other), values(model))


def test_weights_of_a_compiled_model_go_into_one_that_is_not(tmp_path):
    model, _ = oracle_check.trained_model(keras)
    model.save_weights(tmp_path / "m.weights.h5")
    other = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4), keras.layers.Dense(1)])
    other.load_weights(tmp_path / "m.weights.h5")
    assert_same(values(other), values(model))


class Packed(keras.layers.Layer):
    """Keeps its weight in a form of its own."""

    def build(self, input_shape):
        self.w = self.add_weight((4,), initializer="ones", name="w")

    def call(self, x):
        return x * self.w

    def save_own_variables(self, store):
        store["low"], store["high"] = self.w.numpy()[:2], self.w.numpy()[2:]

    def load_own_variables(self, store):
        self.w.assign(np.concatenate([store["low"], store["high"]]))


def test_a_layer_may_write_its_variables_in_a_form_of_its_own(tmp_path):
    def make():
        return keras.Sequential([keras.Input((4,)), Packed(), keras.layers.Dense(2)])

    model, other = make(), make()
    model.weights[0].assign([1.0, 2.0, 3.0, 4.0])
    model.save_weights(tmp_path / "m.weights.h5")
    assert "layers/packed/vars/low" in collect(model)[0]
    other.load_weights(tmp_path / "m.weights.h5")
    assert_same(values(other), values(model))


def test_an_error_in_such_a_layer_undoes_it(tmp_path):
    class Failing(Packed):
        def load_own_variables(self, store):
            super().load_own_variables(store)
            raise ValueError("no")

    model = keras.Sequential([keras.Input((4,)), Failing(), keras.layers.Dense(2)])
    model.save_weights(tmp_path / "m.weights.h5")
    for variable in model.weights:
        variable.assign(variable.numpy() + 1)
    before = values(model)
    with pytest.raises(ModelFileError, match="no"):
        model.load_weights(tmp_path / "m.weights.h5")
    assert_same(values(model), before)
    with pytest.warns(UserWarning, match=r"not loaded: Failing .*\(no\)"):
        model.load_weights(tmp_path / "m.weights.h5", skip_mismatch=True)
    assert_same(values(model)[:1], before[:1])
    np.testing.assert_array_equal(values(model)[1], before[1] - 1)


def test_weights_need_a_built_model(tmp_path):
    model = keras.Sequential([keras.layers.Dense(2)])
    with pytest.raises(ModelFileError, match="not built"):
        model.save_weights(tmp_path / "m.weights.h5")


@pytest.mark.parametrize("path", ["m.h5", "m.weights", "m.keras"])
def test_weights_go_to_files_of_their_ending_only(tmp_path, path):
    with pytest.raises(ModelFileError, match=r"\.weights\.h5"):
        stack(2).save_weights(tmp_path / path)


@pytest.mark.parametrize("name", ["m.weights.h5", "m.safetensors"])
def test_keys_of_such_a_layer_can_have_slashes(tmp_path, name):
    class Nested(Packed):
        def save_own_variables(self, store):
            store["part/all"] = self.w

        def load_own_variables(self, store):
            self.w.assign(store["part/all"])

    model = keras.Sequential([keras.Input((4,)), Nested()])
    model.save_weights(tmp_path / name)
    before = values(model)
    model.weights[0].assign(np.zeros(4))
    model.load_weights(tmp_path / name)
    assert_same(values(model), before)
    if name.endswith("h5"):
        with pytest.raises(ModelFileError, match="keys with a slash"):
            keras.saving.KerasFileEditor(tmp_path / name)

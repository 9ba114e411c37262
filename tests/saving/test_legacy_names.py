"""Legacy `.h5` files: weights are found by their names, whatever was trainable when saving."""

from pathlib import Path

import numpy as np
import pytest
from hdf5_files import hdf5_bytes

import keras_fn as keras
from keras_fn.saving.errors import ModelFileError

FILES = Path(__file__).parents[1] / "fixtures" / "keras_frozen"
VALUES = dict(np.load(FILES / "weights.npz"))


def build(names="abc", norms=("bn1", "bn2"), stack=("s1", "s2"), frozen=()):
    """The model of the files, whose layers have these names; None for automatic ones."""
    dense, norm = keras.layers.Dense, keras.layers.BatchNormalization
    start = x = keras.Input((2,))
    for name in names:
        x = dense(2, name=name)(x)
    for name in norms:
        x = norm(name=name)(x)
    inner = keras.Model(start, x, name="inner")
    after = keras.Sequential([keras.Input((2,)), *[dense(2, name=n) for n in stack]], name="stack")
    for layer in (*inner.layers, *after.layers):
        layer.trainable = layer.name not in frozen
    x = keras.Input((2,))
    return keras.Model(x, after(inner(x)), name="m")


def in_structure(model):
    """The weights in the order of the layers, which does not depend on what is trainable."""
    inner, after = model.layers[1:]
    return [w for part in (inner, after) for layer in part.layers for w in layer.get_weights()]


WANTED = [
    VALUES[name]
    for owner, parts in [
        *((x, ("kernel", "bias")) for x in "abc"),
        *((x, ("gamma", "beta", "moving_mean", "moving_variance")) for x in ("bn1", "bn2")),
        *((f"stack.{x}", ("kernel", "bias")) for x in ("s1", "s2")),
    ]
    for name in [f"{owner}.{part}" for part in parts]
]


def check(model, wanted=None):
    for found, value in zip(in_structure(model), wanted or WANTED, strict=True):
        np.testing.assert_array_equal(found, value.astype("float32"))


@pytest.mark.parametrize("file", ["none", "some"])
@pytest.mark.parametrize("frozen", [(), ("a", "bn1", "s1"), ("b", "bn2", "s2"), ("c", "bn1")])
def test_weights_of_keras_load_whatever_was_frozen_there_and_is_here(file, frozen):
    model = build(frozen=frozen)
    model.load_weights(FILES / f"{file}.h5")
    check(model)


@pytest.mark.parametrize("file", ["none", "some"])
def test_a_model_of_keras_comes_back_with_what_was_frozen(file):
    model = keras.saving.load_model(FILES / f"{file}.h5")
    check(model)
    assert model.layers[1].get_layer("a").trainable == (file == "none")


@pytest.mark.parametrize("file", ["none", "some"])
@pytest.mark.parametrize("frozen", [False, True])
def test_other_names_are_matched_by_the_order_in_the_config(file, frozen):
    """With automatic names on one side, and with names that have nothing in common."""
    others = [
        build([None] * 3, [None] * 2, [None] * 2),
        build("zyx", ("q", "p"), ("t", "r")),
        build("bca"),  # the same names: the names decide, not the order
    ]
    for model in others:
        model.layers[1].layers[2].trainable = not frozen
        model.load_weights(FILES / f"{file}.h5")
    check(others[0])
    check(others[1])
    first = [w for name in "bca" for w in (VALUES[f"{name}.kernel"], VALUES[f"{name}.bias"])]
    check(others[2], first + WANTED[6:])


@pytest.mark.parametrize("here", [(), ("a",), ("b", "bn1")])
@pytest.mark.parametrize("there", [(), ("a",), ("c", "bn2", "s1")])
def test_an_own_file_loads_whatever_was_frozen(here, there, tmp_path):
    model, other = build(frozen=there), build(frozen=here)
    model.save(tmp_path / "m.h5")
    wanted = in_structure(model)
    for by_name in (False, True):
        other.load_weights(tmp_path / "m.h5", by_name=by_name)
        check(other, wanted)
        other.set_weights([np.zeros(w.shape) for w in other.weights])


def test_shared_layers_get_the_weights_of_their_name(tmp_path):
    def make(frozen):
        shared = keras.layers.Dense(2, name="shared")
        other = keras.layers.Dense(2, name="other")
        parts = []
        for name, order in (("p", (shared, other)), ("q", (other, shared))):
            start = keras.Input((2,))
            parts.append(keras.Model(start, order[1](order[0](start)), name=name))
        (shared if frozen else other).trainable = False
        x = keras.Input((2,))
        return keras.Model(x, parts[1](parts[0](x))), shared, other

    model, *layers = make(True)
    again, *copies = make(False)
    model.save(tmp_path / "m.h5")
    again.load_weights(tmp_path / "m.h5")
    for layer, copy in zip(layers, copies, strict=True):
        np.testing.assert_array_equal(copy.get_weights()[0], layer.get_weights()[0])


def test_weights_of_one_path_keep_their_numbers(tmp_path):
    """Two layers of one path: the numbers in the file do not depend on what is trainable."""

    class Pair(keras.layers.Layer):
        def __init__(self, first=True, **kwargs):
            super().__init__(**kwargs)
            self.one, self.two = (keras.layers.Dense(2, name="d") for _ in "ab")
            self.one.trainable = first

        def call(self, x):
            return self.two(self.one(x))

    models = [keras.Sequential([keras.Input((2,)), Pair(first, name="p")]) for first in (1, 0)]
    models[0].save(tmp_path / "m.h5")
    models[1].load_weights(tmp_path / "m.h5")
    for part in ("one", "two"):
        a, b = (getattr(m.layers[0], part).get_weights()[0] for m in models)
        np.testing.assert_array_equal(b, a)


def weights_file(path, layer, names, shape=(2,)):
    """A file of weights alone, of one layer, each filled with its own number."""
    group, values = layer, np.arange(len(names), dtype="float32")
    datasets = {f"{group}/{n}": np.full(shape, v) for n, v in zip(names, values, strict=True)}
    attributes = {"": {"layer_names": [layer]}, group: {"weight_names": names}}
    path.write_bytes(hdf5_bytes(datasets, attributes))
    return path


class Three(keras.layers.Layer):
    """Three layers with one weight each."""

    def __init__(self, names=(None, None, None), **kwargs):
        super().__init__(**kwargs)
        self.parts = [keras.layers.Dense(2, use_bias=False, name=n) for n in names]

    def build(self, shape):
        for part in self.parts:
            with keras.name_scope(part.name):
                part.kernel = part.add_weight((2,), name="kernel")
            part.built = True
        self.built = True


class Holder(keras.Model):
    def __init__(self, names=(None, None, None)):
        super().__init__()
        self.part = Three(names, name="t")
        self.part.build((None, 2))
        self.built = True


def firsts(model):
    return [w[0] for w in model.part.get_weights()]


def test_without_a_config_numbers_and_order_must_agree(tmp_path):
    """`d_4, d_5, d_3` is the order of frozen layers, or of layers made in another order."""
    path = weights_file(tmp_path / "w.h5", "t", ["t/d_3/kernel", "t/d_4/kernel", "t/d_5/kernel"])
    for names in (("d", "d_1", "d_2"), ("d_9", "d_10", "d_11"), ("x", "y", "z")):
        model = Holder(names)
        model.load_weights(path)
        assert firsts(model) == [0, 1, 2]
    moved = weights_file(tmp_path / "v.h5", "t", ["t/d_4/kernel", "t/d_5/kernel", "t/d_3/kernel"])
    model = Holder(("d", "d_1", "d_2"))
    before = firsts(model)
    with pytest.raises(
        ModelFileError, match=r"(?s)layer 't'.*d_3.*fix: +give the layers the names"
    ):
        model.load_weights(moved)
    assert firsts(model) == before
    model.part.parts[0].trainable = False  # as there: order and numbers agree
    model.load_weights(moved)
    assert [p.get_weights()[0][0] for p in model.part.parts] == [2, 0, 1]
    named = Holder(("d_3", "d_4", "d_5"))
    named.load_weights(moved)
    assert firsts(named) == [2, 0, 1]


def test_the_names_of_keras_2_end_in_a_number(tmp_path):
    names = ["t/d_2/kernel:0", "t/d_1/kernel:0", "t/d/kernel:0"]
    model = Holder(("d", "d_1", "d_2"))
    model.load_weights(weights_file(tmp_path / "w.h5", "t", names))
    assert firsts(model) == [2, 1, 0]


def test_a_layer_inside_that_does_not_fit_is_skipped_alone(tmp_path):
    wanted = build(frozen=("a",))
    wanted.save(tmp_path / "m.h5")
    with pytest.raises(ModelFileError, match="number"):
        build("ab").load_weights(tmp_path / "m.h5")
    shorter = build("ab")
    with pytest.warns(UserWarning, match=r"not loaded: inner \(the number of weights differs"):
        shorter.load_weights(tmp_path / "m.h5", skip_mismatch=True)
    for name in "ab":
        a, b = (m.layers[1].get_layer(name).get_weights()[0] for m in (wanted, shorter))
        np.testing.assert_array_equal(a, b)


def test_the_state_of_an_optimizer_is_found_by_name(tmp_path):
    model = build()
    model.compile("adam", "mse")
    model.optimizer.build(model.trainable_variables)
    for i, variable in enumerate(model.optimizer.variables):
        variable.assign(variable + i)
    model.save(tmp_path / "m.h5")
    again = keras.saving.load_model(tmp_path / "m.h5")
    for a, b in zip(model.optimizer.variables, again.optimizer.variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())

"""KerasFileEditor: what is in a file of weights, how it differs from a model, and changes."""

import io

import numpy as np
import pytest
from hdf5_files import hdf5_bytes
from rich.console import Console

import keras_fn as keras
from keras_fn.saving.errors import ModelFileError
from keras_fn.version import KERAS_VERSION

EDITOR = keras.saving.KerasFileEditor


def make(units=1, name="m"):
    """A model with a nested one, and a layer with one inside."""
    inner = keras.Sequential([keras.Input((4, 3)), keras.layers.Dense(2, name="in")], name="inner")
    x = keras.Input((4, 3))
    rnn = keras.layers.SimpleRNN(2, name="rec")(inner(x))
    return keras.Model(x, keras.layers.Dense(units, name="head")(rnn), name=name)


@pytest.fixture
def saved(tmp_path):
    one = make()
    one.save_weights(tmp_path / "m.weights.h5")
    return one, tmp_path / "m.weights.h5"


def printed(editor, call):
    editor.console = Console(file=io.StringIO(), highlight=False, width=60)
    call()
    return editor.console.file.getvalue()


def test_every_weight_is_in_the_tree_and_the_summary(saved):
    one, path = saved
    editor = EDITOR(path)
    layers = editor.weights_dict["layers"]
    assert list(layers) == ["dense", "sequential", "simple_rnn"]
    np.testing.assert_array_equal(
        layers["sequential"]["layers"]["dense"]["0"],
        one.get_layer("inner").layers[0].kernel.numpy(),
    )
    assert set(layers["simple_rnn"]["cell"]) >= {"0", "1", "2"}
    assert editor.object_metadata["/layers/dense"] == {"name": "head"}
    assert editor.config is None and editor.metadata is None
    text = printed(editor, editor.summary)
    assert "Weights structure" in text and "├─ dense ('head')" in text
    assert "0: shape=(3, 2), dtype=float32" in text


def test_a_zip_archive_and_a_folder_have_a_config_too(tmp_path, capsys):
    one = make()
    one.save(tmp_path / "m.keras")
    one.save(tmp_path / "m", zipped=False)
    for path in (tmp_path / "m.keras", str(tmp_path / "m")):
        editor = EDITOR(path)
        assert editor.config["class_name"] == "Functional"
        assert editor.metadata["keras_version"] == KERAS_VERSION
        assert f"Saved with Keras {KERAS_VERSION}" in capsys.readouterr().out


def test_comparison_with_the_model_of_the_file_and_with_others(saved):
    one, path = saved
    editor = EDITOR(path)
    count = len(one.weights) + 1  # the state of a seed generator
    assert editor.compare(one) == {"status": "success", "error_count": 0, "match_count": count}
    result = {}
    text = printed(editor, lambda: result.update(editor.compare(make(3))))
    assert result == {"status": "error", "error_count": 2, "match_count": count - 2}
    assert "/layers/dense/0" in text and "shape (2, 3)" in text and "shape (2, 1)" in text
    x = keras.Input((3,))
    other = keras.Model(x, keras.layers.EinsumDense("ab,bc->ac", 2)(x))
    text = printed(editor, lambda: result.update(editor.compare(other)))
    assert result == {"status": "error", "error_count": 4, "match_count": 0}
    assert "/layers/einsum_dense" in text and "an object with 0" in text and "nothing" in text
    with pytest.raises(ModelFileError, match="not built"):
        editor.compare(keras.Sequential([keras.layers.Dense(1)]))


def test_weights_of_the_model_itself_and_an_optimizer_are_compared(tmp_path):
    class Scaled(keras.Model):
        def build(self, shape):
            self.w = self.add_weight(shape=(3,), name="w")

        def call(self, x):
            return x * self.w

    one = Scaled()
    one.compile("adam", "mse")
    one.fit(np.ones((2, 3)), np.ones((2, 3)), verbose=0)
    one.save_weights(tmp_path / "m.weights.h5")
    editor = EDITOR(tmp_path / "m.weights.h5")
    assert editor.compare(one)["status"] == "success"
    assert list(editor.weights_dict["optimizer"]) == ["0", "1", "2", "3"]
    editor.save(tmp_path / "again.weights.h5")
    assert EDITOR(tmp_path / "again.weights.h5").compare(one)["status"] == "success"


def test_a_file_that_is_saved_again_is_the_same(saved, tmp_path):
    one, path = saved
    editor = EDITOR(path)
    for save in (editor.save, editor.resave_weights):
        save(tmp_path / "again.weights.h5")
        again = EDITOR(tmp_path / "again.weights.h5")
        assert again.object_metadata == editor.object_metadata
        other = make()
        other.load_weights(tmp_path / "again.weights.h5")
        for a, b in zip(one.weights, other.weights, strict=True):
            np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_a_layer_that_changed_its_class_gets_the_old_weights(saved, tmp_path):
    one, path = saved
    editor = EDITOR(path)
    editor.rename_object("simple_rnn", "rnn")
    assert editor.object_metadata["/layers/rnn/cell"]["name"] == "simple_rnn_cell"
    x = keras.Input((4, 3))
    inner = keras.Sequential([keras.Input((4, 3)), keras.layers.Dense(2)])
    y = keras.layers.RNN(keras.layers.SimpleRNNCell(2))(inner(x))
    other = keras.Model(x, keras.layers.Dense(1)(y))
    assert editor.compare(other)["status"] == "success"
    editor.save(tmp_path / "new.weights.h5")
    other.load_weights(tmp_path / "new.weights.h5")
    data = np.ones((2, 4, 3), "float32")
    np.testing.assert_allclose(other.predict(data, verbose=0), one.predict(data, verbose=0), 1e-6)


def test_objects_and_weights_come_and_go(saved):
    editor = EDITOR(saved[1])
    editor.delete_object("layers/sequential")
    assert "/layers/sequential/layers/dense" not in editor.object_metadata
    editor.add_object("layers/dense_1", {"0": np.ones((2, 2)), "1": keras.ops.zeros(2)})
    editor.add_object("head", {"0": [1.0, 2.0]})
    editor.delete_weight("dense_1", "1")
    editor.add_weights("/layers/dense_1", {"2": np.int32(3)})
    editor.add_weights("dense_1", {"0": np.zeros((2, 2))})
    tree = editor.weights_dict
    assert set(tree["layers"]) == {"dense", "simple_rnn", "dense_1"}
    assert {k: v.shape for k, v in tree["layers"]["dense_1"].items()} == {"0": (2, 2), "2": ()}
    assert not tree["layers"]["dense_1"]["0"].any() and tree["head"]["0"].tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    "call, said",
    [
        (lambda e: e.delete_object("layers/dens"), r"did you mean 'layers/dense'"),
        (lambda e: e.delete_object("simplernn"), "did you mean 'simple_rnn'"),
        (lambda e: e.delete_object("dense"), "layers/dense, layers/sequential/layers/dense"),
        (lambda e: e.delete_object("0"), "in the file"),
        (lambda e: e.rename_object("simple_rnn", "a/b"), "the last part of a path"),
        (lambda e: e.rename_object("simple_rnn", "sequential"), "a name that is free"),
        (lambda e: e.rename_object("simple_rnn", ".."), "not allowed"),
        (lambda e: e.add_object("layer/dense_9", {"0": 1.0}), "did you mean"),
        (lambda e: e.add_object("layers/x", [1.0]), "dict of arrays"),
        (lambda e: e.add_object("layers/x", {"0": "text"}), "array of numbers"),
        (lambda e: e.add_object("layers/x", {"0": [[1], [1, 2]]}), "array of numbers"),
        (lambda e: e.add_weights("cell", {"a/b": 1.0}), "not allowed"),
        (lambda e: e.add_weights("cells", {}), "did you mean 'cell'"),
        (lambda e: e.delete_weight("cell", "7"), "0, 1, 2"),
        (lambda e: e.delete_weight("simple_rnn", "cell"), "it has none"),
        (lambda e: e.save("weights.h5x"), r"ends in \.weights\.h5"),
    ],
)  # fmt: skip
def test_wrong_names_are_errors_that_say_what_is_near(saved, call, said):
    editor = EDITOR(saved[1])
    before = dict(editor.weights_dict["layers"])
    with pytest.raises(ValueError, match=said) as error:
        call(editor)
    assert "fix:" in str(error.value)
    assert editor.weights_dict["layers"] == before


def test_files_of_other_kinds(tmp_path):
    (tmp_path / "x.weights.h5").write_bytes(b"something else")
    with pytest.raises(ModelFileError, match="not a file of weights"):
        EDITOR(tmp_path / "x.weights.h5")
    make().save(tmp_path / "m.h5")
    with pytest.raises(ModelFileError, match="legacy"):
        EDITOR(tmp_path / "m.h5")
    (tmp_path / "two.weights.h5").write_bytes(
        hdf5_bytes({"a/vars/b": np.ones(2), "a/b/vars/0": np.ones(2)})
    )
    with pytest.raises(ModelFileError, match="the same name"):
        EDITOR(tmp_path / "two.weights.h5")
    (tmp_path / "empty.weights.h5").write_bytes(hdf5_bytes({}))
    assert EDITOR(tmp_path / "empty.weights.h5").weights_dict == {}


def test_names_of_a_file_do_not_style_the_terminal(tmp_path):
    content = hdf5_bytes({"a/vars/[red]0": np.ones(2)}, {"a/vars": {"name": "[blink]\x1b[31mx"}})
    (tmp_path / "m.weights.h5").write_bytes(content)
    editor = EDITOR(tmp_path / "m.weights.h5")
    text = printed(editor, editor.summary)
    assert "[red]0" in text and "[blink]" in text and "\x1b" not in text

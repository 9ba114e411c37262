"""Assets: files that a layer writes into a folder, as Keras gives it."""

import io
import os
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

import keras_fn as keras
from keras_fn.saving.archive import read_archive, write_archive
from keras_fn.saving.errors import ModelFileError


@keras.saving.register_keras_serializable("tests")
class Vocabulary(keras.layers.Layer):
    """A layer with files: one in its folder, one in a folder below."""

    def __init__(self, words=(), **kwargs):
        super().__init__(**kwargs)
        self.words = list(words)

    def call(self, x):
        return x * float(len(self.words))

    def get_config(self):
        return super().get_config()

    def save_assets(self, inner_path):
        folder = Path(inner_path)
        (folder / "words.txt").write_text("\n".join(self.words))
        (folder / "more").mkdir()
        (folder / "more" / "count.bin").write_bytes(bytes([len(self.words)]))

    def load_assets(self, inner_path):
        assert isinstance(inner_path, str) and os.path.isdir(inner_path)
        folder = Path(inner_path)
        self.words = (folder / "words.txt").read_text().split("\n")
        assert (folder / "more" / "count.bin").read_bytes() == bytes([len(self.words)])


def model_with(*layers):
    inner = keras.Sequential([keras.Input((2,)), *layers[1:]], name="inner")
    return keras.Sequential([keras.Input((2,)), layers[0], inner])


def saved(model):
    file = io.BytesIO()
    keras.saving.save_model(model, file)
    return file.getvalue()


def test_layers_write_into_their_folder_and_read_it():
    data = saved(model_with(Vocabulary("ab"), Vocabulary("cde"), keras.layers.Dense(2)))
    names = zipfile.ZipFile(io.BytesIO(data)).namelist()
    assert "assets/layers/vocabulary/words.txt" in names
    assert "assets/layers/sequential/layers/vocabulary/more/count.bin" in names
    again = keras.saving.load_model(io.BytesIO(data))
    assert again.layers[0].words == ["a", "b"]
    assert again.layers[1].layers[0].words == ["c", "d", "e"]
    x = np.ones((1, 2), "float32")
    wanted = again.layers[1].layers[1](x * 6)
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(again(x)), keras.ops.convert_to_numpy(wanted), rtol=1e-6
    )


def test_a_model_itself_can_have_assets():
    @keras.saving.register_keras_serializable("tests")
    class Labeled(keras.Sequential):
        labels = ("none",)

        def save_assets(self, inner_path):
            Path(inner_path, "labels.txt").write_text(" ".join(self.labels))

        def load_assets(self, inner_path):
            self.labels = tuple(Path(inner_path, "labels.txt").read_text().split())

    model = Labeled([keras.Input((2,)), Vocabulary("ab")])
    model.labels = ("cat", "dog")
    again = keras.saving.load_model(io.BytesIO(saved(model)))
    assert again.labels == ("cat", "dog") and again.layers[0].words == ["a", "b"]


def test_the_folders_are_removed(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    data = saved(model_with(Vocabulary("ab")))
    keras.saving.load_model(io.BytesIO(data))
    assert list(tmp_path.iterdir()) == []


def test_a_link_is_refused():
    class Linked(keras.layers.Layer):
        def call(self, x):
            return x

        def save_assets(self, inner_path):
            os.symlink("/etc/passwd", os.path.join(inner_path, "words.txt"))

    with pytest.raises(ModelFileError, match="not a regular file"):
        saved(keras.Sequential([keras.Input((2,)), Linked()]))


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("layers/vocabulary/more/../../words.txt", "not allowed"),
        ("layers/vocabulary/words.txt/x", "also the folder"),
        ("layers/other/words.txt", "of no layer"),
        ("stray.txt", "of no layer"),
    ],
)
def test_assets_elsewhere_are_refused_and_nothing_is_written(path, message, tmp_path, monkeypatch):
    archive = read_archive(io.BytesIO(saved(model_with(Vocabulary("ab")))))
    members = {f"assets/{name}": content for name, content in archive.assets.items()}
    members |= {"config.json": archive.config, "model.weights.h5": archive.weights.read()}
    file = io.BytesIO()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(ModelFileError, match=message):
        write_archive(file, {**members, f"assets/{path}": b"x"})
        keras.saving.load_model(file)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("name", "format"), [("m.keras", "keras"), ("m.h5", "h5")])
def test_save_format_is_taken_with_a_warning_in_the_log(name, format, tmp_path, caplog):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.save(tmp_path / name, save_format=format)
    assert f"save_format='{format}' is deprecated" in caplog.text
    assert ("legacy format" in caplog.text) == (format == "h5")
    again = keras.saving.load_model(tmp_path / name)
    np.testing.assert_array_equal(again.get_weights()[0], model.get_weights()[0])


@pytest.mark.parametrize(
    ("name", "format"), [("m", "keras"), ("m.h5", "keras"), ("m.keras", "h5"), ("m.keras", "tf")]
)
def test_a_save_format_that_is_not_the_paths_is_refused(name, format, tmp_path):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    with pytest.raises(ModelFileError, match=f"save_format='{format}'"):
        model.save(tmp_path / name, save_format=format)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["m.keras", "m.h5", "m.weights.h5", "m.weights.json"])
def test_a_folder_that_is_not_there_is_created(name, tmp_path):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    path = tmp_path / "new" / "inner" / name
    if name.startswith("m.weights"):
        model.save_weights(path, max_shard_size=1 if name.endswith("json") else None)
        model.load_weights(path)
    else:
        model.save(path)
        keras.saving.load_model(path)
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        model.save(tmp_path / "file" / "m.keras")


def test_callbacks_create_their_folders(tmp_path):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    callbacks = [
        keras.callbacks.CSVLogger(tmp_path / "a" / "b" / "log.csv"),
        keras.callbacks.ModelCheckpoint(tmp_path / "c" / "d" / "m.keras"),
        keras.callbacks.ModelCheckpoint(tmp_path / "e" / "m.weights.h5", save_weights_only=True),
        keras.callbacks.BackupAndRestore(tmp_path / "f" / "g", delete_checkpoint=False),
    ]
    model.fit(np.ones((2, 2)), np.ones((2, 1)), epochs=1, verbose=0, callbacks=callbacks)
    for path in ("a/b/log.csv", "c/d/m.keras", "e/m.weights.h5", "f/g"):
        assert (tmp_path / path).exists(), path

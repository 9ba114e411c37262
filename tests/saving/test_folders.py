"""Models saved as folders: the promises of the zip archive, and what Keras writes into one."""

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest

import keras_fn as keras
from keras_fn.saving import folder_writer, keras_folder, keras_format
from keras_fn.saving.errors import ModelFileError, ModelFileTypeError

FILES = {"config.json", "metadata.json", "model.weights.h5"}


def model(units=2):
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(units, name="d")], name="m")


def words():
    layer = keras.layers.StringLookup()
    layer.adapt([["a", "b"], ["a", "c"]])
    x = keras.Input((2,), dtype="string")
    return keras.Model(x, layer(x))


def values(model):
    return [v.numpy() for v in model.weights]


def assert_same(one, other):
    for a, b in zip(values(one), values(other), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.fixture
def saved(tmp_path):
    one = model()
    one.save(tmp_path / "m", zipped=False)
    return one, tmp_path / "m"


def test_a_folder_holds_what_the_zip_archive_holds_and_comes_back(saved):
    one, path = saved
    assert {p.name for p in path.iterdir()} == FILES
    assert_same(keras.saving.load_model(path), one)
    other = model()
    other.load_weights(str(path))
    assert_same(other, one)


def test_training_goes_on_from_a_folder(tmp_path):
    one = model()
    one.compile("adam", "mse")
    one.fit(np.ones((4, 3)), np.ones((4, 2)), verbose=0)
    one.save(tmp_path / "m", zipped=False)
    other = keras.saving.load_model(tmp_path / "m")
    assert int(other.optimizer.iterations.numpy()) == 1 and other.loss == "mse"
    assert keras.saving.load_model(tmp_path / "m", compile=False).optimizer is None


def test_assets_are_files_of_the_folder(tmp_path):
    one = words()
    one.save(tmp_path / "m", zipped=False)
    assert (tmp_path / "m" / "assets").is_dir()
    assert keras.saving.load_model(tmp_path / "m").layers[1].get_vocabulary() == [
        "[UNK]",
        "a",
        "c",
        "b",
    ]


def test_a_second_save_replaces_the_model_and_keeps_other_files(saved):
    _, path = saved
    (path / "README.md").write_text("a card")
    (path / ".git").mkdir()
    (path / ".git" / "HEAD").write_text("ref")
    (path / "link").symlink_to("README.md")
    (path / "assets").mkdir()
    (path / "assets" / "old.txt").write_text("of the old model")
    other = model(5)
    other.save(path, zipped=False)
    assert_same(keras.saving.load_model(path), other)
    assert {p.name for p in path.iterdir()} == FILES | {"README.md", ".git", "link"}
    assert (path / ".git" / "HEAD").read_text() == "ref" and (path / "link").is_symlink()
    assert [p.name for p in path.parent.iterdir()] == ["m"]


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "config.json").write_text("mine")
    with pytest.raises(ModelFileError, match="not a saved model"):
        model().save(tmp_path, zipped=False)
    assert [p.name for p in tmp_path.iterdir()] == ["config.json"]


@pytest.mark.parametrize(
    "path, said", [("m.keras", "zipped=False writes a folder"), ("file", "not a folder")]
)
def test_a_path_that_cannot_be_a_folder(tmp_path, path, said):
    (tmp_path / "file").write_text("")
    with pytest.raises(ModelFileError, match=said):
        model().save(tmp_path / path, zipped=False)


def test_zipped_is_checked(tmp_path, saved):
    one, path = saved
    with pytest.raises(ValueError, match="zipped"):
        one.save(tmp_path / "x", zipped="no")
    with pytest.raises(ModelFileTypeError, match="path of a folder"):
        one.save(io.BytesIO(), zipped=False)
    with pytest.raises(ModelFileError, match="already"):
        one.save(path, zipped=False, overwrite=False)
    with pytest.raises(ModelFileError, match="legacy"):
        one.load_weights(path, by_name=True)


@pytest.mark.parametrize("in_one_step", [True, False])
def test_a_save_that_fails_leaves_the_old_folder(saved, monkeypatch, in_one_step):
    _, path = saved
    if not in_one_step:
        monkeypatch.setattr(folder_writer, "exchange_folders", lambda *paths: False)
    before = {p.name: p.read_bytes() for p in path.iterdir()}
    for name in ("write_parts", "write_with_trailer", "metadata_bytes"):
        with monkeypatch.context() as patch:
            patch.setattr(keras_folder, name, _full)
            with pytest.raises(OSError, match="No space"):
                model(4).save(path, zipped=False)
        assert {p.name: p.read_bytes() for p in path.iterdir()} == before
        assert os.listdir(path.parent) == ["m"]
    other = model(5)
    other.save(path, zipped=False)
    assert_same(keras.saving.load_model(path), other)
    assert os.listdir(path.parent) == ["m"]


def _full(*arguments, **options):
    raise OSError(28, "No space left on device")


def test_an_old_folder_that_a_killed_write_left_aside_is_read_and_put_back(saved):
    one, path = saved
    aside = path.with_name(".m.keras_fn-old")
    path.rename(aside)
    assert_same(keras.saving.load_model(path), one)
    assert aside.exists(), "reading changes nothing"
    other = model(4)
    other.save(path, zipped=False)
    assert_same(keras.saving.load_model(path), other)
    assert os.listdir(path.parent) == ["m"]


KILLED = """
import os, signal, sys
from pathlib import Path
from keras_fn.saving import folder_writer
step = sys.argv[2]
if step == "before":
    folder_writer._replace = lambda *a, **k: os.kill(os.getpid(), signal.SIGKILL)
elif step == "after":
    kill = lambda: os.kill(os.getpid(), signal.SIGKILL)
    folder_writer.sync_directory = lambda d: d.endswith("x") and kill()
else:
    folder_writer.exchange_folders = lambda *a: os.kill(os.getpid(), signal.SIGKILL)
with folder_writer.atomic_folder(sys.argv[1], ["a"]) as folder:
    (folder / "a").write_text("new")
"""


@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize("step, content", [("before", "old"), ("after", "new"), ("during", "old")])
def test_a_killed_save_leaves_a_whole_folder_and_the_next_one_cleans_up(tmp_path, step, content):
    home = tmp_path / "x"
    path = home / "m"
    path.mkdir(parents=True)
    (path / "a").write_text("old")
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(path), step],
        env={**os.environ, "PYTHONPATH": str(root)},
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    assert (path / "a").read_text() == content
    assert len(os.listdir(home)) == 2
    with folder_writer.atomic_folder(path, ["a"]) as folder:
        (folder / "a").write_text("next")
    assert os.listdir(home) == ["m"] and (path / "a").read_text() == "next"


@pytest.mark.parametrize("name", sorted(FILES - {"metadata.json"}))
def test_a_flipped_bit_is_an_error(saved, name):
    _, path = saved
    whole = (path / name).read_bytes()
    steps = {*range(0, len(whole), 97), *range(len(whole) - 32, len(whole))}
    for at in steps:
        data = bytearray(whole)
        data[at] ^= 1
        (path / name).write_bytes(data)
        with pytest.raises(ModelFileError), keras_folder.open_folder(path) as archive:
            keras_format.weights_of(archive)


def test_weights_of_another_save_are_an_error(saved, tmp_path):
    _, path = saved
    model().save(tmp_path / "other", zipped=False)
    shutil.copy(tmp_path / "other" / "model.weights.h5", path)
    with pytest.raises(ModelFileError, match="not what was saved"):
        keras.saving.load_model(path)


def test_a_member_that_is_missing_is_an_error(tmp_path):
    words().save(tmp_path / "m", zipped=False)
    shutil.rmtree(tmp_path / "m" / "assets")
    with pytest.raises(ModelFileError, match="missing"):
        keras.saving.load_model(tmp_path / "m")


def test_a_folder_of_keras_has_no_checksums_and_more_files(saved):
    one, path = saved
    (path / "metadata.json").write_text('{"keras_version": "3.15.1", "date_saved": "x"}')
    (path / "README.md").write_text("# A card")
    (path / "assets").mkdir()
    (path / "assets" / "summary_plot.png").write_bytes(b"a picture that Keras draws for the hub")
    assert_same(keras.saving.load_model(path), one)


def test_what_is_in_a_folder_must_be_files(saved, tmp_path):
    _, path = saved
    secret = tmp_path / "secret"
    secret.write_bytes((path / "config.json").read_bytes())
    (path / "config.json").unlink()
    (path / "config.json").symlink_to(secret)
    with pytest.raises(ModelFileError, match="a link"):
        keras.saving.load_model(path)
    with keras_folder.open_folder(path, links_within=tmp_path) as archive:
        assert archive.config == secret.read_bytes()
    with (
        pytest.raises(ModelFileError, match="a link"),
        keras_folder.open_folder(path, links_within=path),
    ):
        pass
    (path / "config.json").unlink()
    shutil.copy(secret, path / "config.json")
    (path / "assets").symlink_to("/etc")
    with pytest.raises(ModelFileError, match="a link"):
        keras.saving.load_model(path)
    if hasattr(os, "mkfifo"):
        (path / "assets").unlink()
        (path / "assets").mkdir()
        os.mkfifo(path / "assets" / "pipe")
        with pytest.raises(ModelFileError, match="file type 'p'"):
            keras.saving.load_model(path)


@pytest.mark.parametrize("name", ["NUL", "con.txt", "a/Com1.dat", "LPT\u00b9"])
def test_assets_with_names_of_devices_are_refused(saved, name):
    _, path = saved
    asset = path / "assets" / name
    asset.parent.mkdir(parents=True)
    asset.write_text("")
    with pytest.raises(ModelFileError, match="device on Windows"):
        keras.saving.load_model(path)


def test_a_file_with_a_hole_is_not_read(saved):
    _, path = saved
    (path / "assets").mkdir()
    with open(path / "assets" / "huge", "wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(ModelFileError, match="larger than what is stored"):
        keras.saving.load_model(path)


def test_a_folder_without_a_model_is_an_error(tmp_path):
    with pytest.raises(ModelFileError, match="a folder without a model"):
        keras.saving.load_model(tmp_path)
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelFileError, match="there is no member"):
        keras.saving.load_model(tmp_path)


def test_the_same_model_results_in_the_same_bytes(saved, tmp_path):
    one, path = saved
    one.save(tmp_path / "again", zipped=False)
    for name in FILES:
        assert (path / name).read_bytes() == (tmp_path / "again" / name).read_bytes()
    checksums = json.loads((path / "metadata.json").read_text())["keras_fn"]["crc32"]
    assert checksums["config.json"] == f"{zlib.crc32((path / 'config.json').read_bytes()):08x}"


def test_permissions_of_the_old_folder_stay(saved):
    one, path = saved
    path.chmod(0o700)
    one.save(path, zipped=False)
    assert path.stat().st_mode & 0o777 == 0o700
    seen = []
    with folder_writer.atomic_folder(path, []) as folder:
        seen.append(folder.stat().st_mode & 0o777)
    assert seen == [0o700], "others never see what is going to be in it"


def test_the_current_folder_stays_the_current_one(saved, monkeypatch):
    _, path = saved
    other = model(4)
    for inner in (path, path / "notes"):
        inner.mkdir(exist_ok=True)
        monkeypatch.chdir(inner)
        other.save(path, zipped=False)
        assert os.path.samefile(os.getcwd(), inner)
    monkeypatch.chdir(path)
    other.save(".", zipped=False)
    assert_same(keras.saving.load_model("."), other)


def test_two_processes_make_a_folder_at_the_same_time(tmp_path):
    path = tmp_path / "m"
    with folder_writer.atomic_folder(path, ["a"]) as one:
        (one / "a").write_text("one")
        with folder_writer.atomic_folder(path, ["a"]) as other:
            (other / "a").write_text("other")
    assert (path / "a").read_text() == "one" and os.listdir(tmp_path) == ["m"]


def test_a_folder_that_is_replaced_while_it_is_read_is_read_again(saved, monkeypatch):
    _, path = saved
    other, todo, read = model(4), [True], keras_folder._checked_content

    def replace_first(*arguments):
        if todo and todo.pop():
            other.save(path, zipped=False)
        return read(*arguments)

    monkeypatch.setattr(keras_folder, "_checked_content", replace_first)
    assert_same(keras.saving.load_model(path), other)
    assert not todo

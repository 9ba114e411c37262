"""`Model.export`: checks of arguments, errors that name the layer, artifacts as a whole."""

import pytest

import keras_fn as keras
from keras_fn.errors import DTypeError, SpecError
from keras_fn.export import artifact_io, export_api
from keras_fn.export.formats import FORMATS, ExportFormat
from keras_fn.export.requirements import require
from keras_fn.settings import is_installed

L = keras.layers


def dense_model(**arguments) -> keras.Model:
    return keras.Sequential([keras.Input((3,)), L.Dense(2, **arguments)], name="net")


class FakeBackend:
    """The active backend, and a function that exports to a format of the tests."""

    def __init__(self, write):
        self._write = write

    def __getattr__(self, name):
        return getattr(export_api_backend, name)

    def export_fake(self, endpoint, path, **options):
        self._write(endpoint, path, **options)


export_api_backend = export_api.current()


@pytest.fixture
def fake_format(monkeypatch):
    """Adds a format, whose files a given function writes."""

    def add(write):
        row = ExportFormat("fake", "fake program", ".fake", True, ("level",), ("torch",), {})
        monkeypatch.setitem(FORMATS, "fake", row)
        monkeypatch.setattr(export_api, "current", lambda: FakeBackend(write))

    return add


def write_twice(endpoint, path, level=1):
    values = endpoint.call_flat(keras.ops.ones((2, 3)))
    with open(path, "w") as file, open(path + ".data", "w") as more:
        file.write(f"{level} {endpoint.name} {endpoint.name_outputs(values)}")
        more.write("data")


def test_it_writes_all_files_and_says_where(fake_format, tmp_path, capsys):
    fake_format(write_twice)
    path = tmp_path / "new" / "m.fake"
    dense_model(name="head").export(path, "fake", level=3)
    assert path.read_text() == "3 serve ['head']"
    assert (tmp_path / "new" / "m.fake.data").read_text() == "data"
    assert capsys.readouterr().out == f"Saved fake program at {str(path)!r}.\n"
    dense_model(name="tail").export(str(path), format="fake", verbose=False)  # replaces it
    assert path.read_text() == "1 serve ['tail']"
    assert not capsys.readouterr().out


def test_a_failure_leaves_the_old_file(fake_format, tmp_path):
    def fail(endpoint, path):
        with open(path, "w") as file:
            file.write("half")
        raise OSError(28, "No space left on device")

    fake_format(fail)
    path = tmp_path / "m.fake"
    path.write_text("old")
    with pytest.raises(OSError, match="No space left"):
        dense_model().export(path, "fake")
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["m.fake"]


class Odd(L.Layer):
    fails = False

    def call(self, x):
        if self.fails:
            raise RuntimeError("no batch\nmore")
        return x


def test_an_error_names_the_layer_whose_call_raised_it(fake_format, tmp_path):
    is_filtering = keras.config.is_traceback_filtering_enabled()
    fake_format(lambda endpoint, path: endpoint.call_flat(keras.ops.ones((2, 3))))
    inner = keras.Sequential([keras.Input((3,)), Odd(name="odd")], name="inner")
    model = keras.Sequential([keras.Input((3,)), inner, L.Dense(2)], name="net")
    inner.layers[0].fails = True
    with pytest.raises(SpecError, match="Odd layer 'odd': RuntimeError: no batch\n") as info:
        model.export(tmp_path / "m.fake", "fake")
    assert "Sequential model 'net' cannot be exported to 'fake'" in str(info.value)
    assert keras.config.is_traceback_filtering_enabled() == is_filtering


def test_an_error_names_the_first_call_that_fails_alone(fake_format, tmp_path):
    def write(endpoint, path):
        if "Softmax" in endpoint.source or "model" in endpoint.source:
            raise RuntimeError("no such operator")
        write_twice(endpoint, path)

    fake_format(write)
    x = keras.Input((3,))
    model = keras.Model(x, L.Softmax(name="last")(L.Dense(3)(x * 2)))
    with pytest.raises(SpecError, match="Softmax layer 'last': RuntimeError: no such operator"):
        model.export(tmp_path / "m.fake", "fake")


def test_arguments_are_checked_first(fake_format, tmp_path):
    fake_format(write_twice)
    model = dense_model()
    with pytest.raises(SpecError, match="format: 'tf_saved_model' or 'onnx'"):
        model.export(tmp_path / "m.fake", "onxx")
    with pytest.raises(SpecError, match=r"a path that ends in '\.fake'"):
        model.export(tmp_path / "m.onnx", "fake")
    with pytest.raises(DTypeError, match="did you mean level="):
        model.export(tmp_path / "m.fake", "fake", levle=1)
    assert not list(tmp_path.iterdir())


def test_a_format_of_another_backend_needs_its_framework(tmp_path):
    for row in FORMATS.values():
        if row.rebuilt_on and not is_installed(row.rebuilt_on):
            with pytest.raises(ImportError, match=f"pip install.* {row.rebuilt_on}"):
                dense_model().export(tmp_path / f"m{row.suffix}", row.name)


def test_an_option_of_another_backend_is_refused(tmp_path, monkeypatch):
    backend = "torch" if keras.backend.backend() == "jax" else "jax"
    monkeypatch.setitem(
        FORMATS, "onnx", FORMATS["onnx"]._replace(options_of={"opset_version": backend})
    )
    with pytest.raises(SpecError, match=f"opset_version= on the {backend} backend only"):
        dense_model().export(tmp_path / "m.onnx", "onnx", opset_version=18)


def test_a_library_that_is_missing_is_named():
    with pytest.raises(ImportError, match="pip install no-such-thing"):
        require({"no_such_thing": "no-such-thing", "numpy": "numpy"}, "it", "a file")


# ---------------------------------------------------------------- folders


def write_folder(path, content="new"):
    def write(folder):
        with open(f"{folder}/marker.txt", "w") as file:
            file.write(content)

    artifact_io.write_folder(path, write, "marker.txt")


def test_a_folder_replaces_one_of_its_kind_alone(tmp_path):
    path = tmp_path / "out"
    write_folder(path, "1")
    (path / "left over").write_text("x")
    write_folder(path, "2")
    assert [p.name for p in path.iterdir()] == ["marker.txt"]
    assert (path / "marker.txt").read_text() == "2"
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.txt").write_text("x")
    with pytest.raises(SpecError, match="a folder with other files"):
        write_folder(other)
    with pytest.raises(SpecError, match="received: a file"):
        write_folder(other / "thesis.txt")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["other", "out"]


def test_a_folder_that_cannot_be_written_leaves_the_old_one(tmp_path):
    path = tmp_path / "out"
    write_folder(path, "old")

    def fail(folder):
        raise RuntimeError("full")

    with pytest.raises(RuntimeError, match="full"):
        artifact_io.write_folder(path, fail, "marker.txt")
    assert (path / "marker.txt").read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1

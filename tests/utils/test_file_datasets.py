"""Data sets of images, texts and sounds in directories, of each format that is installed."""

import shutil
import sys
import wave
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import keras_fn as keras
from keras_fn import layers, utils
from keras_fn.errors import DTypeError, SpecError
from keras_fn.utils import tf_dataset

FORMATS = ["keras", *(["tf"] if tf_dataset.is_available() else [])]
COLORS = {"bee": (250, 240, 0), "ant": (40, 20, 10)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("files")
    for name, color in COLORS.items():
        for kind in ("images", "texts", "sounds"):
            (root / kind / name / "nested").mkdir(parents=True)
        for index in range(6):
            place = "nested/" if index == 3 else ""
            image = Image.new("RGB", (10 + index, 8), color)
            image.save(root / "images" / name / f"{place}{index}.{'jpg' if index % 2 else 'png'}")
            text = root / "texts" / name / f"{place}{index}.txt"
            text.write_text(f"{name} né {index}\r\n", encoding="utf-8", newline="")
            with wave.open(str(root / "sounds" / name / f"{place}{index}.wav"), "wb") as file:
                file.setparams((1, 2, 8000, 0, "NONE", ""))
                file.writeframes(np.full(10 + index, 2**13, "<i2").tobytes())
    (root / "texts" / "ant" / "ignored.md").write_text("no text file")
    return root


def images(folder, **options):
    options = {"image_size": (4, 6), "batch_size": 5, "seed": 1, "verbose": False} | options
    return utils.image_dataset_from_directory(folder / "images", **options)


def texts(folder, **options):
    options = {"batch_size": 5, "seed": 1, "verbose": False} | options
    return utils.text_dataset_from_directory(folder / "texts", **options)


def sounds(folder, **options):
    options = {"batch_size": 5, "seed": 1, "verbose": False} | options
    return utils.audio_dataset_from_directory(folder / "sounds", **options)


def to_numpy(part):
    part = np.asarray(part.numpy() if hasattr(part, "numpy") else part)
    if part.dtype != object:
        return part
    return np.array([x.decode() if isinstance(x, bytes) else x for x in part], object)


def batches(data):
    return [tuple(map(to_numpy, b)) if isinstance(b, tuple) else to_numpy(b) for b in data]


@pytest.mark.parametrize("fmt", FORMATS)
def test_images_and_their_labels(folder, fmt):
    data = images(folder, format=fmt)
    assert list(data.class_names) == ["ant", "bee"] and len(data.file_paths) == 12
    found = batches(data)
    assert [x.shape for x, y in found] == [(5, 4, 6, 3), (5, 4, 6, 3), (2, 4, 6, 3)]
    for x, y in found:
        assert x.dtype == "float32" and y.dtype == "int32"
        colors = np.array([COLORS[data.class_names[label]] for label in y])
        np.testing.assert_allclose(x, colors[:, None, None] + np.zeros((4, 6, 3)), atol=4)


@pytest.mark.parametrize("fmt", FORMATS)
@pytest.mark.parametrize(
    ("options", "shape"),
    [
        ({"color_mode": "grayscale"}, (5, 4, 6, 1)),
        ({"color_mode": "rgba", "crop_to_aspect_ratio": True}, (5, 4, 6, 4)),
        ({"data_format": "channels_first"}, (5, 3, 4, 6)),
        ({"pad_to_aspect_ratio": True, "image_size": (4, 20)}, (5, 4, 20, 3)),
        ({"image_size": 5}, (5, 5, 5, 3)),
        ({"batch_size": None}, (4, 6, 3)),
    ],
)
def test_options_of_images(folder, fmt, options, shape):
    data = images(folder, labels=None, format=fmt, **options)
    assert data.class_names is None
    first = batches(data)[0]
    assert first.shape == shape and first.dtype == "float32"
    if "pad_to_aspect_ratio" in options:
        assert not first[:, :, [0, -1]].any() and first[:, :, 10].any(-1).all()
    if options.get("color_mode") == "rgba":
        assert (first[..., 3] == 255).all()


@pytest.mark.skipif(len(FORMATS) < 2, reason="TensorFlow is not installed")
@pytest.mark.parametrize("make", [images, texts, sounds])
@pytest.mark.parametrize("shuffle", [True, False])
def test_both_formats_yield_the_same_batches(folder, make, shuffle):
    ours, theirs = (make(folder, shuffle=shuffle, format=fmt) for fmt in FORMATS)
    for _ in range(2):
        for a, b in zip(batches(ours), batches(theirs), strict=True):
            for x, y in zip(a, b, strict=True):
                assert x.shape == y.shape and x.dtype == y.dtype
                if x.dtype == object:
                    assert x.tolist() == y.tolist()
                else:
                    np.testing.assert_allclose(x, y, atol=1e-3)


def test_without_tensorflow_a_keras_dataset_is_returned(folder, monkeypatch):
    monkeypatch.setattr(tf_dataset, "is_available", lambda: False)
    assert isinstance(images(folder, format="tf"), utils.Dataset)
    monkeypatch.undo()
    if tf_dataset.is_available():
        assert not isinstance(images(folder), utils.Dataset)


@pytest.mark.parametrize("fmt", FORMATS)
def test_labels(folder, fmt):
    ants_last = texts(folder, class_names=["bee", "ant"], shuffle=False, format=fmt)
    assert [int(y) for _, y in batches(ants_last.unbatch())] == [0] * 6 + [1] * 6
    (_, y), *_ = batches(texts(folder, label_mode="categorical", shuffle=False, format=fmt))
    assert y.dtype == "float32" and y.tolist() == [[1, 0]] * 5
    (_, y), *_ = batches(texts(folder, label_mode="binary", shuffle=False, format=fmt))
    assert y.dtype == "float32" and y.tolist() == [[0]] * 5
    given = [5, 7] * 6
    data = texts(folder, labels=given, shuffle=True, format=fmt)
    paths = texts(folder, labels=None, shuffle=False).file_paths
    assert list(data.class_names) == ["5", "7"] and given == [5, 7] * 6
    by_text = {x: y for batch in batches(data) for x, y in zip(*batch, strict=True)}
    wanted = {Path(path).read_bytes().decode(): y for path, y in zip(paths, given, strict=True)}
    assert by_text == wanted
    assert isinstance(batches(texts(folder, label_mode=None, format=fmt))[0], np.ndarray)


def test_the_order_of_files_is_that_of_numpy_for_the_seed(folder):
    sorted_paths = texts(folder, shuffle=False).file_paths
    assert [Path(p).relative_to(folder / "texts").as_posix() for p in sorted_paths[:6]] == [
        "ant/0.txt", "ant/1.txt", "ant/2.txt", "ant/4.txt", "ant/5.txt", "ant/nested/3.txt"
    ]  # fmt: skip
    wanted = list(sorted_paths)
    np.random.RandomState(1).shuffle(wanted)
    assert list(texts(folder).file_paths) == wanted


def test_splits_share_no_file(folder):
    options = {"validation_split": 0.25, "subset": "both"}
    train, validation = texts(folder, **options)
    assert (len(train.file_paths), len(validation.file_paths)) == (9, 3)
    assert set(train.file_paths).isdisjoint(validation.file_paths)
    for subset, part in (("training", train), ("validation", validation)):
        alone = texts(folder, **(options | {"subset": subset}))
        assert list(alone.file_paths) == list(part.file_paths)
    assert texts(folder, format="keras", **options)[1].shuffle is not None


@pytest.mark.parametrize("fmt", FORMATS)
def test_texts(folder, fmt):
    found = batches(texts(folder, labels=None, shuffle=False, format=fmt))
    assert found[0].dtype == object and found[0][0] == "ant né 0\r\n"
    short = batches(texts(folder, labels=None, shuffle=False, max_length=6, format=fmt))
    assert short[0][0] == "ant né"


@pytest.mark.parametrize("fmt", FORMATS)
def test_sounds(folder, fmt):
    options = {"labels": None, "shuffle": False, "batch_size": 6, "format": fmt}
    padded = batches(sounds(folder, **options))[0]
    assert padded.shape == (6, 15, 1) and padded.dtype == "float32"
    assert padded[0, 9, 0] == 0.25 and not padded[0, 10:].any()
    cut = batches(sounds(folder, output_sequence_length=12, **options))[0]
    np.testing.assert_array_equal(cut, padded[:, :12])
    faster = batches(sounds(folder, sampling_rate=16000, **options))[0]
    assert faster.shape == (6, 30, 1)
    both = sounds(folder, sampling_rate=16000, output_sequence_length=8, **options)
    assert batches(both)[0].shape == (6, 8, 1)
    (ragged, *_) = sounds(folder, ragged=True, **options)
    assert sorted(len(list(sample)) for sample in ragged) == [10, 11, 12, 13, 14, 15]


def test_a_directory_feeds_fit_evaluate_predict_and_adapt(folder):
    data = images(folder, format="keras", batch_size=4)
    model = keras.Sequential(
        [layers.Input((4, 6, 3)), layers.Rescaling(1 / 255), layers.Flatten(), layers.Dense(2)]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.1), loss, metrics=["accuracy"])
    model.fit(data, epochs=4, verbose=0)
    assert model.evaluate(data, verbose=0)[1] == 1.0
    assert model.predict(data, verbose=0).shape == (12, 2)
    vectorize = layers.TextVectorization()
    vectorize.adapt(texts(folder, format="keras").map(lambda x, y: x))
    assert {"ant", "bee"} < set(vectorize.get_vocabulary())


def test_grain(folder):
    grain = pytest.importorskip("grain")
    data = images(folder, format="grain", shuffle=False)
    assert isinstance(data, grain.IterDataset) and data.class_names == ["ant", "bee"]
    ours = images(folder, format="keras", shuffle=False)
    for a, b in zip(batches(data), batches(ours), strict=True):
        np.testing.assert_array_equal(a[0], b[0])
        np.testing.assert_array_equal(a[1], b[1])
    assert len(list(texts(folder, format="grain", batch_size=None))) == 12


# ---------------------------------------------------------------- bad input


@pytest.fixture
def broken(folder, tmp_path) -> Path:
    """Unreadable files among the others, and an empty class."""
    shutil.copytree(folder, tmp_path / "files")
    root = tmp_path / "files"
    whole = (root / "images/bee/1.jpg").read_bytes()
    (root / "images/bee/1.jpg").write_bytes(whole[: len(whole) // 2])
    (root / "images/bee/2.png").write_text("no image")
    (root / "texts/bee/1.txt").write_bytes(b"\xff\xfe\x80")
    (root / "sounds/bee/1.wav").write_bytes(b"RIFF")
    return root


@pytest.mark.parametrize(
    ("make", "name"), [(images, "bee/1.jpg"), (texts, "bee/1.txt"), (sounds, "bee/1.wav")]
)
def test_an_unreadable_file_is_named(broken, make, name):
    (broken / "images/bee/2.png").unlink()
    with pytest.raises(SpecError, match=name):
        list(make(broken, format="keras"))


@pytest.mark.skipif(len(FORMATS) < 2, reason="TensorFlow is not installed")
def test_an_unreadable_sound_is_named_by_tensorflow(broken):
    with pytest.raises(Exception, match=r"bee/1\.wav"):
        list(sounds(broken, format="tf"))


def test_unreadable_files_are_skipped_and_counted(broken):
    data = images(broken, on_error="skip", shuffle=False, format="keras", batch_size=4)
    with pytest.warns(UserWarning, match="left out: 2"):
        found = batches(data)
    assert [len(y) for _, y in found] == [4, 3, 3]
    assert [Path(path).name for path in data.skipped_files] == ["1.jpg", "2.png"]
    assert "truncated" in next(iter(data.skipped_files.values())).lower()
    assert len(batches(data)) == 3  # it has warned of them
    single = images(broken, on_error="skip", batch_size=1, format="keras")
    with pytest.warns(UserWarning, match="left out"):
        assert len(list(single)) == 10


@pytest.mark.skipif(len(FORMATS) < 2, reason="TensorFlow is not installed")
def test_tensorflow_skips_the_same(broken):
    def labels(fmt, batch_size):
        data = images(broken, on_error="skip", format=fmt, batch_size=batch_size)
        return [np.asarray(y).tolist() for _, y in data]

    for batch_size in (4, None):
        with pytest.warns(UserWarning, match="left out"):
            wanted = labels("keras", batch_size)
        assert labels("tf", batch_size) == wanted


def test_a_class_without_files_is_an_error_that_names_it(folder, tmp_path):
    shutil.copytree(folder / "texts", tmp_path / "texts")
    (tmp_path / "texts" / "cat").mkdir()
    with pytest.raises(SpecError, match="cat"):
        texts(tmp_path)
    assert texts(tmp_path, class_names=["ant"]).class_names == ["ant"]
    assert texts(tmp_path, on_error="skip").class_names == ["ant", "bee", "cat"]


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"class_names": ["ant", "be"]}, "did you mean 'bee'"),
        ({"class_names": ["ant", "ant"]}, "twice"),
        ({"labels": [0, 1]}, "12 labels"),
        ({"labels": None, "class_names": ["ant"]}, "class_names"),
        ({"labels": [0] * 12, "class_names": ["ant"]}, "class_names"),
        ({"labels": "guessed"}, "labels"),
        ({"labels": [2] * 12, "label_mode": "categorical"}, "from 0"),
        ({"label_mode": "one_hot"}, "label_mode"),
        ({"label_mode": "binary", "class_names": ["ant"]}, "two classes"),
        ({"batch_size": 0}, "batch_size"),
        ({"workers": 0}, "workers"),
        ({"format": "torch"}, "format"),
        ({"on_error": "ignore"}, "on_error"),
        ({"validation_split": 1.5, "subset": "both"}, "between 0 and 1"),
        ({"validation_split": 0.5}, "both or neither"),
        ({"subset": "training"}, "both or neither"),
        ({"subset": "test", "validation_split": 0.5}, "subset"),
        ({"subset": "training", "validation_split": 0.5, "seed": None}, "a seed"),
        ({"subset": "validation", "validation_split": 0.01}, "at least one file"),
        ({"max_length": 0}, "max_length"),
    ],
)
def test_arguments_are_checked(folder, options, text):
    with pytest.raises(SpecError, match=text):
        texts(folder, **options)


def test_arguments_of_images_and_sounds_are_checked(folder):
    for options in (
        {"color_mode": "bgr"},
        {"image_size": (4,)},
        {"image_size": None},
        {"interpolation": "cubic"},
        {"interpolation": None},
        {"crop_to_aspect_ratio": True, "pad_to_aspect_ratio": True},
        {"data_format": "nchw"},
    ):
        with pytest.raises(ValueError):
            images(folder, **options)
    for options in ({"sampling_rate": 1.5}, {"ragged": True, "output_sequence_length": 3}):
        with pytest.raises(SpecError):
            sounds(folder, **options)
    with pytest.raises(DTypeError, match="class indices"):
        texts(folder, labels=["ant"] * 12)


def test_a_directory_is_a_path_of_any_kind(folder):
    for path in (folder / "texts", str(folder / "texts"), str(folder / "texts").encode()):
        assert len(utils.text_dataset_from_directory(path, verbose=False).file_paths) == 12


def test_a_directory_that_is_missing_or_has_no_class(folder, tmp_path):
    for path in (tmp_path / "none", folder / "texts/ant/0.txt"):
        with pytest.raises(SpecError, match="directory"):
            utils.text_dataset_from_directory(path)
    with pytest.raises(SpecError, match="folder for each class"):
        utils.text_dataset_from_directory(tmp_path)
    with pytest.raises(SpecError, match="at least one file"):
        utils.text_dataset_from_directory(tmp_path, labels=None)


def test_links_are_followed_on_request(folder, tmp_path):
    (tmp_path / "texts/ant").mkdir(parents=True)
    (tmp_path / "texts/ant/own.txt").write_text("text")
    (tmp_path / "texts/ant/linked").symlink_to(folder / "texts/ant", target_is_directory=True)
    assert len(texts(tmp_path).file_paths) == 1
    assert len(texts(tmp_path, follow_links=True).file_paths) == 7


def test_numbers_of_files_are_printed(folder, capsys):
    texts(folder, verbose=True, validation_split=0.25, subset="both")
    lines = capsys.readouterr().out.splitlines()
    assert lines == ["12 files in 2 classes", "training: 9 files", "validation: 3 files"]
    texts(folder)
    assert capsys.readouterr().out == ""


def test_without_pillow_an_error_names_the_extra(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    with pytest.raises(ImportError, match=r"keras-fn\[image\]"):
        images(folder, format="keras", on_error="skip")

"""Data sets of directories and time series, and images as files, next to real Keras.

`nox -s "parity(tensorflow)"` runs it: Keras's data sets are those of `tf.data`. Compared are files,
labels, splits and batches of two passes, of each format of ours.
"""

import itertools
import random
import wave
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from real_keras import keras

import keras_fn
from keras_fn.data_adapters import dataset as dataset_module

if keras.config.backend() != "tensorflow":
    pytest.skip("Keras's data sets need TensorFlow", allow_module_level=True)

FORMATS = ("keras", "tf")
# Keras decodes JPEGs by an approximate transform, which is off by some units.
JPEG_TOLERANCE = 6.0
# TensorFlow's cubic kernel is a table, and its Gaussian one drops pixels at its border.
EXTRA = {"bicubic": 0.3, "gaussian": 1.6}
CLASSES = ("ant", "bee", "ant-lion", ".hidden")


def draw_image(generator: np.random.Generator, index: int) -> Image.Image:
    height, width = int(generator.integers(20, 60)), int(generator.integers(20, 60))
    pixels = generator.integers(0, 256, (height // 4 + 2, width // 4 + 2, 3)).astype("uint8")
    image = Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC)
    return image.convert(("RGB", "L", "RGB", "RGBA")[index % 4])


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Images, texts and sounds in classes, nested folders among them."""
    root = tmp_path_factory.mktemp("data")
    generator = np.random.default_rng(0)
    for kind, name in itertools.product(("png", "jpg", "txt", "wav"), CLASSES):
        for index in range(11 if name == "ant" else 7):
            path = root / kind / name / ("nested" if index % 5 == 4 else "") / f"{index}.{kind}"
            path.parent.mkdir(parents=True, exist_ok=True)
            if kind in ("png", "jpg"):
                image = draw_image(generator, index)
                image.convert("RGB" if kind == "jpg" else image.mode).save(path)
            elif kind == "txt":
                path.write_text(f"{name} {index} " + "x" * index, encoding="utf-8")
            else:
                with wave.open(str(path), "wb") as file:
                    file.setparams((2, 2, 8000, 0, "NONE", ""))
                    file.writeframes(
                        generator.integers(-9999, 9999, 40 + 2 * index, "i2").tobytes()
                    )
    return root


def to_list(element: Any) -> Any:
    if isinstance(element, (tuple, list)):
        return [to_list(part) for part in element]
    if hasattr(element, "to_list"):
        return element.to_list()
    element = np.asarray(element.numpy() if hasattr(element, "numpy") else element)
    if element.ndim == 0 and element.dtype.kind in "OSU":
        return element.item().decode() if element.dtype.kind == "S" else str(element.item())
    if element.dtype == object:
        return [x.decode() if isinstance(x, bytes) else np.asarray(x).tolist() for x in element]
    return element


def passes(dataset: Any, count: int = 2) -> list[Any]:
    """Returns the batches of the first passes."""
    return [[to_list(batch) for batch in dataset] for _ in range(count)]


def assert_equal(ours: Any, theirs: Any, tolerance: float) -> None:
    if isinstance(theirs, list):
        assert len(ours) == len(theirs)
        for part, other in zip(ours, theirs, strict=True):
            assert_equal(part, other, tolerance)
    elif isinstance(theirs, np.ndarray):
        assert ours.shape == theirs.shape and ours.dtype == theirs.dtype
        np.testing.assert_allclose(ours, theirs, atol=tolerance, rtol=1e-5)
    else:
        assert ours == theirs


def compare(name: str, arguments: tuple[Any, ...], options: dict[str, Any], tolerance=1e-3) -> None:
    """Compares what a function of `keras.utils` returns in each format with Keras's."""
    theirs = getattr(keras.utils, name)(*arguments, **deepcopy(options))  # it shuffles labels
    expected = theirs if isinstance(theirs, (list, tuple)) else [theirs]
    batches = [passes(dataset) for dataset in expected]
    for fmt in FORMATS:
        ours = getattr(keras_fn.utils, name)(*arguments, **options, format=fmt)
        found = ours if isinstance(ours, tuple) else [ours]
        assert len(found) == len(expected)
        for dataset, other, wanted in zip(found, expected, batches, strict=True):
            for attribute in ("class_names", "file_paths"):
                if hasattr(other, attribute):
                    assert getattr(dataset, attribute) == getattr(other, attribute)
            assert_equal(passes(dataset), wanted, tolerance)


SPLITS = (
    {},
    {"shuffle": False},
    {"validation_split": 0.3, "subset": "training"},
    {"validation_split": 0.3, "subset": "validation"},
    {"validation_split": 0.3, "subset": "both"},
    {"validation_split": 0.5, "subset": "both", "shuffle": False},
)
LABELS = (
    {},
    {"label_mode": "categorical"},
    {"label_mode": "binary", "class_names": ["bee", "ant"]},
    {"label_mode": None},
    {"labels": None},
    {"class_names": ["bee", "ant-lion", "ant"]},
    {"labels": [i % 3 for i in range(32)], "label_mode": "categorical"},
    {"labels": [i % 3 + 4 for i in range(32)]},
)


@pytest.mark.parametrize("kind", ["txt", "png", "wav"])
@pytest.mark.parametrize("split", SPLITS, ids=str)
@pytest.mark.parametrize("labels", LABELS, ids=str)
def test_files_labels_splits_and_orders_are_those_of_keras(folder, kind, split, labels):
    name = {"txt": "text", "png": "image", "wav": "audio"}[kind] + "_dataset_from_directory"
    options = {"batch_size": 2, "seed": 7, "verbose": False, **split, **labels}
    if kind == "png":
        options["image_size"] = (8, 8)
    compare(name, (folder / kind,), options)


@pytest.mark.parametrize("batch_size", [1, 3, 100, None])
@pytest.mark.parametrize("global_seed", [None, 0, 5])
def test_orders_follow_both_seeds(folder, batch_size, global_seed, monkeypatch):
    import tensorflow as tf

    if global_seed is None:
        tf.random.set_seed(None)
        # As in a process where no seed was set before.
        monkeypatch.setattr(dataset_module, "get_random_seed", lambda: None)
    else:
        keras_fn.utils.set_random_seed(global_seed)
    for seed in (None, 0, 123456):
        np.random.seed(3)
        options = {"batch_size": batch_size, "seed": seed, "verbose": False}
        theirs = passes(keras.utils.text_dataset_from_directory(folder / "txt", **options), 3)
        for fmt in FORMATS:
            np.random.seed(3)
            ours = keras_fn.utils.text_dataset_from_directory(folder / "txt", **options, format=fmt)
            found = passes(ours, 3)
            assert str(found) == str(theirs)


@pytest.mark.parametrize("color_mode", ["rgb", "rgba", "grayscale"])
@pytest.mark.parametrize("interpolation", ["bilinear", "nearest", "bicubic", "area", "lanczos3",
                                           "lanczos5", "gaussian", "mitchellcubic"])  # fmt: skip
@pytest.mark.parametrize("aspect", ["", "pad_to_aspect_ratio"])
def test_pixels_are_those_of_keras(folder, color_mode, interpolation, aspect):
    options = {
        "color_mode": color_mode,
        "interpolation": interpolation,
        "image_size": (31, 24),
        "labels": None,
        "shuffle": False,
        "verbose": False,
    }
    if aspect:
        options[aspect] = True
    # Gray values are rounded where Keras cuts them.
    tolerance = 2.5 if color_mode == "grayscale" else 0.03
    tolerance += EXTRA.get(interpolation, 0.0)
    theirs = passes(keras.utils.image_dataset_from_directory(folder / "png", **options), 1)
    make = keras_fn.utils.image_dataset_from_directory
    for fmt in FORMATS:
        ours = passes(make(folder / "png", **options, format=fmt), 1)
        assert_equal(ours, to_floats(theirs), tolerance)
    images = [passes(make(folder / "jpg", **options, format=fmt), 1) for fmt in FORMATS]
    assert_equal(images[1], images[0], 0.03 + EXTRA.get(interpolation, 0.0))
    if color_mode != "rgba":  # which Keras refuses for JPEGs
        theirs = passes(keras.utils.image_dataset_from_directory(folder / "jpg", **options), 1)
        assert_equal(images[0], to_floats(theirs), JPEG_TOLERANCE + tolerance)


def to_floats(passes: list[list[np.ndarray]]) -> list[list[np.ndarray]]:
    return [[batch.astype("float32") for batch in batches] for batches in passes]


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_crops_are_those_of_keras(folder, data_format):
    options = {
        "image_size": (20, 12),
        "crop_to_aspect_ratio": True,
        "labels": None,
        "shuffle": False,
        "verbose": False,
        "data_format": data_format,
    }
    theirs = passes(keras.utils.image_dataset_from_directory(folder / "png", **options), 1)
    for fmt in FORMATS:
        ours = keras_fn.utils.image_dataset_from_directory(folder / "png", **options, format=fmt)
        # Keras's images have the dtype of the files, and are cut to integers.
        assert_equal(passes(ours, 1), to_floats(theirs), 1.0)


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("batch_size", [None, 4])
def test_formats_of_grain_agree(folder, shuffle, batch_size):
    options = {"batch_size": batch_size, "seed": 5, "shuffle": shuffle, "format": "grain"}
    theirs = keras.utils.image_dataset_from_directory(
        folder / "png", image_size=(8, 8), verbose=False, **options
    )
    ours = keras_fn.utils.image_dataset_from_directory(
        folder / "png", image_size=(8, 8), verbose=False, **options
    )
    assert ours.class_names == theirs.class_names
    assert_equal(passes(ours, 1), passes(theirs, 1), 0.01)


SERIES = np.random.default_rng(1).normal(size=(50, 2)).astype("float32")


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"sequence_stride": 3},
        {"sampling_rate": 4, "sequence_stride": 2},
        {"start_index": 5, "end_index": 40},
        {"shuffle": True, "seed": 9},
        {"shuffle": True, "seed": 9, "batch_size": None},
        {"batch_size": 5, "shuffle": True, "seed": 1},
    ],
    ids=str,
)
@pytest.mark.parametrize("has_targets", [False, True])
def test_windows_are_those_of_keras(options, has_targets):
    targets = np.arange(50) if has_targets else None
    compare("timeseries_dataset_from_array", (SERIES, targets, 6), options)


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("sizes", [(0.7, None), (None, 0.25), (12, 5), (0.5, 0.2)])
@pytest.mark.parametrize("data", [SERIES, [SERIES, np.arange(50)], (SERIES, np.arange(50))])
def test_splits_of_arrays_are_those_of_keras(data, sizes, shuffle):
    theirs = keras.utils.split_dataset(data, *sizes, shuffle=shuffle, seed=4)
    expected = [passes(half, 1) for half in theirs]
    ours = keras_fn.utils.split_dataset(
        data, *sizes, shuffle=shuffle, seed=4, preferred_backend="tensorflow"
    )
    parts = keras_fn.utils.Dataset(tuple(data) if isinstance(data, list) else data)
    halves = keras_fn.utils.split_dataset(parts, *sizes, shuffle=shuffle, seed=4)
    for found in (ours, halves):
        assert_equal([passes(half, 1) for half in found], expected, 0.0)


def test_splits_of_data_sets_are_those_of_keras():
    import tensorflow as tf

    data = tf.data.Dataset.from_tensor_slices((SERIES, np.arange(50))).batch(8)
    for options in ({"left_size": 0.6}, {"right_size": 20, "shuffle": True, "seed": 2}):
        theirs = keras.utils.split_dataset(data, **options)
        ours = keras_fn.utils.split_dataset(data, **options)
        assert_equal([passes(h, 1) for h in ours], [passes(h, 1) for h in theirs], 0.0)


@pytest.mark.parametrize("mode", ["rgb", "rgba", "grayscale"])
@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("interpolation", ["nearest", "bilinear", "lanczos", "box"])
def test_loaded_images_are_those_of_keras(folder, mode, keep, interpolation):
    for path in sorted((folder / "png").rglob("*.png"))[:6]:
        for size in (None, (9, 14)):
            arguments = (path, mode, size, interpolation, keep)
            theirs, ours = keras.utils.load_img(*arguments), keras_fn.utils.load_img(*arguments)
            assert theirs.mode == ours.mode and (np.asarray(theirs) == np.asarray(ours)).all()
            first = (ours, "channels_first", "float16")
            assert (keras.utils.img_to_array(*first) == keras_fn.utils.img_to_array(*first)).all()


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("scale", [False, True])
def test_arrays_become_the_images_of_keras(tmp_path, channels, scale):
    array = np.random.default_rng(channels).uniform(
        0, 300 if channels == 1 else 255, (8, 6, channels)
    )
    theirs = keras.utils.array_to_img(array, scale=scale)
    ours = keras_fn.utils.array_to_img(array, scale=scale)
    assert theirs.mode == ours.mode
    assert np.abs(np.asarray(theirs).astype(int) - np.asarray(ours)).max() <= 1
    keras.utils.save_img(tmp_path / "theirs.png", array, scale=True)
    keras_fn.utils.save_img(tmp_path / "ours.png", array, scale=True)
    read = [np.asarray(Image.open(tmp_path / f"{n}.png")).astype(int) for n in ("theirs", "ours")]
    assert np.abs(read[0] - read[1]).max() <= 1


@pytest.mark.parametrize("shape", [(20, 30, 3), (2, 20, 30, 3), (30, 20, 1)])
@pytest.mark.parametrize("size", [(10, 10), (8, 25), (40, 12)])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_smart_resize_is_that_of_keras(shape, size, data_format):
    x = np.random.default_rng(0).uniform(size=shape).astype("float32")
    x = x if data_format == "channels_last" else np.moveaxis(x, -1, -3)
    arguments = (x, size, "bilinear", data_format)
    theirs = keras.preprocessing.image.smart_resize(*arguments)
    ours = keras_fn.preprocessing.image.smart_resize(*arguments)
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


METHODS = (
    "shuffle", "batch", "unbatch", "take", "skip", "map", "filter", "repeat", "concatenate", "zip",
)  # fmt: skip


def make_pair(start: int, size: int, is_batched: bool) -> tuple[Any, Any]:
    """Returns the same shuffled integers as a data set of ours and one of tf.data."""
    import tensorflow as tf

    ours = keras_fn.utils.Dataset(np.arange(start, start + size))
    theirs = tf.data.Dataset.range(start, start + size)
    pair = (data.shuffle(4, seed=5) for data in (ours, theirs))
    ours, theirs = (data.batch(2) if is_batched else data for data in pair)
    return ours, theirs


def _sum(x: Any) -> Any:
    return np.sum(x) if isinstance(x, (np.ndarray, np.generic)) else _reduce_sum(x)


def _reduce_sum(x: Any) -> Any:
    import tensorflow as tf

    return tf.reduce_sum(x)


def draw_chain(draw: random.Random, ours: Any, theirs: Any) -> tuple[Any, Any, int]:
    """Applies the same methods to a data set of ours and one of tf.data.

    Returns both, and the number of passes in which tf.data's order depends on the seeds alone:
    after `repeat`, a later pass depends on how far the iterators of the last one were.
    """
    is_batched = has_even_batches = False
    num_passes = 2
    for _ in range(draw.randint(1, 7)):
        method = draw.choice(METHODS)
        arguments: tuple[Any, ...] = ()
        if method == "shuffle":
            seed, reshuffle = draw.randint(0, 10**6), draw.random() < 0.7
            arguments = (draw.randint(1, 30), seed, reshuffle)
            has_even_batches = False
        elif method == "batch" and not is_batched:
            arguments = (draw.randint(1, 6), draw.random() < 0.3)
            is_batched = has_even_batches = True
        elif method in ("take", "skip"):
            arguments = (draw.randint(0, 12) if method == "skip" else draw.randint(5, 30),)
        elif method == "map":
            arguments = (lambda x: x * 2 + 1,)
        elif method == "filter":
            divisor = draw.randint(2, 4)
            arguments = (lambda x, n=divisor: _sum(x) % n != 0,)
            has_even_batches = False
        elif method == "repeat":
            arguments = (draw.randint(1, 3),)
            num_passes, has_even_batches = 1, False
        elif method == "concatenate":
            start, size = draw.randint(0, 9), draw.randint(1, 9)
            ours, theirs = (
                d.concatenate(o)
                for d, o in zip((ours, theirs), make_pair(start, size, is_batched), strict=True)
            )
            has_even_batches = False
            continue
        elif method == "zip":
            start, size = draw.randint(0, 9), draw.randint(1, 40)
            other = make_pair(start, size, is_batched)
            pair = (x.zip((x, y)) for x, y in zip((ours, theirs), other, strict=True))
            ours, theirs = (x.map(lambda x, y, b=is_batched: x if b else x + y) for x in pair)
            has_even_batches = False
            continue
        elif method == "unbatch" and has_even_batches:
            is_batched = has_even_batches = False
        else:
            continue
        ours, theirs = getattr(ours, method)(*arguments), getattr(theirs, method)(*arguments)
    return ours, theirs, num_passes


@pytest.mark.parametrize("seed", range(120))
def test_chains_of_methods_yield_what_tf_data_yields(seed):
    import tensorflow as tf

    tf.random.set_seed(3)
    keras_fn.utils.set_random_seed(3)
    draw = random.Random(seed)
    size = draw.randint(1, 40)
    ours, theirs, num_passes = draw_chain(
        draw, keras_fn.utils.Dataset(np.arange(size)), tf.data.Dataset.range(size)
    )
    ours.workers = draw.randint(0, 2)
    if int(theirs.cardinality()) >= 0:  # else it is not known
        assert len(ours) == int(theirs.cardinality())
    for _ in range(num_passes):
        found = [np.asarray(x).tolist() for x in ours]
        assert found == [x.tolist() for x in theirs.as_numpy_iterator()]

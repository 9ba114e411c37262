"""Bounding boxes, feature spaces, masks and helpers of `keras.utils`, next to real Keras.

Where one side refuses arguments and the other does not, it is Keras that refuses: `WIDER` says
which calls those are.
"""

import copy
import itertools
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from real_keras import keras

import keras_fn

# Keras's own: of NumPy arrays on PyTorch, of float64 on JAX.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")

FORMATS = (
    "xyxy", "yxyx", "xywh", "center_xywh", "center_yxhw",
    "rel_xyxy", "rel_yxyx", "rel_xywh", "rel_center_xywh",
)  # fmt: skip
SIZE, IMAGE = (50, 60), (50, 60, 3)
Case = tuple[str, tuple[Any, ...], dict[str, Any]]


def draw_boxes(rng: np.random.Generator, shape: tuple[int, ...], form: str) -> np.ndarray:
    high = 1 if form.startswith("rel_") else 50
    corners = np.sort(rng.uniform(0, high, (*shape, 2, 2)), -2)
    return corners.reshape(*shape, 4).astype("float32")


def box_cases() -> Iterator[Case]:
    """Yields calls of each function of `utils.bounding_boxes`."""
    rng = np.random.default_rng(0)
    for source, target in itertools.product(FORMATS, FORMATS):
        for shape in ((3,), (2, 3), ()):
            for size in (SIZE, (None, None)):
                boxes = draw_boxes(rng, shape, source)
                yield "convert_format", (boxes, source, target, *size), {}
        for dtype in ("int32", "float64"):
            boxes = draw_boxes(rng, (2,), source).astype(dtype)
            yield "convert_format", (boxes, source.upper(), target, *SIZE), {"dtype": "float64"}
        boxes = {"boxes": draw_boxes(rng, (2,), source), "labels": np.array([1, 2])}
        yield "convert_format", (boxes, source, target, *SIZE), {}
    for form in FORMATS:
        yield from _cases_of_format(rng, form)
    ones = np.ones(2, "float32")
    angles = (ones * 20, ones * 0.1, ones * 0.2, ones * 1.2, ones * 5, ones * 7)
    for center in ((None, None), (0.2, 0.8)):
        yield "affine_transform", (draw_boxes(rng, (2, 3), "xyxy"), *angles, *SIZE, *center), {}
    for dtype in ("float32", "float64", "int32"):
        boxes = draw_boxes(rng, (2, 3), "xyxy").astype(dtype)
        yield "crop", (boxes, 5, 6, 20, 25), {}
        yield "pad", (boxes, 5, 6, 20, 25), {}


def _cases_of_format(rng: np.random.Generator, form: str) -> Iterator[Case]:
    for shape in ((3,), (2, 3)):
        boxes = {"boxes": draw_boxes(rng, shape, form), "labels": rng.integers(0, 3, shape)}
        boxes["boxes"] = boxes["boxes"] * 1.5 - boxes["boxes"].mean() / 2
        yield "clip_to_image_size", (boxes, 40, 45, form), {}
        yield "clip_to_image_size", (boxes,), {"bounding_box_format": form}
    for first, second in itertools.product(((3,), (2, 3)), ((4,), (2, 4))):
        for is_masked, image in itertools.product((False, True), (None, IMAGE)):
            boxes = draw_boxes(rng, first, form), draw_boxes(rng, second, form)
            boxes[0][..., 0, :] = -1
            yield "compute_iou", (*boxes, form, is_masked, -1, image), {}
    for image in (None, IMAGE):
        pair = draw_boxes(rng, (3,), form), draw_boxes(rng, (3,), form)
        yield "compute_ciou", (*pair, form, image), {}
    for encoding, variance, shape in itertools.product(
        ("center_yxhw", "center_xywh", "xyxy"), (None, [0.1, 0.1, 0.2, 0.2], [0.1]), ((3,), (2, 3))
    ):
        anchors, boxes = draw_boxes(rng, (3,), "xyxy"), draw_boxes(rng, shape, form)
        options = (form, encoding, variance, IMAGE)
        yield "encode_box_to_deltas", (anchors, boxes, "xyxy", *options), {}
        deltas = rng.normal(0, 0.3, (*shape, 4)).astype("float32")
        yield "decode_deltas_to_boxes", (anchors, deltas, "xyxy", *options), {}
        levels = {"P3": anchors}, {"P3": deltas}
        yield "decode_deltas_to_boxes", (*levels, "xyxy", *options), {}


# Calls that only Keras refuses: docs/differences.md says why ours need not.
WIDER: dict[str, Callable[..., bool]] = {
    "convert_format": lambda boxes, source, target, height, width, **kwargs: (
        height is None and source.startswith("rel_") and target.startswith("rel_")
    ),
    "clip_to_image_size": lambda *args, **kwargs: True,  # formats other than (rel_)xyxy
    "compute_iou": lambda *args: args[3] and args[0].ndim != args[1].ndim,  # masks of other ranks
    "compute_ciou": lambda boxes1, boxes2, form, image: image is not None,  # relative formats
}


def call(module: Any, case: Case) -> Any:
    """Returns the results as arrays, or the error."""
    name, args, kwargs = copy.deepcopy(case)
    if name.startswith("decode"):  # Keras on PyTorch takes no arrays
        args = (args[0], tree_map(module, args[1]), *args[2:])
    try:
        return to_arrays(getattr(module.utils.bounding_boxes, name)(*args, **kwargs))
    except Exception as error:  # of any class: backends refuse in their own ways
        return error


def tree_map(module: Any, x: Any) -> Any:
    return module.tree.map_structure(module.ops.convert_to_tensor, x)


def to_arrays(x: Any) -> list[np.ndarray]:
    return [keras.ops.convert_to_numpy(leaf) for leaf in keras.tree.flatten(x)]


def test_bounding_boxes_are_those_of_keras(record_property):
    counts = {"equal": 0, "refused by both": 0, "refused by Keras alone": 0}
    for case in box_cases():
        theirs, ours = call(keras, case), call(keras_fn, case)
        label = f"{case[0]}{case[1][1:]}"
        if isinstance(theirs, Exception):
            is_wider = not isinstance(ours, Exception)
            counts["refused by Keras alone" if is_wider else "refused by both"] += 1
            if is_wider:
                assert WIDER[case[0]](*case[1], **case[2]), f"{label}: {theirs}"
            continue
        assert not isinstance(ours, Exception), f"{label}: {ours}"
        for a, b in zip(theirs, ours, strict=True):
            assert a.shape == b.shape and a.dtype == b.dtype, label
            np.testing.assert_allclose(b, a, 1e-4, 1e-5, err_msg=label)
        counts["equal"] += 1
    print(counts)
    assert counts["equal"] > 500


def test_masks_with_given_colors_are_those_of_keras():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (2, 8, 9, 3)).astype("float32")
    masks = rng.integers(1, 5, (2, 8, 9, 1))
    colors = {i: tuple(rng.integers(0, 256, 3).tolist()) for i in range(5)}
    # Keras counts class 0 among `num_classes`, and truncates where ours rounds.
    options = {"color_mapping": colors, "alpha": 0.6, "ignore_index": 2}
    theirs = keras.visualization.draw_segmentation_masks(images, masks, 5, **options)
    ours = keras_fn.visualization.draw_segmentation_masks(images, masks, 4, **options)
    assert np.abs(theirs.astype(int) - ours).max() <= 1


# ---------------------------------------------------------------- helpers


def same_as_keras(call: Callable[[Any], Any]) -> None:
    theirs, ours = call(keras), call(keras_fn)
    for a, b in zip(keras.tree.flatten(theirs), keras.tree.flatten(ours), strict=True):
        if not hasattr(a, "shape"):
            assert a == b
            continue
        assert isinstance(a, np.ndarray) == isinstance(b, np.ndarray)
        a, b = keras.ops.convert_to_numpy(a), keras.ops.convert_to_numpy(b)
        assert a.shape == b.shape and a.dtype == b.dtype
        np.testing.assert_allclose(b, a, 1e-6)


def config_history(module: Any) -> Any:
    config = module.utils.Config(b=1, a=2)
    config.c = 3
    config["d"] = 4
    config.update({"e": 5})
    config.pop("d")
    del config["b"]
    return (
        list(config), list(config.keys()), list(config.values()), len(config), "a" in config,
        config.get("none", 7), config.to_json(), repr(config), config.as_dict(), config.frozen,
    )  # fmt: skip


HELPERS: dict[str, Callable[[Any], Any]] = {
    "to_categorical": lambda m: [
        m.utils.to_categorical([[0], [2]]), m.utils.to_categorical(np.array([[0, 1], [2, 1]]), 4),
        m.ops.cast(m.utils.to_categorical(m.ops.convert_to_tensor([0, 2]), 3), "float32"),
    ],
    "normalize": lambda m: [
        m.utils.normalize(np.arange(6.0).reshape(2, 3), axis, order)
        for axis in (-1, 1) for order in (1, 2, 3, np.inf)
    ] + [m.utils.normalize(m.ops.convert_to_tensor([[3.0, 4.0]]))],
    "pad_sequences": lambda m: [
        m.utils.pad_sequences([[1], [2, 3], [4, 5, 6]], **options)
        for options in ({}, {"maxlen": 2}, {"padding": "post"}, {"truncating": "post", "maxlen": 2},
                        {"value": -1}, {"dtype": "float32"})
    ],
    "pack_x_y_sample_weight": lambda m: [
        m.utils.pack_x_y_sample_weight(*parts)
        for parts in ((1,), (1, 2), (1, 2, 3), ([1], None, 2))
    ],
    "unpack_x_y_sample_weight": lambda m: [
        m.utils.unpack_x_y_sample_weight(data) for data in ((1,), (1, 2), (1, 2, 3), [1, 2])
    ],
    "standardize_dtype": lambda m: [
        m.utils.standardize_dtype(dtype)
        for dtype in ("int8", None, float, np.float64, np.dtype("uint8"), "bool")
    ],
    "set_random_seed": lambda m: (m.utils.set_random_seed(3), float(np.random.rand())),
    "Config": config_history,
    "legacy": lambda m: [
        m.utils.legacy.serialize_keras_object(m.losses.MeanSquaredError()),
        m.legacy.saving.serialize_keras_object(m.activations.relu),
        m.utils.legacy.deserialize_keras_object(
            {"class_name": "Dense", "config": {"units": 3, "name": "head"}},
            {"Dense": m.layers.Dense},
        ).name,
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", HELPERS)
def test_a_helper_returns_what_it_returns_in_keras(name):
    same_as_keras(HELPERS[name])


# ---------------------------------------------------------------- feature spaces

TABLE = {
    "a": np.arange(5.0), "f": np.array([3.0, 1, 4, 1, 5]), "r": np.arange(5.0),
    "d": np.array([0.0, 1, 2, 5, 9]), "i": np.array([1, 2, 3, 1, 7]),
    "s": np.array(["x", "y", "x", "z", "y"]), "t": np.array(["a b", "b c", "a a", "d", ""]),
}  # fmt: skip


def make_spaces(module: Any) -> dict[str, Any]:
    space = module.utils.FeatureSpace
    vectorization = module.layers.TextVectorization(output_mode="tf_idf")
    return {
        "words": space(
            {"a": "float_normalized", "f": "float", "d": "float_discretized", "i": "integer_hashed",
             "s": "string_categorical", "r": "float_rescaled"},
            crosses=[("s", "i")], crossing_dim=7, hashing_dim=5, num_discretization_bins=3,
        ),
        "arguments": space(
            {"r": space.float_rescaled(2.0, 1.0), "s": space.string_hashed(4),
             "i": space.integer_categorical(max_tokens=4, num_oov_indices=2)},
            crosses=[space.cross(("i", "s"), 5), ("s", "i")],
        ),
        # Keras does not concatenate text with other features.
        "text": space({"t": space.feature("string", vectorization, "float")}),
        "dict": space(
            {"s": space.string_categorical(output_mode="int"),
             "d": space.float_discretized(4, output_mode="int")},
            crosses=[space.cross(("s", "d"), 5, "int")], output_mode="dict",
        ),
    }  # fmt: skip


@pytest.mark.skipif(keras.config.backend() != "tensorflow", reason="Keras needs TensorFlow")
@pytest.mark.parametrize("name", ["words", "arguments", "text", "dict"])
def test_a_feature_space_encodes_as_in_keras_and_is_read_both_ways(name, tmp_path):
    theirs, ours = make_spaces(keras)[name], make_spaces(keras_fn)[name]
    for space in (theirs, ours):
        space.adapt({key: TABLE[key] for key in space.features})
    batch = {key: TABLE[key] for key in theirs.features}
    expected = theirs(batch)
    check_encoded(ours(batch), expected)
    sample = {key: value[1] for key, value in batch.items()}
    check_encoded(ours(sample), theirs(sample))
    theirs.save(tmp_path / "theirs.keras")
    ours.save(tmp_path / "ours.keras")
    check_encoded(keras_fn.saving.load_model(tmp_path / "theirs.keras")(batch), expected)
    check_encoded(keras.saving.load_model(tmp_path / "ours.keras")(batch), expected)
    names = [zipfile.ZipFile(tmp_path / f"{n}.keras").namelist() for n in ("ours", "theirs")]
    assert set(names[0]) == set(names[1])


def check_encoded(ours: Any, theirs: Any) -> None:
    if isinstance(theirs, dict):
        assert list(ours) == list(theirs)
    for a, b in zip(to_arrays(theirs), to_arrays(ours), strict=True):
        assert a.shape == b.shape and a.dtype == b.dtype
        np.testing.assert_allclose(b, a, 1e-5, 1e-6)

"""Layers that move pixels: images, boxes and masks, against NumPy and against each other."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import ops
from keras_fn.backend.loader import supports
from keras_fn.layers.preprocessing.image.base_geometric_transform import BaseGeometricTransform

LAYERS = {
    "RandomFlip": {},
    "RandomRotation": {"factor": 0.15},
    "RandomTranslation": {"height_factor": 0.2, "width_factor": 0.2},
    "RandomZoom": {"height_factor": 0.3, "width_factor": 0.3},
    "RandomShear": {"x_factor": 0.3, "y_factor": 0.2},
    "RandomPerspective": {"scale": 0.3},
    "RandomElasticTransform": {"scale": 0.5},
    "RandomCrop": {"height": 20, "width": 24},
    "CenterCrop": {"height": 20, "width": 24},
    "Resizing": {"height": 24, "width": 20},
}
SIZE = 32


def make(name, **options):
    options = {"data_format": "channels_last", "bounding_box_format": "xyxy", **options}
    if name in ("RandomRotation", "RandomTranslation", "RandomZoom", "RandomShear"):
        options.setdefault("fill_mode", "constant")
    if name.startswith("Random"):
        options.setdefault("seed", 3)
    return getattr(keras.layers, name)(**LAYERS[name], **options)


def numpy(x):
    return np.asarray(ops.convert_to_numpy(x), "float64")


def samples():
    """Images with a bright rectangle, its box, and its mask; the second box is padding."""
    boxes = np.array([[10, 9, 24, 20], [12, 4, 20, 27]], "float32")
    images = np.zeros((2, SIZE, SIZE, 3), "uint8")
    for image, (x1, y1, x2, y2) in zip(images, boxes.astype(int), strict=True):
        image[y1:y2, x1:x2] = 200
    padding = np.full((2, 1, 4), -1, "float32")
    return {
        "images": images,
        "labels": np.array([3, 4]),
        "bounding_boxes": {
            "boxes": np.concatenate([boxes[:, None], padding], 1),
            "labels": np.array([[1, -1], [2, -1]]),
        },
        "segmentation_masks": (images[..., :1] > 0).astype("uint8") * 7,
    }


@pytest.mark.parametrize("name", LAYERS)
def test_boxes_and_masks_move_along_with_the_image(name):
    data = samples()
    result = make(name)(data)
    assert data["images"].dtype == "uint8"  # the dict that was passed is not changed
    masks = numpy(result["segmentation_masks"])[..., 0]
    assert set(np.unique(masks)) <= {0.0, 7.0}
    assert "uint8" in str(result["segmentation_masks"].dtype)
    boxes = numpy(result["bounding_boxes"]["boxes"])
    assert (boxes[:, 1] == -1).all()
    assert numpy(result["bounding_boxes"]["labels"]).tolist() == [[1, -1], [2, -1]]
    assert numpy(result["labels"]).tolist() == [3, 4]
    for image, mask, box in zip(numpy(result["images"]), masks, boxes[:, 0], strict=True):
        rows, columns = np.nonzero(mask)
        around = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        np.testing.assert_allclose(box, around, atol=1.01)  # a pixel is in or out as a whole
        bright = image[..., 0] > 100
        assert (bright != (mask > 0)).mean() < 0.05


@pytest.mark.parametrize(
    "name",
    [
        name
        if name in ("RandomFlip", "CenterCrop", "Resizing")
        else pytest.param(name, marks=pytest.mark.thorough)
        for name in LAYERS
    ],
)
def test_unbatched_and_empty_inputs(name):
    layer, data = make(name), samples()
    batch = layer.compute_output_shape((2, SIZE, SIZE, 3))
    assert tuple(layer(data["images"][0]).shape) == batch[1:]
    assert tuple(layer(data["images"][:0]).shape) == (0, *batch[1:])
    single = keras.tree.map_structure(lambda x: x[0], data)
    result = layer(single)
    assert tuple(result["bounding_boxes"]["boxes"].shape) == (2, 4)
    assert tuple(result["labels"].shape) == ()


def test_methods_of_single_samples_do_what_those_of_batches_do():
    layer, data = make("RandomTranslation"), samples()
    transformation = layer.get_random_transformation(data["images"][:1])
    for part, single in (
        ("images", "image"),
        ("labels", "label"),
        ("bounding_boxes", "bounding_box"),
        ("segmentation_masks", "segmentation_mask"),
    ):
        batch = keras.tree.map_structure(lambda x: ops.convert_to_tensor(x[:1]), data[part])
        sample = keras.tree.map_structure(lambda x: x[0], batch)
        expected = getattr(layer, f"transform_{part}")(batch, transformation)
        found = getattr(layer, f"transform_single_{single}")(sample, transformation)
        keras.tree.map_structure(
            lambda x, y: np.testing.assert_array_equal(numpy(x), numpy(y)[0]), found, expected
        )


def test_a_layer_without_the_methods_of_its_base_class_is_told_which():
    class Nothing(BaseGeometricTransform):
        pass

    with pytest.raises(TypeError, match="Nothing has no _warp"):
        Nothing()(samples()["images"])


@pytest.mark.parametrize(
    "name", ["RandomFlip", "RandomRotation", "RandomElasticTransform", "RandomCrop"]
)
def test_draws_differ_by_call_and_repeat_by_seed_and_nothing_happens_at_inference(name):
    images = np.random.default_rng(0).uniform(0, 255, (2, SIZE, SIZE, 1)).astype("float32")
    layer = make(name, seed=8)
    outputs = [numpy(layer(images)) for _ in range(4)]
    assert any((outputs[0] != other).any() for other in outputs[1:])
    np.testing.assert_array_equal(numpy(make(name, seed=8)(images)), outputs[0])
    if name != "RandomCrop":
        np.testing.assert_array_equal(numpy(layer(images, training=False)), images)


@pytest.mark.parametrize("name", ["RandomRotation", "RandomFlip", "Resizing", "RandomCrop"])
def test_channels_first_is_the_transposed_result(name):
    images = np.random.default_rng(0).uniform(0, 255, (2, 12, 12, 3)).astype("float32")
    last = numpy(make(name)(images))
    first = make(name, data_format="channels_first")(images.transpose(0, 3, 1, 2))
    np.testing.assert_allclose(numpy(first).transpose(0, 2, 3, 1), last, atol=1e-3)


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_quarter_turns_are_exact(turns):
    image = np.arange(6 * 6 * 2, dtype="float32").reshape(6, 6, 2)
    layer = keras.layers.RandomRotation(
        (turns / 4, turns / 4), bounding_box_format="xyxy", data_format="channels_last"
    )
    boxes = {"boxes": np.array([[0.0, 1, 2, 3]]), "labels": np.array([0])}
    result = layer({"images": image, "bounding_boxes": boxes})
    np.testing.assert_allclose(numpy(result["images"]), np.rot90(image, turns), atol=1e-3)
    expected = {1: [1, 4, 3, 6], 2: [4, 3, 6, 5], 3: [3, 0, 5, 2]}[turns]
    np.testing.assert_allclose(numpy(result["bounding_boxes"]["boxes"]), [expected], atol=1e-4)


def test_flips_are_drawn_for_each_image_and_axis():
    images = np.arange(64 * 4, dtype="uint8").reshape(64, 2, 2, 1)
    results = numpy(make("RandomFlip")(images))
    found = set()
    for image, result in zip(images, results, strict=True):
        for axes in ((), (0,), (1,), (0, 1)):
            if (np.flip(image, axes) == result).all():
                found.add(axes)
    assert len(found) == 4


def test_a_label_outside_of_the_image_becomes_negative():
    data = {
        "images": np.ones((1, 8, 8, 1), "float32"),
        "bounding_boxes": {"boxes": [[[0, 0, 2, 2], [4, 4, 8, 8]]], "labels": [[5, 6]]},
    }
    layer = keras.layers.CenterCrop(4, 4, bounding_box_format="xyxy", data_format="channels_last")
    result = layer(data)["bounding_boxes"]
    assert numpy(result["labels"]).tolist() == [[-1, 6]]
    assert numpy(result["boxes"])[0, 1].tolist() == [2, 2, 4, 4]


def test_lists_of_boxes_of_unequal_lengths_are_padded():
    boxes = {"boxes": [[[0, 0, 2, 2], [1, 1, 3, 3]], [[1, 0, 2, 4]]], "labels": [[1, 2], [3]]}
    layer = make("Resizing")
    result = layer({"images": np.ones((2, 24, 20, 1)), "bounding_boxes": boxes})
    assert numpy(result["bounding_boxes"]["labels"]).tolist() == [[1, 2], [3, -1]]
    assert numpy(result["bounding_boxes"]["boxes"])[1].tolist() == [[1, 0, 2, 4], [0, 0, 0, 0]]


def test_a_small_image_is_cropped_to_the_aspect_ratio_and_resized():
    image = np.arange(4 * 8, dtype="float32").reshape(4, 8, 1)
    window = ops.image.resize(image[:, 2:6], (6, 6), data_format="channels_last")
    for layer in (keras.layers.CenterCrop, keras.layers.RandomCrop):
        result = layer(6, 6, data_format="channels_last")(image)
        np.testing.assert_allclose(numpy(result), numpy(window), atol=1e-5)


@pytest.mark.parametrize("option", ["crop_to_aspect_ratio", "pad_to_aspect_ratio"])
def test_resizing_keeps_integers_and_moves_boxes_with_the_aspect_ratio(option):
    layer = keras.layers.Resizing(
        8, 8, bounding_box_format="xyxy", data_format="channels_last", **{option: True}
    )
    image = np.zeros((16, 32, 1), "uint8")
    image[4:12, 10:20] = 100
    boxes = {"boxes": np.array([[10.0, 4, 20, 12]]), "labels": np.array([1])}
    result = layer({"images": image, "bounding_boxes": boxes})
    assert "uint8" in str(result["images"].dtype)
    expected = {"crop_to_aspect_ratio": [1, 2, 6, 6], "pad_to_aspect_ratio": [2.5, 3, 5, 5]}
    np.testing.assert_allclose(numpy(result["bounding_boxes"]["boxes"]), [expected[option]])


def test_max_num_bounding_boxes():
    data = samples()
    for number, labels in ((3, [1, -1, -1]), (1, [1])):
        result = keras.layers.MaxNumBoundingBoxes(number)(data)
        assert numpy(result["bounding_boxes"]["labels"])[0].tolist() == labels
        assert tuple(result["bounding_boxes"]["boxes"].shape) == (2, number, 4)
        assert result["images"].shape == data["images"].shape


def test_pipeline():
    layers = [make("RandomFlip"), make("Resizing")]
    pipeline = keras.layers.Pipeline(layers, name="augment")
    copy = keras.layers.Pipeline.from_config(pipeline.get_config())
    assert [type(layer) for layer in copy.layers] == [type(layer) for layer in layers]
    assert sorted(pipeline.get_config()) == ["layers", "name"]
    result = pipeline(samples())
    assert tuple(result["images"].shape) == (2, 24, 20, 3)
    assert pipeline(keras.Input((SIZE, None, 3))).shape == (None, 24, 20, 3)


def test_a_model_augments_in_training_only(tmp_path):
    layers = [make("RandomFlip"), make("RandomRotation"), make("RandomZoom"), make("Resizing")]
    inputs = keras.Input((None, None, 3))
    outputs = inputs
    for layer in layers:
        outputs = layer(outputs)
    model = keras.Model(inputs, outputs)
    images = np.random.default_rng(0).uniform(0, 255, (2, 16, 16, 3)).astype("float32")
    expected = numpy(layers[-1](images))
    np.testing.assert_allclose(model.predict(images, verbose=0), expected, atol=1e-3)
    assert np.abs(numpy(model(images, training=True)) - expected).max() > 1
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded.predict(images, verbose=0), expected, atol=1e-3)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "float64"])
def test_dtype_policies_cast_images_and_nothing_else(policy):
    layer = make("RandomRotation", dtype=policy)
    result = layer({**samples(), "labels": np.array([0.1, 0.2], "float32")})
    if (keras.config.backend(), policy) != ("jax", "float64"):  # JAX has it in x64 mode only
        assert layer.compute_dtype in str(result["images"].dtype)
    assert "float32" in str(result["bounding_boxes"]["boxes"].dtype)
    assert "float32" in str(result["labels"].dtype)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("RandomFlip", {"mode": "diagonal"}),
        ("RandomRotation", {"factor": 1.5}),
        ("RandomRotation", {"factor": 0.1, "fill_mode": "mirror"}),
        ("RandomTranslation", {"height_factor": (0.1, 0.2, 0.3), "width_factor": 0}),
        ("RandomZoom", {"height_factor": -1.0}),
        ("RandomShear", {"x_factor": (-0.5, 0.1)}),
        ("RandomPerspective", {"scale": 2.0}),
        ("RandomElasticTransform", {"value_range": (1, 0)}),
        ("RandomCrop", {"height": 0, "width": 4}),
        ("Resizing", {"height": 4, "width": 4, "interpolation": "area"}),
        ("Resizing", {"height": 4, "width": 4, "crop_to_aspect_ratio": True,
                      "pad_to_aspect_ratio": True}),
        ("MaxNumBoundingBoxes", {"max_number": 0}),
        ("Pipeline", {"layers": [1]}),
        ("RandomFlip", {"bounding_box_format": "xxyy"}),
    ],
)  # fmt: skip
def test_invalid_arguments_are_refused_by_the_layer(name, arguments):
    with pytest.raises(ValueError, match=name):
        getattr(keras.layers, name)(**arguments)


def test_invalid_data_is_refused():
    layer = keras.layers.RandomFlip(name="flip")
    with pytest.raises(ValueError, match="rank 3"):
        layer(np.ones((4, 4)))
    with pytest.raises(ValueError, match="images"):
        layer({"labels": np.ones(2)})
    with pytest.raises(ValueError, match="bounding_box_format"):
        layer(samples())
    with pytest.raises(ValueError, match="four numbers"):
        boxes = {"boxes": np.ones((1, 2, 3)), "labels": np.ones((1, 2))}
        layer({"images": np.ones((1, 4, 4, 1)), "bounding_boxes": boxes})


class ScaledDraws(keras.layers.RandomBrightness):
    """A layer of a user, whose method has a side effect."""

    scale = 1.0

    def get_random_transformation(self, data, training=True, seed=None):
        drawn = super().get_random_transformation(data, training, seed)
        return {k: v * self.scale for k, v in drawn.items()}


def test_options_that_change_after_a_call_are_those_of_the_next_call():
    images = np.full((2, 4, 4, 3), 100.0, "float32")
    for layer in (keras.layers.RandomBrightness(0.5, seed=1), ScaledDraws(0.5, seed=1)):
        assert (numpy(layer(images)) != 100).any()
        layer.factor = (0.0, 0.0)
        assert (numpy(layer(images)) == 100).all()
    layer = ScaledDraws(0.5, seed=1)
    layer(images)
    layer.scale = 0.0
    assert (numpy(layer(images)) == 100).all()
    layer = keras.layers.RandomColorJitter((0, 255), brightness_factor=0.5, seed=1)
    assert (numpy(layer(images)) != 100).any()
    layer.random_brightness.factor = (0.0, 0.0)
    assert (numpy(layer(images)) == 100).all()


def test_a_method_that_a_program_sets_on_a_layer_runs_in_each_call():
    layer, scale = keras.layers.RandomBrightness(0.5, seed=1), [1.0]
    draw = layer.get_random_transformation

    def draw_scaled(data, training=True, seed=None):
        return {k: v * scale[0] for k, v in draw(data, training=training, seed=seed).items()}

    images = np.full((2, 4, 4, 3), 100.0, "float32")
    layer(images)
    layer.get_random_transformation = draw_scaled
    assert (numpy(layer(images)) != 100).any()
    scale[0] = 0.0
    assert (numpy(layer(images)) == 100).all()


@pytest.mark.skipif(not supports("compile_op"), reason="calls are not compiled")
def test_compiled_calls_in_several_threads_have_random_numbers_of_their_own():
    images = ops.convert_to_tensor(np.full((1, 2, 2, 3), 127.5, "float32"))

    def draw(pool):
        layer = keras.layers.RandomBrightness(0.5, seed=1)
        layer(images)
        return sorted(pool(lambda _: float(numpy(layer(images))[0, 0, 0, 0]), range(8)))

    with ThreadPoolExecutor(4) as executor:
        found, expected = draw(executor.map), draw(map)
    assert len(set(expected)) == 8
    np.testing.assert_allclose(found, expected, rtol=1e-6)

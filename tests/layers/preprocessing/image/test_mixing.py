"""CutMix, MixUp, RandAugment and AugMix."""

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import layers
from keras_fn.backend.loader import current
from keras_fn.ops import convert_to_numpy

BATCH = 16
IMAGES = np.arange(BATCH, dtype="float32")[:, None, None, None] * np.ones((1, 6, 8, 3), "float32")
LABELS = np.eye(BATCH, dtype="float32")
NUMBERS = np.arange(BATCH)


def array(x):
    return np.array(convert_to_numpy(x))


# ---------------------------------------------------------------- CutMix and MixUp


@pytest.mark.parametrize(
    "data_format",
    ["channels_last", pytest.param("channels_first", marks=pytest.mark.thorough)],
)
def test_labels_of_cut_mix_are_the_shares_of_the_pixels(data_format):
    masks = IMAGES[..., :1].astype("int32")
    data = {"images": IMAGES, "labels": LABELS, "segmentation_masks": masks}
    if data_format == "channels_first":
        data = {k: v.transpose(0, 3, 1, 2) if v.ndim == 4 else v for k, v in data.items()}
    found = layers.CutMix(seed=1, data_format=data_format)(data)
    images, labels = array(found["images"]), array(found["labels"])
    plane = images[..., 0] if data_format == "channels_last" else images[:, 0]
    counts = [np.bincount(p.astype(int).ravel(), minlength=BATCH) for p in plane]
    np.testing.assert_allclose(labels, np.array(counts) / 48, 0, 1e-6)
    assert 0 < (labels > 0).sum(1).max() <= 2
    masks = array(found["segmentation_masks"])
    assert masks.dtype == "int32"
    np.testing.assert_array_equal(masks.squeeze(), plane)


def test_mix_up_mixes_images_labels_masks_and_joins_boxes():
    boxes = np.repeat(np.arange(BATCH, dtype="float32")[:, None, None], 4, 2)
    data = {
        "images": IMAGES,
        "labels": LABELS,
        "segmentation_masks": np.eye(BATCH, dtype="int32")[:, None, None, :],
        "bounding_boxes": {"boxes": boxes, "labels": np.arange(BATCH)[:, None]},
    }
    found = layers.MixUp(alpha=1.0, seed=2)(data)
    labels = array(found["labels"])
    np.testing.assert_allclose(labels.sum(1), 1, 1e-6)
    np.testing.assert_allclose(array(found["images"])[:, 2, 3, 1], labels @ NUMBERS, 1e-5)
    np.testing.assert_allclose(array(found["segmentation_masks"]).squeeze(), labels, 1e-6)
    names = array(found["bounding_boxes"]["labels"])
    assert names.shape == (BATCH, 2)
    np.testing.assert_array_equal(names[:, 0], NUMBERS)
    assert all(label[name] > 0 for label, name in zip(labels, names[:, 1], strict=True))
    np.testing.assert_array_equal(array(found["bounding_boxes"]["boxes"])[..., 0], names)
    assert labels[NUMBERS, NUMBERS].std() > 0.1


@pytest.mark.parametrize("name", ["CutMix", "MixUp"])
def test_class_indices_are_refused(name):
    layer = getattr(layers, name)()
    for labels in (NUMBERS, NUMBERS[:, None]):
        with pytest.raises(ValueError, match="one_hot"):
            layer({"images": IMAGES, "labels": labels})
    one_hot = LABELS.astype("int32")
    found = layer({"images": IMAGES, "labels": one_hot})["labels"]
    assert keras.backend.standardize_dtype(found.dtype) == "float32"
    found = layer({"images": IMAGES, "labels": NUMBERS.astype("float32")})["labels"]
    assert tuple(found.shape) == (BATCH,)


@pytest.mark.parametrize("name", ["CutMix", "MixUp"])
def test_inference_changes_nothing(name):
    data = {"images": IMAGES, "labels": LABELS}
    for key, value in getattr(layers, name)()(data, training=False).items():
        np.testing.assert_array_equal(array(value), data[key])


@pytest.mark.thorough
@pytest.mark.parametrize("name", ["CutMix", "MixUp"])
def test_one_image_stays_as_it_is(name):
    single = {"images": IMAGES[3], "labels": LABELS[3]}
    for key, value in getattr(layers, name)()(single).items():
        np.testing.assert_allclose(array(value), single[key], 1e-6)


def test_cut_mix_refuses_boxes():
    boxes = {"boxes": np.ones((BATCH, 1, 4), "float32"), "labels": NUMBERS[:, None]}
    with pytest.raises(TypeError, match="MixUp"):
        layers.CutMix()({"images": IMAGES, "bounding_boxes": boxes})


# ---------------------------------------------------------------- RandAugment and AugMix

PHOTOS = np.random.default_rng(4).integers(0, 256, (2, 8, 10, 3)).astype("float32")


def chosen(layer, name, data=None):
    """Returns a transformation that applies one layer, by its name."""
    transformation = layer.get_random_transformation(PHOTOS if data is None else data)
    indices = array(transformation["layer_idxes"])
    index = layer._names.index(name) if name else len(layer._names)
    transformation["layer_idxes"] = keras.ops.full(indices.shape, index, "int32")
    return transformation


def test_rand_augment_applies_the_layers_that_were_drawn():
    layer = layers.RandAugment(num_ops=1, seed=1)
    for name, other in (("auto_contrast", "AutoContrast"), ("equalization", "Equalization")):
        found = layer.transform_images(PHOTOS, chosen(layer, name))
        expected = getattr(layers, other)()(PHOTOS)
        np.testing.assert_array_equal(array(found), array(expected))
    drawn = [array(layer.get_random_transformation(PHOTOS)["layer_idxes"])[0] for _ in range(60)]
    assert min(drawn) == 0 and max(drawn) == 10 and len(set(drawn)) >= 9
    again = layers.RandAugment(num_ops=1, seed=1)
    first = layers.RandAugment(num_ops=1, seed=1)
    np.testing.assert_array_equal(array(again(PHOTOS)), array(first(PHOTOS)))


@pytest.mark.thorough
def test_rand_augment_moves_boxes_and_masks_with_the_image():
    layer = layers.RandAugment(num_ops=2, factor=0.9, bounding_box_format="xyxy", seed=3)
    transformation = chosen(layer, "random_translation")
    square = np.zeros((2, 8, 10, 1), "float32")
    square[:, 2:4, 3:5] = 200
    images = array(layer.transform_images(np.repeat(square, 3, -1), transformation))
    masks = array(layer.transform_segmentation_masks(square.astype("int32"), transformation))
    assert masks.dtype == "int32" and set(np.unique(masks)) <= {0, 200}
    assert np.abs(images[..., :1] - masks)[masks > 0].max(initial=0) < 200
    boxes = {"boxes": np.array([[[3, 2, 5, 4]]] * 2, "float32"), "labels": np.zeros((2, 1), int)}
    moved = layer.transform_bounding_boxes(boxes, transformation)
    assert tuple(moved["boxes"].shape) == (2, 1, 4)
    assert np.abs(array(moved["boxes"]) - boxes["boxes"]).max() > 0
    with pytest.raises(ValueError, match="bounding_box_format"):
        layers.RandAugment()({"images": PHOTOS, "bounding_boxes": boxes})


def test_aug_mix_is_a_mixture_of_chains():
    layer = layers.AugMix(num_chains=2, chain_depth=2, seed=1)
    nothing = chosen(layer, None)
    np.testing.assert_allclose(array(layer.transform_images(PHOTOS, nothing)), PHOTOS, 1e-5)
    assert array(nothing["chain_mixing_weights"]).sum() == pytest.approx(1)
    twice = chosen(layer, "equalization")
    weight = float(array(twice["weight_sample"]))
    equalized = array(layers.Equalization()(layers.Equalization()(PHOTOS)))
    expected = weight * PHOTOS + (1 - weight) * equalized
    found = array(layer.transform_images(PHOTOS, twice))
    np.testing.assert_allclose(found, expected, 1e-4, 1e-2)


def test_aug_mix_and_rand_augment_take_transformations_in_the_form_of_keras():
    layer = layers.AugMix(num_chains=1, chain_depth=2)
    step = {"layer_name": "auto_contrast", "transformation": None}
    transformation = {
        "chain_mixing_weights": np.ones(1, "float32"),
        "weight_sample": np.float32(0.25),
        "chain_transforms": [[step]],
    }
    stretched = array(layers.AutoContrast()(PHOTOS))
    found = array(layer.transform_images(PHOTOS, transformation))
    np.testing.assert_allclose(found, 0.25 * PHOTOS + 0.75 * stretched, 1e-5)
    layer = layers.RandAugment(num_ops=1)
    transformation = {"layer_idxes": np.array([9]), "transforms": {"auto_contrast": None}}
    np.testing.assert_array_equal(array(layer.transform_images(PHOTOS, transformation)), stretched)


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("name", "short"),
    [("RandAugment", {"num_ops": 1}), ("AugMix", {"num_chains": 1, "chain_depth": 1})],
)
def test_a_compiled_policy_does_what_an_eager_one_does(name, short):
    is_torch = keras.config.backend() == "torch"  # it compiles all branches, and draws by batch
    for seed in range(1 if is_torch else 3):
        eager, compiled = (
            getattr(layers, name)(seed=seed, **(short if is_torch else {})) for _ in range(2)
        )
        images = keras.ops.convert_to_tensor(PHOTOS)
        expected = array(eager(images))  # also loads the backend, before it is traced
        assert np.abs(expected - PHOTOS).max() > 1

        def call(x, layer=compiled):
            return layer(x)

        if is_torch:
            torch = pytest.importorskip("torch")
            torch._dynamo.reset()
            found = torch.compile(call, fullgraph=True, backend="eager")(images)
        else:
            found = current().compile(call, compiled.variables, donate=False)(images)
        np.testing.assert_allclose(array(found), expected, 1e-5, 1e-2)

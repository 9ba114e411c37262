"""draw_segmentation_masks and plot_segmentation_mask_gallery."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import keras_fn as keras
from keras_fn.visualization import draw_segmentation_masks, plot_segmentation_mask_gallery

IMAGES = np.full((1, 2, 2, 3), 100.0)
MASKS = np.array([[[0, 1], [2, 3]]])
COLORS = {1: (200, 0, 0), 2: (0, 200, 0), 3: (0, 0, 200)}


def draw(images=IMAGES, masks=MASKS, **options):
    return draw_segmentation_masks(images, masks, **{"color_mapping": COLORS, **options})


def test_each_class_is_blended_with_its_color():
    drawn = draw(alpha=0.75)
    assert drawn.dtype == np.uint8
    assert drawn[0].tolist() == [[[100] * 3, [175, 25, 25]], [[25, 175, 25], [25, 25, 175]]]


def test_masks_can_be_opaque():
    expected = [[[100] * 3, [200, 0, 0]], [[0, 200, 0], [0, 0, 200]]]
    assert draw(blend=False)[0].tolist() == expected
    assert draw(alpha=1)[0].tolist() == expected
    assert_array_equal(draw(alpha=0), IMAGES)


def test_the_ignored_class_and_those_without_a_color_are_not_drawn():
    drawn = draw(blend=False, ignore_index=1, num_classes=2)
    assert drawn[0].tolist() == [[[100] * 3, [100] * 3], [[0, 200, 0], [100] * 3]]
    assert_array_equal(draw(color_mapping={7: (1, 2, 3)}), IMAGES)
    assert draw(blend=False, color_mapping={0: (1, 2, 3)})[0, 0, 0].tolist() == [1, 2, 3]


def test_default_colors_differ():
    masks = np.arange(25).reshape(1, 5, 5)
    drawn = draw_segmentation_masks(np.zeros((1, 5, 5, 3)), masks, blend=False)
    colors = drawn.reshape(25, 3).astype(int)
    distances = np.abs(colors[:, None] - colors[None]).sum(-1) + 1000 * np.eye(25, dtype=int)
    assert colors[0].tolist() == [0, 0, 0] and distances.min() > 30


def test_masks_and_images_have_any_layout():
    drawn = draw()
    assert_array_equal(draw(masks=MASKS[..., None]), drawn)
    first = IMAGES.transpose(0, 3, 1, 2)
    for masks in (MASKS, MASKS[:, None]):
        result = draw(first, masks, data_format="channels_first")
        assert_array_equal(result, drawn.transpose(0, 3, 1, 2))
    assert_array_equal(draw(IMAGES[..., :1]), drawn)  # gray images become colored
    rgba = draw(np.concatenate([IMAGES, IMAGES[..., :1]], -1))
    assert_array_equal(rgba[..., :3], drawn)
    assert (rgba[..., 3] == 100).all()


def test_tensors_are_drawn_on():
    convert = keras.ops.convert_to_tensor
    assert_array_equal(draw(convert(IMAGES), convert(MASKS)), draw())


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"images": IMAGES[0]}, ValueError, "batch axis"),
        ({"masks": MASKS.astype(float)}, TypeError, "argmax"),
        ({"masks": MASKS[:, :1]}, ValueError, r"\(1, 2, 2\)"),
        ({"alpha": 2}, ValueError, "alpha"),
        ({"color_mapping": {1: "red"}}, ValueError, "color_mapping"),
        ({"color_mapping": [(1, 2, 3)]}, TypeError, "enumerate"),
    ],
)
def test_an_invalid_argument_is_named(arguments, error, match):
    with pytest.raises(error, match=match):
        draw(**arguments)


def test_a_gallery_has_a_row_for_each_image(tmp_path):
    path = tmp_path / "masks.png"
    images, masks = np.zeros((2, 3, 20, 30)), np.ones((2, 1, 20, 30))
    plot_segmentation_mask_gallery(
        images, 1, (0, 1), masks, masks[:, 0], COLORS, path=path, data_format="channels_first"
    )
    pixels = keras.utils.img_to_array(keras.utils.load_img(path))
    assert pixels.shape[1] > pixels.shape[0]
    is_mask = (pixels == np.array([160, 0, 0])).all(-1)
    assert not is_mask[:, : pixels.shape[1] // 3].any() and is_mask[:, -20].any()


def test_a_gallery_of_no_images_is_empty(tmp_path):
    path = tmp_path / "masks.png"
    plot_segmentation_mask_gallery(np.zeros((0, 4, 4, 3)), 1, y_true=np.zeros((0, 4, 4)), path=path)
    assert path.exists()

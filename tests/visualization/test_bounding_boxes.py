"""draw_bounding_boxes and plot_bounding_box_gallery."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import keras_fn as keras
from keras_fn.visualization import draw_bounding_boxes, plot_bounding_box_gallery

BOX = {"boxes": np.array([[[2.0, 3, 6, 7]]]), "labels": np.array([[0]])}
RED = (200, 0, 0)


def rectangle(left, top, right, bottom, size=10):
    """The pixels of a line of thickness 1."""
    drawn = np.zeros((size, size), bool)
    drawn[[top, bottom], left : right + 1] = True
    drawn[top : bottom + 1, [left, right]] = True
    return drawn


def draw(images=None, boxes=BOX, form="xyxy", **options):
    images = np.zeros((1, 10, 10, 3)) if images is None else images
    options = {"color": RED, "line_thickness": 1, **options}
    return draw_bounding_boxes(images, boxes, form, **options)


def test_a_line_of_thickness_1_is_on_the_coordinates():
    drawn = draw()
    assert drawn.dtype == np.uint8 and drawn.shape == (1, 10, 10, 3)
    assert_array_equal(drawn[0], rectangle(2, 3, 6, 7)[..., None] * np.array(RED))


@pytest.mark.parametrize(
    ("form", "box"),
    [
        ("yxyx", [3, 2, 7, 6]),
        ("xywh", [2, 3, 4, 4]),
        ("center_xywh", [4, 5, 4, 4]),
        ("center_yxhw", [5, 4, 4, 4]),
        ("rel_xyxy", [0.2, 0.3, 0.6, 0.7]),
        ("rel_yxyx", [0.3, 0.2, 0.7, 0.6]),
        ("rel_xywh", [0.2, 0.3, 0.4, 0.4]),
        ("rel_center_xywh", [0.4, 0.5, 0.4, 0.4]),
    ],
)
def test_a_box_has_any_format(form, box):
    boxes = {"boxes": np.array([[box]]) + 1e-4, "labels": [[0]]}
    assert_array_equal(draw(boxes=boxes, form=form), draw())


def test_a_thick_line_stays_inside_the_image():
    boxes = {"boxes": [[[0, 0, 10, 10]]], "labels": [[0]]}
    drawn = draw(boxes=boxes, line_thickness=2)[0, ..., 0] > 0
    assert drawn[:2].all() and drawn[:, :2].all() and drawn[-2:].all() and drawn[:, -2:].all()
    assert not drawn[2:-2, 2:-2].any()


@pytest.mark.parametrize(
    ("images", "expected"),
    [
        (np.full((1, 10, 10, 3), 100, np.int64), 100),
        (np.full((1, 10, 10, 3), 0.4, np.float32), 102),
        (np.full((1, 10, 10, 3), 300.0), 255),
        (np.ones((1, 10, 10, 3), bool), 255),
    ],
    ids=["integers", "floats up to 1", "clipped", "booleans"],
)
def test_values_become_bytes(images, expected):
    before = images.copy()
    drawn = draw(images)
    assert drawn[0, 0, 0].tolist() == [expected] * 3
    assert_array_equal(images, before)


def test_images_have_any_layout_and_number_of_channels():
    first = draw(np.zeros((1, 3, 10, 10)), data_format="channels_first")
    assert_array_equal(first, draw().transpose(0, 3, 1, 2))
    gray = draw(np.zeros((1, 10, 10, 1)))
    assert gray.shape == (1, 10, 10, 1) and gray[0, 3, 2, 0] == round(0.299 * 200)
    assert draw(np.zeros((1, 10, 10, 4)))[0, 3, 2].tolist() == [*RED, 255]


def test_tensors_are_drawn_on():
    images = keras.ops.zeros((1, 10, 10, 3))
    boxes = {name: keras.ops.convert_to_tensor(x) for name, x in BOX.items()}
    assert_array_equal(draw(images, boxes), draw())


def test_padding_and_boxes_outside_are_left_out():
    boxes = {
        "boxes": [[[2, 3, 6, 7], [0, 0, 9, 9], [20, 20, 30, 30], [np.nan, 0, 1, 1]]],
        "labels": [[0, -1, 0, 0]],
    }
    assert_array_equal(draw(boxes=boxes), draw())


def test_images_may_have_unequal_numbers_of_boxes():
    images = np.zeros((2, 10, 10, 3))
    boxes = {"boxes": [BOX["boxes"][0], []], "labels": [[0], []]}
    drawn = draw(images, boxes)
    assert_array_equal(drawn[0], draw()[0])
    assert not drawn[1].any()


def test_names_are_drawn_above_the_box_or_inside():
    images = np.zeros((1, 80, 80, 3))
    boxes = {"boxes": [[[10, 40, 70, 70]]], "labels": [[1]], "confidences": [[0.5]]}
    plain = draw(images, boxes)
    assert_array_equal(draw(images, boxes, class_mapping={0: "cat"}), plain)
    named = draw(images, boxes, class_mapping={1: "cat"}) != plain
    assert named[0, 20:40].any() and not named[0, 41:].any()
    boxes["boxes"] = [[[10, 2, 70, 70]]]
    named = draw(images, boxes, class_mapping={1: "cat"}) != draw(images, boxes)
    assert named[0, 3:30].any() and not named[0, 40:].any()


def test_names_fit_into_the_smallest_images():
    for size in (1, 3, 5):
        drawn = draw(np.zeros((1, size, size, 3)), class_mapping={0: "cat"})
        assert drawn.shape == (1, size, size, 3)


def test_larger_and_bolder_text_covers_more_and_stays_inside():
    images = np.zeros((1, 60, 60, 3))
    boxes = {"boxes": [[[5, 40, 30, 55]]], "labels": [[0]]}
    names = {0: "a name that is too long for the image"}

    def count(**options):
        return int((draw(images, boxes, class_mapping={0: "cat"}, **options) > 0).sum())

    assert count() < count(font_scale=1.5)
    assert draw(images, boxes, class_mapping=names).shape == (1, 60, 60, 3)
    bold = draw(images, boxes, class_mapping={0: "cat"}, text_thickness=4)
    assert (bold != draw(images, boxes, class_mapping={0: "cat"})).any()


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"images": np.zeros((10, 10, 3))}, ValueError, "batch axis"),
        ({"images": np.zeros((1, 10, 10, 2))}, ValueError, "channels"),
        ({"boxes": [[[1, 2, 3, 4]]]}, TypeError, "dict"),
        ({"boxes": {"boxes": BOX["boxes"]}}, ValueError, "without 'labels'"),
        ({"boxes": {**BOX, "labels": [0]}}, ValueError, "'labels' for 1 images"),
        ({"boxes": {**BOX, "labels": [[0, 1]]}}, ValueError, "1 boxes, 2 labels of image 0"),
        ({"class_mapping": ["cat"]}, TypeError, "enumerate"),
        ({"form": "xyz"}, ValueError, "xyz"),
        ({"color": (1, 2)}, ValueError, "color"),
        ({"line_thickness": 0}, ValueError, "line_thickness"),
        ({"font_scale": 0}, ValueError, "font_scale"),
        ({"data_format": "first"}, ValueError, "data_format"),
    ],
)
def test_an_invalid_argument_is_named(arguments, error, match):
    with pytest.raises(error, match=match):
        draw(**arguments)


def test_a_gallery_has_boxes_of_both_kinds(tmp_path):
    images = np.zeros((2, 3, 40, 60))
    boxes = {"boxes": [[[5, 5, 30, 30]]] * 2, "labels": [[0]] * 2}
    path = tmp_path / "boxes.png"
    result = plot_bounding_box_gallery(
        images,
        "xyxy",
        y_true=boxes,
        y_pred={**boxes, "confidences": [[0.9]] * 2},
        value_range=(0, 1),
        class_mapping={0: "cat"},
        prediction_mapping={0: "lynx"},
        legend=True,
        path=path,
        data_format="channels_first",
    )
    assert result is None
    colors = {tuple(c) for c in keras.utils.img_to_array(keras.utils.load_img(path)).reshape(-1, 3)}
    assert {(0, 188, 212), (255, 235, 59)} <= colors
    with pytest.raises(ValueError, match="both"):
        plot_bounding_box_gallery(images, "xyxy", legend=True, legend_handles=[1], path=path)

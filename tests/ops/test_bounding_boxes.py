"""`keras.utils.bounding_boxes`, against formulas and values of Keras 3.15.1."""

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import ops
from keras_fn.ops.image.bounding_boxes import FORMATS

boxes_of = keras.utils.bounding_boxes
BOX = [[10.0, 20.0, 30.0, 60.0]]
SAME = {
    "xyxy": [10, 20, 30, 60],
    "yxyx": [20, 10, 60, 30],
    "xywh": [10, 20, 20, 40],
    "center_xywh": [20, 40, 20, 40],
    "center_yxhw": [40, 20, 40, 20],
    "rel_xyxy": [0.1, 0.25, 0.3, 0.75],
    "rel_yxyx": [0.25, 0.1, 0.75, 0.3],
    "rel_xywh": [0.1, 0.25, 0.2, 0.5],
    "rel_center_xywh": [0.2, 0.5, 0.2, 0.5],
}


def numpy(x):
    return np.asarray(ops.convert_to_numpy(x))


@pytest.mark.parametrize("source", FORMATS)
def test_every_format_becomes_every_other(source):
    for target in FORMATS:
        found = boxes_of.convert_format([SAME[source]], source, target, height=80, width=100)
        np.testing.assert_allclose(numpy(found), [SAME[target]], rtol=1e-5)


def test_a_dict_is_copied_and_the_size_is_required_between_relative_and_absolute():
    data = {"boxes": np.array(BOX), "labels": np.array([1])}
    found = boxes_of.convert_format(data, "xyxy", "xywh")
    assert numpy(found["boxes"]).tolist() == [SAME["xywh"]] and data["boxes"].tolist() == BOX
    assert boxes_of.convert_format(keras.Input((None, 4)), "xyxy", "xywh").shape == (None, None, 4)
    for arguments in (("xyxy", "rel_xyxy"), ("xyxy", "xxyy")):
        with pytest.raises(ValueError, match="convert_format"):
            boxes_of.convert_format(BOX, *arguments)
    with pytest.raises(ValueError, match="four numbers"):
        boxes_of.convert_format([[1.0, 2.0]], "xyxy", "xywh")


def test_clip_crop_and_pad():
    data = {"boxes": np.array([[-4.0, 2, 6, 9], [8, 8, 9, 9]]), "labels": np.array([1, 2])}
    found = boxes_of.clip_to_image_size(data, 8, 8)
    assert numpy(found["boxes"]).tolist() == [[0, 2, 6, 8], [8, 8, 8, 8]]
    assert numpy(found["labels"]).tolist() == [1, -1]
    assert numpy(boxes_of.crop(BOX, 30, 15, 20, 40)).tolist() == [[0, 0, 15, 20]]
    assert numpy(boxes_of.pad(BOX, 3, 5)).tolist() == [[15, 23, 35, 63]]
    center = boxes_of.pad([SAME["center_xywh"]], 3, 5, bounding_box_format="center_xywh")
    assert numpy(center).tolist() == [[25, 43, 20, 40]]


def test_affine_transform_of_keras():
    numbers = {"angle": 30.0, "translate_x": 0.1, "translate_y": -0.2, "scale": 1.5}
    numbers.update(shear_x=10.0, shear_y=5.0)
    arrays = {name: np.array([value], "float32") for name, value in numbers.items()}
    found = boxes_of.affine_transform(np.array([BOX], "float32"), **arrays, height=80, width=100)
    expected = [[[-27.2419, -2.5634, 40.6080, 64.7498]]]  # noted from Keras
    np.testing.assert_allclose(numpy(found), expected, atol=0.01)


def test_iou_of_all_pairs_and_masks():
    first = np.array([[0.0, 0, 2, 2], [-1, -1, -1, -1]])
    second = np.array([[1.0, 0, 3, 2], [0, 0, 2, 2], [5, 5, 6, 6]])
    found = boxes_of.compute_iou(first, second, "xyxy", use_masking=True)
    np.testing.assert_allclose(numpy(found), [[1 / 3, 1, 0], [-1, -1, -1]], atol=1e-6)
    batch = boxes_of.compute_iou(first[None] / 10, second[None] / 10, "rel_xyxy",
                                 image_shape=(10, 10, 3))  # fmt: skip
    np.testing.assert_allclose(numpy(batch)[0, 0], [1 / 3, 1, 0], atol=1e-6)


def test_ciou_of_equal_near_and_distant_boxes():
    first = np.array([[0.0, 0, 2, 2]] * 3)
    second = np.array([[0.0, 0, 2, 2], [1, 0, 3, 2], [8, 0, 10, 2]])
    expected = [1, 1 / 3 - 1 / 13, -64 / 104]  # IoU less the distance over the diagonal
    found = numpy(boxes_of.compute_ciou(first, second, "xyxy"))
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("encoding", ["center_xywh", "center_yxhw"])
def test_decoding_inverts_encoding(encoding):
    anchors = np.array([[0.0, 0, 8, 4], [4, 2, 10, 10]])
    boxes = np.array([[1.0, 1, 7, 6], [2, 2, 12, 5]])
    variance = [0.1, 0.1, 0.2, 0.2]
    deltas = boxes_of.encode_box_to_deltas(anchors, boxes, "xyxy", "xyxy", encoding, variance)
    first = [(4 - 4) / 8 / 0.1, (3.5 - 2) / 4 / 0.1, np.log(6 / 8) / 0.2, np.log(5 / 4) / 0.2]
    order = [0, 1, 2, 3] if encoding == "center_xywh" else [1, 0, 3, 2]
    np.testing.assert_allclose(numpy(deltas)[0], np.array(first)[order], rtol=1e-4, atol=1e-6)
    back = boxes_of.decode_deltas_to_boxes(
        {"p3": anchors}, {"p3": deltas}, "xyxy", "xyxy", encoding, variance
    )
    np.testing.assert_allclose(numpy(back["p3"]), boxes, rtol=1e-4)
    with pytest.raises(ValueError, match="variance"):
        boxes_of.encode_box_to_deltas(anchors, boxes, "xyxy", "xyxy", encoding, [0.1])

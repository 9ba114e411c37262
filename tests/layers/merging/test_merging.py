"""Merging: shapes that meet, masks, functions."""

import numpy as np
import pytest

from keras_fn import layers, ops
from keras_fn.layers import Input

A = np.array([[[1.0, 2.0], [3.0, 4.0]]], "float32")
B = np.array([[[5.0, 1.0], [2.0, 8.0]]], "float32")
FIRST, LAST = np.array([[True, False]]), np.array([[False, True]])

FUNCTIONS = {
    "add": A + B,
    "subtract": A - B,
    "multiply": A * B,
    "average": (A + B) / 2,
    "maximum": np.maximum(A, B),
    "minimum": np.minimum(A, B),
    "concatenate": np.concatenate([A, B], -1),
    "dot": np.einsum("bik,bjk->bij", A, B),
}


def merged(layer, masks):
    return ops.convert_to_numpy(layer([A, B], mask=masks)).tolist()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_are_the_layers(name):
    expected = FUNCTIONS[name]
    y = getattr(layers, name)([A, B], name="merged")
    np.testing.assert_allclose(ops.convert_to_numpy(y), expected)
    cls = getattr(layers, name.capitalize())
    layer = cls(axes=-1) if name == "dot" else cls()
    np.testing.assert_allclose(ops.convert_to_numpy(layer([A, B])), expected)
    symbol = getattr(layers, name)([Input((2, 2)), Input((2, 2))])
    assert symbol.shape == (None, *expected.shape[1:])
    assert type(symbol._keras_history.operation) is cls


def test_lower_ranks_get_axes_after_the_batch():
    x, y = Input((3,)), Input((5, 3))
    assert layers.Add()([x, y]).shape == (None, 5, 3)
    assert layers.Add()([Input((None, 3)), Input((1, 3))]).shape == (None, None, 3)
    found = layers.Add()([np.ones((2, 3), "float32"), np.zeros((2, 5, 3), "float32")])
    np.testing.assert_array_equal(ops.convert_to_numpy(found), np.ones((2, 5, 3)))


@pytest.mark.parametrize("cls", ["Add", "Average", "Maximum", "Multiply"])
def test_one_input_is_enough(cls):
    np.testing.assert_array_equal(ops.convert_to_numpy(getattr(layers, cls)()([A])), A)


def test_masked_elements_are_passed_over():
    assert merged(layers.Maximum(), [FIRST, None]) == [[[5.0, 2.0], [2.0, 8.0]]]
    assert merged(layers.Minimum(), [FIRST, LAST]) == [[[1.0, 2.0], [2.0, 8.0]]]
    assert merged(layers.Multiply(), [FIRST, None]) == [[[5.0, 2.0], [2.0, 8.0]]]
    assert merged(layers.Multiply(), [FIRST, FIRST]) == [[[5.0, 2.0], [0.0, 0.0]]]
    assert merged(layers.Add(), [FIRST, LAST]) == (A + B).tolist()


def masked(*shape):
    return layers.Masking()(Input(shape))


def test_masks_meet():
    plain = Input((4, 3))
    assert layers.Add()([masked(4, 3), masked(4, 3)])._keras_mask.shape == (None, 4)
    assert layers.Add()([masked(4, 3), plain])._keras_mask is None
    assert layers.Concatenate()([masked(4, 3), plain])._keras_mask.shape == (None, 4)
    assert layers.Concatenate(1)([masked(4, 3), masked(2, 3)])._keras_mask.shape == (None, 6)
    assert layers.Dot(2)([masked(4, 3), plain])._keras_mask is None


def test_masks_are_joined():
    join = layers.Concatenate(axis=1)
    mask = join.compute_mask([A, B], [FIRST, None])
    assert ops.convert_to_numpy(mask).tolist() == [[True, False, True, True]]
    mask = layers.Concatenate().compute_mask([A, B], [FIRST, LAST])
    assert ops.convert_to_numpy(mask).tolist() == [[True, True]]
    mask = layers.Add().compute_mask([A, B], [FIRST, FIRST])
    assert ops.convert_to_numpy(mask).tolist() == [[True, False]]


def test_normalized_products_are_cosines():
    x = np.array([[3.0, 4.0]], "float32")
    y = layers.Dot(1, normalize=True)([x, 2 * x])
    np.testing.assert_allclose(ops.convert_to_numpy(y), [[1.0]], rtol=1e-6)


@pytest.mark.parametrize(
    ("first", "second", "axes", "expected"),
    [
        ((4,), (4,), 1, (None, 1)),
        ((None, 4), (4, 5), (2, 1), (None, None, 5)),
        ((3, None), (None, 5), (2, 1), (None, 3, 5)),
        ((2, 3, 4), (4,), (3, 1), (None, 2, 3)),
    ],
)
def test_shapes_of_products(first, second, axes, expected):
    assert layers.Dot(axes)([Input(first), Input(second)]).shape == expected


@pytest.mark.parametrize("cls", ["Add", "Multiply", "Average", "Concatenate"])
def test_a_policy_casts_all_inputs(cls):
    layer = getattr(layers, cls)(dtype="mixed_bfloat16")
    assert ops.dtype(layer([A, B])) == "bfloat16"
    assert layer([Input((2, 2)), Input((2, 2))]).dtype == "bfloat16"


def test_a_merge_in_use_takes_other_shapes():
    layer = layers.Add()
    layer([Input((3,)), Input((3,))])
    assert layer([Input((5, 2)), Input((2,))]).shape == (None, 5, 2)
    with pytest.raises(ValueError, match="a list of 1 or more inputs"):
        layer(Input((3,)))


@pytest.mark.parametrize("cls", ["Add", "Concatenate"])
@pytest.mark.parametrize(
    ("inputs", "masks", "message"),
    [
        ([A, B], FIRST, "2 masks, one for each input"),
        ([A, B], [FIRST], "received: 1 masks"),
        (A, [FIRST, None], "received: one tensor"),
    ],
)
def test_a_merge_takes_one_mask_for_each_input(cls, inputs, masks, message):
    with pytest.raises(ValueError, match=message):
        getattr(layers, cls)().compute_mask(inputs, masks)

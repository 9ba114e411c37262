"""Reshaping: open sizes, every order, interpolation, whole batches of nothing."""

import numpy as np
import pytest

from keras_fn import layers, ops
from keras_fn.backend.loader import current
from keras_fn.layers import Input
from keras_fn.models import Model


def numbers(*shape):
    return np.arange(np.prod(shape), dtype="float32").reshape(shape)


@pytest.mark.parametrize(
    ("shape", "target", "expected"),
    [
        ((6, 4), (-1, 3), (None, 8, 3)),
        ((None, 4), (-1, 2), (None, None, 2)),
        ((None, 4), (8,), (None, 8)),
        ((None,), (2, -1), (None, 2, None)),
        ((6,), (6, 1, 1), (None, 6, 1, 1)),
        ((0, 3), (3, 0), (None, 3, 0)),
    ],
)
def test_shapes_are_worked_out_where_they_can_be(shape, target, expected):
    x = Input(shape)
    y = layers.Reshape(target)(x)
    assert y.shape == expected
    model = Model(x, y)
    sample = numbers(2, *[2 if n is None else n for n in shape])
    if np.prod(sample.shape[1:]) == np.prod([n for n in target if n != -1]) or -1 in target:
        expected = sample.reshape(2, *target) if sample.size else np.zeros((2, *target))
        np.testing.assert_array_equal(ops.convert_to_numpy(model(sample)), expected)


def test_a_sample_is_never_cut_in_pieces():
    """With an open size the batch could take what the target does not."""
    layer = layers.Reshape((2,))
    layer(Input((None,)))
    with pytest.raises(ValueError, match="samples whose elements fill"):
        layer(numbers(3, 4))


@pytest.mark.parametrize("batch", [1, 0])
def test_a_batch_of_nothing_keeps_its_sizes(batch):
    x = numbers(batch, 4, 6)
    for layer, shape in [
        (layers.Reshape((-1, 8)), (batch, 3, 8)),
        (layers.Flatten(), (batch, 24)),
        (layers.Permute((2, 1)), (batch, 6, 4)),
        (layers.ZeroPadding1D(1), (batch, 6, 6)),
        (layers.UpSampling1D(2), (batch, 8, 6)),
    ]:
        assert tuple(layer(x).shape) == shape


def test_flatten_knows_the_size_or_leaves_it_open():
    assert layers.Flatten()(Input((3, 4))).shape == (None, 12)
    assert layers.Flatten()(Input((None, 4))).shape == (None, None)
    assert layers.Flatten()(Input(())).shape == (None, 1)
    assert layers.Flatten()(Input(batch_shape=(5, 3, 4))).shape == (5, 12)
    first = layers.Flatten(data_format="channels_first")(numbers(1, 2, 3))
    assert ops.convert_to_numpy(first).tolist() == [[0, 3, 1, 4, 2, 5]]


def test_padding_and_cropping_undo_each_other():
    x = numbers(2, 3, 4, 5, 2)
    ends = ((1, 0), (2, 3), (0, 1))
    y = layers.Cropping3D(ends)(layers.ZeroPadding3D(ends)(x))
    np.testing.assert_array_equal(ops.convert_to_numpy(y), x)
    padded = ops.convert_to_numpy(layers.ZeroPadding3D(ends)(x))
    np.testing.assert_array_equal(padded, np.pad(x, [(0, 0), *ends, (0, 0)]))


def test_nearest_repeats_elements():
    x = numbers(1, 2, 3, 2)
    y = layers.UpSampling2D((2, 3))(x)
    np.testing.assert_array_equal(ops.convert_to_numpy(y), x.repeat(2, 1).repeat(3, 2))


@pytest.mark.parametrize("method", ["bilinear", "bicubic", "lanczos3", "lanczos5"])
def test_interpolation_keeps_what_is_the_same_everywhere(method):
    x = np.full((1, 3, 4, 2), 7.0, "float32")
    y = layers.UpSampling2D(3, interpolation=method)(x)
    np.testing.assert_allclose(ops.convert_to_numpy(y), np.full((1, 9, 12, 2), 7.0), rtol=1e-5)


def test_bilinear_goes_straight_from_one_element_to_the_next():
    x = np.array([0.0, 1.0, 3.0], "float32").reshape(1, 1, 3, 1)
    y = layers.UpSampling2D((1, 2), interpolation="bilinear")(x)
    expected = np.interp((np.arange(6) + 0.5) / 2 - 0.5, [0, 1, 2], [0, 1, 3])
    np.testing.assert_allclose(ops.convert_to_numpy(y).ravel(), expected, rtol=1e-6)


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
def test_open_sizes_stay_open(interpolation):
    layer = layers.UpSampling2D((2, 3), interpolation=interpolation)
    x = Input((None, 4, 3))
    assert layer(x).shape == (None, None, 12, 3)
    run = current().compile(layer, [])
    small, large = numbers(1, 2, 4, 3), numbers(1, 5, 4, 3)
    for images in (small, large):
        images = ops.convert_to_tensor(images)
        got, expected = (ops.convert_to_numpy(f(images)) for f in (run, layer))
        np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5)

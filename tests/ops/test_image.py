"""Images: what is random, what a graph does not know, and programs of several ops."""

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import ops

LAST = {"data_format": "channels_last"}


def to_numpy(x):
    return np.asarray(ops.convert_to_numpy(x))


def images(*shape, seed=0):
    return np.random.default_rng(seed).uniform(size=shape).astype("float32")


def elastic(x, **options):
    return to_numpy(ops.image.elastic_transform(x, **{**LAST, **options}))


def test_elastic_transform_moves_little_by_little():
    ramp = np.broadcast_to(np.arange(32.0)[:, None], (32, 32))
    x = np.stack([ramp, ramp.T], -1).astype("float32")  # each pixel names its place
    y = elastic(x, alpha=5.0, sigma=4.0, fill_mode="nearest", seed=3)
    moves = y - x
    assert 0.1 < np.abs(moves).max() < 10
    assert np.abs(moves[..., 0] - moves[..., 1]).max() > 0.1  # rows and columns apart
    inner = moves[4:-4, 4:-4]
    assert np.abs(np.diff(inner, axis=0)).max() < np.abs(moves).max() / 2


def test_elastic_transform_without_strength_is_nothing():
    x = images(2, 9, 7, 3)
    np.testing.assert_allclose(elastic(x, alpha=0.0, seed=1), x, atol=1e-6)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("shape", [(2, 8, 8, 3), (8, 8, 3)])
def test_elastic_transform_keeps_shapes(shape, data_format):
    x = images(*shape).astype("float16")
    y = elastic(x, seed=1, data_format=data_format)
    assert (y.shape, y.dtype) == (x.shape, x.dtype)


def test_one_seed_moves_alike():
    x = images(2, 9, 7, 3)
    np.testing.assert_array_equal(elastic(x, seed=1), elastic(x, seed=1))
    assert np.abs(elastic(x, seed=1) - elastic(x, seed=2)).max() > 1e-3
    assert np.abs(elastic(x, seed=1)[0] - elastic(x[:1].repeat(2, 0), seed=1)[1]).max() > 1e-3


def test_without_a_seed_that_of_the_process_counts():
    x = images(2, 9, 7, 3)
    keras.utils.set_random_seed(5)
    first, second = elastic(x), elastic(x)
    assert np.abs(first - second).max() > 1e-3
    keras.utils.set_random_seed(5)
    np.testing.assert_array_equal(elastic(x), first)


def test_a_generator_moves_on():
    x = images(2, 9, 7, 3)
    generator = keras.random.SeedGenerator(4)
    assert np.abs(elastic(x, seed=generator) - elastic(x, seed=generator)).max() > 1e-3


def test_no_seed():
    with pytest.raises(TypeError, match="an integer seed, or a SeedGenerator"):
        elastic(images(4, 4, 1), seed="x")


OPEN = [
    (lambda x: ops.image.resize(x, (4, 6), antialias=True, **LAST), "bilinear"),
    (lambda x: ops.image.resize(x, (4, 6), interpolation="nearest", **LAST), "nearest"),
    (lambda x: ops.image.resize(x, (4, 6), "lanczos3", crop_to_aspect_ratio=True, **LAST), "crop"),
    (lambda x: ops.image.resize(x, (6, 4), pad_to_aspect_ratio=True, fill_value=2, **LAST), "pad"),
    (lambda x: ops.image.pad_images(
        x, top_padding=1, target_height=12, left_padding=2, right_padding=1, **LAST), "pad_images"),
    (lambda x: ops.image.crop_images(
        x, bottom_cropping=1, target_height=3, left_cropping=1, right_cropping=1, **LAST),
     "crop_images"),
    (lambda x: ops.image.extract_patches(x, (2, 3), 2, padding="same", **LAST), "patches"),
    (lambda x: ops.image.extract_patches(x, 2, dilation_rate=2, **LAST), "patches with holes"),
    (lambda x: ops.image.gaussian_blur(x, **LAST), "blur"),
    (lambda x: ops.image.sobel_edges(x, **LAST), "edges"),
    (lambda x: ops.image.affine_transform(
        x, [1.0, 0.2, 0.5, 0.1, 1.0, 0.3, 0.0, 0.0], fill_mode="mirror", **LAST), "affine"),
    (lambda x: ops.image.ssim(x, x * x, filter_size=3, **LAST), "ssim"),
    (lambda x: ops.image.rgb_to_hsv(x, **LAST), "hsv"),
]  # fmt: skip


@pytest.mark.parametrize("op", [f for f, _ in OPEN], ids=[name for _, name in OPEN])
def test_sizes_that_a_graph_does_not_know(op):
    """A model whose batch, height and width are open, on images of two sizes."""
    entrance = keras.Input((None, None, 3))
    model = keras.Model(entrance, op(entrance))
    for shape in ((2, 7, 5, 3), (3, 6, 9, 3)):
        x = images(*shape)
        wanted = to_numpy(op(x))
        np.testing.assert_allclose(model.predict(x, verbose=0), wanted, rtol=1e-5, atol=1e-5)
        inferred = op(entrance).shape
        assert all(a in (None, b) for a, b in zip(inferred, wanted.shape, strict=True))


def test_colours_turn_back():
    x = images(2, 5, 4, 3)
    back = ops.image.hsv_to_rgb(ops.image.rgb_to_hsv(x, **LAST), **LAST)
    np.testing.assert_allclose(to_numpy(back), x, atol=1e-5)


def test_a_blur_takes_deviations_from_a_tensor():
    x = images(1, 9, 9, 2)
    sigma = ops.convert_to_tensor([0.7, 1.6])
    one = ops.image.gaussian_blur(x, (5, 3), sigma, **LAST)
    other = ops.image.gaussian_blur(x, (5, 3), (0.7, 1.6), **LAST)
    np.testing.assert_allclose(to_numpy(one), to_numpy(other), atol=1e-6)


def test_patches_of_volumes_by_the_size():
    x = images(1, 4, 4, 4, 2)
    one = ops.image.extract_patches(x, (2, 2, 2), **LAST)
    np.testing.assert_array_equal(
        to_numpy(one), to_numpy(ops.image.extract_patches_3d(x, 2, **LAST))
    )


def test_a_perspective_without_a_solution_is_refused():
    points = np.zeros((4, 2), "float32")
    with pytest.raises(ValueError, match="can be inverted"):
        ops.image.perspective_transform(images(4, 4, 1), points, points, **LAST)

"""Images as arrays and files, against Pillow and NumPy."""

import io
import sys
import warnings

import numpy as np
import pytest
from PIL import Image

import keras_fn as keras
from keras_fn import ops
from keras_fn.errors import DTypeError, SpecError
from keras_fn.ops.image.resizing import INTERPOLATIONS as OP_INTERPOLATIONS
from keras_fn.utils import image_resizing, image_utils
from keras_fn.utils.image_resizing import (
    INTERPOLATIONS,
    resize_image,
    resize_with_crop,
    resize_with_pad,
)
from keras_fn.utils.image_utils import decode_image

RANDOM = np.random.default_rng(0)
PIXELS = RANDOM.integers(0, 256, (12, 20, 3)).astype("uint8")


@pytest.fixture
def png(tmp_path):
    path = tmp_path / "image.png"
    Image.fromarray(PIXELS).save(path)
    return path


def test_an_image_is_loaded_from_a_path_or_bytes(png):
    for path in (png, str(png), str(png).encode(), io.BytesIO(png.read_bytes())):
        np.testing.assert_array_equal(np.asarray(keras.utils.load_img(path)), PIXELS)
    with pytest.raises(DTypeError, match="BytesIO"):
        keras.utils.load_img(png.read_bytes().hex)
    with pytest.raises(OSError):
        keras.utils.load_img(png.parent / "none.png")


def test_color_modes(png, tmp_path):
    for color_mode, mode in (("rgb", "RGB"), ("rgba", "RGBA"), ("grayscale", "L")):
        assert keras.utils.load_img(png, color_mode).mode == mode
    Image.fromarray(np.full((2, 2), 40_000, "uint16")).save(tmp_path / "wide.png")
    wide = keras.utils.load_img(tmp_path / "wide.png", "grayscale")
    assert np.asarray(wide).max() == 40_000
    with pytest.raises(SpecError, match="color_mode"):
        keras.utils.load_img(png, "bgr")


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear", "bicubic", "lanczos", "box"])
def test_an_image_is_resized_by_pillow(png, interpolation):
    whole = keras.utils.load_img(png, target_size=(6, 6), interpolation=interpolation)
    method = Image.Resampling[interpolation.upper()]
    wanted = Image.fromarray(PIXELS).resize((6, 6), method)
    np.testing.assert_array_equal(np.asarray(whole), np.asarray(wanted))
    part = keras.utils.load_img(
        png, target_size=(6, 6), interpolation=interpolation, keep_aspect_ratio=True
    )
    wanted = Image.fromarray(PIXELS).resize((6, 6), method, box=(4, 0, 16, 12))
    np.testing.assert_array_equal(np.asarray(part), np.asarray(wanted))


def test_the_part_of_an_extreme_aspect_ratio_is_not_empty():
    file = io.BytesIO()
    Image.new("RGB", (4, 2), "red").save(file, "png")
    for size in ((1, 100), (100, 1)):
        image = keras.utils.load_img(file, target_size=size, keep_aspect_ratio=True)
        assert (np.asarray(image) == (255, 0, 0)).all()


def test_the_file_of_an_animation_is_closed(tmp_path):
    frames = [Image.new("RGB", (8, 8), color) for color in ("red", "blue")]
    for name in ("a.gif", "a.png"):
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:])
        with warnings.catch_warnings():
            warnings.simplefilter("error", ResourceWarning)
            image = keras.utils.load_img(tmp_path / name)
        assert getattr(image, "fp", None) is None and image.getpixel((0, 0)) == (255, 0, 0)


def test_arguments_of_load_img_are_checked(png):
    for options in ({"target_size": (0, 3)}, {"target_size": (1, 2, 3)}, {"interpolation": "area"}):
        with pytest.raises(SpecError):
            keras.utils.load_img(png, **options)


def test_images_and_arrays():
    image = Image.fromarray(PIXELS)
    array = keras.utils.img_to_array(image)
    assert array.dtype == "float32" and (array == PIXELS).all()
    first = keras.utils.img_to_array(image, "channels_first", "uint8")
    assert first.dtype == "uint8" and first.shape == (3, 12, 20)
    assert keras.utils.img_to_array(image.convert("L"), "channels_first").shape == (1, 12, 20)
    for x in (array, first, ops.convert_to_tensor(array)):
        data_format = "channels_first" if x is first else None
        back = keras.utils.array_to_img(x, data_format, scale=False)
        np.testing.assert_array_equal(np.asarray(back), PIXELS)


def test_scaled_values_are_from_0_to_255():
    scaled = np.asarray(keras.utils.array_to_img([[[-1.0], [0.0], [3.0]]]))
    assert scaled.tolist() == [[0, 63, 255]]
    assert np.asarray(keras.utils.array_to_img(np.full((2, 2, 3), 7.0))).max() == 0
    wide = keras.utils.array_to_img(np.full((2, 2, 1), 300.0), scale=False)
    assert wide.mode == "I" and wide.getpixel((0, 0)) == 300
    cut = keras.utils.array_to_img([[[300.0, -5.0, 7.9]]], scale=False)
    assert cut.getpixel((0, 0)) == (255, 0, 7)


@pytest.mark.parametrize("shape", [(4,), (4, 4), (4, 4, 2), (1, 4, 4, 3)])
def test_what_is_not_an_image_is_refused(shape):
    with pytest.raises(SpecError, match="shape"):
        keras.utils.array_to_img(np.zeros(shape))
    if len(shape) not in (2, 3):
        with pytest.raises(SpecError, match="shape"):
            keras.utils.img_to_array(np.zeros(shape))


def test_images_are_saved(tmp_path):
    for path in (tmp_path / "a.png", str(tmp_path / "b.bmp")):
        keras.utils.save_img(path, PIXELS, scale=False)
        np.testing.assert_array_equal(np.asarray(Image.open(path)), PIXELS)
    file = io.BytesIO()
    keras.utils.save_img(file, PIXELS, file_format="jpg", quality=95)
    assert Image.open(file).format == "JPEG"
    with pytest.warns(UserWarning, match="transparency"):
        keras.utils.save_img(tmp_path / "c.jpg", np.zeros((4, 4, 4)))
    with pytest.raises(ValueError):
        keras.utils.save_img(tmp_path / "d.unknown", PIXELS)


def test_without_pillow_an_error_names_the_extra(png, monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    for call in (lambda: keras.utils.load_img(png), lambda: keras.utils.array_to_img(PIXELS)):
        with pytest.raises(ImportError, match=r"keras-fn\[image\]"):
            call()


# ---------------------------------------------------------------- resizing


@pytest.mark.parametrize("interpolation", [m for m in INTERPOLATIONS if m in OP_INTERPOLATIONS])
@pytest.mark.parametrize("size", [(5, 7), (30, 21)])
def test_images_are_resized_as_by_ops(interpolation, size):
    resized = resize_image(PIXELS, size, interpolation)
    assert resized.dtype == "float32" and resized.shape == (*size, 3)
    options = {"interpolation": interpolation, "data_format": "channels_last"}
    wanted = np.asarray(ops.image.resize(PIXELS.astype("float32"), size, **options))
    np.testing.assert_allclose(resized, wanted, atol=2e-3)
    cropped = resize_with_crop(PIXELS, size, interpolation)
    wanted = ops.image.resize(PIXELS.astype("float32"), size, crop_to_aspect_ratio=True, **options)
    np.testing.assert_allclose(cropped, np.asarray(wanted), atol=2e-3)


@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
def test_constant_images_stay_constant_and_equal_sizes_nearly_equal(interpolation):
    image = np.full((9, 13, 1), 77, "uint8")
    for size in ((4, 5), (18, 20), (9, 13), (1, 1)):
        np.testing.assert_allclose(resize_image(image, size, interpolation), 77, rtol=1e-5)
    if interpolation not in ("gaussian", "mitchellcubic"):  # which smooth
        same = resize_image(PIXELS, PIXELS.shape[:2], interpolation)
        np.testing.assert_allclose(same, PIXELS, atol=1e-3)


def test_areas_are_averaged():
    blocks = PIXELS.astype("float64").reshape(4, 3, 5, 4, 3).mean((1, 3))
    np.testing.assert_allclose(resize_image(PIXELS, (4, 5), "area"), blocks, rtol=1e-5)


def test_padding_keeps_the_aspect_ratio():
    padded = resize_with_pad(PIXELS, (20, 20), "nearest")
    assert padded.shape == (20, 20, 3)
    np.testing.assert_array_equal(padded[4:16], PIXELS)
    assert not padded[:4].any() and not padded[16:].any()
    assert resize_with_pad(np.ones((1, 100, 3), "uint8"), (8, 8), "bilinear").any()


@pytest.mark.parametrize("shape", [(12, 20, 3), (2, 12, 20, 3)])
def test_smart_resize_crops_and_resizes(shape):
    smart_resize = keras.preprocessing.image.smart_resize
    x = RANDOM.normal(size=shape).astype("float32")
    resized = smart_resize(x, (6, 6))
    assert isinstance(resized, np.ndarray)
    wanted = np.asarray(ops.image.resize(x[..., 4:16, :], (6, 6)))
    np.testing.assert_allclose(resized, wanted, atol=1e-5)
    first = smart_resize(np.moveaxis(x, -1, -3), (6, 6), data_format="channels_first")
    np.testing.assert_allclose(np.moveaxis(first, -3, -1), wanted, atol=1e-5)
    tensor = smart_resize(ops.convert_to_tensor(x), (6, 6))
    assert not isinstance(tensor, np.ndarray)


def test_arguments_of_smart_resize_are_checked():
    smart_resize = keras.preprocessing.image.smart_resize
    for x, size, options in (
        (np.zeros((4, 4)), (2, 2), {}),
        (np.zeros((4, 4, 3)), (2,), {}),
        (np.zeros((4, 4, 3)), (2, 2), {"interpolation": "area"}),
        (np.zeros((4, 4, 3)), (2, 2), {"backend": 1}),
    ):
        with pytest.raises(SpecError):
            smart_resize(x, size, **options)


def test_opencv_resizes_to_the_same(monkeypatch):
    pytest.importorskip("cv2")
    for size in ((5, 7), (30, 21), (1, 1)):
        for image in (PIXELS, PIXELS[..., :1]):
            fast = resize_image(image, size, "bilinear")
            with monkeypatch.context() as patch:
                patch.setattr(image_resizing, "_has_opencv", lambda: False)
                np.testing.assert_allclose(fast, resize_image(image, size, "bilinear"), atol=5e-3)


# ---------------------------------------------------------------- decoding


def test_simplejpeg_decodes_to_the_same(tmp_path, monkeypatch):
    pytest.importorskip("simplejpeg")
    path = str(tmp_path / "image.jpg")
    for mode in ("RGB", "L"):
        Image.fromarray(PIXELS).convert(mode).save(path)
        for color_mode in ("rgb", "grayscale", "rgba"):
            fast = decode_image(path, color_mode)
            with monkeypatch.context() as patch:
                patch.setattr(image_utils, "_has_simplejpeg", lambda: False)
                np.testing.assert_array_equal(fast, decode_image(path, color_mode))
    Image.fromarray(PIXELS).save(path, format="png")  # misnamed
    np.testing.assert_array_equal(decode_image(path, "rgb"), PIXELS)


def test_files_are_decoded_to_bytes_of_the_color_mode(tmp_path):
    for name, image in {
        "rgb.png": Image.fromarray(PIXELS),
        "gray.png": Image.fromarray(PIXELS[..., 0]),
        "palette.png": Image.fromarray(PIXELS).convert("P"),
        "alpha.png": Image.fromarray(np.concatenate([PIXELS, PIXELS[..., :1]], -1)),
        "two.gif": Image.fromarray(PIXELS).convert("P"),
    }.items():
        path = tmp_path / name
        more = {"save_all": True, "append_images": [Image.new("P", (20, 12))]}
        image.save(path, **(more if name == "two.gif" else {}))
        rgb = np.asarray(image.convert("RGB"))
        np.testing.assert_array_equal(decode_image(str(path), "rgb"), rgb)
        assert decode_image(str(path), "grayscale").shape == (12, 20, 1)
        rgba = decode_image(str(path), "rgba")
        assert rgba.shape == (12, 20, 4)
        assert (rgba[..., 3] == (PIXELS[..., 0] if name == "alpha.png" else 255)).all()


def test_gray_values_of_16_bits_are_reduced_to_8(tmp_path):
    wide = RANDOM.integers(0, 2**16, (5, 4)).astype("uint16")
    Image.fromarray(wide).save(tmp_path / "wide.png")
    for color_mode in ("rgb", "grayscale"):
        decoded = decode_image(str(tmp_path / "wide.png"), color_mode)
        np.testing.assert_array_equal(decoded[..., 0], wide >> 8)

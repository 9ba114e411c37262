"""Images as arrays and files: `load_img`, `save_img`, `img_to_array`, `array_to_img` and more."""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from keras_fn._lazy import LazyModule
from keras_fn.backend.loader import current
from keras_fn.core.dtypes import numpy_dtype, standardize_dtype
from keras_fn.errors import DTypeError, SpecError, check_choice, unexpected_arguments
from keras_fn.ops.core import convert_to_tensor
from keras_fn.ops.image.resizing import resize
from keras_fn.settings import is_installed, settings, standardize_data_format
from keras_fn.types import NoArguments, PathLike, Tensor, TensorLike

if TYPE_CHECKING:
    from typing import Unpack

    from PIL.Image import Image

pil_image: Any = LazyModule("PIL.Image", pip="keras-fn[image]")

_simplejpeg: Any = LazyModule("simplejpeg")

COLOR_MODES = {"rgb": "RGB", "rgba": "RGBA", "grayscale": "L"}
"""The mode in Pillow of each color mode."""

CHANNELS = {"rgb": 3, "rgba": 4, "grayscale": 1}
"""The number of channels of each color mode."""

_MODES = {1: "L", 3: "RGB", 4: "RGBA"}
_WIDE_MODES = ("I;16", "I;16B", "I;16L", "I")  # gray, of more than 8 bits
_PIL_INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "hamming", "box", "lanczos")


def load_img(
    path: PathLike | bytes | io.BytesIO,
    color_mode: str = "rgb",
    target_size: Sequence[int] | None = None,
    interpolation: str = "nearest",
    keep_aspect_ratio: bool = False,
) -> Image:
    """Loads an image from a file.

    Args:
        path: Path of the file, or a `BytesIO` with its contents.
        color_mode: `"rgb"`, `"rgba"` or `"grayscale"`. Gray images of 16 and 32 bits stay so.
        target_size: Height and width to resize the image to; None leaves it as it is.
        interpolation: `"nearest"`, `"bilinear"`, `"bicubic"`, `"lanczos"`, `"box"` or `"hamming"`:
            the filter of Pillow, which averages over areas when it makes an image smaller.
        keep_aspect_ratio: Whether the largest centered part of the aspect ratio of `target_size` is
            resized, not the whole image.

    Returns:
        A Pillow image.

    Raises:
        ImportError: Pillow is not installed.
        OSError: The file cannot be read or is not an image.
        ValueError: An option is unknown.

    Example:
        >>> import io
        >>> file = io.BytesIO()
        >>> keras.utils.save_img(file, np.zeros((4, 6, 3)), file_format="png")
        >>> keras.utils.load_img(file, target_size=(2, 2)).size
        (2, 2)
    """
    mode = COLOR_MODES[check_choice("load_img", "color_mode", color_mode, COLOR_MODES)]
    check_choice("load_img", "interpolation", interpolation, _PIL_INTERPOLATIONS)
    if not isinstance(path, (str, bytes, os.PathLike, io.BytesIO)):
        raise DTypeError(
            "load_img",
            expected="a path or a BytesIO",
            received=f"a {type(path).__name__}",
            fix="wrap the contents of a file: io.BytesIO(contents)",
        )
    # Of an animation Pillow would keep the file open, for its other frames.
    with pil_image.open(os.fsdecode(path) if isinstance(path, bytes) else path) as image:
        image.load()
    is_wide_gray = mode == "L" and image.mode in _WIDE_MODES
    if image.mode != mode and not is_wide_gray:
        image = image.convert(mode)
    if target_size is None:
        return image
    height, width = check_size("load_img", "target_size", target_size)
    if image.size == (width, height):
        return image
    box = None
    if keep_aspect_ratio:
        box_width = max(min(image.width, image.height * width // height), 1)
        box_height = max(min(image.height, image.width * height // width), 1)
        left, top = (image.width - box_width) // 2, (image.height - box_height) // 2
        box = (left, top, left + box_width, top + box_height)
    return image.resize((width, height), pil_image.Resampling[interpolation.upper()], box=box)


def img_to_array(img: Any, data_format: str | None = None, dtype: Any = None) -> np.ndarray:
    """Converts an image to an array.

    Args:
        img: A Pillow image, or an array of shape `(height, width)` or `(height, width, channels)`.
        data_format: `"channels_last"` or `"channels_first"`; by default as in the Keras config.
        dtype: Dtype of the array; `keras.config.floatx()` by default.

    Returns:
        An array of shape `(height, width, channels)`, or with the channels first.

    Raises:
        ValueError: It is not a single image.

    Example:
        >>> keras.utils.img_to_array(np.zeros((4, 6))).shape
        (4, 6, 1)
    """
    is_first = standardize_data_format(data_format) == "channels_first"
    array = np.asarray(img, dtype=_get_dtype(dtype))
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim != 3:
        raise SpecError(
            "img_to_array",
            expected="one image: of rank 2, or 3 with channels",
            received=f"shape {array.shape}",
            fix="convert the images of a batch one by one",
        )
    return array.transpose(2, 0, 1) if is_first else array


def array_to_img(
    x: TensorLike, data_format: str | None = None, scale: bool = True, dtype: Any = None
) -> Image:
    """Converts an array to an image.

    Args:
        x: Array or tensor of shape `(height, width, channels)` with 1, 3 or 4 channels, or with the
            channels first.
        data_format: `"channels_last"` or `"channels_first"`; by default as in the Keras config.
        scale: Whether the values are scaled so that the smallest is 0 and the largest 255. Without
            it they are cut to integers from 0 to 255; gray values above become a 32-bit image.
        dtype: Dtype to compute with; `keras.config.floatx()` by default.

    Returns:
        A Pillow image.

    Raises:
        ImportError: Pillow is not installed.
        ValueError: The shape is another one.

    Example:
        >>> keras.utils.array_to_img(np.zeros((4, 6, 3))).size
        (6, 4)
    """
    is_first = standardize_data_format(data_format) == "channels_first"
    host = current().convert_to_numpy(x) if current().is_tensor(x) else x
    array = np.asarray(host, dtype=_get_dtype(dtype))
    if array.ndim == 3 and is_first:
        array = array.transpose(1, 2, 0)
    if array.ndim != 3 or array.shape[-1] not in _MODES:
        raise SpecError(
            "array_to_img",
            expected="an image (height, width, channels) with 1, 3 or 4 channels",
            received=f"shape {np.shape(array)}",
            fix="pass one image of a batch, with its axis of channels",
        )
    if scale:
        array = array - array.min()
        array = array * (255 / (array.max() or 1))
    mode = _MODES[array.shape[-1]]
    if mode == "L" and array.max() > 255:
        return pil_image.fromarray(array[..., 0].astype("int32"))  # mode "I"
    pixels = array.clip(0, 255).astype("uint8")
    return pil_image.fromarray(pixels[..., 0] if mode == "L" else pixels)


def save_img(
    path: PathLike | IO[bytes],
    x: TensorLike,
    data_format: str | None = None,
    file_format: str | None = None,
    scale: bool = True,
    **kwargs: Any,
) -> None:
    """Saves an array as an image.

    Args:
        path: Path of the file, or a file that is open for writing.
        x: Array or tensor of shape `(height, width, channels)`, or with the channels first.
        data_format: `"channels_last"` or `"channels_first"`; by default as in the Keras config.
        file_format: Name of the format; by default that of the extension. A file needs it.
        scale: Whether the values are scaled so that the smallest is 0 and the largest 255.
        **kwargs: Options of the format, which Pillow's `save` takes.

    Raises:
        ImportError: Pillow is not installed.
        ValueError: The shape is not that of an image, or the format is unknown.

    Example:
        >>> import io
        >>> file = io.BytesIO()
        >>> keras.utils.save_img(file, np.zeros((4, 6, 3)), file_format="png")
        >>> file.getvalue()[1:4]
        b'PNG'
    """
    if file_format is None and isinstance(path, (str, os.PathLike)):
        file_format = Path(path).suffix[1:]
    file_format = (file_format or "").lower()
    file_format = "jpeg" if file_format == "jpg" else file_format
    image = array_to_img(x, data_format, scale)
    if image.mode == "RGBA" and file_format == "jpeg":
        warnings.warn("JPEG has no transparency: the fourth channel is not saved.", stacklevel=2)
        image = image.convert("RGB")
    try:
        image.save(path, format=file_format or None, **kwargs)
    except KeyError:  # of Pillow's table of formats
        raise SpecError(
            "save_img",
            expected="a format that Pillow writes, such as png or jpeg",
            received=f"{file_format!r}",
            fix="check the extension of the path, or pass file_format",
        ) from None


def smart_resize(
    x: TensorLike,
    size: Sequence[int],
    interpolation: str = "bilinear",
    data_format: str = "channels_last",
    **kwargs: Unpack[NoArguments],
) -> Any:
    """Resizes images without distortion: the largest centered part of the new aspect ratio.

    Args:
        x: Array or tensor of shape `(height, width, channels)` or `(batch, height, width,
            channels)`, or with the channels before the height.
        size: The new height and width.
        interpolation: `"bilinear"`, `"nearest"`, `"bicubic"`, `"lanczos3"` or `"lanczos5"`.
        data_format: `"channels_last"` or `"channels_first"`.

    Returns:
        The images with the new height and width, of the dtype of `x`: an array for an array, else a
        tensor.

    Raises:
        ValueError: The shape is not that of images, or an option is unknown.

    Example:
        >>> x = np.zeros((340, 500, 3), "float32")
        >>> keras.preprocessing.image.smart_resize(x, (200, 200)).shape
        (200, 200, 3)
    """
    if kwargs:
        raise unexpected_arguments("smart_resize", kwargs, ("x", "size", "interpolation"))
    target = check_size("smart_resize", "size", size)
    data_format = standardize_data_format(data_format)
    images: Any = convert_to_tensor(x)
    rank = len(images.shape)
    if rank not in (3, 4):
        raise SpecError(
            "smart_resize",
            expected="an image of rank 3, or a batch of rank 4",
            received=f"shape {tuple(images.shape)}",
            fix="add an axis of channels: x[..., None]",
        )
    resized: Tensor = resize(
        images, target, interpolation, crop_to_aspect_ratio=True, data_format=data_format
    )
    return current().convert_to_numpy(resized) if isinstance(x, np.ndarray) else resized


def _get_dtype(dtype: Any) -> np.dtype:
    return numpy_dtype(standardize_dtype(dtype or settings.floatx))


def check_size(source: str, argument: str, size: Any) -> tuple[int, int]:
    """Returns an argument that is a height and a width.

    Args:
        source: The function that is called, for errors.
        argument: The name of the argument.
        size: Its value; a single number is both.
    """
    is_number = isinstance(size, (int, np.integer))
    sizes = (size, size) if is_number else tuple(size) if isinstance(size, Iterable) else ()
    if len(sizes) != 2 or not all(isinstance(n, (int, np.integer)) and n > 0 for n in sizes):
        raise SpecError(
            source,
            expected=f"{argument} as a height and a width, positive integers",
            received=f"{argument}={size!r:.100}",
            fix=f"for example {argument}=(224, 224)",
        )
    return int(sizes[0]), int(sizes[1])


def decode_image(path: str, color_mode: str) -> np.ndarray:
    """Returns the pixels of an image file; of an animation, those of the first frame.

    Gray values of 16 bits are reduced to their upper 8. JPEGs are decoded by simplejpeg if it is
    installed, which is faster than Pillow: both return the same pixels.

    Args:
        path: Path of the file.
        color_mode: A key of `COLOR_MODES`.

    Returns:
        A uint8 array of shape `(height, width, channels)`.
    """
    mode = COLOR_MODES[color_mode]
    if mode != "RGBA" and path.lower().endswith((".jpg", ".jpeg")) and _has_simplejpeg():
        with open(path, "rb") as file:
            contents = file.read()
        with suppress(ValueError):  # Pillow knows more kinds of JPEGs, and says what is wrong
            return _simplejpeg.decode_jpeg(contents, "RGB" if mode == "RGB" else "GRAY")
    with pil_image.open(path) as image:
        if mode == "L" and image.format == "JPEG":
            image.draft("L", None)  # the channel of brightness, as it is in the file
        if image.mode in _WIDE_MODES:
            pixels = (np.asarray(image) >> 8).clip(0, 255).astype(np.uint8)
            image = pil_image.fromarray(pixels)
        if image.mode == "P" and "transparency" in image.info:
            image = image.convert("RGBA")
        array = np.asarray(image if image.mode == mode else image.convert(mode))
    return array[..., None] if array.ndim == 2 else array


@cache
def _has_simplejpeg() -> bool:
    return is_installed("simplejpeg")

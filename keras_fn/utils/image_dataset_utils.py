"""Data sets of image files: `image_dataset_from_directory`."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from keras_fn.errors import SpecError, check_choice
from keras_fn.settings import standardize_data_format
from keras_fn.types import PathLike
from keras_fn.utils.file_dataset import FileReader, dataset_from_directory
from keras_fn.utils.image_resizing import (
    INTERPOLATIONS,
    resize_image,
    resize_with_crop,
    resize_with_pad,
)
from keras_fn.utils.image_utils import CHANNELS, check_size, decode_image, pil_image

_RESIZE: dict[str, Callable[..., np.ndarray]] = {
    "": resize_image,
    "crop": resize_with_crop,
    "pad": resize_with_pad,
}


class ImageReader(FileReader):
    """Decodes and resizes images.

    Args:
        size: Height and width of the images.
        color_mode: `"rgb"`, `"rgba"` or `"grayscale"`.
        interpolation: The interpolation method.
        aspect: What is done to keep the aspect ratio: `"crop"`, `"pad"`, or `""` for nothing.
        data_format: `"channels_last"` or `"channels_first"`.
    """

    extensions = (".bmp", ".gif", ".jpeg", ".jpg", ".png")

    def __init__(
        self,
        size: tuple[int, int],
        color_mode: str,
        interpolation: str,
        aspect: str,
        data_format: str,
    ):
        self.size, self.color_mode, self.interpolation = size, color_mode, interpolation
        self.aspect, self.channels_first = aspect, data_format == "channels_first"

    def check_libraries(self) -> None:
        """Raises ImportError if Pillow is not installed."""
        _ = pil_image.open

    def read(self, path: str) -> np.ndarray:
        """Returns the image of a file as a float32 array."""
        image = _RESIZE[self.aspect](
            decode_image(path, self.color_mode), self.size, self.interpolation
        )
        return image.transpose(2, 0, 1) if self.channels_first else image

    def read_tf(self, tf: Any, path: Any) -> Any:
        """Returns the image of a file as a tensor of TensorFlow."""
        contents, channels = tf.io.read_file(path), CHANNELS[self.color_mode]
        # The exact transform, with which Pillow decodes: TensorFlow's default is off by some units.
        decode_jpeg = {"channels": min(channels, 3), "dct_method": "INTEGER_ACCURATE"}
        image = tf.cond(
            tf.io.is_jpeg(contents),
            lambda: _add_alpha(tf, tf.io.decode_jpeg(contents, **decode_jpeg), channels),
            lambda: tf.image.decode_image(contents, channels, expand_animations=False),
        )
        options = {"method": self.interpolation}
        if self.aspect == "crop":
            image = _center_crop(tf, image, self.size)
        if self.aspect == "pad":
            image = tf.image.resize_with_pad(image, *self.size, **options)
        else:
            image = tf.image.resize(image, self.size, **options)
        image = tf.ensure_shape(tf.cast(image, "float32"), (*self.size, channels))
        return tf.transpose(image, (2, 0, 1)) if self.channels_first else image


def _add_alpha(tf: Any, image: Any, channels: int) -> Any:
    """Returns a JPEG, which has no transparency, with a fourth channel if one is wanted."""
    return image if channels < 4 else tf.pad(image, [[0, 0], [0, 0], [0, 1]], constant_values=255)


def _center_crop(tf: Any, image: Any, size: tuple[int, int]) -> Any:
    shape = tf.shape(image)
    height, width = shape[0], shape[1]
    kept_height = tf.clip_by_value(width * size[0] // size[1], 1, height)
    kept_width = tf.clip_by_value(height * size[1] // size[0], 1, width)
    top, left = (height - kept_height) // 2, (width - kept_width) // 2
    return image[top : top + kept_height, left : left + kept_width]


def image_dataset_from_directory(
    directory: PathLike,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    color_mode: str = "rgb",
    batch_size: int | None = 32,
    image_size: Sequence[int] = (256, 256),
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    interpolation: str = "bilinear",
    follow_links: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    data_format: str | None = None,
    format: str = "tf",
    verbose: bool = True,
    workers: int | None = None,
    on_error: str = "raise",
) -> Any:
    """Returns a data set of the images in a directory, with their labels.

    Images are files `.jpg`, `.jpeg`, `.png`, `.bmp` and `.gif`, of which the first frame is read.

    Args:
        directory: Path of the directory. With inferred labels it holds a folder for each class.
        labels: `"inferred"` for labels from the folders, a list of class indices of the files
            sorted by their paths, or None.
        label_mode: `"int"`: class indices, int32. `"categorical"`: one-hot vectors, float32.
            `"binary"`: 0.0 or 1.0, of shape `(batch, 1)`, for two classes. None: no labels.
        class_names: Names of the folders that are classes, in the order of their indices; by
            default all, sorted.
        color_mode: `"rgb"`, `"rgba"` or `"grayscale"`: 3, 4 or 1 channels.
        batch_size: Number of images in a batch; with None elements are single images.
        image_size: Height and width to which images are resized.
        shuffle: Whether to shuffle the files, anew in each pass; else they are sorted by path.
        seed: Seed of the order. The order for a seed is that of Keras.
        validation_split: Fraction of the files for validation.
        subset: `"training"`, `"validation"` or `"both"`, which returns two data sets.
        interpolation: `"bilinear"`, `"nearest"`, `"bicubic"`, `"area"`, `"lanczos3"`, `"lanczos5"`,
            `"gaussian"` or `"mitchellcubic"`, without antialiasing.
        follow_links: Whether links to folders are followed.
        crop_to_aspect_ratio: Whether the largest centered part of the aspect ratio of `image_size`
            is resized, not the whole image.
        pad_to_aspect_ratio: Whether images keep their aspect ratio, with zeros around them.
        data_format: `"channels_last"` or `"channels_first"`; by default as in the Keras config.
        format: `"tf"`: a `tf.data.Dataset`, or where TensorFlow is not installed a
            `keras.utils.Dataset`. `"keras"`: a `keras.utils.Dataset`, which decodes with Pillow.
            `"grain"`: a `grain.IterDataset`.
        verbose: Whether the numbers of files and classes are printed.
        workers: Number of threads that decode; by default as many as there are processors.
        on_error: `"raise"` an error for a file that cannot be read and for a class without files,
            or `"skip"` them: batches are smaller by what is left out.

    Returns:
        The data set, with the attributes `class_names` and `file_paths`; a tuple of two for
        `subset="both"`. Batches are `(images, labels)`, or `images`: float32 of shape `(batch,
        height, width, channels)`, from 0 to 255.

    Raises:
        ImportError: Pillow is not installed.
        SpecError: An argument is invalid, or does not fit the files.

    Example:
        >>> import pathlib, tempfile
        >>> pets = pathlib.Path(tempfile.mkdtemp())
        >>> for i, name in enumerate(("cat", "dog")):
        ...     (pets / name).mkdir()
        ...     keras.utils.save_img(pets / name / "1.png", np.full((4, 6, 3), i), scale=False)
        >>> data = keras.utils.image_dataset_from_directory(
        ...     pets, image_size=(2, 2), format="keras", shuffle=False, verbose=False
        ... )
        >>> [(x.shape, y.tolist()) for x, y in data]
        [((2, 2, 2, 3), [0, 1])]
    """
    source = "image_dataset_from_directory"
    check_choice(source, "color_mode", color_mode, CHANNELS)
    interpolation = check_choice(
        source, "interpolation", str(interpolation).lower(), INTERPOLATIONS
    )
    if crop_to_aspect_ratio and pad_to_aspect_ratio:
        raise SpecError(
            source,
            expected="crop_to_aspect_ratio or pad_to_aspect_ratio",
            received="both",
            fix="choose one",
        )
    aspect = "crop" if crop_to_aspect_ratio else "pad" if pad_to_aspect_ratio else ""
    size = check_size(source, "image_size", image_size)
    data_format = standardize_data_format(data_format)
    return dataset_from_directory(
        source,
        ImageReader(size, color_mode, interpolation, aspect, data_format),
        directory,
        labels=labels,
        label_mode=label_mode,
        class_names=class_names,
        batch_size=batch_size,
        shuffle=shuffle,
        seed=seed,
        validation_split=validation_split,
        subset=subset,
        follow_links=follow_links,
        format=format,
        verbose=verbose,
        workers=workers,
        on_error=on_error,
    )

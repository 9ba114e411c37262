"""Pretrained weights: the files, their hashes, and the checks of related arguments."""

from __future__ import annotations

import os
from pathlib import Path

from keras_fn.errors import SpecError
from keras_fn.models import Model
from keras_fn.types import PathLike, Shape
from keras_fn.utils.file_utils import get_file

_KERAS = "https://storage.googleapis.com/tensorflow/keras-applications"

FILES = {
    "vgg16_weights_tf_dim_ordering_tf_kernels.h5": ("vgg16", "64373286793e3c8b2b4e3219cbf3544b"),
    "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5": (
        "vgg16",
        "6d6bbae143d832006294945121d1f1fc",
    ),
    "vgg19_weights_tf_dim_ordering_tf_kernels.h5": ("vgg19", "cbe5617147190e668d6c5d5026f83318"),
    "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5": (
        "vgg19",
        "253f8cb515780f3b799900260a226db6",
    ),
}
"""Folder and MD5 hash of each weights file, as published by Keras."""


def fetch(name: str) -> Path:
    """Returns the local path of a weights file; downloads it if it is not in the cache.

    The environment variable `KERAS_APPLICATIONS_URL` is the base URL of a mirror for all files; the
    hashes are checked nevertheless.

    Args:
        name: A key of `FILES`.
    """
    folder, file_hash = FILES[name]
    base = os.environ.get("KERAS_APPLICATIONS_URL") or f"{_KERAS}/{folder}"
    return Path(
        get_file(name, f"{base.rstrip('/')}/{name}", file_hash=file_hash, cache_subdir="models")
    )


def load_pretrained(model: Model, weights: PathLike | None, name: str, include_top: bool) -> None:
    """Loads the weights of a model.

    Args:
        model: The model.
        weights: `"imagenet"`, None, or the path of a weights file.
        name: Name of the weights file of the architecture, without the extension.
        include_top: Whether the model includes the classifier.
    """
    if weights == "imagenet":
        model.load_weights(fetch(f"{name}{'' if include_top else '_notop'}.h5"))
    elif weights is not None:
        model.load_weights(weights)


def check_arguments(weights: PathLike | None, include_top: bool, classes: int, source: str) -> None:
    """Raises a ValueError for a missing weights file, or weights with another number of classes.

    Args:
        weights: `"imagenet"`, None, or the path of a weights file.
        include_top: Whether the model includes the classifier.
        classes: Number of classes.
        source: Name of the architecture, for the error message.
    """
    if weights not in (None, "imagenet") and not Path(weights).exists():
        raise SpecError(
            source,
            expected="weights as None, 'imagenet' or the path of a weights file",
            received=f"{str(weights)!r}, which is not a file",
            fix="check the path",
        )
    if weights == "imagenet" and include_top and classes != 1000:
        raise SpecError(
            source,
            expected="classes=1000, which the classifier of 'imagenet' has",
            received=f"classes={classes}",
            fix="pass include_top=False and add a classifier, or pass weights=None",
        )


def obtain_input_shape(
    shape: Shape | None,
    default_size: int,
    min_size: int,
    include_top: bool,
    weights: PathLike | None,
    data_format: str,
) -> Shape:
    """Returns the input shape of a model, without the batch axis.

    Args:
        shape: The shape passed by the user; None for the default.
        default_size: Default height and width.
        min_size: Minimum height and width.
        include_top: Whether the model includes the classifier.
        weights: `"imagenet"`, None, or the path of a weights file.
        data_format: `"channels_last"` or `"channels_first"`.

    Raises:
        ValueError: The shape does not have three axes, is too small, or does not fit the weights.
    """
    channels_first = data_format == "channels_first"

    def square(size: int | None) -> Shape:
        return (3, size, size) if channels_first else (size, size, 3)

    if shape is None:
        return square(default_size if include_top else None)
    shape = tuple(shape)
    sizes = shape[1:] if channels_first else shape[:-1]
    if len(shape) != 3 or any(n is not None and n < min_size for n in sizes):
        raise SpecError(
            "input_shape",
            expected=f"three sizes, height and width at least {min_size}",
            received=f"{shape}",
            fix=f"for example {square(default_size)}",
        )
    expected = square(default_size)
    if weights == "imagenet" and include_top and shape != expected:
        raise SpecError(
            "input_shape",
            expected=f"{expected}, with include_top=True and weights='imagenet'",
            received=f"{shape}",
            fix="pass include_top=False for other sizes",
        )
    return shape

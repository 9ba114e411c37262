"""Where trained weights are, and what they must hash to."""

import os
from pathlib import Path
from typing import Any

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
"""For each file its folder and its hash, as Keras publishes them."""


def fetch(name: str) -> Path:
    """Returns the local path of a weights file, downloading it if the cache lacks it.

    `KERAS_APPLICATIONS_URL`, if set, is the folder that all files are fetched from: a mirror. The
    hashes stay in force.
    """
    folder, file_hash = FILES[name]
    base = os.environ.get("KERAS_APPLICATIONS_URL") or f"{_KERAS}/{folder}"
    return Path(
        get_file(name, f"{base.rstrip('/')}/{name}", file_hash=file_hash, cache_subdir="models")
    )


def load(model: Any, weights: Any, name: str, include_top: bool) -> None:
    """Gives a model the weights that were asked for.

    Args:
        model: The model.
        weights: `"imagenet"`, None, or the path of a weights file.
        name: Name of the architecture's weights, without the ending.
        include_top: Whether the classifier is part of the model.
    """
    if weights == "imagenet":
        model.load_weights(fetch(f"{name}{'' if include_top else '_notop'}.h5"))
    elif weights is not None:
        model.load_weights(weights)


def check_arguments(weights: Any, include_top: bool, classes: int, source: str) -> None:
    """Raises ValueError for weights that are nowhere, or that do not fit the classes."""
    if weights not in (None, "imagenet") and not Path(weights).exists():
        raise ValueError(
            f"{source}: weights must be None, 'imagenet' or the path of a weights file; there is "
            f"no file {str(weights)!r}."
        )
    if weights == "imagenet" and include_top and classes != 1000:
        raise ValueError(
            f"{source}: the classifier of 'imagenet' has 1000 classes, not {classes}.\n"
            "  fix: include_top=False and a classifier of your own, or weights=None"
        )


def image_shape(
    shape: Any, default: int, smallest: int, include_top: bool, weights: Any, data_format: str
) -> tuple[int | None, ...]:
    """Returns the shape of the input, checked."""
    channels_first = data_format == "channels_first"

    def square(size: int | None) -> tuple[int | None, ...]:
        return (3, size, size) if channels_first else (size, size, 3)

    if shape is None:
        return square(default if include_top else None)
    shape = tuple(shape)
    sizes = shape[1:] if channels_first else shape[:-1]
    if len(shape) != 3 or any(n is not None and n < smallest for n in sizes):
        raise ValueError(
            f"input_shape must be three sizes, the image's at least {smallest}: not {shape}."
        )
    expected = square(default)
    if weights == "imagenet" and include_top and shape != expected:
        raise ValueError(
            f"With include_top=True and weights='imagenet', input_shape must be {expected}, not "
            f"{shape}.\n  fix: include_top=False takes other sizes"
        )
    return shape

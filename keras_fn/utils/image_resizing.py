"""Resizing of single images on the host, while they are loaded.

The results are those of `tf.image.resize`, which data sets of files are resized with in Keras. The
axes are resized one after the other, each as a weighted sum of a few gathered rows or columns. By
bilinear interpolation OpenCV computes the same faster, if it is installed.
"""

from functools import cache, lru_cache
from typing import Any, NamedTuple

import numpy as np

from keras_fn._lazy import LazyModule
from keras_fn.ops.image._interpolation import HOST_KERNELS, resize_weights
from keras_fn.ops.image.resizing import source_window
from keras_fn.settings import is_installed

INTERPOLATIONS = ("bilinear", "nearest", "bicubic", "area", *list(HOST_KERNELS)[2:])


_cv2: Any = LazyModule("cv2")


@cache
def _has_opencv() -> bool:
    return is_installed("cv2")


class Taps(NamedTuple):
    """The elements that each element of a result is a weighted sum of.

    Attributes:
        indices: One int64 vector for each summand: the index of the element.
        weights: One float32 vector for each summand.
    """

    indices: tuple[np.ndarray, ...]
    weights: tuple[np.ndarray, ...]


def resize_image(image: np.ndarray, size: tuple[int, int], interpolation: str) -> np.ndarray:
    """Resizes an image.

    Args:
        image: uint8 array of shape `(height, width, channels)`.
        size: The new height and width.
        interpolation: A name in `INTERPOLATIONS`.

    Returns:
        A float32 array of shape `(*size, channels)`.
    """
    height, width, channels = image.shape
    if interpolation == "bilinear" and _has_opencv():
        resized = _cv2.resize(image.astype(np.float32), size[::-1], interpolation=_cv2.INTER_LINEAR)
        return resized.reshape(*size, channels)
    rows = _get_taps(height, size[0], interpolation, 1)
    columns = _get_taps(width, size[1], interpolation, channels)
    flat = np.ascontiguousarray(image).reshape(height, width * channels)
    # The rows first: they are contiguous, and still bytes.
    resized = _apply_taps(_apply_taps(flat, rows, 0), columns, 1)
    return resized.reshape(*size, channels)


def resize_with_crop(image: np.ndarray, size: tuple[int, int], interpolation: str) -> np.ndarray:
    """Resizes the largest centered part of an image that has the aspect ratio of the result.

    Args:
        image: uint8 array of shape `(height, width, channels)`.
        size: The new height and width.
        interpolation: A name in `INTERPOLATIONS`.
    """
    window = source_window(image.shape[:2], size, crop=True, pad=False)
    (top, height), (left, width) = window
    return resize_image(image[top : top + height, left : left + width], size, interpolation)


def resize_with_pad(image: np.ndarray, size: tuple[int, int], interpolation: str) -> np.ndarray:
    """Resizes an image to fit into the result, centered, with zeros around it.

    Args:
        image: uint8 array of shape `(height, width, channels)`.
        size: The new height and width.
        interpolation: A name in `INTERPOLATIONS`.
    """
    # float32, as TensorFlow computes them: the sizes are rounded down.
    given, wanted = np.array(image.shape[:2], np.float32), np.array(size, np.float32)
    fitted = given / np.max(given / wanted)
    height, width = np.maximum(np.floor(fitted), 1).astype(int).tolist()
    top, left = np.maximum(np.floor((wanted - fitted) / 2), 0).astype(int).tolist()
    padded = np.zeros((*size, image.shape[2]), np.float32)
    resized = resize_image(image, (height, width), interpolation)
    padded[top : top + height, left : left + width] = resized[: size[0] - top, : size[1] - left]
    return padded


def _apply_taps(x: np.ndarray, taps: Taps, axis: int) -> np.ndarray:
    """Resizes the rows (axis 0) or columns (axis 1) of a matrix."""
    shape = (-1, 1) if axis == 0 else (1, -1)
    terms = [np.take(x, i, axis=axis).astype(np.float32, copy=False) for i in taps.indices]
    weights = [w.reshape(shape) for w in taps.weights]
    if len(terms) == 2:  # a + w (b - a), in place: most images are resized so
        total, other = terms
        other -= total
        other *= weights[1]
        total += other
        return total
    for term, weight in zip(terms, weights, strict=True):
        term *= weight
    return sum(terms[1:], start=terms[0])


@lru_cache(maxsize=256)
def _get_taps(size: int, target: int, interpolation: str, channels: int) -> Taps:
    """Returns the taps that resize an axis whose elements have several channels each."""
    if interpolation == "nearest":
        scale = np.float32(size) / np.float32(target)
        nearest = np.floor((np.arange(target, dtype=np.float32) + np.float32(0.5)) * scale)
        taps = Taps((np.minimum(nearest.astype(np.int64), size - 1),), (np.ones(target),))
    elif interpolation == "bilinear":
        taps = _bilinear_taps(size, target)
    elif interpolation == "area":
        taps = _to_taps(_area_weights(size, target))
    else:
        taps = _to_taps(resize_weights(size, target, interpolation, False, "float64").T)
    channel = np.arange(channels)
    return Taps(
        tuple((i[:, None] * channels + channel).ravel() for i in taps.indices),
        tuple(np.repeat(w.astype(np.float32), channels) for w in taps.weights),
    )


def _bilinear_taps(size: int, target: int) -> Taps:
    scale = np.float32(size) / np.float32(target)
    samples = (np.arange(target, dtype=np.float32) + np.float32(0.5)) * scale - np.float32(0.5)
    lower = np.floor(samples)
    fraction = samples - lower
    indices = (np.clip(lower.astype(np.int64) + i, 0, size - 1) for i in (0, 1))
    return Taps(tuple(indices), (1 - fraction, fraction))


def _area_weights(size: int, target: int) -> np.ndarray:
    """Returns the weight matrix of averages over areas: outputs in rows, inputs in columns."""
    edges = np.arange(target + 1)[:, None] * (size / target)
    inputs = np.arange(size)
    overlap = np.minimum(edges[1:], inputs + 1) - np.maximum(edges[:-1], inputs)
    overlap = np.maximum(overlap, 0)
    return overlap / overlap.sum(1, keepdims=True)


def _to_taps(matrix: np.ndarray) -> Taps:
    """Returns the taps of a weight matrix with outputs in rows."""
    is_used = matrix != 0
    count = int(is_used.sum(1).max())
    start = np.minimum(is_used.argmax(1), matrix.shape[1] - count)
    indices = start + np.arange(count)[:, None]
    weights = np.take_along_axis(matrix, indices.T, 1).T
    return Taps(tuple(indices), tuple(weights))

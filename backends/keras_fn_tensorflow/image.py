"""Image sampling and resizing by TensorFlow's kernels."""

from typing import Any

import tensorflow as tf
from tensorflow import raw_ops as raw

from keras_fn_tensorflow.device import has_gpu
from keras_fn_tensorflow.tensors import shape


def sample_projective(
    images: tf.Tensor, transform: tf.Tensor, fill_mode: str, fill_value: float
) -> tf.Tensor:
    """`ImageProjectiveTransformV3`, with the right gradient; XLA, on GPUs, has no such kernel."""
    if transform.shape[-1] == 6:
        transform = tf.pad(transform, [[0, 0], [0, 2]])
    if has_gpu():
        return _sample(images, transform, fill_mode, fill_value)

    @tf.custom_gradient
    def sample(x: tf.Tensor, matrix: tf.Tensor) -> Any:
        y = raw.ImageProjectiveTransformV3(
            images=x,
            transforms=matrix,
            output_shape=tf.shape(x)[1:3],
            fill_value=fill_value,
            interpolation="BILINEAR",
            fill_mode=fill_mode.upper(),
        )
        y.set_shape(x.shape) if not tf.executing_eagerly() else None

        def gradient(upstream: tf.Tensor) -> Any:
            with tf.GradientTape() as tape:
                tape.watch([x, matrix])
                again = _sample(x, matrix, fill_mode, fill_value)
            return tape.gradient(again, [x, matrix], upstream)  # type: ignore[call-overload]

        return y, gradient

    return sample(images, transform)


def _sample(
    images: tf.Tensor, transform: tf.Tensor, fill_mode: str, fill_value: float
) -> tf.Tensor:
    """The same by gathering the four pixels around each point."""
    batch, height, width, channels = shape(images)
    p = [tf.reshape(transform[:, i], [-1, 1, 1]) for i in range(8)]
    rows = tf.reshape(tf.range(height, dtype="float32"), [-1, 1])  # type: ignore[arg-type]
    columns = tf.range(width, dtype="float32")  # type: ignore[arg-type]
    depth = p[6] * columns + p[7] * rows + 1.0
    y = (p[3] * columns + p[4] * rows + p[5]) / depth
    x = (p[0] * columns + p[1] * rows + p[2]) / depth
    flat = tf.reshape(images, [-1, channels])
    first = tf.reshape(tf.range(batch), [-1, 1, 1]) * (height * width)
    total: Any = 0.0
    for i, row_weight in _neighbors(y):
        for j, column_weight in _neighbors(x):
            row, column = _inside(i, height, fill_mode), _inside(j, width, fill_mode)
            value = tf.gather(flat, first + row * width + column)
            if fill_mode == "constant":
                is_inside = tf.logical_and(tf.equal(row, i), tf.equal(column, j))
                value = tf.where(tf.expand_dims(is_inside, -1), value, fill_value)
            total = total + value * tf.expand_dims(row_weight * column_weight, -1)
    return total


def _neighbors(x: tf.Tensor) -> list[tuple[tf.Tensor, tf.Tensor]]:
    low = tf.floor(x)
    index, fraction = tf.cast(low, "int32"), x - low
    return [(index, 1.0 - fraction), (index + 1, fraction)]


def _inside(index: tf.Tensor, size: Any, fill_mode: str) -> tf.Tensor:
    if fill_mode == "reflect":
        index = tf.math.floormod(index, 2 * size)
        index = tf.minimum(index, 2 * size - 1 - index)
    return tf.clip_by_value(index, 0, size - 1)


def resize_bilinear(
    images: tf.Tensor, size: tuple[int, int], antialias: bool, channels_last: bool
) -> tf.Tensor:
    """`tf.image.resize`, which takes channels last."""
    x = images if channels_last else tf.transpose(images, [0, 2, 3, 1])
    y = tf.image.resize(x, size, "bilinear", antialias=antialias)
    return y if channels_last else tf.transpose(y, [0, 3, 1, 2])

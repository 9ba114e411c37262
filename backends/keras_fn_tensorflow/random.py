"""Stateless random numbers: a key of two integers names the draw."""

from typing import Any

import tensorflow as tf

from keras_fn_tensorflow.tensors import _native

# Named, because TensorFlow would choose another one under XLA: compiled and eager would differ.
_ALGORITHM = "philox"


def _key(seed: Any) -> tf.Tensor:
    seed = tf.convert_to_tensor(seed)
    return seed if seed.dtype in (tf.int32, tf.int64) else tf.cast(seed, tf.int64)


def random_uniform(shape: Any, dtype: str, seed: tf.Tensor) -> tf.Tensor:
    """Floats in [0, 1)."""
    return tf.random.stateless_uniform(shape, _key(seed), dtype=_native(dtype), alg=_ALGORITHM)


def random_normal(shape: Any, dtype: str, seed: tf.Tensor) -> tf.Tensor:
    """Standard normal floats."""
    return tf.random.stateless_normal(shape, _key(seed), dtype=_native(dtype), alg=_ALGORITHM)


def random_randint(shape: Any, minval: Any, maxval: Any, dtype: str, seed: tf.Tensor) -> tf.Tensor:
    """Integers in [minval, maxval)."""
    native = _native(dtype)
    wide = native if native in (tf.int32, tf.int64) else tf.int64  # all that TensorFlow draws
    low, high = tf.cast(minval, wide), tf.cast(maxval, wide)
    draw = tf.random.stateless_uniform(shape, _key(seed), low, high, wide, alg=_ALGORITHM)
    return tf.cast(draw, native)

"""Stateless random numbers: a key of two integers determines the sample.

Eager calls and `tf.function` return the same numbers. XLA converts the random bits to floats
differently.
"""

from typing import Any

import tensorflow as tf
from tensorflow import raw_ops as raw

from keras_fn_tensorflow.tensors import native_dtype


def _source(shape: Any, seed: Any) -> dict[str, Any]:
    """Returns the arguments that all sampling ops share."""
    key, counter = raw.StatelessRandomGetKeyCounter(seed=tf.cast(seed, tf.int64))
    sizes = tf.convert_to_tensor(list(shape), tf.int32)
    return {"shape": sizes, "key": key, "counter": counter, "alg": 1}  # 1: Philox


def random_uniform(shape: Any, dtype: str, seed: tf.Tensor) -> tf.Tensor:
    """Uniform floats in [0, 1)."""
    return raw.StatelessRandomUniformV2(dtype=native_dtype(dtype), **_source(shape, seed))


def random_normal(shape: Any, dtype: str, seed: tf.Tensor) -> tf.Tensor:
    """Standard normal floats."""
    return raw.StatelessRandomNormalV2(dtype=native_dtype(dtype), **_source(shape, seed))


def random_randint(shape: Any, minval: Any, maxval: Any, dtype: str, seed: tf.Tensor) -> tf.Tensor:
    """Uniform integers in [minval, maxval)."""
    target = native_dtype(dtype)
    # TensorFlow samples these two integer dtypes.
    wide = target if target in (tf.int32, tf.int64) else tf.int64
    low, high = tf.cast(minval, wide), tf.cast(maxval, wide)
    draw = raw.StatelessRandomUniformIntV2(minval=low, maxval=high, **_source(shape, seed))
    return tf.cast(draw, target)


def random_gamma(shape: Any, alpha: tf.Tensor, dtype: str, seed: tf.Tensor) -> tf.Tensor:
    """Gamma samples; `alpha` is at least 1 and broadcasts. Not supported by XLA."""
    source = _source(shape, seed)
    return raw.StatelessRandomGammaV3(alpha=_spread(alpha, source["shape"], dtype), **source)


def random_binomial(
    shape: Any, counts: tf.Tensor, probabilities: tf.Tensor, dtype: str, seed: tf.Tensor
) -> tf.Tensor:
    """Binomial samples; the parameters broadcast."""
    sizes = tf.convert_to_tensor(list(shape), tf.int32)
    return raw.StatelessRandomBinomial(
        shape=sizes,
        seed=tf.cast(seed, tf.int64),
        counts=_spread(counts, sizes, dtype),
        probs=_spread(probabilities, sizes, dtype),
        dtype=native_dtype(dtype),
    )


def _spread(x: tf.Tensor, sizes: tf.Tensor, dtype: str) -> tf.Tensor:
    return tf.broadcast_to(tf.cast(x, native_dtype(dtype)), sizes)

"""Variables: the handle is a `tf.Variable`, assigned in place."""

from typing import Any

import tensorflow as tf

from keras_fn_tensorflow.tensors import is_tensor, native_dtype


def new_variable(value: Any, dtype: str, trainable: bool, name: str) -> tf.Variable:
    """A variable that outlives the graph, if one is being made."""
    with tf.init_scope():
        return tf.Variable(value, dtype=native_dtype(dtype), trainable=trainable, name=name)


def assign(handle: tf.Variable, value: tf.Tensor) -> tf.Variable:
    """Sets the variable in place, in a graph too."""
    handle.assign(value, read_value=False)
    return handle


def assign_add(handle: tf.Variable, value: Any) -> tf.Variable:
    """Adds in place, in a graph too."""
    if handle.shape.rank and not is_tensor(value):
        value = tf.fill(handle.shape, tf.cast(value, handle.dtype))  # it does not broadcast
    handle.assign_add(value, read_value=False)
    return handle


def set_trainable(handle: tf.Variable, trainable: bool) -> None:
    """Says whether a GradientTape watches the variable by itself."""
    # TensorFlow has no public way to change its mind.
    handle._trainable = trainable  # type: ignore[attr-defined]

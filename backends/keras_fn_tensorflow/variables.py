"""Variables: the handle is a `tf.Variable`, assigned in place."""

from typing import Any

import tensorflow as tf

from keras_fn_tensorflow.strategies import strategy_error
from keras_fn_tensorflow.tensors import is_tensor, native_dtype


def new_variable(value: Any, dtype: str, trainable: bool, name: str) -> tf.Variable:
    """Creates a `tf.Variable` outside of any graph that is being traced."""
    if isinstance(value, tf.Tensor) and not tf.executing_eagerly():
        static = tf.get_static_value(value)  # a constant of that graph
        value = value if static is None else static
    try:
        with tf.init_scope():
            return tf.Variable(value, dtype=native_dtype(dtype), trainable=trainable, name=name)
    except (TypeError, ValueError, tf.errors.OpError) as error:
        if not tf.distribute.has_strategy():
            raise
        raise strategy_error(tf.distribute.get_strategy()) from error


def assign(handle: tf.Variable, value: tf.Tensor) -> tf.Variable:
    """Assigns in place, also in a graph."""
    handle.assign(value, read_value=False)
    return handle


def take_over(handle: tf.Variable, new: tf.Variable) -> tf.Variable:
    """Assigns the tensor of the new variable, without a copy."""
    return assign(handle, new)


def assign_add(handle: tf.Variable, value: Any) -> tf.Variable:
    """Adds in place, also in a graph."""
    if handle.shape.rank and not is_tensor(value):
        # `assign_add` does not broadcast.
        value = tf.fill(handle.shape, tf.cast(value, handle.dtype))
    handle.assign_add(value, read_value=False)
    return handle


def set_trainable(handle: tf.Variable, trainable: bool) -> None:
    """Sets whether a GradientTape watches the variable automatically."""
    # TensorFlow has no public setter.
    handle._trainable = trainable  # type: ignore[attr-defined]

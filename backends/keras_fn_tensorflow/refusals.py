"""Which errors of TensorFlow say that it does not accept the arguments of an op."""

import tensorflow as tf

from keras_fn.errors import PYTHON_REFUSALS

_ARGUMENT_ERRORS = (
    tf.errors.InvalidArgumentError,
    tf.errors.UnimplementedError,
    tf.errors.NotFoundError,
)


def is_refusal(error: Exception) -> bool:
    """Returns whether an error is about the arguments: not about memory."""
    return isinstance(error, (*_ARGUMENT_ERRORS, *PYTHON_REFUSALS))


def needs_values(error: Exception) -> bool:
    """Returns whether a tensor of a graph has been asked for its value."""
    return isinstance(error, tf.errors.OperatorNotAllowedInGraphError)

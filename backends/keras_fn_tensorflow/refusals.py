"""Which errors of TensorFlow say that it does not accept the arguments of an op."""

import tensorflow as tf

from keras_fn.errors import PYTHON_REFUSALS

_ARGUMENT_ERRORS = (
    tf.errors.InvalidArgumentError,
    tf.errors.UnimplementedError,
    tf.errors.NotFoundError,
)


def is_refusal(error: Exception) -> bool:
    """Returns whether an error is about the arguments: not about symbolic tensors or memory."""
    if isinstance(error, tf.errors.OperatorNotAllowedInGraphError):
        return False
    return isinstance(error, (*_ARGUMENT_ERRORS, *PYTHON_REFUSALS))

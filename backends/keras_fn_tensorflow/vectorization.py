"""Vectorized map: a function over the slices of the first axis."""

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from keras_fn.errors import SpecError


def vectorized_map(function: Callable[..., Any], leaves: Sequence[Any]) -> list[Any]:
    """`tf.vectorized_map`."""
    try:
        return tf.vectorized_map(function, list(leaves))
    except Exception as error:
        # AutoGraph wraps errors that the function raises.
        if isinstance(error.__context__, SpecError):
            raise error.__context__ from None
        raise

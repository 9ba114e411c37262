"""Which errors of JAX say that it does not accept the arguments of an op."""

import jax

from keras_fn.errors import PYTHON_REFUSALS

_NEEDS_VALUES = (
    jax.errors.ConcretizationTypeError,
    jax.errors.TracerArrayConversionError,
    jax.errors.TracerIntegerConversionError,
    jax.errors.NonConcreteBooleanIndexError,
)


def is_refusal(error: Exception) -> bool:
    """Returns whether an error is about the arguments: not about leaked tracers, memory or NaN."""
    return isinstance(error, PYTHON_REFUSALS) and not isinstance(
        error, (jax.errors.JAXTypeError, jax.errors.JAXIndexError, FloatingPointError)
    )


def needs_values(error: Exception) -> bool:
    """Returns whether a tracer has been asked for its value."""
    return isinstance(error, _NEEDS_VALUES)


def is_value_donated(error: Exception) -> bool:
    """Returns whether a compiled step has taken the memory of an array that was to be read."""
    return "deleted" in str(error)

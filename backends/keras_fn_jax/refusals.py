"""Which errors of JAX say that it does not accept the arguments of an op."""

import jax

from keras_fn.errors import PYTHON_REFUSALS

# A tracer has no value: callers run their function without a trace, or tell the user.
_TRACER_ERRORS = (jax.errors.JAXTypeError, jax.errors.JAXIndexError, jax.errors.UnexpectedTracerError)


def is_refusal(error: Exception) -> bool:
    """Returns whether an error is about the arguments: not about tracers, memory or NaN."""
    return isinstance(error, PYTHON_REFUSALS) and not isinstance(
        error, (*_TRACER_ERRORS, FloatingPointError)
    )

"""Linear algebra that the backends share: errors about values, dtypes of results."""

from keras_fn.core.dtypes import machine_epsilon, result_type
from keras_fn.errors import SpecError

REAL = {"complex64": "float32", "complex128": "float64"}
"""The dtype of the absolute value, for complex dtypes."""


def complex_type(dtype: str) -> str:
    """Returns the complex dtype that holds values of `dtype`."""
    return result_type(dtype, complex)


def rank_tolerance(dtype: str, rows: int, columns: int, factor: float = 1.0) -> float:
    """Returns the tolerance below which a singular value, relative to the largest, counts as 0.

    Args:
        dtype: The dtype of the matrix.
        rows: Its number of rows.
        columns: Its number of columns.
        factor: A factor of the tolerance. Default 1.
    """
    return factor * max(rows, columns) * machine_epsilon(REAL.get(dtype, dtype))


def singular_matrix_error(source: str) -> SpecError:
    """Returns the error for a linear system without a unique solution."""
    return SpecError(
        source,
        expected="a matrix that can be inverted",
        received="a singular one: a pivot is 0",
        fix="check the matrix, or use ops.pinv or ops.lstsq",
    )


def not_positive_definite_error(source: str) -> SpecError:
    """Returns the error for a matrix without a Cholesky factor."""
    return SpecError(
        source,
        expected="a positive definite matrix",
        received="one that is not: an eigenvalue is negative or 0, or an element is not finite",
        fix="check the matrix, or add a small multiple of the identity",
    )

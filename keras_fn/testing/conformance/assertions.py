"""Compares the results of a backend with those of NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_fn.backend.loader import current
from keras_fn.core import tree
from keras_fn.core.dtypes import numpy_dtype

# Relative to the largest element, too: a sum of many terms is no more exact than its terms.
TOLERANCE = {"bfloat16": 2e-2, "float16": 2e-3, "float32": 2e-5, "complex64": 2e-5}
TIGHT_TOLERANCE = {"float64": 1e-10, "complex128": 1e-10}


def widen(x: Any) -> Any:
    """Returns an array in the dtype that references expect: float64 or complex128 for floats."""
    if not isinstance(x, np.ndarray):
        return x
    if x.dtype.kind == "c":
        return x.astype("complex128")
    return x if x.dtype.kind in "biuSU" else x.astype("float64")


def flatten_results(outputs: Any) -> list[Any]:
    """Returns the tensors of a result as a flat list."""
    return tree.flatten(list(outputs) if isinstance(outputs, tuple) else [outputs])


def to_arrays(outputs: Any) -> list[np.ndarray]:
    """Returns the tensors of a result as a flat list of NumPy arrays."""
    return [np.asarray(current().convert_to_numpy(x)) for x in flatten_results(outputs)]


def expected_dtypes(result_dtype: str, dtype: str, count: int) -> list[str]:
    """Returns the dtypes of the results.

    Args:
        result_dtype: As in `Case.result_dtype`.
        dtype: The dtype under test.
        count: Number of results.
    """
    kinds = [kind.strip() for kind in result_dtype.split(",")]
    kinds = kinds * count if len(kinds) == 1 else kinds
    return [_expected_dtype(kind, dtype) for kind in kinds]


def _expected_dtype(kind: str, dtype: str) -> str:
    if kind == "float":
        return dtype if "float" in dtype or "complex" in dtype else "float32"
    if kind == "sum":
        small = {"bool": "int32", "int8": "int32", "int16": "int32"}
        return {**small, "uint8": "uint32", "uint16": "uint32"}.get(dtype, dtype)
    return dtype if kind == "same" else kind


def has_dtype(dtype: str) -> bool:
    """Returns whether the backend keeps this dtype; JAX converts 64 bits to 32."""
    backend = current()
    return backend.dtype_name(backend.convert_to_tensor(np.zeros((), numpy_dtype(dtype)))) == dtype


def assert_close(
    actual: np.ndarray, expected: Any, dtype: str, factor: float, description: str
) -> None:
    """Asserts that shapes are equal, and elements as far as `dtype` can represent them.

    Args:
        actual: A result of the backend.
        expected: The result of the reference.
        dtype: The dtype under test, which sets the tolerance.
        factor: Factor of the tolerance.
        description: Name of the result in the error message.
    """
    expected = np.asarray(expected)
    assert actual.shape == expected.shape, (
        f"{description}: shape {actual.shape}, expected {expected.shape}"
    )
    if actual.dtype.kind in "biu":
        np.testing.assert_array_equal(actual, expected, err_msg=description)
        return
    tolerance = factor * {**TOLERANCE, **TIGHT_TOLERANCE}.get(dtype, TOLERANCE["float32"])
    finite = np.abs(expected[np.isfinite(expected)]) if expected.size else np.zeros(0)
    scale = float(finite.max()) if finite.size else 0.0
    np.testing.assert_allclose(
        widen(actual),
        expected,
        rtol=tolerance,
        atol=tolerance * max(1.0, scale),
        err_msg=description,
    )

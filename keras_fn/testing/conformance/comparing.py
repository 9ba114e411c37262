"""Results of a backend beside those of NumPy."""

from typing import Any

import numpy as np

from keras_fn.backend.loader import current
from keras_fn.core import tree
from keras_fn.core.dtypes import numpy_dtype

# Relative to the largest element, too: a sum of many is no more exact than its terms.
TOLERANCE = {"bfloat16": 2e-2, "float16": 2e-3, "float32": 2e-5, "complex64": 2e-5}
EXACT = {"float64": 1e-10, "complex128": 1e-10}


def wide(x: Any) -> Any:
    """An array as references want it: floats as float64, complex numbers as complex128."""
    if not isinstance(x, np.ndarray):
        return x
    if x.dtype.kind == "c":
        return x.astype("complex128")
    return x if x.dtype.kind in "biuSU" else x.astype("float64")


def results(outputs: Any) -> list[Any]:
    """The tensors of a result, flat."""
    return tree.flatten(list(outputs) if isinstance(outputs, tuple) else [outputs])


def arrays(outputs: Any) -> list[np.ndarray]:
    """The same as NumPy arrays."""
    return [np.asarray(current().convert_to_numpy(x)) for x in results(outputs)]


def expected_dtypes(result: str, dtype: str, count: int) -> list[str]:
    """The dtypes of the results, as `Case.result` says them for a case in `dtype`."""
    kinds = [kind.strip() for kind in result.split(",")]
    kinds = kinds * count if len(kinds) == 1 else kinds
    return [_after(kind, dtype) for kind in kinds]


def _after(kind: str, dtype: str) -> str:
    floating = "float" in dtype or "complex" in dtype
    if kind == "float":
        return dtype if floating else "float32"
    if kind == "sum":
        small = {"bool": "int32", "int8": "int32", "int16": "int32"}
        return {**small, "uint8": "uint32", "uint16": "uint32"}.get(dtype, dtype)
    return dtype if kind == "same" else kind


def has_dtype(dtype: str) -> bool:
    """Whether the backend keeps this dtype: JAX makes 32 bits of 64."""
    backend = current()
    return backend.dtype_name(backend.convert_to_tensor(np.zeros((), numpy_dtype(dtype)))) == dtype


def assert_close(actual: np.ndarray, wanted: Any, dtype: str, factor: float, what: str) -> None:
    """Asserts equal shapes, and elements equal as far as `dtype` can hold them."""
    wanted = np.asarray(wanted)
    assert actual.shape == wanted.shape, f"{what}: shape {actual.shape}, expected {wanted.shape}"
    if actual.dtype.kind in "biu":
        np.testing.assert_array_equal(actual, wanted, err_msg=what)
        return
    tolerance = factor * {**TOLERANCE, **EXACT}.get(dtype, TOLERANCE["float32"])
    finite = np.abs(wanted[np.isfinite(wanted)]) if wanted.size else np.zeros(0)
    scale = float(finite.max()) if finite.size else 0.0
    np.testing.assert_allclose(
        wide(actual), wanted, rtol=tolerance, atol=tolerance * max(1.0, scale), err_msg=what
    )

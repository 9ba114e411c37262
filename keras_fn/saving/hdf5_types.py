"""The element types of HDF5 datasets, as Keras stores them.

HDF5 has no bfloat16 or float8: they are opaque bytes beside an attribute `dtype` with the name.
"""

import h5py
import ml_dtypes
import numpy as np

_NUMPY_NAMES = ("float32", "float64", "float16", "int64", "int32", "int16", "int8",
                "uint64", "uint32", "uint16", "uint8", "complex64", "complex128")
_STANDARD = [dtype for name in _NUMPY_NAMES
             for dtype in dict.fromkeys(np.dtype(name).newbyteorder(order) for order in "<>")]
_STANDARD_TYPES = [(h5py.h5t.py_create(dtype), dtype) for dtype in _STANDARD]
_BOOL_TYPE = h5py.h5t.py_create(np.dtype(bool), logical=True)

OPAQUE_DTYPES = {np.dtype(t).name: np.dtype(t) for t in
                 (ml_dtypes.bfloat16, ml_dtypes.float8_e4m3fn, ml_dtypes.float8_e5m2)}
DTYPE_ATTRIBUTE = "dtype"


def stored_dtype(type_id: h5py.h5t.TypeID) -> np.dtype | None:
    """Returns the dtype of the bytes in the file, None if the type is not one of a weight.

    Only types equal to a standard one count: a file can describe others, such as floats of other
    exponent widths. Opaque types of one or two bytes give `V1` or `V2`.
    """
    if type_id.committed():
        return None
    if isinstance(type_id, h5py.h5t.TypeOpaqueID):
        size = type_id.get_size()
        return np.dtype(f"V{size}") if size in (1, 2) else None
    for standard, dtype in _STANDARD_TYPES:
        if type_id.equal(standard):
            return dtype
    return np.dtype(bool) if type_id.equal(_BOOL_TYPE) else None


def to_storable(array: np.ndarray) -> tuple[np.ndarray, str | None]:
    """Returns the array h5py should write and the value of its `dtype` attribute.

    Raises:
        TypeError: No file can hold this dtype.
    """
    name = array.dtype.name
    if name in OPAQUE_DTYPES:
        return array.view(f"V{array.dtype.itemsize}"), name
    if name != "bool" and name not in _NUMPY_NAMES:
        raise TypeError(f"cannot save an array of dtype {name}")
    return array.astype(array.dtype.newbyteorder("<"), copy=False), None


def can_read_as(found: np.dtype, wanted: np.dtype) -> bool:
    """Tells whether `found` may be read as `wanted`: floats as floats, others only if none is lost."""
    if found == wanted or is_unnamed(found, wanted):
        return True
    if _is_float(found) and _is_float(wanted):
        return True
    same_kind = (found.kind == wanted.kind == "c") or (found.kind in "iu" and wanted.kind in "iu")
    return same_kind and np.can_cast(found, wanted, "safe")


def is_unnamed(found: np.dtype, wanted: np.dtype) -> bool:
    """Tells whether `found` is bytes without a name, as in Keras's legacy files, that fit `wanted`."""
    return found.name.startswith("void") and wanted.name in OPAQUE_DTYPES and found.itemsize == wanted.itemsize


def _is_float(dtype: np.dtype) -> bool:
    return dtype.kind == "f" or dtype.name in OPAQUE_DTYPES

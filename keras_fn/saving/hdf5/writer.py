"""Writer of HDF5 files of weights: in memory, and reproducible.

HDF5 does not write to the target itself, because it crashes if the disk is full.
"""

import io
from collections.abc import Mapping
from typing import Any

import h5py
import numpy as np

from keras_fn.saving.errors import ModelFileError, error_context, unsupported_hdf5_error
from keras_fn.saving.hdf5.datatypes import DTYPE_ATTRIBUTE, to_storable
from keras_fn.saving.hdf5.file import (
    DIGEST_ATTRIBUTE,
    AttributeValue,
    check_link_name,
    content_digest,
)
from keras_fn.saving.limits import current_limits

# An attribute must fit into an object header of 64 KiB, in which a string takes 16 bytes.
_TEXTS_PER_ATTRIBUTE = 4000

_ATTRIBUTE_BYTES = 64_000

_TEXT = h5py.string_dtype("utf-8")


def build_hdf5(
    datasets: Mapping[str, np.ndarray],
    attributes: Mapping[str, Mapping[str, AttributeValue]] | None = None,
    *,
    digest: bool = True,
) -> memoryview:
    """Returns the bytes of an HDF5 file, without copying them.

    Args:
        datasets: Arrays by path, such as `layers/dense/vars/0`. bfloat16 and float8 are stored as
            Keras stores bfloat16: opaque bytes and an attribute `dtype`.
        attributes: Attributes by the path of their group or dataset (`""` is the root), then by
            name. Missing groups are created. Long lists of strings are split into `name0`,
            `name1`, ... as Keras does.
        digest: Whether to add the SHA-256 of the content to the root, which `open_hdf5` verifies.
            Default True.

    Raises:
        ModelFileError: `open_hdf5` could not read the result.
        TypeError: An array or attribute has an unsupported dtype.
    """
    buffer = io.BytesIO()
    with h5py.File(buffer, "w", libver=("earliest", "v110"), track_order=False) as h5:
        for path, array in datasets.items():
            with error_context(path):
                _check_path(path)
                _write_dataset(h5, path, array)
        for path, values in (attributes or {}).items():
            with error_context(path):
                target = h5[path] if path in datasets else _group(h5, path)
                for name, value in values.items():
                    _write_attribute(target, name, value)
        if digest:
            contents = ((path, np.asarray(datasets[path])) for path in sorted(datasets))
            _write_attribute(h5, DIGEST_ATTRIBUTE, content_digest(contents))
    return buffer.getbuffer()


def _group(h5: h5py.File, path: str) -> h5py.Group:
    if not path:
        return h5
    _check_path(path)
    return h5.require_group(path)


def _check_path(path: str) -> None:
    parts = path.split("/")
    for part in parts:
        check_link_name(part)
    if len(parts) > current_limits().hdf5_depth:
        raise unsupported_hdf5_error(
            "the groups are nested too deep",
            f"at most {current_limits().hdf5_depth} levels",
            len(parts),
        )


def _write_dataset(h5: h5py.File, path: str, array: np.ndarray) -> None:
    storable, name = to_storable(np.asarray(array))
    if path in h5:
        raise ModelFileError(
            "two datasets have the same path", fix="give the layers different names"
        )
    dataset = h5.create_dataset(path, data=storable, track_times=False)
    if name is not None:
        dataset.attrs[DTYPE_ATTRIBUTE] = name


def _write_attribute(target: Any, name: str, value: AttributeValue) -> None:
    if isinstance(value, str):
        target.attrs.create(name, value.encode("utf-8").decode("utf-8"), dtype=_TEXT)
    elif isinstance(value, np.ndarray):
        if value.nbytes > _ATTRIBUTE_BYTES:
            raise ModelFileError(
                f"attribute {name!r} is too large",
                expected=f"at most {_ATTRIBUTE_BYTES} bytes",
                received=f"{value.nbytes} bytes",
                fix="store it as a dataset",
            )
        target.attrs.create(name, value)
    elif not value:
        target.attrs.create(name, np.zeros(0))  # as Keras writes an empty list
    elif len(value) <= _TEXTS_PER_ATTRIBUTE:
        target.attrs.create(name, value, dtype=_TEXT)
    else:
        for i, start in enumerate(range(0, len(value), _TEXTS_PER_ATTRIBUTE)):
            target.attrs.create(
                f"{name}{i}", value[start : start + _TEXTS_PER_ATTRIBUTE], dtype=_TEXT
            )

"""Writer of HDF5 files of weights: reproducible, and without a copy of the arrays.

HDF5 lays out the file, with space for each array, and writes what is around the arrays to memory.
The parts are written by Python: HDF5 crashes if the disk is full.
"""

import io
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import h5py
import numpy as np

from keras_fn.saving.errors import ModelFileError, error_context, unsupported_hdf5_error
from keras_fn.saving.hdf5.datatypes import DTYPE_ATTRIBUTE, to_storable
from keras_fn.saving.hdf5.file import AttributeValue, check_link_name
from keras_fn.saving.limits import current_limits

# An attribute must fit into an object header of 64 KiB, in which a string takes 16 bytes.
_TEXTS_PER_ATTRIBUTE = 4000

_ATTRIBUTE_BYTES = 64_000

_TEXT = h5py.string_dtype("utf-8")


def build_hdf5(
    datasets: Mapping[str, np.ndarray],
    attributes: Mapping[str, Mapping[str, AttributeValue]] | None = None,
) -> list[memoryview]:
    """Returns the parts of an HDF5 file, in the order of the file; arrays are not copied.

    Args:
        datasets: Arrays by path, such as `layers/dense/vars/0`. bfloat16 and float8 are stored as
            Keras stores bfloat16: opaque bytes and an attribute `dtype`.
        attributes: Attributes by the path of their group or dataset (`""` is the root), then by
            name. Missing groups are created. Long lists of strings are split into `name0`,
            `name1`, ... as Keras does.

    Raises:
        ModelFileError: `open_hdf5` could not read the result.
        TypeError: An array or attribute has an unsupported dtype.
    """
    pages = _Pages()
    arrays: list[tuple[int, memoryview]] = []  # with their offsets in the file
    with h5py.File(pages, "w", libver=("earliest", "v110"), track_order=False) as h5:
        groups = {"": h5.id}
        for path, array in datasets.items():
            with error_context(path):
                _check_path(path)
                arrays += _add_dataset(groups, path, array)
        for path, values in (attributes or {}).items():
            with error_context(path):
                target = h5[path] if path in datasets else h5py.Group(_open_group(groups, path))
                for name, value in values.items():
                    _write_attribute(target, name, value)
    return list(_join(pages, arrays))


def _join(pages: "_Pages", arrays: list[tuple[int, memoryview]]) -> Iterator[memoryview]:
    """Yields what HDF5 wrote, and the arrays, in the order of the file."""
    position = 0
    for offset, data in sorted(arrays, key=lambda item: item[0]):
        if offset > position:
            yield memoryview(pages.read_at(position, offset - position))
        yield data
        position = offset + data.nbytes
    if pages.size > position:
        yield memoryview(pages.read_at(position, pages.size - position))


class _Pages(io.RawIOBase):
    """A file in memory that holds the pages that were written, and zeros elsewhere."""

    _SIZE = 1 << 12

    def __init__(self) -> None:
        super().__init__()
        self.size = self._position = 0
        self._pages: dict[int, bytearray] = {}

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.size}[whence]
        self._position = origin + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def truncate(self, size: int | None = None) -> int:
        self.size = self._position if size is None else size
        return self.size

    def write(self, data: Any) -> int:
        source = memoryview(data).cast("B")
        for start, page, part in self._split(self._position, source.nbytes):
            content = self._pages.setdefault(page, bytearray(self._SIZE))
            content[part] = source[start : start + part.stop - part.start]
        self._position += source.nbytes
        self.size = max(self.size, self._position)
        return source.nbytes

    def readinto(self, buffer: Any) -> int:
        target = memoryview(buffer).cast("B")
        count = max(0, min(target.nbytes, self.size - self._position))
        target[:count] = self.read_at(self._position, count)
        self._position += count
        return count

    def read_at(self, position: int, size: int) -> bytearray:
        """Returns a part of the file."""
        result = bytearray(size)
        for start, page, part in self._split(position, size):
            if page in self._pages:
                result[start : start + part.stop - part.start] = self._pages[page][part]
        return result

    def _split(self, position: int, size: int) -> Iterator[tuple[int, int, slice]]:
        """Yields where a part begins in a range of the file, its page, and the part of the page."""
        start = 0
        while start < size:
            page, first = divmod(position + start, self._SIZE)
            last = min(self._SIZE, first + size - start)
            yield start, page, slice(first, last)
            start += last - first


def _open_group(groups: dict[str, Any], path: str) -> Any:
    """Returns a group by its path, created with the groups that it is in if it is missing."""
    if path not in groups:
        _check_path(path)
        parent, _, name = path.rpartition("/")
        outer = _open_group(groups, parent)
        groups[path] = h5py.h5g.create(outer, name.encode())
    return groups[path]


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


def _add_dataset(
    groups: dict[str, Any], path: str, array: np.ndarray
) -> list[tuple[int, memoryview]]:
    """Adds a dataset without data, and returns its bytes with their offset in the file."""
    storable, dtype_name = to_storable(np.asarray(array))
    parent, _, name = path.rpartition("/")
    group = _open_group(groups, parent)
    if path in groups or name.encode() in group:
        raise ModelFileError(
            "two datasets have the same path", fix="give the layers different names"
        )
    datatype = h5py.h5t.py_create(storable.dtype, logical=True)
    space = (
        h5py.h5s.create_simple(storable.shape)
        if storable.ndim
        else h5py.h5s.create(h5py.h5s.SCALAR)
    )
    dataset = h5py.h5d.create(group, name.encode(), datatype, space, _reserve_space())
    if dtype_name is not None:
        _write_attribute(h5py.Dataset(dataset), DTYPE_ATTRIBUTE, dtype_name)
    if not storable.size:
        return []
    flat = np.ascontiguousarray(storable).reshape(-1)
    return [(dataset.get_offset(), flat.view(np.uint8).data)]


@cache
def _reserve_space() -> Any:
    """Returns the properties of datasets whose space is reserved, and not written."""
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    properties.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
    properties.set_obj_track_times(False)
    return properties


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

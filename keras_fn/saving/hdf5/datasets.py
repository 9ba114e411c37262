"""HDF5 datasets: the check of what they declare against the file, and their content.

Reference: HDF5 File Format Specification 3.0, section IV.A.2.i (data layout).
"""

import dataclasses
import math
import struct

import numpy as np

from keras_fn.saving.byte_view import ByteView
from keras_fn.saving.checksum import RunningChecksum
from keras_fn.saving.errors import sanitize_for_display, unsupported_hdf5_error
from keras_fn.saving.hdf5.btree import Chunk, chunks
from keras_fn.saving.hdf5.chunks import check_chunks, filter_codes, read_chunks
from keras_fn.saving.hdf5.datatypes import OPAQUE_DTYPES, read_shape, stored_dtype
from keras_fn.saving.hdf5.header import UNDEFINED, ObjectHeader
from keras_fn.saving.limits import current_limits

_COMPACT, _CONTIGUOUS, _CHUNKED = 0, 1, 2

_LAYOUT_VERSION = 3


@dataclasses.dataclass(frozen=True)
class DatasetInfo:
    """A dataset that was checked: its bytes are in the file.

    Attributes:
        shape: Its shape.
        dtype: Its dtype; `V1` or `V2` for bfloat16 and float8 in files without the name.
        stored_bytes: Its size in the file, in bytes.
    """

    shape: tuple[int, ...]
    dtype: np.dtype
    stored_bytes: int

    @property
    def declared_bytes(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize


@dataclasses.dataclass(frozen=True)
class Storage:
    """The location of the bytes of a dataset: in its header, at an offset, or in chunks."""

    file_dtype: np.dtype
    compact: bytes | None = None
    offset: int | None = None
    chunk: tuple[int, ...] | None = None
    chunks: tuple[Chunk, ...] = ()
    filters: tuple[int, ...] = ()


def check_dataset(
    view: ByteView, header: ObjectHeader, named: str | None
) -> tuple[DatasetInfo, Storage]:
    """Checks that the bytes of a dataset are in the file, and returns its description.

    Args:
        view: The file.
        header: The header of the dataset.
        named: The value of its `dtype` attribute.
    """
    shape, file_dtype = read_shape(header.dataspace), stored_dtype(header.datatype)
    if file_dtype is None:
        raise unsupported_hdf5_error(
            "the dataset has an unsupported type", "numbers or booleans of a standard form"
        )
    version, kind = header.layout[:2]
    if version != _LAYOUT_VERSION or kind not in (_COMPACT, _CONTIGUOUS, _CHUNKED):
        raise unsupported_hdf5_error(
            "the dataset has an unsupported layout",
            "contiguous, compact or chunked",
            f"kind {kind} of version {version}",
        )
    declared = math.prod(shape) * file_dtype.itemsize
    if kind == _CHUNKED:
        storage, stored = _chunked(view, header, shape, file_dtype)
    else:
        storage, stored = _in_one_piece(view, header.layout, file_dtype, declared)
        if stored != declared or header.filters:
            raise unsupported_hdf5_error(
                "the bytes of the dataset are not all in the file",
                f"{declared} bytes",
                f"{stored} bytes",
            )
    return DatasetInfo(shape, _dtype(file_dtype, named), stored), storage


def read_stored(
    view: ByteView, info: DatasetInfo, storage: Storage, checksum: RunningChecksum | None = None
) -> np.ndarray:
    """Reads a checked dataset.

    Args:
        view: The file.
        info: The description of the dataset.
        storage: The location of its bytes.
        checksum: The checksum of the file, to which they are added.
    """
    if storage.chunk is not None:
        data = read_chunks(
            view,
            storage.chunks,
            list(storage.filters),
            info.shape,
            storage.chunk,
            storage.file_dtype,
        )
    elif storage.compact is not None:
        data = np.frombuffer(storage.compact, storage.file_dtype).reshape(info.shape).copy()
    else:
        data = np.empty(info.shape, storage.file_dtype)
        if storage.offset is not None:
            raw = data.reshape(-1).view(np.uint8).data
            view.seek(storage.offset)
            view.readinto(raw)
            if checksum is not None:
                checksum.add(storage.offset, raw)
    if info.dtype == bool and data.size and data.reshape(-1).view(np.uint8).max() > 1:
        raise unsupported_hdf5_error("a boolean is neither true nor false", "0 or 1")
    if info.dtype.name in OPAQUE_DTYPES:
        return data.view(info.dtype)
    return data.astype(info.dtype, copy=False)


def check_inflation(what: str, declared: int, stored: int) -> None:
    """Raises an error if the ratio of declared to stored bytes exceeds the limits.

    Args:
        what: What declares the bytes, for the error message.
        declared: The number of declared bytes.
        stored: The number of stored bytes.
    """
    limits = current_limits()
    if declared > limits.unchecked_bytes and declared > limits.inflation * stored:
        raise unsupported_hdf5_error(
            f"{what} much more than the file holds",
            f"at most {limits.inflation} times its {stored} stored bytes",
            f"{declared} bytes",
        )


def _in_one_piece(
    view: ByteView, layout: bytes, dtype: np.dtype, declared: int
) -> tuple[Storage, int]:
    if layout[1] == _COMPACT:
        (stored,) = struct.unpack_from("<H", layout, 2)
        return Storage(dtype, compact=layout[4 : 4 + stored]), min(stored, len(layout) - 4)
    address, size = struct.unpack_from("<2Q", layout, 2)
    if address == UNDEFINED or not declared:
        return Storage(dtype), 0
    view.slice(address, declared)
    return Storage(dtype, offset=address), size


def _chunked(
    view: ByteView, header: ObjectHeader, shape: tuple[int, ...], dtype: np.dtype
) -> tuple[Storage, int]:
    rank = len(shape)
    dimensions, tree, *sizes = struct.unpack_from(f"<BQ{rank + 1}L", header.layout, 2)
    chunk, itemsize = tuple(sizes[:-1]), sizes[-1]
    if dimensions != rank + 1 or itemsize != dtype.itemsize or not rank or 0 in chunk:
        raise unsupported_hdf5_error(
            "the chunks of the dataset do not fit its shape", received=tuple(sizes)
        )
    codes = filter_codes(header.filters)
    counts = [-(-n // c) for n, c in zip(shape, chunk, strict=True)]
    parts = chunks(view, tree, rank, math.prod(counts))
    check_chunks(parts, shape, chunk, math.prod(sizes), codes, view.size)
    stored = sum(part.size for part in parts)
    whole = math.prod(count * c for count, c in zip(counts, chunk, strict=True)) * itemsize
    check_inflation("the dataset declares", whole, min(stored, view.size))
    return Storage(dtype, chunk=chunk, chunks=tuple(parts), filters=tuple(codes)), stored


def _dtype(file_dtype: np.dtype, named: str | None) -> np.dtype:
    is_opaque = file_dtype.kind == "V"
    if named is None or (not is_opaque and named == file_dtype.name):
        return file_dtype if is_opaque else file_dtype.newbyteorder("=")
    dtype = OPAQUE_DTYPES.get(named)
    if dtype is None or not is_opaque or dtype.itemsize != file_dtype.itemsize:
        raise unsupported_hdf5_error(
            "the dtype the dataset names does not fit its bytes",
            f"one of {', '.join(OPAQUE_DTYPES)}, of {file_dtype.itemsize} bytes"
            if is_opaque
            else file_dtype.name,
            sanitize_for_display(named, 60),
        )
    return dtype

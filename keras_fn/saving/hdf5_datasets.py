"""What an HDF5 dataset declares, compared with what the file holds."""

import dataclasses
import math

import h5py
import numpy as np

from . import hdf5_chunks
from .errors import printable
from .hdf5_header import unusual
from .hdf5_types import OPAQUE_DTYPES, stored_dtype
from .limits import current_limits


@dataclasses.dataclass(frozen=True)
class DatasetInfo:
    """A dataset that passed the checks.

    Attributes:
        shape: Its shape.
        dtype: What it holds; `V1` or `V2` for bfloat16 and float8 in files that do not name them.
        stored_bytes: The bytes it takes in the file.
        file_dtype: The same as `dtype`, as it is in the file (byte order, opaque bytes).
        offset: Where its bytes are, if they are in one piece.
        chunk: The shape of a chunk, if it is chunked.
    """

    shape: tuple[int, ...]
    dtype: np.dtype
    stored_bytes: int
    file_dtype: np.dtype
    offset: int | None
    chunk: tuple[int, ...] | None

    @property
    def declared_bytes(self) -> int:
        return math.prod(self.shape) * self.file_dtype.itemsize


def dataset_info(dataset: h5py.h5d.DatasetID, named: str | None, file_size: int) -> DatasetInfo:
    """Returns what is known of a dataset, once its declared bytes are known to be in the file."""
    limits = current_limits()
    plist, space = dataset.get_create_plist(), dataset.get_space()
    layout = plist.get_layout()
    if plist.get_external_count() or layout not in (h5py.h5d.COMPACT, h5py.h5d.CONTIGUOUS, h5py.h5d.CHUNKED):
        raise unusual("the dataset is stored in another file or dataset", "its own bytes in this file")
    if space.get_simple_extent_type() not in (h5py.h5s.SCALAR, h5py.h5s.SIMPLE):
        raise unusual("the dataset has no shape")
    shape = space.get_simple_extent_dims()
    if len(shape) > limits.rank:
        raise unusual("the dataset has too many dimensions", f"at most {limits.rank}", len(shape))
    file_dtype = stored_dtype(dataset.get_type())
    dtype = _dtype_of(file_dtype, named)
    declared = math.prod(shape) * dtype.itemsize
    chunk, offset = None, None
    if layout == h5py.h5d.CHUNKED:
        chunk, stored, allocated = _chunk_sizes(dataset, plist, shape, dtype.itemsize, file_size)
        declared_most = max(declared, allocated)
    else:
        declared_most, stored = declared, dataset.get_storage_size()
        offset = dataset.get_offset() if declared and layout == h5py.h5d.CONTIGUOUS else None
        if stored != declared or (offset is not None and offset + declared > file_size):
            raise unusual("the bytes of the dataset are not all in the file", f"{declared} bytes", f"{stored} bytes")
        if declared and offset is None and layout == h5py.h5d.CONTIGUOUS:
            raise unusual("the dataset has no bytes in the file", f"{declared} bytes", 0)
    if declared_most > limits.unchecked_bytes and declared_most > limits.inflation * min(stored, file_size):
        raise unusual("the dataset declares much more than the file holds",
                      f"at most {limits.inflation} times its {stored} stored bytes", f"{declared_most} bytes")
    return DatasetInfo(shape, dtype, stored, file_dtype, offset, chunk)


def _chunk_sizes(dataset: h5py.h5d.DatasetID, plist: h5py.h5p.PropDCID, shape: tuple[int, ...], itemsize: int,
                 file_size: int) -> tuple[tuple[int, ...], int, int]:
    """Returns the chunk shape, the stored bytes and the bytes that all chunks become."""
    chunk = plist.get_chunk()
    chunk_bytes = math.prod(chunk) * itemsize
    codes = hdf5_chunks.filters(plist)
    stored = hdf5_chunks.check_chunks(dataset, shape, chunk, chunk_bytes, bool(codes), file_size)
    padded = math.prod(-(-n // c) * c for n, c in zip(shape, chunk, strict=True)) * itemsize
    return chunk, stored, padded


def _dtype_of(file_dtype: np.dtype | None, named: str | None) -> np.dtype:
    if file_dtype is None:
        raise unusual("the dataset has an unusual type", "numbers or booleans of a standard form")
    if file_dtype.kind == "V" and named is not None:
        dtype = OPAQUE_DTYPES.get(named)
        if dtype is None or dtype.itemsize != file_dtype.itemsize:
            raise unusual("the dtype the dataset names does not fit its bytes",
                          f"{', '.join(OPAQUE_DTYPES)} of {file_dtype.itemsize} bytes", printable(named, 60))
        return dtype
    return file_dtype.newbyteorder("=")

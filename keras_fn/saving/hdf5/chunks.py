"""Chunked datasets: decoding of the filters, with at most the declared size of a chunk.

Reference: HDF5 File Format Specification 3.0, section IV.A.2.l (filter pipeline).
"""

import math
import struct
import zlib
from collections.abc import Sequence

import numpy as np

from keras_fn.saving.byte_view import ByteView
from keras_fn.saving.errors import ModelFileError, unsupported_hdf5_error
from keras_fn.saving.hdf5.btree import Chunk

_DEFLATE, _SHUFFLE, _FLETCHER32 = 1, 2, 3

_FILTER = struct.Struct("<4H")

_CHECKSUM_BYTES = 4

Shape = tuple[int, ...]


def filter_codes(message: bytes) -> list[int]:
    """Returns the filters of a dataset, in the order in which they were applied.

    Args:
        message: The filter message of the dataset.

    Raises:
        ModelFileError: A filter is not supported.
    """
    if not message:
        return []
    version, count = message[:2]
    codes = []
    position = 8
    for _ in range(count if version == 1 else 0):
        code, name_size, _, values = _FILTER.unpack_from(message, position)
        position += _FILTER.size + name_size + 4 * (values + values % 2)
        codes.append(code)
    if (
        version != 1
        or len(set(codes)) != len(codes)
        or not set(codes) <= {_DEFLATE, _SHUFFLE, _FLETCHER32}
    ):
        raise unsupported_hdf5_error(
            "the dataset is stored through unknown filters",
            "shuffle, deflate or fletcher32, once each",
            f"filters {codes}",
        )
    return codes


def check_chunks(
    found: Sequence[Chunk],
    shape: Shape,
    chunk: Shape,
    chunk_bytes: int,
    codes: list[int],
    file_size: int,
) -> None:
    """Raises an error unless there is one chunk for each part of the dataset, inside the file.

    Args:
        found: The chunks.
        shape: The shape of the dataset.
        chunk: The shape of a chunk.
        chunk_bytes: The size of an unfiltered chunk.
        codes: The filters.
        file_size: The size of the file.
    """
    expected = math.prod(-(-n // c) for n, c in zip(shape, chunk, strict=True))
    if len(found) != expected or len({part.offset for part in found}) != expected:
        raise unsupported_hdf5_error(
            "chunks of the dataset are missing or repeated", f"{expected} chunks", len(found)
        )
    for part in found:
        if not all(
            at % c == 0 and at < n for at, c, n in zip(part.offset, chunk, shape, strict=True)
        ):
            raise unsupported_hdf5_error(
                "a chunk of the dataset is misplaced", received=part.offset
            )
        if part.address + part.size > file_size or (not codes and part.size != chunk_bytes):
            raise unsupported_hdf5_error(
                "a chunk of the dataset has a wrong size or lies outside the file",
                f"at most {file_size} bytes",
                f"{part.size} bytes at {part.address}",
            )


def read_chunks(
    view: ByteView,
    found: Sequence[Chunk],
    codes: list[int],
    shape: Shape,
    chunk: Shape,
    dtype: np.dtype,
) -> np.ndarray:
    """Reads a checked dataset.

    Args:
        view: The file.
        found: The chunks.
        codes: The filters.
        shape: The shape of the dataset.
        chunk: The shape of a chunk.
        dtype: The dtype in the file.
    """
    result = np.empty(shape, dtype)
    for part in found:
        data = _decode(
            view.bytes_at(part.address, part.size),
            codes,
            part.mask,
            math.prod(chunk) * dtype.itemsize,
            dtype.itemsize,
        )
        block = np.frombuffer(data, dtype).reshape(chunk)
        sizes = [min(c, n - at) for at, c, n in zip(part.offset, chunk, shape, strict=True)]
        target = tuple(slice(at, at + size) for at, size in zip(part.offset, sizes, strict=True))
        result[target] = block[tuple(slice(size) for size in sizes)]
    return result


def _decode(data: bytes, codes: list[int], mask: int, size: int, itemsize: int) -> bytes:
    for position in reversed(range(len(codes))):
        if mask >> position & 1:
            continue
        if codes[position] == _FLETCHER32:
            data = _remove_checksum(data)
        elif codes[position] == _DEFLATE:
            inflater = zlib.decompressobj()
            data = inflater.decompress(data, size + _CHECKSUM_BYTES)
            if not inflater.eof:
                raise unsupported_hdf5_error(
                    "a compressed chunk does not end at its size", f"{size} bytes"
                )
        else:
            whole = len(data) // itemsize * itemsize
            data = (
                np.frombuffer(data[:whole], np.uint8).reshape(itemsize, -1).T.tobytes()
                + data[whole:]
            )
    if len(data) != size:
        raise unsupported_hdf5_error("a chunk has a wrong size", f"{size} bytes", len(data))
    return data


def _remove_checksum(data: bytes) -> bytes:
    """Checks and removes the Fletcher-32 checksum that follows `data`.

    Sums of 16-bit big-endian words, modulo 65535 (Fletcher, 1982).
    """
    content, stored = data[:-_CHECKSUM_BYTES], int.from_bytes(data[-_CHECKSUM_BYTES:], "little")
    words = np.frombuffer(content + b"\0" * (len(content) % 2), ">u2").astype(np.uint64)
    weights = np.arange(len(words), 0, -1, dtype=np.uint64) % 65535
    low, high = int(words.sum() % 65535), int((words * weights % 65535).sum() % 65535)
    if (
        len(data) < _CHECKSUM_BYTES
        or (stored & 0xFFFF) % 65535 != low
        or (stored >> 16) % 65535 != high
    ):
        raise ModelFileError(
            "the checksum of a chunk does not match its content",
            fix="the file is damaged; get it again",
        )
    return content

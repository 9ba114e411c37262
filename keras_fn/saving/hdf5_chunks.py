"""Chunked datasets, decoded here: HDF5's own inflate has no bound on what a chunk becomes."""

import zlib

import h5py
import numpy as np

from .errors import ModelFileError
from .hdf5_header import unusual

SHUFFLE, DEFLATE, FLETCHER32 = h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_FLETCHER32
_FLETCHER_BYTES = 4


def filters(plist: h5py.h5p.PropDCID) -> list[int]:
    """Returns the filters of a dataset in the order of writing; raises if one is not known."""
    codes = [plist.get_filter(i)[0] for i in range(plist.get_nfilters())]
    if len(set(codes)) != len(codes) or not set(codes) <= {SHUFFLE, DEFLATE, FLETCHER32}:
        raise unusual("the dataset is stored through unknown filters", "shuffle, deflate or fletcher32, once each",
                      f"filters {codes}")
    return codes


def check_chunks(dataset: h5py.h5d.DatasetID, shape: tuple[int, ...], chunk: tuple[int, ...], chunk_bytes: int,
                 is_filtered: bool, file_size: int) -> int:
    """Returns the stored bytes of a chunked dataset, once all its chunks are there and in the file."""
    expected = int(np.prod([-(-n // c) for n, c in zip(shape, chunk, strict=True)], dtype=object))
    count = dataset.get_num_chunks()
    if count != expected:
        raise unusual("chunks of the dataset are missing", f"{expected} chunks", count)
    stored = 0
    seen: set[tuple[int, ...]] = set()

    def check(info: h5py.h5d.StoreInfo) -> None:
        nonlocal stored
        aligned = all(at % c == 0 and at < n for at, c, n in zip(info.chunk_offset, chunk, shape, strict=True))
        if not aligned or info.chunk_offset in seen or info.byte_offset is None:
            raise unusual("a chunk of the dataset is misplaced or repeated", found=info.chunk_offset)
        if info.byte_offset + info.size > file_size or (not is_filtered and info.size != chunk_bytes):
            raise unusual("a chunk of the dataset has a wrong size or lies outside the file",
                          f"at most {file_size} bytes", f"{info.size} bytes at {info.byte_offset}")
        seen.add(info.chunk_offset)
        stored += info.size

    dataset.chunk_iter(check)
    if len(seen) != expected:
        raise unusual("chunks of the dataset are missing", f"{expected} chunks", len(seen))
    return stored


def read_chunks(dataset: h5py.h5d.DatasetID, shape: tuple[int, ...], chunk: tuple[int, ...],
                dtype: np.dtype) -> np.ndarray:
    """Reads a checked, chunked dataset."""
    codes = filters(dataset.get_create_plist())
    result = np.empty(shape, dtype)
    for index in np.ndindex(*(-(-n // c) for n, c in zip(shape, chunk, strict=True))):
        offset = tuple(i * c for i, c in zip(index, chunk, strict=True))
        mask, raw = dataset.read_direct_chunk(offset)
        data = _decode(raw, codes, mask, int(np.prod(chunk)) * dtype.itemsize, dtype.itemsize)
        block = np.frombuffer(data, dtype).reshape(chunk)
        sizes = [min(c, n - o) for o, c, n in zip(offset, chunk, shape, strict=True)]
        target = tuple(slice(o, o + n) for o, n in zip(offset, sizes, strict=True))
        result[target] = block[tuple(slice(n) for n in sizes)]
    return result


def _decode(data: bytes, codes: list[int], mask: int, size: int, itemsize: int) -> bytes:
    """Undoes the filters of a chunk; bit i of `mask` says that filter i was left out."""
    for position in reversed(range(len(codes))):
        if mask >> position & 1:
            continue
        if codes[position] == FLETCHER32:
            data = _without_checksum(data)
        elif codes[position] == DEFLATE:
            inflater = zlib.decompressobj()
            data = inflater.decompress(data, size + _FLETCHER_BYTES)
            if not inflater.eof:
                raise unusual("a compressed chunk does not end at its size", f"{size} bytes")
        else:
            whole = len(data) // itemsize * itemsize
            data = np.frombuffer(data[:whole], np.uint8).reshape(itemsize, -1).T.tobytes() + data[whole:]
    if len(data) != size:
        raise unusual("a chunk has a wrong size", f"{size} bytes", len(data))
    return data


def _without_checksum(data: bytes) -> bytes:
    """Checks and removes the Fletcher-32 checksum that follows `data`.

    Sums of 16-bit big-endian words, modulo 65535 (Fletcher, 1982).
    """
    content, stored = data[:-_FLETCHER_BYTES], int.from_bytes(data[-_FLETCHER_BYTES:], "little")
    words = np.frombuffer(content + b"\0" * (len(content) % 2), ">u2").astype(np.uint64)
    weights = np.arange(len(words), 0, -1, dtype=np.uint64) % 65535
    low, high = int(words.sum() % 65535), int((words * weights % 65535).sum() % 65535)
    if len(data) < _FLETCHER_BYTES or (stored & 0xFFFF) % 65535 != low or (stored >> 16) % 65535 != high:
        raise ModelFileError("the checksum of a chunk does not match its content",
                             fix="the file is damaged; get it again")
    return content

"""The `safetensors` format: a header in JSON, and behind it the bytes of the arrays.

Every byte of a file has one meaning: the arrays follow each other without gaps, and each is as long
as its shape and dtype say. A file that keras_fn writes has a checksum for each array in its
metadata, which other programs ignore.

Reference: https://github.com/huggingface/safetensors, section "Format".
"""

import contextlib
import json
import math
import struct
import zlib
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, BinaryIO, NamedTuple

import ml_dtypes
import numpy as np
from numpy.typing import DTypeLike

from keras_fn.errors import DTypeError
from keras_fn.saving.byte_view import ByteView
from keras_fn.saving.checksum import write_groups
from keras_fn.saving.errors import (
    ModelFileError,
    error_context,
    model_file_errors,
    sanitize_for_display,
)
from keras_fn.saving.file_io import describe
from keras_fn.saving.hdf5.datatypes import can_read_as
from keras_fn.saving.limits import current_limits
from keras_fn.saving.strict_json import as_shape, as_size, parse_json

_DTYPES = {
    "BOOL": np.dtype(bool),
    **{f"{kind}{8 * n}": np.dtype(f"<{kind.lower()}{n}") for kind in "UI" for n in (1, 2, 4, 8)},
    **{f"F{8 * n}": np.dtype(f"<f{n}") for n in (2, 4, 8)},
    "BF16": np.dtype(ml_dtypes.bfloat16),
    "F8_E4M3": np.dtype(ml_dtypes.float8_e4m3fn),
    "F8_E5M2": np.dtype(ml_dtypes.float8_e5m2),
    "C64": np.dtype("<c8"),
}
_CODES = {dtype.name: code for code, dtype in _DTYPES.items()}

_LENGTH = struct.Struct("<Q")
_METADATA = "__metadata__"
_CHECKSUMS = "keras_fn.crc32"  # of the arrays, in the order of the file
_FORMAT = "format"  # a key of the metadata that other programs write
_KEYS = {"dtype", "shape", "data_offsets"}
_ALIGNMENT = 8
_WORTH_A_THREAD = 1 << 22  # bytes
_WAITING = 4  # arrays
SIGNATURE_BYTES = _LENGTH.size + 1


class TensorInfo(NamedTuple):
    """An array in a file, whose bytes were checked to be there.

    Attributes:
        shape: Its shape.
        dtype: Its dtype.
        offset: Where its bytes begin in the file.
        crc: The CRC-32 of its bytes, if the file has it.
    """

    shape: tuple[int, ...]
    dtype: np.dtype
    offset: int
    crc: int | None = None

    @property
    def nbytes(self) -> int:
        """The number of its bytes."""
        return math.prod(self.shape) * self.dtype.itemsize


def is_safetensors(signature: bytes) -> bool:
    """Returns whether a file begins as a `safetensors` file does.

    Args:
        signature: Its first `SIGNATURE_BYTES` bytes.
    """
    if len(signature) < SIGNATURE_BYTES or signature[_LENGTH.size :] != b"{":
        return False
    return _LENGTH.unpack_from(signature)[0] <= current_limits().safetensors_header_bytes


# ---------------------------------------------------------------- writing


def write_safetensors(
    file: BinaryIO, arrays: Mapping[str, np.ndarray], metadata: Mapping[str, str] | None = None
) -> None:
    """Writes arrays to an empty file; they are not copied. The result is reproducible.

    Args:
        file: A seekable file at its beginning.
        arrays: The arrays by name. Those with larger elements are written first, so that each is
            aligned in the file.
        metadata: Further texts for the header.

    Raises:
        TypeError: The format does not have the dtype of an array.
        ModelFileError: A name cannot be in such a file, or the header is too large.
        OSError: The file cannot be written.
    """
    arrays = dict(sorted(arrays.items(), key=lambda item: -item[1].dtype.itemsize))
    file.write(_build_header(arrays, metadata or {}, [0] * len(arrays)))
    size = sum(array.nbytes for array in arrays.values())
    checksums = write_groups(file, ([_bytes_of(array)] for array in arrays.values()), size)
    file.seek(0)
    file.write(_build_header(arrays, metadata or {}, checksums))  # of the same size


def _build_header(
    arrays: Mapping[str, np.ndarray], metadata: Mapping[str, str], checksums: list[int]
) -> bytes:
    own = {_CHECKSUMS: " ".join(f"{crc:08x}" for crc in checksums)}
    header: dict[str, Any] = {_METADATA: {**metadata, **own}}
    end = 0
    for name, array in arrays.items():
        if name in header:
            raise _malformed("no array can have this name", received=name)
        start, end = end, end + array.nbytes
        header[name] = {
            "dtype": _dtype_code(name, array.dtype),
            "shape": list(array.shape),
            "data_offsets": [start, end],
        }
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _ALIGNMENT)
    _check_length(len(text))
    return _LENGTH.pack(len(text)) + text


def _dtype_code(name: str, dtype: np.dtype) -> str:
    code = _CODES.get(dtype.name)
    if code is None:
        raise DTypeError(
            f"The weight {name!r}",
            expected=f"a dtype that safetensors files have: {', '.join(_CODES)}",
            received=dtype.name,
            fix="save it in another format, as model.weights.h5",
        )
    return code


def _bytes_of(array: np.ndarray) -> memoryview:
    array = np.ascontiguousarray(array, _DTYPES[_CODES[array.dtype.name]])
    return array.reshape(-1).view(np.uint8).data


# ---------------------------------------------------------------- reading


def open_safetensors(file: BinaryIO, name: str | None = None) -> "SafetensorsFile":
    """Opens a `safetensors` file and checks its whole header.

    Args:
        file: A binary, seekable file object; it must stay open.
        name: The name of the file in error messages. By default the name of the file object.

    Raises:
        ModelFileError: The file breaks a rule of the format.
    """
    name = name or describe(file)
    with model_file_errors(name):
        return SafetensorsFile(ByteView.of_file(file), name)


class SafetensorsFile:
    """A checked file, as `open_safetensors` returns it.

    Attributes:
        name: The name of the file in error messages.
        metadata: The texts in its header.
        datasets: The arrays by name, in the order of their bytes. Names that the metadata declares
            to be the same array as another one are among them.
        stored_names: The names without those.
        groups: Empty: there are none in this format.
    """

    def __init__(self, view: ByteView, name: str):
        self._view, self.name = view, name
        self._background: _Checks | None = None
        self.groups: list[str] = []
        header, start = _read_header(view)
        self.metadata = _checked_metadata(header.pop(_METADATA, {}))
        self.datasets = _locate(header, start, view.size, self._checksums(len(header)))
        self.stored_names = list(self.datasets)
        for alias, kept in self.metadata.items():
            if alias != _FORMAT and kept in header:
                self.datasets.setdefault(alias, self.datasets[kept])

    def _checksums(self, count: int) -> list[int] | None:
        text = self.metadata.get(_CHECKSUMS)
        if text is None:
            return None
        if len(text) != max(0, 9 * count - 1):
            raise _malformed("the number of checksums is not that of the arrays")
        return [int(crc, 16) for crc in text.split()]

    def attribute_names(self, path: str) -> list[str]:
        """Returns an empty list: the format has no attributes."""
        del path
        return []

    def attribute(self, path: str, name: str) -> None:
        """Returns None: the format has no attributes."""

    def read(self, path: str, shape: tuple[int, ...], dtype: DTypeLike) -> np.ndarray:
        """Returns an array.

        Args:
            path: Its name.
            shape: Its shape.
            dtype: The dtype that it is converted to, from one of the same kind.

        Raises:
            ModelFileError: There is no such array, it has another shape or kind of dtype, or its
                checksum is wrong.
        """
        with model_file_errors(self.name, sanitize_for_display(path)):
            info, wanted = self.datasets.get(path), np.dtype(dtype)
            if info is None or info.shape != tuple(shape):
                raise _malformed("the array is another one", tuple(shape), info and info.shape)
            if not can_read_as(info.dtype, wanted):
                raise _malformed("the dtype is another one", wanted.name, info.dtype.name)
            data = np.empty(info.shape, info.dtype)
            raw = data.reshape(-1).view(np.uint8)
            self._view.seek(info.offset)
            self._view.readinto(raw)
            if info.crc is not None:
                self._check_crc(path, info.crc, raw.data)
            if info.dtype == bool and raw.size and raw.max() > 1:
                raise _malformed("a boolean is neither true nor false", "0 or 1", int(raw.max()))
            return data.astype(wanted, copy=False)

    def _check_crc(self, path: str, crc: int, data: memoryview) -> None:
        if self._background is None:
            _compare_crc(crc, data)
        else:
            self._background.add(path, crc, data)

    @contextlib.contextmanager
    def background_checks(self) -> Iterator[None]:
        """Context manager in which a thread verifies checksums while reading goes on.

        Raises:
            ModelFileError: At the end of the context: one of them is wrong.
        """
        if sum(info.nbytes for info in self.datasets.values()) < _WORTH_A_THREAD:
            yield
            return
        self._background = checks = _Checks()
        try:
            with checks.pool:
                yield
        finally:
            self._background = None
        for path, check in checks.running:
            with error_context(self.name, sanitize_for_display(path)):
                check.result()


class _Checks:
    """Checksums that a thread verifies, by the names of the arrays."""

    def __init__(self) -> None:
        self.pool = ThreadPoolExecutor(1, "keras_fn-checksum")
        self.running: list[tuple[str, Future[None]]] = []

    def add(self, path: str, crc: int, data: memoryview) -> None:
        if len(self.running) >= _WAITING:
            self.running[-_WAITING][1].exception()  # waits: few arrays are held for it
        self.running.append((path, self.pool.submit(_compare_crc, crc, data)))


def _compare_crc(crc: int, data: memoryview) -> None:
    if zlib.crc32(data) != crc:
        raise ModelFileError(
            "the weights are not what was saved (CRC-32 differs)",
            fix="the file is damaged; get it again",
        )


def _read_header(view: ByteView) -> tuple[dict[str, Any], int]:
    """Returns the header, and where the bytes of the arrays begin."""
    if view.size < _LENGTH.size:
        raise _malformed("the file is too short", f"{_LENGTH.size} bytes or more", view.size)
    length = _LENGTH.unpack(view.bytes_at(0, _LENGTH.size))[0]
    _check_length(length)
    if length > view.size - _LENGTH.size:
        raise _malformed(
            "the header is longer than the file", f"at most {view.size - _LENGTH.size}", length
        )
    text = view.bytes_at(_LENGTH.size, length)
    if not text.startswith(b"{"):
        raise _malformed("the header is not a JSON object", "{", repr(text[:1]))
    header = parse_json(text, allow_nonfinite=False)
    return header, _LENGTH.size + length


def _check_length(length: int) -> None:
    most = current_limits().safetensors_header_bytes
    if length > most:
        raise _malformed("the header is too large", f"at most {most} bytes", length)


def _checked_metadata(metadata: Any) -> dict[str, str]:
    if not isinstance(metadata, dict) or not all(type(v) is str for v in metadata.values()):
        raise _malformed(f"{_METADATA} is not an object of texts")
    return metadata


def _locate(
    header: Mapping[str, Any], start: int, size: int, checksums: list[int] | None
) -> dict[str, TensorInfo]:
    """Returns the arrays in the order of their bytes, which follow each other without gaps."""
    found = []
    for name, entry in header.items():
        with model_file_errors(sanitize_for_display(name)):
            found.append((*_checked_entry(entry), name))
    found.sort(key=lambda item: item[:2])
    infos: dict[str, TensorInfo] = {}
    position = 0
    for i, (first, last, dtype, shape, name) in enumerate(found):
        if first != position:
            raise _malformed(
                f"{sanitize_for_display(name, 100)!r} overlaps another array or follows a gap",
                f"its first byte at {position}",
                first,
            )
        position = last
        crc = checksums[i] if checksums is not None else None
        infos[name] = TensorInfo(shape, dtype, start + first, crc)
    if start + position != size:
        raise _malformed("the arrays do not end where the file does", start + position, size)
    return infos


def _checked_entry(entry: Any) -> tuple[int, int, np.dtype, tuple[int, ...]]:
    """Returns the first and last offset, the dtype and the shape of an array."""
    if not isinstance(entry, dict) or entry.keys() != _KEYS:
        raise _malformed("this is not the description of an array", sorted(_KEYS))
    dtype, sizes, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in _DTYPES:
        raise _malformed("the dtype is unknown", ", ".join(_DTYPES), sanitize_for_display(dtype))
    shape = as_shape(sizes, "the shape")
    if not isinstance(offsets, list) or len(offsets) != 2:
        raise _malformed("data_offsets is not a pair")
    first, last = (as_size(offset, "an offset") for offset in offsets)
    known = tuple(as_size(n, "a size of the shape") for n in shape)  # null is none
    nbytes = math.prod(known) * _DTYPES[dtype].itemsize
    if last - first != nbytes:
        raise _malformed(
            "the number of bytes does not fit the shape and dtype", nbytes, last - first
        )
    return first, last, _DTYPES[dtype], known


def _malformed(fact: str, expected: object = "", received: object = "") -> ModelFileError:
    return ModelFileError(
        fact,
        expected=expected,
        received=received,
        fix="the file is damaged or is not a safetensors file; get it again",
    )

"""Reader of HDF5 files of weights, for a narrow profile of the format.

The HDF5 library is not used for reading: it has features that open other files, and on malformed
files it can loop forever or crash, which Python code cannot prevent. Keras uses only a small part
of the format: superblock 0, groups, plain datasets and attributes.

`open_hdf5` checks the whole tree before it returns: only hard links, each object at one path, plain
numeric datasets whose bytes are in the file.
"""

import contextlib
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import BinaryIO

import numpy as np
from numpy.typing import DTypeLike

from keras_fn.saving.byte_view import BudgetedView, ByteView
from keras_fn.saving.checksum import (
    RunningChecksum,
    check_crc,
    check_no_trailer,
    compute_crc,
    find_trailer,
    trailer_checksum,
)
from keras_fn.saving.errors import (
    ModelFileError,
    model_file_errors,
    sanitize_for_display,
    unsupported_hdf5_error,
)
from keras_fn.saving.file_io import describe
from keras_fn.saving.hdf5.btree import group_links
from keras_fn.saving.hdf5.datasets import (
    DatasetInfo,
    Storage,
    check_dataset,
    check_inflation,
    read_stored,
)
from keras_fn.saving.hdf5.datatypes import (
    DTYPE_ATTRIBUTE,
    can_read_as,
    is_unnamed,
    read_shape,
    stored_dtype,
    text_type,
)
from keras_fn.saving.hdf5.global_heap import GlobalHeap
from keras_fn.saving.hdf5.header import Attribute, ObjectHeader, read_header, read_superblock
from keras_fn.saving.limits import current_limits

_NAME_BYTES = 255
_WORTH_A_THREAD = 1 << 22  # bytes

_FIX = "load the file into the model it was saved from"

AttributeValue = str | list[str] | np.ndarray


def open_hdf5(
    file: BinaryIO, *, name: str | None = None, verify: bool = True, crc: int | None = None
) -> "Hdf5File":
    """Opens and checks an HDF5 file.

    Args:
        file: A binary, seekable file object; it must stay open.
        name: The name of the file in error messages. By default the name of the file object.
        verify: Whether to compare the content with its checksum, if there is one, which reads the
            file once. Default True. If False, `background_checks` of the result does it.
        crc: The checksum of the whole file. By default the one behind its content.

    Raises:
        ModelFileError: The file is malformed, or uses features that files of weights do not use.
    """
    name = name or describe(file)
    with model_file_errors(name):
        view = ByteView.of_file(file)
        size = find_trailer(view)
        if size is None:
            check_no_trailer(view, read_superblock(view)[1])
        content = view if size is None else view.slice(0, size)
        if size is not None:
            if crc is not None:
                check_crc(compute_crc(ByteView.of_file(file)), crc)
            crc = trailer_checksum(view, size)
        has_checksum = size is not None or crc is not None
        if has_checksum and (verify or content.size < _WORTH_A_THREAD):
            check_crc(compute_crc(content), crc)
            has_checksum = False
        try:
            h5 = Hdf5File(file, name, size)
        except ModelFileError:
            if has_checksum:  # damage is the better explanation
                check_crc(compute_crc(content), crc)
            raise
        if has_checksum:
            h5._unverified = (content, crc)
        return h5


class Hdf5File:
    """A checked HDF5 file, as `open_hdf5` returns it.

    Attributes:
        name: The name of the file in error messages.
        datasets: All datasets by path, without a leading slash, in the order of the file.
        groups: The paths of all groups; the root is `""`.
        is_own: Whether keras_fn wrote the file: it has a checksum.
    """

    def __init__(self, file: BinaryIO, name: str, size: int | None = None):
        whole = ByteView.of_file(file)
        view = BudgetedView(file, 0, whole.size if size is None else size)
        self._view, self._heap, self.name = whole, GlobalHeap(view), name
        self._headers = dict(_walk(view))
        self._values: dict[
            tuple[str, str], AttributeValue
        ] = {}  # cached, because reading is budgeted
        self._storage: dict[str, Storage] = {}
        self._unverified: tuple[ByteView, int | None] | None = None
        self._running: RunningChecksum | None = None
        self.groups = [path for path, header in self._headers.items() if header.symbol_table]
        self.datasets: dict[str, DatasetInfo] = {}
        for path, header in self._headers.items():
            if not header.symbol_table:
                with model_file_errors(sanitize_for_display(path)):
                    self.datasets[path], self._storage[path] = check_dataset(
                        view, header, self._named_dtype(path)
                    )
        self.is_own = size is not None
        declared = sum(info.declared_bytes for info in self.datasets.values())
        check_inflation("the datasets declare together", declared, view.size)

    def read(self, path: str, shape: Iterable[int], dtype: DTypeLike) -> np.ndarray:
        """Returns a dataset as an array.

        The shape and dtype are checked before memory is allocated.

        Args:
            path: The path of the dataset.
            shape: Its shape.
            dtype: The dtype of the array. Floats are converted to any float, integers to wider
                integers.

        Raises:
            ModelFileError: The dataset does not exist, or has another shape or kind of dtype.
        """
        with model_file_errors(self.name, sanitize_for_display(path)):
            info, wanted = self._info(path), np.dtype(dtype)
            if info.shape != tuple(shape):
                raise ModelFileError(
                    "the dataset has another shape than the variable",
                    expected=tuple(shape),
                    received=info.shape,
                    fix=_FIX,
                )
            if not can_read_as(info.dtype, wanted):
                raise ModelFileError(
                    "the dataset has another kind of dtype than the variable",
                    expected=wanted.name,
                    received=info.dtype.name,
                    fix=_FIX,
                )
            data = read_stored(self._view, info, self._storage[path], self._running)
            return (
                data.view(wanted)
                if is_unnamed(info.dtype, wanted)
                else data.astype(wanted, copy=False)
            )

    @contextlib.contextmanager
    def background_checks(self) -> Iterator[None]:
        """Context manager in which a thread computes the checksum, if it was not verified before.

        Raises:
            ModelFileError: At the end of the context: the content is not what was saved.
        """
        if self._unverified is None:
            yield
            return
        content, expected = self._unverified
        with RunningChecksum(content) as self._running:
            try:
                yield
                actual = self._running.finish()
            except ModelFileError:
                self.verify()  # damage is the better explanation
                raise
            finally:
                self._running = None
        with model_file_errors(self.name):
            check_crc(actual, expected)
        self._unverified = None

    def verify(self) -> None:
        """Compares the content with its checksum, if it was not verified before.

        Raises:
            ModelFileError: The content is not what was saved.
        """
        if self._unverified is not None:
            content, expected = self._unverified
            content.seek(0)
            with model_file_errors(self.name):
                check_crc(compute_crc(content), expected)
            self._unverified = None

    def attribute(self, path: str, name: str) -> AttributeValue | None:
        """Returns an attribute: a string, a list of strings, or an array; None if it is missing.

        Args:
            path: The path of the group or dataset.
            name: The name of the attribute.

        Raises:
            ModelFileError: The attribute has another type, or is too large.
        """
        with model_file_errors(
            self.name, f"{sanitize_for_display(path, 200)}@{sanitize_for_display(name, 100)}"
        ):
            attribute = self._header(path).attributes.get(name)
            if attribute is not None and (path, name) not in self._values:
                self._values[path, name] = self._value(attribute)
            return self._values.get((path, name))

    def attribute_names(self, path: str) -> list[str]:
        """Returns the names of the attributes of a group or dataset."""
        with model_file_errors(self.name):
            return list(self._header(path).attributes)

    def names(self, path: str, name: str) -> list[str]:
        """Returns a list of strings, which Keras splits into `name0`, `name1`, ... if it is long.

        Args:
            path: The path of the group or dataset.
            name: The name of the attribute.

        Raises:
            ModelFileError: The attribute is missing, or is not a list of strings.
        """
        present = self.attribute_names(path)
        parts = [f"{name}{i}" for i in range(len(present)) if f"{name}{i}" in present]
        if name in present:
            parts = [name]
        elif not parts or parts != [f"{name}{i}" for i in range(len(parts))]:
            raise ModelFileError(
                f"{self.name}, {sanitize_for_display(path)}: the attribute {name!r} is missing",
                expected="a list of names",
                received=", ".join(present[:10]),
            )
        result: list[str] = []
        for part in parts:
            value = self.attribute(path, part)
            if isinstance(value, np.ndarray) and value.size == 0:
                continue  # Keras writes an empty list as an empty array
            if not isinstance(value, list):
                raise ModelFileError(
                    f"{self.name}, {sanitize_for_display(path)}: attribute {part!r} is not a list",
                    expected="a list of strings",
                    received=type(value).__name__,
                )
            result += value
        return result

    def _info(self, path: str) -> DatasetInfo:
        if path not in self.datasets:
            raise ModelFileError(
                "there is no such dataset",
                expected="a dataset at this path",
                received="a group" if path in self._headers else "no object",
                fix=_FIX,
            )
        return self.datasets[path]

    def _header(self, path: str) -> ObjectHeader:
        if path not in self._headers:
            raise ModelFileError(f"there is no object at {sanitize_for_display(path)!r}", fix=_FIX)
        return self._headers[path]

    def _named_dtype(self, path: str) -> str | None:
        value = self.attribute(path, DTYPE_ATTRIBUTE)
        return value if value is None or isinstance(value, str) else "not a string"

    def _value(self, attribute: Attribute) -> AttributeValue:
        shape, text, dtype = read_shape(attribute.dataspace), text_type(attribute.datatype), None
        if text is None and (
            (dtype := stored_dtype(attribute.datatype)) is None or dtype.kind == "V"
        ):
            raise unsupported_hdf5_error(
                "the attribute has an unsupported type", "strings or numbers"
            )
        size = math.prod(shape) * (text or dtype).itemsize  # type: ignore[union-attr]
        raw = attribute.value[:size]
        if len(raw) != size:
            raise unsupported_hdf5_error("the attribute is cut off", f"{size} bytes", len(raw))
        if text is None:
            return np.frombuffer(raw, dtype).reshape(shape).astype(dtype.newbyteorder("="))  # type: ignore[union-attr]
        if len(shape) > 1 or not text.itemsize:
            raise unsupported_hdf5_error(
                "the attribute has an unsupported shape", "a string or a list of strings", shape
            )
        if text.is_vlen:
            items = self._heap.texts(raw)
        else:
            items = [raw[at : at + text.itemsize] for at in range(0, size, text.itemsize)]
        texts = [item.rstrip(b"\0").decode("utf-8") for item in items]
        return texts if shape else texts[0]


def datasets(h5: Hdf5File) -> Mapping[str, DatasetInfo]:
    """Returns the datasets of a file by path, without a leading slash.

    Args:
        h5: The file.
    """
    return h5.datasets


def read_dataset(
    h5: Hdf5File, path: str, expected_shape: Iterable[int], expected_dtype: DTypeLike
) -> np.ndarray:
    """Returns `h5.read(path, expected_shape, expected_dtype)`."""
    return h5.read(path, expected_shape, expected_dtype)


def check_link_name(name: str) -> None:
    """Raises an error unless `name` is a plain name for a group or dataset."""
    usable = 0 < len(name.encode("utf-8", "replace")) <= _NAME_BYTES and name not in (".", "..")
    if not usable or any(c == "/" or c == "\\" or not c.isprintable() for c in name):
        raise unsupported_hdf5_error(
            "a name in the HDF5 file is not allowed",
            f"1 to {_NAME_BYTES} printable characters, no slash",
            sanitize_for_display(name, 100),
        )


def _walk(view: BudgetedView) -> Iterator[tuple[str, ObjectHeader]]:
    """Yields the path and the header of every object; each address can occur once."""
    limits = current_limits()
    address, _ = read_superblock(view)
    root = read_header(view, address)
    if root.symbol_table is None:
        raise unsupported_hdf5_error("the root of the HDF5 file is not a group")
    yield "", root
    seen, count = {address}, 1
    stack = [("", root.symbol_table, 1)]
    while stack:
        parent, symbol_table, depth = stack.pop()
        if depth > limits.hdf5_depth:
            raise unsupported_hdf5_error(
                "the groups are nested too deep", f"at most {limits.hdf5_depth} levels"
            )
        links = group_links(view, symbol_table, seen, limits.hdf5_objects - count)
        count += len(links)
        for name, address in links:
            check_link_name(name)
            path = f"{parent}/{name}" if parent else name
            view.charge(len(path))
            with model_file_errors(sanitize_for_display(path)):
                if address in seen:
                    raise unsupported_hdf5_error(
                        "an object is reached by two paths, or contains itself",
                        "each object at one path",
                    )
                seen.add(address)
                header = read_header(view, address)
            yield path, header
            if header.symbol_table:
                stack.append((path, header.symbol_table, depth + 1))

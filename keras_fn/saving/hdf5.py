"""HDF5 files of weights, read through a narrow profile of the format.

`open_hdf5` checks the whole tree before it returns: hard links only, each object at one path, plain
numeric datasets whose bytes are in the file. What it returns gives access by checked paths alone.
"""

import hashlib
import math
import weakref
from collections.abc import Iterable, Mapping
from typing import BinaryIO

import h5py
import numpy as np
from numpy.typing import DTypeLike

from . import hdf5_chunks
from .atomic import describe
from .byte_view import ByteView, ExactByteView
from .errors import ModelFileError, model_file_errors, printable
from .hdf5_datasets import DatasetInfo as DatasetInfo
from .hdf5_datasets import dataset_info
from .hdf5_header import ObjectHeader, check_superblock, unusual
from .hdf5_types import DTYPE_ATTRIBUTE, OPAQUE_DTYPES, can_read_as, is_unnamed, stored_dtype
from .hdf5_walk import walk
from .limits import current_limits

DIGEST_ATTRIBUTE = "keras_fn_sha256"

AttributeValue = str | list[str] | np.ndarray


def open_hdf5(file: BinaryIO, *, verify: bool = True) -> "Hdf5File":
    """Opens and checks an HDF5 file.

    Args:
        file: A binary, seekable file object; it must stay open.
        verify: Compare the content with the digest in the file, if keras_fn wrote one. It costs
            reading all weights once; `read_archive` has done the same for a member of an archive.

    Raises:
        ModelFileError: The file is malformed, or holds what a file of weights does not.
    """
    name = describe(file)
    with model_file_errors(name):
        view = ExactByteView(file, 0, ByteView.of_file(file).size)
        check_superblock(view)
        opened = Hdf5File(h5py.File(view, "r", rdcc_nbytes=0), view, name)
        try:
            opened._check_tree()
            if verify:
                opened.verify_digest()
        except BaseException:
            opened.close()
            raise
        return opened


class Hdf5File:
    """A checked HDF5 file. Made by `open_hdf5`; a context manager that closes it."""

    def __init__(self, h5: h5py.File, view: ByteView, name: str):
        self._h5, self._view, self.name = h5, view, name
        self._headers: dict[str, ObjectHeader] = {}
        self._datasets: dict[str, DatasetInfo] = {}
        # h5py crashes when a file over a Python object is still open as the interpreter ends.
        self.close = weakref.finalize(self, h5.close)

    def __enter__(self) -> "Hdf5File":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def groups(self) -> list[str]:
        """The paths of all groups, without a leading slash; the root is ''."""
        return [path for path, header in self._headers.items() if header.is_group]

    def read(self, path: str, shape: Iterable[int], dtype: DTypeLike) -> np.ndarray:
        """Returns a dataset as an array of the given shape and dtype.

        Before any memory is taken the shape must be equal, and the dtype equal or convertible:
        float to float, integers to wider ones. Compare `datasets(h5)[path].dtype` to see whether
        it was converted.

        Raises:
            ModelFileError: There is no such dataset, or it has another shape or kind of dtype.
        """
        with model_file_errors(self.name, printable(path)):
            info, wanted = self._info(path), np.dtype(dtype)
            if info.shape != tuple(shape):
                raise ModelFileError("the dataset has another shape than the variable", expected=tuple(shape),
                                     found=info.shape, fix="load the file into the model it was saved from")
            if not can_read_as(info.dtype, wanted):
                raise ModelFileError("the dataset has another kind of dtype than the variable", expected=wanted.name,
                                     found=info.dtype.name, fix="load the file into the model it was saved from")
            data = self._stored(path, info)
            return data.view(wanted) if is_unnamed(info.dtype, wanted) else data.astype(wanted, copy=False)

    def attribute(self, path: str, name: str) -> AttributeValue | None:
        """Returns an attribute of a group or dataset: text, a list of texts, or numbers; None if absent.

        Raises:
            ModelFileError: The attribute is of another type, or too large.
        """
        with model_file_errors(self.name, f"{printable(path, 200)}@{printable(name, 100)}"):
            header = self._header(path)
            return self._read_attribute(header, path, name) if name in header.attributes else None

    def attribute_names(self, path: str) -> list[str]:
        """Returns the names of the attributes of a group or dataset."""
        with model_file_errors(self.name):
            return list(self._header(path).attributes)

    def names(self, path: str, name: str) -> list[str]:
        """Returns a list of texts, which Keras splits over `name0`, `name1`, ... when it is long.

        Raises:
            ModelFileError: There is no such attribute, or it is not a list of texts.
        """
        present = self.attribute_names(path)
        parts = [name] if name in present else [f"{name}{i}" for i in range(len(present)) if f"{name}{i}" in present]
        if not parts or parts != [name] and parts != [f"{name}{i}" for i in range(len(parts))]:
            raise ModelFileError(f"{self.name}, {printable(path)}: the attribute {name!r} is missing",
                                 expected="a list of names", found=", ".join(present[:10]))
        result: list[str] = []
        for part in parts:
            value = self.attribute(path, part)
            if isinstance(value, np.ndarray) and value.size == 0:
                continue  # Keras writes an empty list as no numbers
            if not isinstance(value, list):
                raise ModelFileError(f"{self.name}, {printable(path)}: the attribute {part!r} is not a list of names",
                                     expected="texts", found=type(value).__name__)
            result += value
        return result

    def verify_digest(self) -> bool:
        """Returns whether the file has a digest of keras_fn; raises ModelFileError if it is wrong."""
        expected = self.attribute("", DIGEST_ATTRIBUTE)
        if expected is None:
            return False
        with model_file_errors(self.name):
            contents = ((path, info.shape, info.dtype, self._stored(path, info))
                        for path, info in sorted(self._datasets.items()))
            found = content_digest(contents)
            if found != expected:
                raise ModelFileError("the weights are not what was saved (SHA-256 differs)", expected=expected,
                                     found=found, fix="the file is damaged; get it again")
        return True

    def _info(self, path: str) -> DatasetInfo:
        if path not in self._datasets:
            raise ModelFileError("there is no such dataset", expected="a dataset at this path",
                                 found="a group" if path in self._headers else "nothing",
                                 fix="load the file into the model it was saved from")
        return self._datasets[path]

    def _header(self, path: str) -> ObjectHeader:
        if path not in self._headers:
            raise ModelFileError(f"there is nothing at {printable(path)!r}")
        return self._headers[path]

    def _open(self, path: str) -> h5py.h5g.GroupID | h5py.h5d.DatasetID:
        """Opens an object that the walk has checked, so that only hard links are followed."""
        return h5py.h5o.open(self._h5.id, path.encode("utf-8") or b"/")

    def _check_tree(self) -> None:
        limits = current_limits()
        declared = 0
        for path, link, header in walk(self._h5.id, self._view):
            with model_file_errors(path):
                self._headers[path] = header
                if isinstance(link, h5py.h5d.DatasetID):
                    info = dataset_info(link, self._named_dtype(path, header), self._view.size)
                    self._datasets[path] = info
                    declared += info.declared_bytes
        if declared > limits.unchecked_bytes and declared > limits.inflation * self._view.size:
            raise unusual("the datasets are much larger than the file", f"at most {limits.inflation} times its "
                          f"{self._view.size} bytes", f"{declared} bytes")

    def _named_dtype(self, path: str, header: ObjectHeader) -> str | None:
        if DTYPE_ATTRIBUTE not in header.attributes:
            return None
        value = self._read_attribute(header, path, DTYPE_ATTRIBUTE)
        return value if isinstance(value, str) else "?"

    def _stored(self, path: str, info: DatasetInfo) -> np.ndarray:
        """Reads a dataset as it is; at most 100 bytes, or 64 MiB, for each stored byte (checked)."""
        if info.chunk is not None:
            dataset = self._open(path)
            data = hdf5_chunks.read_chunks(dataset, info.shape, info.chunk, info.file_dtype)
        else:
            data = np.empty(info.shape, info.file_dtype)
            raw = data.reshape(-1).view(np.uint8)
            if info.offset is not None:
                self._view.seek(info.offset)
                self._view.readinto(raw)
            elif data.size:  # compact: inside the object header
                dataset = self._open(path)
                dataset.read(h5py.h5s.ALL, h5py.h5s.ALL, data, mtype=dataset.get_type())
        if info.dtype == bool and data.size and data.reshape(-1).view(np.uint8).max() > 1:
            raise unusual("a boolean is neither true nor false", "0 or 1")
        if info.dtype.name in OPAQUE_DTYPES:
            return data.view(info.dtype)
        return data.astype(info.dtype, copy=False)

    def _read_attribute(self, header: ObjectHeader, path: str, name: str) -> AttributeValue:
        most = current_limits().attribute_bytes
        attribute = h5py.h5a.open(self._open(path), name.encode("utf-8"))
        type_id, shape = attribute.get_type(), attribute.shape
        is_text = isinstance(type_id, h5py.h5t.TypeStringID)
        if type_id.committed() or not is_text and not _is_number(type_id):
            raise unusual("the attribute has an unusual type", "text or numbers", type(type_id).__name__)
        if shape is None or len(shape) > (1 if is_text else current_limits().rank):
            raise unusual("the attribute has an unusual shape", "a value or a list", shape)
        size = math.prod(shape) * type_id.get_size()
        if is_text and type_id.is_variable_str():
            size += header.string_bytes(name)
        if size > most:
            raise unusual("the attribute is too large", f"at most {most} bytes", f"{size} bytes")
        value = np.empty(shape, attribute.dtype)
        attribute.read(value)
        if not is_text:
            return value
        texts = [_text(item) for item in value.reshape(-1).tolist()]
        return texts if shape else texts[0]


def datasets(h5: Hdf5File) -> Mapping[str, DatasetInfo]:
    """Returns all datasets of a file by path, without a leading slash."""
    return h5._datasets


def read_dataset(h5: Hdf5File, path: str, expected_shape: Iterable[int], expected_dtype: DTypeLike) -> np.ndarray:
    """Returns `h5.read(path, expected_shape, expected_dtype)`."""
    return h5.read(path, expected_shape, expected_dtype)


def content_digest(contents: Iterable[tuple[str, tuple[int, ...], np.dtype, np.ndarray]]) -> str:
    """Returns the SHA-256 over paths (sorted), shapes, dtypes and little-endian bytes."""
    digest = hashlib.sha256()
    for path, shape, dtype, data in contents:
        little = np.ascontiguousarray(data)
        if little.dtype.str.startswith(">"):
            little = little.astype(little.dtype.newbyteorder("<"))
        digest.update(f"{path}\0{dtype.name}\0{list(shape)}\0".encode())
        digest.update(little.reshape(-1).view(np.uint8))
    return digest.hexdigest()


def _is_number(type_id: h5py.h5t.TypeID) -> bool:
    dtype = stored_dtype(type_id)
    return dtype is not None and dtype.kind != "V"


def _text(value: str | bytes) -> str:
    return value.decode("utf-8") if isinstance(value, bytes) else value.encode("utf-8", "surrogateescape").decode("utf-8")

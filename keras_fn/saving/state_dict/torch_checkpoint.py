"""Reader of PyTorch's `.pt` and `.pth` files that executes no code.

Such a file is a zip archive with a pickle, which is a program, and the bytes of the storages of
tensors. The pickle is not handed to Python's unpickler: the few opcodes with which `torch.save`
describes dictionaries of tensors are read here, and the names that they may refer to stand for
plain data. Anything else is an error.

Reference: PyTorch, torch/serialization.py and docs/source/notes/serialization.rst; Python,
pickletools.py.
"""

import math
import struct
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO, NamedTuple

import ml_dtypes
import numpy as np
from numpy.typing import DTypeLike

from keras_fn.saving.byte_view import ByteView
from keras_fn.saving.errors import ModelFileError, model_file_errors, sanitize_for_display
from keras_fn.saving.file_io import describe
from keras_fn.saving.limits import current_limits
from keras_fn.saving.zip.strict_zip import Entry, member_chunks, read_entries

_PICKLE, _DATA, _BYTE_ORDER = "data.pkl", "data/", "byteorder"
_OTHERS = {"version", ".format_version", ".storage_alignment", ".data/serialization_id"}
_STORAGES = {
    f"{name}Storage": np.dtype(dtype)
    for name, dtype in {
        "Bool": bool, "Byte": "u1", "Char": "i1", "Short": "<i2", "Int": "<i4", "Long": "<i8",
        "Half": "<f2", "Float": "<f4", "Double": "<f8", "BFloat16": ml_dtypes.bfloat16,
        "ComplexFloat": "<c8", "ComplexDouble": "<c16",
    }.items()
}  # fmt: skip
_UNTYPED = np.dtype("V1")  # of a storage whose tensors say their dtype
_DTYPES = {  # of such tensors
    "uint16": np.dtype("<u2"), "uint32": np.dtype("<u4"), "uint64": np.dtype("<u8"),
    "float8_e4m3fn": np.dtype(ml_dtypes.float8_e4m3fn),
    "float8_e5m2": np.dtype(ml_dtypes.float8_e5m2),
}  # fmt: skip
_FIX = (
    "if you trust the file, load it with torch.load(..., weights_only=True), and pass a dict of "
    "its tensors"
)


class _Storage(NamedTuple):
    """The bytes of one or several tensors: the member `data/<key>` of the archive."""

    key: str
    dtype: np.dtype
    length: int


class StoredTensor(NamedTuple):
    """A tensor in a file: elements of a storage.

    Attributes:
        storage: The storage.
        offset: The index of its first element in the storage.
        shape: Its shape.
        strides: The distance of neighbors along each axis, in elements.
    """

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    @property
    def dtype(self) -> np.dtype:
        """The dtype."""
        return self.storage.dtype


class TorchCheckpoint:
    """A checked `.pt` file.

    Args:
        file: A binary, seekable file; it must stay open.

    Attributes:
        name: The name of the file in error messages.
        content: What was saved: dictionaries, lists, numbers and texts, with `StoredTensor`s in
            place of tensors.

    Raises:
        ModelFileError: The file is malformed, or its pickle does more than to describe tensors.
    """

    def __init__(self, file: BinaryIO):
        self.name = describe(file)
        self._last: tuple[_Storage, np.ndarray] | None = None
        with model_file_errors(self.name, fix=_FIX):
            self._view = ByteView.of_file(file)
            self._members = _members(self._view)
            if self._content(_BYTE_ORDER, b"little") != b"little":
                raise _refused("the file has another byte order", "little")
            with model_file_errors(_PICKLE):
                self.content = _PickleReader(self._content(_PICKLE), self._check_storage).read()

    def read(self, tensor: StoredTensor, dtype: DTypeLike) -> np.ndarray:
        """Returns a tensor as a new array.

        Args:
            tensor: A tensor in `content`.
            dtype: The dtype of the array.

        Raises:
            ModelFileError: The bytes of its storage are damaged.
        """
        with model_file_errors(self.name):
            storage = self._read_storage(tensor.storage)
            if math.prod(tensor.shape) == 0:
                return np.empty(tensor.shape, dtype)
            offset, *strides = (n * storage.itemsize for n in (tensor.offset, *tensor.strides))
            raw = storage.view(np.uint8).data
            view: np.ndarray = np.ndarray(tensor.shape, storage.dtype, raw, offset, strides)
            return np.array(view, dtype, order="C")

    def _content(self, name: str, default: bytes = b"") -> bytes:
        entry = self._members.get(name)
        most = current_limits().config_bytes
        if entry is not None and entry.size > most:
            raise _refused(f"the member {name} is too large", f"at most {most} bytes")
        if entry is None:
            return default
        return b"".join(bytes(chunk) for chunk in member_chunks(self._view, entry))

    def _check_storage(self, storage: _Storage) -> None:
        entry = self._members.get(_DATA + storage.key)
        nbytes = storage.length * storage.dtype.itemsize
        if entry is None or entry.size != nbytes:
            raise _refused(
                "the bytes of a tensor are not in the file", nbytes, entry.size if entry else "none"
            )

    def _read_storage(self, storage: _Storage) -> np.ndarray:
        if self._last is None or self._last[0] != storage:
            self._last = None  # free it first
            data, position = np.empty(storage.length, storage.dtype), 0
            raw = data.view(np.uint8)
            for chunk in member_chunks(self._view, self._members[_DATA + storage.key]):
                raw[position : position + len(chunk)] = chunk
                position += len(chunk)
            if data.dtype == bool and raw.max(initial=0) > 1:
                raise _refused("a boolean is neither true nor false", "0 or 1")
            self._last = storage, data
        return self._last[1]


def _members(view: ByteView) -> dict[str, Entry]:
    """Returns the members of an archive of `torch.save` by their names below its only folder."""
    members: dict[str, Entry] = {}
    roots = set()
    for entry in read_entries(view, streamed=True):
        root, _, name = entry.name.partition("/")
        roots.add(root)
        members[name] = entry
        known = name in _OTHERS or name in (_PICKLE, _BYTE_ORDER) or name.startswith(_DATA)
        if not known or len(roots) > 1:
            raise _refused(
                "the archive has a member that torch.save does not write for tensors",
                received=sanitize_for_display(entry.name, 100),
            )
    if _PICKLE not in members:
        raise _refused("the archive is not of torch.save", f"a member {_PICKLE}")
    return members


# ---------------------------------------------------------------- the pickle


class _Call(NamedTuple):
    """What a name in the pickle stands for: a function of this module, which builds plain data."""

    name: str
    build: Callable[..., Any]


_MARK = object()
_NUMBERS: Mapping[int, tuple[str, int]] = {  # opcode: the format of its argument, bytes
    ord("K"): ("<B", 1), ord("M"): ("<H", 2), ord("J"): ("<i", 4), ord("G"): (">d", 8),
}  # fmt: skip
_CONSTANTS: Mapping[int, Any] = {ord("N"): None, 0x88: True, 0x89: False}
_TUPLES: Mapping[int, int] = {ord(")"): 0, 0x85: 1, 0x86: 2, 0x87: 3}
_MEMO: Mapping[int, tuple[str, int]] = {
    ord("q"): ("<B", 1), ord("r"): ("<I", 4), ord("h"): ("<B", 1), ord("j"): ("<I", 4),
}  # fmt: skip
_MAX_KEY = 1 << 32
_TEXT, _LONG, _GLOBAL = ord("X"), 0x8A, ord("c")


class _PickleReader:
    """Reads the opcodes of protocol 2 that describe dictionaries of tensors.

    Args:
        data: The pickle.
        check_storage: Raises an error if the file does not have a storage.
    """

    def __init__(self, data: bytes, check_storage: Callable[[_Storage], None]):
        self._data, self._check_storage = data, check_storage
        self._position = 0
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}
        self._actions: dict[int, Callable[[], None]] = {
            ord("("): lambda: self._stack.append(_MARK),
            ord("}"): lambda: self._stack.append({}),
            ord("]"): lambda: self._stack.append([]),
            ord("t"): lambda: self._stack.append(tuple(self._pop_mark())),
            ord("Q"): self._load_storage,
            ord("R"): self._call,
            ord("s"): lambda: self._set_items([self._stack.pop(), self._stack.pop()][::-1]),
            ord("u"): lambda: self._set_items(self._pop_mark()),
            ord("a"): lambda: self._extend([self._stack.pop()]),
            ord("e"): lambda: self._extend(self._pop_mark()),
            ord("b"): self._drop_attributes,
        }

    def read(self) -> Any:
        """Returns what the pickle describes."""
        if self._take(2) != b"\x80\x02":
            raise _refused("the pickle is of another protocol", "protocol 2, torch.save's default")
        most = current_limits().pickle_opcodes
        for _ in range(most):
            opcode = self._take(1)[0]
            if opcode == ord("."):
                if len(self._stack) != 1 or self._position != len(self._data):
                    raise _refused("the pickle does not end where it should")
                return self._stack[0]
            self._execute(opcode)
        raise _refused("the pickle is too long", f"at most {most} opcodes")

    def _execute(self, opcode: int) -> None:
        if opcode in _MEMO:
            self._remember_or_recall(opcode)
        elif opcode in _CONSTANTS:
            self._stack.append(_CONSTANTS[opcode])
        elif opcode in _NUMBERS:
            self._stack.append(self._number(*_NUMBERS[opcode]))
        elif opcode == _TEXT:
            self._stack.append(self._take(self._number("<I", 4)).decode("utf-8"))
        elif opcode in _TUPLES:
            count = _TUPLES[opcode]
            items = [self._stack.pop() for _ in range(count)]
            self._stack.append(tuple(reversed(items)))
        elif opcode == _LONG:
            self._stack.append(int.from_bytes(self._take(self._take(1)[0]), "little", signed=True))
        elif opcode == _GLOBAL:
            self._stack.append(_known(self._line(), self._line()))
        elif opcode in self._actions:
            self._actions[opcode]()
        else:
            raise _refused("the pickle does more than to describe tensors", received=hex(opcode))

    def _take(self, size: int) -> bytes:
        start, self._position = self._position, self._position + size
        if self._position > len(self._data):
            raise _refused("the pickle is cut off")
        return self._data[start : self._position]

    def _number(self, form: str, size: int) -> Any:
        return struct.unpack(form, self._take(size))[0]

    def _line(self) -> str:
        end = self._data.index(b"\n", self._position)
        line = self._take(end - self._position).decode("utf-8")
        self._position += 1
        return line

    def _remember_or_recall(self, opcode: int) -> None:
        index = self._number(*_MEMO[opcode])
        if opcode in (ord("q"), ord("r")):
            self._memo[index] = self._stack[-1]
        else:
            self._stack.append(self._memo[index])

    def _pop_mark(self) -> list[Any]:
        items: list[Any] = []
        while (item := self._stack.pop()) is not _MARK:
            items.append(item)
        return items[::-1]

    def _set_items(self, items: list[Any]) -> None:
        target = self._stack[-1]
        if type(target) is not dict or len(items) % 2:
            raise _refused("the pickle sets items of something that is not a dictionary")
        for key, value in zip(items[::2], items[1::2], strict=True):
            # Python's hashes of larger integers can be made equal, which takes quadratic time.
            if type(key) is not str and not (type(key) is int and abs(key) < _MAX_KEY):
                raise _refused(
                    "a key is neither a text nor a small integer",
                    received=sanitize_for_display(key),
                )
            target[key] = value

    def _extend(self, items: list[Any]) -> None:
        if type(self._stack[-1]) is not list:
            raise _refused("the pickle appends to something that is not a list")
        self._stack[-1].extend(items)

    def _call(self) -> None:
        arguments, function = self._stack.pop(), self._stack.pop()
        if type(function) is not _Call or type(arguments) is not tuple:
            raise _refused("the pickle calls something that does not describe a tensor")
        self._stack.append(function.build(*arguments))

    def _drop_attributes(self) -> None:
        """Drops the versions of modules, which `state_dict` sets as an attribute of the dict."""
        if type(self._stack.pop()) is not dict or type(self._stack[-1]) is not dict:
            raise _refused("the pickle sets the state of an object")

    def _load_storage(self) -> None:
        reference = self._stack.pop()
        if type(reference) is not tuple or len(reference) != 5 or reference[0] != "storage":
            raise _refused("the pickle refers to something that is not a storage")
        _, kind, key, location, count = reference
        if not isinstance(kind, np.dtype):
            raise _refused("the storage has no dtype")
        if type(key) is not str or type(location) is not str or type(count) is not int or count < 0:
            raise _refused("the storage is malformed")
        storage = _Storage(key, kind, count)
        self._check_storage(storage)
        self._stack.append(storage)


def _known(module: str, name: str) -> Any:
    """Returns what a name in a pickle stands for."""
    if module == "torch" and (name in _STORAGES or name in _DTYPES):
        return _STORAGES.get(name) or _DTYPES[name]
    if (module, name) == ("torch.storage", "UntypedStorage"):
        return _UNTYPED
    call = _CALLS.get((module, name))
    if call is None:
        raise _refused(
            "the pickle refers to something that does not describe a tensor",
            ", ".join(sorted({".".join(names) for names in _CALLS})),
            sanitize_for_display(f"{module}.{name}", 100),
        )
    return call


def _build_dict(*items: Any) -> dict[Any, Any]:
    if items:
        raise _refused("a dictionary has arguments")
    return {}


def _build_untyped(storage: Any, *arguments: Any) -> StoredTensor:
    """Stand-in for `torch._utils._rebuild_tensor_v3`, for dtypes that have no storage type."""
    offset, shape, strides, _, _, dtype, *_ = arguments  # two are about gradients
    if type(storage) is not _Storage or storage.dtype != _UNTYPED:
        raise _refused("a tensor is malformed")
    if not isinstance(dtype, np.dtype) or dtype == _UNTYPED or storage.length % dtype.itemsize:
        raise _refused("the bytes of a tensor do not fit its dtype", received=storage.length)
    typed = _Storage(storage.key, dtype, storage.length // dtype.itemsize)
    return _build_tensor(typed, offset, shape, strides)


def _build_tensor(storage: Any, offset: Any, shape: Any, strides: Any, *_: Any) -> StoredTensor:
    """Stand-in for `torch._utils._rebuild_tensor_v2`; the last arguments are about gradients."""
    if type(storage) is not _Storage or storage.dtype == _UNTYPED:
        raise _refused("a tensor is malformed: its storage has no dtype")
    if type(shape) is not tuple or type(strides) is not tuple:
        raise _refused("a tensor is malformed")
    numbers = (offset, *shape, *strides)
    if len(shape) != len(strides) or not all(type(n) is int and n >= 0 for n in numbers):
        raise _refused("the shape of a tensor is malformed", received=sanitize_for_display(shape))
    if len(shape) > current_limits().rank:
        raise _refused("a tensor has too many axes", current_limits().rank, len(shape))
    steps = ((n - 1) * step for n, step in zip(shape, strides, strict=True))
    if 0 not in shape and offset + sum(steps) >= storage.length:
        raise _refused("a tensor is larger than its storage", storage.length)
    return StoredTensor(storage, offset, shape, strides)


def _build_parameter(tensor: Any, *_: Any) -> StoredTensor:
    if type(tensor) is not StoredTensor:
        raise _refused("a parameter is not a tensor")
    return tensor


_CALLS = {
    names: _Call(".".join(names), build)
    for names, build in {
        ("collections", "OrderedDict"): _build_dict,
        ("torch._utils", "_rebuild_tensor_v2"): _build_tensor,
        ("torch._utils", "_rebuild_tensor_v3"): _build_untyped,
        ("torch._utils", "_rebuild_parameter"): _build_parameter,
    }.items()
}


def _refused(fact: str, expected: object = "", received: object = "") -> ModelFileError:
    return ModelFileError(fact, expected=expected, received=received, fix=_FIX)

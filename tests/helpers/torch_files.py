"""Files as `torch.save` writes them, made without PyTorch."""

import io
import struct
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np

STORAGES = {
    "float32": "FloatStorage",
    "float16": "HalfStorage",
    "int64": "LongStorage",
    "bool": "BoolStorage",
}


def text(value: str) -> bytes:
    data = value.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def name(path: str) -> bytes:
    module, _, attribute = path.rpartition(".")
    return f"c{module}\n{attribute}\n".encode()


def opcodes(value: Any) -> bytes:
    """Returns the opcodes that push a value; bytes are opcodes already."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, bool) or value is None:
        return {None: b"N", True: b"\x88", False: b"\x89"}[value]
    if isinstance(value, int):
        return b"\x8a\x08" + struct.pack("<q", value)
    if isinstance(value, float):
        return b"G" + struct.pack(">d", value)
    if isinstance(value, str):
        return text(value)
    if isinstance(value, tuple):
        return b"(" + b"".join(map(opcodes, value)) + b"t"
    if isinstance(value, list):
        return b"](" + b"".join(map(opcodes, value)) + b"e"
    items = b"".join(opcodes(key) + opcodes(item) for key, item in value.items())
    return name("collections.OrderedDict") + b")R(" + items + b"u"


def storage(kind: str, key: str, length: int) -> bytes:
    return opcodes(("storage", name(f"torch.{kind}"), key, "cpu", length)) + b"Q"


def tensor(own: bytes, shape: tuple, strides: tuple, offset: Any = 0) -> bytes:
    arguments = (own, offset, shape, strides, False, name("collections.OrderedDict") + b")R")
    return name("torch._utils._rebuild_tensor_v2") + opcodes(arguments) + b"R"


def untyped(key: str, array: np.ndarray) -> bytes:
    """Returns a tensor of a dtype that has no type of storage, as `float8_e5m2`."""
    own = opcodes(("storage", name("torch.storage.UntypedStorage"), key, "cpu", array.nbytes))
    strides = tuple(n // array.itemsize for n in array.strides)
    dtype = name(f"torch.{array.dtype.name}")
    hooks = name("collections.OrderedDict") + b")R"
    arguments = (own + b"Q", 0, array.shape, strides, False, hooks, dtype)
    return name("torch._utils._rebuild_tensor_v3") + opcodes(arguments) + b"R"


def archive(members: Mapping[str, bytes], streamed: bool = True, method: int = 0) -> bytes:
    """Returns a zip archive; a streamed one has the sizes of members behind their content."""

    class Unseekable(io.BytesIO):
        def seekable(self):
            return not streamed

        def tell(self):
            if streamed:
                raise OSError("not seekable")
            return super().tell()

    file = Unseekable()
    with zipfile.ZipFile(file, "w", method) as zipped:
        for member, content in members.items():
            zipped.writestr(zipfile.ZipInfo(f"m/{member}"), content)
    return file.getvalue()


def checkpoint(pickle: bytes, data: Mapping[str, bytes], **more: bytes) -> bytes:
    """Returns a file with a pickle and the bytes of storages."""
    members = {"data.pkl": b"\x80\x02" + pickle + b".", "byteorder": b"little", **more}
    return archive(members | {f"data/{key}": content for key, content in data.items()})


def saved(arrays: Mapping[str, np.ndarray]) -> bytes:
    """Returns the file of a state dict."""
    values, data = {}, {}
    for i, (key, array) in enumerate(arrays.items()):
        own = storage(STORAGES[array.dtype.name], str(i), array.size)
        strides = tuple(n // array.itemsize for n in array.strides)
        values[key] = tensor(own, array.shape, strides)
        data[str(i)] = array.tobytes()
    return checkpoint(opcodes(values), data)

"""Seeded mutations of files: of their bytes, of JSON, of HDF5 and of zip archives.

Each takes a `random.Random`, which alone decides what it does.
"""

import copy
import io
import json
import random
import zipfile
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from typing import Any

import h5py
import numpy as np

from keras_fn.saving.byte_view import ByteView
from keras_fn.saving.checksum import TRAILER_BYTES, find_trailer, write_with_trailer

# A module that leaves a mark when it is imported, and a file whose opening is noticed: fuzz_worker.
CANARY = "keras_fn_canary"
SECRET = "secret_canary.h5"
INTEGERS = (
    0,
    1,
    127,
    128,
    255,
    2**15,
    2**16 - 1,
    2**31 - 1,
    2**31,
    2**32 - 1,
    2**63 - 1,
    2**64 - 1,
)

# ---------------------------------------------------------------- bytes


def mutate_bytes(data: bytes, rng: random.Random, other: bytes = b"") -> bytes:
    """Returns data with one to eight changes.

    Args:
        data: The content of a file.
        rng: Decides.
        other: The content of another file, for splices.
    """
    mutated = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 4, 8))):
        rng.choice(_BYTE_MUTATIONS)(mutated, rng, other)
    return bytes(mutated)


def _position(data: Sequence[Any], rng: random.Random) -> int:
    """Returns a position; the first bytes of a file, which are headers, are drawn more often."""
    end = min(len(data), rng.choice((64, 1024, len(data))))
    return rng.randrange(max(1, end))


def _block(data: bytes | bytearray, rng: random.Random) -> tuple[int, int]:
    start = _position(data, rng)
    return start, min(len(data), start + rng.choice((1, 2, 4, 8, 16, 64, 512, 4096)))


def _flip(data: bytearray, rng: random.Random, other: bytes) -> None:
    if data:
        data[_position(data, rng)] ^= 1 << rng.randrange(8)


def _set_byte(data: bytearray, rng: random.Random, other: bytes) -> None:
    if data:
        data[_position(data, rng)] = rng.choice((0, 1, 0x20, 0x7F, 0x80, 0xFE, 0xFF))


def _set_integer(data: bytearray, rng: random.Random, other: bytes) -> None:
    size = rng.choice((2, 4, 8))
    if len(data) > size:
        start = min(_position(data, rng), len(data) - size)
        value = rng.choice((*INTEGERS, len(data), start)) % 256**size
        data[start : start + size] = value.to_bytes(size, rng.choice(("little", "little", "big")))


def _truncate(data: bytearray, rng: random.Random, other: bytes) -> None:
    del data[rng.choice((_position(data, rng), max(0, len(data) - rng.randrange(1, 64)))) :]


def _insert(data: bytearray, rng: random.Random, other: bytes) -> None:
    start = _position(data, rng)
    data[start:start] = rng.choice((rng.randbytes(rng.randrange(1, 64)), b"\0" * 16, b"\n{[\"'"))


def _remove(data: bytearray, rng: random.Random, other: bytes) -> None:
    start, end = _block(data, rng)
    del data[start:end]


def _duplicate(data: bytearray, rng: random.Random, other: bytes) -> None:
    start, end = _block(data, rng)
    target = rng.choice((end, _position(data, rng)))
    data[target:target] = data[start:end] * rng.choice((1, 1, 2, 50))


def _copy_over(data: bytearray, rng: random.Random, other: bytes) -> None:
    start, end = _block(data, rng)
    target = _position(data, rng)
    data[target : target + end - start] = data[start:end]


def _splice(data: bytearray, rng: random.Random, other: bytes) -> None:
    start, end = _block(other, rng)
    target = _position(data, rng)
    data[target : target + rng.choice((0, end - start, len(data)))] = other[start:end]


_BYTE_MUTATIONS: tuple[Callable[[bytearray, random.Random, bytes], None], ...] = (
    _flip, _flip, _set_byte, _set_integer, _set_integer, _truncate, _insert, _remove, _duplicate,
    _copy_over, _splice,
)  # fmt: skip

# ---------------------------------------------------------------- JSON

# The pickle of a call of keras_fn_canary.run().
_PAYLOAD = "gASVHgAAAAAAAACMD2tlcmFzX2ZuX2NhbmFyeZSMA3J1bpSTlClSlC4="


def _special(name: str, **config: Any) -> dict[str, Any]:
    return {"class_name": name, "config": config}


def _nested(depth: int) -> Any:
    value: Any = 1
    for i in range(depth):
        value = [value] if i % 2 else {"config": value, "class_name": "Dense"}
    return value


HOSTILE: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2, 2**31, -(2**31), 2**53, 2**63, 2**64, 10**29, 10**40, 1e308,
    -0.0, 0.5, float("nan"), float("inf"), "", "x", "x" * 5000, "..", "../../etc/passwd",
    "/etc/passwd", SECRET, f"/{SECRET}", "C:\\x", "a/b", "http://127.0.0.1:9/x", "file:///etc/passwd",
    "hf://a/b", "\u202e\x1b[31m", "a\0b", "\ud800", "float32", "object", "<U1000000000", "bfloat16",
    "relu", "glorot_uniform", "softmax", "mse", "channels_first", "same", "None", "nan",
    [], {}, [[]], [None], [{}], [0], [1, 2, 3], [-1], ["x"], [[["x", 0, 0]]], [0] * 40, {"": 0},
    {"a": 1}, {"class_name": "x"}, {"class_name": None, "config": None}, _nested(40),
    _special("__lambda__", code=_PAYLOAD, defaults=None, closure=None),
    {"class_name": "__lambda__", "config": {"value": [_PAYLOAD, None, None]}},
    _special("__numpy__", value=[1], dtype="object"), _special("__numpy__", value=1, dtype="int8"),
    _special("__numpy__", value=[[1], [1, 2]], dtype="float32"), _special("__numpy__"),
    _special("__tensor__", value=[0.5], dtype="float32"), _special("__slice__", start=0),
    _special("__slice__", start=None, stop=2, step=0), _special("__ellipsis__"),
    _special("__bytes__", value="x"), _special("__keras_tensor__", keras_history=["x", 0, 0]),
    _special("__keras_tensor__", shape=[None, 3], dtype="float32", keras_history=["x", 9, -1]),
    {"class_name": "__typespec__", "config": [], "spec_name": "x", "module": CANARY},
    {"module": CANARY, "class_name": "run", "config": {}, "registered_name": "run"},
    {"module": CANARY, "class_name": "function", "config": "run", "registered_name": "run"},
    {"module": "builtins", "class_name": "function", "config": "eval", "registered_name": "eval"},
    {"module": "keras.layers", "class_name": "Lambda", "registered_name": None,
     "config": {"name": "l", "function": _special("__lambda__", code=_PAYLOAD)}},
    {"module": "keras.layers", "class_name": "TorchModuleWrapper", "registered_name": None,
     "config": {"module": _PAYLOAD}},
    {"module": "keras.layers", "class_name": "TFSMLayer", "registered_name": None,
     "config": {"filepath": "/etc"}},
    {"module": "keras.layers", "class_name": "Dense", "registered_name": None,
     "config": {"units": 2**40}},
    {"module": "keras.layers", "class_name": "Embedding", "registered_name": None,
     "config": {"input_dim": 10**9, "output_dim": 10**9}},
    {"module": "keras.layers", "class_name": "StringLookup", "registered_name": None,
     "config": {"vocabulary": "/etc/passwd"}},
    {"module": "keras.optimizers", "class_name": "SGD", "registered_name": None, "config": {}},
    {"module": "keras.initializers", "class_name": "Ones", "registered_name": None, "config": {}},
)  # fmt: skip


def mutate_json(value: Any, rng: random.Random) -> Any:
    """Returns a JSON value with one to four changes, of its nodes, keys or structure.

    Args:
        value: The value. It is not changed.
        rng: Decides.
    """
    value = copy.deepcopy(value)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        places = list(_places(value))
        if not places:
            return rng.choice(HOSTILE)
        container, key = rng.choice(places)
        rng.choice(_JSON_MUTATIONS)(container, key, rng, places)
    return value


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yields the container and key of every value inside."""
    stack = [value]
    while stack:
        container = stack.pop()
        if isinstance(container, (dict, list)):
            for key in container if isinstance(container, dict) else range(len(container)):
                yield container, key
                stack.append(container[key])


def _replace(container: Any, key: Any, rng: random.Random, places: list[tuple[Any, Any]]) -> None:
    container[key] = copy.deepcopy(rng.choice(HOSTILE))


def _graft(container: Any, key: Any, rng: random.Random, places: list[tuple[Any, Any]]) -> None:
    other, place = rng.choice(places)
    container[key] = copy.deepcopy(other[place])


def _delete(container: Any, key: Any, rng: random.Random, places: list[tuple[Any, Any]]) -> None:
    del container[key]


def _add(container: Any, key: Any, rng: random.Random, places: list[tuple[Any, Any]]) -> None:
    if isinstance(container, list):
        container.insert(key, copy.deepcopy(rng.choice((container[key], rng.choice(HOSTILE)))))
    else:
        names = [k for _, k in places if isinstance(k, str)] + ["x", "__class__", "name", "dtype"]
        container[rng.choice(names)] = copy.deepcopy(rng.choice(HOSTILE))


def _rename(container: Any, key: Any, rng: random.Random, places: list[tuple[Any, Any]]) -> None:
    if isinstance(container, dict):
        container[rng.choice((key + "_", "name", "config", "class_name"))] = container.pop(key)


def _retype(container: Any, key: Any, rng: random.Random, places: list[tuple[Any, Any]]) -> None:
    value = container[key]
    container[key] = rng.choice(
        (str(value)[:1000], [value], {"x": value}, [value, value], not value)
    )


def _scale(container: Any, key: Any, rng: random.Random, places: list[tuple[Any, Any]]) -> None:
    value = container[key]
    if isinstance(value, (int, float)):
        container[key] = rng.choice((-value, value + 1, value * 10**9, value / 3, value - 1))
    elif isinstance(value, str):
        container[key] = rng.choice((value * 100, value[1:], value.upper(), value + "\n"))


_JSON_MUTATIONS = (
    _replace, _replace, _replace, _graft, _graft, _delete, _add, _rename, _retype, _scale,
)  # fmt: skip


def json_bytes(value: Any, rng: random.Random, other: bytes = b"") -> bytes:
    """Returns JSON of a mutated value, or mutated bytes of its JSON.

    Args:
        value: The value.
        rng: Decides.
        other: The content of another file, for splices.
    """
    if rng.random() < 0.2:
        return mutate_bytes(json.dumps(value).encode(), rng, other)
    return json.dumps(mutate_json(value, rng)).encode()


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


# ---------------------------------------------------------------- HDF5


def mutate_hdf5(data: bytes, rng: random.Random, other: bytes = b"") -> bytes:
    """Returns an HDF5 file with mutated bytes, objects or attributes.

    A checksum behind it is dropped, left as it was, or computed again.

    Args:
        data: The content of a file.
        rng: Decides.
        other: The content of another file, for splices.
    """
    has_trailer = find_trailer(ByteView.of_file(io.BytesIO(data))) is not None
    content = data[:-TRAILER_BYTES] if has_trailer else data
    if rng.random() < 0.5:
        content = mutate_bytes(content, rng, other)
    else:
        content = _mutate_objects(content, rng)
    checksum = rng.random() if has_trailer else 1.0
    if checksum < 0.1:
        return content + data[-TRAILER_BYTES:]
    if checksum < 0.6:
        write_with_trailer(file := io.BytesIO(), [memoryview(content)])
        return file.getvalue()
    return content


# Of h5py, and of NumPy where an earlier change made a dataset of terabytes.
_REFUSALS = (
    ArithmeticError, KeyError, MemoryError, OSError, RuntimeError, TypeError, ValueError,
)  # fmt: skip


def _mutate_objects(data: bytes, rng: random.Random) -> bytes:
    file = io.BytesIO(data)
    with h5py.File(file, "r+") as h5:
        for _ in range(rng.choice((1, 1, 2))):
            paths: list[str] = []
            h5.visit(paths.append)
            path = rng.choice([*paths, "/"])
            try:
                rng.choice(_HDF5_MUTATIONS)(h5, path, rng)
            except _REFUSALS:
                continue
    return file.getvalue()


def _remove_object(h5: h5py.File, path: str, rng: random.Random) -> None:
    del h5[path]


def _move_object(h5: h5py.File, path: str, rng: random.Random) -> None:
    h5.move(path, rng.choice((path + "_", "x/y", path.rpartition("/")[0] + "/7", "a" * 300)))


def _link(h5: h5py.File, path: str, rng: random.Random) -> None:
    name = rng.choice((path + "/new", path.rpartition("/")[0] + "/new", "new"))
    h5[name] = rng.choice(
        (
            h5py.SoftLink("/x"), h5py.SoftLink(path), h5py.ExternalLink(SECRET, "/x"),
            h5[path], np.dtype("float32"),
        )
    )  # fmt: skip


def _replace_dataset(h5: h5py.File, path: str, rng: random.Random) -> None:
    old = h5[path]
    shape = old.shape if isinstance(old, h5py.Dataset) else (3,)
    del h5[path]
    kind = rng.randrange(8)
    if kind == 0:
        h5.create_dataset(
            path, data=np.zeros(shape, rng.choice(("f8", "f2", "i4", "?", "c8", ">f4")))
        )
    elif kind == 1:
        h5.create_dataset(path, data=np.zeros((*shape, 1), "f4"))
    elif kind == 2:
        h5.create_dataset(path, data=["a", "b"])
    elif kind == 3:
        h5.create_dataset(path, (2**40,), "f4", chunks=(2**20,))
    elif kind == 4:
        h5.create_dataset(path, data=np.zeros(2**20, "f4"), chunks=(2**18,), compression="gzip")
    elif kind == 5:
        h5.create_dataset(path, data=np.zeros(3, [("a", "f4"), ("b", "i4")]))
    elif kind == 6:
        h5.create_dataset(path, (3,), "f4", external=[(SECRET, 0, 12)])
    else:
        h5.create_group(path)


def _fill_dataset(h5: h5py.File, path: str, rng: random.Random) -> None:
    if isinstance(dataset := h5[path], h5py.Dataset) and dataset.size < 1e6:
        dataset[...] = rng.choice((0, 1, -1, np.nan, np.inf, 3e38))


def _change_attribute(h5: h5py.File, path: str, rng: random.Random) -> None:
    attributes = h5[path].attrs if rng.random() < 0.5 else h5.attrs
    names = [*attributes, "dtype", "name", "layer_names", "weight_names", "weight_names0"]
    name = rng.choice(names)
    if name in attributes and rng.random() < 0.6:
        _mutate_attribute(attributes, name, rng)
        return
    attributes[name] = rng.choice(
        (
            "object", "float8_e4m3fn", "bfloat16", "V1", "", "x" * 1000, "a\0b", 1, np.nan, -1,
            np.arange(3), [b"../../x"], [b"/etc/passwd"], [b"x"] * 50, np.zeros((2, 2)),
            b"\xff\xfe", h5py.Empty("f"), "{}", "[]", "null", "{", json.dumps(rng.choice(HOSTILE)),
        )
    )  # fmt: skip


def _mutate_attribute(attributes: MutableMapping[str, Any], name: str, rng: random.Random) -> None:
    value = attributes[name]
    if rng.random() < 0.1:
        del attributes[name]
    elif isinstance(value, (str, bytes)) and _text(value).startswith("{"):
        attributes[name] = json_bytes(json.loads(value), rng).decode("utf-8", "surrogateescape")
    elif isinstance(value, (str, bytes)):
        attributes[name] = rng.choice(
            (_text(value) + "x", "", _text(value) * 50, "/" + _text(value))
        )
    else:
        items = list(np.asarray(value).ravel())
        rng.shuffle(items)
        attributes[name] = rng.choice((items, items[1:], items + items, [b"../x", *items[1:]]))


_HDF5_MUTATIONS = (
    _remove_object, _move_object, _link, _replace_dataset, _replace_dataset, _fill_dataset,
    _change_attribute, _change_attribute, _change_attribute,
)  # fmt: skip

# ---------------------------------------------------------------- safetensors


def mutate_safetensors(data: bytes, rng: random.Random, other: bytes = b"") -> bytes:
    """Returns a safetensors file with mutated bytes, a mutated header, or other checksums.

    Args:
        data: The content of a file.
        rng: Decides.
        other: The content of another file, for splices.
    """
    kind = rng.random()
    if kind < 0.4:
        return mutate_bytes(data, rng, other)
    end = 8 + int.from_bytes(data[:8], "little")
    header, arrays = json.loads(data[8:end]), data[end:]
    if kind < 0.6:  # the checksums would find what follows
        header.pop("__metadata__", None)
    elif kind < 0.7:
        arrays = mutate_bytes(arrays, rng, other)
    text = json_bytes(header, rng, other) if rng.random() < 0.8 else json.dumps(header).encode()
    length = len(text) if rng.random() < 0.95 else rng.choice(INTEGERS) % 2**64
    return length.to_bytes(8, "little") + text + arrays


# ---------------------------------------------------------------- zip archives

NAMES = (
    "../x", "/etc/x", "C:\\x", "assets/../../x", "assets/x", "assets/", "a" * 2000,
    "config.json/x", "metadata.json", "config.json", "model.weights.h5", "model.weights.npz",
    "assets/a\0b", "x", "é", "CONFIG.JSON", "assets/CON", "assets/a:b",
)  # fmt: skip


def mutate_zip(
    data: bytes,
    rng: random.Random,
    other: bytes = b"",
    members: MutableMapping[str, Callable[[bytes, random.Random, bytes], bytes]] | None = None,
) -> bytes:
    """Returns a zip archive with mutated bytes, a mutated member, or another list of members.

    Args:
        data: The content of a file.
        rng: Decides.
        other: The content of another file, for splices.
        members: How to mutate the content of members, by name.
    """
    kind = rng.random()
    if kind < 0.15:
        return mutate_bytes(data, rng, other)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = [(entry, archive.read(entry)) for entry in archive.infolist()]
    index = rng.randrange(len(entries))
    info, content = entries[index]
    if kind < 0.8:
        how = (members or {}).get(info.filename, mutate_bytes)
        entries[index] = info, how(content, rng, other)
        return _zip(entries)
    return _change_members(entries, index, rng)


def _zip(entries: list[tuple[zipfile.ZipInfo, bytes]], comment: bytes = b"") -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.comment = comment
        for info, content in entries:
            fresh = zipfile.ZipInfo(info.filename, (1980, 1, 1, 0, 0, 0))
            fresh.external_attr, fresh.compress_type = info.external_attr, info.compress_type
            archive.writestr(fresh, content)
    return file.getvalue()


def _change_members(
    entries: list[tuple[zipfile.ZipInfo, bytes]], index: int, rng: random.Random
) -> bytes:
    info, content = entries[index]
    kind = rng.randrange(8)
    comment = b""
    if kind == 0:
        del entries[index]
    elif kind == 1:
        info.filename = rng.choice(NAMES)
    elif kind == 2:
        entries.append((zipfile.ZipInfo(rng.choice(NAMES)), content[:100]))
    elif kind == 3:
        info.external_attr = rng.choice((0o120777, 0o020666, 0o010666, 0o040755)) << 16
    elif kind == 4:  # a bomb
        entries[index] = info, b"\0" * rng.choice((10**5, 4 * 10**6))
        info.compress_type = zipfile.ZIP_DEFLATED
    elif kind == 5:
        info.compress_type = rng.choice((zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2))
    elif kind == 6:
        comment = b"x" * rng.choice((1, 22, 1000))
    else:
        rng.shuffle(entries)
    return _zip(entries, comment)

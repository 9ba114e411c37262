"""The safetensors format: equal to the library's both ways, and strict about every rule."""

import io
import json
import struct

import ml_dtypes
import numpy as np
import pytest

from keras_fn.errors import KerasError
from keras_fn.saving.errors import ModelFileError
from keras_fn.saving.limits import limits
from keras_fn.saving.safetensors.safetensors_file import (
    is_safetensors,
    open_safetensors,
    write_safetensors,
)

DTYPES = ["bool", *(f"{u}int{n}" for u in ("", "u") for n in (8, 16, 32, 64)), "float16",
          "float32", "float64", "bfloat16", "float8_e4m3fn", "float8_e5m2",
          "complex64"]  # fmt: skip


def array(dtype, shape=(2, 3)):
    values = np.arange(np.prod(shape)).reshape(shape) % 2
    return values.astype(getattr(ml_dtypes, dtype, dtype))


def written(arrays, **metadata):
    file = io.BytesIO()
    write_safetensors(file, arrays, metadata)
    return file.getvalue()


def read_all(data):
    file = open_safetensors(io.BytesIO(data))
    return {name: file.read(name, i.shape, i.dtype) for name, i in file.datasets.items()}


def assert_same(a, b):
    assert a.keys() == b.keys()
    for name in a:
        assert a[name].dtype == b[name].dtype and a[name].shape == b[name].shape
        np.testing.assert_array_equal(a[name], b[name])


def test_every_dtype_comes_back_and_the_library_reads_it():
    safetensors = pytest.importorskip("safetensors")
    arrays = {f"a/{dtype}": array(dtype) for dtype in DTYPES}
    arrays |= {"empty": array("float32", (0, 4)), "scalar": array("int64", ())}
    arrays["transposed"] = array("float32").T
    data = written(arrays, note="text")
    assert_same(read_all(data), arrays)
    assert data == written(arrays, note="text")
    for name, tensor in safetensors.deserialize(data):
        assert bytes(tensor["data"]) == arrays[name].tobytes()
        assert tuple(tensor["shape"]) == arrays[name].shape
    starts = [
        i.offset % i.dtype.itemsize for i in open_safetensors(io.BytesIO(data)).datasets.values()
    ]
    assert not any(starts)  # aligned


def test_files_of_the_library_are_read():
    save = pytest.importorskip("safetensors.numpy").save
    arrays = {name: array(name) for name in DTYPES if hasattr(np, name) and name != "bool"}
    assert_same(read_all(save(arrays, {"format": "np"})), arrays)
    assert read_all(save({})) == {}


def test_names_that_the_metadata_declares_equal_are_one_array():
    data = written({"kept": array("int8")}, tied="kept", format="kept", other="text")
    assert_same(read_all(data), {"kept": array("int8"), "tied": array("int8")})


ENTRY = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
NEXT = {"dtype": "U8", "shape": [4], "data_offsets": [8, 12]}


def file_of(header, size=8, length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + bytes(size)


CASES = {
    "too short": (b"\x08\0\0", "too short"),
    "header longer than the file": (file_of({"a": ENTRY}, length=10**6), "longer than the file"),
    "header of 2**63 bytes": (file_of({"a": ENTRY}, length=2**63), "header is too large"),
    "header over 100 MB": (file_of({"a": ENTRY}, length=100_000_001), "header is too large"),
    "no object": (file_of(b"[1, 2]"), "not a JSON object"),
    "space before the object": (file_of(b' {"a": 1}'), "not a JSON object"),
    "no JSON": (file_of(b"{'a': 1}"), "not valid JSON"),
    "not UTF-8": (file_of(b'{"\xff": 1}'), "not valid Unicode"),
    "duplicate names": (file_of(b'{"a": 1, "a": 2}'), "same key twice"),
    "deep nesting": (file_of(b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}"), "levels of nesting"),
    "more text behind the object": (file_of(b"{} {}"), "not valid JSON"),
    "a gap": (file_of({"a": ENTRY, "b": {**NEXT, "data_offsets": [9, 13]}}, 13), "follows a gap"),
    "an overlap": (file_of({"a": ENTRY, "b": {**NEXT, "data_offsets": [7, 11]}}, 12), "overlaps"),
    "two arrays at one place": (file_of({"a": ENTRY, "b": ENTRY}), "overlaps"),
    "a gap at the start": (file_of({"a": {**ENTRY, "data_offsets": [8, 16]}}, 16), "gap"),
    "bytes behind the arrays": (file_of({"a": ENTRY}, 9), "do not end where the file does"),
    "cut off": (file_of({"a": ENTRY}, 7), "do not end where the file does"),
    "no arrays, but bytes": (file_of({}, 1), "do not end"),
    "shape and bytes": (file_of({"a": {**ENTRY, "shape": [3]}}), "does not fit the shape"),
    "dtype and bytes": (file_of({"a": {**ENTRY, "dtype": "F64"}}), "does not fit the shape"),
    "product that overflows": (
        file_of({"a": {**ENTRY, "shape": [2**62, 2**62]}}), "does not fit the shape"),
    "negative size": (file_of({"a": {**ENTRY, "shape": [-2]}}), "not a size"),
    "null size": (file_of({"a": {**ENTRY, "shape": [None]}}), "not a size"),
    "size that is a float": (file_of({"a": {**ENTRY, "shape": [2.0]}}), "not a size"),
    "size that is a boolean": (file_of({"a": {**ENTRY, "shape": [True]}}), "not a size"),
    "too many axes": (file_of({"a": {**ENTRY, "shape": [1] * 33}}), "not a shape"),
    "shape that is a number": (file_of({"a": {**ENTRY, "shape": 2}}), "not a shape"),
    "offsets turned": (file_of({"a": {**ENTRY, "data_offsets": [8, 0]}}), "does not fit"),
    "negative offset": (file_of({"a": {**ENTRY, "data_offsets": [-8, 0]}}), "not a size"),
    "three offsets": (file_of({"a": {**ENTRY, "data_offsets": [0, 8, 8]}}), "not a pair"),
    "unknown dtype": (file_of({"a": {**ENTRY, "dtype": "O"}}), "dtype is unknown"),
    "dtype of half bytes": (file_of({"a": {**ENTRY, "dtype": "F4"}}), "dtype is unknown"),
    "dtype that is a list": (file_of({"a": {**ENTRY, "dtype": ["F32"]}}), "dtype is unknown"),
    "more keys": (file_of({"a": {**ENTRY, "more": 1}}), "not the description"),
    "fewer keys": (file_of({"a": {"dtype": "F32"}}), "not the description"),
    "no description": (file_of({"a": 5}), "not the description"),
    "metadata of numbers": (file_of({"__metadata__": {"a": 1}, "a": ENTRY}), "object of texts"),
    "metadata that is a list": (file_of({"__metadata__": [], "a": ENTRY}), "object of texts"),
    "number of checksums": (
        file_of({"__metadata__": {"keras_fn.crc32": "0"}, "a": ENTRY}), "number of checksums"),
    "checksum that is none": (
        file_of({"__metadata__": {"keras_fn.crc32": "hexadeci"}, "a": ENTRY}), "malformed"),
    "wrong checksum": (
        file_of({"__metadata__": {"keras_fn.crc32": "00000000"}, "a": ENTRY}), "CRC-32 differs"),
    "boolean of 2": (file_of({"a": {"dtype": "BOOL", "shape": [1], "data_offsets": [0, 1]}}, 0)
                     + b"\2", "neither true nor false"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_breaks_a_rule_is_refused(name):
    data, said = CASES[name]
    with pytest.raises(ModelFileError) as error:
        read_all(data)
    message = str(error.value)
    assert said in message and len(message) < 2000 and "BytesIO" in message


def test_a_well_formed_file_passes_where_the_cases_differ():
    assert read_all(file_of({"b": NEXT, "a": ENTRY}, 12))["b"].tolist() == [0, 0, 0, 0]
    assert read_all(file_of(b'{"__metadata__":{}}   ', 0)) == {}


def test_a_flipped_bit_anywhere_in_the_arrays_is_found():
    arrays = {"a": array("float32"), "b": array("int8")}
    data = written(arrays)
    for position in range(len(data) - 30, len(data)):
        damaged = bytearray(data)
        damaged[position] ^= 16
        with pytest.raises(ModelFileError, match="CRC-32"):
            read_all(damaged)


def test_reading_checks_name_shape_and_dtype():
    file = open_safetensors(io.BytesIO(written({"a": array("float16")})))
    assert file.read("a", (2, 3), "float32").dtype == np.float32
    for arguments, said in (
        (("b", (2, 3), "float16"), "another one"),
        (("a", (3, 2), "float16"), "another one"),
        (("a", (2, 3), "int32"), "dtype"),
    ):
        with pytest.raises(ModelFileError, match=said):
            file.read(*arguments)


def test_what_cannot_be_read_is_not_written():
    for arrays, said in (
        ({"a": array("complex128")}, "complex128"),
        ({"a": np.array(["text"])}, "str"),
        ({"__metadata__": array("int8")}, "no array can have this name"),
    ):
        with pytest.raises(KerasError, match=said):
            written(arrays)
    with limits(safetensors_header_bytes=100), pytest.raises(ModelFileError, match="too large"):
        written({f"a{i}": array("int8") for i in range(9)})


def test_the_signature_is_the_length_of_a_header_and_its_brace():
    assert is_safetensors(written({})[:9])
    for other in (b"", b"\x89HDF\r\n\x1a\n\0", b'{"weight', b'{"weights":{}', b"\xff" * 8 + b"{"):
        assert not is_safetensors(other[:9])

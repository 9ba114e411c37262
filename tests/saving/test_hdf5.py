"""HDF5 files of weights: Keras's are read, what reaches outside or asks for too much is refused."""

import io
import math
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import h5py
import ml_dtypes
import numpy as np
import pytest
from hdf5_files import hdf5_bytes
from hypothesis import HealthCheck, given, settings, strategies as st

from keras_fn.saving.checksum import TRAILER_BYTES, write_with_trailer
from keras_fn.saving.errors import ModelFileError
from keras_fn.saving.hdf5.file import datasets, open_hdf5, read_dataset
from keras_fn.saving.hdf5.writer import build_hdf5
from keras_fn.saving.limits import limits

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "tests" / "fixtures" / "keras_files"
NAMES = ["autoencoder_nested", "cnn_bn", "lstm", "mlp", "ticket", "toy_resnet"]
FILES = [f"{name}{suffix}" for name in NAMES for suffix in (".weights.h5", ".h5")]
DTYPES = [
    "float32",
    "float64",
    "float16",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "bool",
    "complex64",
    ml_dtypes.bfloat16,
    ml_dtypes.float8_e4m3fn,
    ml_dtypes.float8_e5m2,
]


def made(fill: Callable[[h5py.File], object], **options) -> io.BytesIO:
    """Returns an HDF5 file as h5py writes it."""
    buffer = io.BytesIO()
    with h5py.File(buffer, "w", **options) as h5:
        fill(h5)
    return buffer


@pytest.mark.parametrize("name", FILES)
def test_files_of_keras_are_read(name, watchdog):
    assert watchdog.accepts("hdf5", FIXTURES / name)
    with open(FIXTURES / name, "rb") as file, h5py.File(FIXTURES / name) as reference:
        h5 = open_hdf5(file)
        for path, info in datasets(h5).items():
            array = read_dataset(h5, path, info.shape, "float32")
            np.testing.assert_array_equal(array, reference[path][()])


def test_attributes_of_a_legacy_file_are_read():
    with open(FIXTURES / "mlp.h5", "rb") as file:
        h5 = open_hdf5(file)
        assert h5.attribute("", "model_config").startswith('{"class_name": "Sequential"')
        assert h5.names("model_weights", "layer_names") == ["dense", "dropout", "dense_1", "probs"]
        assert h5.names("model_weights/dense", "weight_names") == [
            "mlp/dense/kernel",
            "mlp/dense/bias",
        ]
        assert h5.names("model_weights/dropout", "weight_names") == []
        assert h5.attribute("", "training_config") is None
        with pytest.raises(ModelFileError, match="'optimizer_weights' is missing"):
            h5.names("", "optimizer_weights")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (0, 3), (2, 3)])
def test_arrays_come_back(dtype, shape):
    array = (np.arange(math.prod(shape)).reshape(shape) % 2).astype(dtype)
    h5 = open_hdf5(io.BytesIO(hdf5_bytes({"vars/0": array})))
    assert datasets(h5)["vars/0"].dtype == array.dtype
    found = read_dataset(h5, "vars/0", shape, dtype)
    assert (found.dtype, found.shape, found.tobytes()) == (array.dtype, shape, array.tobytes())


def test_big_endian_arrays_come_back():
    h5 = open_hdf5(made(lambda h5: h5.create_dataset("x", data=np.arange(3, dtype=">f4"))))
    assert read_dataset(h5, "x", (3,), "float32").tolist() == [0, 1, 2]


def test_bfloat16_is_stored_as_keras_does_and_read_from_unnamed_bytes():
    array = np.arange(4).astype(ml_dtypes.bfloat16)
    with h5py.File(io.BytesIO(hdf5_bytes({"x": array}))) as h5:
        assert (h5["x"].dtype, h5["x"].attrs["dtype"]) == (np.dtype("V2"), "bfloat16")
    h5 = open_hdf5(made(lambda h5: h5.create_dataset("x", data=array.view("V2"))))
    assert read_dataset(h5, "x", (4,), ml_dtypes.bfloat16).tolist() == [0, 1, 2, 3]
    with pytest.raises(ModelFileError, match="another kind of dtype"):
        read_dataset(h5, "x", (4,), "float32")


def test_long_lists_and_large_attributes_come_back():
    names = [f"layer_{i}" for i in range(9001)]
    content = hdf5_bytes(
        {}, {"": {"layer_names": names, "model_config": "é" * 10**6}, "empty/vars": {"name": "x"}}
    )
    h5 = open_hdf5(io.BytesIO(content))
    assert h5.names("", "layer_names") == names
    assert h5.attribute("", "model_config") == "é" * 10**6
    assert h5.attribute("empty/vars", "name") == "x"


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"compression": "gzip"},
        {"shuffle": True},
        {"fletcher32": True},
        {"shuffle": True, "compression": "gzip", "fletcher32": True},
    ],
)
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_chunked_datasets_are_read(options, dtype):
    array = np.random.default_rng(0).integers(0, 200, (50, 37)).astype(dtype)
    h5 = open_hdf5(made(lambda h5: h5.create_dataset("x", data=array, chunks=(16, 11), **options)))
    np.testing.assert_array_equal(read_dataset(h5, "x", (50, 37), dtype), array)


def test_the_bytes_do_not_depend_on_the_time_or_the_process():
    code = (
        "import hashlib, numpy as np; from keras_fn.saving.hdf5.writer import build_hdf5\n"
        "arrays = {f'a{i}/vars/0': np.arange(i) for i in range(20)}\n"
        "content = b''.join(build_hdf5(arrays, {'': {'name': ['x'] * 50}}))\n"
        "print(hashlib.sha256(content).hexdigest())"
    )
    digests = set()
    for _ in range(2):
        digests.add(
            subprocess.run(
                [sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True
            ).stdout
        )
        time.sleep(1.1)
    assert len(digests) == 1


@pytest.mark.parametrize(
    "found, wanted, allowed",
    [
        ("float16", "float32", True),
        ("float64", "float32", True),
        ("float32", ml_dtypes.bfloat16, True),
        (ml_dtypes.bfloat16, "float32", True),
        ("int8", "int32", True),
        ("uint8", "int32", True),
        ("int32", "int8", False),
        ("int32", "uint32", False),
        ("int32", "float32", False),
        ("float32", "int32", False),
        ("bool", "int32", False),
        ("float32", "complex64", False),
        ("complex64", "float32", False),
        (ml_dtypes.bfloat16, "float16", True),
        ("float32", "bool", False),
    ],
)
def test_only_conversions_that_keep_the_kind_are_made(found, wanted, allowed):
    h5 = open_hdf5(io.BytesIO(hdf5_bytes({"x": np.ones(3, found)})))
    if allowed:
        assert read_dataset(h5, "x", (3,), wanted).dtype == wanted
    else:
        with pytest.raises(ModelFileError, match="another kind of dtype"):
            read_dataset(h5, "x", (3,), wanted)


@pytest.mark.parametrize("shape", [(), (3,), (2, 4), (3, 2), (-1, 3), (6,)])
def test_another_shape_is_an_error(shape):
    h5 = open_hdf5(io.BytesIO(hdf5_bytes({"x": np.ones((2, 3))})))
    with pytest.raises(ModelFileError, match=r"x: the dataset has another shape(.|\n)*\(2, 3\)"):
        read_dataset(h5, "x", shape, "float64")


@pytest.mark.parametrize("path", ["y", "", "a", "/x", "../x", "a/../x", "x\0"])
def test_only_the_exact_path_of_a_dataset_is_read(path):
    h5 = open_hdf5(io.BytesIO(hdf5_bytes({"x": np.ones(1), "a/b": np.ones(1)})))
    with pytest.raises(ModelFileError, match="no such dataset"):
        read_dataset(h5, path, (1,), "float64")


@pytest.mark.parametrize(
    "path", ["", "/x", "a//b", "a/../b", ".", "a\nb", "a\\b", "x" * 256, "a\0"]
)
def test_what_cannot_be_read_is_not_written(path):
    with pytest.raises(ModelFileError, match="not allowed"):
        hdf5_bytes({path: np.ones(1)})


def test_unsavable_dtypes_are_a_type_error():
    for array in (np.array(["text"]), np.array([object()]), np.array(["2020"], "M8[D]")):
        with pytest.raises(TypeError, match="Saving an array"):
            hdf5_bytes({"x": array})


def test_too_many_objects_are_refused():
    with limits(hdf5_objects=10), pytest.raises(ModelFileError, match="too many objects"):
        open_hdf5(io.BytesIO(hdf5_bytes({f"{i}": np.ones(1) for i in range(20)})))


def test_a_flipped_bit_in_a_weight_is_an_error():
    array = np.random.default_rng(0).random(16).astype("float32")
    write_with_trailer(file := io.BytesIO(), build_hdf5({"vars/0": array}))
    content = file.getvalue()
    open_hdf5(io.BytesIO(content))
    with h5py.File(io.BytesIO(content)) as h5:  # HDF5 does not see the checksum
        np.testing.assert_array_equal(h5["vars/0"][()], array)
    for bit in (*range(0, len(content) * 8 - 8 * TRAILER_BYTES, 37), len(content) * 8 - 1):
        flipped = bytearray(content)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(ModelFileError, match="CRC-32"):
            open_hdf5(io.BytesIO(flipped))


@pytest.mark.parametrize("change", [lambda c: c[:-1], lambda c: c[:-31], lambda c: c + b"\n"])
def test_a_checksum_that_is_cut_off_or_not_at_the_end_is_an_error(change):
    write_with_trailer(file := io.BytesIO(), build_hdf5({"vars/0": np.ones(16)}))
    with pytest.raises(ModelFileError, match="something was appended"):
        open_hdf5(io.BytesIO(change(file.getvalue())))


def test_every_truncation_is_an_error(tmp_path, watchdog):
    content = (FIXTURES / "mlp.weights.h5").read_bytes()
    path = tmp_path / "m.weights.h5"
    for size in [*range(0, 100, 9), *range(100, len(content), 997), len(content) - 1]:
        path.write_bytes(content[:size])
        watchdog.refuses("hdf5", path)


@pytest.mark.parametrize("name", ["mlp.weights.h5", "mlp.h5"])
@given(st.data())
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_mutated_files_give_a_result_or_our_error(name, tmp_path, watchdog, data):
    content = bytearray((FIXTURES / name).read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(
            st.sampled_from([0, 1, 127, 128, 255])
        )
    path = tmp_path / "m.h5"
    path.write_bytes(content)
    result = watchdog.load("hdf5", path)
    assert result["error"] is None or {"ModelFileError", "ModelFileTypeError"} & set(
        result["error"]
    ), result

"""The reader of `.pt` files: what describes tensors is read, anything else is refused."""

import io
import random

import ml_dtypes
import numpy as np
import pytest
from torch_files import (
    archive,
    checkpoint,
    name,
    opcodes,
    saved,
    storage,
    tensor,
    text,
    untyped,
)

from keras_fn.errors import KerasError
from keras_fn.saving.errors import ModelFileError
from keras_fn.saving.limits import limits
from keras_fn.saving.state_dict.torch_checkpoint import (
    TorchCheckpoint,
)

ARRAYS = {
    "a": np.arange(6, dtype="float32").reshape(2, 3),
    "b": np.ones((), "int64"),
    "empty": np.ones((0, 2), "float16"),
}


def read_all(data):
    file = TorchCheckpoint(io.BytesIO(data))
    return {key: file.read(t, t.dtype) for key, t in file.content.items()}


def test_tensors_come_back():
    found = read_all(saved(ARRAYS))
    assert found.keys() == ARRAYS.keys()
    for key, array in ARRAYS.items():
        assert found[key].dtype == array.dtype
        np.testing.assert_array_equal(found[key], array)
    file = TorchCheckpoint(io.BytesIO(saved(ARRAYS)))
    assert file.read(file.content["a"], "float64").dtype == np.float64


def test_numbers_texts_and_lists_of_a_checkpoint_come_back():
    content = {"epoch": 3, "lr": 0.5, "name": "é", "done": True, "none": None, 7: [1, (2, -3)]}
    data = checkpoint(opcodes(content), {})
    assert TorchCheckpoint(io.BytesIO(data)).content == content
    assert TorchCheckpoint(io.BytesIO(checkpoint(opcodes([1]), {}))).content == [1]


def test_a_pickle_and_a_storage_of_several_megabytes():
    content = {"text": "a" * 1_500_000 + "b" * 1_500_000, "end": 1}
    assert TorchCheckpoint(io.BytesIO(checkpoint(opcodes(content), {}))).content == content
    array = np.arange(600_000, dtype="float32")
    np.testing.assert_array_equal(read_all(saved({"a": array}))["a"], array)


@pytest.mark.parametrize("dtype", [ml_dtypes.float8_e4m3fn, ml_dtypes.float8_e5m2, "uint16"])
def test_tensors_whose_storage_has_no_dtype(dtype):
    array = np.arange(6).reshape(2, 3).astype(dtype)
    found = read_all(checkpoint(opcodes({"a": untyped("0", array)}), {"0": array.tobytes()}))["a"]
    assert found.dtype == array.dtype
    np.testing.assert_array_equal(found.astype(float), array.astype(float))


UNTYPED = opcodes(("storage", name("torch.storage.UntypedStorage"), "0", "cpu", 24)) + b"Q"


def test_views_of_a_storage():
    own, data = storage("FloatStorage", "0", 6), {"0": ARRAYS["a"].tobytes()}
    values = {
        "transposed": tensor(own, (3, 2), (1, 3)),
        "row": tensor(own, (3,), (1,), 3),
        "repeated": tensor(own, (2, 2), (0, 5)),
        "parameter": name("torch._utils._rebuild_parameter")
        + opcodes((tensor(own, (2, 3), (3, 1)), True, {}))
        + b"R",
    }
    found = read_all(checkpoint(opcodes(values), data))
    np.testing.assert_array_equal(found["transposed"], ARRAYS["a"].T)
    np.testing.assert_array_equal(found["row"], [3, 4, 5])
    np.testing.assert_array_equal(found["repeated"], [[0, 5], [0, 5]])
    np.testing.assert_array_equal(found["parameter"], ARRAYS["a"])
    assert all(array.flags.c_contiguous and array.flags.writeable for array in found.values())


def one(value, **more):
    """A file of one tensor, of 6 floats if nothing else is said."""
    return checkpoint(opcodes({"a": value}), {"0": bytes(24)}, **more)


FLOATS = storage("FloatStorage", "0", 6)
CALLS = [b"cos\nsystem\n", b"cposix\nsystem\n", b"c__builtin__\neval\n", b"cbuiltins\nexec\n",
         b"ctorch\nload\n", b"ctorch._utils\n_rebuild_device_tensor_from_numpy\n",
         b"cnumpy.core.multiarray\n_reconstruct\n", b"ctorch.nn.modules.linear\nLinear\n",
         b"ccollections\ndefaultdict\n", b"ctorch\nUntypedStorage\n",
         b"ctorch\n__dict__\n"]  # fmt: skip
ORDERED_DICT = name("collections.OrderedDict")
BOOLEAN = tensor(storage("BoolStorage", "0", 1), (1,), (1,))


def rebuilt(own, dtype):
    arguments = (own, 0, (2, 3), (3, 1), False, None, dtype)
    return name("torch._utils._rebuild_tensor_v3") + opcodes(arguments) + b"R"


CASES = {
    "another opcode": (one(b"."), "does not end where it should"),
    "global of a stack": (one(text("os") + text("system") + b"\x93"), "0x93"),
    "instance": (one(b"(ios\nsystem\n"), "0x69"),
    "object": (one(b"(cos\nsystem\no"), "does not describe a tensor"),
    "new object": (one(ORDERED_DICT + b")\x81"), "0x81"),
    "extension": (one(b"\x82\x01"), "0x82"),
    "persistent text": (one(b"Pname\n"), "0x50"),
    "a call of a text": (one(text("system") + b")R"), "calls something"),
    "a call of a dtype": (one(name("torch.FloatStorage") + b")R"), "calls something"),
    "a call without a tuple": (one(ORDERED_DICT + b"}R"), "calls something"),
    "a dictionary with arguments": (one(ORDERED_DICT + b"K\1\x85R"), "arguments"),
    "state of an object": (one(FLOATS + b"}b"), "state of an object"),
    "items of a list": (one(b"](K\1K\2u"), "not a dictionary"),
    "append to a dictionary": (one(b"}K\1a"), "not a list"),
    "a key that is a list": (one(b"}]K\1s"), "neither a text"),
    "a key that is a boolean": (one(b"}\x88K\1s"), "neither a text"),
    # 2**61 - 1, like all its multiples, has the hash 0.
    "a key whose hash is not its value": (
        one(b"}" + opcodes((1 << 61) - 1) + b"K\1s"), "nor a small integer"),
    "an item without a value": (one(b"}(K\1u"), "not a dictionary"),
    "an empty stack": (checkpoint(b"R", {}), "malformed"),
    "an unknown memo": (one(b"h\x09"), "malformed"),
    "no end": (archive({"data.pkl": b"\x80\x02}"}), "cut off"),
    "a text longer than the pickle": (one(b"X\xff\xff\xff\xffa"), "cut off"),
    "a text that is not UTF-8": (one(b"X\1\0\0\0\xff"), "malformed"),
    "protocol 4": (archive({"data.pkl": b"\x80\x04}."}), "protocol 2"),
    "two values": (checkpoint(b"}}", {}), "does not end"),
    "bytes behind the end": (checkpoint(b"}.}", {}), "does not end"),
    "storage of a text": (one(text("storage") + b"Q"), "not a storage"),
    "storage without a dtype": (one(opcodes(("storage", "f", "0", "cpu", 6)) + b"Q"), "no dtype"),
    "storage of -6": (one(storage("FloatStorage", "0", -6)), "malformed"),
    "storage of another name": (one(storage("FloatStorage", "../data.pkl", 6)), "not in the file"),
    "storage of a larger length": (one(storage("FloatStorage", "0", 7)), "not in the file"),
    "storage of another dtype": (one(storage("DoubleStorage", "0", 6)), "not in the file"),
    "tensor larger than its storage": (one(tensor(FLOATS, (7,), (1,))), "larger than its storage"),
    "tensor behind its storage": (one(tensor(FLOATS, (), (), 6)), "larger than its storage"),
    "strides out of the storage": (one(tensor(FLOATS, (2, 3), (4, 1))), "larger than its storage"),
    "negative strides": (one(tensor(FLOATS, (2, 3), (-3, 1))), "is malformed"),
    "negative offset": (one(tensor(FLOATS, (2, 3), (3, 1), -1)), "is malformed"),
    "offset that is a text": (one(tensor(FLOATS, (2, 3), (3, 1), "1")), "is malformed"),
    "more strides than sizes": (one(tensor(FLOATS, (2, 3), (3, 1, 1))), "is malformed"),
    "too many axes": (one(tensor(FLOATS, (1,) * 33, (1,) * 33)), "too many axes"),
    "tensor of a list": (one(tensor(b"]", (1,), (1,))), "is malformed"),
    "typed tensor of an untyped storage": (one(tensor(UNTYPED, (2, 3), (3, 1))), "has no dtype"),
    "untyped tensor of a typed storage": (one(rebuilt(FLOATS, name("torch.uint16"))), "malformed"),
    "dtype that is a text": (one(rebuilt(UNTYPED, text("float32"))), "do not fit its dtype"),
    "dtype of no elements": (
        one(rebuilt(UNTYPED, name("torch.storage.UntypedStorage"))), "do not fit its dtype"),
    "dtype of a larger tensor": (
        one(rebuilt(UNTYPED, name("torch.uint64"))), "larger than its storage"),
    "untyped tensor without a dtype": (
        one(name("torch._utils._rebuild_tensor_v3") + UNTYPED + b"\x85R"), "malformed"),
    "tensor without arguments": (
        one(name("torch._utils._rebuild_tensor_v2") + b")R"), "malformed"),
    "parameter of a text": (
        one(name("torch._utils._rebuild_parameter") + text("a") + b"\x85R"), "not a tensor"),
    "boolean of 2": (
        checkpoint(opcodes({"a": BOOLEAN}), {"0": b"\2"}), "neither true nor false"),
    "big-endian": (archive({"data.pkl": b"\x80\x02}.", "byteorder": b"big"}), "byte order"),
    "code of TorchScript": (one(None, **{"code/a.py": b"import os"}), "does not write"),
    "constants of TorchScript": (one(None, **{"constants.pkl": b"\x80\x02)."}), "does not write"),
    "no pickle": (archive({"byteorder": b"little"}), "not of torch.save"),
    **{f"call of {call!r}": (one(call + b")R"), "does not describe a tensor") for call in CALLS},
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_does_more_than_to_describe_tensors_is_refused(case):
    data, said = CASES[case]
    with pytest.raises(ModelFileError) as error:
        read_all(data)
    assert said in str(error.value) and len(str(error.value)) < 2000


def test_the_number_of_opcodes_is_limited():
    data = checkpoint(b"N" * 50 + b"(t", {})
    with limits(pickle_opcodes=40), pytest.raises(ModelFileError, match="too long"):
        read_all(data)


def test_archives_with_and_without_descriptors_are_read_strictly():
    for streamed in (True, False):
        read_all(archive({"data.pkl": b"\x80\x02}."}, streamed))
    data = bytearray(saved(ARRAYS))
    at = data.index(b"PK\x07\x08") + 9
    data[at] ^= 1  # a size
    with pytest.raises(ModelFileError, match="contradicts the directory"):
        read_all(data)
    data = saved(ARRAYS)
    at = data.index(ARRAYS["a"].tobytes())
    with pytest.raises(ModelFileError, match="CRC-32"):
        read_all(data[:at] + b"\1" + data[at + 1 :])


def test_files_with_random_damage_are_read_or_refused():
    whole, draw = saved(ARRAYS), random.Random(0)
    refused = 0
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(draw.randint(1, 4)):
            data[draw.randrange(len(data))] = draw.randrange(256)
        try:
            read_all(data)
        except KerasError:
            refused += 1
    assert refused > 200
    pickle = whole[whole.index(b"\x80\x02") : whole.index(b"u.") + 2]
    for _ in range(300):
        data = bytearray(pickle)
        data[draw.randrange(len(data))] = draw.randrange(256)
        try:
            read_all(
                archive({"data.pkl": bytes(data), **{f"data/{i}": bytes(24) for i in range(3)}})
            )
        except KerasError:
            refused += 1
    assert refused > 400

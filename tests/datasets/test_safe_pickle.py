import io
import os
import pickle
import pickletools
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, strategies as st

from keras_fn.datasets._safe_pickle import UnpicklingError, load_pickle

ARRAY = np.arange(6, dtype="int32").reshape(2, 3)


def load(value, protocol=2):
    return load_pickle(io.BytesIO(pickle.dumps(value, protocol)))


@pytest.mark.parametrize("protocol", [2, 3, 4])
@pytest.mark.parametrize("dtype", ["uint8", "int64", "float32", ">i4", "bool"])
def test_arrays_round_trip(dtype, protocol):
    result = load(ARRAY.astype(dtype), protocol)
    np.testing.assert_array_equal(result, ARRAY.astype(dtype))
    assert result.dtype == dtype and result.flags.writeable


def test_arrays_in_fortran_order_round_trip():
    np.testing.assert_array_equal(load(np.asfortranarray(ARRAY)), ARRAY)


def test_strings_of_python_2_become_bytes():
    # What Python 2 wrote for {"labels": [3]}, in protocol 2.
    written = b"\x80\x02}q\x01U\x06labelsq\x02]q\x03K\x03as."
    assert load_pickle(io.BytesIO(written)) == {b"labels": [3]}


class Calls:
    def __init__(self, function, *args):
        self.reduced = function, args

    def __reduce__(self):
        return self.reduced


HOSTILE = {
    "a command": Calls(os.system, "true"),
    "eval": Calls(eval, "1"),
    "numpy's loader": Calls(np.load, "x.npy"),
    "a class": Calls(type, "x", (), {}),
    "a dtype of records": np.zeros(2, [("a", "i4")]),
    "a dtype of text": np.array(["a"]),
    "an array of arrays": np.array([None, ARRAY], object),
    "a set": {1},
    "a list in a list": [[1]],
}


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
def test_anything_but_data_raises(value):
    with pytest.raises(UnpicklingError):
        load(value)


def test_nested_lists_raise_immediately():
    value = [1]
    for _ in range(100):
        value = [value, value]
    with pytest.raises(UnpicklingError):
        load(value)


def test_an_array_that_declares_more_than_there_is_takes_no_memory():
    honest = pickle.dumps(np.zeros(3, "uint8"), 2)
    # The shape (3,) is the last BININT1 3 before the tuple of the state.
    positions = [
        at for op, arg, at in pickletools.genops(honest) if op.name == "BININT1" and arg == 3
    ]
    at = positions[0]
    lie = honest[:at] + b"\x8a\x06" + (10**13).to_bytes(6, "little") + honest[at + 2 :]
    with pytest.raises(UnpicklingError, match="10000000000000 bytes"):
        load_pickle(io.BytesIO(lie))


# LONG_BINPUT ("r") is left out: it can claim a memo of gigabytes. Against that stands the hash of
# the file, which is checked before it is read.
@given(st.integers(0, 400), st.integers(0, 255).filter(lambda byte: byte != ord("r")))
def test_a_flipped_byte_results_in_data_or_one_type_of_error(position, byte):
    content = bytearray(pickle.dumps({b"data": ARRAY, b"labels": [1, 2]}, 2))
    content[position % len(content)] = byte
    with suppress(UnpicklingError):
        load_pickle(io.BytesIO(bytes(content)))

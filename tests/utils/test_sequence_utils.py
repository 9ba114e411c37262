import numpy as np
import pytest
from hypothesis import given, strategies as st

from keras_fn.utils.sequence_utils import pad_sequences

SEQUENCES = [[1], [2, 3], [4, 5, 6]]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [[0, 0, 1], [0, 2, 3], [4, 5, 6]]),
        ({"padding": "post"}, [[1, 0, 0], [2, 3, 0], [4, 5, 6]]),
        ({"maxlen": 2}, [[0, 1], [2, 3], [5, 6]]),
        ({"maxlen": 2, "truncating": "post"}, [[0, 1], [2, 3], [4, 5]]),
        ({"maxlen": 4, "value": 9}, [[9, 9, 9, 1], [9, 9, 2, 3], [9, 4, 5, 6]]),
        ({"maxlen": 0}, [[], [], []]),
    ],
)
def test_options(options, expected):
    result = pad_sequences(SEQUENCES, **options)
    assert result.tolist() == expected and result.dtype == "int32"


def test_elements_may_be_arrays():
    result = pad_sequences([np.ones((1, 2)), np.full((2, 2), 2.0), []], dtype="float32")
    assert result.shape == (3, 2, 2)
    assert result[0].tolist() == [[0, 0], [1, 1]] and not result[2].any()


def test_strings():
    result = pad_sequences([["a"], ["bc", "d"]], dtype=object, value="-", padding="post")
    assert result.tolist() == [["a", "-"], ["bc", "d"]]


def test_no_sequences():
    assert pad_sequences([]).shape == (0, 0)


@given(st.lists(st.lists(st.integers(1, 99))), st.integers(0, 9))
def test_truncation_keeps_the_end_by_default(sequences, maxlen):
    result = pad_sequences(sequences, maxlen)
    assert result.shape == (len(sequences), maxlen)
    for row, sequence in zip(result.tolist(), sequences, strict=True):
        kept = sequence[-maxlen:] if maxlen else []
        assert row == [0] * (maxlen - len(kept)) + kept


@pytest.mark.parametrize(
    ("args", "options", "message"),
    [
        (SEQUENCES, {"padding": "left"}, '"pre" or "post"'),
        (SEQUENCES, {"truncating": "left"}, '"pre" or "post"'),
        (SEQUENCES, {"value": "x"}, "dtype=object"),
        (3, {}, "list of sequences"),
        ([1, 2], {}, "at position 0"),
        ([[[1, 2]], [[1, 2, 3]]], {}, "in sequence 1"),
    ],
)
def test_misuse_is_explained(args, options, message):
    with pytest.raises(ValueError, match=message):
        pad_sequences(args, **options)

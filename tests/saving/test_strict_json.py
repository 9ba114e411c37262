"""parse_json: what Keras writes is read, everything ambiguous or oversized is refused."""

import json
import math

import pytest
from hypothesis import given, settings, strategies as st

from keras_fn.saving.errors import ModelFileError
from keras_fn.saving.limits import limits
from keras_fn.saving.strict_json import as_shape, as_size, parse_json

JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
    max_leaves=20,
)


@given(JSON_VALUES, st.booleans())
@settings(max_examples=50, deadline=None)
def test_what_json_writes_is_read(value, ensure_ascii):
    assert parse_json(json.dumps(value, ensure_ascii=ensure_ascii).encode()) == value


@pytest.mark.parametrize(
    "text, said",
    [
        (b'{"a": 1, "a": 2}', "same key twice"),
        (b'[{"a": {"b": 1, "b": 1}}]', "same key twice"),
        (b"{} {}", "not valid JSON"),
        (b'{"a": 1', "not valid JSON"),
        (b"", "not valid JSON"),
        (b"\xef\xbb\xbf{}", "not valid JSON"),
        (b'{"a": "\xff"}', "not valid Unicode"),
        (b'{"a": "\\ud800"}', "not valid Unicode"),
        (b"1" * 31, "too long"),
        (b"-" + b"1" * 31, "too long"),
        (b"1" * 10_000, "too long"),
        (b"1e999", "does not fit a float"),
        (b"0." + b"1" * 1000, "does not fit a float"),
    ],
)
def test_ambiguous_or_oversized_json_is_refused(text, said):
    with pytest.raises(ModelFileError, match=said):
        parse_json(text)


def test_integers_up_to_thirty_digits_are_exact():
    assert parse_json(b"-" + b"9" * 30) == -(10**30 - 1)


def test_nonfinite_numbers_are_read_unless_refused():
    assert parse_json(b"[-Infinity]") == [-math.inf]
    assert math.isnan(parse_json(b"NaN"))
    with pytest.raises(ModelFileError, match="not finite"):
        parse_json(b"NaN", allow_nonfinite=False)


@pytest.mark.parametrize("value", [-1, 1.0, True, None, "3", math.nan, math.inf, 2**64, [1]])
def test_a_size_is_a_plain_integer(value):
    with pytest.raises(ModelFileError, match="units is not a size"):
        as_size(value, "units")


def test_shapes_have_bounded_rank_and_no_negative_size():
    assert as_shape([None, 3], "batch_shape") == (None, 3)
    for value in ([-1], [0] * 33, "12", {"a": 1}, [1.5]):
        with pytest.raises(ModelFileError, match="batch_shape"):
            as_shape(value, "batch_shape")


def test_depth_is_counted_outside_strings_only():
    text = json.dumps([[["[" * 1000, '\\"[[[' * 1000, "\\"]]]).encode()
    with limits(json_depth=3):
        assert parse_json(text)[0][0][0] == "[" * 1000
    with limits(json_depth=2), pytest.raises(ModelFileError, match="levels of nesting"):
        parse_json(text)


def test_the_deepest_allowed_document_parses():
    assert parse_json(b"[" * 512 + b"]" * 512)
    with pytest.raises(ModelFileError, match="nesting"):
        parse_json(b"[" * 513 + b"]" * 513)


MIB = 1 << 20
BOMBS = {
    "deep lists": b"[" * 100_000,
    "deep objects": b'{"a":' * 100_000,
    "many objects": b"[" + b'{"a":0},' * 999_990 + b"0]",
    "many numbers": b"[" + b"0," * 9_000_000 + b"0]",
    "too many numbers": b"[" + b"0," * 20 * MIB + b"0]",
    "many strings": b"[" + b'"ab",' * 9_000_000 + b"0]",
    "many keys": b"{" + b",".join(b'"%x":0' % i for i in range(1_900_000)) + b"}",
    "one long string": b'["' + b"\\\\" * 30 * MIB + b'"]',
    "unclosed string": b'["' + b"a" * 60 * MIB,
    "long integer": b"9" * 60 * MIB,
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_take_little_time_and_memory(name, tmp_path, watchdog):
    path = tmp_path / "config.json"
    path.write_bytes(BOMBS[name])
    result = watchdog.load("json", path)
    assert result["error"] is None or "ModelFileError" in result["error"]
    assert "too large to parse here" not in result.get("message", "")

"""Strict JSON: limits are checked before parsing, and ambiguous documents are errors."""

import json
import math
import re
from typing import Any, NoReturn

import numpy as np

from keras_fn.saving.errors import ModelFileError
from keras_fn.saving.limits import Limits, current_limits

_NUMBER_CHARACTERS = 400
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_FIX = "the file is damaged or was not written by Keras; save the model again"


def parse_json(data: bytes, *, allow_nonfinite: bool = True) -> Any:
    """Returns the value of a JSON document.

    Text that is not UTF-8, nesting, size or integers over the `Limits`, duplicate keys, trailing
    data, numbers too large for a float, and unpaired surrogates are errors.

    Args:
        data: The document.
        allow_nonfinite: Whether `NaN` and `Infinity` are accepted, which Keras writes for some
            arguments. Default True. `as_size` and `as_shape` do not accept them.

    Raises:
        ModelFileError: The document is malformed or too large.
    """
    limits = current_limits()
    _check_structure(data, limits)

    def parse_int(digits: str) -> int:
        if len(digits.lstrip("-")) > limits.json_digits:
            raise ModelFileError(
                "an integer in the JSON is too long",
                expected=f"at most {limits.json_digits} digits",
                received=f"{len(digits)} characters",
                fix=_FIX,
            )
        return int(digits)

    try:
        value = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_object,
            parse_int=parse_int,
            parse_float=_float,
            parse_constant=None if allow_nonfinite else _no_constant,
        )
        if _SURROGATE.search(data):
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (UnicodeDecodeError, UnicodeEncodeError) as error:
        raise ModelFileError(f"the JSON is not valid Unicode ({error.reason})", fix=_FIX) from error
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise ModelFileError(f"not valid JSON: {error.msg} at {where}", fix=_FIX) from error
    except (RecursionError, MemoryError) as error:
        raise ModelFileError("the JSON is too large to parse here", fix=_FIX) from error
    return value


def as_size(value: object, what: str, *, most: int = 2**63 - 1) -> int:
    """Returns a size.

    Args:
        value: The size.
        what: Its name in the error message.
        most: The maximum.

    Raises:
        ModelFileError: The value is not an integer in [0, most].
    """
    if type(value) is not int or not 0 <= value <= most:
        raise ModelFileError(
            f"{what} is not a size",
            expected=f"an integer in [0, {most}]",
            received=_summarize_value(value),
            fix=_FIX,
        )
    return value


def as_shape(value: object, what: str) -> tuple[int | None, ...]:
    """Returns a shape as a tuple.

    Args:
        value: A list of sizes and None.
        what: Its name in the error message.

    Raises:
        ModelFileError: The value is not a list of sizes.
    """
    rank = current_limits().rank
    if not isinstance(value, list) or len(value) > rank:
        raise ModelFileError(
            f"{what} is not a shape",
            expected=f"a list of at most {rank} sizes",
            received=_summarize_value(value),
            fix=_FIX,
        )
    return tuple(None if n is None else as_size(n, f"a size of {what}") for n in value)


def _check_structure(data: bytes, limits: Limits) -> None:
    """Checks nesting and the number of values before parsing.

    Exact for valid JSON; for invalid JSON, exact up to the position where the parser stops.
    """
    if b"\\" in data:
        data = data.replace(b"\\\\", b"__").replace(b'\\"', b"__")
    codes = np.frombuffer(data, np.uint8)
    # The count of quotes so far is odd inside a string; that it wraps at 256 does not matter.
    outside = codes[np.cumsum(codes == ord('"'), dtype=np.uint8) & 1 == 0]
    opening = (outside == ord("[")) | (outside == ord("{"))
    closing = (outside == ord("]")) | (outside == ord("}"))
    containers = int(np.count_nonzero(opening))
    nodes = 1 + containers + int(np.count_nonzero(outside == ord(",")))
    _check_count("lists and objects", containers, limits.json_containers)
    _check_count("keys", int(np.count_nonzero(outside == ord(":"))), limits.json_keys)
    _check_count("values", nodes, limits.json_nodes)
    steps = opening[opening | closing].astype(np.int8) * 2 - 1
    depth = int(np.cumsum(steps, dtype=np.int32).max(initial=0))
    _check_count("levels of nesting", depth, limits.json_depth)


def _check_count(what: str, count: int, most: int) -> None:
    if count > most:
        raise ModelFileError(
            f"the JSON has too many {what}",
            expected=f"at most {most}",
            received=count,
            fix="if you trust the file, raise the limit with keras_fn.saving.limits",
        )


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        seen: set[str] = set()
        key = next(key for key, _ in pairs if key in seen or seen.add(key))
        raise ModelFileError(
            "a JSON object has the same key twice", received=_summarize_value(key), fix=_FIX
        )
    return value


def _float(text: str) -> float:
    if len(text) > _NUMBER_CHARACTERS or not math.isfinite(value := float(text)):
        raise ModelFileError(
            "a number in the JSON does not fit a float", received=_summarize_value(text), fix=_FIX
        )
    return value


def _no_constant(name: str) -> NoReturn:
    raise ModelFileError("the JSON has a number that is not finite", received=name, fix=_FIX)


def _summarize_value(value: Any) -> str:
    """Describes a value of unknown size briefly."""
    if isinstance(value, (list, dict)):
        return f"{type(value).__name__} of {len(value)}"
    if isinstance(value, str):
        return repr(value[:60])
    return repr(value)

"""The calls of the conformance table in real Keras, in the same process: values and dtypes.

`nox -s "parity(jax)"` installs Keras in addition and runs this file. Where the two disagree,
`disagreements.py` says on what and who is right; a disagreement that is not there fails.
"""

import zlib
from functools import reduce
from typing import Any

import numpy as np
import pytest
from disagreements import CRASHES, Disagreement, reason
from real_keras import keras

from keras_fn.testing.conformance.assertions import (
    assert_close,
    flatten_results,
    to_arrays,
    widen,
)
from keras_fn.testing.conformance.case import Case
from keras_fn.testing.conformance.dtype_draws import redraw_dtypes, with_numbers
from keras_fn.testing.conformance.strategies import Call, tensors_of
from keras_fn.testing.conformance.test_ops import cases, check_calls, current, run_op

pytestmark = pytest.mark.filterwarnings("ignore")  # warnings are Keras's here


@cases(every_dtype=True)
def test_agrees(case: Case, dtype: str) -> None:
    crash = CRASHES.get((case.op, keras.config.backend()))
    if crash is not None:
        pytest.skip(crash)
    unexplained: list[str] = []

    def test(call: Call) -> None:
        found = disagreement(case, dtype, call)
        if found is not None and reason(found) is None:
            unexplained.append(f"{found}\n  arguments: {call.args}")

    check_calls(case, dtype, test, min_size=1)
    assert not unexplained, "\n".join(unexplained)


@cases()
def test_dtypes_of_drawn_operands_agree(case: Case, dtype: str) -> None:
    """Each operand in a dtype of its own, some as Python numbers: dtypes and specs of the results.

    That the inferred dtypes of ours are those of its results is tested in
    `tests/ops/test_result_dtypes.py`; Keras's differ now and then, and then its results count.
    """
    if (case.op, keras.config.backend()) in CRASHES:
        pytest.skip(CRASHES[case.op, keras.config.backend()])
    rng = np.random.default_rng(zlib.crc32(f"{case.op} {case.args} {case.options}".encode()))
    unexplained: list[str] = []

    def test(call: Call) -> None:
        for _ in range(3):
            drawn = redraw_dtypes(case, call, rng)
            for each in (drawn, *with_numbers(case, drawn, rng)):
                found = dtype_disagreement(case, each)
                if found is not None and reason(found) is None:
                    unexplained.append(str(found))

    check_calls(case, dtype, test, share=1 / 100, min_size=2)
    assert not unexplained, "\n".join(unexplained)


def dtype_disagreement(case: Case, call: Call) -> Disagreement | None:
    """How the dtypes or shapes of the results differ, or that ours refuses what Keras takes."""
    dtypes = " ".join(str(x.dtype) for x in call.tensors)
    plain = [x for x in call.args if not tensors_of(x)]

    def differs(kind: str, text: str) -> Disagreement:
        options = f"{plain} {call.options}"
        return Disagreement(
            case.op, keras.config.backend(), dtypes, kind, f"{dtypes}: {text}", options
        )

    try:
        theirs = [(dtype_of(x), np.shape(x)) for x in in_keras(case, call)]
    except Exception:
        return None  # what Keras refuses is the subject of `test_agrees`
    try:
        ours = [
            (current().dtype_name(x), tuple(x.shape)) for x in flatten_results(run_op(case, call))
        ]
    except Exception as error:
        return differs("refused", f"{type(error).__name__}: {error}")
    if ours == theirs:
        return None
    names, shapes = ([[x[i] for x in results] for results in (ours, theirs)] for i in (0, 1))
    if names[0] == names[1]:
        return differs("shape", "ours {}, Keras's {}".format(*shapes))
    return differs("drawn", "ours {}, Keras's {}".format(*names))


def disagreement(case: Case, dtype: str, call: Call) -> Disagreement | None:
    """What differs between a call in Keras and the same one in ours, the first that is found."""

    def differs(kind: str, text: str) -> Disagreement:
        backend = keras.config.backend()
        plain = [x for x in call.args if not tensors_of(x)]
        return Disagreement(case.op, backend, dtype, kind, text, f"{plain} {call.options}")

    ours = flatten_results(run_op(case, call))
    try:
        theirs = in_keras(case, call)
    except Exception as error:
        return differs("raises", f"{type(error).__name__}: {error}")
    names = [current().dtype_name(x) for x in ours], [dtype_of(x) for x in theirs]
    shapes = [tuple(x.shape) for x in ours], [np.shape(x) for x in theirs]
    if shapes[0] != shapes[1]:
        return differs("shape", "ours {}, Keras's {}".format(*shapes))
    if names[0] != names[1]:
        return differs("dtype", "ours {}, Keras's {}".format(*names))
    if case.check is not None:
        return None  # not unique
    for one, other in zip(to_arrays(ours), theirs, strict=True):
        value = widen(current().convert_to_numpy(other) if current().is_tensor(other) else other)
        try:
            assert_close(one, value, dtype, case.tolerance, "ours and Keras's")
        except AssertionError as error:
            return differs("values", str(error))
    return None


def in_keras(case: Case, call: Call) -> list[Any]:
    """The results of Keras's op."""
    function = reduce(getattr, case.op.split("."), keras.ops)
    tensors = [keras.ops.convert_to_tensor(x, dtype=x.dtype.name) for x in call.tensors]
    args, options = call.with_tensors(tensors)
    return flatten_results(function(*args, **options))


def dtype_of(x: Any) -> str:
    """The dtype of a result of Keras, which need not be a tensor."""
    return keras.backend.standardize_dtype(getattr(x, "dtype", type(x)))

"""Every op with every form that an operand can have: generated from the conformance table.

A list, a tuple, a NumPy array, a list of arrays, of tensors or of variables, nested lists of
tensors and numbers, a Variable, a NumPy or Python number: each gives what NumPy computes in
float64. A part of the ops runs at every push, all of them in the thorough run.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from op_calls import Call, first_cases, to_tensor

import keras_fn as keras
from keras_fn import ops
from keras_fn.backend.loader import current
from keras_fn.errors import KerasError, UnsupportedError
from keras_fn.testing.conformance.assertions import (
    TOLERANCE,
    assert_close,
    has_dtype,
    to_arrays,
)
from keras_fn.testing.conformance.case import Case, TensorArgument
from keras_fn.testing.conformance.strategies import TENSOR_KINDS, tensors_of


def to_tuple(x: Any) -> Any:
    return tuple(map(to_tuple, x)) if isinstance(x, list) else x


def mixed(x: np.ndarray) -> Any:
    """Returns nested lists in which tensors, lists and arrays, or tensors and numbers alternate."""
    if x.ndim == 0:
        return x.item()
    kinds = (to_tensor, np.ndarray.tolist, np.asarray)
    rows = [np.asarray(row) for row in x]
    if x.ndim == 1:
        return [kinds[i % 3](row) for i, row in enumerate(rows)]
    return [kinds[i % 3](row) if i % 2 else mixed(row) for i, row in enumerate(rows)]


def variable(x: Any) -> keras.Variable:
    return keras.Variable(x, trainable=False)


FORMS: dict[str, Callable[[np.ndarray], Any]] = {
    "list": lambda x: x.tolist(),
    "tuple": lambda x: to_tuple(x.tolist()),
    "array": lambda x: x,
    "list of arrays": list,
    "list of tensors": lambda x: [to_tensor(row) for row in x],
    "list of variables": lambda x: [variable(row) for row in x],
    "nested tensors and numbers": mixed,
    "variable": variable,
}
SCALAR_FORMS: dict[str, Callable[[np.ndarray], Any]] = {
    "Python number": lambda x: x.item(),
    "NumPy number": lambda x: x[()],
    "array without axes": lambda x: x,
    "variable": variable,
}
# Lists of Python numbers have these dtypes, too.
DEFAULT_DTYPES = ("float32", "int32", "bool", "complex64")


def check(call: Call, tensors: list[Any], dtype: str, description: str) -> None:
    results = to_arrays(call.run(tensors))
    for actual, expected in zip(results, call.expected(), strict=True):
        assert_close(actual, expected, dtype, max(call.case.tolerance, 1.0), description)


def check_forms(case: Case) -> None:
    dtype = next(x for x in case.dtypes if x in DEFAULT_DTYPES)
    call = Call(case, dtype)
    failures = []
    for i, x in enumerate(call.arrays):
        for form, make in (FORMS if x.ndim else SCALAR_FORMS).items():
            tensors = [to_tensor(array) for array in call.arrays]
            tensors[i] = make(x)
            try:
                check(call, tensors, dtype, form)
            except UnsupportedError as gap:
                pytest.skip(gap.reason)
            except Exception as error:
                failures.append(f"operand {i} as {form}: {type(error).__name__}: {error!s:.300}")
    assert not failures, "\n".join(failures)


CASES = first_cases(lambda case: any(x in DEFAULT_DTYPES for x in case.dtypes))


@pytest.mark.parametrize("case", CASES[::16])
def test_a_form_of_an_operand_does_not_change_its_value(case):
    check_forms(case)


@pytest.mark.thorough
@pytest.mark.parametrize("case", CASES)
def test_no_form_of_an_operand_changes_its_value(case):
    check_forms(case)


EMPTY = first_cases(lambda case: case.min_size == 0 and case.dtypes[0] in DEFAULT_DTYPES)


@pytest.mark.thorough
@pytest.mark.parametrize("case", EMPTY)
def test_empty_arrays_and_lists(case):
    call = Call(case, case.dtypes[0], size=0)
    if all(x.size for x in call.arrays):
        pytest.skip("no size is drawn")
    try:
        call.expected()
    except Exception:
        pytest.skip("NumPy refuses it")
    try:
        check(call, [to_tensor(x) for x in call.arrays], case.dtypes[0], "empty tensors")
        check(call, call.arrays, case.dtypes[0], "empty arrays")
    except (KerasError, UnsupportedError) as error:
        assert "change what" not in str(error), "an error of the framework"


DTYPES = ("int8", "int16", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float64")


def check_dtype(case: Case, dtype: str) -> None:
    """The value of NumPy in float64, or an error of ours, on tensors of any dtype."""
    if not has_dtype(dtype):
        pytest.skip(f"no {dtype}")
    call = Call(case, dtype, positive=True)
    try:
        results = to_arrays(call.run([to_tensor(x) for x in call.arrays]))
    except (KerasError, UnsupportedError):
        return
    tolerance = dtype if dtype in TOLERANCE else "float32"
    for actual, expected in zip(results, call.expected(), strict=True):
        if actual.dtype.kind not in "biu":  # of integers, NumPy's reference may be a float
            assert_close(actual, expected, tolerance, 2.0, dtype)


def has_drawn_tensors(case: Case) -> bool:
    """Whether its tensors can be drawn in any dtype: not given values, such as NaN."""
    kinds = set(map(type, tensors_of(list(case.args), TENSOR_KINDS)))
    # Cross-entropy clips probabilities at an epsilon of the framework's choice.
    return kinds == {TensorArgument} and case.op != "binary_crossentropy"


@pytest.mark.thorough
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "case", first_cases(lambda case: case.dtypes[0] == "float32" and has_drawn_tensors(case))
)
def test_every_dtype_is_computed_or_refused(case, dtype):
    check_dtype(case, dtype)


@pytest.mark.parametrize("dtype", ["uint16", "uint32", "uint64"])
def test_large_unsigned_integers_are_computed(dtype):
    if not has_dtype(dtype):
        pytest.skip(f"no {dtype}")
    x = np.array([[3, 1, 2], [5, 4, 6]], dtype)
    for op, expected in (
        (lambda x: ops.add(x, x), x + x),
        (lambda x: ops.maximum(x, 2), np.maximum(x, 2)),
        (ops.relu, x),
        (lambda x: ops.flip(x, 1), np.flip(x, 1)),
        (lambda x: ops.clip(x, 2, 4), np.clip(x, 2, 4)),
        (lambda x: ops.sort(x, axis=0), np.sort(x, axis=0)),
        (lambda x: ops.less(x, 3), x < 3),
    ):
        result = op(to_tensor(x))
        assert ops.dtype(result) == expected.dtype.name
        np.testing.assert_array_equal(ops.convert_to_numpy(result), expected)


def test_numpy_floats_are_python_floats():
    x = ops.ones(2)
    for number in (np.sqrt(2.0), np.float64(1.5)):
        for result in (ops.multiply(x, number), ops.multiply(number, x), x * number):
            assert ops.dtype(result) == "float32"
            np.testing.assert_allclose(ops.convert_to_numpy(result), float(number), rtol=1e-6)
        assert ops.multiply(keras.KerasTensor((2,), "float16"), number).dtype == "float16"
        assert ops.dtype(ops.convert_to_tensor(number)) == "float32"
        assert float(ops.convert_to_tensor(number)) == np.float32(number)


def test_a_number_next_to_booleans_is_a_truth_value():
    x = ops.convert_to_tensor([True, False])
    for _ in range(2):  # the second time from the dispatch cache
        for op, number, expected in (
            (ops.logical_and, 0.5, [True, False]),
            (ops.logical_or, 0.0, [True, False]),
            (ops.logical_xor, 2, [False, True]),
            (ops.logical_and, 1j, [True, False]),
        ):
            assert ops.convert_to_numpy(op(x, number)).tolist() == expected
            assert ops.convert_to_numpy(op(number, x)).tolist() == expected


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "int32", "uint32"])
def test_integers_are_compared_with_numbers_outside_of_their_range(dtype):
    x = np.array([1, 5], dtype)
    for number in (-(2**40), -200, -1, 300, 2**20, 2**40):
        for op, reference in (
            (ops.less, np.less), (ops.less_equal, np.less_equal), (ops.greater, np.greater),
            (ops.greater_equal, np.greater_equal), (ops.equal, np.equal),
            (ops.not_equal, np.not_equal),
        ):  # fmt: skip
            wide = x.astype("int64")
            for _ in range(2):  # the second time from the dispatch cache
                result = ops.convert_to_numpy(op(to_tensor(x), number))
                np.testing.assert_array_equal(result, reference(wide, number))
            result = ops.convert_to_numpy(op(number, to_tensor(x)))
            np.testing.assert_array_equal(result, reference(number, wide))


def test_lists_of_numbers_and_tensors_of_any_dtype_are_joined():
    x = ops.convert_to_tensor(np.array([2.0, 3.0], "float16"))
    assert ops.dtype(ops.stack([1.0, x[0]])) == "float16"
    assert ops.convert_to_numpy(ops.stack([1.0, x[0], 2])).tolist() == [1.0, 2.0, 2.0]
    assert ops.convert_to_numpy(ops.append(x, 5)).tolist() == [2.0, 3.0, 5.0]
    joined = ops.append(np.array([1, 2], "int8"), ops.convert_to_tensor([0.5]))
    assert ops.convert_to_numpy(joined).tolist() == [1.0, 2.0, 0.5]
    assert ops.convert_to_numpy(ops.sum([x, [1.0, 2.0]], axis=0)).tolist() == [3.0, 5.0]


def test_a_list_that_is_traced():
    def function(x: Any) -> Any:
        return ops.sum(ops.convert_to_tensor([[1.0, x[0]], x]), axis=0)

    x = ops.convert_to_tensor([2.0, 3.0])
    result = current().compile(function, [])(x)
    assert ops.convert_to_numpy(result).tolist() == [3.0, 5.0]

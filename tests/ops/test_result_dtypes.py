"""The inferred shape and dtype of every op's result is that of its values, in drawn dtypes.

Each operand has a dtype of its own, and some are Python numbers. A call that is refused must be
refused in both forms.
"""

import zlib
from typing import Any

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import ops
from keras_fn.backend.loader import current
from keras_fn.core.shapes import is_compatible
from keras_fn.errors import UnsupportedError
from keras_fn.testing.conformance.assertions import flatten_results
from keras_fn.testing.conformance.case import Case
from keras_fn.testing.conformance.dtype_draws import redraw_dtypes, with_numbers
from keras_fn.testing.conformance.strategies import Call
from keras_fn.testing.conformance.test_ops import CASES, cases, check_calls, find_op


def outcome(function: Any) -> list[tuple[tuple[Any, ...], Any]] | Exception:
    """The shapes and dtypes of the results, or the error."""
    try:
        results = flatten_results(function())
    except UnsupportedError:
        raise
    except Exception as error:
        return error
    return [
        (tuple(x.shape), current().dtype_name(x)) if hasattr(x, "dtype") else ((), type(x))
        for x in results
    ]


def difference(case: Case, call: Call, concrete: bool) -> str | None:
    """Says how the specs of a symbolic call differ from those of the results of a concrete one."""
    function, backend = find_op(case.op), current()

    def run(*tensors: Any) -> Any:
        args, options = call.with_tensors(tensors)
        return function(*args, **options)

    symbols = [
        keras.KerasTensor(x.shape, backend.dtype_name(backend.convert_to_tensor(x)))
        for x in call.tensors
    ]
    inferred = outcome(lambda: run(*symbols))
    if concrete:
        actual = outcome(lambda: run(*map(backend.convert_to_tensor, call.tensors)))
    else:  # the backend's own inference: faster than a compilation for each dtype
        actual = outcome(lambda: backend.abstract_eval(run, tuple(symbols), {}))
    if isinstance(inferred, Exception) and isinstance(actual, Exception):
        return None
    if not isinstance(inferred, Exception) and not isinstance(actual, Exception):
        pairs = list(zip(inferred, actual, strict=True))
        if all(a[1] == b[1] and is_compatible(a[0], b[0]) for a, b in pairs):
            return None
    plain = [x for x in call.args if not isinstance(x, np.ndarray)]
    dtypes = [str(x.dtype) for x in call.tensors]
    return f"{case.op} {dtypes} {plain} {call.options}:\n  {inferred!r}\n  {actual!r}"


def check_case(case: Case, dtype: str, draws: int, concrete: bool) -> list[str]:
    """Returns what differs in drawn calls of a case."""
    found: list[str] = []
    rng = np.random.default_rng(zlib.crc32(f"{case.op} {case.args} {case.options}".encode()))

    def test(call: Call) -> None:
        for _ in range(draws):
            drawn = redraw_dtypes(case, call, rng)
            for each in (drawn, *with_numbers(case, drawn, rng)):
                problem = difference(case, each, concrete)
                if problem is not None:
                    found.append(problem)

    check_calls(case, dtype, test, share=1 / 100, min_size=2)
    return found


def is_inferred(case: Case) -> bool:
    return case.symbolic


FIRST_CASES: dict[str, Case] = {}
for each in filter(is_inferred, CASES):
    FIRST_CASES.setdefault(each.op, each)


@pytest.mark.parametrize("part", range(8))
def test_inferred_dtypes_are_those_of_the_results(part: int) -> None:
    jax, found = current().name == "jax", []
    for case in list(FIRST_CASES.values())[part::8]:
        if current().name not in case.unsupported and (case.jit or not jax):
            found += check_case(case, case.dtypes[0], 1, concrete=not jax)
    assert not found, "\n".join(found)


@pytest.mark.thorough
@cases(is_inferred)
def test_inferred_dtypes_are_those_of_the_results_of_many_calls(case: Case, dtype: str) -> None:
    found = check_case(case, dtype, 10, concrete=True)
    assert not found, "\n".join(found)


INT8 = np.ones((2, 2), "int8")
BOOL = np.ones((2, 2), bool)
ROW_OF = {name: np.ones((1, 4, 2), name) for name in ("float16", "float32", "int32", "int8")}
KERNEL_OF = {name: np.ones((2, 2, 2), name) for name in ("float16", "float32", "int32", "int8")}

RESULTS = {
    # As in Keras: products of quantized numbers are summed in 32 bits.
    "matmul": (ops.matmul, (INT8, INT8), ["int32"]),
    "matmul_of_int8_and_int16": (ops.matmul, (INT8, INT8.astype("int16")), ["int16"]),
    "matmul_of_uint8": (ops.matmul, (INT8.astype("uint8"), INT8.astype("uint8")), ["uint8"]),
    "einsum": (lambda x, y: ops.einsum("ij,jk->ik", x, y), (INT8, INT8), ["int32"]),
    "einsum_of_one": (lambda x: ops.einsum("ij->j", x), (INT8,), ["int32"]),
    "einsum_of_three": (lambda *x: ops.einsum("ij,jk,kl->il", *x), (INT8,) * 3, ["int32"]),
    "tensordot": (lambda x, y: ops.tensordot(x, y, 1), (INT8, INT8), ["int8"]),
    "square_of_bool": (ops.square, (BOOL,), ["int32"]),
    "power_of_bool": (ops.power, (BOOL, BOOL), ["int32"]),
    "sign_of_bool": (ops.sign, (BOOL,), ["bool"]),
    "kron_of_bool": (ops.kron, (BOOL, BOOL), ["bool"]),
    "kron_with_a_number": (lambda x: ops.kron(x, 2), (INT8,), ["int8"]),
    "lcm_with_a_number": (lambda x: ops.lcm(x, 2), (INT8,), ["int8"]),
    "lcm_of_a_number": (lambda x: ops.lcm(2, x), (INT8,), ["int8"]),
    "subtract_a_bool": (lambda x: ops.subtract(x, True), (INT8,), ["int8"]),
    "multiply_by_a_bool": (lambda x: ops.multiply(True, x), (INT8,), ["int8"]),
    "moments_of_float16": (
        lambda x: ops.moments(x, [0]),
        (np.ones((2, 2), "float16"),),
        ["float16", "float16"],
    ),
    "slogdet_of_int32": (ops.slogdet, (3 * np.eye(2, dtype="int32"),), ["float32", "float32"]),
    "corrcoef_of_int32": (ops.corrcoef, (np.array([[1, 2], [2, 1]], "int32"),), ["float32"]),
    "corrcoef_of_float16": (ops.corrcoef, (np.array([[1, 2], [2, 1]], "float16"),), ["float16"]),
    "repeat_by_one_count": (lambda x: ops.repeat(x, [2], axis=1), (INT8,), ["int8"]),
    "segment_sum_of_bool": (
        lambda x: ops.segment_sum(x, np.array([0, 1], "int32"), 2),
        (BOOL,),
        ["bool"],
    ),
    "unravel_index_of_bool": (lambda x: ops.unravel_index(x, (2, 2)), (BOOL,), ["int32"] * 2),
    **{
        f"conv_of_{x}_by_{y}": (ops.conv, (ROW_OF[x], KERNEL_OF[y]), [dtype])
        for x, y, dtype in (
            ("float16", "float32", "float32"),
            ("float32", "float16", "float32"),
            ("int32", "float32", "float32"),
            ("int8", "int32", "int32"),
            ("int8", "int8", "int8"),
        )
    },
}


@pytest.mark.parametrize("name", RESULTS)
def test_the_dtype_of_a_result(name: str) -> None:
    function, arrays, expected = RESULTS[name]
    results = flatten_results(function(*map(ops.convert_to_tensor, arrays)))
    assert [current().dtype_name(x) for x in results] == expected
    symbols = [keras.KerasTensor(x.shape, x.dtype.name) for x in arrays]
    inferred = flatten_results(function(*symbols))
    assert [(x.shape, x.dtype) for x in inferred] == [
        (tuple(x.shape), dtype) for x, dtype in zip(results, expected, strict=True)
    ]


def test_products_of_int8_do_not_wrap_around() -> None:
    x = np.full((2, 300), 100, "int8")
    for result in (ops.matmul(x, x.T), ops.einsum("ij,kj->ik", x, x)):
        assert ops.convert_to_numpy(result).tolist() == [[3_000_000] * 2] * 2


@pytest.mark.parametrize("dtype", ["float64", "int64", "uint64"])
def test_a_symbolic_tensor_has_the_dtype_of_its_values(dtype: str) -> None:
    stored = ops.dtype(ops.convert_to_tensor(np.ones(2, dtype)))
    assert (
        stored
        == (
            "float32"
            if dtype == "float64"
            else dtype[:-2] + "32"
            if current().name == "jax"
            else dtype
        )
        or current().name != "jax"
    )
    x = keras.KerasTensor((2,), dtype)
    assert x.dtype == stored
    assert ops.negative(x).dtype == stored if dtype != "uint64" else True
    assert ops.cast(keras.KerasTensor((2,), "int32"), dtype).dtype == stored
    assert ops.zeros_like(x).dtype == stored


def test_numbers_of_two_dtypes_promote_to_what_is_stored() -> None:
    arrays = np.ones(2, "int32"), np.ones(2, "uint32")
    symbols = [keras.KerasTensor((2,), x.dtype.name) for x in arrays]
    assert ops.add(*symbols).dtype == ops.dtype(ops.add(*arrays))


def test_a_warm_call_promotes_as_the_first_one() -> None:
    flags = ops.convert_to_tensor(np.ones((2, 3), bool))
    numbers = ops.convert_to_tensor(np.array([[0, 1, 0], [2, 1, -2]], "int32"))
    for _ in range(2):  # the first operand alone would be refused
        result = ops.convert_to_numpy(ops.cross(flags, numbers))
        np.testing.assert_array_equal(result, [[-1, 0, 1], [-3, 4, -1]])


@pytest.mark.parametrize("dtype", ["bool", "uint8", "uint16", "int16"])
def test_positions_in_a_sorted_sequence_are_int32(dtype: str) -> None:
    edges = np.array([0, 1], dtype)
    assert ops.dtype(ops.searchsorted(edges, edges)) == "int32"

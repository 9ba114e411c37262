"""Property tests of every op in the table, on the backend that KERAS_BACKEND selects.

KERAS_FN_EXAMPLES is the number of calls that are drawn for each case (4). Up to the default, the
calls are the same in every run; with a larger number they differ from run to run.
"""

import importlib
import os
import pkgutil
from collections.abc import Callable
from functools import reduce
from inspect import isfunction
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

import keras_fn as keras
from keras_fn import ops
from keras_fn.backend.loader import current
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.shapes import is_compatible
from keras_fn.errors import UnsupportedError
from keras_fn.testing.conformance import table
from keras_fn.testing.conformance.assertions import (
    assert_close,
    expected_dtypes,
    flatten_results,
    has_dtype,
    to_arrays,
    widen,
)
from keras_fn.testing.conformance.case import ArrayArgument, Case, Refusal, TensorArgument
from keras_fn.testing.conformance.strategies import (
    TENSOR_KINDS,
    Call,
    calls,
    replace_tensors,
    tensors_of,
)

MODULES = [
    importlib.import_module(module.name)
    for module in pkgutil.walk_packages(table.__path__, f"{table.__name__}.")
]
CASES: list[Case] = [case for module in MODULES for case in getattr(module, "CASES", ())]
REFUSALS: list[Refusal] = [row for module in MODULES for row in getattr(module, "REFUSALS", ())]
EXAMPLES = int(os.environ.get("KERAS_FN_EXAMPLES", "4"))
FLOAT_DTYPES = ("float32", "float64", "bfloat16", "float16")


def find_op(name: str) -> Callable[..., Any]:
    """Returns the op of a name such as `"add"` or `"image.resize"`."""
    return reduce(getattr, name.split("."), ops)


def cases(condition: Callable[[Case], bool] = lambda _: True, every_dtype: bool = False) -> Any:
    """Parametrizes a test by the cases that meet a condition.

    Args:
        condition: Predicate of a case.
        every_dtype: Whether a case is tested in all its dtypes, or in the first one only.
    """
    params = [
        pytest.param(case, dtype, id=f"{case.op}-{dtype}-{i}")
        for i, case in enumerate(CASES)
        if condition(case)
        for dtype in (case.dtypes if every_dtype else case.dtypes[:1])
    ]
    return pytest.mark.parametrize(("case", "dtype"), params)


def check_calls(
    case: Case, dtype: str, test: Callable[[Call], None], share: float = 0.5, **options: Any
) -> None:
    """Runs a test on drawn calls; skips the calls that the backend does not support.

    Args:
        case: The case to draw from.
        dtype: The dtype under test.
        test: Takes a call, and raises if the backend is wrong.
        share: Number of calls, as a share of KERAS_FN_EXAMPLES.
        **options: Options of the strategy `calls`.
    """
    name = current().name
    if name in case.unsupported:
        pytest.skip(f"unsupported: {case.unsupported[name]}")
    if not has_dtype(dtype):
        pytest.skip(f"{name} has no {dtype}")

    def supported(call: Call) -> None:
        try:
            test(call)
        except UnsupportedError as gap:
            pytest.skip(f"unsupported: {gap.reason}")

    draws = calls(case, dtype, **options)
    configure = settings(
        max_examples=max(1, round(EXAMPLES * share)),
        deadline=None,
        database=None,
        derandomize=EXAMPLES <= 4,
        suppress_health_check=list(HealthCheck),
    )
    configure(given(draws)(supported))()


def run_op(case: Case, call: Call) -> Any:
    """Calls the op on tensors of the backend."""
    args, options = call.with_tensors(map(current().convert_to_tensor, call.tensors))
    return find_op(case.op)(*args, **options)


def reference_results(case: Case, call: Call) -> list[np.ndarray]:
    """Returns the results of the NumPy reference."""
    args, options = call.with_tensors(map(widen, call.tensors))
    assert case.reference is not None
    with np.errstate(all="ignore"):
        return [np.asarray(x) for x in flatten_results(case.reference(*args, **options))]


def test_every_op_has_a_case() -> None:
    namespaces = (ops, ops.image, ops.linalg)
    functions = (f for names in namespaces for f in vars(names).values() if isfunction(f))
    public = {f for f in functions if hasattr(f, "op")}
    missing = {f.__name__ for f in public - {find_op(case.op) for case in CASES}}
    assert missing == RANDOM_OPS


RANDOM_OPS = {"elastic_transform"}
"""Ops that draw random numbers: their results have no reference."""


@cases(every_dtype=True)
def test_values_dtypes_and_specs(case: Case, dtype: str) -> None:
    def test(call: Call) -> None:
        outputs = run_op(case, call)
        names = [current().dtype_name(x) for x in flatten_results(outputs)]
        assert names == expected_dtypes(case.result_dtype, dtype, len(names))
        values = to_arrays(outputs)
        check_values(case, dtype, call, values)
        if case.symbolic:
            check_specs(
                case, call, [(x.shape, name) for x, name in zip(values, names, strict=True)]
            )

    check_calls(case, dtype, test, share=1.0 if dtype == case.dtypes[0] else 0.5)


def check_values(case: Case, dtype: str, call: Call, values: list[np.ndarray]) -> None:
    """Compares the results of a call with the reference."""
    if case.check is not None:
        args, options = call.with_tensors(call.tensors)
        case.check(values, *args, **options)
    if case.reference is None:
        assert case.check is not None, f"{case.op}: neither a reference nor a check"
        return
    reference = reference_results(case, call)
    assert len(values) == len(reference), "number of results"
    for i, (value, ref) in enumerate(zip(values, reference, strict=True)):
        assert_close(value, ref, dtype, case.tolerance, f"result {i}")


def check_specs(case: Case, call: Call, actual: list[tuple[tuple[int, ...], str]]) -> None:
    """Compares the inferred shapes and dtypes with those of the results."""

    def infer(symbols: list[KerasTensor]) -> list[KerasTensor]:
        args, options = call.with_tensors(symbols)
        return flatten_results(find_op(case.op)(*args, **options))

    if case.jit:
        specs = [(x.shape, x.dtype) for x in infer([_keras_tensor(x) for x in call.tensors])]
        assert specs == actual
    if not case.dynamic_shapes:
        return
    rng = np.random.default_rng(len(call.tensors))
    symbols = []
    for x, source in zip(call.tensors, call.sources, strict=True):
        is_static = isinstance(source, ArrayArgument) or source.static_shape
        symbols.append(_keras_tensor(x, None if is_static else rng))
    for spec, (shape, dtype) in zip(infer(symbols), actual, strict=True):
        assert spec.dtype == dtype
        assert is_compatible(spec.shape, shape), (
            f"inferred {spec.shape} with unknown sizes, the result has shape {shape}"
        )


@cases(lambda case: case.non_finite)
def test_nan_and_infinities(case: Case, dtype: str) -> None:
    def test(call: Call) -> None:
        for value, ref in zip(
            to_arrays(run_op(case, call)), reference_results(case, call), strict=True
        ):
            assert_close(value, ref, dtype, case.tolerance, "with NaN and infinities")

    check_calls(case, dtype, test, non_finite=True)


def _keras_tensor(x: np.ndarray, rng: np.random.Generator | None = None) -> KerasTensor:
    """Returns a KerasTensor of the shape and dtype of `x`.

    Args:
        x: An array.
        rng: Generator that decides which sizes are unknown; None for a static shape.
    """
    shape = [None if rng is not None and rng.random() < 0.5 else n for n in x.shape]
    return KerasTensor(shape, current().dtype_name(current().convert_to_tensor(x)))


@cases(lambda case: case.jit)
def test_compiled_equals_eager(case: Case, dtype: str) -> None:
    def test(call: Call) -> None:
        def function(*tensors: Any) -> list[Any]:
            args, options = call.with_tensors(tensors)
            return flatten_results(find_op(case.op)(*args, **options))

        tensors = [current().convert_to_tensor(x) for x in call.tensors]
        compiled = to_arrays(current().compile(function, [])(*tensors))
        for actual, eager in zip(compiled, to_arrays(run_op(case, call)), strict=True):
            assert_close(actual, widen(eager), dtype, case.tolerance, "compiled and eager")

    check_calls(case, dtype, test)


def is_differentiable(case: Case) -> bool:
    """Returns whether the gradient of a case can be compared with finite differences."""
    if not case.gradient or case.reference is None or case.dtypes[0] not in FLOAT_DTYPES[:2]:
        return False
    return any(t.dtype is None for t in tensors_of(case.args, (TensorArgument,)))


@cases(is_differentiable)
def test_gradients(case: Case, dtype: str) -> None:
    def test(call: Call) -> None:
        rng = np.random.default_rng(0)
        floats = [i for i, x in enumerate(call.tensors) if x.dtype.name in FLOAT_DTYPES]
        directions = {i: rng.normal(size=call.tensors[i].shape) for i in floats}
        outputs = reference_results(case, call)
        cotangents = [rng.normal(size=x.shape) if x.dtype.kind == "f" else None for x in outputs]
        if all(p is None for p in cotangents):
            return

        def perturbed(step: float) -> float:
            tensors = [widen(x) for x in call.tensors]
            for i in floats:
                tensors[i] = tensors[i] + step * directions[i]
            args, options = call.with_tensors(tensors)
            assert case.reference is not None
            values = flatten_results(case.reference(*args, **options))
            pairs = zip(cotangents, values, strict=True)
            return sum(float(np.sum(p * v)) for p, v in pairs if p is not None)

        expected = (perturbed(STEP) - perturbed(-STEP)) / (2 * STEP)
        grads = zip(floats, _gradients(case, call, floats, cotangents), strict=True)
        terms = [g * directions[i] for i, g in grads]
        actual = sum(float(np.sum(term)) for term in terms)
        scale = max(1.0, sum(float(np.sum(np.abs(term))) for term in terms))
        np.testing.assert_allclose(
            actual, expected, rtol=1e-3 * case.tolerance, atol=1e-4 * case.tolerance * scale
        )

    check_calls(case, dtype, test, min_size=1)  # an empty tensor has no direction to move in


STEP = 1e-5


def _gradients(
    case: Case, call: Call, floats: list[int], cotangents: list[Any]
) -> list[np.ndarray]:
    """Returns the vector-Jacobian products of `cotangents`, one for each float tensor."""
    backend = current()
    variables = [keras.Variable(call.tensors[i]) for i in floats]

    def weighted_sum() -> tuple[Any, None]:
        tensors = [backend.convert_to_tensor(x) for x in call.tensors]
        for i, v in zip(floats, variables, strict=True):
            tensors[i] = v.value
        args, options = call.with_tensors(tensors)
        outputs = flatten_results(find_op(case.op)(*args, **options))
        total = 0.0
        for p, y in zip(cotangents, outputs, strict=True):
            if p is not None:
                weights = backend.convert_to_tensor(p.astype("float32"))
                total = ops.sum(ops.multiply(weights, y)) + total
        return total, None

    def gradients() -> list[Any]:
        return list(backend.value_and_grad(weighted_sum, variables)()[1])

    # Compiled where possible: this is how gradients are used, and one program instead of many.
    return to_arrays((backend.compile(gradients, variables) if case.jit else gradients)())


@cases(lambda case: case.symbolic and bool(tensors_of(case.args, TENSOR_KINDS)))
def test_saved_models_compute_the_same(case: Case, dtype: str, tmp_path: Any) -> None:
    """A functional model with the op, restored from its config and from a file."""

    def test(call: Call) -> None:
        inputs = [
            keras.Input(batch_shape=x.shape, dtype=x.dtype.name, name=f"x{i}")
            for i, x in enumerate(call.tensors)
        ]
        args, options = call.with_tensors(inputs)
        outputs = flatten_results(find_op(case.op)(*args, **options))
        model = keras.Model(inputs, outputs)
        path = tmp_path / "model.keras"
        model.save(path)
        tensors = [current().convert_to_tensor(x) for x in call.tensors]
        expected = [widen(x) for x in to_arrays(_as_list(model(tensors)))]
        rebuilt = keras.Model.from_config(model.get_config())
        for restored in (rebuilt, keras.models.load_model(path)):
            for x, y in zip(to_arrays(_as_list(restored(tensors))), expected, strict=True):
                assert_close(x, y, dtype, case.tolerance, "after a round trip")

    check_calls(case, dtype, test, min_size=1)


def _as_list(x: Any) -> list[Any]:
    return x if isinstance(x, list) else [x]


@pytest.mark.parametrize("row", [pytest.param(r, id=f"{r.op}-{i}") for i, r in enumerate(REFUSALS)])
@pytest.mark.parametrize("kind", ["tensors", "symbols"])
def test_invalid_calls_raise(row: Refusal, kind: str) -> None:
    def tensor(spec: ArrayArgument) -> Any:
        array = np.asarray(spec.values)
        array = array.astype(spec.dtype or ("float32" if array.dtype == "float64" else array.dtype))
        return current().convert_to_tensor(array) if kind == "tensors" else _keras_tensor(array)

    values = iter([tensor(spec) for spec in tensors_of(row.args, (ArrayArgument,))])
    with pytest.raises(row.error, match=row.match):
        find_op(row.op)(*replace_tensors(row.args, values, (ArrayArgument,)), **row.options)

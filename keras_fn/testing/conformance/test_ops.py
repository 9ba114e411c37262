"""Every op of the table, on the backend that KERAS_BACKEND names.

KERAS_FN_EXAMPLES says how many calls are drawn of each case (4). With the default the calls are
the same at every run; with another number they are new ones.
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
from keras_fn.errors import UnsupportedError
from keras_fn.testing.conformance import table
from keras_fn.testing.conformance.case import A, Case, Refusal, T
from keras_fn.testing.conformance.comparing import (
    arrays,
    assert_close,
    expected_dtypes,
    has_dtype,
    results,
    wide,
)
from keras_fn.testing.conformance.drawing import Call, calls, replaced, tensors_of

MODULES = [
    importlib.import_module(f"{table.__name__}.{m.name}")
    for m in pkgutil.iter_modules(table.__path__)
]
CASES: list[Case] = [case for module in MODULES for case in module.CASES]
REFUSALS: list[Refusal] = [r for module in MODULES for r in module.REFUSALS]
EXAMPLES = int(os.environ.get("KERAS_FN_EXAMPLES", "4"))
FLOATING = ("float32", "float64", "bfloat16", "float16")


def op_of(name: str) -> Callable[..., Any]:
    """Returns the op of a name such as `"add"` or `"image.resize"`."""
    return reduce(getattr, name.split("."), ops)


def cases(condition: Callable[[Case], bool] = lambda _: True, every_dtype: bool = False) -> Any:
    """Parametrises a test by the cases that meet a condition, in their first dtype or in all."""
    params = [
        pytest.param(case, dtype, id=f"{case.op}-{dtype}-{i}")
        for i, case in enumerate(CASES)
        if condition(case)
        for dtype in (case.dtypes if every_dtype else case.dtypes[:1])
    ]
    return pytest.mark.parametrize(("case", "dtype"), params)


def check(
    case: Case, dtype: str, test: Callable[[Call], None], share: float = 0.5, **drawing: Any
) -> None:
    """Runs a test on drawn calls, a share of KERAS_FN_EXAMPLES; skips what cannot be done."""
    name = current().name
    if name in case.lacks:
        pytest.skip(f"unsupported: {case.lacks[name]}")
    if not has_dtype(dtype):
        pytest.skip(f"{name} has no {dtype}")

    def supported(call: Call) -> None:
        try:
            test(call)
        except UnsupportedError as gap:
            pytest.skip(f"unsupported: {gap.reason}")

    draws = calls(case, dtype, **drawing)
    drawn = settings(
        max_examples=max(1, round(EXAMPLES * share)), deadline=None, database=None,
        derandomize=EXAMPLES == 4, suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    drawn(given(draws)(supported))()


def run(case: Case, call: Call) -> Any:
    """Calls the op on tensors."""
    args, options = call.with_tensors(map(current().convert_to_tensor, call.tensors))
    return op_of(case.op)(*args, **options)


def wanted(case: Case, call: Call) -> list[np.ndarray]:
    """What the reference says."""
    args, options = call.with_tensors(map(wide, call.tensors))
    assert case.reference is not None
    with np.errstate(all="ignore"):
        return [np.asarray(x) for x in results(case.reference(*args, **options))]


def test_every_op_has_a_case() -> None:
    spaces = (ops, ops.image, ops.linalg)
    functions = (f for space in spaces for f in vars(space).values() if isfunction(f))
    public = {f for f in functions if hasattr(f, "op")}
    missing = {f.__name__ for f in public - {op_of(case.op) for case in CASES}}
    assert missing == ELSEWHERE


ELSEWHERE = {"elastic_transform"}
"""Ops that draw at random: no call says what another one gives."""


@cases(every_dtype=True)
def test_values_dtypes_and_specs(case: Case, dtype: str) -> None:
    def test(call: Call) -> None:
        outputs = run(case, call)
        names = [current().dtype_name(x) for x in results(outputs)]
        assert names == expected_dtypes(case.result, dtype, len(names))
        values = arrays(outputs)
        check_values(case, dtype, call, values)
        if case.symbolic:
            check_specs(
                case, call, [(x.shape, name) for x, name in zip(values, names, strict=True)]
            )

    check(case, dtype, test, share=1.0 if dtype == case.dtypes[0] else 0.5)


def check_values(case: Case, dtype: str, call: Call, values: list[np.ndarray]) -> None:
    """Compares the results of a call with the reference."""
    if case.check is not None:
        args, options = call.with_tensors(call.tensors)
        case.check(values, *args, **options)
    if case.reference is None:
        assert case.check is not None, f"{case.op}: neither a reference nor a check"
        return
    reference = wanted(case, call)
    assert len(values) == len(reference), "number of results"
    for i, (value, ref) in enumerate(zip(values, reference, strict=True)):
        assert_close(value, ref, dtype, case.tolerance, f"result {i}")


def check_specs(case: Case, call: Call, real: list[tuple[tuple[int, ...], str]]) -> None:
    """Compares what is inferred with the shapes and dtypes of the results."""

    def inferred(symbols: list[KerasTensor]) -> list[KerasTensor]:
        args, options = call.with_tensors(symbols)
        return results(op_of(case.op)(*args, **options))

    if case.jit:
        assert [(s.shape, s.dtype) for s in inferred(list(map(_symbol, call.tensors)))] == real
    if not case.unknown:
        return
    holes = np.random.default_rng(len(call.tensors))
    symbols = []
    for x, place in zip(call.tensors, call.places, strict=True):
        known = isinstance(place, A) or place.known
        symbols.append(_symbol(x, None if known else holes))
    for s, (shape, name) in zip(inferred(symbols), real, strict=True):
        assert s.dtype == name
        assert len(s.shape) == len(shape)
        fits = [m in (None, n) for m, n in zip(s.shape, shape, strict=True)]
        assert all(fits), f"inferred {s.shape} with unknown sizes, in truth {shape}"


@cases(lambda case: case.specials)
def test_nan_and_infinities(case: Case, dtype: str) -> None:
    def test(call: Call) -> None:
        for value, ref in zip(arrays(run(case, call)), wanted(case, call), strict=True):
            assert_close(value, ref, dtype, case.tolerance, "with NaN and infinities")

    check(case, dtype, test, special=True)


def _symbol(x: np.ndarray, holes: Any = None) -> KerasTensor:
    """A KerasTensor like `x`, with `holes` some of its sizes unknown."""
    shape = [None if holes is not None and holes.random() < 0.5 else n for n in x.shape]
    return KerasTensor(shape, current().dtype_name(current().convert_to_tensor(x)))


@cases(lambda case: case.jit)
def test_compiled_is_eager(case: Case, dtype: str) -> None:
    def test(call: Call) -> None:
        def function(*tensors: Any) -> list[Any]:
            args, options = call.with_tensors(tensors)
            return results(op_of(case.op)(*args, **options))

        tensors = [current().convert_to_tensor(x) for x in call.tensors]
        compiled = arrays(current().compile(function, [])(*tensors))
        for one, other in zip(compiled, arrays(run(case, call)), strict=True):
            assert_close(one, wide(other), dtype, case.tolerance, "compiled and eager")

    check(case, dtype, test)


@cases(
    lambda case: (
        case.gradient and case.reference is not None and case.dtypes[0] in FLOATING[:2]
        and any(t.dtype is None for t in tensors_of(case.args, (T,)))
    )
)  # fmt: skip
def test_gradients(case: Case, dtype: str) -> None:
    def test(call: Call) -> None:
        rng = np.random.default_rng(0)
        floats = [i for i, x in enumerate(call.tensors) if x.dtype.name in FLOATING]
        directions = {i: rng.normal(size=call.tensors[i].shape) for i in floats}
        outputs = wanted(case, call)
        pull = [rng.normal(size=x.shape) if x.dtype.kind == "f" else None for x in outputs]
        if all(p is None for p in pull):
            return

        def moved(step: float) -> float:
            tensors = [wide(x) for x in call.tensors]
            for i in floats:
                tensors[i] = tensors[i] + step * directions[i]
            args, options = call.with_tensors(tensors)
            assert case.reference is not None
            values = results(case.reference(*args, **options))
            pairs = zip(pull, values, strict=True)
            return sum(float(np.sum(p * v)) for p, v in pairs if p is not None)

        slope = (moved(STEP) - moved(-STEP)) / (2 * STEP)
        grads = _gradients(case, call, floats, pull)
        found = sum(float(np.sum(g * directions[i])) for i, g in zip(floats, grads, strict=True))
        size = sum(
            float(np.sum(np.abs(g * directions[i]))) for i, g in zip(floats, grads, strict=True)
        )
        np.testing.assert_allclose(
            found, slope, rtol=1e-3 * case.tolerance, atol=1e-4 * case.tolerance * max(1.0, size)
        )

    check(case, dtype, test, least=1)  # there is no direction in which to move nothing


STEP = 1e-5


def _gradients(case: Case, call: Call, floats: list[int], pull: list[Any]) -> list[np.ndarray]:
    """The gradients of the results, weighted by `pull`, to the tensors that are floats."""
    backend = current()
    variables = [keras.Variable(call.tensors[i]) for i in floats]

    def scalar() -> tuple[Any, None]:
        tensors = [backend.convert_to_tensor(x) for x in call.tensors]
        for i, v in zip(floats, variables, strict=True):
            tensors[i] = v.value
        args, options = call.with_tensors(tensors)
        outputs = results(op_of(case.op)(*args, **options))
        total = 0.0
        for p, y in zip(pull, outputs, strict=True):
            if p is not None:
                weights = backend.convert_to_tensor(p.astype("float32"))
                total = ops.sum(ops.multiply(weights, y)) + total
        return total, None

    def gradients() -> list[Any]:
        return list(backend.value_and_grad(scalar, variables)()[1])

    # Compiled where that can be: it is how they are used, and one program in place of many.
    return arrays((backend.compile(gradients, variables) if case.jit else gradients)())


@cases(lambda case: case.symbolic and bool(tensors_of(case.args, (T, A))))
def test_models_of_it_come_back(case: Case, dtype: str, tmp_path: Any) -> None:
    """A graph with the op, from its config and from a file, computes the same."""

    def test(call: Call) -> None:
        entrances = [
            keras.Input(batch_shape=x.shape, dtype=x.dtype.name, name=f"x{i}")
            for i, x in enumerate(call.tensors)
        ]
        args, options = call.with_tensors(entrances)
        outputs = results(op_of(case.op)(*args, **options))
        model = keras.Model(entrances, outputs)
        path = tmp_path / "model.keras"
        model.save(path)
        tensors = [current().convert_to_tensor(x) for x in call.tensors]
        first = arrays(list(_as_list(model(tensors))))
        again = keras.Model.from_config(model.get_config())
        for other in (again, keras.models.load_model(path)):
            for one, two in zip(first, arrays(list(_as_list(other(tensors)))), strict=True):
                assert_close(two, wide(one), dtype, case.tolerance, "after a round trip")

    check(case, dtype, test, least=1)


def _as_list(x: Any) -> list[Any]:
    return x if isinstance(x, list) else [x]


@pytest.mark.parametrize("row", [pytest.param(r, id=f"{r.op}-{i}") for i, r in enumerate(REFUSALS)])
@pytest.mark.parametrize("kind", ["tensors", "symbols"])
def test_refuses(row: Refusal, kind: str) -> None:
    def tensor(spec: A) -> Any:
        array = np.asarray(spec.values)
        array = array.astype(spec.dtype or ("float32" if array.dtype == "float64" else array.dtype))
        return current().convert_to_tensor(array) if kind == "tensors" else _symbol(array)

    values = iter([tensor(spec) for spec in tensors_of(row.args, (A,))])
    with pytest.raises(row.error, match=row.match):
        op_of(row.op)(*replaced(row.args, values, (A,)), **row.options)

"""Arguments of ops that are not operands: of another type, out of range, as NumPy's numbers.

Generated from the signatures of the ops and the conformance table. A part of the ops runs at every
push, all of them in the thorough run.
"""

from typing import Any

import numpy as np
import pytest
from op_calls import Call, first_cases, to_tensor

import keras_fn as keras
from keras_fn import ops
from keras_fn.backend.loader import current
from keras_fn.core.operators import OPS
from keras_fn.errors import DTypeError, KerasError, SpecError, TracedValueError
from keras_fn.testing.conformance.strategies import replace_tensors
from keras_fn.testing.conformance.test_ops import find_op

WRONG_TYPES: dict[str, tuple[Any, ...]] = {
    "int": ("x", 2.5, [1.5], None),
    "int | None": ("x", 2.5, [1.5]),
    "bool": ("x", 2.5, None),
    "float": ("x", [1.0], None),
    "float | None": ("x", [1.0]),
    "str": (3, None, 2.5),
    "Axis": ("x", 2.5, [1.5]),
    "Sizes": ("x", 2.5, None),
    "int | Sequence[int]": ("x", 2.5, None),
    "DTypeLike": ("no dtype", object()),
    "DTypeLike | None": ("no dtype", object()),
}


def takes_options(case: Any) -> bool:
    return case.symbolic and getattr(find_op(case.op), "op", None) is not None


def calls_with(case: Any, changes: dict[str, Any]) -> list[Any]:
    """Returns functions that make a call with other options: on tensors, and on KerasTensors."""
    call, op = Call(case, case.dtypes[0]), find_op(case.op)
    names = op.op.parameters

    def make(convert: Any) -> Any:
        values = iter([convert(x) for x in call.arrays])
        args = [replace_tensors(x, values) for x in call.args]
        bound = {**dict(zip(names, args, strict=False)), **call.options, **changes}
        return lambda: op(**bound)

    def to_symbol(x: np.ndarray) -> Any:
        return keras.KerasTensor(x.shape, ops.dtype(to_tensor(x)))

    return [make(to_tensor), make(to_symbol)]


def wrong_options(case: Any) -> list[tuple[str, Any]]:
    signature = find_op(case.op).op
    annotations = {n: str(a) for n, a in signature.fn.__annotations__.items()}
    return [
        (name, value)
        for name in signature.parameters
        if name not in signature.operand_names
        for value in WRONG_TYPES.get(annotations.get(name, ""), ())
    ]


def check_wrong_types(case: Any) -> None:
    for name, value in wrong_options(case):
        for call in calls_with(case, {name: value}):
            with pytest.raises(DTypeError, match=rf"ops\.(image\.)?\w+(.|\n)*{name}"):
                call()


CASES = [
    row
    for row in first_cases(takes_options)
    if not find_op(row.values[0].op).op.is_variadic and wrong_options(row.values[0])
]


@pytest.mark.parametrize("case", CASES[::16])
def test_an_option_of_another_type_is_refused_by_name(case):
    check_wrong_types(case)


@pytest.mark.thorough
@pytest.mark.parametrize("case", CASES)
def test_every_option_of_another_type_is_refused_by_name(case):
    check_wrong_types(case)


AXES = ("axis", "axes", "axis1", "axis2", "axisa", "axisb", "source", "destination")


def axes_of(case: Any) -> list[str]:
    signature = find_op(case.op).op
    return [
        name
        for name in signature.parameters
        if name in AXES and str(signature.fn.__annotations__[name]).startswith(("int", "Axis"))
    ]


def check_axes(case: Any) -> None:
    for name in axes_of(case):
        for axis in (77, -77):
            for call in calls_with(case, {name: axis}):
                with pytest.raises(SpecError, match=rf"(?s)ops\.\w+.*{name}|sizes of the axes"):
                    call()


WITH_AXES = [row for row in CASES if axes_of(row.values[0])]


@pytest.mark.parametrize("case", WITH_AXES[::16])
def test_an_axis_out_of_range_is_refused_by_name(case):
    check_axes(case)


@pytest.mark.thorough
@pytest.mark.parametrize("case", WITH_AXES)
def test_every_axis_out_of_range_is_refused_by_name(case):
    check_axes(case)


X = np.arange(12, dtype="float32").reshape(3, 4)
REFUSED = {
    "top_k": (lambda x: ops.top_k(x, 5), "ops.top_k(.|\n)*k=5"),
    "in_top_k": (lambda x: ops.in_top_k([0, 1, 2], x, 0), "ops.in_top_k(.|\n)*k=0"),
    "sort": (lambda x: ops.sort(x, axis=2), "ops.sort(.|\n)*axis=2"),
    "argsort": (lambda x: ops.argsort(x, axis=-3), "ops.argsort(.|\n)*axis=-3"),
    "twice": (lambda x: ops.sum(x, axis=(0, -2)), r"each axis once(.|\n)*axis=\(0, -2\)"),
    "cholesky": (ops.cholesky, "ops.cholesky"),
    "unstack": (lambda x: ops.unstack(x, num=2), "ops.unstack(.|\n)*num=2"),
    "repeat": (lambda x: ops.repeat(x, [1, 2], axis=0), "ops.repeat(.|\n)*repeats"),
    "tile": (lambda x: ops.tile(x, -1), "ops.tile(.|\n)*repeats=-1"),
    "one_hot": (lambda x: ops.one_hot(ops.cast(x, "int32"), -1), "num_classes=-1"),
    "bincount": (lambda x: ops.bincount(ops.cast(x, "int32"), minlength=-1), "minlength=-1"),
    "segment_sum": (lambda x: ops.segment_sum(x, [0, 0, 1], -1), "num_segments=-1"),
    "tensordot": (lambda x: ops.tensordot(x, x, 3), "ops.tensordot(.|\n)*axes=3"),
    "float index": (lambda x: ops.get_item(x, 1.0), "getitem(.|\n)*1.0"),
    "float indices": (lambda x: ops.get_item(x, [0.0, 1.0]), "getitem(.|\n)*float"),
    "pool size": (
        lambda x: ops.max_pool(x[None], (1, 2)),
        r"ops.max_pool(.|\n)*pool_size=\(1, 2\)",
    ),
    "strides": (lambda x: ops.average_pool(x[None], 1, 0), "ops.average_pool(.|\n)*strides=0"),
    "unknown": (lambda x: ops.sum(x, axes=0), "axes"),
    "transpose": (lambda x: ops.transpose(x, (0, 3)), "ops.transpose(.|\n)*axes=3"),
    "expand_dims": (lambda x: ops.expand_dims(x, (0, 4)), "ops.expand_dims(.|\n)*axis=4"),
    "diagonal": (lambda x: ops.diagonal(x, axis2=3), "ops.diagonal(.|\n)*axis2=3"),
    "split": (lambda x: ops.split(x, [1], axis=3), "ops.split(.|\n)*axis=3"),
    "cast": (lambda x: ops.cast(x, "no dtype"), "ops.cast(.|\n)*no dtype"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_out_of_range_is_refused_by_name(name):
    call, match = REFUSED[name]
    for x in (to_tensor(X), keras.KerasTensor(X.shape)):
        with pytest.raises((KerasError, TypeError), match=match):
            call(x)


def test_unknown_sizes_are_not_refused():
    x = keras.KerasTensor((None, None))
    assert ops.top_k(x, 5)[0].shape == (None, 5)
    assert [part.shape for part in ops.fft2((x, x))] == [(None, None)] * 2
    with pytest.raises(SpecError, match=r"ops\.fft2"):
        ops.fft2((keras.KerasTensor((None,)), keras.KerasTensor((None,))))
    for op in (ops.sort, ops.argsort):
        with pytest.raises(SpecError, match="axis=2"):
            op(x, axis=2)


def test_all_classes_are_among_the_best_of_more_than_there_are():
    result = ops.in_top_k([1, 0], [[0.1, 0.9], [0.2, 0.8]], 5)
    assert ops.convert_to_numpy(result).tolist() == [True, True]


@pytest.mark.parametrize("make", [np.int64, np.int32, np.array])
def test_numpy_integers_are_integers(make):
    x = to_tensor(X)
    for _ in range(2):
        np.testing.assert_allclose(ops.convert_to_numpy(ops.sum(x, axis=make(1))), X.sum(1))
    assert ops.sum(keras.KerasTensor((2, 3)), axis=make(0)).shape == (3,)
    np.testing.assert_array_equal(ops.convert_to_numpy(ops.eye(make(2), k=make(1))), np.eye(2, k=1))
    assert ops.convert_to_numpy(ops.arange(make(3))).tolist() == [0, 1, 2]


def test_an_integer_is_a_boolean_option():
    for x in (to_tensor(X), keras.KerasTensor(X.shape)):
        for _ in range(2):
            assert tuple(ops.sum(x, axis=0, keepdims=1).shape) == (1, 4)
            assert tuple(ops.mean(x, 0, np.True_).shape) == (1, 4)


CREATION = {
    "zeros": (lambda: ops.zeros((-1,)), "not negative"),
    "full": (lambda: ops.full((2, -3), 1.0), "not negative"),
    "uniform": (lambda: keras.random.uniform((-1,)), "not negative"),
    "eye": (lambda: ops.eye(-1), "N=-1"),
    "eye of a float": (lambda: ops.eye(3.0), "N=3.0"),  # type: ignore[arg-type]
    "tri": (lambda: ops.tri(2, -1), "M=-1"),
    "arange": (lambda: ops.arange(0, 3, 0), "step=0"),
    "arange to NaN": (lambda: ops.arange(float("nan")), "stop=nan"),
    "hamming": (lambda: ops.hamming(-1), "x=-1"),
    "randint": (lambda: keras.random.randint((2,), 5, 5), "maxval=5"),
}


@pytest.mark.parametrize("name", CREATION)
def test_sizes_and_numbers_of_creation_ops(name):
    call, match = CREATION[name]
    with pytest.raises(SpecError, match=match):
        call()


def test_what_needs_values_in_a_compiled_function_says_so():
    if keras.config.backend() != "jax":
        pytest.skip("shapes may depend on values there")
    x = to_tensor(np.array([1, 2, 2], "int32"))
    for name in ("bincount", "nonzero", "unique"):
        op = getattr(ops, name)
        if name == "bincount":
            op(x)  # also after an eager call
        with pytest.raises(TracedValueError, match=rf"ops\.{name}(.|\n)*x="):
            current().compile(lambda x, op=op: op(x), [])(x)


def test_the_error_of_an_inner_op_names_the_op_that_was_called():
    for x in (to_tensor(X), keras.KerasTensor(X.shape)):
        with pytest.raises(SpecError, match=r"ops\.hsplit, in ops\.split"):
            ops.hsplit(x, 3)


def test_a_dtype_that_an_op_lacks_is_refused_by_its_name():
    x = to_tensor(np.array([1.0 + 2.0j], "complex64"))
    with pytest.raises(DTypeError, match=r"ops\.max_pool(.|\n)*complex64") as caught:
        ops.max_pool(ops.reshape(x, (1, 1, 1)), 1)
    assert caught.value.__cause__ is not None


def test_every_op_has_annotations_that_can_be_checked():
    for name, call in OPS.items():
        for parameter in call.op.parameters:
            assert parameter in call.op.fn.__annotations__, f"{name}: {parameter}"

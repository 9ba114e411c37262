"""The backend contract except for the ops: tensors, variables, data, function transformations."""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import ops
from keras_fn.backend.contract import Backend
from keras_fn.backend.loader import current
from keras_fn.backend.primitives import Primitives
from keras_fn.core.dtypes import numpy_dtype
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.errors import UnsupportedError
from keras_fn.settings import settings

backend = current()


def methods(protocol: type) -> list[str]:
    """Returns the names of the public functions of a protocol, including inherited ones."""
    functions = inspect.getmembers(protocol, inspect.isfunction)
    return [name for name, _ in functions if not name.startswith("_")]


def tensor(values: Any, dtype: str = "float32") -> Any:
    return backend.convert_to_tensor(np.asarray(values, numpy_dtype(dtype)))


def numbers(x: Any) -> Any:
    """Returns a tensor, or nested tensors, as lists."""
    if isinstance(x, (list, tuple)):
        return [numbers(item) for item in x]
    return backend.convert_to_numpy(x).tolist()


# ---------------------------------------------------------------- names


@pytest.mark.parametrize("name", ["name", "ops", "LayerBase", *methods(Backend)])
def test_backend_has_attribute(name: str) -> None:
    assert hasattr(backend, name)


@pytest.mark.parametrize("name", methods(Primitives))
def test_ops_have_primitive(name: str) -> None:
    assert callable(getattr(backend.ops, name, None))


# ---------------------------------------------------------------- tensors


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int32", "float32", "bfloat16", "float16"])
def test_array_to_tensor_and_back(dtype: str) -> None:
    array = np.array([[0, 1, 2], [3, 4, 5]]).astype(numpy_dtype(dtype))
    x = backend.convert_to_tensor(array)
    assert backend.is_tensor(x)
    assert backend.dtype_name(x) == backend.dtype_name(x.dtype) == dtype
    assert backend.shape(x) == tuple(x.shape) == (2, 3)
    back = backend.convert_to_numpy(x)
    assert type(back) is np.ndarray
    assert back.dtype == array.dtype
    np.testing.assert_array_equal(back, array)
    np.testing.assert_array_equal(backend.convert_to_numpy(x, copy=False), array)
    back[0] = 0  # it can be written to, which changes the tensor no more
    np.testing.assert_array_equal(backend.convert_to_numpy(x), array)


@pytest.mark.parametrize(
    ("value", "dtype"),
    [(True, "bool"), (2, "int32"), ([1, 2], "int32"), (1.5, "floatx"), ([[1.5], [2]], "floatx")],
)
def test_dtypes_of_python_numbers(value: Any, dtype: str) -> None:
    expected = settings.floatx if dtype == "floatx" else dtype
    x = backend.convert_to_tensor(value)
    assert backend.dtype_name(x) == expected
    assert numbers(x) == value
    assert backend.dtype_name(backend.convert_to_tensor(value, "float16")) == "float16"


def test_conversions_without_effect_return_the_same_tensor() -> None:
    x = tensor([1.0, 2.0])
    assert backend.convert_to_tensor(x) is x
    assert backend.cast(x, "float32") is x
    assert numbers(backend.cast(tensor([1.7, -1.7]), "int32")) == [1, -1]


@pytest.mark.parametrize("x", [1.0, [1.0], None, "1"])
def test_is_tensor_is_false_for_other_objects(x: Any) -> None:
    assert not backend.is_tensor(x)
    assert not backend.is_tensor(KerasTensor((1,)))


def test_tensors_do_not_share_memory_with_arrays() -> None:
    array = np.ones(4, "float32")
    x = backend.convert_to_tensor(array)
    if x is not array:  # a backend whose tensors are arrays may alias the input
        array[0] = 7
        assert numbers(x) == [1, 1, 1, 1]
    back = backend.convert_to_numpy(x)
    if back.flags.writeable:
        back[...] = 9
    assert numbers(x) == [1, 1, 1, 1]


# ---------------------------------------------------------------- variables


def test_variables_copy_values() -> None:
    array = np.ones(3, "float32")
    v = keras.Variable(array)
    array[0] = 7
    assert numbers(v.value) == [1, 1, 1]
    value = tensor([1, 2, 3])
    v.assign(value)
    v.assign_add(1.0)
    v.assign_add(tensor([10, 20, 30]))
    assert numbers(v.value) == [12, 23, 34]
    assert numbers(value) == [1, 2, 3]
    v.assign(array)
    array[0] = 5
    assert numbers(v.value) == [7, 1, 1]


def test_variable_assigned_from_its_own_value() -> None:
    v = keras.Variable([[1.0, 2.0], [3.0, 4.0]])
    v.assign(ops.transpose(v))
    assert numbers(v.value) == [[1, 3], [2, 4]]


@pytest.mark.parametrize("dtype", ["int32", "float32", "bfloat16"])
def test_variable_keeps_its_dtype(dtype: str) -> None:
    v = keras.Variable([1, 2], dtype=dtype, trainable=False)
    v.assign_add(1 if dtype == "int32" else 1.0)
    v.assign_add([1, 1])
    assert backend.is_tensor(v.value)
    assert backend.dtype_name(v.value) == dtype
    assert numbers(v.value) == [3, 4]
    v.trainable = True
    v.trainable = False


# ---------------------------------------------------------------- data


def test_batches_of_an_epoch() -> None:
    data = np.arange(10, dtype="float32").reshape(5, 2)
    order = np.array([4, 0, 3, 1, 2])
    rows = backend.compile(backend.gather_rows, [])
    x = backend.from_numpy(data)
    batches = [numbers(rows(x, batch)) for batch in backend.split_into_batches(order, 2)]
    assert batches == [data[[4, 0]].tolist(), data[[3, 1]].tolist(), data[[2]].tolist()]


@pytest.mark.parametrize("jit", ["auto", None])
def test_step_takes_rows_from_the_host(jit: Any) -> None:
    data = np.arange(12, dtype="float32").reshape(4, 3)
    step = backend.compile(lambda x, indices: (x[0] * 2, backend.is_tensor(x[0])), [], jit)
    for part in (slice(0, 3), slice(3, 4), slice(0, 3)):
        doubled, inside = step([backend.prepare_host_batch(data[part])], None)
        assert inside
        assert numbers(doubled) == (data[part] * 2).tolist()


# ---------------------------------------------------------------- functions of variables


def test_abstract_evaluation_computes_shapes_without_side_effects() -> None:
    v = keras.Variable([1.0, 2.0, 3.0])

    def function(x: Any, options: Any) -> Any:
        v.assign_add([1.0, 1.0, 1.0])
        return {"b": x * v.value, "a": (x[0], options["y"] > 0)}

    arguments = (KerasTensor((None, 3)),)
    options = {"options": {"y": KerasTensor((2, None), "int32")}}
    found = backend.abstract_eval(function, arguments, options)
    assert list(found) == ["b", "a"]
    b, (first, positive) = found["b"], found["a"]
    assert [(x.shape, x.dtype) for x in (b, first, positive)] == [
        ((None, 3), "float32"), ((3,), "float32"), ((2, None), "bool")
    ]  # fmt: skip
    assert all(isinstance(x, KerasTensor) for x in (b, first, positive))
    assert numbers(v.value) == [1, 2, 3]


@pytest.mark.parametrize("jit", ["auto", False, None])
def test_compiled_function_reads_and_assigns_variables(jit: Any) -> None:
    total, count = keras.Variable(0.0), keras.Variable(0, dtype="int32")

    def step(batch: Any, unused: Any) -> Any:
        total.assign(total + ops.sum(batch["x"]))
        count.assign_add(1)
        return {"z": batch["x"] * 2, "a": [total + 0.0]}

    compiled = backend.compile(step, [total, count], jit)
    for _ in range(2):
        result = compiled({"x": tensor([1.0, 2.0])}, None)
    assert list(result) == ["z", "a"]
    assert numbers([result["z"], result["a"], total.value, count.value]) == [[2, 4], [6], 6, 2]


@pytest.mark.parametrize("jit", ["auto", True])
def test_many_steps_in_one_call(jit: Any) -> None:
    if not hasattr(backend, "compile_multi_step"):
        pytest.skip("steps run one by one")
    total = keras.Variable(0.0)

    def step(tensors: Any, indices: Any) -> Any:
        x = backend.gather_rows(tensors["x"][0], indices)
        total.assign(2.0 * total + ops.sum(x))
        return {"z": ops.sum(x) + 1.0, "none": None}

    data = {"x": [backend.from_numpy(np.arange(6, dtype="float32")), None]}
    batches = backend.prepare_host_batch(np.array([[0, 1], [2, 3], [5, 4]], "int32"))

    def finalize(last: Any) -> Any:
        return {**last, "half": 0.5 * total}

    many = backend.compile_multi_step(step, [total], data, batches, finalize, jit)
    last = many(data, batches, 0, 2)
    assert list(last) == ["z", "none", "half"]
    assert numbers([last["z"], last["half"], total.value]) == [6, 3.5, 7]
    assert last["none"] is None
    last = many(data, batches, 2, 3)
    assert numbers([last["z"], last["half"], total.value]) == [10, 11.5, 23]
    assert backend.compile_multi_step(step, [total], data, batches, finalize, None) is None


def value_and_grad(function: Callable[..., Any], variables: list[Any]) -> Callable[..., Any]:
    """Returns the transformation of the backend; skips the test if it has no gradients."""
    try:
        return backend.value_and_grad(function, variables)
    except UnsupportedError as gap:
        pytest.skip(f"unsupported: {gap.reason}")


@pytest.mark.parametrize("compiled", [False, True])
def test_gradients_auxiliary_results_and_assignments(compiled: bool) -> None:
    w, idle, calls = keras.Variable([1.0, 2.0]), keras.Variable([3.0]), keras.Variable(0.0)

    def loss(x: Any) -> Any:
        calls.assign_add(1.0)
        y = w * x
        return ops.sum(y * y), {"y": y}

    def run(x: Any) -> Any:
        (value, more), grads = value_and_grad(loss, [w, idle])(x)
        return value, more, list(grads)

    function = backend.compile(run, [w, idle, calls]) if compiled else run
    value, more, grads = function(tensor([3.0, 1.0]))
    assert numbers([value, more["y"], grads]) == [13, [3, 2], [[18, 4], [0]]]
    assert numbers([w.value, calls.value]) == [[1, 2], 1]


# ---------------------------------------------------------------- makers and loops


def test_constants_and_ranges() -> None:
    assert numbers(backend.ops.full((2, 0), 1, "int32")) == [[], []]
    assert numbers(backend.ops.full((2,), 7, "bfloat16")) == [7, 7]
    assert numbers(backend.ops.arange(1, 8, 3, "int32")) == [1, 4, 7]
    assert numbers(backend.ops.arange(3, 0, -1, "float32")) == [3, 2, 1]


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("size", [0, 1, 3])
def test_scan(reverse: bool, size: int) -> None:
    xs = np.arange(2 * size, dtype="float32").reshape(size, 2)

    def step(carry: Any, x: Any) -> Any:
        return (carry[0] + x["x"], None), {"y": carry[0] * 2, "none": None}

    scanned = (step, (tensor([1.0, 1.0]), None), {"x": tensor(xs), "none": None})
    (carry, nothing), outputs = backend.ops.scan(*scanned, None, reverse, 1)
    assert nothing is None
    assert outputs["none"] is None
    expected, total = np.zeros((size, 2)), np.ones(2)
    for i in range(size)[:: -1 if reverse else 1]:
        expected[i], total = total * 2, total + xs[i]
    assert numbers([carry, outputs["y"]]) == [total.tolist(), expected.tolist()]


def test_scan_for_a_number_of_steps() -> None:
    carry, ys = backend.ops.scan(lambda c, x: (c + 1.0, c), tensor(0.0), None, 3, False, 1)
    assert numbers([carry, ys]) == [3, [0, 1, 2]]


# ---------------------------------------------------------------- random numbers


def key(*words: int) -> Any:
    return tensor(words, "uint32")


@pytest.mark.parametrize("name", ["random_uniform", "random_normal"])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_draws_follow_from_the_key(name: str, dtype: str) -> None:
    draw = getattr(backend.ops, name)
    x = backend.convert_to_numpy(draw((2000,), dtype, key(1, 2)))
    assert x.dtype == numpy_dtype(dtype)
    assert numbers(draw((2000,), dtype, key(1, 2))) == x.tolist()
    for other in (key(1, 3), key(2, 2)):
        assert np.mean(backend.convert_to_numpy(draw((2000,), dtype, other)) == x) < 0.1
    x = x.astype("float64")
    mean, deviation = (0.5, 12**-0.5) if name == "random_uniform" else (0.0, 1.0)
    assert abs(x.mean() - mean) < 0.1
    assert abs(x.std() - deviation) < 0.1
    if name == "random_uniform":
        assert x.min() >= 0
        assert x.max() < 1


def test_random_integers() -> None:
    x = backend.convert_to_numpy(backend.ops.random_randint((500,), -2, 3, "int32", key(5, 6)))
    assert sorted(set(x.tolist())) == [-2, -1, 0, 1, 2]
    limits = tensor(9, "int32"), tensor(10, "int32")
    assert numbers(backend.ops.random_randint((2,), *limits, "int32", key(5, 6))) == [9, 9]

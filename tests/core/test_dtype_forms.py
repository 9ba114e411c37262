"""A dtype in every form, wherever one is taken: by name, as a Python, NumPy or framework dtype."""

import importlib
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import keras_fn as keras
from keras_fn import initializers, layers, losses, metrics, ops, random

BACKEND = keras.config.backend()
_MODULE = {"jax": "jax.numpy", "torch": "torch", "tensorflow": "tensorflow"}.get(BACKEND, "numpy")
FRAMEWORK = importlib.import_module(_MODULE)

FORMS: list[tuple[Any, str]] = [
    ("int", "int32"), (int, "int32"), (np.int32, "int32"), (np.dtype("int32"), "int32"),
    (FRAMEWORK.int32, "int32"),
    ("float", "float32"), (float, "float32"), (np.float32, "float32"),
    (np.dtype("float16"), "float16"), (np.float16, "float16"), (FRAMEWORK.float16, "float16"),
    (FRAMEWORK.float32, "float32"), (ml_dtypes.bfloat16, "bfloat16"),
]  # fmt: skip

ROW = np.ones((2, 3), "float32")
COUNTS = np.ones((2, 3), "int32")


def result_of(metric: Any) -> Any:
    metric.update_state([1.0, 2.0])
    return metric.result()


def kernel_of(layer: Any) -> Any:
    layer.build((None, 3))
    return layer.kernel


def policy(dtype: Any) -> Any:
    return ops.zeros((), keras.dtype_policies.get(dtype).compute_dtype)


PLACES = {
    "cast": lambda d: ops.cast(ROW, d),
    "cast of a symbol": lambda d: ops.cast(keras.Input((3,)), d),
    "convert_to_tensor": lambda d: ops.convert_to_tensor([1, 2], d),
    "array": lambda d: ops.array([1], dtype=d),
    "zeros": lambda d: ops.zeros((2,), d),
    "full": lambda d: ops.full((2,), 1, dtype=d),
    "eye": lambda d: ops.eye(2, dtype=d),
    "tri": lambda d: ops.tri(2, dtype=d),
    "arange": lambda d: ops.arange(2, dtype=d),
    "ones_like": lambda d: ops.ones_like(ROW, dtype=d),
    "one_hot": lambda d: ops.one_hot([1], 2, dtype=d),
    "cumsum": lambda d: ops.cumsum(COUNTS, 0, dtype=d),
    "prod": lambda d: ops.prod(COUNTS, dtype=d),
    "view": lambda d: ops.view(ops.zeros((4,), d), d),
    "result_type": lambda d: ops.zeros((), keras.backend.result_type(d, d)),
    "Variable": lambda d: keras.Variable([1, 2], dtype=d),
    "Variable of an initializer": lambda d: keras.Variable("ones", shape=(2,), dtype=d),
    "KerasTensor": lambda d: keras.KerasTensor((2,), dtype=d),
    "Input": lambda d: keras.Input((2,), dtype=d),
    "initializer": lambda d: initializers.Ones()((2,), dtype=d),
    "add_weight": lambda d: layers.Layer().add_weight(shape=(2,), dtype=d, initializer="ones"),
    "layer": lambda d: layers.Identity(dtype=d)(COUNTS if "int" in str(d) else ROW),
    "metric": lambda d: result_of(metrics.Sum(dtype=d)),
    "DTypePolicy": lambda d: ops.zeros((), keras.DTypePolicy(d).variable_dtype),
    "dtype_policies.get": policy,
    "pad_sequences": lambda d: keras.KerasTensor(
        (), keras.utils.pad_sequences([[1], [1, 2]], dtype=d).dtype
    ),
}
FLOAT_PLACES = {
    "random initializer": lambda d: initializers.GlorotUniform()((2, 2), dtype=d),
    "random.uniform": lambda d: random.uniform((2,), dtype=d),
    "random.normal": lambda d: random.normal((2,), dtype=d),
    "linspace": lambda d: ops.linspace(0, 1, 3, dtype=d),
    "kernel": lambda d: kernel_of(layers.Dense(2, dtype=d)),
    "Dense": lambda d: layers.Dense(2, dtype=d)(ROW),
    "loss": lambda d: losses.MeanSquaredError(dtype=d)(ROW, ROW),
    "mean": lambda d: result_of(metrics.Mean(dtype=d)),
}


AT_EVERY_PUSH = ("int", FRAMEWORK.float16)


@pytest.mark.parametrize(
    ("dtype", "name"),
    [
        pytest.param(*form, marks=() if form[0] in AT_EVERY_PUSH else pytest.mark.thorough)
        for form in FORMS
    ],
    ids=repr,
)
def test_a_dtype_in_any_form(dtype, name):
    places = PLACES if name == "int32" else {**PLACES, **FLOAT_PLACES}
    if dtype in ("float", float, "int", int):  # pad_sequences is NumPy's: they have 64 bits
        places = {k: v for k, v in places.items() if k != "pad_sequences"}
    found = {place: ops.dtype(make(dtype)) for place, make in places.items()}
    assert found == dict.fromkeys(places, name)


@pytest.mark.parametrize(("dtype", "name"), FORMS, ids=repr)
def test_the_name_of_a_dtype_in_any_form(dtype, name):
    assert keras.backend.standardize_dtype(dtype) == name
    assert ops.dtype(ops.zeros((2,), dtype)) == name
    assert keras.KerasTensor((2,), dtype).dtype == name


def test_a_policy_has_the_name_of_its_dtype():
    assert keras.DTypePolicy(np.float16).name == "float16"
    assert keras.DTypePolicy("float").name == "float32"
    assert keras.DTypePolicy("mixed_bfloat16").name == "mixed_bfloat16"
    with pytest.raises(TypeError, match="DTypePolicy"):
        keras.DTypePolicy(3)
    with pytest.raises(ValueError, match="DTypePolicy"):
        keras.DTypePolicy("float31")


def test_a_dtype_by_name_as_an_option_of_a_warm_call():
    x = ops.convert_to_tensor(ROW)
    for dtype in ("float16", int, np.int32, "int"):
        assert ops.dtype(ops.cast(x, dtype=dtype)) == keras.backend.standardize_dtype(dtype)

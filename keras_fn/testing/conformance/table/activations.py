"""Cases of the activation functions."""

import numpy as np
from scipy import special

from keras_fn.testing.conformance.case import (
    ALL,
    FLOATS,
    NUMBERS,
    AxisArgument,
    Case,
    OneOf,
    Refusal,
    array,
    case,
    refusal,
    tensor,
)


def of_floats(function):
    return lambda x, **options: function(np.asarray(x, "float64"), **options)


def relu(x):
    return np.maximum(x, 0)


def relu6(x):
    return np.clip(x, 0, 6)


def hard_tanh(x):
    return np.clip(x * 1, -1, 1)


def leaky_relu(x, negative_slope=0.2):
    return np.where(x > 0, x, x * negative_slope)


def elu(x, alpha=1.0):
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def selu(x):
    return 1.0507009873554805 * elu(x, 1.6732632423543772)


def celu(x, alpha=1.0):
    return np.maximum(x, 0) + np.minimum(alpha * np.expm1(np.minimum(x, 0) / alpha), 0)


def softplus(x):
    return np.logaddexp(x, 0.0)


def gelu(x, approximate=True):
    x = np.asarray(x, "float64")
    if approximate:
        return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))
    return x * special.ndtr(x)


def hard_sigmoid(x):
    return np.clip(x / 6 + 0.5, 0, 1)


def soft_shrink(x, threshold=0.5):
    return np.sign(x) * np.maximum(np.abs(x) - threshold, 0)


def squareplus(x, b=4):
    return (x + np.sqrt(np.square(x) + b)) / 2


def sparse_plus(x):
    return np.where(x <= -1, 0, np.where(x >= 1, x, (x + 1.0) ** 2 / 4))


def sparsemax(x, axis=-1):
    """The nearest point of the simplex, by bisection on what is taken off."""
    x = np.moveaxis(np.asarray(x, "float64"), axis, -1)
    low, high = x.max(-1, keepdims=True) - 1, x.max(-1, keepdims=True)
    for _ in range(70):
        middle = (low + high) / 2
        over = np.maximum(x - middle, 0).sum(-1, keepdims=True) > 1
        low, high = np.where(over, middle, low), np.where(over, high, middle)
    return np.moveaxis(np.maximum(x - low, 0), -1, axis)


def glu(x, axis=-1):
    value, gate = np.split(x, 2, axis)
    return value * special.expit(gate)


def softmax(x, axis=-1):
    return special.softmax(np.asarray(x, "float64"), axis)


def log_softmax(x, axis=-1):
    return special.log_softmax(np.asarray(x, "float64"), axis)


FLOATING = {
    "elu": elu,
    "selu": selu,
    "celu": celu,
    "softplus": softplus,
    "gelu": gelu,
    "leaky_relu": leaky_relu,
    "hard_sigmoid": hard_sigmoid,
    "squareplus": squareplus,
    "softsign": lambda x: x / (1 + np.abs(x)),
    "silu": lambda x: x * special.expit(x),
    "swish": lambda x: x * special.expit(x),
    "hard_silu": lambda x: x * hard_sigmoid(x),
    "hard_swish": lambda x: x * hard_sigmoid(x),
    "log_sigmoid": lambda x: -softplus(-x),
    "hard_shrink": lambda x, threshold=0.5: np.where(np.abs(x) > threshold, x, 0),
    "soft_shrink": soft_shrink,
    "tanh_shrink": lambda x: x - np.tanh(x),
    "sparse_plus": sparse_plus,
    "sparse_sigmoid": lambda x: np.clip((x + 1.0) / 2, 0, 1),
}

CASES: list[Case] = [
    case("relu", tensor(), ref=relu, non_finite=True),
    case("relu6", tensor(low=-9, high=9), ref=relu6, non_finite=True),
    case("hard_tanh", tensor(), ref=hard_tanh, non_finite=True),
    *(
        case(n, tensor(), ref=f, dtypes=("bool",), result_dtype="int32")
        for n, f in {"relu": relu, "relu6": relu6, "hard_tanh": hard_tanh}.items()
    ),
    *(
        case(name, tensor(low=-6, high=6), ref=of_floats(f), result_dtype="float", dtypes=ALL)
        for name, f in FLOATING.items()
    ),
    *(
        case(name, tensor(low=-100, high=100), ref=FLOATING[name], dtypes=FLOATS)
        for name in ("softplus", "log_sigmoid", "silu", "gelu", "elu", "celu", "softsign")
    ),
    case("softplus", array([np.inf, -np.inf, np.nan, 0.0]), ref=softplus, dtypes=FLOATS),
    case(
        "leaky_relu",
        tensor(),
        ref=leaky_relu,
        negative_slope=OneOf([0.0, 0.01, 1.5]),
        dtypes=FLOATS,
    ),
    case("elu", tensor(), ref=elu, alpha=OneOf([0.5, 2.0]), dtypes=FLOATS),
    case("celu", tensor(), ref=celu, alpha=OneOf([0.5, 2.0]), dtypes=FLOATS),
    case("gelu", tensor(), ref=gelu, approximate=False, result_dtype="float"),
    case(
        "hard_shrink",
        tensor(),
        ref=FLOATING["hard_shrink"],
        threshold=OneOf([0.1, 2.0]),
        dtypes=FLOATS,
    ),
    case("soft_shrink", tensor(), ref=soft_shrink, threshold=OneOf([0.1, 2.0]), dtypes=FLOATS),
    case("squareplus", tensor(), ref=squareplus, b=OneOf([0.5, 1]), dtypes=FLOATS),
    case("threshold", tensor(), 1, -7, ref=lambda x, t, v: np.where(x > t, x, v)),
    case(
        "threshold", tensor(), 0.5, 20.0, ref=lambda x, t, v: np.where(x > t, x, v), dtypes=FLOATS
    ),
    case("sparsemax", tensor("... 5"), ref=sparsemax, dtypes=FLOATS),
    case(
        "sparsemax", tensor("... 3 4", high=0.0), ref=sparsemax, dtypes=FLOATS, axis=OneOf([-1, -2])
    ),
    case("glu", tensor("... 6"), ref=glu, dtypes=FLOATS),
    case("glu", tensor("4 b"), ref=glu, dtypes=FLOATS, axis=0),
    case("softmax", tensor("... 4", -9, 9), ref=softmax, result_dtype="float", dtypes=NUMBERS),
    case(
        "softmax",
        tensor("... 4", -9, 9),
        AxisArgument(allow_none=True, allow_multiple=True),
        ref=softmax,
        dtypes=FLOATS,
        min_size=1,
    ),
    case("log_softmax", tensor("... 4", -9, 9), ref=log_softmax, result_dtype="float"),
    case(
        "log_softmax",
        tensor("... 4", -9, 9),
        AxisArgument(allow_none=True, allow_multiple=True),
        ref=log_softmax,
        dtypes=FLOATS,
        min_size=1,
    ),
    case("softmax", array([[1e4, 0.0, -1e4]]), ref=softmax, dtypes=("float32",)),
    case("log_softmax", array([[1e4, 0.0, -1e4]]), ref=log_softmax, dtypes=("float32",)),
]

REFUSALS: list[Refusal] = [
    refusal("softmax", array([1.0, 2.0]), axis=1, match="axis=1 for a tensor of rank 1"),
    refusal("log_softmax", array([1.0, 2.0]), axis=-2, match="axis=-2 for a tensor of rank 1"),
    refusal("glu", array([1.0, 2.0, 3.0]), match="an axis whose size is divisible by 2"),
]

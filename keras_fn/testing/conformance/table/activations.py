"""Less common activations."""

import numpy as np

from keras_fn.testing.conformance.case import FLOATS, A, Axis, Case, OneOf, Refusal, T, case


def celu(x, alpha=1.0):
    return np.maximum(x, 0) + np.minimum(alpha * np.expm1(np.minimum(x, 0) / alpha), 0)


def sparse_plus(x):
    return np.where(x <= -1, 0.0, np.where(x < 1, (x + 1) ** 2 / 4, x))


def sparsemax(x, axis=-1):
    """By its definition: the threshold that leaves a mass of 1, found by halving."""
    low, high = x.max(axis, keepdims=True) - 1, x.max(axis, keepdims=True)
    for _ in range(80):
        middle = (low + high) / 2
        heavy = np.maximum(x - middle, 0).sum(axis, keepdims=True) > 1
        low, high = np.where(heavy, middle, low), np.where(heavy, high, middle)
    return np.maximum(x - low, 0)


ACTIVATIONS = {
    "hard_tanh": lambda x: np.clip(x, -1, 1),
    "hard_shrink": lambda x, threshold=0.5: np.where(np.abs(x) > threshold, x, 0),
    "soft_shrink": lambda x, threshold=0.5:
        np.sign(x) * np.maximum(np.abs(x) - threshold, 0),
    "tanh_shrink": lambda x: x - np.tanh(x),
    "squareplus": lambda x, b=4: (x + np.sqrt(x**2 + b)) / 2,
    "sparse_plus": sparse_plus,
    "sparse_sigmoid": lambda x: np.clip((x + 1) / 2, 0, 1),
    "swish": lambda x: x / (1 + np.exp(-x)),
    "hard_swish": lambda x: x * np.clip(x + 3, 0, 6) / 6,
    "celu": celu,
}  # fmt: skip

CASES: list[Case] = [
    *(case(n, T(low=-4, high=4), ref=f, dtypes=FLOATS) for n, f in ACTIVATIONS.items()),
    case("celu", T(), ref=celu, dtypes=FLOATS, alpha=OneOf([0.5, 2.0])),
    case("celu", A([-1000.0, 1000.0, 0.0]), ref=celu, dtypes=("float32",)),
    *(case(n, T(), ref=ACTIVATIONS[n], dtypes=FLOATS, threshold=OneOf([0.2, 1.0]))
      for n in ("hard_shrink", "soft_shrink")),
    case("squareplus", T(), ref=ACTIVATIONS["squareplus"], dtypes=FLOATS, b=OneOf([1, 2.5])),
    case("threshold", T(), OneOf([0.5, -1.0]), OneOf([0.0, 7.0]), dtypes=FLOATS,
         ref=lambda x, threshold, value: np.where(x > threshold, x, value)),
    case("sparsemax", T(), ref=sparsemax, dtypes=FLOATS, axis=Axis(), rank=(1, 3), least=1,
         gradient=False),
    case("sparsemax", T("m 4"), ref=sparsemax, dtypes=("float32",), tolerance=1.0),
]  # fmt: skip

REFUSALS: list[Refusal] = []

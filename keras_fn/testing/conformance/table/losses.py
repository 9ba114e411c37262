"""Cases of the crossentropies and other losses."""

import numpy as np
from scipy import special

from keras_fn.testing.conformance.case import (
    FLOATS,
    Case,
    OneOf,
    Refusal,
    array,
    case,
    refusal,
    tensor,
)

EPSILON = 1e-7


def clipped(p):
    return np.clip(p, EPSILON, 1 - EPSILON)


def binary(target, output, from_logits=False):
    if from_logits:
        return np.logaddexp(0, output) - target * output
    p = clipped(output)
    return -target * np.log(p) - (1 - target) * np.log1p(-p)


def log_p(output, from_logits, axis):
    if from_logits:
        return special.log_softmax(output, axis)
    return np.log(clipped(output / output.sum(axis, keepdims=True)))


def categorical(target, output, from_logits=False, axis=-1):
    return -(target * log_p(output, from_logits, axis)).sum(axis)


def sparse(target, output, from_logits=False, axis=-1):
    if target.ndim == output.ndim:
        target = target[..., 0]
    chosen = np.take_along_axis(
        log_p(output, from_logits, axis), np.expand_dims(target.astype(int), axis), axis
    )
    return -np.squeeze(chosen, axis)


PROBABILITIES = {"low": 0.05, "high": 0.95}


def classes(shape, low=0, high=3):
    return tensor(shape, low=low, high=high, dtype="int32")


def zeros(*shape, dtype=None):
    return array(np.zeros(shape), dtype)


def ids(*shape):
    return zeros(*shape, dtype="int32")


SPARSE = "sparse_categorical_crossentropy"


def psnr(x1, x2, max_val):
    return 10 * np.log10(max_val**2 / np.mean((x1 - x2) ** 2))


LINE = array([1.0, 2.0, 4.0])

CASES: list[Case] = [
    *(
        case(
            "binary_crossentropy",
            tensor("3 n", 0, 1),
            tensor("3 n", **bounds),
            ref=binary,
            dtypes=FLOATS,
            from_logits=from_logits,
        )
        for from_logits, bounds in ((False, PROBABILITIES), (True, {"low": -9, "high": 9}))
    ),
    # 1 - 1e-7 in float32 is off by 2 in its last digit
    case(
        "binary_crossentropy",
        array([1.0, 0.0, 1.0]),
        array([0.0, 1.0, 1.0]),
        ref=binary,
        dtypes=("float32",),
        tolerance=1e4,
    ),
    case(
        "binary_crossentropy",
        array([1.0, 1.0, 0.0]),
        array([20.0, -1000.0, 1000.0]),
        ref=binary,
        from_logits=True,
        dtypes=("float32",),
    ),
    *(
        case(
            op,
            target,
            tensor("b 3 4", **bounds),
            ref=ref,
            dtypes=FLOATS,
            from_logits=from_logits,
            axis=axis,
        )
        for from_logits, bounds in ((False, PROBABILITIES), (True, {"low": -9, "high": 9}))
        for op, ref, axis, target in (
            ("categorical_crossentropy", categorical, -1, tensor("b 3 4", 0, 1)),
            ("categorical_crossentropy", categorical, 1, tensor("b 3 4", 0, 1)),
            ("sparse_categorical_crossentropy", sparse, -1, classes("b 3")),
            ("sparse_categorical_crossentropy", sparse, -1, classes("b 3 1")),
            ("sparse_categorical_crossentropy", sparse, 1, classes("b 4", 0, 2)),
        )
    ),
    case(
        "categorical_crossentropy",
        array([0.0, 1.0]),
        array([3.0, 1.0]),
        ref=categorical,
        dtypes=("float32",),
    ),
    case(
        "categorical_crossentropy",
        array([[0.0, 1.0]]),
        array([[1000.0, -1000.0]]),
        ref=categorical,
        from_logits=True,
        dtypes=("float32",),
    ),
    case(
        "sparse_categorical_crossentropy",
        array(1, "int32"),
        array([3.0, 1.0]),
        ref=sparse,
        dtypes=("float32",),
    ),
    case(
        "sparse_categorical_crossentropy",
        array([1], "int32"),
        array([[1000.0, -1000.0]]),
        ref=sparse,
        from_logits=True,
        dtypes=("float32",),
    ),
    # clipped
    case(
        "sparse_categorical_crossentropy",
        array([0], "int32"),
        array([[0.0, 1.0]]),
        ref=sparse,
        dtypes=("float32",),
        gradient=False,
    ),
    # Half floats do not hold 1 - 1e-7: the logarithm is taken of wider ones.
    *(
        case(op, target, array([[1.0, 0.0]]), ref=ref, dtypes=("float16", "bfloat16"))
        for op, ref, target in (
            ("binary_crossentropy", binary, array([[1.0, 0.0]], "float32")),
            ("categorical_crossentropy", categorical, array([[1.0, 0.0]])),
            ("sparse_categorical_crossentropy", sparse, array([0], "int32")),
        )
    ),
    case(
        "psnr",
        tensor("m n", low=0),
        tensor("m n", low=-3, high=-1),
        OneOf([1.0, 255]),
        ref=psnr,
        result_dtype="float",
        min_size=1,
    ),
    case("psnr", array([1.0, 2.0]), array([1.0, 2.0]), 1.0, ref=psnr, dtypes=("float32",)),
]

REFUSALS: list[Refusal] = [
    refusal(
        "binary_crossentropy",
        zeros(2, 3),
        zeros(2, 4),
        match=r"target of shape \(2, 3\), output of shape \(2, 4\)",
    ),
    refusal(
        "categorical_crossentropy",
        zeros(2),
        zeros(2, 4),
        match=r"target of shape \(2,\), output of shape \(2, 4\)",
    ),
    refusal("categorical_crossentropy", zeros(), zeros(), match="an axis of classes"),
    refusal("categorical_crossentropy", zeros(2, 4), zeros(2, 4), axis=2, match="axis=2"),
    refusal(SPARSE, ids(2, 4), zeros(2, 4), match=r"class indices of shape \(2,\)"),
    refusal(SPARSE, ids(), zeros(), match="an axis of classes"),
    refusal(
        "psnr", LINE, array([1.0]), 1.0, match="ops.psnr\n  expected: two tensors of one shape"
    ),
]

"""Cases of normalization."""

import numpy as np

from keras_fn.testing.conformance.case import (
    FLOATS,
    AxisArgument,
    Case,
    OneOf,
    Refusal,
    array,
    case,
    refusal,
    tensor,
)
from keras_fn.testing.conformance.table.activations import of_floats


def normalize(x, axis=-1, order=2, epsilon=1e-7):
    size = np.linalg.norm(x, order, axis, keepdims=True)
    return x / np.maximum(size, epsilon)


def along(values, x, axes):
    """The values in a shape in which they broadcast."""
    axes = sorted(a % x.ndim for a in axes)
    return np.reshape(values, [n if i in axes else 1 for i, n in enumerate(x.shape)])


def batch(x, mean, variance, axis, offset=None, scale=None, epsilon=1e-3):
    y = (x - along(mean, x, [axis])) / np.sqrt(along(variance, x, [axis]) + epsilon)
    y = y if scale is None else y * along(scale, x, [axis])
    return y if offset is None else y + along(offset, x, [axis])


def axes_of(axis):
    return (axis,) if isinstance(axis, int) else tuple(axis)


def layer(x, gamma=None, beta=None, axis=-1, epsilon=1e-7):
    axes = axes_of(axis)
    y = (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + epsilon)
    y = y if gamma is None else y * along(gamma, x, axes)
    return y if beta is None else y + along(beta, x, axes)


def rms(x, scale=None, axis=-1, epsilon=1e-7):
    axes = axes_of(axis)
    y = x / np.sqrt(np.square(x).mean(axes, keepdims=True) + epsilon)
    return y if scale is None else y * along(scale, x, axes)


def given(shape, **bounds):
    return tensor(shape, static_shape=True, **bounds)


def spread(x):
    """Rows that are far from constant: the variance of near-constant ones is all rounding."""
    return x + 3 * np.arange(x.shape[-1])


VARIANCE = {"low": 0.1, "high": 4.0}

ROWS = tensor("... 4", transform=spread)

X = array(np.ones((2, 3)))

CASES: list[Case] = [
    *(
        case("normalize", tensor("... 4", 0.5, 3), ref=normalize, dtypes=FLOATS, order=order)
        for order in (1, 2, 3, 0.5)
    ),
    case(
        "normalize",
        tensor("... 4", 0.5, 3),
        AxisArgument(),
        ref=normalize,
        dtypes=FLOATS,
        min_size=1,
    ),
    case("normalize", tensor("... 4"), ref=normalize, result_dtype="float", order=OneOf([1, 2, 3])),
    case(
        "normalize",
        tensor("... 4"),
        ref=of_floats(normalize),
        result_dtype="float",
        dtypes=("bool",),
        order=OneOf([1, 2]),
    ),
    case(
        "normalize",
        array([[0.0, 0.0], [1e-9, 0.0], [1e-3, 0.0]]),
        ref=normalize,
        epsilon=1e-4,
        dtypes=("float32",),
    ),
    case(
        "batch_normalization",
        tensor("b 4 3"),
        given("3"),
        given("3", **VARIANCE),
        ref=batch,
        axis=OneOf([-1, 2]),
        dtypes=FLOATS,
    ),
    case(
        "batch_normalization",
        tensor("b 3 4 2"),
        given("3"),
        given("3", **VARIANCE),
        1,
        given("3"),
        given("3"),
        ref=batch,
        dtypes=FLOATS,
    ),
    case(
        "batch_normalization",
        tensor("b 3"),
        given("3"),
        given("3", **VARIANCE),
        -1,
        None,
        given("3"),
        ref=batch,
        epsilon=OneOf([1e-5, 0.1]),
        dtypes=FLOATS,
    ),
    case(
        "batch_normalization",
        tensor("b 3"),
        given("3"),
        given("3", **VARIANCE),
        -1,
        given("3"),
        ref=batch,
        dtypes=FLOATS,
    ),
    case(
        "batch_normalization",
        tensor("b 3", dtype="int32"),
        given("3"),
        given("3", **VARIANCE),
        -1,
        ref=batch,
        dtypes=("float32",),
    ),
    case("layer_normalization", ROWS, ref=layer, dtypes=FLOATS),
    case("layer_normalization", ROWS, given("4"), given("4"), ref=layer, dtypes=FLOATS),
    case(
        "layer_normalization",
        ROWS,
        None,
        given("4"),
        ref=layer,
        epsilon=OneOf([1e-3, 0.5]),
        dtypes=FLOATS,
    ),
    case(
        "layer_normalization",
        tensor("b 3 4", transform=spread),
        given("3 4"),
        given("3 4"),
        ref=layer,
        axis=OneOf([(1, 2), (-1, -2), [2, 1]]),
        dtypes=FLOATS,
    ),
    case(
        "layer_normalization",
        tensor("3 4 b"),
        given("3"),
        ref=layer,
        axis=0,
        epsilon=0.1,
        dtypes=FLOATS,
        min_size=1,
    ),
    case(
        "layer_normalization",
        tensor("3 2 4"),
        given("3 4"),
        given("3 4"),
        ref=layer,
        axis=OneOf([(0, 2), (-1, 0)]),
        epsilon=0.1,
        dtypes=FLOATS,
    ),
    case("rms_normalization", ROWS, ref=rms, dtypes=FLOATS),
    case("rms_normalization", ROWS, given("4"), ref=rms, epsilon=OneOf([1e-3, 0.5]), dtypes=FLOATS),
    case(
        "rms_normalization",
        tensor("b 3 4", transform=spread),
        given("3 4"),
        ref=rms,
        axis=OneOf([(1, 2), (-1, -2), [2, 1]]),
        dtypes=FLOATS,
    ),
    case(
        "rms_normalization",
        tensor("3 2 4"),
        given("3 4"),
        ref=rms,
        axis=OneOf([(0, 2), (-1, 0)]),
        epsilon=0.1,
        dtypes=FLOATS,
    ),
    case("layer_normalization", array([[1000.0, 1001.0, 1002.0]]), ref=layer, dtypes=("float32",)),
]

REFUSALS: list[Refusal] = [
    refusal("layer_normalization", X, axis=2, match="axis=2 for a tensor of rank 2"),
    refusal("rms_normalization", X, axis=-3, match="axis=-3 for a tensor of rank 2"),
    refusal("layer_normalization", X, array(np.ones(2)), match=r"gamma of shape \(3,\)"),
    refusal("layer_normalization", X, None, array(np.ones(2)), match=r"beta of shape \(3,\)"),
    refusal("rms_normalization", X, array(np.ones(2)), match=r"scale of shape \(3,\)"),
    refusal(
        "batch_normalization",
        X,
        array(np.ones(3)),
        array(np.ones(3)),
        2,
        match="axis=2 for a tensor of rank 2",
    ),
    refusal(
        "batch_normalization",
        X,
        array(np.ones(2)),
        array(np.ones(3)),
        -1,
        match=r"mean of shape \(3,\)",
    ),
]

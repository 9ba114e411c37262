"""Every primitive op against NumPy, on whichever backend runs: values, dtypes, inferred shapes.

A row of the table is a call of an op. `T` stands for a tensor that the test draws, in each dtype
of the row; `A` for a given array. Each row is checked three times: the value against the
reference, the dtype against what the row says, the inferred shape against the real one.
"""

import inspect
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

import ml_dtypes
import numpy as np
import pytest
import scipy.special
from numpy.lib.stride_tricks import sliding_window_view

import keras_fn.ops
from keras_fn.core import tree
from keras_fn.core.arithmetic import OPS
from keras_fn.core.keras_tensor import KerasTensor

FLOATS = ("float32", "bfloat16")
NUMBERS = (*FLOATS, "int32")
ALL = (*NUMBERS, "bool")
TOLERANCE = {"float32": {"rtol": 3e-5, "atol": 1e-5}, "bfloat16": {"rtol": 2e-2, "atol": 2e-2}}


class T(NamedTuple):
    """A tensor of that shape, drawn between two bounds."""

    shape: tuple[int, ...]
    low: float = -3.0
    high: float = 3.0


class W(T):
    """A `T` that is no batch: all its sizes are known where a graph is built."""


class A(NamedTuple):
    """A given array; with a dtype, it is of that one whatever the row's dtype is."""

    values: Any
    dtype: str | None = None


@dataclass(eq=False)
class Row:
    """One call of an op, what it is compared with, and the dtypes that it is tried in."""

    op: str
    args: tuple[Any, ...]
    reference: Callable[..., Any]
    dtypes: tuple[str, ...] = NUMBERS
    result: str = "same"  # or "float", "sum", or a dtype: what becomes of the operand's
    options: dict[str, Any] = field(default_factory=dict)


def row(op: str, *args: Any, ref: Any, dtypes: Any = NUMBERS, result: str = "same", **options: Any):
    return Row(op, args, ref, dtypes, result, options)


# ---------------------------------------------------------------- references


def windows(x, window, strides, padding, dilation, fill):
    """The windows of `x` (batch, *sizes, channels), along new last axes."""
    reach = [(k - 1) * d + 1 for k, d in zip(window, dilation, strict=True)]
    if padding == "same":
        pads = []
        for n, r, s in zip(x.shape[1:-1], reach, strides, strict=True):
            total = max((-(-n // s) - 1) * s + r - n, 0)
            pads.append((total // 2, total - total // 2))
        x = np.pad(x, [(0, 0), *pads, (0, 0)], constant_values=fill)
    rank = len(window)
    view = sliding_window_view(x, reach, axis=tuple(range(1, rank + 1)))
    view = view[(slice(None), *(slice(None, None, s) for s in strides))]
    return view[(..., *(slice(None, None, d) for d in dilation))]


def channels_last(reference):
    """Lets a reference written for channels last serve both layouts."""

    def call(x, *args, data_format="channels_last", **options):
        if data_format == "channels_first":
            return np.moveaxis(reference(np.moveaxis(x, 1, -1), *args, **options), -1, 1)
        return reference(x, *args, **options)

    return call


def each(value, rank):
    return (value,) * rank if isinstance(value, int) else tuple(value)


@channels_last
def conv(x, kernel, strides=1, padding="valid", dilation_rate=1):
    rank = x.ndim - 2
    view = windows(
        x, kernel.shape[:-2], each(strides, rank), padding, each(dilation_rate, rank), 0
    )  # (batch, *sizes, channels, *window)
    groups = x.shape[-1] // kernel.shape[-2]
    depth, filters = kernel.shape[-2], kernel.shape[-1] // groups
    parts = []
    for g in range(groups):
        part = np.moveaxis(view, rank + 1, -1)[..., g * depth : (g + 1) * depth]
        weights = kernel[..., g * filters : (g + 1) * filters]
        parts.append(np.tensordot(part, weights, axes=rank + 1))
    return np.concatenate(parts, -1)


@channels_last
def conv_transpose(x, kernel, strides=1, padding="valid", dilation_rate=1):
    """Each element spreads the kernel over the output: the adjoint of `conv`."""
    rank = x.ndim - 2
    steps, dilation = each(strides, rank), each(dilation_rate, rank)
    reach = [(k - 1) * d + 1 for k, d in zip(kernel.shape, dilation, strict=False)]
    sizes = x.shape[1:-1]
    full = [(n - 1) * s + max(r, s) for n, s, r in zip(sizes, steps, reach, strict=True)]
    out = np.zeros((x.shape[0], *full, kernel.shape[-2]))
    for place in np.ndindex(*sizes):
        for tap in np.ndindex(*kernel.shape[:-2]):
            at = [p * s + t * d for p, s, t, d in zip(place, steps, tap, dilation, strict=True)]
            out[(slice(None), *at)] += x[(slice(None), *place)] @ kernel[tap].T
    if padding == "same":  # what a forward convolution of n * s elements would have been padded
        for axis, (n, s, r) in enumerate(zip(sizes, steps, reach, strict=True), 1):
            before = max(r - s, 0) // 2
            out = out.take(range(before, before + n * s), axis)
    return out


def pool(reduce, fill):
    @channels_last
    def call(x, pool_size, strides=None, padding="valid"):
        rank = x.ndim - 2
        window = each(pool_size, rank)
        steps = window if strides is None else each(strides, rank)
        view = windows(x, window, steps, padding, (1,) * rank, fill)
        return reduce(view, tuple(range(-rank, 0)))

    return call


def softmax(x, axis=-1):
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def top_k(x, k, sorted=True):
    order = np.argsort(-x, axis=-1, kind="stable")[..., :k]
    return np.take_along_axis(x, order, -1), order


def take(x, indices, axis=None):
    size = x.size if axis is None else x.shape[axis]
    indices = np.where(indices < 0, indices + size, indices)
    return np.take(x, indices, axis, mode="clip")


def either(function):
    """Reduces booleans with NumPy's keywords."""
    return lambda x, axis=None, keepdims=False: function(x != 0, axis=axis, keepdims=keepdims)


# ---------------------------------------------------------------- the table

UNARY_FLOAT = {
    "exp": (np.exp, -3, 3), "exp2": (np.exp2, -3, 3), "expm1": (np.expm1, -2, 2),
    "log": (np.log, 0.1, 5), "log2": (np.log2, 0.1, 5), "log10": (np.log10, 0.1, 5),
    "log1p": (np.log1p, -0.5, 5), "sqrt": (np.sqrt, 0, 5), "sin": (np.sin, -3, 3),
    "rsqrt": (lambda x: 1 / np.sqrt(x), 0.1, 5), "cos": (np.cos, -3, 3),
    "tan": (np.tan, -1, 1), "arcsin": (np.arcsin, -0.9, 0.9), "arccos": (np.arccos, -0.9, 0.9),
    "arctan": (np.arctan, -3, 3), "sinh": (np.sinh, -2, 2), "cosh": (np.cosh, -2, 2),
    "tanh": (np.tanh, -3, 3), "arcsinh": (np.arcsinh, -3, 3), "arccosh": (np.arccosh, 1, 5),
    "arctanh": (np.arctanh, -0.9, 0.9), "sigmoid": (scipy.special.expit, -5, 5),
    "erf": (scipy.special.erf, -2, 2), "erfinv": (scipy.special.erfinv, -0.9, 0.9),
    "floor": (np.floor, -3, 3), "ceil": (np.ceil, -3, 3),
}  # fmt: skip
ARITHMETIC = {
    "add": np.add, "subtract": np.subtract, "multiply": np.multiply,
    "maximum": np.maximum, "minimum": np.minimum,
}  # fmt: skip
COMPARISON = {
    "equal": np.equal, "not_equal": np.not_equal, "less": np.less,
    "less_equal": np.less_equal, "greater": np.greater, "greater_equal": np.greater_equal,
}  # fmt: skip
BITWISE = {
    "bitwise_and": np.bitwise_and, "bitwise_or": np.bitwise_or, "bitwise_xor": np.bitwise_xor,
}  # fmt: skip
LOGICAL = {
    "logical_and": np.logical_and, "logical_or": np.logical_or, "logical_xor": np.logical_xor,
}  # fmt: skip
REDUCTIONS = {
    "sum": (np.sum, ALL, "sum"), "prod": (np.prod, ALL, "sum"), "mean": (np.mean, ALL, "float"),
    "max": (np.max, ALL, "same"), "min": (np.min, ALL, "same"),
    "all": (either(np.all), ALL, "bool"), "any": (either(np.any), ALL, "bool"),
}  # fmt: skip
SPECIAL = A([[0.0, -1.5, np.inf], [-np.inf, np.nan, 2.0]], "float32")

ROWS = [
    *(row(n, T((2, 3), *bounds), ref=f, result="float") for n, (f, *bounds) in UNARY_FLOAT.items()),
    *(row(n, T((2, 3)), T((3,)), ref=f) for n, f in ARITHMETIC.items()),
    *(row(n, T((2, 3)), 2, ref=f) for n, f in ARITHMETIC.items()),
    *(row(n, 2, T((2, 3)), ref=f) for n, f in ARITHMETIC.items()),
    *(row(n, T((2, 1)), T((3,)), ref=f, dtypes=ALL, result="bool") for n, f in COMPARISON.items()),
    *(row(n, 1, T((2, 3)), ref=f, result="bool") for n, f in COMPARISON.items()),
    *(row(n, T((2, 3)), 1, ref=f, result="bool") for n, f in COMPARISON.items()),
    *(row(n, T((2, 3)), T((3,)), ref=f, dtypes=("int32", "bool")) for n, f in BITWISE.items()),
    *(row(n, T((2, 3)), T((3,)), ref=f, dtypes=ALL, result="bool") for n, f in LOGICAL.items()),
    *(row(n, T((2, 3)), True, ref=f, dtypes=ALL, result="bool") for n, f in LOGICAL.items()),
    row("logical_not", T((2, 3), 0, 1), ref=lambda x: x == 0, dtypes=ALL, result="bool"),
    row("bitwise_not", T((2, 3)), ref=np.invert, dtypes=("int32", "bool")),
    row("true_divide", T((2, 3)), T((3,), 1, 3), ref=np.true_divide, result="float"),
    row("true_divide", 1, T((2, 3), 1, 3), ref=np.true_divide, result="float"),
    row("floor_divide", T((2, 3), -9, 9), T((3,), 2, 4), ref=np.floor_divide, dtypes=("int32",)),
    row("floor_divide", T((2, 3), -9, 9), 2.5, ref=np.floor_divide, dtypes=("float32",)),
    row("mod", T((2, 3), -9, 9), 3, ref=np.mod, dtypes=("int32", "float32")),
    row("mod", 7, T((2, 3), -4, -2), ref=np.mod, dtypes=("int32", "float32")),
    row("power", T((2, 3), 0.5, 3), T((3,), 0, 3), ref=np.power),
    row("power", T((2, 3)), 2, ref=np.power),
    row("power", 2, T((2, 3), 0, 3), ref=np.power),
    row("arctan2", T((2, 3), 1, 3), T((3,), 1, 3), ref=np.arctan2, result="float"),
    row("arctan2", T((2, 3), 1, 3), 1.0, ref=np.arctan2, result="float"),
    row("absolute", T((2, 3)), ref=np.absolute, dtypes=ALL),
    row("negative", T((2, 3)), ref=np.negative),
    row("sign", T((2, 3)), ref=np.sign),
    row("sign", SPECIAL, ref=np.sign, dtypes=("float32",)),
    row("round", A([0.5, 1.5, -2.5, 2.4], "float32"), ref=np.round, dtypes=("float32",)),
    row("round", T((2, 3)), ref=np.round, dtypes=("float32",), decimals=2),
    row("round", T((2, 3), -99, 99), ref=np.round, dtypes=("int32",)),
    row("stop_gradient", T((2, 3)), ref=lambda x: x, dtypes=ALL),
    *(
        row(n, SPECIAL, ref=f, dtypes=("float32",), result="bool")
        for n, f in {"isfinite": np.isfinite, "isinf": np.isinf, "isnan": np.isnan}.items()
    ),
    *(row(n, T((2, 3)), ref=np.isnan, dtypes=("int32",), result="bool")
      for n in ("isinf", "isnan")),
    row("where", A([[True], [False]], "bool"), T((2, 3)), T((3,)), ref=np.where, dtypes=ALL),
    row("where", A([[1, 0, 2]], "int32"), T((2, 3)), 1, ref=np.where),
    row("cast", T((2, 3)), ref=lambda x, dtype: x.astype(dtype), dtypes=ALL, result="float32",
        dtype="float32"),
    row("cast", T((2, 3)), ref=lambda x, dtype: x.astype(dtype), dtypes=ALL, result="int32",
        dtype="int32"),
    # Reductions
    *(row(n, T((2, 3, 4), -2, 2), ref=f, dtypes=d, result=r)
      for n, (f, d, r) in REDUCTIONS.items()),
    *(row(n, T((2, 3, 4), -2, 2), ref=f, dtypes=d, result=r, axis=1)
      for n, (f, d, r) in REDUCTIONS.items()),
    *(row(n, T((2, 3, 4), -2, 2), ref=f, dtypes=d, result=r, axis=(0, -1), keepdims=True)
      for n, (f, d, r) in REDUCTIONS.items()),
    row("sum", A([[200, 100]], "uint8"), ref=np.sum, dtypes=("uint8",), result="uint32"),
    row("max", A([1.0, np.nan], "float32"), ref=np.max, dtypes=("float32",)),
    *(row(n, T((3, 4), -9, 9), ref=f, result="int32") for n, f in
      {"argmax": np.argmax, "argmin": np.argmin}.items()),
    *(row(n, T((3, 4), -1, 1), ref=f, dtypes=ALL, result="int32", axis=-1, keepdims=True)
      for n, f in {"argmax": np.argmax, "argmin": np.argmin}.items()),
    *(row(n, T((2, 3)), ref=f, dtypes=ALL, result="sum", axis=1)
      for n, f in {"cumsum": np.cumsum, "cumprod": np.cumprod}.items()),
    row("cumsum", T((2, 3)), ref=np.cumsum),
    # Shapes
    row("reshape", T((2, 6)), (3, -1), ref=np.reshape, dtypes=ALL),
    row("reshape", T((2, 6)), 12, ref=np.reshape),
    row("transpose", T((2, 3, 4)), ref=np.transpose, dtypes=ALL),
    row("transpose", T((2, 3, 4)), ref=np.transpose, axes=(1, -1, 0)),
    row("expand_dims", T((2, 3)), ref=np.expand_dims, axis=-1),
    row("expand_dims", T((2, 3)), ref=np.expand_dims, axis=(0, -1)),
    row("squeeze", T((2, 1, 3, 1)), ref=np.squeeze, axis=(1, -1)),
    row("squeeze", T((2, 1, 3, 1)), ref=np.squeeze, axis=1),
    row("concatenate", [T((2, 3)), T((2, 1))], ref=np.concatenate, dtypes=ALL, axis=1),
    row("concatenate", [T((2, 3)), T((2, 1))], ref=np.concatenate, axis=None),
    row("stack", [T((2, 3)), T((2, 3))], ref=np.stack, dtypes=ALL, axis=1),
    row("split", T((2, 6)), 3, ref=np.split, dtypes=ALL, axis=-1),
    row("split", T((2, 6)), [1, 4], ref=np.split, axis=1),
    row("unstack", T((2, 3)), ref=lambda x, axis: list(np.moveaxis(x, axis, 0)), axis=1),
    row("tile", T((2, 3)), (2, 1, 2), ref=np.tile),
    row("tile", T((2, 3)), 2, ref=np.tile, dtypes=ALL),
    row("repeat", T((2, 3)), 2, ref=np.repeat),
    row("repeat", T((2, 3)), [1, 0, 2], ref=np.repeat, axis=1),
    row("flip", T((2, 3)), ref=np.flip, dtypes=ALL),
    row("flip", T((2, 3)), ref=np.flip, axis=1),
    row("broadcast_to", T((3,)), (2, 3), ref=np.broadcast_to, dtypes=ALL),
    row("pad", T((2, 3)), ((0, 0), (1, 2)), ref=np.pad, dtypes=ALL),
    row("pad", T((2, 3)), 1, ref=lambda *a, **k: np.pad(*a, constant_values=7),
        constant_values=7),
    row("pad", T((2, 3)), ((0, 0), (2, 1)), ref=np.pad, mode="reflect"),
    row("pad", T((2, 3, 2, 2)), ((1, 0), (2, 3), (0, 0), (1, 1)), ref=np.pad, mode="symmetric"),
    # Products
    row("matmul", T((2, 3)), T((3, 4)), ref=np.matmul, dtypes=ALL),
    row("matmul", T((2, 1, 3, 4)), T((5, 4, 2)), ref=np.matmul),
    row("matmul", T((2, 3)), T((3,)), ref=np.matmul),
    row("matmul", T((3,)), T((2, 3, 4)), ref=np.matmul),
    row("tensordot", T((2, 3, 4)), T((3, 4, 5)), ref=np.tensordot),
    row("tensordot", T((2, 3)), T((3, 2)), ref=np.tensordot, axes=[[0], [1]]),
    row("einsum", "bij, bjk -> bki", T((2, 3, 4)), T((2, 4, 5)), ref=np.einsum),
    row("einsum", "...i,ij", T((2, 3, 4)), T((4, 5)), ref=np.einsum),
    # Selection
    *(row("getitem", T((4, 5, 3)), key, ref=lambda x, k: x[k]) for key in (
        0, slice(1, None), (slice(None), slice(None, None, -1)), (Ellipsis, -1),
        (slice(None), None, slice(4, 0, -2), 1), (slice(3, 0, -1), Ellipsis, slice(-2, -4, -1)),
    )),
    row("take", T((5, 3)), A([[0, -1], [2, 4]], "int32"), ref=take, dtypes=ALL, axis=0),
    row("take", T((2, 5)), A([0, -1, 9, 2], "int32"), ref=take, axis=1),
    row("take", T((5, 3)), A([0, -15, 14], "int32"), ref=take),
    row("take", T((5, 3)), 2, ref=take, axis=0),
    row("take_along_axis", T((2, 3)), A([[0, 2], [-1, 1]], "int32"), ref=np.take_along_axis,
        axis=1),
    row("sort", T((2, 5), -9, 9), ref=np.sort, dtypes=NUMBERS),
    row("sort", T((2, 5), -9, 9), ref=np.sort, axis=0),
    row("argsort", A([[3, 1, 3, 1, 2]]), ref=lambda x: np.argsort(x, kind="stable"),
        result="int32"),
    row("argsort", T((2, 9), 0, 3), ref=lambda x, axis: np.argsort(x, axis, kind="stable"),
        dtypes=("int32",), result="int32", axis=None),
    row("top_k", A([[3, 9, -1, 7], [0, 5, 6, 2]]), 2, ref=top_k, result="same,int32"),
    # Neural networks
    row("softmax", T((2, 5), -9, 9), ref=softmax, dtypes=FLOATS),
    row("softmax", T((2, 3, 4), -9, 9), ref=softmax, dtypes=FLOATS, axis=(1, 2)),
    row("conv", T((2, 7, 3)), W((3, 3, 4)), ref=conv, dtypes=FLOATS, data_format="channels_last"),
    row("conv", T((2, 3, 7)), W((4, 3, 4)), ref=conv, dtypes=("float32",), padding="same",
        strides=2, data_format="channels_first"),
    *(row("conv", T((2, 6, 7, 4)), W((3, 2, 4 // groups, 8)), ref=conv, dtypes=("float32",),
          padding=padding, strides=strides, dilation_rate=dilation, data_format="channels_last")
      for padding, strides, dilation, groups in (
          ("same", 1, 1, 1), ("same", (2, 3), 1, 2), ("same", 1, 2, 4), ("valid", 2, 1, 1))),
    row("conv", T((1, 2, 4, 5, 5)), W((2, 3, 2, 2, 3)), ref=conv, dtypes=("float32",),
        padding="same", data_format="channels_first"),
    *(row("conv_transpose", T((2, 4, 3, 2)), W((k, 3, 5, 2)), ref=conv_transpose,
          dtypes=("float32",), padding=padding, strides=strides, dilation_rate=dilation,
          data_format="channels_last")
      for k, padding, strides, dilation in (
          (3, "valid", 1, 1), (4, "same", 2, 1), (2, "valid", 3, 1), (2, "same", 3, 1),
          (3, "same", 1, 2))),
    row("conv_transpose", T((2, 2, 4)), W((3, 5, 2)), ref=conv_transpose, dtypes=FLOATS,
        padding="same", strides=2, data_format="channels_first"),
    # Output paddings, as noted from Keras 3.
    *(row("conv_transpose", A([[[1], [2], [3]]]), A([[[1]], [[10]], [[100]]]),
          ref=lambda *a, _w=wanted, **k: np.reshape(_w, (1, -1, 1)), dtypes=("float32",),
          data_format="channels_last", **options)
      for wanted, options in (
          ([10, 102, 20, 203, 30], {"strides": 2, "padding": "same", "output_padding": 0}),
          ([1, 10, 102, 20, 203, 30], {"strides": 2, "padding": "same", "output_padding": 1}),
          ([1, 10, 102, 20, 203, 30, 300, 0],
           {"strides": 2, "padding": "valid", "output_padding": 1}))),
    *(row(n, T(shape), window, ref=pool(f, fill), dtypes=("float32",), strides=strides,
          padding=padding, data_format=layout)
      for n, f, fill in (("max_pool", np.max, -np.inf), ("average_pool", np.nanmean, np.nan))
      for shape, window, strides, padding, layout in (
          ((2, 7, 3), 2, None, "valid", "channels_last"),
          ((2, 7, 5, 3), 2, None, "same", "channels_last"),
          ((2, 3, 7, 6), (3, 2), (2, 1), "same", "channels_first"),
          ((2, 6, 6, 3), 3, 2, "same", "channels_last"),
          ((1, 4, 5, 6, 2), (2, 3, 2), 2, "same", "channels_last"))),
]  # fmt: skip


# ---------------------------------------------------------------- the tests

CASES = [(r, dtype) for r in ROWS for dtype in r.dtypes]
IDS = [f"{r.op}-{dtype}-{i}" for i, (r, dtype) in enumerate(CASES)]


def numpy_dtype(name):
    return np.dtype(getattr(ml_dtypes, name, name))


def draw(spec, dtype, rng):
    """Returns the array of a `T` or an `A`."""
    if isinstance(spec, A):
        return np.asarray(spec.values).astype(numpy_dtype(spec.dtype or dtype))
    if dtype == "bool":
        return rng.random(spec.shape) < 0.5
    if dtype == "int32":
        return rng.integers(np.ceil(spec.low), np.floor(spec.high) + 1, spec.shape, dtype=dtype)
    return rng.uniform(spec.low, spec.high, spec.shape).astype(numpy_dtype(dtype))


def map_tensors(args, function):
    """The arguments with `function` applied to each `T` and `A`."""

    def one(x):
        if isinstance(x, (T, A)):
            return function(x)
        if isinstance(x, list) and x and isinstance(x[0], T):
            return [function(item) for item in x]
        return x

    return [one(x) for x in args]


def arrays_of(case, dtype):
    rng = np.random.default_rng(zlib.crc32(f"{case.op}{dtype}".encode()))
    return map_tensors(case.args, lambda spec: draw(spec, dtype, rng))


def wide(x):
    """An array as NumPy's references want it: bfloat16 they do not know."""
    if isinstance(x, list):
        return [wide(item) for item in x]
    if not isinstance(x, np.ndarray):
        return x
    return x.astype("float64" if x.dtype.kind not in "biu" else x.dtype)


def dtype_after(kind, dtype):
    """The dtype that a row says, for an operand of `dtype`."""
    if kind == "float":
        return dtype if "float" in dtype else "float32"
    if kind == "sum":
        return "int32" if dtype == "bool" else dtype
    return dtype if kind == "same" else kind


@cache
def run(case, dtype):
    return tree.flatten(_as_list(OPS[case.op](*arrays_of(case, dtype), **case.options)))


def _as_list(x):
    return list(x) if isinstance(x, (list, tuple)) else [x]


@pytest.mark.parametrize(("case", "dtype"), CASES, ids=IDS)
def test_op_agrees_with_its_reference(case, dtype):
    results = run(case, dtype)
    arrays = arrays_of(case, dtype)
    with np.errstate(all="ignore"):
        wanted = _as_list(case.reference(*wide(arrays), **case.options))
    assert len(results) == len(wanted)
    kinds = case.result.split(",")
    for i, (result, want) in enumerate(zip(results, wanted, strict=True)):
        got = keras_fn.ops.convert_to_numpy(result)
        assert str(got.dtype) == dtype_after(kinds[min(i, len(kinds) - 1)], dtype)
        assert got.shape == np.shape(want)
        tolerance = TOLERANCE["bfloat16" if dtype == "bfloat16" else "float32"]
        np.testing.assert_allclose(got.astype("float64"), want.astype("float64"), **tolerance)


@pytest.mark.parametrize("batch", ["known", "unknown"])
@pytest.mark.parametrize(("case", "dtype"), CASES, ids=IDS)
def test_inferred_shape_and_dtype_are_the_real_ones(case, dtype, batch):
    def symbol(spec):
        if isinstance(spec, A):
            array = draw(spec, dtype, None)
            return KerasTensor(array.shape, str(array.dtype))
        if batch == "unknown" and type(spec) is T and len(spec.shape) > 1:
            return KerasTensor((None, *spec.shape[1:]), dtype)
        return KerasTensor(spec.shape, dtype)

    if batch == "unknown" and case.op == "reshape":
        pytest.skip("A size of -1 and an unknown batch leave nothing to compare.")
    specs = _as_list(OPS[case.op](*map_tensors(case.args, symbol), **case.options))
    results = run(case, dtype)
    assert len(specs) == len(results)
    for spec, result in zip(specs, results, strict=True):
        real = keras_fn.ops.convert_to_numpy(result)
        assert spec.dtype == str(real.dtype)
        assert len(spec.shape) == real.ndim
        known = [(a, b) for a, b in zip(spec.shape, real.shape, strict=True) if a is not None]
        assert all(a == b for a, b in known)
        assert batch == "unknown" or len(known) == real.ndim


def test_every_primitive_has_a_row():
    primitives = {name for name, op in OPS.items() if op.op.rule and not has_body(op.op.fn)}
    assert primitives - {r.op for r in ROWS} == set()


def has_body(function):
    """Whether there is more than a docstring."""
    lines = inspect.getsource(function).rstrip()
    return not lines.endswith('"""')


@pytest.mark.parametrize("name", sorted(n for n in OPS if OPS[n].op.rule))
def test_options_can_be_given_by_name(name):
    case = next((r for r in ROWS if r.op == name and r.args), None)
    if case is None:
        pytest.skip("No row.")
    dtype = case.dtypes[0]
    arrays = arrays_of(case, dtype)
    parameters = list(inspect.signature(OPS[name].op.fn).parameters.values())
    if parameters[-1].kind is inspect.Parameter.VAR_POSITIONAL:
        pytest.skip("Operands without names.")
    named = {p.name: x for p, x in zip(parameters, arrays, strict=False)}
    by_place, by_name = run(case, dtype), OPS[name](**named, **case.options)
    for a, b in zip(by_place, tree.flatten(_as_list(by_name)), strict=True):
        np.testing.assert_array_equal(*map(keras_fn.ops.convert_to_numpy, (a, b)))

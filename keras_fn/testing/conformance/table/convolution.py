"""Windows that slide over space: convolution, pooling, columns; blocks of pixels and channels."""

import math

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from keras_fn.testing.conformance.case import (  # fmt: skip
    FLOATS,
    NUMBERS,
    A,
    Case,
    OneOf,
    Refusal,
    T,
    case,
    refusal,
)

# ---------------------------------------------------------------- references


def each(value, rank):
    return (value,) * rank if isinstance(value, int) else tuple(value)


def channels_last(reference):
    """Lets a reference written for channels last serve both layouts."""

    def call(x, *args, data_format="channels_last", **options):
        if data_format == "channels_first":
            return np.moveaxis(reference(np.moveaxis(x, 1, -1), *args, **options), -1, 1)
        return reference(x, *args, **options)

    return call


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


@channels_last
def conv(x, kernel, strides=1, padding="valid", dilation_rate=1):
    rank = x.ndim - 2
    window = kernel.shape[:-2]
    view = windows(x, window, each(strides, rank), padding, each(dilation_rate, rank), 0)
    groups = x.shape[-1] // kernel.shape[-2]
    depth, filters = kernel.shape[-2], kernel.shape[-1] // groups
    parts = []
    for g in range(groups):
        part = np.moveaxis(view, rank + 1, -1)[..., g * depth : (g + 1) * depth]
        weights = kernel[..., g * filters : (g + 1) * filters]
        parts.append(np.tensordot(part, weights, axes=rank + 1))
    return np.concatenate(parts, -1)


@channels_last
def depthwise_conv(x, kernel, **options):
    *window, depth, multiplier = kernel.shape
    return conv(x, kernel.reshape(*window, 1, depth * multiplier), **options)


@channels_last
def separable_conv(x, depthwise, pointwise, **options):
    return conv(depthwise_conv(x, depthwise, **options), pointwise)


@channels_last
def conv_transpose(x, kernel, strides=1, padding="valid", output_padding=None, dilation_rate=1):
    """Each element spreads the kernel over the output; then what `padding` keeps of it."""
    rank = x.ndim - 2
    steps, dilation = each(strides, rank), each(dilation_rate, rank)
    extra = (None,) * rank if output_padding is None else each(output_padding, rank)
    reach = [(k - 1) * d + 1 for k, d in zip(kernel.shape, dilation, strict=False)]
    sizes = x.shape[1:-1]
    full = [(n - 1) * s + r for n, s, r in zip(sizes, steps, reach, strict=True)]
    out = np.zeros((x.shape[0], *full, kernel.shape[-2]))
    for place in np.ndindex(*sizes):
        for tap in np.ndindex(*kernel.shape[:-2]):
            at = [p * s + t * d for p, s, t, d in zip(place, steps, tap, dilation, strict=True)]
            out[(slice(None), *at)] += x[(slice(None), *place)] @ kernel[tap].T
    for axis, (n, s, r, e) in enumerate(zip(sizes, steps, reach, extra, strict=True), 1):
        if padding == "valid":
            before, size = 0, (n - 1) * s + (max(r, s) if e is None else r + e)
        elif e is None:  # what a forward convolution of n * s elements would have been padded
            before, size = max(r - s, 0) // 2, n * s
        else:
            before, size = max(2 * (r // 2) - e, 0) // 2, (n - 1) * s + r - 2 * (r // 2) + e
        more = max(before + size - out.shape[axis], 0)
        out = np.pad(out, [(0, more if i == axis else 0) for i in range(rank + 2)])
        out = out.take(range(before, before + size), axis)
    return out


def pool(reduce, fill):
    @channels_last
    def call(x, pool_size, strides=None, padding="valid"):
        rank = x.ndim - 2
        window = each(pool_size, rank)
        steps = window if strides is None else each(strides, rank)
        view = windows(np.asarray(x, "float64"), window, steps, padding, (1,) * rank, fill)
        return reduce(view, tuple(range(-rank, 0)))

    return call


def adaptive(reduce):
    @channels_last
    def call(x, output_size):
        sizes = x.shape[1:-1]
        wanted = each(output_size, len(sizes))
        out = np.zeros((x.shape[0], *wanted, x.shape[-1]))
        for place in np.ndindex(*wanted):
            box = [
                slice(math.floor(i * n / m), math.ceil((i + 1) * n / m))
                for i, n, m in zip(place, sizes, wanted, strict=True)
            ]
            part = x[(slice(None), *box)]
            out[(slice(None), *place)] = reduce(part, tuple(range(1, len(sizes) + 1)))
        return out

    return call


def unfold(x, kernel_size, dilation=1, padding=0, stride=1):
    (kh, kw), (dh, dw) = each(kernel_size, 2), each(dilation, 2)
    (ph, pw), strides = each(padding, 2), each(stride, 2)
    x = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    view = sliding_window_view(x, ((kh - 1) * dh + 1, (kw - 1) * dw + 1), (2, 3))
    view = view[:, :, :: strides[0], :: strides[1], ::dh, ::dw]
    n, c, rows, columns = view.shape[:4]
    return np.transpose(view, (0, 1, 4, 5, 2, 3)).reshape(n, c * kh * kw, rows * columns)


def fold(x, output_size, kernel_size, **options):
    """The adjoint of `unfold`, from what that does with each pixel."""
    h, w = each(output_size, 2)
    kh, kw = each(kernel_size, 2)
    pixels = np.eye(h * w).reshape(h * w, 1, h, w)
    matrix = unfold(pixels, kernel_size, **options).reshape(h * w, -1)
    n, depth, count = x.shape
    channels = depth // (kh * kw)
    columns = x.reshape(n, channels, kh * kw * count)
    return (columns @ matrix.T).reshape(n, channels, h, w)


def depth_to_space(x, b, data_format="channels_last"):
    if data_format == "channels_first":
        n, c, h, w = x.shape
        x = x.reshape(n, c // b**2, b, b, h, w)
        return x.transpose(0, 1, 4, 2, 5, 3).reshape(n, c // b**2, h * b, w * b)
    n, h, w, c = x.shape
    x = x.reshape(n, h, w, b, b, c // b**2)
    return x.transpose(0, 1, 3, 2, 4, 5).reshape(n, h * b, w * b, c // b**2)


def space_to_depth(x, b, data_format="channels_last"):
    if data_format == "channels_first":
        n, c, h, w = x.shape
        x = x.reshape(n, c, h // b, b, w // b, b)
        return x.transpose(0, 1, 3, 5, 2, 4).reshape(n, c * b**2, h // b, w // b)
    n, h, w, c = x.shape
    x = x.reshape(n, h // b, b, w // b, b, c)
    return x.transpose(0, 1, 3, 2, 4, 5).reshape(n, h // b, w // b, c * b**2)


# ---------------------------------------------------------------- the table


def weights(shape):
    return T(shape, known=True)


LAST = {"data_format": "channels_last"}
FIRST = {"data_format": "channels_first"}
F32 = {"dtypes": ("float32",)}
SAME = {"padding": "same"}

CONV = [
    # inputs, kernel, options
    ("b 7 3", "3 3 4", LAST),
    ("b 3 7", "4 3 4", {**SAME, "strides": 2, **FIRST}),
    ("b 6 7 4", "3 2 4 8", {**SAME, **LAST}),
    ("b 6 7 4", "3 2 2 8", {**SAME, "strides": (2, 3), **LAST}),
    ("b 6 7 4", "3 2 1 8", {**SAME, "dilation_rate": 2, **LAST}),
    ("b 6 7 4", "3 3 4 2", {"strides": 2, **LAST}),
    ("b 4 9 7", "3 2 2 6", {"dilation_rate": (2, 1), **FIRST}),
    ("b 9 9 2", "2 2 2 3", {**SAME, "strides": 2, "dilation_rate": 2, **LAST}),
    ("1 4 5 5 2", "2 3 2 2 3", {**SAME, **LAST}),
    ("1 2 4 5 5", "2 3 2 2 3", {"strides": (1, 2, 1), **FIRST}),
]
TRANSPOSED = [
    (3, "valid", 1, 1, None), (4, "same", 2, 1, None), (2, "valid", 3, 1, None),
    (2, "same", 3, 1, None), (3, "same", 1, 2, None), (3, "same", 2, 1, 0), (3, "same", 2, 1, 1),
    (3, "valid", 2, 1, 1), (2, "same", 2, 1, 1), (3, "valid", 1, 2, 0),
]  # fmt: skip
POOLED = [
    ("b 7 3", 2, {**LAST}),
    ("b 7 5 3", 2, {**SAME, **LAST}),
    ("b 3 7 6", (3, 2), {"strides": (2, 1), **SAME, **FIRST}),
    ("b 6 6 3", 3, {"strides": 2, **SAME, **LAST}),
    ("b 5 4", 2, {"strides": 1, **SAME, **LAST}),
    ("1 4 5 6 2", (2, 3, 2), {"strides": 2, **SAME, **LAST}),
    ("1 2 4 5 6", 2, {**FIRST}),
]
ADAPTIVE = [
    ("b 5 2", 3, LAST), ("b 6 2", 3, LAST), ("b 3 2", 5, FIRST), ("b 5 7 2", (3, 2), LAST),
    ("b 3 4 6", 2, FIRST), ("1 3 4 5 2", (2, 3, 5), LAST), ("b 1 2", 1, LAST),
]  # fmt: skip
COLUMNS = [
    ((3, 4), {"kernel_size": 2}),
    ((3, 4), {"kernel_size": (2, 1), "dilation": 2, "padding": 1, "stride": (1, 2)}),
    ((5, 4), {"kernel_size": (3, 2), "stride": 2}),
    ((5, 6), {"kernel_size": (2, 3), "padding": (0, 2), "dilation": (2, 1), "stride": (3, 1)}),
    ((4, 4), {"kernel_size": 2, "stride": 2}),
]


def columns_of(size, options):
    """The number of rows and columns of what `unfold` gives for one channel."""
    return unfold(np.zeros((1, 1, *size)), **options).shape[1:]


def transposed(k, padding, strides, dilation, extra):
    options = {"padding": padding, "strides": strides, "dilation_rate": dilation}
    return {**options, "output_padding": extra, **LAST}


EXACT = ("int32", "int64", "int8", "uint8", "bool")

CASES: list[Case] = [
    *(case("conv", T(x), weights(k), ref=conv, dtypes=FLOATS, options=o) for x, k, o in CONV),
    *(case(name, T("b 5 2"), *map(weights, kernels), ref=ref, dtypes=EXACT, options=LAST)
      for name, ref, kernels in (
          ("conv", conv, ["2 2 3"]), ("conv_transpose", conv_transpose, ["2 3 2"]),
          ("depthwise_conv", depthwise_conv, ["2 2 3"]),
          ("separable_conv", separable_conv, ["2 2 1", "1 2 3"]))),
    *(case("conv_transpose", T("b 4 3 2"), weights(f"{row[0]} 3 5 2"), ref=conv_transpose,
           options=transposed(*row), **F32) for row in TRANSPOSED),
    case("conv_transpose", T("b 2 4"), weights("3 5 2"), ref=conv_transpose, dtypes=FLOATS,
         strides=2, **SAME, **FIRST),
    case("conv_transpose", T("1 2 3 2 2"), weights("2 2 3 4 2"), ref=conv_transpose,
         strides=(1, 2, 2), **LAST, **F32),
    *(case("depthwise_conv", T(x), weights(k), ref=depthwise_conv, options=o, dtypes=FLOATS)
      for x, k, o in (
          ("b 7 3", "3 3 2", LAST), ("b 6 7 3", "3 2 3 1", {**SAME, "strides": 2, **LAST}),
          ("b 3 6 7", "2 3 3 2", {"dilation_rate": 2, **FIRST}),
          ("b 6 7 2", "3 2 2 2", {**SAME, "strides": (2, 1), **LAST}))),
    *(case("separable_conv", T(x), weights(d), weights(p), ref=separable_conv, options=o,
           dtypes=FLOATS)
      for x, d, p, o in (
          ("b 7 3", "3 3 2", "1 6 4", {**SAME, **LAST}),
          ("b 6 7 3", "2 2 3 1", "1 1 3 2", {"strides": 2, **LAST}),
          ("b 2 6 7", "2 3 2 2", "1 1 4 3", {**SAME, "dilation_rate": 2, **FIRST}))),
    *(case(name, T(x), size, ref=pool(f, fill), options=o, dtypes=dtypes, result=result)
      for name, f, fill, dtypes, result in (
          ("max_pool", np.max, -np.inf, (*NUMBERS, "int8", "uint8", "bool"), "same"),
          ("average_pool", np.nanmean, np.nan, NUMBERS, "float"))
      for x, size, o in POOLED),
    *(case(name, T(x), size, ref=adaptive(f), options=o, result=result)
      for name, f, result in (
          ("adaptive_average_pool", np.mean, "float"), ("adaptive_max_pool", np.max, "same"))
      for x, size, o in ADAPTIVE),
    case("adaptive_average_pool", A([[[np.inf], [1.0], [2.0], [np.nan], [3.0]]]), 4, **F32,
         ref=adaptive(np.mean), gradient=False, **LAST),
    *(case("unfold", T(f"b c {h} {w}"), ref=unfold, options=o) for (h, w), o in COLUMNS),
    *(case("fold", T(f"b {2 * columns_of(size, o)[0]} {columns_of(size, o)[1]}"), size, ref=fold,
           options=o) for size, o in COLUMNS),
    *(case("depth_to_space", T(x), b, ref=depth_to_space, options=o)
      for x, b, o in (("b h w 8", 2, LAST), ("b 9 h w", 3, FIRST), ("b h w c", 1, LAST))),
    *(case("space_to_depth", T(x), b, ref=space_to_depth, options=o)
      for x, b, o in (("b 4 6 c", 2, LAST), ("b c 6 3", 3, FIRST), ("b h w c", 1, LAST))),
    case("depth_to_space", T("1 2 1 4"), OneOf([1, 2]), ref=depth_to_space),
]  # fmt: skip

IMAGE, SEQUENCE = A(np.ones((1, 4, 4, 3))), A(np.ones((1, 4, 3)))
REFUSALS: list[Refusal] = [
    refusal("conv", SEQUENCE, A(np.ones((3, 2, 4))), match="channels 2 divides", **LAST),
    refusal("conv", SEQUENCE, A(np.ones((7, 3, 4))), match=r"hold a window of \(7,\)", **LAST),
    refusal("conv", SEQUENCE, A(np.ones((2, 2, 3, 4))), match="rank 3, 4 or 5", **LAST),
    refusal("conv_transpose", SEQUENCE, A(np.ones((2, 4))), match="kernel of the same rank"),
    refusal("depthwise_conv", SEQUENCE, A(np.ones((3, 2, 4))), match="inputs of 2 channels",
            **LAST),
    refusal("max_pool", A(np.ones((4, 3))), 2, match="rank 3, 4 or 5"),
    refusal("max_pool", SEQUENCE, 5, match=r"hold a window of \(5,\)", **LAST),
    refusal("average_pool", SEQUENCE, 5, match=r"hold a window of \(5,\)", **LAST),
    refusal("adaptive_max_pool", IMAGE, (2, 2, 2), match="or 2, one for each spatial axis"),
    refusal("adaptive_average_pool", IMAGE, 0, match="output_size: a positive integer"),
    refusal("adaptive_average_pool", A(np.ones((4, 3))), 1, match="rank 3, 4 or 5"),
    refusal("unfold", SEQUENCE, 2, match="batch, channels, height, width"),
    refusal("unfold", IMAGE, 5, match=r"hold a window of \(5, 5\)"),
    refusal("unfold", IMAGE, 2, match="stride: an integer from 1 on", stride=0),
    refusal("fold", A(np.ones((1, 4, 6))), (4, 4), 2, match=r"\(batch, channels \* 4, 9\)"),
    refusal("depth_to_space", IMAGE, 2, match="sizes that 4 divides"),
    refusal("space_to_depth", SEQUENCE, 2, match="images of rank 4"),
    refusal("space_to_depth", IMAGE, 3, match="sizes that 3 divides"),
]  # fmt: skip

"""Cases of convolutions."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from keras_fn.testing.conformance.case import FLOATS, Case, Refusal, array, case, refusal, tensor


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
    return out != 0 if x.dtype == bool else out


def weights(shape):
    return tensor(shape, static_shape=True)


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
    (3, "valid", 1, 1, None),
    (4, "same", 2, 1, None),
    (2, "valid", 3, 1, None),
    (2, "same", 3, 1, None),
    (3, "same", 1, 2, None),
    (3, "same", 2, 1, 0),
    (3, "same", 2, 1, 1),
    (3, "valid", 2, 1, 1),
    (2, "same", 2, 1, 1),
    (3, "valid", 1, 2, 0),
]


def transposed(k, padding, strides, dilation, extra):
    options = {"padding": padding, "strides": strides, "dilation_rate": dilation}
    return {**options, "output_padding": extra, **LAST}


EXACT = ("int32", "int64", "int8", "uint8", "bool")

IMAGE, SEQUENCE = array(np.ones((1, 4, 4, 3))), array(np.ones((1, 4, 3)))

CASES: list[Case] = [
    *(case("conv", tensor(x), weights(k), ref=conv, dtypes=FLOATS, options=o) for x, k, o in CONV),
    *(
        case(name, tensor("b 5 2"), *map(weights, kernels), ref=ref, dtypes=EXACT, options=LAST)
        for name, ref, kernels in (
            ("conv", conv, ["2 2 3"]),
            ("conv_transpose", conv_transpose, ["2 3 2"]),
            ("depthwise_conv", depthwise_conv, ["2 2 3"]),
            ("separable_conv", separable_conv, ["2 2 1", "1 2 3"]),
        )
    ),
    *(
        case(
            "conv_transpose",
            tensor("b 4 3 2"),
            weights(f"{row[0]} 3 5 2"),
            ref=conv_transpose,
            options=transposed(*row),
            **F32,
        )
        for row in TRANSPOSED
    ),
    case(
        "conv_transpose",
        tensor("b 2 4"),
        weights("3 5 2"),
        ref=conv_transpose,
        dtypes=FLOATS,
        strides=2,
        **SAME,
        **FIRST,
    ),
    case(
        "conv_transpose",
        tensor("1 2 3 2 2"),
        weights("2 2 3 4 2"),
        ref=conv_transpose,
        strides=(1, 2, 2),
        **LAST,
        **F32,
    ),
    *(
        case("depthwise_conv", tensor(x), weights(k), ref=depthwise_conv, options=o, dtypes=FLOATS)
        for x, k, o in (
            ("b 7 3", "3 3 2", LAST),
            ("b 6 7 3", "3 2 3 1", {**SAME, "strides": 2, **LAST}),
            ("b 3 6 7", "2 3 3 2", {"dilation_rate": 2, **FIRST}),
            ("b 6 7 2", "3 2 2 2", {**SAME, "strides": (2, 1), **LAST}),
        )
    ),
    *(
        case(
            "separable_conv",
            tensor(x),
            weights(d),
            weights(p),
            ref=separable_conv,
            options=o,
            dtypes=FLOATS,
        )
        for x, d, p, o in (
            ("b 7 3", "3 3 2", "1 6 4", {**SAME, **LAST}),
            ("b 6 7 3", "2 2 3 1", "1 1 3 2", {"strides": 2, **LAST}),
            ("b 2 6 7", "2 3 2 2", "1 1 4 3", {**SAME, "dilation_rate": 2, **FIRST}),
        )
    ),
]

REFUSALS: list[Refusal] = [
    refusal(
        "conv", SEQUENCE, array(np.ones((3, 2, 4))), match="channels are a multiple of 2", **LAST
    ),
    refusal("conv", SEQUENCE, array(np.ones((7, 3, 4))), match=r"hold a window of \(7,\)", **LAST),
    refusal("conv", SEQUENCE, array(np.ones((2, 2, 3, 4))), match="rank 3, 4 or 5", **LAST),
    refusal("conv_transpose", SEQUENCE, array(np.ones((2, 4))), match="kernel of the same rank"),
    refusal(
        "depthwise_conv", SEQUENCE, array(np.ones((3, 2, 4))), match="inputs of 2 channels", **LAST
    ),
]

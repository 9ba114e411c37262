"""Cases of patches: unfold, fold and their relatives."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from keras_fn.testing.conformance.case import Case, OneOf, Refusal, array, case, refusal, tensor
from keras_fn.testing.conformance.table.convolution import FIRST, IMAGE, LAST, SEQUENCE, each


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


CASES: list[Case] = [
    *(case("unfold", tensor(f"b c {h} {w}"), ref=unfold, options=o) for (h, w), o in COLUMNS),
    *(
        case(
            "fold",
            tensor(f"b {2 * columns_of(size, o)[0]} {columns_of(size, o)[1]}"),
            size,
            ref=fold,
            options=o,
        )
        for size, o in COLUMNS
    ),
    *(
        case("depth_to_space", tensor(x), b, ref=depth_to_space, options=o)
        for x, b, o in (("b h w 8", 2, LAST), ("b 9 h w", 3, FIRST), ("b h w c", 1, LAST))
    ),
    *(
        case("space_to_depth", tensor(x), b, ref=space_to_depth, options=o)
        for x, b, o in (("b 4 6 c", 2, LAST), ("b c 6 3", 3, FIRST), ("b h w c", 1, LAST))
    ),
    case("depth_to_space", tensor("1 2 1 4"), OneOf([1, 2]), ref=depth_to_space),
]

REFUSALS: list[Refusal] = [
    refusal("unfold", SEQUENCE, 2, match="batch, channels, height, width"),
    refusal("unfold", IMAGE, 5, match=r"hold a window of \(5, 5\)"),
    refusal("unfold", IMAGE, 2, match="stride: an integer of 1 or more", stride=0),
    refusal("fold", array(np.ones((1, 4, 6))), (4, 4), 2, match=r"\(batch, channels \* 4, 9\)"),
    refusal("depth_to_space", IMAGE, 2, match="sizes divisible by 4"),
    refusal("space_to_depth", SEQUENCE, 2, match="images of rank 4"),
    refusal("space_to_depth", IMAGE, 3, match="sizes divisible by 3"),
]

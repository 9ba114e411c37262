"""Cases of Fourier transforms and framing."""

from functools import partial
from typing import Any

import numpy as np
from scipy import signal

from keras_fn.testing.conformance.case import (
    ALL,
    Case,
    OneOf,
    Refusal,
    array,
    case,
    refusal,
    tensor,
)

SIGNALS = ("float32", "float64", "bfloat16", "int32")


def parts(x: Any) -> Any:
    """A complex array as a pair."""
    return x.real, x.imag


def of_pair(function: Any) -> Any:
    """A function of complex arrays as one of pairs."""
    return lambda x, *args, **options: function(x[0] + 1j * x[1], *args, **options)


def fft(x: Any) -> Any:
    """The sum that defines it."""
    n = np.arange(x.shape[-1])
    return parts(x @ np.exp(-2j * np.pi * np.outer(n, n) / x.shape[-1]))


def irfft(x: Any, fft_length: Any = None) -> Any:
    """NumPy's."""
    return np.fft.irfft(x, fft_length)


def extract_sequences(x: Any, sequence_length: int, sequence_stride: int) -> Any:
    """Slice by slice."""
    starts = range(0, x.shape[-1] - sequence_length + 1, sequence_stride)
    rows = [x[..., i : i + sequence_length] for i in starts]
    return np.stack(rows, -2) if rows else np.zeros((*x.shape[:-1], 0, sequence_length), x.dtype)


def weights(window: Any, length: int, fft_length: int) -> Any:
    """The window in the middle of zeros."""
    if window is None:
        return np.ones(fft_length)
    if isinstance(window, str):
        window = signal.get_window(window, length)
    before = (fft_length - length) // 2
    return np.pad(window, (before, fft_length - length - before))


def stft(
    x: Any,
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    window: Any = "hann",
    center: bool = True,
) -> Any:
    """Mirror, cut, weight, transform."""
    if center:
        half = fft_length // 2
        x = np.pad(x, [(0, 0)] * (x.ndim - 1) + [(half, half)], mode="reflect")
    rows = extract_sequences(x, fft_length, sequence_stride)
    return parts(np.fft.rfft(rows * weights(window, sequence_length, fft_length), fft_length))


def istft(
    x: Any,
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    length: Any = None,
    window: Any = "hann",
    center: bool = True,
) -> Any:
    """Transform back, weight, add up sequence by sequence."""
    rows, window_ = np.fft.irfft(x, fft_length), weights(window, sequence_length, fft_length)
    size = (rows.shape[-2] - 1) * sequence_stride + fft_length
    total, share = np.zeros((*rows.shape[:-2], size)), np.zeros(size)
    for i in range(rows.shape[-2]):
        here = slice(i * sequence_stride, i * sequence_stride + fft_length)
        total[..., here] += rows[..., i, :] * window_
        share[here] += window_**2
    total = total / np.where(share > 1e-10, share, 1.0)
    if window is None:
        total *= fft_length / sequence_stride
    start = fft_length // 2 if center else 0
    if length is None:
        return total[..., start : size - start]
    return np.pad(total[..., start:], [(0, 0)] * (x.ndim - 2) + [(0, length)])[..., :length]


transform = partial(case, dtypes=SIGNALS, result_dtype="float", min_size=1)

cut = partial(case, min_size=5, rank=(0, 2))

_ROW, _MATRIX = array([1.0, 2.0, 3.0, 4.0]), array([[1.0, 2.0], [3.0, 4.0]])

CASES: list[Case] = [
    transform("fft", (tensor("... n"), tensor("... n")), ref=of_pair(fft), rank=(0, 0)),
    transform("fft", [tensor("a b n"), tensor("a b n")], ref=of_pair(fft)),
    transform("fft2", (tensor("m n"), tensor("m n")), ref=of_pair(lambda x: parts(np.fft.fft2(x)))),
    transform(
        "fft2", (tensor("a m n"), tensor("a m n")), ref=of_pair(lambda x: parts(np.fft.fft2(x)))
    ),
    transform(
        "ifft2", (tensor("m n"), tensor("m n")), ref=of_pair(lambda x: parts(np.fft.ifft2(x)))
    ),
    transform(
        "ifft2", (tensor("a m n"), tensor("a m n")), ref=of_pair(lambda x: parts(np.fft.ifft2(x)))
    ),
    transform(
        "rfft",
        tensor("... n"),
        ref=lambda x, fft_length=None: parts(np.fft.rfft(x, fft_length)),
        fft_length=OneOf([None, 1, 2, 3, 6, 7]),
    ),
    transform("irfft", (tensor("a n"), tensor("a n")), ref=of_pair(irfft), min_size=2),
    transform(
        "irfft", (tensor("n"), tensor("n")), ref=of_pair(irfft), fft_length=OneOf([1, 2, 3, 6, 7])
    ),
    case(
        "extract_sequences",
        tensor("... n"),
        OneOf([1, 2, 3]),
        OneOf([1, 2, 3]),
        ref=extract_sequences,
        dtypes=ALL,
        min_size=1,
    ),
    case(
        "extract_sequences",
        tensor("... n"),
        ref=extract_sequences,
        sequence_length=4,
        sequence_stride=1,
        min_size=1,
    ),
    *(
        cut(
            "stft",
            tensor("... n"),
            ref=stft,
            result_dtype="float",
            dtypes=("float32", "float64", "int32"),
            sequence_length=length,
            sequence_stride=stride,
            fft_length=4,
            window=window,
            center=OneOf([True, False]),
        )
        for length, stride, window in (
            (4, 1, "hann"),
            (3, 2, "hamming"),
            (2, 3, "hann"),
            (3, 2, None),
            (2, 1, [0.5, 1.0]),
            (1, 1, "hann"),
        )
    ),
    cut("stft", tensor("n"), 3, 2, 3, ref=stft, result_dtype="float", dtypes=("bfloat16",)),
    *(
        cut(
            "istft",
            (tensor("a t 3"), tensor("a t 3")),
            ref=of_pair(istft),
            min_size=2,
            dtypes=dtypes,
            sequence_length=length,
            sequence_stride=stride,
            fft_length=4,
            window=window,
            length=OneOf([None, 3, 20]),
            center=OneOf([True, False]),
        )
        for length, stride, window, dtypes in (
            (4, 1, "hann", ("float32", "float64", "bfloat16")),
            (3, 2, "hamming", ("float32",)),
            (2, 3, "hann", ("float32",)),
            (3, 2, None, ("float32",)),
            (4, 4, None, ("float32",)),
            (2, 1, [0.5, 1.0], ("float32",)),
            (4, 6, "hamming", ("float32",)),
        )
    ),
    cut(
        "istft",
        (tensor("t 2"), tensor("t 2")),
        3,
        2,
        3,
        ref=of_pair(istft),
        min_size=2,
        dtypes=("float32",),
    ),
]

REFUSALS: list[Refusal] = [
    *(
        refusal(name, x, match=f"ops.{name}\n.*{expected}", **options)
        for name, options in (
            ("fft", {}),
            ("fft2", {}),
            ("ifft2", {}),
            ("irfft", {}),
            ("istft", {"sequence_length": 2, "sequence_stride": 1, "fft_length": 2}),
        )
        for x, expected in (
            (_MATRIX, "a pair of tensors"),
            ([_MATRIX] * 3, "a pair of tensors"),
            ((_ROW, _MATRIX), "a real and an imaginary part of one shape"),
            ((array(1.0), array(1.0)), "a tensor of rank [12] or more"),
        )
    ),
    *(
        refusal(name, (_ROW, _ROW), match=f"ops.{name}\n.*rank 2 or more")
        for name in ("fft2", "ifft2")
    ),
    refusal("rfft", array(1.0), match="ops.rfft\n.*rank 1 or more"),
    refusal("rfft", _ROW, match="ops.rfft\n.*at least 1 element.*\n.*0", fft_length=0),
    refusal("irfft", (_ROW, _ROW), match="ops.irfft\n.*at least 1 element", fft_length=0),
    refusal("irfft", (array([1.0]), array([1.0])), match="ops.irfft\n.*at least 1 element"),
    refusal("rfft", array([]), match="ops.rfft\n.*at least 1 element"),
    refusal("fft", (array([]), array([])), match="ops.fft\n.*at least 1 element"),
    refusal("fft2", (array([[]]), array([[]])), match="ops.fft2\n.*at least 1 element"),
    refusal("extract_sequences", array(1.0), 2, 1, match="ops.extract_sequences\n.*rank 1 or more"),
    refusal("extract_sequences", _ROW, 0, 1, match="ops.extract_sequences\n.*of 1 or more"),
    refusal("extract_sequences", _ROW, 1, 0, match="ops.extract_sequences\n.*of 1 or more"),
    refusal("stft", array(1.0), 2, 1, 2, match="ops.stft\n.*rank 1 or more"),
    refusal("stft", _ROW, 3, 1, 2, match="ops.stft\n.*fft_length the longest"),
    refusal("stft", _ROW, 2, 1, 2, match="ops.stft\n.*a window 'hann' or 'hamming'", window="x"),
    refusal("stft", _ROW, 2, 1, 2, match=r"ops.stft\n.*a window of shape \(2,\)", window=[1.0]),
    refusal("istft", (_MATRIX, _MATRIX), 3, 1, 2, match="ops.istft\n.*fft_length the longest"),
    refusal("istft", (_MATRIX, _MATRIX), 2, 1, 2, match="ops.istft\n.*a window 'hann'", window="x"),
    refusal("istft", (_ROW, _ROW), 2, 1, 2, match="ops.istft\n.*rank 2 or more"),
]

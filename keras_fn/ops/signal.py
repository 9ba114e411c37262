"""Signal processing: Fourier transforms, frames, short-time Fourier transforms.

As in Keras, complex numbers are pairs `(real, imaginary)` of tensors here.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_fn.core import dtypes
from keras_fn.core.keras_tensor import Shape
from keras_fn.core.memoize import memoize
from keras_fn.core.shapes import is_compatible
from keras_fn.core.tracing import assume_constant_result
from keras_fn.errors import SpecError
from keras_fn.ops._op import Rule, TensorSpec, op, spec_of
from keras_fn.ops.arithmetic import add, divide, multiply
from keras_fn.ops.core import cast, dtype as dtype_of, shape as shape_of
from keras_fn.ops.creation import arange, ones
from keras_fn.ops.indexing import getitem, take
from keras_fn.ops.logic import where
from keras_fn.ops.manipulation import broadcast_to, pad, reshape, swapaxes
from keras_fn.ops.reductions import sum as sum_
from keras_fn.types import ArrayLike, Tensor, TensorLike

# ---------------------------------------------------------------- Fourier transforms


def _pair_spec(x: Any, source: str, rank: int = 1) -> TensorSpec:
    """Returns the spec of both parts of a complex tensor."""
    if isinstance(x, TensorSpec) or not isinstance(x, (list, tuple)) or len(x) != 2:
        raise SpecError(
            source,
            expected="a pair of tensors: the real and the imaginary part",
            received="one tensor" if hasattr(x, "shape") else f"{x!r}"[:200],
            fix="pass (x, ops.zeros_like(x)) for a real x",
        )
    real, imaginary = (tuple(part.shape) for part in x)
    if not is_compatible(real, imaginary):
        raise SpecError(
            source,
            expected="a real and an imaginary part of one shape",
            received=f"shapes {real} and {imaginary}",
            fix="reshape one of them",
        )
    _check_rank(x[0], source, rank)
    shape = tuple(b if a is None else a for a, b in zip(real, imaginary, strict=True))
    for size in shape[-rank:]:
        _check_length(size, source)
    return TensorSpec(shape, dtypes.float_type(*(part.dtype for part in x)))


def _check_rank(x: Any, source: str, rank: int = 1) -> None:
    if len(x.shape) < rank:
        raise SpecError(
            source,
            expected=f"a tensor of rank {rank} or more",
            received=f"shape {tuple(x.shape)}",
            fix="add the missing axes",
        )


def _check_length(size: int | None, source: str) -> None:
    """Raises if the transform has no elements."""
    if size is not None and size < 1:
        raise SpecError(
            source,
            expected="at least 1 element to transform",
            received=f"{size}",
            fix="check the last axis, and fft_length",
        )


def _transform(source: str, rank: int = 1) -> Rule:
    """Returns the rule of a transform of a pair into a pair of the same shape."""

    def infer(x: Any) -> tuple[TensorSpec, TensorSpec]:
        spec = _pair_spec(x, source, rank)
        return spec, spec

    return Rule(infer, promote=dtypes.float_type)


@op(rule=_transform("ops.fft"))
def fft(x: tuple[TensorLike, TensorLike]) -> Any:
    """Discrete Fourier transform (DFT) along the last axis.

    `X[k] = sum(x[n] * exp(-2j * pi * k * n / N) for n in range(N))`

    Args:
        x: Pair `(real, imaginary)` of tensors of one shape `(..., N)`.

    Returns:
        Pair `(real, imaginary)` of float tensors of the same shape.

    Raises:
        ValueError: `x` is not a pair of tensors of one shape.

    Example:
        >>> real, imaginary = fft(([1.0, 0.0, 0.0], [0.0, 0.0, 0.0]))
        >>> convert_to_numpy(real).tolist()
        [1.0, 1.0, 1.0]
    """
    ...


@op(rule=_transform("ops.fft2", rank=2))
def fft2(x: tuple[TensorLike, TensorLike]) -> tuple[Tensor, Tensor]:
    """Two-dimensional discrete Fourier transform, along the last two axes.

    Args:
        x: Pair `(real, imaginary)` of tensors of one shape `(..., M, N)`.

    Returns:
        Pair `(real, imaginary)` of float tensors of the same shape.

    Raises:
        ValueError: `x` is not a pair of tensors of one shape, of rank 2 or more.

    Example:
        >>> real, imaginary = fft2((ones((2, 2)), zeros((2, 2))))
        >>> convert_to_numpy(real).tolist()
        [[4.0, 0.0], [0.0, 0.0]]
    """
    _pair_spec(x, "ops.fft2", rank=2)
    real, imaginary = fft(x)
    columns = fft((swapaxes(real, -1, -2), swapaxes(imaginary, -1, -2)))
    real, imaginary = (swapaxes(part, -1, -2) for part in columns)
    return real, imaginary


@op(rule=_transform("ops.ifft2", rank=2))
def ifft2(x: tuple[TensorLike, TensorLike]) -> tuple[Tensor, Tensor]:
    """Inverse of `fft2`.

    Args:
        x: Pair `(real, imaginary)` of tensors of one shape `(..., M, N)`.

    Returns:
        Pair `(real, imaginary)` of float tensors of the same shape.

    Raises:
        ValueError: `x` is not a pair of tensors of one shape, of rank 2 or more.

    Example:
        >>> real, imaginary = ifft2(([[4.0, 0.0], [0.0, 0.0]], zeros((2, 2))))
        >>> convert_to_numpy(real).tolist()
        [[1.0, 1.0], [1.0, 1.0]]
    """
    _pair_spec(x, "ops.ifft2", rank=2)
    # Swapping the real and imaginary parts, before and after, inverts the transform.
    imaginary, real = fft2((x[1], x[0]))
    rows, columns = shape_of(real)[-2:]
    return divide(divide(real, rows), columns), divide(divide(imaginary, rows), columns)


def _rfft(x: TensorSpec, fft_length: int | None = None) -> tuple[TensorSpec, TensorSpec]:
    _check_rank(x, "ops.rfft")
    size = x.shape[-1] if fft_length is None else fft_length
    _check_length(size, "ops.rfft")
    spec = TensorSpec(
        (*x.shape[:-1], None if size is None else size // 2 + 1), dtypes.float_type(x.dtype)
    )
    return spec, spec


@op(rule=Rule(_rfft, promote=dtypes.float_type))
def rfft(x: TensorLike, fft_length: int | None = None) -> Any:
    """Discrete Fourier transform of a real tensor along the last axis.

    Args:
        x: Real tensor of shape `(..., n)`.
        fft_length: Length N of the transform, to which the last axis is truncated or zero-padded;
            n by default.

    Returns:
        Pair `(real, imaginary)` of float tensors of shape `(..., N // 2 + 1)`: the non-negative
        frequencies. The negative ones are their complex conjugates.

    Raises:
        ValueError: `x` is a scalar, or the transform is empty.

    Example:
        >>> real, imaginary = rfft([1.0, 1.0, 1.0, 1.0])
        >>> convert_to_numpy(real).tolist()
        [4.0, 0.0, 0.0]
    """
    ...


def _irfft(x: Any, fft_length: int | None = None) -> TensorSpec:
    spec = _pair_spec(x, "ops.irfft")
    size = spec.shape[-1]
    if fft_length is None and size is not None:
        fft_length = 2 * (size - 1)
    _check_length(fft_length, "ops.irfft")
    return TensorSpec((*spec.shape[:-1], fft_length), spec.dtype)


@op(rule=Rule(_irfft, promote=dtypes.float_type))
def irfft(x: tuple[TensorLike, TensorLike], fft_length: int | None = None) -> Tensor:
    """Inverse of `rfft`.

    Args:
        x: Pair `(real, imaginary)` of tensors of one shape `(..., n)`.
        fft_length: Length N of the transform and size of the last axis of the result;
            `2 * (n - 1)` by default. The last axis of `x` is truncated or zero-padded to
            `N // 2 + 1`.

    Returns:
        A float tensor of shape `(..., N)`.

    Raises:
        ValueError: `x` is not a pair of tensors of one shape, or the transform is empty.

    Example:
        >>> convert_to_numpy(irfft(([4.0, 0.0, 0.0], [0.0, 0.0, 0.0]))).tolist()
        [1.0, 1.0, 1.0, 1.0]
    """
    ...


# ---------------------------------------------------------------- sequences


def _frame_count(size: int | None, length: int, stride: int) -> int | None:
    """Returns the number of frames."""
    return None if size is None else max((size - length) // stride + 1, 0)


def _extract(x: TensorSpec, sequence_length: int, sequence_stride: int) -> TensorSpec:
    source = "ops.extract_sequences"
    _check_rank(x, source)
    if sequence_length < 1 or sequence_stride < 1:
        raise SpecError(
            source,
            expected="a length and a stride of 1 or more",
            received=f"sequence_length={sequence_length}, sequence_stride={sequence_stride}",
            fix="check both",
        )
    count = _frame_count(x.shape[-1], sequence_length, sequence_stride)
    return TensorSpec((*x.shape[:-1], count, sequence_length), dtypes.result_type(x.dtype))


@op(rule=Rule(_extract, promote=dtypes.result_type))
def extract_sequences(x: TensorLike, sequence_length: int, sequence_stride: int) -> Tensor:
    """Frames a signal: slices of equal length along the last axis, which may overlap.

    Args:
        x: Tensor of shape `(..., n)`.
        sequence_length: Length of a frame.
        sequence_stride: Distance between the starts of consecutive frames.

    Returns:
        A tensor of the dtype of `x`, of shape `(..., (n - length) // stride + 1, length)`.

    Raises:
        ValueError: `x` is a scalar, or a length is less than 1.

    Example:
        >>> convert_to_numpy(extract_sequences([1, 2, 3, 4, 5], 3, 2)).tolist()
        [[1, 2, 3], [3, 4, 5]]
    """
    _extract(spec_of(x), sequence_length, sequence_stride)
    size = shape_of(x)[-1]
    if isinstance(size, int):
        count: Any = _frame_count(size, sequence_length, sequence_stride)
        starts: Any = np.arange(count, dtype="int32")[:, None] * sequence_stride
        return take(x, starts + np.arange(sequence_length, dtype="int32"), axis=-1)
    starts = arange(0, size - sequence_length + 1, sequence_stride)
    return take(x, add(reshape(starts, (-1, 1)), arange(sequence_length)), axis=-1)


_COSINES = {"hann": 0.5, "hamming": 0.54}


@memoize
@assume_constant_result
def _cosine_window(name: str, length: int) -> np.ndarray:
    mean = _COSINES[name]
    if length == 1:
        return np.ones(1)
    return mean - (1 - mean) * np.cos(2 * np.pi * np.arange(length) / length)


def _window(window: Any, length: int, fft_length: int, dtype: str, source: str) -> Any:
    """Returns the window, centered in `fft_length` elements."""
    if window is None:
        return ones((fft_length,), dtype)
    if isinstance(window, str):
        if window not in _COSINES:
            raise SpecError(
                source,
                expected="a window 'hann' or 'hamming', a tensor, or None",
                received=f"{window!r}",
                fix="check window=",
            )
        window = _cosine_window(window, length)
    shape = spec_of(window).shape
    if shape != (length,):
        raise SpecError(
            source,
            expected=f"a window of shape {(length,)}, the sequence_length",
            received=f"shape {shape}",
            fix="check window= and sequence_length=",
        )
    before = (fft_length - length) // 2
    return pad(cast(window, dtype), ((before, fft_length - length - before),))


def _check_frames(sequence_length: int, sequence_stride: int, fft_length: int, source: str) -> None:
    if not 1 <= sequence_length <= fft_length or sequence_stride < 1:
        raise SpecError(
            source,
            expected="positive lengths, with fft_length the longest",
            received=f"sequence_length={sequence_length}, sequence_stride={sequence_stride}, "
            f"fft_length={fft_length}",
            fix="raise fft_length",
        )


@op
def stft(
    x: TensorLike,
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    window: str | ArrayLike | None = "hann",
    center: bool = True,
) -> tuple[Tensor, Tensor]:
    """Short-time Fourier transform (STFT): `rfft` of windowed frames.

    Args:
        x: Real tensor of shape `(..., n)`.
        sequence_length: Length of the window.
        sequence_stride: Hop length: distance between the starts of consecutive frames.
        fft_length: Length of the transforms; the window is centered in them.
        window: `"hann"` or `"hamming"` (both periodic), a tensor of shape `(sequence_length,)`, or
            None for a rectangular window of `fft_length`.
        center: Whether to pad `x` at both ends by reflection, by `fft_length // 2`, so that the
            first frame is centered at the first element.

    Returns:
        Pair `(real, imaginary)` of float tensors of shape `(..., frames, fft_length // 2 + 1)`.

    Raises:
        ValueError: The lengths or the window do not match.

    Example:
        >>> real, imaginary = stft(ones((16,)), 4, 2, 4)
        >>> real.shape == (9, 3)
        True

    References:
        Griffin and Lim, "Signal estimation from modified short-time Fourier transform", 1984.
    """
    _check_rank(x, "ops.stft")
    _check_frames(sequence_length, sequence_stride, fft_length, "ops.stft")
    dtype = dtypes.float_type(dtype_of(x))
    weights = _window(window, sequence_length, fft_length, dtype, "ops.stft")
    if center:
        half = fft_length // 2
        x = pad(x, [(0, 0)] * (len(shape_of(x)) - 1) + [(half, half)], mode="reflect")
    sequences = extract_sequences(cast(x, dtype), fft_length, sequence_stride)
    return rfft(multiply(sequences, weights), fft_length)


def _istft(
    x: Any,
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    length: int | None = None,
    window: str | ArrayLike | None = "hann",
    center: bool = True,
) -> TensorSpec:
    spec = _pair_spec(x, "ops.istft", rank=2)
    _check_frames(sequence_length, sequence_stride, fft_length, "ops.istft")
    _window(window, sequence_length, fft_length, spec.dtype, "ops.istft")
    if length is None and spec.shape[-2] is not None:
        length = (spec.shape[-2] - 1) * sequence_stride + fft_length
        length = max(length - (2 * (fft_length // 2) if center else 0), 0)
    return TensorSpec((*spec.shape[:-2], length), spec.dtype)


@op(rule=Rule(_istft, promote=dtypes.float_type))
def istft(
    x: tuple[TensorLike, TensorLike],
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    length: int | None = None,
    window: str | ArrayLike | None = "hann",
    center: bool = True,
) -> Tensor:
    """Inverse short-time Fourier transform: the least-squares inverse of `stft`.

    Overlapping frames are weighted by the window and divided by the sum of its squares; where no
    window reaches, the result is 0.

    Args:
        x: Pair `(real, imaginary)` of tensors of shape `(..., frames, fft_length // 2 + 1)`.
        sequence_length: Length of the window.
        sequence_stride: Hop length: distance between the starts of consecutive frames.
        fft_length: Length of the transforms.
        length: Length of the result, which is truncated or zero-padded; by default the range that
            the frames cover.
        window: As for `stft`. With None the result is, as in Keras, `fft_length / sequence_stride`
            times the signal.
        center: Whether `stft` padded both ends, which are removed here.

    Returns:
        A float tensor of shape `(..., length)`.

    Raises:
        ValueError: `x` is not a pair of tensors of one shape, or the lengths or the window do not
            match.

    Example:
        >>> x = convert_to_numpy(arange(16.0))
        >>> y = istft(stft(x, 4, 2, 4), 4, 2, 4)
        >>> bool(np.allclose(convert_to_numpy(y), x, atol=1e-5))
        True

    References:
        Griffin and Lim, "Signal estimation from modified short-time Fourier transform", 1984.
    """
    _istft(
        [spec_of(part) for part in x] if isinstance(x, (list, tuple)) else x,
        sequence_length,
        sequence_stride,
        fft_length,
        length,
        window,
        center,
    )
    sequences = irfft(x, fft_length)
    weights = _window(window, sequence_length, fft_length, sequences.dtype, "ops.istft")
    signal = _overlap_add(multiply(sequences, weights), sequence_stride)
    squares = broadcast_to(multiply(weights, weights), shape_of(sequences)[-2:])
    total = _overlap_add(squares, sequence_stride)
    signal = divide(signal, where(total > 1e-10, total, 1.0))
    if window is None:
        signal = multiply(signal, fft_length / sequence_stride)
    start = fft_length // 2 if center else 0
    if length is None:
        return getitem(signal, (..., slice(start, -start if start else None)))
    widths = [(0, 0)] * (len(signal.shape) - 1) + [(0, start + length)]
    return getitem(pad(signal, widths), (..., slice(start, start + length)))


def _overlap_add(sequences: Tensor, stride: int) -> Tensor:
    """Overlap-add of frames of shape `(..., frames, length)`, with a hop length of `stride`."""
    *outer, count, length = shape_of(sequences)
    parts = -(-length // stride)
    outer_pads = [(0, 0)] * len(outer)
    x = pad(sequences, [*outer_pads, (0, 0), (0, parts * stride - length)])
    x = swapaxes(reshape(x, (*outer, count, parts, stride)), -2, -3)
    # Part p of a frame overlaps part 0 of the p-th frame after it. Padding the rows and reading
    # them with a length that is shorter by one shifts part p to the right by p.
    x = reshape(pad(x, [*outer_pads, (0, 0), (0, parts), (0, 0)]), (*outer, -1, stride))
    x = getitem(x, (..., slice(None, -parts), slice(None)))
    x = sum_(reshape(x, (*outer, parts, count + parts - 1, stride)), -3)
    total: Shape = (*outer, (count + parts - 1) * stride)
    whole = reshape(x, total)
    return getitem(whole, (..., slice(None, (count - 1) * stride + length)))

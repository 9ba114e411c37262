"""Random numbers drawn on the host, for initial values, by the Philox counter-based generator.

Element i of a draw depends on the key and on i alone. So a draw can be cut into ranges: threads
draw their own ranges, a shard can draw its part alone, and the values are the same on every
backend. Beyond the random words only exactly rounded arithmetic is used (`+ - * /` and the square
root), never a library's `log` or `cos`, whose last bits differ between machines.

References:
    Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", 2011 (Philox).
    Wichura, "Algorithm AS 241: The Percentage Points of the Normal Distribution", 1988.
"""

import math
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

Key = tuple[int, int]
"""The key of a draw: a seed and a number, of 64 bits each."""

_CHUNK_SIZE = 1 << 20  # elements per thread; smaller draws stay in the caller's thread

_BLOCK_SIZE = 1 << 15  # elements per block, which stay in the processor's cache

_COUNTER_BYTES = 32  # random bytes of one value of Philox's counter

_WORD_MASK = 2**64 - 1


def draw_uniform(
    key: Key,
    shape: Sequence[int],
    dtype: str = "float32",
    low: float = 0.0,
    high: float = 1.0,
    start: int = 0,
    stop: int | None = None,
) -> np.ndarray:
    """Samples from a uniform distribution over [low, high), on the host.

    Args:
        key: Key of the draw: two integers of 64 bits.
        shape: Shape of the whole draw.
        dtype: `"float32"` (default) or `"float64"`.
        low: Lower bound, included. Default 0.0.
        high: Upper bound, excluded. Default 1.0.
        start: First element of the requested range, in row-major order. Default 0.
        stop: End of that range. Default None, for the end of the draw.

    Returns:
        An array of that shape; for a range, its elements in one axis.

    Raises:
        ValueError: `dtype` is another one, or the range is out of bounds.

    Example:
        >>> whole = draw_uniform((1, 0), (2, 3))
        >>> part = draw_uniform((1, 0), (2, 3), start=1, stop=3)
        >>> bool((whole.ravel()[1:3] == part).all())
        True
    """
    return _draw(key, shape, dtype, start, stop, partial(_uniform, low=low, high=high))


def draw_normal(
    key: Key,
    shape: Sequence[int],
    dtype: str = "float32",
    mean: float = 0.0,
    stddev: float = 1.0,
    start: int = 0,
    stop: int | None = None,
) -> np.ndarray:
    """Samples from a normal distribution, on the host, by inverse transform sampling.

    Args:
        key: Key of the draw: two integers of 64 bits.
        shape: Shape of the whole draw.
        dtype: `"float32"` (default) or `"float64"`.
        mean: Mean. Default 0.0.
        stddev: Standard deviation. Default 1.0.
        start: First element of the requested range, in row-major order. Default 0.
        stop: End of that range. Default None, for the end of the draw.

    Returns:
        An array of that shape; for a range, its elements in one axis.

    Raises:
        ValueError: `dtype` is another one, or the range is out of bounds.

    Example:
        >>> draw_normal((1, 0), (2, 3)).shape
        (2, 3)
    """
    return _draw(key, shape, dtype, start, stop, partial(_normal, mean=mean, stddev=stddev))


def draw_truncated_normal(
    key: Key,
    shape: Sequence[int],
    dtype: str = "float32",
    mean: float = 0.0,
    stddev: float = 1.0,
    start: int = 0,
    stop: int | None = None,
) -> np.ndarray:
    """Samples from a normal distribution truncated at two standard deviations, on the host.

    Args:
        key: Key of the draw: two integers of 64 bits.
        shape: Shape of the whole draw.
        dtype: `"float32"` (default) or `"float64"`.
        mean: Mean. Default 0.0.
        stddev: Standard deviation, before truncation. Default 1.0.
        start: First element of the requested range, in row-major order. Default 0.
        stop: End of that range. Default None, for the end of the draw.

    Returns:
        An array of that shape; for a range, its elements in one axis.

    Raises:
        ValueError: `dtype` is another one, or the range is out of bounds.

    Example:
        >>> bool(draw_truncated_normal((1, 0), (100,)).max() <= 2.0)
        True
    """
    return _draw(
        key, shape, dtype, start, stop, partial(_truncated_normal, mean=mean, stddev=stddev)
    )


WordsToValues = Callable[[np.ndarray, np.ndarray], None]
"""Converts the random words in the first array to values in the second."""


def _draw(
    key: Key, shape: Sequence[int], dtype: str, start: int, stop: int | None, fill: WordsToValues
) -> np.ndarray:
    if dtype not in ("float32", "float64"):
        raise ValueError(f"Values are drawn as float32 or float64, not {dtype}.")
    size = math.prod(shape)
    is_whole = start == 0 and stop is None
    stop = size if stop is None else stop
    if not 0 <= start <= stop <= size:
        raise ValueError(f"A draw of {size} elements does not have elements {start} to {stop}.")
    out = np.empty(stop - start, dtype)
    chunks = [(out[i : i + _CHUNK_SIZE], start + i) for i in range(0, len(out), _CHUNK_SIZE)]
    if len(chunks) < 2:
        for chunk in chunks:
            _fill(key, fill, *chunk)
    else:
        # Created for each draw: threads do not survive a fork.
        with ThreadPoolExecutor(min(len(chunks), _cpu_count())) as pool:
            list(pool.map(lambda chunk: _fill(key, fill, *chunk), chunks))
    return out.reshape(tuple(shape)) if is_whole else out


def _cpu_count() -> int:
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def _fill(key: Key, fill: WordsToValues, out: np.ndarray, start: int) -> None:
    """Fills `out` with the elements from `start` on, block by block."""
    for words, part in _blocks(key, out, start):
        fill(words, part)


def _blocks(key: Key, out: np.ndarray, start: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yields the random words of each block of elements from `start` on, with its part of `out`."""
    word = _FLOAT_FORMATS[out.dtype].word
    per_count = _COUNTER_BYTES // word.itemsize
    skip = start % per_count
    generator = np.random.Philox(_seed_sequence_type()(key), counter=start // per_count)
    bounds = [*range(0, skip + len(out), _BLOCK_SIZE), skip + len(out)]
    for begin, end in pairwise(bounds):
        counts = -(-(end - begin) // per_count)
        raw = generator.random_raw(counts * _COUNTER_BYTES // 8)
        words = raw.astype("<u8", copy=False).view(word)[: end - begin]
        if begin == 0:
            words = words[skip:]
        yield words, out[max(begin - skip, 0) : end - skip]


@cache
def _seed_sequence_type() -> type:
    """Returns the class of a seed sequence that is a Philox key.

    NumPy's `key` argument draws entropy that is not used. NumPy loads its random module on first
    use, and so does this.
    """

    class FixedSeedSequence(np.random.bit_generator.ISeedSequence):
        def __init__(self, key: Key):
            self._key = key

        def generate_state(self, n_words: int, dtype: Any = np.uint64) -> np.ndarray:
            return np.array([k & _WORD_MASK for k in self._key], dtype)

    return FixedSeedSequence


class _FloatFormat(NamedTuple):
    """Constants that depend on the float dtype."""

    word: np.dtype
    bits: int  # of a word
    precision: int  # of a float, in bits
    signed: str
    central: tuple[tuple[float, ...], tuple[float, ...]]  # numerator and denominator
    tails: tuple[tuple[float, tuple[float, ...], tuple[float, ...]], ...]  # each from a size r on
    log_terms: int


def _uniform(words: np.ndarray, out: np.ndarray, low: float, high: float) -> None:
    float_format = _FLOAT_FORMATS[out.dtype]
    np.right_shift(words, float_format.bits - float_format.precision, out=words)
    out[...] = words.view(float_format.signed)  # exact: the bits fit the mantissa
    out *= out.dtype.type((high - low) * 2.0**-float_format.precision)
    if low:
        out += low
        np.minimum(out, np.nextafter(out.dtype.type(high), out.dtype.type(low)), out=out)


def _centered(words: np.ndarray, out: np.ndarray, width: float) -> None:
    """Writes uniform floats in (-width / 2, width / 2), symmetric about 0."""
    float_format = _FLOAT_FORMATS[out.dtype]
    out[...] = (words ^ words.dtype.type(1 << (float_format.bits - 1))).view(float_format.signed)
    out += 0.5
    out *= width * 2.0**-float_format.bits


def _normal(words: np.ndarray, out: np.ndarray, mean: float, stddev: float) -> None:
    def tail(indices: np.ndarray) -> np.ndarray:
        # From the words, as `0.5 - abs(out)` loses small probabilities to rounding.
        smaller = np.minimum(words[indices], ~words[indices]).astype(out.dtype)
        return (smaller + 0.5) * 2.0 ** -_FLOAT_FORMATS[out.dtype].bits

    _centered(words, out, 1.0)
    _normal_ppf(out, tail)
    _scale(out, mean, stddev)


def _truncated_normal(words: np.ndarray, out: np.ndarray, mean: float, stddev: float) -> None:
    _centered(words, out, _TWO_SIGMA_PROBABILITY)
    _normal_ppf(out, lambda indices: 0.5 - np.abs(out[indices]))
    np.clip(out, -2.0, 2.0, out=out)
    _scale(out, mean, stddev)


def _scale(out: np.ndarray, mean: float, stddev: float) -> None:
    out *= stddev
    if mean:
        out += mean


def _normal_ppf(out: np.ndarray, tail: Callable[[np.ndarray], np.ndarray]) -> None:
    """Replaces each q by the quantile of the standard normal at probability 0.5 + q.

    Args:
        out: The q, in (-0.5, 0.5).
        tail: Returns the smaller tail probability for given indices.
    """
    float_format = _FLOAT_FORMATS[out.dtype]
    in_tail = np.flatnonzero(np.abs(out) > 0.425)
    x = np.copysign(_normal_ppf_tail(tail(in_tail), float_format), out[in_tail])
    r = 0.180625 - out * out
    out *= _polynomial(float_format.central[0], r)
    out /= _polynomial(float_format.central[1], r)
    out[in_tail] = x


def _normal_ppf_tail(probability: np.ndarray, float_format: _FloatFormat) -> np.ndarray:
    """Returns the upper quantile of the standard normal for tail probabilities below 0.075."""
    size = np.sqrt(-_log(probability, float_format.log_terms))
    x = np.empty_like(size)
    ends = [first for first, _, _ in float_format.tails[1:]] + [math.inf]
    for (first, above, below), end in zip(float_format.tails, ends, strict=True):
        indices = np.flatnonzero((size >= first) & (size < end)) if len(ends) > 1 else slice(None)
        r = size[indices] - (first or 1.6)
        x[indices] = _polynomial(above, r) / _polynomial(below, r)
    return x


def _polynomial(coefficients: tuple[float, ...], x: np.ndarray) -> np.ndarray:
    """Evaluates a polynomial by Horner's scheme; the highest power comes first."""
    total = x * coefficients[0]
    for c in coefficients[1:-1]:
        total += c
        total *= x
    total += coefficients[-1]
    return total


def _log(x: np.ndarray, terms: int) -> np.ndarray:
    """Natural logarithm, by the atanh series after division by a power of 2."""
    mantissa, exponent = np.frexp(x)
    s = (mantissa - _SQRT_HALF) / (mantissa + _SQRT_HALF)
    series = _polynomial(tuple(2.0 / (2 * k + 1) for k in reversed(range(terms))), s * s)
    return exponent.astype(x.dtype) * _LOG_2 + (s * series - 0.5 * _LOG_2)


_SQRT_HALF = 0.7071067811865476

_LOG_2 = 0.6931471805599453

_TWO_SIGMA_PROBABILITY = 0.9544997361036416  # P(|x| < 2) of a standard normal

# AS 241, PPND7 and PPND16. In float32 no tail is smaller than 2**-33, where the size is 4.8.
_FLOAT_FORMATS: dict[np.dtype, Any] = {
    np.dtype("float32"): _FloatFormat(
        word=np.dtype("<u4"),
        bits=32,
        precision=24,
        signed="<i4",
        central=(
            (5.9109374720e1, 1.5929113202e2, 5.0434271938e1, 3.3871327179),
            (6.7187563600e1, 7.8757757664e1, 1.7895169469e1, 1.0),
        ),
        tails=(
            (
                0.0,
                (1.7023821103e-1, 1.3067284816, 2.7568153900, 1.4234372777),
                (1.2021132975e-1, 7.3700164250e-1, 1.0),
            ),
        ),
        log_terms=5,
    ),
    np.dtype("float64"): _FloatFormat(
        word=np.dtype("<u8"),
        bits=64,
        precision=53,
        signed="<i8",
        central=(
            (
                2.5090809287301226727e3,
                3.3430575583588128105e4,
                6.7265770927008700853e4,
                4.5921953931549871457e4,
                1.3731693765509461125e4,
                1.9715909503065514427e3,
                1.3314166789178437745e2,
                3.3871328727963666080,
            ),
            (
                5.2264952788528545610e3,
                2.8729085735721942674e4,
                3.9307895800092710610e4,
                2.1213794301586595867e4,
                5.3941960214247511077e3,
                6.8718700749205790830e2,
                4.2313330701600911252e1,
                1.0,
            ),
        ),
        tails=(
            (
                0.0,
                (
                    7.74545014278341407640e-4,
                    2.27238449892691845833e-2,
                    2.41780725177450611770e-1,
                    1.27045825245236838258,
                    3.64784832476320460504,
                    5.76949722146069140550,
                    4.63033784615654529590,
                    1.42343711074968357734,
                ),
                (
                    1.05075007164441684324e-9,
                    5.47593808499534494600e-4,
                    1.51986665636164571966e-2,
                    1.48103976427480074590e-1,
                    6.89767334985100004550e-1,
                    1.67638483018380384940,
                    2.05319162663775882187,
                    1.0,
                ),
            ),
            (
                5.0,
                (
                    2.01033439929228813265e-7,
                    2.71155556874348757815e-5,
                    1.24266094738807843860e-3,
                    2.65321895265761230930e-2,
                    2.96560571828504891230e-1,
                    1.78482653991729133580,
                    5.46378491116411436990,
                    6.65790464350110377720,
                ),
                (
                    2.04426310338993978564e-15,
                    1.42151175831644588870e-7,
                    1.84631831751005468180e-5,
                    7.86869131145613259100e-4,
                    1.48753612908506148525e-2,
                    1.36929880922735805310e-1,
                    5.99832206555887937690e-1,
                    1.0,
                ),
            ),
        ),
        log_terms=12,
    ),
}

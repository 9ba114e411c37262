"""Reading of WAV files, and resampling."""

import struct
from functools import lru_cache
from math import gcd
from typing import Any

import numpy as np

from keras_fn.errors import SpecError

_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_HALF_WIDTH = 10  # zero crossings of the filter at each side
_KAISER_BETA = 5.0
_BLOCK = 8192  # samples that are computed at once


def read_wav(path: str) -> tuple[np.ndarray, int]:
    """Reads a WAV file of integers of 8, 16, 24 or 32 bits, or floats of 32 or 64.

    Args:
        path: Path of the file.

    Returns:
        The samples, a float32 array of shape `(samples, channels)` with values from -1 to 1, and
        the sampling rate in Hz.

    Raises:
        SpecError: It is not such a file.
    """
    with open(path, "rb") as file:
        contents = file.read()
    chunks = _find_chunks(contents)
    if chunks is None or len(chunks.get(b"fmt ", b"")) < 16 or b"data" not in chunks:
        raise SpecError(
            "A WAV file",
            expected="a RIFF file with a format and samples",
            received=f"{len(contents)} bytes, beginning with {contents[:12]!r}",
            fix="convert it, for example with ffmpeg",
        )
    layout = chunks[b"fmt "]
    encoding, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", layout)
    if encoding == _EXTENSIBLE and len(layout) >= 26:
        (encoding,) = struct.unpack_from("<H", layout, 24)
    if channels == 0 or (encoding, bits) not in _DECODERS:
        raise SpecError(
            "A WAV file",
            expected="integers of 8, 16, 24 or 32 bits, or floats of 32 or 64",
            received=f"encoding {encoding} of {bits} bits, {channels} channels",
            fix="convert it to 16 bits, for example with ffmpeg",
        )
    data = chunks[b"data"]
    frame = channels * bits // 8
    samples = _DECODERS[encoding, bits](data[: len(data) // frame * frame])
    return samples.reshape(-1, channels), rate


def _find_chunks(contents: bytes) -> dict[bytes, bytes] | None:
    """Returns the chunks of a RIFF file by their names. The last one may be cut off."""
    if contents[:4] != b"RIFF" or contents[8:12] != b"WAVE":
        return None
    chunks: dict[bytes, bytes] = {}
    start = 12
    while start + 8 <= len(contents):
        name, size = struct.unpack_from("<4sI", contents, start)
        chunks.setdefault(name, contents[start + 8 : start + 8 + size])
        start += 8 + size + size % 2
    return chunks


def _from_bytes(data: bytes) -> np.ndarray:  # 8 bits have no sign
    return (np.frombuffer(data, np.uint8).astype(np.float32) - 128) / 128


def _from_24_bits(data: bytes) -> np.ndarray:
    words = np.zeros((len(data) // 3, 4), np.uint8)
    words[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
    return _from_words(words.tobytes(), "<i4")


def _from_words(data: bytes, dtype: str) -> np.ndarray:
    words = np.frombuffer(data, dtype)
    return (words / float(np.iinfo(dtype).max + 1)).astype(np.float32)


_DECODERS: dict[tuple[int, int], Any] = {
    (_PCM, 8): _from_bytes,
    (_PCM, 16): lambda data: _from_words(data, "<i2"),
    (_PCM, 24): _from_24_bits,
    (_PCM, 32): lambda data: _from_words(data, "<i4"),
    (_FLOAT, 32): lambda data: np.frombuffer(data, "<f4").copy(),
    (_FLOAT, 64): lambda data: np.frombuffer(data, "<f8").astype(np.float32),
}


def resample(samples: np.ndarray, rate: int, new_rate: int) -> np.ndarray:
    """Changes the sampling rate by a polyphase filter: a sinc with a Kaiser window.

    The results are those of `scipy.signal.resample_poly`.

    Args:
        samples: Array of shape `(samples, channels)`.
        rate: Its sampling rate, in Hz.
        new_rate: The rate of the result.

    Returns:
        A float32 array of shape `(ceil(samples * new_rate / rate), channels)`.
    """
    divisor = gcd(rate, new_rate)
    up, down = new_rate // divisor, rate // divisor
    if up == down or not len(samples):
        return samples.astype(np.float32)
    count = -(-len(samples) * up // down)
    # In blocks: each sample of the result takes many of the input.
    blocks = [
        _filter(samples, up, down, start, min(start + _BLOCK, count))
        for start in range(0, count, _BLOCK)
    ]
    return np.concatenate(blocks)


def _filter(samples: np.ndarray, up: int, down: int, start: int, stop: int) -> np.ndarray:
    """Returns some consecutive samples of the result of `resample`."""
    taps = _lowpass_taps(up, down)
    reach = len(taps) // 2
    centers = np.arange(start, stop) * down  # in samples of the rate that both divide
    first = -(-(centers - reach) // up)
    width = 2 * reach // up + 1
    indices = first[:, None] + np.arange(width)
    offsets = centers[:, None] - indices * up + reach
    inside = (indices >= 0) & (indices < len(samples)) & (offsets >= 0) & (offsets < len(taps))
    weights = np.where(inside, taps[np.clip(offsets, 0, len(taps) - 1)], 0.0)
    gathered = samples[np.clip(indices, 0, len(samples) - 1)]
    return np.einsum("ij,ijc->ic", weights, gathered).astype(np.float32)


@lru_cache(maxsize=16)
def _lowpass_taps(up: int, down: int) -> np.ndarray:
    factor = max(up, down)
    times = np.arange(-_HALF_WIDTH * factor, _HALF_WIDTH * factor + 1)
    taps = np.sinc(times / factor) * np.kaiser(len(times), _KAISER_BETA)
    return taps / taps.sum() * up

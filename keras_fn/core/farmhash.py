"""FarmHash64: the fingerprint of byte strings with which Keras hashes text and categories.

Written from the published algorithm (farmhash's `Fingerprint64`), for whole arrays: the strings of
a class of lengths are hashed together, with the wraparound of uint64.
"""

import numpy as np

from keras_fn.core.byte_strings import ByteStrings

_K0 = np.uint64(0xC3A5C85C97CB3127)
_K1 = np.uint64(0xB492B66FBE98F273)
_K2 = np.uint64(0x9AE16A3B2F90404F)
_MUL = np.uint64(0xC6A4A7935BD1E995)
_SEED = 81
_MASK = 2**64 - 1

# Two 64-bit states, as arrays: `v` and `w` of the published algorithm.
_Pair = tuple[np.ndarray, np.ndarray]


def fingerprint64(strings: ByteStrings) -> np.ndarray:
    """Returns FarmHash64 fingerprints.

    Args:
        strings: Byte strings.

    Returns:
        Integers of dtype uint64, one for each string.

    References:
        - G. Pike, [FarmHash](https://github.com/google/farmhash), 2014.

    Example:
        >>> from keras_fn.core.byte_strings import pack_bytes
        >>> int(fingerprint64(pack_bytes([b"A"]))[0])
        16915294056622060564
    """
    lengths = strings.lengths
    result = np.full(len(lengths), _K2)
    longest = int(lengths.max(initial=0))
    for first, last, function in _CLASSES:
        if first <= longest:
            rows = np.flatnonzero((lengths >= first) & (lengths <= last))
            if len(rows):
                starts = strings.starts[rows]
                result[rows] = function(strings, starts, lengths[rows].astype(np.uint64))
    return result


def concat_fingerprints(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Returns the fingerprints of pairs, from those of their parts: `FingerprintCat64`.

    Args:
        first: Integers of dtype uint64.
        second: Integers of dtype uint64.
    """
    result = first ^ _MUL
    result = (result ^ (_shift_mix(second * _MUL) * _MUL)) * _MUL
    return _shift_mix(_shift_mix(result) * _MUL)


def _rotate(x: np.ndarray, bits: int) -> np.ndarray:
    return (x >> np.uint64(bits)) | (x << np.uint64(64 - bits))


def _shift_mix(x: np.ndarray) -> np.ndarray:
    return x ^ (x >> np.uint64(47))


def _hash_pair(u: np.ndarray, v: np.ndarray, mul: np.ndarray) -> np.ndarray:
    a = _shift_mix((u ^ v) * mul)
    return _shift_mix((v ^ a) * mul) * mul


def _hash_1_to_3(strings: ByteStrings, starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    length = lengths.astype(np.int64)
    first, middle, last = (
        strings.buffer[starts + offset].astype(np.uint64) for offset in (0, length >> 1, length - 1)
    )
    y = first + (middle << np.uint64(8))
    z = lengths + (last << np.uint64(2))
    return _shift_mix(y * _K2 ^ z * _K0) * _K2


def _hash_4_to_7(strings: ByteStrings, starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    words = strings.words("<u4")
    first = words[starts].astype(np.uint64)
    last = words[starts + lengths.astype(np.int64) - 4].astype(np.uint64)
    return _hash_pair(lengths + (first << np.uint64(3)), last, _K2 + lengths * np.uint64(2))


def _hash_8_to_16(strings: ByteStrings, starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    words = strings.words("<u8")
    mul = _K2 + lengths * np.uint64(2)
    a = words[starts] + _K2
    b = words[starts + lengths.astype(np.int64) - 8]
    return _hash_pair(_rotate(b, 37) * mul + a, (_rotate(a, 25) + b) * mul, mul)


def _mix_ends(
    words: np.ndarray, starts: np.ndarray, ends: np.ndarray, mul: np.ndarray, factor: np.uint64
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns the mixture of the first and of the last 16 bytes, as two numbers, and a third."""
    a, b = words[starts] * factor, words[starts + 8]
    c, d = words[ends - 8] * mul, words[ends - 16] * _K2
    u = _rotate(a + b, 43) + _rotate(c, 30) + d
    return u, a + _rotate(b + _K2, 18) + c, a


def _hash_17_to_32(strings: ByteStrings, starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    words, ends = strings.words("<u8"), starts + lengths.astype(np.int64)
    mul = _K2 + lengths * np.uint64(2)
    u, v, _ = _mix_ends(words, starts, ends, mul, _K1)
    return _hash_pair(u, v, mul)


def _hash_33_to_64(strings: ByteStrings, starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    words, ends = strings.words("<u8"), starts + lengths.astype(np.int64)
    mul = _K2 + lengths * np.uint64(2)
    y, v, a = _mix_ends(words, starts, ends, mul, _K2)
    z = _hash_pair(y, v, mul)
    e, f = words[starts + 16] * mul, words[starts + 24]
    g, h = (y + words[ends - 32]) * mul, (z + words[ends - 24]) * mul
    return _hash_pair(_rotate(e + f, 43) + _rotate(g, 30) + h, e + _rotate(f + a, 18) + g, mul)


def _mix_32(words: np.ndarray, starts: np.ndarray, a: np.ndarray, b: np.ndarray) -> _Pair:
    """Returns the weak hash of 32 bytes with two seeds."""
    a = a + words[starts]
    last = words[starts + 24]
    b = _rotate(b + a + last, 21)
    mixed = a + words[starts + 8] + words[starts + 16]
    return mixed + last, b + _rotate(mixed, 44) + a


def _hash_above_64(strings: ByteStrings, starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    words = strings.words("<u8")
    count = (lengths.astype(np.int64) - 1) // 64
    order = np.argsort(-count, kind="stable")  # those with many blocks first
    starts, length, count = starts[order], lengths[order], count[order]
    y = np.full(len(starts), _SEED * int(_K1) + 113 & _MASK, np.uint64)
    z = _shift_mix(y * _K2 + np.uint64(113)) * _K2
    state = np.zeros((7, len(starts)), np.uint64)
    state[0] = np.uint64(_SEED * int(_K2) & _MASK) + words[starts]
    state[1], state[2] = y, z
    for block in range(int(count[0])):
        active = int(np.searchsorted(-count, -block))  # rows with more blocks than `block`
        part = state[:, :active]
        part[:] = _mix_block(words, starts[:active] + 64 * block, part, _K1)
    tail = (length - np.uint64(1)) & np.uint64(63)
    return _finish(words, starts + length.astype(np.int64) - 64, state, tail)[np.argsort(order)]


def _mix_block(
    words: np.ndarray, starts: np.ndarray, state: np.ndarray, mul: np.ndarray | np.uint64
) -> np.ndarray:
    """Returns the state (x, y, z, v, w) after 64 bytes."""
    x, y, z, v0, v1, w0, w1 = state[:7]
    x = (_rotate(x + y + v0 + words[starts + 8], 37) * mul) ^ w1
    y = _rotate(y + v1 + words[starts + 48], 42) * mul + v0 + words[starts + 40]
    z = _rotate(z + w0, 33) * mul
    v0, v1 = _mix_32(words, starts, v1 * mul, x + w0)
    w0, w1 = _mix_32(words, starts + 32, z + w1, y + words[starts + 16])
    return np.stack([z, y, x, v0, v1, w0, w1])


def _finish(
    words: np.ndarray, starts: np.ndarray, state: np.ndarray, tail: np.ndarray
) -> np.ndarray:
    """Returns the fingerprints, from the state and the last 64 bytes."""
    x, y, z, v0, v1, w0, w1 = state
    mul = _K1 + ((z & np.uint64(0xFF)) << np.uint64(1))
    w0 = w0 + tail
    v0 = v0 + w0
    w0 = w0 + v0
    nine = np.uint64(9)
    x = (_rotate(x + y + v0 + words[starts + 8], 37) * mul) ^ (w1 * nine)
    y = _rotate(y + v1 + words[starts + 48], 42) * mul + v0 * nine + words[starts + 40]
    z = _rotate(z + w0, 33) * mul
    v0, v1 = _mix_32(words, starts, v1 * mul, x + w0)
    w0, w1 = _mix_32(words, starts + 32, z + w1, y + words[starts + 16])
    first = _hash_pair(v0, w0, mul) + _shift_mix(y) * _K0 + x
    return _hash_pair(first, _hash_pair(v1, w1, mul) + z, mul)


_CLASSES = (
    (1, 3, _hash_1_to_3),
    (4, 7, _hash_4_to_7),
    (8, 16, _hash_8_to_16),
    (17, 32, _hash_17_to_32),
    (33, 64, _hash_33_to_64),
    (65, np.iinfo(np.int64).max, _hash_above_64),
)

"""FarmHash64: the fingerprint of byte strings with which Keras hashes text and categories.

Written from the published algorithm (farmhash's `Fingerprint64`), for whole arrays: the strings of
a class of lengths are hashed together, with the wraparound of uint64.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_fn.core.byte_strings import ByteStrings

_K0 = 0xC3A5C85C97CB3127
_K1 = 0xB492B66FBE98F273
_K2 = 0x9AE16A3B2F90404F
_MUL = 0xC6A4A7935BD1E995
_SEED = 81
_MASK = 2**64 - 1

# 64-bit unsigned integers: an array of uint64, or tensors with the same operators.
Words = Any
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
    result = np.full(len(lengths), _K2, np.uint64)
    longest = int(lengths.max(initial=0))
    for first, last, function in _CLASSES:
        if first <= longest:
            rows = np.flatnonzero((lengths >= first) & (lengths <= last))
            if len(rows):
                starts = strings.starts[rows]
                result[rows] = function(strings, starts, lengths[rows].astype(np.uint64))
    return result


def concat_fingerprints(first: Words, second: Words) -> Words:
    """Returns the fingerprints of pairs, from those of their parts: `FingerprintCat64`.

    Args:
        first: Integers of dtype uint64.
        second: Integers of dtype uint64.
    """
    result = first ^ _MUL
    result = (result ^ (_shift_mix(second * _MUL) * _MUL)) * _MUL
    return _shift_mix(_shift_mix(result) * _MUL)


def _rotate(x: Words, bits: int) -> Words:
    return (x >> bits) | (x << (64 - bits))


def _shift_mix(x: Words) -> Words:
    return x ^ (x >> 47)


def _hash_pair(u: Words, v: Words, mul: Words) -> Words:
    a = _shift_mix((u ^ v) * mul)
    return _shift_mix((v ^ a) * mul) * mul


def mix_1_to_3(first: Words, middle: Words, last: Words, length: Words) -> Words:
    """Returns the fingerprint of 1 to 3 bytes: that at half the length is the middle one."""
    y = first + (middle << 8)
    z = length + (last << 2)
    return _shift_mix(y * _K2 ^ z * _K0) * _K2


def mix_4_to_7(first: Words, last: Words, length: Words) -> Words:
    """Returns the fingerprint of 4 to 7 bytes, from the first and the last 4."""
    return _hash_pair(length + (first << 3), last, length * 2 + _K2)


def mix_8_to_16(first: Words, last: Words, length: Words) -> Words:
    """Returns the fingerprint of 8 to 16 bytes, from the first and the last 8."""
    mul = length * 2 + _K2
    a = first + _K2
    return _hash_pair(_rotate(last, 37) * mul + a, (_rotate(a, 25) + last) * mul, mul)


def mix_17_to_32(first: Words, second: Words, last: Words, previous: Words, length: Words) -> Words:
    """Returns the fingerprint of 17 to 32 bytes, from the first and the last 16."""
    mul = length * 2 + _K2
    u, v, _ = _mix_ends((first, second, last, previous), mul, _K1)
    return _hash_pair(u, v, mul)


def _hash_1_to_3(strings: ByteStrings, starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    length = lengths.astype(np.int64)
    first, middle, last = (
        strings.buffer[starts + offset].astype(np.uint64) for offset in (0, length >> 1, length - 1)
    )
    return mix_1_to_3(first, middle, last, lengths)


def _hash_4_to_7(strings: ByteStrings, starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    words = strings.words("<u4")
    first = words[starts].astype(np.uint64)
    last = words[starts + lengths.astype(np.int64) - 4].astype(np.uint64)
    return mix_4_to_7(first, last, lengths)


def _hash_8_to_16(strings: ByteStrings, starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    words = strings.words("<u8")
    return mix_8_to_16(words[starts], words[starts + lengths.astype(np.int64) - 8], lengths)


def _hash_17_to_32(strings: ByteStrings, starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    first, second, last, previous = _ends(strings.words("<u8"), starts, lengths)
    return mix_17_to_32(first, second, last, previous, lengths)


def _ends(words: np.ndarray, starts: np.ndarray, lengths: np.ndarray) -> tuple[np.ndarray, ...]:
    """Returns the first, the second, the last, and the last but one word of strings."""
    ends = starts + lengths.astype(np.int64)
    return words[starts], words[starts + 8], words[ends - 8], words[ends - 16]


def _mix_ends(words: Sequence[Words], mul: Words, factor: int) -> tuple[Words, Words, Words]:
    """Returns the mixture of the first and of the last 16 bytes, as two numbers, and a third."""
    first, second, last, previous = words
    a, c, d = first * factor, last * mul, previous * _K2
    u = _rotate(a + second, 43) + _rotate(c, 30) + d
    return u, a + _rotate(second + _K2, 18) + c, a


def _hash_33_to_64(strings: ByteStrings, starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    words, ends = strings.words("<u8"), starts + lengths.astype(np.int64)
    mul = _K2 + lengths * 2
    y, v, a = _mix_ends(_ends(words, starts, lengths), mul, _K2)
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
    y = np.full(len(starts), _SEED * _K1 + 113 & _MASK, np.uint64)
    z = _shift_mix(y * _K2 + 113) * _K2
    state = np.zeros((7, len(starts)), np.uint64)
    state[0] = (_SEED * _K2 & _MASK) + words[starts]
    state[1], state[2] = y, z
    for block in range(int(count[0])):
        active = int(np.searchsorted(-count, -block))  # rows with more blocks than `block`
        part = state[:, :active]
        part[:] = _mix_block(words, starts[:active] + 64 * block, part, _K1)
    tail = (length - 1) & 63
    return _finish(words, starts + length.astype(np.int64) - 64, state, tail)[np.argsort(order)]


def _mix_block(words: np.ndarray, starts: np.ndarray, state: np.ndarray, mul: int) -> np.ndarray:
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
    mul = _K1 + ((z & 0xFF) << 1)
    w0 = w0 + tail
    v0 = v0 + w0
    w0 = w0 + v0
    x = (_rotate(x + y + v0 + words[starts + 8], 37) * mul) ^ (w1 * 9)
    y = _rotate(y + v1 + words[starts + 48], 42) * mul + v0 * 9 + words[starts + 40]
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

"""SipHash-2-4: a hash of byte strings with a secret key, for whole arrays of strings."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_fn.core.byte_strings import ByteStrings

# 64-bit unsigned integers: an array of uint64, or tensors with the same operators.
Words = Any
_CONSTANTS = (0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573)
_MASK = 2**64 - 1


def siphash64(strings: ByteStrings, key: Sequence[int]) -> np.ndarray:
    """Returns SipHash-2-4 hashes.

    Args:
        strings: Byte strings.
        key: Two 64-bit integers.

    Returns:
        Integers of dtype uint64, one for each string.

    References:
        - J.-P. Aumasson, D. J. Bernstein,
          [SipHash: a fast short-input PRF](https://www.aumasson.jp/siphash/siphash.pdf), 2012.

    Example:
        >>> from keras_fn.core.byte_strings import pack_bytes
        >>> key = (0x0706050403020100, 0x0F0E0D0C0B0A0908)
        >>> hex(siphash64(pack_bytes([bytes(range(15))]), key)[0])
        '0xa129ca6149be45e5'
    """
    words = strings.words("<u8")
    count = strings.lengths >> 3
    order = np.argsort(-count, kind="stable")  # those with many words first
    starts, lengths, count = strings.starts[order], strings.lengths[order], count[order]
    state = np.array(initial_state(key), np.uint64)[:, None].repeat(len(starts), axis=1)
    for i in range(int(count.max(initial=0))):
        active = int(np.searchsorted(-count, -i))  # strings with more words than `i`
        state[:, :active] = absorb(state[:, :active], words[starts[:active] + 8 * i])
    rest = (lengths & 7).astype(np.uint64)
    keep = (np.uint64(1) << (rest * 8)) - 1
    last = (words[starts + 8 * count] & keep) | (lengths.astype(np.uint64) << 56)
    return finish(absorb(state, last))[np.argsort(order)]


def initial_state(key: Sequence[int]) -> list[int]:
    """Returns the four words with which a hash begins.

    Args:
        key: Two 64-bit integers.
    """
    return [(a ^ b) & _MASK for a, b in zip(_CONSTANTS, [*key, *key], strict=True)]


def absorb(state: Words, word: Words) -> tuple[Words, ...]:
    """Returns the state after one more word.

    Args:
        state: Four words.
        word: The next 8 bytes of the string. The last one has its length in the highest byte.
    """
    a, b, c, d = state
    a, b, c, d = _round(*_round(a, b, c, d ^ word))
    return a ^ word, b, c, d


def finish(state: Words) -> Words:
    """Returns the hash.

    Args:
        state: The state after the last word.
    """
    a, b, c, d = state
    c = c ^ 0xFF
    for _ in range(4):
        a, b, c, d = _round(a, b, c, d)
    return a ^ b ^ c ^ d


def _rotate(x: Words, bits: int) -> Words:
    return (x << bits) | (x >> (64 - bits))


def _round(a: Words, b: Words, c: Words, d: Words) -> tuple[Words, Words, Words, Words]:
    """One SipRound."""
    a, c = a + b, c + d
    b, d = _rotate(b, 13) ^ a, _rotate(d, 16) ^ c
    a, c = _rotate(a, 32) + d, c + b
    b, d = _rotate(b, 17) ^ c, _rotate(d, 21) ^ a
    return a, b, _rotate(c, 32), d

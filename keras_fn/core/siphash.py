"""SipHash-2-4: a hash of byte strings with a secret key, for whole arrays of strings."""

from collections.abc import Sequence

import numpy as np

from keras_fn.core.byte_strings import ByteStrings

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
    keys = [key[0], key[1]] * 2
    state = np.array(
        [[(a ^ b) & _MASK] for a, b in zip(_CONSTANTS, keys, strict=True)], np.uint64
    ).repeat(len(starts), axis=1)
    for i in range(int(count.max(initial=0))):
        active = int(np.searchsorted(-count, -i))  # strings with more words than `i`
        _absorb(state[:, :active], words[starts[:active] + 8 * i])
    rest = (lengths & 7).astype(np.uint64)
    last = words[starts + 8 * count]
    keep = (np.uint64(1) << (rest * np.uint64(8))) - np.uint64(1)
    _absorb(state, (last & keep) | (lengths.astype(np.uint64) << np.uint64(56)))
    state[2] ^= np.uint64(0xFF)
    for _ in range(4):
        _round(state)
    return np.bitwise_xor.reduce(state, axis=0)[np.argsort(order)]


def _absorb(state: np.ndarray, word: np.ndarray) -> None:
    """Mixes a word into each state, in place."""
    state[3] ^= word
    _round(state)
    _round(state)
    state[0] ^= word


def _rotate(x: np.ndarray, bits: int) -> np.ndarray:
    return (x << np.uint64(bits)) | (x >> np.uint64(64 - bits))


def _round(state: np.ndarray) -> None:
    """One SipRound, in place."""
    a, b, c, d = state  # views
    a += b
    b[:] = _rotate(b, 13) ^ a
    a[:] = _rotate(a, 32)
    c += d
    d[:] = _rotate(d, 16) ^ c
    a += d
    d[:] = _rotate(d, 21) ^ a
    c += b
    b[:] = _rotate(b, 17) ^ c
    c[:] = _rotate(c, 32)

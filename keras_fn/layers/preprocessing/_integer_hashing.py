"""Hashes of integer tensors by ops, in compiled functions: those of the host, bit for bit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_fn.core.dtypes import stored_dtype
from keras_fn.core.farmhash import mix_1_to_3, mix_4_to_7, mix_8_to_16, mix_17_to_32
from keras_fn.core.siphash import absorb, finish, initial_state
from keras_fn.ops.core import cast
from keras_fn.ops.creation import arange, zeros_like
from keras_fn.ops.indexing import take_along_axis
from keras_fn.ops.joining_splitting import stack, unstack
from keras_fn.ops.logic import where
from keras_fn.types import Tensor

_MINUS, _ZERO = ord("-"), ord("0")


class _Whole:
    """64-bit unsigned integers in a tensor of int64, whose sums and products wrap around."""

    digits = 20  # of the greatest magnitude

    def __init__(self, bits: Any):
        self.bits = bits

    @classmethod
    def from_integers(cls, x: Any) -> _Whole:
        """Returns integers in two's complement."""
        return cls(cast(x, "int64"))

    @classmethod
    def join(cls, low: Any, high: Any) -> _Whole:
        """Returns numbers from their halves, below 2**32 each."""
        return cls(low | (high << 32))

    @staticmethod
    def divide_by_10(x: Any) -> Any:
        """Returns quotients of magnitudes, of which -2**63 stands for its own."""
        return ((x >> 1) & (2**63 - 1)) // 5

    def _operand(self, other: Any) -> Any:
        if isinstance(other, _Whole):
            return other.bits
        return other - 2**64 if other >= 2**63 else other

    def __add__(self, other: Any) -> _Whole:
        return _Whole(self.bits + self._operand(other))

    def __mul__(self, other: Any) -> _Whole:
        return _Whole(self.bits * self._operand(other))

    def __xor__(self, other: Any) -> _Whole:
        return _Whole(self.bits ^ self._operand(other))

    def __or__(self, other: _Whole) -> _Whole:
        return _Whole(self.bits | other.bits)

    def __lshift__(self, count: int) -> _Whole:
        return _Whole(self.bits << count)

    def __rshift__(self, count: int) -> _Whole:
        return _Whole((self.bits >> count) & (2 ** (64 - count) - 1))

    def __mod__(self, divisor: int) -> Any:
        return ((self >> 1).bits % divisor * 2 + (self.bits & 1)) % divisor

    def choose(self, condition: Any, other: _Whole) -> _Whole:
        """Returns these numbers where a condition holds, and others elsewhere."""
        return _Whole(where(condition, self.bits, other.bits))


class _Halves:
    """64-bit unsigned integers in two tensors of uint32, where there are no 64-bit tensors."""

    digits = 10  # of the greatest magnitude, which has 32 bits

    def __init__(self, low: Any, high: Any):
        self.low, self.high = low, high

    @classmethod
    def from_integers(cls, x: Any) -> _Halves:
        """Returns integers in two's complement."""
        low = cast(x, "uint32")
        zero = zeros_like(low)
        return cls(low, where(x < 0, zero - np.uint32(1), zero))

    @classmethod
    def join(cls, low: Any, high: Any) -> _Halves:
        """Returns numbers from their halves."""
        return cls(low, high)

    @staticmethod
    def divide_by_10(x: Any) -> Any:
        """Returns quotients of magnitudes."""
        return x // np.uint32(10)

    def _operand(self, other: Any) -> tuple[Any, Any]:
        if isinstance(other, _Halves):
            return other.low, other.high
        return np.uint32(other % 2**32), np.uint32(other >> 32)

    def __add__(self, other: Any) -> _Halves:
        low, high = self._operand(other)
        total = self.low + low
        return _Halves(total, self.high + high + cast(total < low, "uint32"))

    def __mul__(self, other: Any) -> _Halves:
        low, high = self._operand(other)
        # The product of the lower halves has 64 bits: the sum of four products of 16 by 16 bits.
        a0, a1, b0, b1 = self.low & 0xFFFF, self.low >> 16, low & 0xFFFF, low >> 16
        middle = a1 * b0 + ((a0 * b0) >> 16)
        rest = a0 * b1 + (middle & 0xFFFF)
        carried = a1 * b1 + (middle >> 16) + (rest >> 16)
        return _Halves(self.low * low, carried + self.high * low + self.low * high)

    def __xor__(self, other: Any) -> _Halves:
        low, high = self._operand(other)
        return _Halves(self.low ^ low, self.high ^ high)

    def __or__(self, other: _Halves) -> _Halves:
        return _Halves(self.low | other.low, self.high | other.high)

    def __lshift__(self, count: int) -> _Halves:
        if count >= 32:
            return _Halves(zeros_like(self.low), _shift_left(self.low, count - 32))
        carried = self.low >> (32 - count)
        return _Halves(self.low << count, _shift_left(self.high, count) | carried)

    def __rshift__(self, count: int) -> _Halves:
        if count >= 32:
            return _Halves(_shift_right(self.high, count - 32), zeros_like(self.high))
        return _Halves((self.low >> count) | (self.high << (32 - count)), self.high >> count)

    def __mod__(self, divisor: int) -> Any:
        by = np.uint32(divisor)
        rest: Any = self.high % by
        if divisor <= 2**16:  # the rest and 16 more bits have 32
            rest = ((rest << 16) | (self.low >> 16)) % by
            return ((rest << 16) | (self.low & 0xFFFF)) % by
        for bit in range(31, -1, -1):
            rest = (rest << 1) | ((self.low >> bit) & 1)
            rest = where(rest >= by, rest - by, rest)
        return rest

    def choose(self, condition: Any, other: _Halves) -> _Halves:
        """Returns these numbers where a condition holds, and others elsewhere."""
        low = where(condition, self.low, other.low)
        return _Halves(low, where(condition, self.high, other.high))


def _shift_left(x: Any, count: int) -> Any:
    return x << count if count else x


def _shift_right(x: Any, count: int) -> Any:
    return x >> count if count else x


def to_words(x: Tensor, start: int | None = None) -> Any:
    """Returns integers as 64-bit unsigned integers, which have the operators of an array of uint64.

    Args:
        x: Integers.
        start: A number to return instead, for each of them.
    """
    words = _words()
    if start is None:
        return words.from_integers(x)
    return words.from_integers(zeros_like(x)) ^ start


def hash_decimals(x: Tensor, salt: Sequence[int] | None) -> Any:
    """Returns the hashes of integers as decimal strings: what the host makes of the same integers.

    Args:
        x: Integers.
        salt: The key of SipHash; None for FarmHash64.
    """
    text = _Decimals(x)
    return text.fingerprint() if salt is None else text.siphash(salt)


def _words() -> Any:
    return _Whole if stored_dtype("int64") == "int64" else _Halves


class _Decimals:
    """The decimal strings of integers, as tensors of one byte each."""

    def __init__(self, x: Any):
        self.words = words = _words()
        dtype = "int64" if words is _Whole else "uint32"
        is_negative = cast(x < 0, dtype)
        size = cast(x, dtype)
        size = where(x < 0, zeros_like(size) - size, size)
        count = zeros_like(size)
        from_end: list[Any] = []
        for place in range(words.digits):
            rest = words.divide_by_10(size)
            digit = size - rest * 10 + _ZERO
            is_digit = size > 0 if place and words is _Halves else size != 0
            is_digit = cast(is_digit, dtype) if place else zeros_like(count) + 1
            sign = is_negative * _MINUS * cast(count == place, dtype)  # in front of the last digit
            from_end.append(where(is_digit > 0, digit, sign))
            count, size = count + is_digit, rest
        from_end.append(is_negative * _MINUS * cast(count == words.digits, dtype))
        self.from_end, self.length = from_end, count + is_negative
        index = cast(self.length, "int32")[..., None] - 1 - arange(len(from_end), dtype="int32")
        turned = take_along_axis(stack(from_end, -1), where(index < 0, 0, index), axis=-1)
        turned = where(index < 0, zeros_like(turned), turned)
        self.from_start = list(unstack(turned, axis=-1))

    def _word(self, data: list[Any]) -> Any:
        """Returns the little-endian words of at most eight bytes."""
        zero = zeros_like(self.length)
        halves = [zero, zero]
        for i, byte in enumerate(data):
            halves[i // 4] = halves[i // 4] | _shift_left(byte, 8 * (i % 4))
        return self.words.join(*halves)

    def fingerprint(self) -> Any:
        """Returns FarmHash64 of the strings."""
        start, end, length = self.from_start, self.from_end, self._word([self.length])
        middle = where(self.length > 1, start[1], start[0])
        first, middle, last = (self._word([byte]) for byte in (start[0], middle, end[0]))
        result = mix_1_to_3(first, middle, last, length)
        first, last = self._word(start[:4]), self._word(end[3::-1])
        result = mix_4_to_7(first, last, length).choose(self.length > 3, result)
        first, last = self._word(start[:8]), self._word(end[7::-1])
        result = mix_8_to_16(first, last, length).choose(self.length > 7, result)
        if len(start) <= 16:
            return result
        second, previous = self._word(start[8:16]), self._word(end[15:7:-1])
        longest = mix_17_to_32(first, second, last, previous, length)
        return longest.choose(self.length > 16, result)

    def siphash(self, key: Sequence[int]) -> Any:
        """Returns SipHash-2-4 of the strings."""
        state: Any = [to_words(self.length, word) for word in initial_state(key)]
        length = self._word([self.length]) << 56
        final: Any = None
        for i in range(0, len(self.from_start), 8):
            word = self._word(self.from_start[i : i + 8])
            ended = absorb(state, word | length)
            is_here = self.length >= i
            final = (
                ended
                if final is None
                else [new.choose(is_here, old) for new, old in zip(ended, final, strict=True)]
            )
            state = absorb(state, word)
        return finish(final)

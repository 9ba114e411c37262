"""A hash table of tokens, in which all tokens of a text are looked up together, in NumPy."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from keras_fn.core.byte_strings import ByteStrings, pack_bytes
from keras_fn.core.farmhash import fingerprint64

_FACTOR = np.uint64(0x9E3779B97F4A7C15)  # 2**64 / golden ratio: Fibonacci hashing
_FACTOR_2 = np.uint64(0xC2B2AE3D27D4EB4F)
_FIRST_SAMPLE = 1 << 14
_CHUNK = 1 << 16  # integers that are looked up together: they stay in the processor's cache
_BYTE_MASKS = np.array([2 ** (8 * size) - 1 for size in range(9)], np.uint64)


class TokenTable:
    """Hash table with open addressing, from byte strings to their positions in a list.

    Args:
        tokens: The byte strings; of equal ones the first counts.

    Example:
        >>> table = TokenTable([b"the", b"cat"])
        >>> table.lookup(pack_bytes([b"cat", b"dog", b"the"])).tolist()
        [1, -1, 0]
    """

    def __init__(self, tokens: Sequence[bytes]):
        self._tokens = pack_bytes(list(tokens))
        self._words = self._tokens.words()
        self._slot_keys, self._slot_ids = _fill_slots(_keys(self._tokens))

    def lookup(self, strings: ByteStrings) -> np.ndarray:
        """Returns the positions of byte strings, -1 for those that are not in the table.

        Args:
            strings: The byte strings.
        """
        if not len(self._tokens.lengths):
            return np.full(len(strings.lengths), -1, np.int64)
        keys = _keys(strings)
        slots = _first_slots(keys, len(self._slot_ids))
        ids, waiting = self._probe(strings, keys, slots)
        rows = waiting
        while len(rows):
            slots = slots[waiting] + 1 & len(self._slot_ids) - 1
            keys = keys[waiting]
            found, waiting = self._probe(strings.take(rows), keys, slots)
            ids[rows] = found
            rows = rows[waiting]
        return ids

    def _probe(
        self, strings: ByteStrings, keys: np.ndarray, slots: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Compares strings with those in some slots.

        Returns:
            The ids, -1 where the slot is free or holds another string, and the rows of the latter.
        """
        ids = self._slot_ids.take(slots)
        lengths = strings.lengths
        is_other = self._slot_keys.take(slots) != keys
        is_other |= self._tokens.lengths.take(ids, mode="wrap") != lengths
        long = np.flatnonzero((lengths > 8) & (ids >= 0) & ~is_other)  # shorter ones are equal
        if len(long):
            is_other[long] = ~self._are_equal(strings.take(long), ids[long])
        waiting = np.flatnonzero(is_other & (ids >= 0))
        ids[waiting] = -1
        return ids, waiting

    def _are_equal(self, strings: ByteStrings, ids: np.ndarray) -> np.ndarray:
        """Returns whether strings of more than 8 bytes are the tokens of these ids."""
        words, lengths = strings.words(), strings.lengths
        starts, own = strings.starts, self._tokens.starts[ids]
        equal = words[starts] == self._words[own]
        equal &= words[starts + lengths - 8] == self._words[own + lengths - 8]
        rows, position = np.flatnonzero(lengths > 16), 8
        while len(rows):
            equal[rows] &= words[starts[rows] + position] == self._words[own[rows] + position]
            position += 8
            rows = rows[lengths[rows] > position + 8]
        return equal


class IntegerTable:
    """Hash table with open addressing, from integers to their positions in an array.

    Args:
        integers: Integers of dtype int64, each of them once.

    Example:
        >>> IntegerTable(np.array([7, -5])).lookup(np.array([-5, 6, 7])).tolist()
        [1, -1, 0]
    """

    def __init__(self, integers: np.ndarray):
        self._slot_keys, self._slot_ids = _fill_slots(integers.view(np.uint64))

    def lookup(self, integers: np.ndarray) -> np.ndarray:
        """Returns the positions of integers, -1 for those that are not in the table.

        Args:
            integers: Integers of dtype int64.
        """
        result = np.empty(len(integers), np.int64)
        for start in range(0, len(integers), _CHUNK):
            part = slice(start, start + _CHUNK)
            result[part] = self._lookup(integers[part].view(np.uint64))
        return result

    def _lookup(self, keys: np.ndarray) -> np.ndarray:
        slots = _first_slots(keys, len(self._slot_ids))
        ids = self._slot_ids.take(slots)
        rows = np.flatnonzero((self._slot_keys.take(slots) != keys) & (ids >= 0))
        slots = slots[rows]
        while len(rows):
            slots = slots + 1 & len(self._slot_ids) - 1
            found = ids[rows] = self._slot_ids.take(slots)
            waiting = (self._slot_keys.take(slots) != keys[rows]) & (found >= 0)
            rows, slots = rows[waiting], slots[waiting]
        return ids


def _fill_slots(keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the keys and the ids in each slot of a new table; ids of -1 where it is free."""
    bits = max(len(keys).bit_length() + 2, 4)  # a quarter of the slots is in use, or less
    slot_keys, slot_ids = np.zeros(1 << bits, np.uint64), np.full(1 << bits, -1, np.int64)
    rows, slots = np.arange(len(keys)), _first_slots(keys, len(slot_ids))
    while len(rows):
        free = np.flatnonzero(slot_ids[slots] < 0)[::-1]  # the first one is written last
        slot_ids[slots[free]] = rows[free]
        slot_keys[slots[free]] = keys[rows[free]]
        waiting = slot_ids[slots] != rows
        rows, slots = rows[waiting], slots[waiting] + 1 & len(slot_ids) - 1
    return slot_keys, slot_ids


def _first_slots(keys: np.ndarray, count: int) -> np.ndarray:
    """Returns the slot of each key, where the search begins, in a table of `count` slots."""
    return ((keys * _FACTOR) >> np.uint64(65 - count.bit_length())).view(np.int64)


def count_tokens(strings: ByteStrings) -> dict[bytes, int]:
    """Returns how often each of some byte strings occurs.

    The first ones are counted by Python, and the others that are equal to one of them by NumPy.

    Args:
        strings: The byte strings.

    Example:
        >>> count_tokens(pack_bytes([b"a", b"b", b"a"]))["a".encode()]
        2
    """
    counts: dict[bytes, int] = {}
    size = _FIRST_SAMPLE
    while len(strings.lengths):
        sample = Counter(strings.take(slice(size)).tolist())
        strings = strings.take(slice(size, None))
        tokens = list(sample)
        ids = TokenTable(tokens).lookup(strings)
        strings = strings.take(ids < 0)
        totals = np.bincount(ids[ids >= 0], minlength=len(tokens))
        totals += np.fromiter(sample.values(), np.int64, len(tokens))
        counts.update(zip(tokens, totals.tolist(), strict=True))
        size *= 4  # tokens that are left are rare
    return counts


def _keys(strings: ByteStrings) -> np.ndarray:
    """Returns a 64-bit key for each string: its bytes, if there are at most 8."""
    words, lengths = strings.words(), strings.lengths
    keys = words[strings.starts]
    keys &= _BYTE_MASKS.take(lengths, mode="clip")
    long = np.flatnonzero(lengths > 8)
    if len(long):
        last = words[strings.starts[long] + lengths[long] - 8]
        keys[long] = (keys[long] * _FACTOR_2) ^ (last * _FACTOR) ^ (last >> np.uint64(29))
        longer = long[lengths[long] > 16]
        if len(longer):
            keys[longer] = fingerprint64(strings.take(longer))
    return keys

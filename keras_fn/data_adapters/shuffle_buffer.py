"""The order in which a shuffle buffer yields elements: that of `tf.data`, number by number.

A shuffle buffer is filled with the first elements, and each draw is replaced by the next one. The
order depends on two seeds and the pass alone, so a resumed run computes it anew. That it is
TensorFlow's makes a data set yield the same batches with and without TensorFlow.
"""

import numpy as np

DEFAULT_GRAPH_SEED = 87654321
"""TensorFlow's first seed where `set_random_seed` was not called."""

_MULTIPLIERS = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
_KEY_STEPS = (0x9E3779B9, 0xBB67AE85)
_LOW, _HALF = np.uint64(0xFFFFFFFF), np.uint64(32)
_ROUNDS = 10


def shuffle_order(
    size: int, buffer_size: int, seeds: tuple[int, int], pass_index: int, reshuffle: bool = True
) -> np.ndarray:
    """Returns the indices below `size` in the order in which a shuffle buffer yields them.

    Args:
        size: Number of elements.
        buffer_size: Number of elements in the buffer; `size` or more for a uniform shuffle.
        seeds: The global seed, and that of the data set.
        pass_index: Index of the pass through the data.
        reshuffle: Whether each pass has its own order.

    Returns:
        An int64 vector.

    Example:
        >>> shuffle_order(5, 2, (87654321, 1), 0).tolist()
        [0, 2, 3, 4, 1]
    """
    seeds = (0, 2**31 - 1) if seeds == (0, 0) else seeds
    if reshuffle:
        first, second = draw_words(seeds, 2 * pass_index, 2).tolist()
        seeds = (first, second)
    capacity = min(buffer_size, size)
    filled = np.minimum(capacity, size - np.arange(size))  # elements in the buffer at each draw
    draws = (draw_words(seeds, 0, size).astype(np.int64) % filled).tolist()
    # A ring, as in tf.data: the first slot moves into that of the element that was drawn.
    ring, order = list(range(capacity)), []
    for i, draw in enumerate(draws):
        slot, first_slot = (i + draw) % capacity, i % capacity
        order.append(ring[slot])
        ring[slot] = ring[first_slot]
        ring[first_slot] = i + capacity  # beyond the end there is nothing left to draw
    return np.array(order, np.int64)


def draw_words(seeds: tuple[int, int], start: int, count: int) -> np.ndarray:
    """Returns words of 32 random bits, drawn by Philox4x32 with ten rounds.

    Args:
        seeds: The key, and the upper half of the counter: integers below 2**64.
        start: Index of the first word.
        count: Number of words.

    References:
        Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", 2011.
    """
    blocks = np.arange(start // 4, -(-(start + count) // 4), dtype=np.uint64)
    high = np.full_like(blocks, seeds[1])
    c0, c1, c2, c3 = blocks & _LOW, blocks >> _HALF, high & _LOW, high >> _HALF
    k0, k1 = seeds[0] & 0xFFFFFFFF, seeds[0] >> 32
    for _ in range(_ROUNDS):
        p0, p1 = c0 * _MULTIPLIERS[0], c2 * _MULTIPLIERS[1]
        c0, c1 = (p1 >> _HALF) ^ c1 ^ np.uint64(k0), p1 & _LOW
        c2, c3 = (p0 >> _HALF) ^ c3 ^ np.uint64(k1), p0 & _LOW
        k0, k1 = (k0 + _KEY_STEPS[0]) & 0xFFFFFFFF, (k1 + _KEY_STEPS[1]) & 0xFFFFFFFF
    return np.stack([c0, c1, c2, c3], 1).ravel()[start % 4 :][:count]

"""The order of a shuffle buffer, against what TensorFlow 2.21 yields."""

import numpy as np
import pytest

from keras_fn.data_adapters.shuffle_buffer import draw_words, shuffle_order

# `[*tf.data.Dataset.range(size).shuffle(buffer, seed=seed, reshuffle_each_iteration=reshuffle)]`,
# after `tf.random.set_seed(global_seed)`: size, buffer, seeds, pass, reshuffle, order.
ORDERS = [
    (10, 4, (87654321, 7), 0, True, [0, 4, 2, 3, 5, 6, 1, 8, 7, 9]),
    (10, 4, (87654321, 7), 1, True, [1, 3, 0, 4, 6, 5, 7, 8, 9, 2]),
    (10, 4, (87654321, 7), 0, False, [3, 4, 0, 5, 1, 8, 2, 7, 6, 9]),
    (12, 100, (5, 3), 0, True, [4, 5, 6, 10, 9, 11, 0, 2, 8, 7, 3, 1]),
    (12, 100, (5, 3), 1, True, [2, 9, 4, 7, 0, 3, 6, 1, 10, 11, 8, 5]),
    (6, 2, (0, 0), 0, True, [0, 2, 3, 4, 5, 1]),
    (6, 2, (0, 0), 1, True, [0, 2, 1, 4, 3, 5]),
]


@pytest.mark.parametrize(("size", "buffer", "seeds", "pass_index", "reshuffle", "order"), ORDERS)
def test_the_order_is_that_of_tensorflow(size, buffer, seeds, pass_index, reshuffle, order):
    assert shuffle_order(size, buffer, seeds, pass_index, reshuffle).tolist() == order


@pytest.mark.parametrize(("size", "buffer"), [(0, 3), (1, 1), (7, 1), (7, 2), (7, 7), (7, 100)])
def test_each_index_comes_once_and_not_before_it_is_in_the_buffer(size, buffer):
    order = shuffle_order(size, buffer, (1, 2), 5)
    assert sorted(order) == list(range(size))
    assert all(index < position + buffer for position, index in enumerate(order))


def test_all_orders_of_a_large_buffer_are_equally_likely():
    firsts = [shuffle_order(4, 4, (1, 2), index)[0] for index in range(1000)]
    counts = np.bincount(firsts)
    assert np.all(np.abs(counts - 250) < 5 * np.sqrt(250 * 0.75))


def test_words_can_be_drawn_from_any_position():
    words = draw_words((3, 4), 0, 50)
    assert words.max() < 2**32
    for start, count in ((0, 5), (3, 6), (4, 4), (49, 1), (7, 0)):
        assert draw_words((3, 4), start, count).tolist() == words[start : start + count].tolist()

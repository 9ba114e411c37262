"""Draws on the host: their distributions, and that an element depends on key and index alone."""

from itertools import pairwise

import numpy as np
import pytest
from scipy import special, stats

from keras_fn.random import philox
from keras_fn.random.philox import draw_normal, draw_truncated_normal, draw_uniform

DRAWS = [draw_uniform, draw_normal, draw_truncated_normal]
DTYPES = ["float32", "float64"]
KEY = (7, 3)


def numpy_philox(key):
    return np.random.Philox(key=np.array(key, np.uint64))


@pytest.mark.parametrize("dtype", DTYPES)
def test_uniform_matches_the_stream_of_numpy(dtype):
    expected = np.random.Generator(numpy_philox(KEY)).random(100_001, dtype=dtype)
    np.testing.assert_array_equal(draw_uniform(KEY, (100_001,), dtype), expected)


@pytest.mark.parametrize("dtype", DTYPES)
def test_uniform_stays_in_its_range(dtype):
    x = draw_uniform(KEY, (200_000,), dtype, low=1e6, high=1e6 + 1)
    assert x.min() >= 1e6 and x.max() < 1e6 + 1
    x = draw_uniform(KEY, (200_000,), dtype, low=-3.0, high=5.0)
    assert stats.kstest(x, stats.uniform(-3, 8).cdf).pvalue > 1e-3


@pytest.mark.parametrize("dtype", DTYPES)
def test_normal_is_the_inverse_distribution_of_each_word(dtype):
    bits = np.dtype(dtype).itemsize * 8
    words = numpy_philox(KEY).random_raw(50_000 * bits // 64).view(f"u{bits // 8}")
    smaller = (np.minimum(words, ~words).astype("float64") + 0.5) * 2.0**-bits
    expected = special.ndtri(smaller) * np.where(words < 2 ** (bits - 1), 1, -1)
    tolerance = 2e-6 if dtype == "float32" else 1e-14
    np.testing.assert_allclose(draw_normal(KEY, (50_000,), dtype), expected, atol=tolerance)


@pytest.mark.parametrize("dtype", DTYPES)
def test_normal_holds_in_the_far_tails(dtype):
    bits = np.dtype(dtype).itemsize * 8
    words = np.array([0, 1, 9, 2**bits - 1], f"u{bits // 8}")
    out = np.empty(4, dtype)
    philox._normal(words.copy(), out, 0.0, 1.0)
    expected = special.ndtri(np.array([0.5, 1.5, 9.5]) * 2.0**-bits)
    np.testing.assert_allclose(out, [*expected, -expected[0]], rtol=4 * np.finfo(dtype).eps)


@pytest.mark.parametrize("dtype", DTYPES)
def test_distributions(dtype):
    normal = draw_normal(KEY, (300_000,), dtype, mean=2.0, stddev=3.0)
    truncated = draw_truncated_normal(KEY, (300_000,), dtype, mean=2.0, stddev=3.0)
    assert normal.dtype == truncated.dtype == dtype
    assert stats.kstest(normal, stats.norm(2, 3).cdf).pvalue > 1e-3
    assert stats.kstest(truncated, stats.truncnorm(-2, 2, 2, 3).cdf).pvalue > 1e-3
    assert truncated.min() >= -4.0 and truncated.max() <= 8.0


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("draw", DRAWS)
def test_any_range_has_the_bits_of_the_whole_draw(draw, dtype):
    whole = draw(KEY, (70_001,), dtype)
    cuts = [0, 1, 5, 8, 9, 9, 32_767, 32_768, 40_001, 70_001]
    parts = [draw(KEY, (70_001,), dtype, start=a, stop=b) for a, b in pairwise(cuts)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


@pytest.mark.parametrize("draw", DRAWS)
def test_threads_and_blocks_do_not_matter(draw, monkeypatch):
    whole = draw(KEY, (3, 50_001))
    monkeypatch.setattr(philox, "_CHUNK_SIZE", 1 << 12)
    monkeypatch.setattr(philox, "_BLOCK_SIZE", 1 << 10)
    monkeypatch.setattr(philox, "_cpu_count", lambda: 4)
    np.testing.assert_array_equal(draw(KEY, (3, 50_001)), whole)


def test_keys_are_independent_streams():
    streams = [draw_normal(key, (20_000,)) for key in [(0, 0), (0, 1), (1, 0), (2**63, 1)]]
    correlation = np.corrcoef(streams) - np.eye(4)
    assert np.abs(correlation).max() < 5 / np.sqrt(20_000)


def test_negative_and_huge_seeds_are_keys_too():
    assert (draw_uniform((-1, 0), (8,)) == draw_uniform((2**64 - 1, 0), (8,))).all()


def test_shapes():
    assert draw_uniform(KEY, ()).shape == ()
    assert draw_normal(KEY, (0, 3)).shape == (0, 3)
    assert draw_normal(KEY, (2, 0), start=0, stop=0).shape == (0,)


@pytest.mark.parametrize(("start", "stop"), [(-1, 2), (3, 2), (0, 7)])
def test_a_range_outside_the_draw_is_rejected(start, stop):
    with pytest.raises(ValueError, match="6 elements"):
        draw_uniform(KEY, (2, 3), start=start, stop=stop)


def test_other_dtypes_are_rejected():
    with pytest.raises(ValueError, match="float16"):
        draw_uniform(KEY, (2,), "float16")

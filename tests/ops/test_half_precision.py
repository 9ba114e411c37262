"""Sums of half precision are accumulated in float32: results are as exact as their dtype allows."""

import ml_dtypes
import numpy as np
import pytest
from scipy import special

from keras_fn import ops

N = 10_000
RNG = np.random.default_rng(0)
X = RNG.uniform(40, 60, N)  # the sum leaves float16's range; at 256, bfloat16 cannot add 1
WEIGHTS = RNG.uniform(40, 60, N)
ROWS = X.reshape(2, -1)
COLUMNS = X.reshape(-1, 2)
WIDE = X * 100 + np.linspace(0, 5_000, N)  # whose variance float16 cannot hold
LOGITS = RNG.normal(size=(100, 100))
IMAGE = X.reshape(1, 100, 100, 1)
NEAR_1 = 1 + RNG.uniform(-0.1, 0.1, 500)


def norm(x, order):
    return np.sum(np.abs(x) ** order) ** (1 / order)


def same_pool(x, size):
    """Average pooling of a vector with stride 1, padding "same"."""
    before = (size - 1) // 2
    starts = np.arange(len(x)) - before
    return np.array([x[max(i, 0) : i + size].mean() for i in starts])


CASES = {
    "sum": (ops.sum, np.sum, (X / 50,)),
    "sum_of_columns": (lambda x: ops.sum(x, 0), lambda x: x.sum(0), (COLUMNS / 50,)),
    "mean": (ops.mean, np.mean, (X,)),
    "mean_of_rows": (lambda x: ops.mean(x, 1), lambda x: x.mean(1), (ROWS,)),
    "mean_of_columns": (lambda x: ops.mean(x, 0), lambda x: x.mean(0), (COLUMNS,)),
    "var": (ops.var, np.var, (X,)),
    "std": (ops.std, np.std, (WIDE,)),
    "nanmean": (ops.nanmean, np.nanmean, (X,)),
    "nanvar": (ops.nanvar, np.nanvar, (X,)),
    "nanstd": (ops.nanstd, np.nanstd, (WIDE,)),
    "average": (
        lambda x, w: ops.average(x, weights=w),
        lambda x, w: np.average(x, weights=w),
        (X, WEIGHTS),
    ),
    "moments_mean": (lambda x: ops.moments(x, [0])[0], np.mean, (X,)),
    "logsumexp": (ops.logsumexp, special.logsumexp, (X / 50,)),
    "norm": (ops.norm, lambda x: norm(x, 2), (X,)),
    "norm_3": (lambda x: ops.norm(x, ord=3), lambda x: norm(x, 3), (X,)),
    "norm_of_matrix": (lambda x: ops.norm(x, "fro"), lambda x: norm(x, 2), (ROWS,)),
    "normalize_1": (lambda x: ops.normalize(x, order=1), lambda x: x / norm(x, 1), (X,)),
    "normalize_3": (lambda x: ops.normalize(x, order=3), lambda x: x / norm(x, 3), (X,)),
    "prod": (ops.prod, np.prod, (NEAR_1,)),
    "cumsum": (ops.cumsum, np.cumsum, (X[:1_000],)),
    "cumprod": (ops.cumprod, np.cumprod, (NEAR_1[:50],)),
    "softmax": (ops.softmax, lambda x: special.softmax(x, -1), (LOGITS,)),
    "softmax_of_two_axes": (lambda x: ops.softmax(x, (0, 1)), special.softmax, (LOGITS,)),
    "log_softmax": (ops.log_softmax, lambda x: special.log_softmax(x, -1), (LOGITS,)),
    "average_pool": (
        lambda x: ops.average_pool(x, (50, 100), data_format="channels_last"),
        lambda x: x.reshape(1, 2, 5_000).mean(-1).reshape(1, 2, 1, 1),
        (IMAGE,),
    ),
    "average_pool_same": (
        lambda x: ops.average_pool(x, 301, 1, "same", data_format="channels_last"),
        lambda x: same_pool(x.ravel(), 301).reshape(1, -1, 1),
        (X[:400].reshape(1, -1, 1) * 5,),
    ),
    "average_pool_3d": (
        lambda x: ops.average_pool(x, (20, 20, 25), data_format="channels_last"),
        lambda x: x.mean().reshape(1, 1, 1, 1, 1),
        (X.reshape(1, 20, 20, 25, 1),),
    ),
    "adaptive_average_pool": (
        lambda x: ops.adaptive_average_pool(x, 3, data_format="channels_last"),
        lambda x: np.array([x[0, :3334], x[0, 3333:6667], x[0, 6666:]]).mean(1).reshape(1, 3, 1),
        (X.reshape(1, -1, 1),),
    ),
    "segment_sum": (
        lambda x: ops.segment_sum(x, np.arange(N, dtype="int32") % 2, 2),
        lambda x: np.array([x[::2].sum(), x[1::2].sum()]),
        (X / 50,),
    ),
    "bincount": (
        lambda w: ops.bincount(np.arange(N, dtype="int32") % 2, weights=w),
        lambda w: np.array([w[::2].sum(), w[1::2].sum()]),
        (X / 50,),
    ),
    "corrcoef": (ops.corrcoef, np.corrcoef, (ROWS,)),
    "einsum_of_one": (lambda x: ops.einsum("ij->", x), np.sum, (ROWS / 50,)),
    "einsum_with_plain_sum": (
        lambda x, y: ops.einsum("ij,k->ik", x, y),
        lambda x, y: np.outer(x.sum(1), y),
        (ROWS / 100, np.array([1.0, 2.0])),
    ),
    "matmul_of_batches": (
        ops.matmul,
        np.matmul,
        (ROWS[None] / 50, COLUMNS[None, :5_000] / 50),
    ),
    "attention": (
        ops.dot_product_attention,
        lambda q, k, v: v.mean(1, keepdims=True),
        (np.zeros((1, 1, 1, 2)), np.zeros((1, N, 1, 2)), X.reshape(1, N, 1, 1) * np.ones(2)),
    ),
    "batch_normalization": (
        lambda x, m, v: ops.batch_normalization(x, m, v, -1),
        lambda x, m, v: (x - m) / np.sqrt(v + 1e-3),
        (COLUMNS[:50], np.array([50.0, 50.0]), np.array([33.0, 33.0])),
    ),
    "sparsemax": (
        ops.sparsemax,
        lambda x: np.full(x.shape, 1 / x.size),
        (np.full(600, 5.0),),
    ),
    "psnr": (
        lambda x, y: ops.psnr(x, y, 255.0),
        lambda x, y: 20 * np.log10(255) - 10 * np.log10(np.mean((x - y) ** 2)),
        (X * 4, WEIGHTS),
    ),
}


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("name", CASES)
def test_results_are_as_exact_as_their_dtype_allows(name, dtype):
    call, reference, arrays = CASES[name]
    kind = np.dtype(getattr(ml_dtypes, dtype, dtype))
    arrays = [x.astype(kind) for x in arrays]
    actual = call(*map(ops.convert_to_tensor, arrays))
    assert str(ops.dtype(actual)) == dtype
    actual = ops.convert_to_numpy(actual).astype("float64")
    expected = reference(*[x.astype("float64") for x in arrays])
    step = {"float16": 2**-10, "bfloat16": 2**-7}[dtype]  # between 1 and the next number
    np.testing.assert_allclose(actual, expected, rtol=step, atol=1e-6)


@pytest.mark.parametrize("reduction", ["mean", "nanmean", "average", "median"])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_a_mean_lies_within_its_numbers(reduction, dtype):
    x = ops.cast(ops.full((N, 3), 50.0), dtype)
    mean = getattr(ops, reduction)(x, axis=0)
    assert ops.convert_to_numpy(ops.cast(mean, "float32")).tolist() == [50.0, 50.0, 50.0]


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_pooling_has_kernels_of_half_precision(rank, dtype):
    x = np.arange(4**rank, dtype="float32").reshape(1, *(4,) * rank, 1)
    largest = ops.max_pool(ops.cast(x, dtype), 2)
    mean = ops.average_pool(ops.cast(x, dtype), 2)
    assert ops.dtype(largest) == ops.dtype(mean) == dtype
    last = ops.convert_to_numpy(ops.cast(largest, "float32")).ravel()[-1]
    assert last == 4**rank - 1
    middle = ops.convert_to_numpy(ops.cast(mean, "float32")).mean()
    np.testing.assert_allclose(middle, (4**rank - 1) / 2, rtol=1e-2)

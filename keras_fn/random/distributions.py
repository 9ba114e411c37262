"""Random tensors of distributions whose parameters may be tensors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from keras_fn.core import dtypes
from keras_fn.errors import SpecError
from keras_fn.ops import (
    add,
    cast,
    divide,
    greater_equal,
    less,
    less_equal,
    log,
    logical_and,
    maximum,
    multiply,
    power,
    sigmoid,
    subtract,
    where,
)
from keras_fn.random.random_ops import check_dtype, draw
from keras_fn.random.seed_generator import draw_seed
from keras_fn.types import DTypeLike, SeedLike, Tensor, TensorLike


def gamma(
    shape: Sequence[int], alpha: TensorLike, dtype: DTypeLike | None = None, seed: SeedLike = None
) -> Tensor:
    """Samples from gamma distributions, of density proportional to `x**(alpha - 1) * exp(-x)`.

    Args:
        shape: Shape of the result.
        alpha: Shape parameter, positive: a number, or a tensor that broadcasts to `shape`.
        dtype: A float dtype. Default `floatx()`.
        seed: An integer (the same values at each call), a `SeedGenerator`, or None for the global
            generator.

    Returns:
        A tensor of shape `shape`; NaN where a tensor `alpha` is negative.

    Raises:
        ValueError: A number `alpha` is not positive, or `dtype` is not a float dtype.

    Example:
        >>> bool(ops.all(keras.random.gamma((9,), 0.5) >= 0.0))
        True

    References:
        Marsaglia and Tsang, "A Simple Method for Generating Gamma Variables", 2000.
    """
    name, compute_dtype = _dtypes(dtype, "random.gamma")
    alpha = _check_positive(alpha, compute_dtype, "random.gamma", "alpha")
    size, exponent, base = _gamma_factors(shape, alpha, compute_dtype, *_split_key(seed, 2))
    x = size if base is None else multiply(size, power(base, exponent))
    return cast(_nan_unless(greater_equal, alpha, 0, x), name)


def beta(
    shape: Sequence[int],
    alpha: TensorLike,
    beta: TensorLike,
    dtype: DTypeLike | None = None,
    seed: SeedLike = None,
) -> Tensor:
    """Samples from beta distributions, of density proportional to `x**(alpha-1) * (1-x)**(beta-1)`.

    Args:
        shape: Shape of the result.
        alpha: First shape parameter, positive: a number, or a tensor that broadcasts to `shape`.
        beta: Second shape parameter, positive: a number, or a tensor that broadcasts to `shape`.
        dtype: A float dtype. Default `floatx()`.
        seed: An integer (the same values at each call), a `SeedGenerator`, or None for the global
            generator.

    Returns:
        A tensor of shape `shape`, from 0 to 1; NaN where a tensor of parameters is negative.

    Raises:
        ValueError: A number `alpha` or `beta` is not positive, or `dtype` is not a float dtype.

    Example:
        >>> bool(ops.all(keras.random.beta((9,), 0.5, 2.0) <= 1.0))
        True
    """
    name, compute_dtype = _dtypes(dtype, "random.beta")
    alpha = _check_positive(alpha, compute_dtype, "random.beta", "alpha")
    beta = _check_positive(beta, compute_dtype, "random.beta", "beta")
    keys = _split_key(seed, 4)
    # x / (x + y) of two gamma samples, by their logarithms, as both may underflow.
    x = _log_gamma_sample(shape, alpha, compute_dtype, *keys[:2])
    y = _log_gamma_sample(shape, beta, compute_dtype, *keys[2:])
    x = sigmoid(subtract(x, y))
    return cast(_nan_unless(greater_equal, alpha, 0, _nan_unless(greater_equal, beta, 0, x)), name)


def binomial(
    shape: Sequence[int],
    counts: TensorLike,
    probabilities: TensorLike,
    dtype: DTypeLike | None = None,
    seed: SeedLike = None,
) -> Tensor:
    """Samples from binomial distributions: the number of successes in `counts` trials.

    Args:
        shape: Shape of the result.
        counts: Number of trials: a number, or a tensor that broadcasts to `shape`.
        probabilities: Probability of success: a number, or a tensor that broadcasts to `shape`.
        dtype: A float dtype. Default `floatx()`.
        seed: An integer (the same values at each call), a `SeedGenerator`, or None for the global
            generator.

    Returns:
        A tensor of shape `shape`, of integral values; NaN where a tensor of parameters is out of
        range.

    Raises:
        ValueError: A number `counts` is negative, `probabilities` is not from 0 to 1, or `dtype` is
            not a float dtype.

    Example:
        >>> convert_to_numpy(keras.random.binomial((2,), 5, [0.0, 1.0])).tolist()
        [0.0, 5.0]
    """
    source = "random.binomial"
    name, compute_dtype = _dtypes(dtype, source)
    for parameter, value, maximum_value in (
        ("counts", counts, math.inf),
        ("probabilities", probabilities, 1),
    ):
        if isinstance(value, (int, float)) and not 0 <= value <= maximum_value:
            raise SpecError(
                source,
                expected=f"{parameter} from 0 to {maximum_value}",
                received=f"{parameter}={value}",
                fix="check the order of the arguments",
            )
    counts, probabilities = (cast(x, compute_dtype) for x in (counts, probabilities))
    x = draw(shape, compute_dtype, seed, "random_binomial", counts, probabilities)
    is_valid = logical_and(greater_equal(probabilities, 0), less_equal(probabilities, 1))
    return cast(where(logical_and(is_valid, greater_equal(counts, 0)), x, math.nan), name)


def _dtypes(dtype: DTypeLike | None, source: str) -> tuple[str, str]:
    """Returns the dtype of the result, and of the computation: 32 bits at least."""
    check_dtype(dtype, dtypes.is_float, source, "a float dtype", "ops.cast afterwards")
    name = dtypes.standardize_dtype(dtype)
    return name, name if name == "float64" else "float32"


def _check_positive(value: Any, dtype: str, source: str, name: str) -> Any:
    """Returns a number unchanged, if it is positive; anything else as a tensor."""
    if not isinstance(value, (int, float)):
        return cast(value, dtype)
    if not value > 0:
        raise SpecError(
            source,
            expected=f"{name}: a positive number, or a tensor of positive numbers",
            received=f"{name}={value}",
            fix="use a positive number",
        )
    return float(value)


def _split_key(seed: SeedLike, count: int) -> list[Tensor]:
    """Returns independent keys, derived from one key of `seed`."""
    key = cast(draw_seed(seed), "int64")
    return [key, *(add(key, [0x5BD1E995 // i, 0]) for i in range(1, count))]


def _gamma_factors(
    shape: Any, alpha: Any, dtype: str, key: Tensor, other_key: Tensor
) -> tuple[Tensor, Any, Any]:
    """Returns `size, exponent, base` such that `size * base**exponent` is gamma-distributed.

    A parameter below 1 is increased by 1, as backends sample exactly above 1, and the sample
    multiplied by a power of a uniform number. `base` is None if no parameter is below 1.
    """
    is_small = less(alpha, 1) if not isinstance(alpha, float) else alpha < 1
    if is_small is False:
        return draw(shape, dtype, key, "random_gamma", cast(alpha, dtype)), 0.0, None
    if is_small is True:
        shifted_alpha, exponent = cast(alpha + 1, dtype), 1.0 / alpha
    else:
        shifted_alpha = where(is_small, add(alpha, 1), alpha)
        exponent = where(is_small, divide(1.0, alpha), 0)
    size = draw(shape, dtype, key, "random_gamma", maximum(shifted_alpha, 1))
    base = subtract(1.0, draw(shape, dtype, other_key, "random_uniform"))  # never 0
    return size, exponent, base


def _log_gamma_sample(
    shape: Any, alpha: TensorLike, dtype: str, key: Tensor, other_key: Tensor
) -> Tensor:
    """Returns the logarithm of a gamma-distributed sample."""
    size, exponent, base = _gamma_factors(shape, alpha, dtype, key, other_key)
    size = log(size)
    return size if base is None else add(size, multiply(log(base), exponent))


def _nan_unless(condition: Any, parameter: Any, bound: float, x: Tensor) -> Tensor:
    """Returns `x`, with NaN where a tensor of parameters does not satisfy a condition."""
    if isinstance(parameter, float):
        return x
    return where(condition(parameter, bound), x, math.nan)

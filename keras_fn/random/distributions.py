"""Random tensors of laws whose parameters may differ from element to element."""

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
from keras_fn.types import Tensor


def gamma(shape: Sequence[int], alpha: Any, dtype: str | None = None, seed: Any = None) -> Tensor:
    """Floats of gamma laws: of density proportional to `x**(alpha - 1) * exp(-x)`.

    Args:
        shape: Sizes of the result.
        alpha: The shape parameter, positive: a number, or a tensor that broadcasts to `shape`.
        dtype: A float dtype; `floatx()` by default.
        seed: An integer (the same values at each call), a `SeedGenerator`, or None.

    Returns:
        A tensor of that shape; NaN where a tensor `alpha` is negative.

    Raises:
        ValueError: A number `alpha` is not positive, or `dtype` is no float dtype.

    Example:
        >>> bool(ops.all(keras.random.gamma((9,), 0.5) >= 0.0))
        True

    References:
        Marsaglia and Tsang, "A Simple Method for Generating Gamma Variables", 2000.
    """
    name, wide = _dtypes(dtype, "random.gamma")
    alpha = _check_positive(alpha, wide, "random.gamma", "alpha")
    size, exponent, base = _gamma_factors(shape, alpha, wide, *_split_key(seed, 2))
    x = size if base is None else multiply(size, power(base, exponent))
    return cast(_nan_unless(greater_equal, alpha, 0, x), name)


def beta(
    shape: Sequence[int], alpha: Any, beta: Any, dtype: str | None = None, seed: Any = None
) -> Tensor:
    """Floats of beta laws: of density proportional to `x**(alpha - 1) * (1 - x)**(beta - 1)`.

    Args:
        shape: Sizes of the result.
        alpha: The first parameter, positive: a number, or a tensor that broadcasts to `shape`.
        beta: The second parameter, likewise.
        dtype: A float dtype; `floatx()` by default.
        seed: An integer (the same values at each call), a `SeedGenerator`, or None.

    Returns:
        A tensor of that shape, from 0 to 1; NaN where a tensor of parameters is negative.

    Raises:
        ValueError: A number `alpha` or `beta` is not positive, or `dtype` is no float dtype.

    Example:
        >>> bool(ops.all(keras.random.beta((9,), 0.5, 2.0) <= 1.0))
        True
    """
    name, wide = _dtypes(dtype, "random.beta")
    alpha = _check_positive(alpha, wide, "random.beta", "alpha")
    beta = _check_positive(beta, wide, "random.beta", "beta")
    keys = _split_key(seed, 4)
    # x / (x + y) of two gamma numbers, by their logarithms: both may be too small for a float.
    x = _log_gamma_sample(shape, alpha, wide, *keys[:2])
    y = _log_gamma_sample(shape, beta, wide, *keys[2:])
    x = sigmoid(subtract(x, y))
    return cast(_nan_unless(greater_equal, alpha, 0, _nan_unless(greater_equal, beta, 0, x)), name)


def binomial(
    shape: Sequence[int],
    counts: Any,
    probabilities: Any,
    dtype: str | None = None,
    seed: Any = None,
) -> Tensor:
    """Floats of binomial laws: how many of `counts` trials succeed.

    Args:
        shape: Sizes of the result.
        counts: How many trials: a number, or a tensor that broadcasts to `shape`.
        probabilities: With which probability each succeeds, likewise.
        dtype: A float dtype; `floatx()` by default.
        seed: An integer (the same values at each call), a `SeedGenerator`, or None.

    Returns:
        A tensor of that shape, of whole numbers; NaN where a tensor of counts is negative, or of
        probabilities not from 0 to 1.

    Raises:
        ValueError: Numbers are so, or `dtype` is no float dtype.

    Example:
        >>> convert_to_numpy(keras.random.binomial((2,), 5, [0.0, 1.0])).tolist()
        [0.0, 5.0]
    """
    source = "random.binomial"
    name, wide = _dtypes(dtype, source)
    for parameter, value, most in (
        ("counts", counts, math.inf),
        ("probabilities", probabilities, 1),
    ):
        if isinstance(value, (int, float)) and not 0 <= value <= most:
            raise SpecError(
                source,
                expected=f"{parameter} from 0 to {most}",
                received=f"{parameter}={value}",
                fix="check the order of the arguments",
            )
    counts, chances = (cast(x, wide) for x in (counts, probabilities))
    x = draw(shape, wide, seed, "random_binomial", counts, chances)
    fits = logical_and(greater_equal(chances, 0), less_equal(chances, 1))
    return cast(where(logical_and(fits, greater_equal(counts, 0)), x, math.nan), name)


def _dtypes(dtype: str | None, source: str) -> tuple[str, str]:
    """Returns the dtype of the result, and that of the computation: 32 bits at least."""
    check_dtype(dtype, dtypes.is_float, source, "a float dtype", "ops.cast afterwards")
    name = dtypes.standardize_dtype(dtype)
    return name, name if name == "float64" else "float32"


def _check_positive(value: Any, dtype: str, source: str, name: str) -> Any:
    """Returns a number as it is, checked; anything else as a tensor."""
    if not isinstance(value, (int, float)):
        return cast(value, dtype)
    if not value > 0:
        raise SpecError(
            source,
            expected=f"{name}: a positive number, or a tensor of such",
            received=f"{name}={value}",
            fix="choose a positive one",
        )
    return float(value)


def _split_key(seed: Any, number: int) -> list[Tensor]:
    """Returns independent keys that follow from one draw of a seed."""
    key = cast(draw_seed(seed), "int64")
    return [key, *(add(key, [0x5BD1E995 // i, 0]) for i in range(1, number))]


def _gamma_factors(
    shape: Any, alpha: Any, dtype: str, key: Tensor, other_key: Tensor
) -> tuple[Tensor, Any, Any]:
    """Returns `size, exponent, base` such that `size * base**exponent` is of the gamma law.

    A parameter below 1 is raised by 1, for which backends draw exactly, and the result multiplied
    by a power of a uniform number. `base` is None where no parameter is below 1.
    """
    small = less(alpha, 1) if not isinstance(alpha, float) else alpha < 1
    if small is False:
        return draw(shape, dtype, key, "random_gamma", cast(alpha, dtype)), 0.0, None
    if small is True:
        raised, exponent = cast(alpha + 1, dtype), 1.0 / alpha
    else:
        raised = where(small, add(alpha, 1), alpha)
        exponent = where(small, divide(1.0, alpha), 0)
    size = draw(shape, dtype, key, "random_gamma", maximum(raised, 1))
    base = subtract(1.0, draw(shape, dtype, other_key, "random_uniform"))  # never 0
    return size, exponent, base


def _log_gamma_sample(shape: Any, alpha: Any, dtype: str, key: Tensor, other_key: Tensor) -> Tensor:
    size, exponent, base = _gamma_factors(shape, alpha, dtype, key, other_key)
    size = log(size)
    return size if base is None else add(size, multiply(log(base), exponent))


def _nan_unless(condition: Any, parameter: Any, bound: float, x: Tensor) -> Tensor:
    """NaN where a tensor of parameters does not meet a condition."""
    if isinstance(parameter, float):
        return x
    return where(condition(parameter, bound), x, math.nan)

"""Random tensors: the public functions of `keras.random`."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeGuard

from keras_fn.backend.loader import current
from keras_fn.core import dtypes
from keras_fn.core.scopes import context
from keras_fn.errors import DTypeError, SpecError
from keras_fn.ops import (
    add,
    argmax,
    argsort,
    cast,
    clip,
    erfinv,
    expand_dims,
    greater_equal,
    log,
    minimum,
    multiply,
    negative,
    nextafter,
    shape as shape_of,
    subtract,
    take,
    where,
    zeros_like,
)
from keras_fn.ops._op import op
from keras_fn.ops.creation import create_tensor
from keras_fn.random.seed_generator import draw_seed
from keras_fn.types import DTypeLike, SeedLike, Tensor, TensorLike

_INT32_MAX = 2**31 - 1


def uniform(
    shape: Sequence[int],
    minval: TensorLike = 0.0,
    maxval: TensorLike = 1.0,
    dtype: DTypeLike | None = None,
    seed: SeedLike = None,
) -> Tensor:
    """Samples from a uniform distribution over [minval, maxval).

    Args:
        shape: Shape of the result.
        minval: Lower bound, included. Default 0.0.
        maxval: Upper bound, excluded. Default 1.0.
        dtype: A float dtype. Default `floatx()`.
        seed: An integer (the same values at each call), a `SeedGenerator`, or None for the global
            generator.

    Returns:
        A tensor of shape `shape` and dtype `dtype`.

    Raises:
        ValueError: `dtype` is not a float dtype.

    Example:
        >>> bool(ops.all(keras.random.uniform((2, 3), 5.0, 6.0) >= 5.0))
        True
    """
    check_dtype(dtype, dtypes.is_float, "random.uniform", "a float dtype", "random.randint")
    if _is_number(minval, 0) and _is_number(maxval, 1):
        return draw(shape, dtype, seed, "random_uniform")
    name = dtypes.stored_dtype(dtypes.standardize_dtype(dtype))
    compute_dtype = name if name == "float64" else "float32"
    low, high = (x if _is_real(x) else cast(x, compute_dtype) for x in (minval, maxval))
    x = draw(shape, compute_dtype, seed, "random_uniform")
    x = cast(add(multiply(x, subtract(high, low)), low), name)
    if _is_real(minval) and _is_real(maxval):
        return clip(x, *dtypes.range_of(minval, maxval, name))
    return minimum(x, nextafter(cast(high, name), cast(low, name)))  # rounding may reach the bound


def normal(
    shape: Sequence[int],
    mean: TensorLike = 0.0,
    stddev: TensorLike = 1.0,
    dtype: DTypeLike | None = None,
    seed: SeedLike = None,
) -> Tensor:
    """Samples from a normal distribution.

    Args:
        shape: Shape of the result.
        mean: Mean. Default 0.0.
        stddev: Standard deviation. Default 1.0.
        dtype: A float dtype. Default `floatx()`.
        seed: An integer (the same values at each call), a `SeedGenerator`, or None for the global
            generator.

    Returns:
        A tensor of shape `shape` and dtype `dtype`.

    Example:
        >>> keras.random.normal((2, 3), seed=1).shape == (2, 3)
        True
    """
    return _scale_and_shift(draw(shape, dtype, seed, "random_normal"), mean, stddev)


def truncated_normal(
    shape: Sequence[int],
    mean: TensorLike = 0.0,
    stddev: TensorLike = 1.0,
    dtype: DTypeLike | None = None,
    seed: SeedLike = None,
) -> Tensor:
    """Samples from a normal distribution truncated at two standard deviations from the mean.

    Args:
        shape: Shape of the result.
        mean: Mean. Default 0.0.
        stddev: Standard deviation, before truncation. Default 1.0.
        dtype: A float dtype. Default `floatx()`.
        seed: An integer (the same values at each call), a `SeedGenerator`, or None for the global
            generator.

    Returns:
        A tensor of shape `shape` and dtype `dtype`.

    Example:
        >>> bool(ops.all(ops.abs(keras.random.truncated_normal((9,))) <= 2.0))
        True
    """
    name = dtypes.standardize_dtype(dtype)
    # Inverse transform sampling, in the precision that the tails need.
    compute_dtype = name if name == "float64" else "float32"
    x = draw(shape, compute_dtype, seed, "random_uniform")
    probability = math.erf(math.sqrt(2.0))
    x = erfinv(multiply(subtract(x, 0.5), 2.0 * probability))
    return _scale_and_shift(cast(multiply(x, math.sqrt(2.0)), name), mean, stddev)


def randint(
    shape: Sequence[int],
    minval: TensorLike,
    maxval: TensorLike,
    dtype: DTypeLike = "int32",
    seed: SeedLike = None,
) -> Tensor:
    """Samples integers from a uniform distribution over [minval, maxval).

    Args:
        shape: Shape of the result.
        minval: Lower bound, included.
        maxval: Upper bound, excluded.
        dtype: An integer dtype. Default `"int32"`.
        seed: An integer (the same values at each call), a `SeedGenerator`, or None for the global
            generator.

    Returns:
        A tensor of shape `shape` and dtype `dtype`.

    Raises:
        ValueError: `dtype` is not an integer dtype, or `maxval` is not greater than `minval`.

    Example:
        >>> bool(ops.all(keras.random.randint((9,), 0, 3) < 3))
        True
    """
    check_dtype(dtype, dtypes.is_int, "random.randint", "an integer dtype", "random.uniform")
    if isinstance(minval, (int, float)) and isinstance(maxval, (int, float)) and minval >= maxval:
        raise SpecError(
            "random.randint",
            expected="minval less than maxval, which is excluded",
            received=f"minval={minval}, maxval={maxval}",
            fix="pass a larger maxval",
        )
    return draw(shape, dtype, seed, "random_randint", minval, maxval)


@op
def categorical(
    logits: Tensor, num_samples: int, dtype: DTypeLike = "int32", seed: SeedLike = None
) -> Tensor:
    """Samples class indices from categorical distributions that are given by logits.

    Args:
        logits: Unnormalized log-probabilities, of shape `(batch, classes)`.
        num_samples: Number of samples for each row.
        dtype: An integer dtype. Default `"int32"`.
        seed: An integer (the same values at each call), a `SeedGenerator`, or None for the global
            generator.

    Returns:
        Class indices of shape `(batch, num_samples)`.

    Raises:
        ValueError: `logits` is not of rank 2.

    Example:
        >>> convert_to_numpy(keras.random.categorical([[0.0, -1e9]], 3)).tolist()
        [[0, 0, 0]]

    References:
        Gumbel, "Statistical Theory of Extreme Values", 1954 (the Gumbel-max trick).
    """
    if len(logits.shape) != 2:
        raise SpecError(
            "random.categorical",
            expected="logits of shape (batch, classes)",
            received=f"shape {tuple(logits.shape)}",
            fix="reshape them to two axes",
        )
    batch, classes = shape_of(logits)
    noise = draw((batch, num_samples, classes), "float32", seed, "random_uniform")
    noise = negative(log(negative(log(noise))))
    return cast(argmax(add(expand_dims(logits, 1), noise), axis=-1), dtype)


@op
def dropout(
    inputs: Tensor,
    rate: float,
    noise_shape: Sequence[int | None] | None = None,
    seed: SeedLike = None,
) -> Tensor:
    """Dropout: sets elements to 0 with probability `rate`, scales the others by `1 / (1 - rate)`.

    Args:
        inputs: Tensor of a float dtype.
        rate: Fraction of elements to drop, from 0 to 1.
        noise_shape: Shape of the dropout mask, which broadcasts to the shape of `inputs`; None
            stands for the size of an axis. Default: the shape of `inputs`.
        seed: An integer (the same values at each call), a `SeedGenerator`, or None for the global
            generator.

    Returns:
        A tensor of the shape and dtype of `inputs`.

    Raises:
        ValueError: `rate` is not from 0 to 1.

    Example:
        >>> x = convert_to_numpy(keras.random.dropout(ones((100,)), 0.5, seed=1))
        >>> sorted(set(x.tolist()))
        [0.0, 2.0]

    References:
        Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from Overfitting",
        2014.
    """
    if not 0 <= rate <= 1:
        raise SpecError(
            "random.dropout",
            expected="a rate from 0 to 1",
            received=f"rate={rate}",
            fix="pass the fraction of elements to drop",
        )
    if rate == 0:
        return inputs
    if rate == 1:
        return zeros_like(inputs)
    sizes = shape_of(inputs)
    if noise_shape is not None:
        sizes = [s if n is None else n for n, s in zip(noise_shape, sizes, strict=True)]
    noise = draw(sizes, "float32", seed, "random_uniform")
    return where(greater_equal(noise, rate), multiply(inputs, 1.0 / (1.0 - rate)), 0.0)


@op
def shuffle(x: Tensor, axis: int = 0, seed: SeedLike = None) -> Tensor:
    """Shuffles the slices of a tensor along an axis.

    Args:
        x: Tensor of rank 1 or more.
        axis: Axis to shuffle along. Default 0.
        seed: An integer (the same values at each call), a `SeedGenerator`, or None for the global
            generator.

    Returns:
        A tensor of the shape and dtype of `x`.

    Example:
        >>> sorted(convert_to_numpy(keras.random.shuffle([1, 2, 3])).tolist())
        [1, 2, 3]
    """
    # Integers of 31 bits: floats would have too many ties, which argsort leaves in order.
    keys = draw((shape_of(x)[axis],), "int32", seed, "random_randint", 0, _INT32_MAX)
    return take(x, argsort(keys), axis=axis)


def draw(shape: Any, dtype: DTypeLike | None, seed: Any, name: str, *arguments: Any) -> Tensor:
    """Calls a random function of the backend; returns a symbolic tensor in symbolic calls."""

    def create(sizes: tuple[Any, ...], dtype: str) -> Tensor:
        replica, draw_numbers = context.current.replica, getattr(current().ops, name)
        if replica is None:
            return draw_numbers(sizes, *arguments, dtype, draw_seed(seed))
        return replica.draw_rows(
            lambda sizes: draw_numbers(sizes, *arguments, dtype, draw_seed(seed)), sizes
        )

    return create_tensor(shape, dtype, create)


def _scale_and_shift(x: Tensor, mean: TensorLike, stddev: TensorLike) -> Tensor:
    x = x if _is_number(stddev, 1) else multiply(x, stddev)
    return x if _is_number(mean, 0) else add(x, mean)


def _is_real(value: Any) -> TypeGuard[float]:
    return isinstance(value, (int, float))


def _is_number(value: Any, number: int) -> bool:
    return _is_real(value) and value == number


def check_dtype(
    dtype: DTypeLike | None, fits: Callable[[str], bool], source: str, expected: str, other: str
) -> None:
    """Checks a dtype; None stands for the default.

    Raises:
        DTypeError: The dtype does not satisfy `fits`.
    """
    if dtype is not None and not fits(dtypes.standardize_dtype(dtype)):
        raise DTypeError(
            source,
            expected=expected,
            received=f"dtype={dtype!r}",
            fix=f"use such a dtype, or call {other}",
        )

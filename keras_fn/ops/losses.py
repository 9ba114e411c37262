"""Crossentropies, elementwise or along an axis of classes, and the peak signal-to-noise ratio."""

from __future__ import annotations

import math
from typing import Any

from keras_fn.core import dtypes
from keras_fn.core.dtypes import float_type
from keras_fn.core.keras_tensor import Shape
from keras_fn.core.shapes import is_compatible
from keras_fn.errors import SpecError
from keras_fn.ops._op import Rule, TensorSpec, op, spec_of
from keras_fn.ops._rules import normalize_axis
from keras_fn.ops.activations import log_softmax
from keras_fn.ops.arithmetic import add, clip, divide, multiply, negative, square, subtract
from keras_fn.ops.core import cast, dtype
from keras_fn.ops.indexing import take_along_axis
from keras_fn.ops.logic import greater_equal, where
from keras_fn.ops.manipulation import expand_dims, squeeze
from keras_fn.ops.math import exp, log, log1p, log10
from keras_fn.ops.reductions import logsumexp, mean, sum
from keras_fn.settings import settings
from keras_fn.types import Tensor, TensorLike


@op
def binary_crossentropy(
    target: TensorLike, output: TensorLike, from_logits: bool = False
) -> Tensor:
    """Binary crossentropy of each element: `-target * log(p) - (1 - target) * log(1 - p)`.

    Half precision is computed in float32.

    Args:
        target: Tensor of probabilities, of any shape.
        output: Tensor of that shape: probabilities p, or logits with `p = sigmoid(output)`.
        from_logits: Whether `output` holds logits. Probabilities are clipped to the range from
            `epsilon()` to `1 - epsilon()`.

    Returns:
        A tensor of the shape and dtype of `output`.

    Raises:
        ValueError: The shapes differ.

    Example:
        >>> print(convert_to_numpy(binary_crossentropy([0.0, 1.0], [0.5, 0.25])).round(3))
        [0.693 1.386]
    """
    _check_same_shape("ops.binary_crossentropy", spec_of(target).shape, spec_of(output).shape)
    result, output = float_type(dtype(output)), _to_float32(output)
    target = cast(target, dtype(output))
    if from_logits:
        # log(1 + exp(x)) - target * x. `where`, not `maximum` and `absolute`: their gradients
        # at 0, the output of an untrained model, would not sum to sigmoid(0) - target.
        positive = greater_equal(output, 0)
        linear = subtract(where(positive, output, 0), multiply(target, output))
        loss = add(linear, log1p(exp(where(positive, negative(output), output))))
    else:
        p = _clip_probabilities(output)
        positive = multiply(target, log(p))
        loss = negative(add(positive, multiply(subtract(1, target), log(subtract(1, p)))))
    return cast(loss, result)


@op
def categorical_crossentropy(
    target: TensorLike, output: TensorLike, from_logits: bool = False, axis: int = -1
) -> Tensor:
    """Categorical crossentropy of two distributions: `-sum(target * log(p))` over the classes.

    Half precision is computed in float32.

    Args:
        target: Tensor of probabilities, one for each class along `axis`; often one-hot.
        output: Tensor of that shape: probabilities p, or logits with `p = softmax(output)`.
        from_logits: Whether `output` holds logits. Probabilities are divided by their sum and
            clipped to the range from `epsilon()` to `1 - epsilon()`.
        axis: The axis of the classes.

    Returns:
        A tensor of the dtype of `output`, and of its shape without `axis`.

    Raises:
        ValueError: The shapes differ, or the tensors are scalars.

    Example:
        >>> print(f"{float(categorical_crossentropy([0.0, 1.0], [0.5, 0.5])):.3f}")
        0.693
    """
    shape = spec_of(output).shape
    _check_same_shape("ops.categorical_crossentropy", spec_of(target).shape, shape)
    _check_axis("ops.categorical_crossentropy", shape, axis)
    result, output = float_type(dtype(output)), _to_float32(output)
    if from_logits:
        log_p = log_softmax(output, axis=axis)
    else:
        log_p = log(_clip_probabilities(divide(output, sum(output, axis, True))))
    return cast(negative(sum(multiply(cast(target, dtype(output)), log_p), axis)), result)


@op
def sparse_categorical_crossentropy(
    target: TensorLike, output: TensorLike, from_logits: bool = False, axis: int = -1
) -> Tensor:
    """Categorical crossentropy with integer labels: `-log(p)` of the labeled class.

    Half precision is computed in float32.

    Args:
        target: Tensor of class indices, of the shape of `output` without `axis`; an additional last
            axis of size 1 is dropped.
        output: Tensor of probabilities p, or of logits with `p = softmax(output)`.
        from_logits: Whether `output` holds logits. Probabilities are divided by their sum and
            clipped to the range from `epsilon()` to `1 - epsilon()`.
        axis: The axis of the classes.

    Returns:
        A tensor of the dtype of `output`, and of its shape without `axis`.

    Raises:
        ValueError: The shapes do not match, or `output` is a scalar.

    Example:
        >>> print(convert_to_numpy(sparse_categorical_crossentropy([1], [[0.5, 0.5]])).round(3))
        [0.693]
    """
    source, shape = "ops.sparse_categorical_crossentropy", spec_of(output).shape
    _check_axis(source, shape, axis)
    if len(spec_of(target).shape) == len(shape) and spec_of(target).shape[-1] == 1:
        target = squeeze(target, -1)
    axis = normalize_axis(axis, len(shape), source)
    _check_classes(source, spec_of(target).shape, (*shape[:axis], *shape[axis + 1 :]), shape)
    result, output = float_type(dtype(output)), _to_float32(output)
    # Gathered first: the logarithm of one class, not of all. Never slower than a product with
    # one-hot vectors, and about half the time at 10,000 classes (JAX and PyTorch, CPU).
    label_output = take_along_axis(output, expand_dims(cast(target, "int32"), axis), axis=axis)
    label_output = squeeze(label_output, axis)
    if from_logits:
        loss = subtract(logsumexp(output, axis), label_output)
    else:
        loss = negative(log(_clip_probabilities(divide(label_output, sum(output, axis)))))
    return cast(loss, result)


def _to_float32(x: Any) -> Tensor:
    """Casts to float32 at least: in half precision `1 - epsilon()` is 1, and log(0) infinite."""
    return cast(x, float_type(dtype(x), "float32"))


def _clip_probabilities(p: Tensor) -> Tensor:
    return clip(p, settings.epsilon, 1.0 - settings.epsilon)


def _check_same_shape(source: str, target: Shape, output: Shape) -> None:
    if not is_compatible(target, output):
        raise SpecError(
            source,
            expected="target and output of one shape",
            received=f"target of shape {target}, output of shape {output}",
            fix="reshape one of them (class indices are for ops.sparse_categorical_crossentropy)",
        )


def _check_axis(source: str, output: Shape, axis: Any) -> None:
    if not output:
        raise SpecError(
            source,
            expected="an output with an axis of classes",
            received="a scalar",
            fix="pass one number for each class",
        )
    normalize_axis(axis, len(output), source)


def _check_classes(source: str, target: Shape, expected: Shape, output: Shape) -> None:
    if not is_compatible(target, expected):
        raise SpecError(
            source,
            expected=f"class indices of shape {expected}: the shape of output without its classes",
            received=f"target of shape {target}, output of shape {output}",
            fix="reshape the target (one-hot vectors are for ops.categorical_crossentropy)",
        )


def _psnr_spec(x1: TensorSpec, x2: TensorSpec, max_val: float) -> TensorSpec:
    if not is_compatible(x1.shape, x2.shape):
        raise SpecError(
            "ops.psnr",
            expected="two tensors of one shape",
            received=f"shapes {x1.shape} and {x2.shape}",
            fix="broadcast one of them",
        )
    return TensorSpec((), dtypes.float_type(x1.dtype, x2.dtype))


@op(rule=Rule(_psnr_spec, promote=dtypes.float_type))
def psnr(x1: TensorLike, x2: TensorLike, max_val: float) -> Tensor:
    """Peak signal-to-noise ratio (PSNR) in decibels: `20 log10(max_val) - 10 log10(mse)`.

    Args:
        x1: Tensor of any shape, for example an image.
        x2: Tensor of the same shape.
        max_val: The largest possible value of an element, for example 255 or 1.

    Returns:
        A scalar; infinity if the tensors are equal.

    Raises:
        ValueError: The shapes differ.

    Example:
        >>> print(f"{float(psnr([0.0, 0.5], [0.1, 0.4], max_val=1.0)):.2f}")
        20.00
    """
    result = _psnr_spec(spec_of(x1), spec_of(x2), max_val).dtype
    error = mean(square(subtract(_to_float32(x1), _to_float32(x2))))  # float16 would overflow
    return cast(subtract(20 * math.log10(max_val), multiply(log10(error), 10)), result)

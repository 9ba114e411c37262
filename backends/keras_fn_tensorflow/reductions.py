"""Reductions, and cumulative sums and products."""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf
from tensorflow import raw_ops as raw

from keras_fn_tensorflow.dtype_fallback import in_float32, through_int64, to_float
from keras_fn_tensorflow.elementwise import Op
from keras_fn_tensorflow.math import maximum, minimum
from keras_fn_tensorflow.tensors import cast


def refuse_no_elements(x: tf.Tensor, axes: int | Sequence[int]) -> None:
    """Raises if an axis to reduce is empty: TensorFlow would return the dtype's limit."""
    axes = [axes] if isinstance(axes, int) else axes
    if 0 in [x.shape[i] for i in axes]:
        raise ValueError(f"There are no elements to reduce in shape {x.shape}.")


def _axes(x: Any, axis: Any) -> Any:
    if axis is None:
        return list(range(x.shape.rank))
    return axis if isinstance(axis, int) else list(axis)


def _accumulation(function: Op) -> Op:
    """Adapts a sum, in float32 for half precision: TensorFlow rounds it at each step."""

    def call(x: Any, axis: Any = None, keepdims: bool = False) -> tf.Tensor:
        dtype = x.dtype
        if dtype is tf.float16 or dtype is tf.bfloat16:
            x = raw.Cast(x=x, DstT=tf.float32)
            return raw.Cast(
                x=function(input=x, axis=_axes(x, axis), keep_dims=keepdims), DstT=dtype
            )
        return function(input=x, axis=_axes(x, axis), keep_dims=keepdims)

    return call


def _reduction(function: Op, boolean: Op | None = None) -> Op:
    def call(x: Any, axis: Any = None, keepdims: bool = False) -> tf.Tensor:
        chosen = boolean if boolean is not None and x.dtype is tf.bool else function
        return chosen(input=x, axis=_axes(x, axis), keep_dims=keepdims)

    return call


sum = _accumulation(raw.Sum)

mean = _accumulation(raw.Mean)

all = _reduction(raw.All)

any = _reduction(raw.Any)

_prod = _accumulation(raw.Prod)


def prod(x: Any, axis: Any = None, keepdims: bool = False, dtype: Any = None) -> tf.Tensor:
    """`raw.Prod`, computed in `dtype`."""
    return _prod(x if dtype is None else cast(x, dtype), axis, keepdims)


def _min_max_reduction(reduce_elements: Op, elementwise: Op) -> Op:
    def call(x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None) -> tf.Tensor:
        if initial is not None:
            return elementwise(reduce_elements(x, axis, keepdims), tf.cast(initial, x.dtype))
        if x.shape.num_elements() == 0:
            refuse_no_elements(x, _axes(x, axis))
        return reduce_elements(x, axis, keepdims)

    return call


max = _min_max_reduction(_reduction(raw.Max, raw.Any), maximum)

min = _min_max_reduction(_reduction(raw.Min, raw.All), minimum)


def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> tf.Tensor:
    """`tf.reduce_logsumexp`."""
    return _logsumexp(to_float(x), axis, keepdims)


_logsumexp = in_float32(tf.reduce_logsumexp)


def _arg_reduction(function: Op) -> Op:
    def call(x: Any, axis: int | None = None, keepdims: bool = False) -> tf.Tensor:
        rank = x.shape.rank
        if axis is None:
            x = tf.reshape(x, [-1])
        index = function(input=x, dimension=axis or 0, output_type=tf.int32)
        if x.dtype.is_floating:  # the first NaN, which TensorFlow ignores
            nan = raw.IsNan(x=x)
            first = raw.ArgMax(
                input=tf.cast(nan, tf.uint8), dimension=axis or 0, output_type=tf.int32
            )
            any_nan = raw.Any(input=nan, axis=axis or 0, keep_dims=False)
            index = raw.SelectV2(condition=any_nan, t=first, e=index)
        if not keepdims:
            return index
        return tf.reshape(index, [1] * rank) if axis is None else tf.expand_dims(index, axis)

    return call


argmax = _arg_reduction(raw.ArgMax)

argmin = _arg_reduction(raw.ArgMin)


def _cumulative(function: Op) -> Op:
    def call(x: Any, axis: int | None = None, dtype: str | None = None) -> tf.Tensor:
        if axis is None:
            x, axis = tf.reshape(x, [-1]), 0
        return run(x if dtype is None else cast(x, dtype), axis=axis)

    run = in_float32(through_int64(lambda x, axis: function(x=x, axis=axis)))
    return call


cumsum = _cumulative(raw.Cumsum)


def _cumulative_product(x: tf.Tensor, axis: int) -> tf.Tensor:
    """`raw.Cumprod`, with a gradient that does not divide by zeros."""
    if not x.dtype.is_floating:
        return raw.Cumprod(x=x, axis=axis)

    @tf.custom_gradient
    def run(x: tf.Tensor) -> Any:
        return raw.Cumprod(x=x, axis=axis), lambda upstream: _product_gradient(x, upstream, axis)

    return run(x)


def _product_gradient(x: tf.Tensor, upstream: tf.Tensor, axis: int) -> tf.Tensor:
    """Gradient of `cumprod`: of elements before the first zero, by division; of that one, by the
    products without it; 0 of those after it."""
    is_zero = tf.equal(x, 0)
    zeros = tf.cumsum(tf.cast(is_zero, tf.int32), axis)
    is_first = is_zero & (zeros == 1)
    one = tf.ones_like(x)

    def sum_from(products: tf.Tensor) -> tf.Tensor:
        return tf.cumsum(upstream * products, axis, reverse=True)

    before = sum_from(_cumulative_product(x, axis)) / tf.where(is_zero, one, x)
    at = sum_from(_cumulative_product(tf.where(is_first, one, x), axis))
    return tf.where(zeros == 0, before, tf.where(is_first, at, tf.zeros_like(x)))


cumprod = _cumulative(_cumulative_product)

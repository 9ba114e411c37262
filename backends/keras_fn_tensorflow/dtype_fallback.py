"""Dtype fallback: functions compute in another dtype where TensorFlow lacks the operand's."""

from collections.abc import Callable
from functools import cache, wraps
from typing import Any

import tensorflow as tf

from keras_fn.core import dtypes
from keras_fn_tensorflow.elementwise import Op
from keras_fn_tensorflow.tensors import cast, dtype_name


def in_float32(function: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator: computes half precision in float32; TensorFlow rounds sums at each step."""

    @wraps(function)
    def call(*args: Any, **options: Any) -> Any:
        dtype = args[0].dtype
        if dtype is not tf.float16 and dtype is not tf.bfloat16:
            return function(*args, **options)
        wide = (tf.cast(x, tf.float32) if tf.is_tensor(x) and x.dtype is dtype else x for x in args)
        results = function(*wide, **options)
        return tf.nest.map_structure(
            lambda x: tf.cast(x, dtype) if x.dtype is tf.float32 else x, results
        )

    return call


@cache
def _has_accelerator() -> bool:
    return any(device.device_type != "CPU" for device in tf.config.list_logical_devices())


def product_in_float32(function: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator: `in_float32` on a CPU, where products of half precision are slow and inexact."""
    wide = in_float32(function)

    @wraps(function)
    def call(x: Any, *args: Any, **options: Any) -> Any:
        if x.dtype.size == 2 and not _has_accelerator():
            return wide(x, *args, **options)
        return function(x, *args, **options)

    return call


_COMMON = frozenset(
    {
        tf.float16,
        tf.bfloat16,
        tf.float32,
        tf.float64,
        tf.int32,
        tf.int64,
        tf.complex64,
        tf.complex128,
    }
)


def through_int64(function: Op) -> Op:
    """Decorator: computes small integers and booleans in int64; the low bits are exact."""

    @wraps(function)
    def call(*tensors: Any, **options: Any) -> tf.Tensor:
        dtype = tensors[0].dtype
        if dtype in _COMMON:
            return function(*tensors, **options)
        return tf.cast(function(*(tf.cast(t, tf.int64) for t in tensors), **options), dtype)

    return call


def unless_dtype(skips: Callable[[tf.DType], bool], otherwise: Op, function: Op) -> Op:
    """Returns `function`, but `otherwise` for operands of a dtype that `skips`."""

    def call(x: Any) -> tf.Tensor:
        return otherwise(x) if skips(x.dtype) else function(x=x)

    return call


def is_exact(dtype: tf.DType) -> bool:
    return dtype.is_integer or dtype.is_bool


def is_unsigned(dtype: tf.DType) -> bool:
    return dtype.is_unsigned or dtype.is_bool


def to_float(x: Any) -> Any:
    """Casts integers to float, as the op's rule does."""
    return x if x.dtype.is_floating else cast(x, dtypes.float_type(dtype_name(x)))

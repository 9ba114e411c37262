"""4-bit integers, two in each byte."""

from __future__ import annotations

from typing import Any

from keras_fn import ops
from keras_fn.core.argument_forms import INDEX, check_arguments
from keras_fn.core.dtypes import standardize_dtype
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.errors import DTypeError, SpecError, check_choice
from keras_fn.ops._op import op
from keras_fn.ops._rules import normalize_axis
from keras_fn.types import DTypeLike, Tensor, TensorLike

_BYTES = ("int8", "uint8")
_LOW_BITS = 15


def pack_int4(
    arr: TensorLike, axis: int = 0, dtype: DTypeLike = "int8"
) -> tuple[Tensor, tuple[int, ...], int]:
    """Packs 4-bit integers: two neighbors along an axis become the halves of a byte.

    The first of two is in the low four bits. After an odd number of values comes a 0.

    Args:
        arr: Tensor of `dtype`, of any shape, with values from -8 to 7, or from 0 to 15 for uint8.
            Of each value the low four bits are kept.
        axis: The axis along which values are packed. Its size must be known.
        dtype: `"int8"` or `"uint8"`.

    Returns:
        The packed tensor, its shape, and the size of the axis before packing.

    Raises:
        TypeError: `arr` has another dtype.
        ValueError: There is no such axis, or `dtype` is not one of the two.

    Example:
        >>> packed, shape, size = keras.quantizers.pack_int4(np.array([1, 2, -1], "int8"))
        >>> print(convert_to_numpy(packed), shape, size)
        [33 15] (2,) 3
        >>> print(convert_to_numpy(keras.quantizers.unpack_int4(packed, size)))
        [ 1  2 -1]
    """
    source = "pack_int4"
    name = check_choice(source, "dtype", standardize_dtype(dtype), _BYTES)
    x = _bytes(source, arr, (name,))
    axis = normalize_axis(axis, len(x.shape), source)
    size = x.shape[axis]
    if size is None:
        raise SpecError(
            source,
            expected="an axis of known size",
            received=f"axis={axis} of shape {tuple(x.shape)}",
            fix="pack along another axis",
        )
    packed = (_pack_pairs if isinstance(x, KerasTensor) else _pack_tensor)(x, axis, name)
    return packed, tuple(packed.shape), size


def unpack_int4(
    packed: TensorLike, orig_len: int, axis: int = 0, dtype: DTypeLike = "int8"
) -> Tensor:
    """Unpacks 4-bit integers that `pack_int4` packed two in a byte.

    Args:
        packed: Tensor of int8 or uint8, of any shape.
        orig_len: The size of the axis before packing.
        axis: The axis along which values were packed.
        dtype: The dtype of the result: `"int8"` for values from -8 to 7, `"uint8"` for 0 to 15.

    Returns:
        The unpacked tensor, with `orig_len` values along the axis.

    Raises:
        TypeError: `packed` has another dtype.
        ValueError: There is no such axis, `dtype` is not one of the two, or the bytes do not hold
            `orig_len` values.

    Example:
        >>> packed, _, _ = keras.quantizers.pack_int4(np.array([[7, -8, 3]], "int8"), axis=1)
        >>> print(convert_to_numpy(keras.quantizers.unpack_int4(packed, 3, axis=1)))
        [[ 7 -8  3]]
    """
    source = "unpack_int4"
    check_arguments(source, {"orig_len": INDEX}, {"orig_len": orig_len})
    name = check_choice(source, "dtype", standardize_dtype(dtype), _BYTES)
    x = _bytes(source, packed, _BYTES)
    axis = normalize_axis(axis, len(x.shape), source)
    size = x.shape[axis]
    if size is not None and orig_len > 2 * size:
        raise SpecError(
            source,
            expected=f"orig_len of at most {2 * size}, the values in {size} bytes",
            received=f"orig_len={orig_len}",
            fix="pass the third result of pack_int4",
        )
    return (_unpack_pairs if isinstance(x, KerasTensor) else _unpack_tensor)(
        x, orig_len, axis, name
    )


def _pack_pairs(x: Tensor, axis: int, dtype: str) -> Tensor:
    """Packs neighbors along an axis of known size."""
    shape, size = _sizes(x), x.shape[axis]
    if size % 2:
        x = ops.pad(x, [[0, int(i == axis)] for i in range(len(shape))])
    pairs = ops.reshape(x, (*shape[:axis], (size + 1) // 2, 2, *shape[axis + 1 :]))
    low, high = ops.unstack(pairs, axis=axis + 1)
    low = ops.bitwise_and(low, _LOW_BITS)
    # The high half by a product, whose result is in range: the shift of a signed integer beyond its
    # range differs between accelerators.
    return ops.bitwise_or(low, ops.multiply(_nibble(high, dtype), 16))


def _unpack_pairs(x: Tensor, size: int, axis: int, dtype: str) -> Tensor:
    """Unpacks the first `size` values along an axis."""
    shape, stored = _sizes(x), x.shape[axis]
    halves = [_nibble(half, dtype) for half in (x, ops.right_shift(x, 4))]
    values = ops.stack(halves, axis=axis + 1)
    length = -1 if stored is None else 2 * stored
    values = ops.reshape(values, (*shape[:axis], length, *shape[axis + 1 :]))
    if stored is not None and size == 2 * stored:
        return values
    return values[(slice(None),) * axis + (slice(size),)]


# For tensors with values, as one op each, which JAX compiles as one function. Graphs record the ops
# inside, which model files can hold.
_pack_tensor, _unpack_tensor = op(_pack_pairs), op(_unpack_pairs)


def _sizes(x: Tensor) -> list[Any]:
    """Returns the sizes of the axes for `reshape`: -1 for one that a graph leaves open."""
    return [-1 if size is None else size for size in ops.shape(x)]


def _nibble(x: Tensor, dtype: str) -> Tensor:
    """Returns the low four bits of each byte, as a value of a dtype."""
    values = ops.cast(ops.bitwise_and(x, _LOW_BITS), dtype)
    if dtype == "int8":  # 8 to 15 are -8 to -1
        values = ops.subtract(ops.bitwise_xor(values, 8), 8)
    return values


def _bytes(source: str, x: TensorLike, names: tuple[str, ...]) -> Tensor:
    """Returns the tensor of bytes that was passed."""
    tensor = ops.convert_to_tensor(x)
    name = standardize_dtype(tensor.dtype)
    if name in names:
        return tensor
    raise DTypeError(
        source,
        expected=f"a tensor of {' or '.join(names)}",
        received=f"{name}",
        fix=f'cast it, for example with ops.cast(x, "{names[0]}")',
    )

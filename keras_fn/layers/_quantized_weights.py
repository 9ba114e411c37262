"""Weights of layers in the modes of quantization: what is stored, and what is computed with it.

Each mode is a class of the table `MODES`. A weight is described by a `WeightLayout`, so that a mode
is written once for kernels of matrices and of einsum equations, and for tables.
"""

import inspect
from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

import ml_dtypes
import numpy as np

from keras_fn import ops
from keras_fn.core.dtypes import is_float, result_type
from keras_fn.core.scopes import AutocastScope, context
from keras_fn.errors import SpecError
from keras_fn.quantizers import (
    AbsMaxQuantizer,
    Int4QuantizationConfig,
    QuantizationConfig,
    abs_max_quantize_grouped_with_zero_point,
    compute_float8_amax_history,
    compute_float8_scale,
    pack_int4,
    quantize_and_dequantize,
    unpack_int4,
)
from keras_fn.quantizers.affine import dequantize_affine, gather_groups
from keras_fn.types import Tensor

_HISTORY_LENGTH = 1024  # of float8, where the dtype policy names none
_MOST_PRODUCTS = (2**31 - 1) // 128**2  # of two values of int8, whose sum int32 holds


class WeightLayout(NamedTuple):
    """The axes of a weight.

    Attributes:
        shape: The shape of the weight.
        letters: A letter for each axis.
        scale_letters: The letters of the stored scale of int8, which broadcasts with the outputs.
        is_table: Whether the rows are vectors that are looked up, with scales of their own.
        packed_axis: The axis of the stored matrix along which two 4-bit integers share a byte.
        zero_dtype: The dtype of zero points of int4; None for that of the layer's variables.
    """

    shape: tuple[int, ...]
    letters: str
    scale_letters: str
    is_table: bool = False
    packed_axis: int = -1
    zero_dtype: str | None = "int8"

    @property
    def contracted(self) -> list[int]:
        """The axes that share a scale: those that a product contracts; of a table the last one."""
        return [i for i, letter in enumerate(self.letters) if letter not in self.scale_letters]

    @property
    def scale_shape(self) -> tuple[int, ...]:
        """The shape of the stored scale of int8."""
        sizes = dict(zip(self.letters, self.shape, strict=True))
        return tuple(sizes.get(letter, 1) for letter in self.scale_letters)

    @property
    def matrix_shape(self) -> tuple[int, int]:
        """Rows and columns of the weight as a matrix: contracted axes, and the others."""
        rows = int(np.prod([self.shape[i] for i in self.contracted], dtype=int))
        return rows, int(np.prod(self.shape, dtype=int)) // rows

    @property
    def stored_shape(self) -> tuple[int, ...]:
        """The shape of the matrix of int4, before two values are packed in a byte."""
        return self.shape if self.is_table else self.matrix_shape

    @property
    def block_axis(self) -> int:
        """The axis of the stored matrix of int4, and of its scales, along which blocks run."""
        return -1 if self.is_table else 0

    @property
    def contracted_first(self) -> list[int]:
        """The permutation that moves the contracted axes to the front."""
        return self.contracted + [i for i in range(len(self.shape)) if i not in self.contracted]


def align(x: Any, letters: str, target: str) -> Tensor:
    """Reorders the axes of a tensor: axes of size 1 are removed and added.

    Args:
        x: The tensor.
        letters: A letter for each of its axes.
        target: The letters of the axes of the result.
    """
    lost = [i for i, letter in enumerate(letters) if letter not in target]
    kept = [letter for letter in letters if letter in target]
    x = ops.squeeze(x, axis=tuple(lost)) if lost else x
    order = [kept.index(letter) for letter in target if letter in kept]
    x = ops.transpose(x, order) if order != sorted(order) else x
    added = [i for i, letter in enumerate(target) if letter not in letters]
    return ops.expand_dims(x, tuple(added)) if added else x


def _call_quantizer(quantizer: Any, x: Any, **options: Any) -> Any:
    """Returns what a quantizer returns. Custom ones may be functions of a tensor alone."""
    if isinstance(quantizer, AbsMaxQuantizer):
        return quantizer(x, **options)
    parameters = inspect.signature(quantizer).parameters.values()
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters)
    names = {p.name for p in parameters}
    return quantizer(x, **{k: v for k, v in options.items() if takes_any or k in names})


class QuantizedWeight:
    """Base class of a weight in a mode of quantization. Its variables are attributes of the layer.

    Args:
        layer: The layer, a `QuantizableLayer`.
        name: The name of the weight.
        layout: Its axes.
        config: The quantization config, or None to take what the dtype policy says.
    """

    file_order: ClassVar[str]  # the attributes in a file, with {w} for the name
    is_integer = False  # whether `quantize` replaces the weight in floats

    def __init__(
        self, layer: Any, name: str, layout: WeightLayout, config: QuantizationConfig | None
    ):
        self.layer, self.name, self.layout, self.config = layer, name, layout, config

    @property
    def attribute(self) -> str:
        """The attribute of the layer with the variable."""
        return f"_{self.name}" if self.name == self.layer._adapted_weight else self.name

    @property
    def stored(self) -> Any:
        """The variable with the weight."""
        return getattr(self.layer, self.attribute)

    def add_variables(self) -> None:
        """Adds the variables to the layer."""

    def quantize(self, value: Any) -> dict[str, Any]:
        """Returns the values of the variables for a weight, by attribute."""
        return {self.attribute: value}

    def dequantize(self) -> Tensor:
        """Returns the weight in floats of the compute dtype."""
        return self.stored

    def as_integers(self) -> Tensor | None:
        """Returns the weight as Keras shows it where that is as integers; else None."""
        return None

    def multiply(self, inputs: Any) -> Tensor:
        """Returns the product with inputs, without bias."""
        return self.layer._product(inputs, self.dequantize())

    def _add(
        self, attribute: str, shape: Sequence[int], initializer: Any = "zeros", **options: Any
    ) -> None:
        options = {"trainable": False, "name": attribute.lstrip("_"), **options}
        variable = self.layer.add_weight(tuple(shape), initializer, **options)
        setattr(self.layer, attribute, variable)

    def _add_groups(self, rows: int, initializer: Any = "zeros") -> None:
        """Adds the group of each row: floats, which half precision would round."""
        self._add("g_idx", (rows,), initializer, dtype="float32", autocast=False)

    def _quantize_with(self, default: AbsMaxQuantizer, value: Any) -> Any:
        """Returns integers and scale of the config's quantizer, or of a default one."""
        axes = [axis % len(value.shape) for axis in default.axis or ()]
        shape = tuple(1 if i in axes else size for i, size in enumerate(value.shape))
        quantizer: Any = QuantizationConfig.weight_quantizer_or_default(self.config, default)
        options = {}
        if isinstance(quantizer, AbsMaxQuantizer) and quantizer.axis is None:
            options["axis"] = default.axis
        integers, scale = _call_quantizer(quantizer, value, to_numpy=True, **options)
        if tuple(scale.shape) != shape:
            raise SpecError(
                f"{self.layer._label}, quantize",
                expected=f"a weight_quantizer whose scale has the shape {shape}",
                received=f"a scale of shape {tuple(scale.shape)}",
                fix=f"for example AbsMaxQuantizer(axis={default.axis})",
            )
        return integers, scale

    def _multiply_quantized(self, inputs: Any, weight: Any, scale: Any) -> Tensor:
        """Returns the product of quantized inputs; inputs have the gradient of the float product.

        Args:
            inputs: The inputs in floats.
            weight: The weight, in integers or floats.
            scale: The scale of the weight, which broadcasts with the outputs; None if it is 1.
        """
        layer = self.layer

        @ops.custom_gradient
        def product(inputs: Any) -> Any:
            axes = layer._contracted_input_axes
            x, input_scale = _call_quantizer(layer.inputs_quantizer, inputs, axis=axes)
            input_scale = layer._align_input_scale(input_scale)
            if scale is None:  # a product of floats
                x = ops.cast(x, layer.compute_dtype)
            total = input_scale if scale is None else ops.multiply(scale, input_scale)

            def grad(upstream: Any) -> Any:
                gradient = layer._product_gradient(upstream, self.dequantize(), inputs)
                return ops.cast(gradient, ops.dtype(inputs))

            # Divided in 32 bits at least: half precision would round product, scale and quotient.
            dtype = ops.dtype(inputs)
            dtype = dtype if is_float(dtype) else layer.compute_dtype
            wide = result_type(dtype, "float32")
            outputs = ops.cast(layer._product(x, weight), wide)
            return ops.cast(ops.divide(outputs, ops.cast(total, wide)), dtype), grad

        return product(inputs)


class Int8Weight(QuantizedWeight):
    """8-bit integers with a scale for each output channel: `integer / scale`."""

    file_order = "{w} bias {w}_scale"
    is_integer = True

    def add_variables(self) -> None:
        self._add(self.attribute, self.layout.shape, dtype="int8")
        self._add(f"{self.name}_scale", self.layout.scale_shape, "ones")
        default = AbsMaxQuantizer()
        quantizer = QuantizationConfig.activation_quantizer_or_default(self.config, default)
        self.layer.inputs_quantizer = quantizer

    def quantize(self, value: Any) -> dict[str, Any]:
        layout = self.layout
        default = AbsMaxQuantizer(axis=tuple(layout.contracted))
        integers, scale = self._quantize_with(default, value)
        scale = align(scale, layout.letters, layout.scale_letters)
        return {self.attribute: integers, f"{self.name}_scale": scale}

    @property
    def scale(self) -> Any:
        """The variable with the scale."""
        return getattr(self.layer, f"{self.name}_scale")

    def dequantize(self) -> Tensor:
        layout = self.layout
        scale = align(self.scale, layout.scale_letters, layout.letters)
        return ops.divide(ops.cast(self.stored, self.layer.compute_dtype), scale)

    def as_integers(self) -> Tensor | None:
        return self.stored

    def multiply(self, inputs: Any) -> Tensor:
        is_safe = self.layout.matrix_shape[0] <= _MOST_PRODUCTS
        if self.layer.inputs_quantizer is None or not is_safe:
            return super().multiply(inputs)
        integers = ops.convert_to_tensor(self.stored)
        with AutocastScope(None):
            scale = ops.convert_to_tensor(self.scale)
        return self._multiply_quantized(inputs, integers, scale)

    def look_up(self, indices: Any) -> Tensor:
        """Returns rows of a table, in floats of the compute dtype."""
        rows = ops.take(self.stored, indices, axis=0)
        scale = ops.expand_dims(ops.take(self.scale, indices, axis=0), -1)
        return ops.divide(ops.cast(rows, self.layer.compute_dtype), scale)


class Int4Weight(QuantizedWeight):
    """4-bit integers, two in a byte, with scales of channels, or scales and zeros of blocks."""

    file_order = "{w} bias {w}_scale {w}_zero g_idx"
    is_integer = True

    @property
    def block_size(self) -> int | None:
        """The number of weights that share a scale; None for those of an output channel."""
        is_named = isinstance(self.config, Int4QuantizationConfig)
        source = self.config if is_named else self.layer._policy
        size = getattr(source, "block_size", None)
        return None if size == -1 else size

    def add_variables(self) -> None:
        layout, layer = self.layout, self.layer
        stored = list(layout.stored_shape)
        stored[layout.packed_axis] = -(-stored[layout.packed_axis] // 2)
        self._add(self.attribute, stored, dtype="int8")
        rows, columns = layout.matrix_shape
        size = self.block_size
        shape = (columns,) if size is None else (-(-rows // size), columns)
        shape = shape[::-1] if layout.is_table else shape
        self._add(f"{self.name}_scale", shape, "ones")
        if size is not None:
            self._add(f"{self.name}_zero", shape, dtype=layout.zero_dtype)
            if not hasattr(layer, "g_idx"):
                blocks = np.arange(rows) // size
                self._add_groups(rows, lambda shape, dtype: blocks)
        default = None if self.config is not None else layer._default_int4_inputs_quantizer
        quantizer = QuantizationConfig.activation_quantizer_or_default(self.config, default)
        layer.inputs_quantizer = quantizer

    def quantize(self, value: Any) -> dict[str, Any]:
        layout, size = self.layout, self.block_size
        if size is None:
            matrix = ops.reshape(value, layout.stored_shape)
            axis = -1 if layout.is_table else 0
            default = AbsMaxQuantizer(axis, (-8, 7))
            _, columns = layout.matrix_shape
            integers, scale = self._quantize_with(default, matrix)
            values = {f"{self.name}_scale": ops.reshape(scale, (columns,))}
        else:
            turn = ops.transpose if layout.is_table else lambda x: x
            matrix = ops.reshape(turn(value), layout.matrix_shape)
            integers, scale, zero = abs_max_quantize_grouped_with_zero_point(
                matrix, size, to_numpy=True
            )
            integers = turn(integers)
            values = {f"{self.name}_scale": turn(scale), f"{self.name}_zero": turn(zero)}
        packed, _, _ = pack_int4(integers, axis=layout.packed_axis)
        return {self.attribute: packed, **values}

    def _unpack(self, packed: Any) -> Tensor:
        axis = self.layout.packed_axis
        return unpack_int4(packed, self.layout.stored_shape[axis], axis=axis)

    def dequantize(self) -> Tensor:
        parameters = [getattr(self.layer, name) for name in self._parameters]
        integers = self._unpack(ops.convert_to_tensor(self.stored))
        return ops.reshape(self._to_floats(integers, *parameters), self.layout.shape)

    def look_up(self, indices: Any) -> Tensor:
        """Returns rows of a table, in floats of the compute dtype."""
        packed, *parameters = (
            ops.take(getattr(self.layer, name), indices, axis=0)
            for name in (self.attribute, *self._parameters)
        )
        return self._to_floats(self._unpack(packed), *parameters)

    @property
    def _parameters(self) -> tuple[str, ...]:
        names = (f"{self.name}_scale", f"{self.name}_zero")
        return names[:1] if self.block_size is None else names

    def _to_floats(self, integers: Any, scale: Any, zero: Any = None) -> Tensor:
        """Returns stored integers in floats: a matrix, or rows of a table."""
        dtype, axis = self.layer.compute_dtype, self.layout.block_axis
        if zero is None:
            scale = ops.expand_dims(scale, -1) if self.layout.is_table else scale
            return ops.divide(ops.cast(integers, dtype), scale)
        groups = self.layer.g_idx
        scale, zero = (gather_groups(x, groups, axis) for x in (scale, zero))
        return ops.cast(dequantize_affine(integers, scale, zero), dtype)

    def as_integers(self) -> Tensor | None:
        return ops.reshape(self._unpack(ops.convert_to_tensor(self.stored)), self.layout.shape)

    def multiply(self, inputs: Any) -> Tensor:
        if self.layer.inputs_quantizer is None:
            return super().multiply(inputs)
        return self._multiply_quantized(inputs, self.dequantize(), None)


class CalibratedWeight(QuantizedWeight):
    """Integers of GPTQ and AWQ, which need the inputs of the layer: until then it keeps floats."""

    file_order = "bias quantized_{w} {w}_scale {w}_zero g_idx"

    @property
    def _source(self) -> Any:
        return self.layer._policy if self.config is None else self.config

    @property
    def is_calibrated(self) -> bool:
        """Whether the layer computes with the integers."""
        return self.attribute not in vars(self.layer)

    def add_variables(self) -> None:
        rows, columns = self.layout.matrix_shape
        size, name = self._source.group_size, self.name
        groups = 1 if size == -1 else -(-rows // size)
        stored = -(-columns // 2) if self._source.weight_bits == 4 else columns
        self._add(f"quantized_{name}", (stored, rows), dtype="uint8", name=name)
        self._add(f"{name}_scale", (columns, groups), "ones")
        self._add(f"{name}_zero", (columns, groups), dtype="uint8")
        self._add_scales(rows)
        self._add_groups(rows)

    def _add_scales(self, rows: int) -> None:
        """Adds the scales of inputs, which AWQ has."""

    def float_matrix(self) -> Tensor:
        """Returns the weight in floats, as a matrix with a row for each input."""
        layout = self.layout
        value = ops.transpose(self.stored, layout.contracted_first)
        return ops.reshape(value, layout.matrix_shape)

    def input_matrix(self, inputs: Any) -> Tensor:
        """Returns inputs of the layer as a matrix, with a column for each row of the weight."""
        axes = [axis % len(inputs.shape) for axis in self.layer._contracted_input_axes]
        free = [i for i in range(len(inputs.shape)) if i not in axes]
        return ops.reshape(ops.transpose(inputs, free + axes), (-1, self.layout.matrix_shape[0]))

    def calibrate(
        self,
        quantized: Any,
        scale: Any,
        zero_point: Any,
        group_index: Any,
        awq_scales: Any = None,
    ) -> None:
        """Sets the result of the calibration, and removes the weight in floats.

        Args:
            quantized: Integers of shape (columns, rows), not packed.
            scale: Scales of shape (columns, groups).
            zero_point: Zero points of shape (columns, groups).
            group_index: The group of each row, of shape (rows,).
            awq_scales: Of AWQ: the scales of the inputs, of shape (rows,).
        """
        layer, name = self.layer, self.name
        quantized = ops.cast(quantized, "uint8")
        if self._source.weight_bits == 4:
            quantized, _, _ = pack_int4(quantized, axis=0, dtype="uint8")
        values = {
            f"quantized_{name}": quantized,
            f"{name}_scale": scale,
            f"{name}_zero": zero_point,
            "g_idx": group_index,
        }
        if awq_scales is not None:
            values["awq_scales"] = awq_scales
        for attribute, value in values.items():
            getattr(layer, attribute).assign(ops.cast(value, getattr(layer, attribute).dtype))
        layer._remove_weight(self.attribute)

    def as_integers(self) -> Tensor | None:
        return self._unpack() if self.is_calibrated else None

    def _unpack(self) -> Tensor:
        """Returns the integers, of shape (columns, rows)."""
        quantized = ops.convert_to_tensor(getattr(self.layer, f"quantized_{self.name}"))
        if self._source.weight_bits != 4:
            return quantized
        return unpack_int4(quantized, self.layout.matrix_shape[1], axis=0, dtype="uint8")

    def dequantize(self) -> Tensor:
        if not self.is_calibrated:
            return self.stored
        layer, layout, name = self.layer, self.layout, self.name
        quantized = self._unpack()
        scale, zero = (
            gather_groups(getattr(layer, f"{name}_{part}"), layer.g_idx)
            for part in ("scale", "zero")
        )
        matrix = self._rescale(ops.transpose(dequantize_affine(quantized, scale, zero)))
        order = layout.contracted_first
        value = ops.reshape(matrix, [layout.shape[i] for i in order])
        value = ops.transpose(value, np.argsort(order).tolist())
        return ops.cast(value, layer.compute_dtype)

    def _rescale(self, matrix: Any) -> Any:
        """Undoes the scaling of the weights of large inputs, which AWQ does."""
        return matrix


class GPTQWeight(CalibratedWeight):
    """Integers of GPTQ."""


class AWQWeight(CalibratedWeight):
    """Integers of AWQ, of weights that were multiplied by scales of the inputs."""

    file_order = "bias quantized_{w} {w}_scale {w}_zero awq_scales g_idx"

    def _add_scales(self, rows: int) -> None:
        self._add("awq_scales", (rows,), "ones")

    def _rescale(self, matrix: Any) -> Any:
        return ops.divide(matrix, ops.expand_dims(self.layer.awq_scales, -1))


class Float8Weight(QuantizedWeight):
    """A weight in floats, of which products round weight, inputs and gradients to 8 bits."""

    file_order = " ".join(
        ["{w} bias"]
        + [f"{part}_{kind}" for part in ("inputs", "{w}", "outputs_grad") for kind in
           ("scale", "amax_history")]
    )  # fmt: skip

    def add_variables(self) -> None:
        length = getattr(self.layer._policy, "amax_history_length", _HISTORY_LENGTH)
        for part in ("inputs", self.name, "outputs_grad"):
            # The gradient of these is their next value.
            options = {
                "dtype": "float32",
                "trainable": True,
                "autocast": False,
                "overwrite_with_gradient": True,
            }
            self._add(f"{part}_scale", (), "ones", **options)
            self._add(f"{part}_amax_history", (length,), **options)

    def dequantize(self) -> Tensor:
        return ops.convert_to_tensor(self.stored)

    def multiply(self, inputs: Any) -> Tensor:
        outputs = self.layer._product(
            self._round(inputs, "inputs"), self._round(self.dequantize(), self.name)
        )
        return self._round_gradient(outputs)

    def _state(self, part: str) -> tuple[Any, Any]:
        names = (f"{part}_scale", f"{part}_amax_history")
        return tuple(ops.convert_to_tensor(getattr(self.layer, name)) for name in names)  # pyright: ignore

    def _round(self, x: Any, part: str) -> Tensor:
        """Rounds a tensor to 8 bits, and lets gradients pass."""
        is_training, dtype = bool(context.current.training), self.layer.compute_dtype

        @ops.custom_gradient
        def rounded(x: Any, scale: Any, history: Any) -> Any:
            after = _next_state(x, scale, history, "float8_e4m3fn")
            after = after if is_training else (scale, history)
            result = quantize_and_dequantize(x, scale, "float8_e4m3fn", dtype)
            return result, lambda upstream: (upstream, *after)

        return rounded(x, *self._state(part))

    def _round_gradient(self, x: Any) -> Tensor:
        """Returns a tensor as it is, and rounds its gradient to 8 bits."""
        dtype = self.layer.compute_dtype

        @ops.custom_gradient
        def unchanged(x: Any, scale: Any, history: Any) -> Any:
            def grad(upstream: Any) -> Any:
                after = _next_state(upstream, scale, history, "float8_e5m2")
                return quantize_and_dequantize(upstream, scale, "float8_e5m2", dtype), *after

            return x, grad

        return unchanged(x, *self._state("outputs_grad"))


def _next_state(x: Any, scale: Any, history: Any, dtype: str) -> tuple[Tensor, Tensor]:
    """Returns the next scale, of the largest values so far, and the next history."""
    largest = float(ml_dtypes.finfo(dtype).max)
    scale = compute_float8_scale(ops.max(history), scale, largest)
    return scale, compute_float8_amax_history(x, history)


MODES: dict[str, type[QuantizedWeight]] = {
    "int8": Int8Weight,
    "int4": Int4Weight,
    "float8": Float8Weight,
    "gptq": GPTQWeight,
    "awq": AWQWeight,
}

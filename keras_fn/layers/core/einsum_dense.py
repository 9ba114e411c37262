"""The dense layer of an einsum equation."""

import re
import string
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Unpack, cast

from keras_fn import activations
from keras_fn._lazy import LazyModule
from keras_fn.core.input_spec import InputSpec
from keras_fn.core.variable import Variable
from keras_fn.errors import SpecError
from keras_fn.initializers import VarianceScaling
from keras_fn.layers._arguments import (
    add_weight_from_spec,
    argument_error,
    positive_int,
    set_weight_spec,
)
from keras_fn.layers._lora import BaseWeight, EffectiveWeight
from keras_fn.layers._options import LayerOptions
from keras_fn.layers._quantizable_layer import QuantizableLayer
from keras_fn.layers._signature import ignores_training
from keras_fn.layers.layer import Layer
from keras_fn.ops.arithmetic import add
from keras_fn.ops.core import dtype as dtype_of, shape as shape_of
from keras_fn.ops.dense import dense_general, int8_einsum
from keras_fn.ops.linalg.products import einsum
from keras_fn.ops.manipulation import broadcast_to
from keras_fn.types import (
    ActivationLike,
    ConstraintLike,
    InitializerLike,
    RegularizerLike,
    Shape,
    Tensor,
)

if TYPE_CHECKING:
    from keras_fn.layers import _quantized_weights as quantized_weights
    from keras_fn.layers._quantized_weights import WeightLayout
    from keras_fn.quantizers import QuantizationConfig
else:  # rarely needed
    quantized_weights = LazyModule("keras_fn.layers._quantized_weights")

_TERMS = re.compile(
    r"(?P<left>\.\.\.)?(?P<inputs>[a-zA-Z]+)(?P<right>\.\.\.)?,(?P<kernel>[a-zA-Z]+)"
    r"->(?P<outputs>(?(left)\.\.\.)[a-zA-Z]+(?(right)\.\.\.))"
)


class EinsumDense(QuantizableLayer):
    """Dense layer of an einsum equation: `activation(einsum(equation, inputs, kernel) + bias)`.

    Args:
        equation: The einsum equation of the inputs and the kernel, for example `"abc,cd->abd"`. A
            `...` stands for any further axes of inputs and outputs: `"...x,xy->...y"`, or
            `"ab...,bc->ac..."`.
        output_shape: Sizes of the axes of the output, without the first axis and those of `...`:
            one integer, or a tuple of integers and None for axes that the input has, too.
        activation: Activation function applied to the result, or its name. None by default.
        bias_axes: The letters of the output's axes along which the bias differs. None: no bias.
        kernel_initializer: Initializer for the kernel. Fan-in and fan-out are those of the
            equation.
        bias_initializer: Initializer for the bias.
        kernel_regularizer: Regularizer applied to the kernel.
        bias_regularizer: Regularizer applied to the bias.
        kernel_constraint: Constraint applied to the kernel after each update.
        bias_constraint: Constraint applied to the bias after each update.
        lora_rank: Rank of the low-rank adaptation (LoRA): the kernel is frozen, and an update of it
            is trained that is the product of two thin matrices. None: no adaptation. See
            `enable_lora`.
        lora_alpha: The update is scaled by `lora_alpha / lora_rank`. By default `lora_rank`.
        gptq_unpacked_column_size: As Keras writes it: the number of outputs of a kernel that GPTQ
            quantized. It follows from the equation and the shape.
        quantization_config: The quantization config of a layer whose dtype policy is quantized,
            such as `keras.quantizers.Int8QuantizationConfig()`. `quantize` sets it.

    Input shape:
        A tensor with an axis for each letter of the equation's first term.

    Output shape:
        A tensor with an axis for each letter after the arrow.

    Raises:
        ValueError: The equation has another form, or does not fit the shapes.

    Example:
        >>> layer = keras.layers.EinsumDense("abc,cde->abde", (None, 2, 8), bias_axes="de")
        >>> layer(keras.Input((5, 3))).shape, layer.kernel.shape, layer.bias.shape
        ((None, 5, 2, 8), (3, 2, 8), (2, 8))
    """

    _quantization_modes = ("int8", "int4", "float8", "gptq", "awq")
    kernel: Variable = cast(Any, EffectiveWeight("kernel"))
    _kernel: Variable = cast(Any, BaseWeight("kernel"))
    kernel_initializer: Any
    bias = None
    _not_in_config = frozenset({"output_shape"})  # which has another name as an attribute
    _written_when_none = frozenset({"activity_regularizer"})

    def __init__(
        self,
        equation: str,
        output_shape: int | Sequence[int | None],
        activation: ActivationLike | None = None,
        bias_axes: str | None = None,
        kernel_initializer: InitializerLike | None = "glorot_uniform",
        bias_initializer: InitializerLike | None = "zeros",
        kernel_regularizer: RegularizerLike | None = None,
        bias_regularizer: RegularizerLike | None = None,
        kernel_constraint: ConstraintLike | None = None,
        bias_constraint: ConstraintLike | None = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        gptq_unpacked_column_size: int | None = None,
        quantization_config: "QuantizationConfig | dict[str, Any] | None" = None,
        **kwargs: Unpack[LayerOptions],
    ):
        super().__init__(**kwargs)
        self._equation = _parse(self, equation, bias_axes)
        self.equation, self.bias_axes = equation, bias_axes
        self.partial_output_shape = _to_sizes(self, output_shape)
        self.activation = activations.get(activation)
        set_weight_spec(self, "kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        set_weight_spec(self, "bias", bias_initializer, bias_regularizer, bias_constraint)
        self._set_lora(lora_rank, lora_alpha)
        if gptq_unpacked_column_size is not None:
            positive_int(self, "gptq_unpacked_column_size", gptq_unpacked_column_size)
        self.gptq_unpacked_column_size = gptq_unpacked_column_size
        self._set_quantization_config(quantization_config)

    def build(self, input_shape: Shape) -> None:
        """Creates the kernel and the bias."""
        equation, rank = self._equation, len(input_shape)
        sizes = self._sizes(tuple(input_shape))
        kernel_shape = tuple(sizes[letter] for letter in equation.kernel)
        initializer = equation.with_fans(self.kernel_initializer)
        self.input_spec = InputSpec(ndim=rank)  # which says how many axes `...` are
        if self._build_quantized(kernel_shape):
            self.kernel = add_weight_from_spec(
                self, "kernel", kernel_shape, initializer=initializer
            )
        if self.bias_axes:
            shape = equation.bias_shape(sizes, self.bias_axes, rank)
            self.bias = add_weight_from_spec(self, "bias", shape)
        self._contracted = equation.contracted_axes(self.bias_axes)
        axes = {i: sizes[c] for i, c in equation.input_axes() if c in equation.kernel}
        self.input_spec = InputSpec(ndim=rank, axes=axes)
        self._start_lora()

    def _sizes(self, shape: Shape) -> dict[str, int]:
        """Returns the size of each letter of kernel and bias, from the shapes of in- and output."""
        equation, rank = self._equation, len(shape)
        free = rank - len(equation.inputs)
        if free < 0 or (free and not equation.ellipsis):
            raise SpecError(
                self._label,
                expected=f"an input that fits the first term of {self.equation!r}",
                received=f"shape {shape}",
                fix="use one letter for each axis of the input",
            )
        known = {letter: shape[i] for i, letter in equation.input_axes()}
        # `output_shape` lacks the first axis: a letter, or one of those of `...`.
        skipped = 0 if equation.ellipsis == "left" and free else 1
        if len(self.partial_output_shape) != len(equation.outputs) - skipped:
            raise SpecError(
                self._label,
                expected=f"output_shape of {len(equation.outputs) - skipped} sizes, those of "
                f"{equation.outputs[skipped:]!r}",
                received=f"output_shape={self.partial_output_shape}",
                fix="leave out the first axis of the output and those of '...'",
            )
        sizes = {letter: known.get(letter) for letter in equation.kernel + (self.bias_axes or "")}
        for letter, size in zip(equation.outputs[skipped:], self.partial_output_shape, strict=True):
            if size is not None and known.get(letter, size) != size:
                raise SpecError(
                    self._label,
                    expected=f"the size {known[letter]} of the input for the axis {letter!r}",
                    received=f"output_shape={self.partial_output_shape}, input shape {shape}",
                    fix="write None for axes that the input has, too",
                )
            if letter in sizes:
                sizes[letter] = sizes[letter] if size is None else size
        unknown = [letter for letter, size in sizes.items() if size is None]
        if unknown:
            raise SpecError(
                self._label,
                expected=f"a known size of the weights' axis {unknown[0]!r} in {self.equation!r}",
                received=f"output_shape={self.partial_output_shape}, input shape {shape}",
                fix="set it in output_shape, or in the shape of Input",
            )
        return sizes  # type: ignore[return-value]

    @ignores_training
    def call(self, inputs: Tensor, training: bool | None = None) -> Tensor:
        """Returns the outputs: the same ones in training."""
        if self._is_adapted:
            outputs = self._multiply_adapted(inputs)
            outputs = outputs if self.bias is None else add(outputs, self.bias)
        elif self._contracted:
            outputs = dense_general(inputs, self.kernel, self.bias, self._contracted)
        else:
            outputs = einsum(self.equation, inputs, self.kernel)
            outputs = outputs if self.bias is None else add(outputs, self.bias)
        return outputs if self.activation is None else self.activation(outputs)

    def _multiply(self, inputs: Any, weight: Any) -> Tensor:
        if self._contracted:
            return dense_general(inputs, weight, None, self._contracted)
        return einsum(self.equation, inputs, weight)

    @property
    def _multiplies_factors(self) -> bool:
        return bool(self._contracted)

    def _product(self, inputs: Any, weight: Any) -> Tensor:
        if dtype_of(inputs) == "int8":
            return int8_einsum(self.equation, inputs, weight)
        return self._multiply(inputs, weight)

    def _product_gradient(self, upstream: Any, weight: Any, inputs: Any) -> Tensor:
        letters, outputs = self._letters
        kernel = self._equation.kernel
        kept = "".join(c for c in letters if c in outputs or c in kernel)
        grad = einsum(f"{outputs},{kernel}->{kept}", upstream, weight)
        if kept == letters:
            return grad
        return broadcast_to(quantized_weights.align(grad, kept, letters), shape_of(inputs))

    def quantized_build(
        self, shape: Shape, mode: str, config: "QuantizationConfig | None" = None
    ) -> None:
        """Creates the variables of the quantized kernel.

        Args:
            shape: The shape of the kernel.
            mode: The mode of quantization.
            config: The quantization config; None to take what the dtype policy says.
        """
        super().quantized_build(shape, mode, config)
        if mode == "gptq":
            self.gptq_unpacked_column_size = self._quantized.layout.matrix_shape[1]

    def _weight_layouts(self, shape: Shape) -> "dict[str, WeightLayout]":
        _, outputs = self._letters
        letters = self._equation.kernel
        return {"kernel": quantized_weights.WeightLayout(cast(Any, shape), letters, outputs)}

    @property
    def _letters(self) -> tuple[str, str]:
        """The letters of inputs and outputs, with further ones for the axes of `...`."""
        return self._equation.spell_out(self.input_spec.ndim)

    @property
    def _contracted_input_axes(self) -> tuple[int, ...]:
        letters, outputs = self._letters
        return tuple(i for i, c in enumerate(letters) if c not in outputs)

    def _align_input_scale(self, scale: Any) -> Any:
        return quantized_weights.align(scale, *self._letters)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor, as plain values."""
        return {**super().get_config(), "output_shape": self.partial_output_shape}


class _Equation(NamedTuple):
    """The terms of an equation, without `...`, and on which side that is: "left", "right" or ""."""

    inputs: str
    kernel: str
    outputs: str
    ellipsis: str

    def input_axes(self) -> list[tuple[int, str]]:
        """Returns the axis of each letter of the inputs; from the end, if `...` is before them."""
        first = -len(self.inputs) if self.ellipsis == "left" else 0
        return [(first + i, letter) for i, letter in enumerate(self.inputs)]

    def contracted_axes(self, bias_axes: str | None) -> int:
        """Returns how many last axes of the inputs are contracted with the first of the kernel.

        0 if the equation, or the bias, has another form than that of `dense_general`.
        """
        shared = [c for c in self.inputs if c in self.outputs]
        count = len(self.inputs) - len(shared)
        free, new = self.inputs[: len(shared)], self.kernel[count:]
        fits = (
            self.ellipsis != "right"
            and 0 < count < len(self.kernel)
            and self.kernel[:count] == self.inputs[len(shared) :]
            and self.outputs == free + new
            and not set(new) & set(self.inputs)
            and (not bias_axes or sorted(bias_axes) == sorted(new))
            and bool(self.ellipsis or free)
        )
        return count if fits else 0

    def bias_shape(self, sizes: dict[str, int], bias_axes: str, rank: int) -> tuple[int, ...]:
        """Returns the shape of the bias: its axes, and all that follow, of size 1 or of these."""
        first = min(map(self.outputs.index, bias_axes))
        shape = [sizes[c] if c in bias_axes else 1 for c in self.outputs[first:]]
        units = [1] * (rank - len(self.inputs) if self.ellipsis == "right" else 0)
        return (*shape, *units)

    def spell_out(self, rank: int) -> tuple[str, str]:
        """Returns the letters of inputs of that rank and of outputs, with some for `...`."""
        used = {*self.inputs, *self.kernel, *self.outputs}
        unused = [c for c in string.ascii_letters if c not in used]
        free = "".join(unused[: rank - len(self.inputs)])
        if self.ellipsis == "right":
            return self.inputs + free, self.outputs + free
        return free + self.inputs, free + self.outputs

    def with_fans(self, initializer: Any) -> Any:
        """Returns an initializer of scaled variance with the fan-in and fan-out of the equation."""
        is_open = isinstance(initializer, VarianceScaling) and (
            initializer.input_axes is None or initializer.output_axes is None
        )
        if not is_open:
            return initializer
        outputs = [i for i, c in enumerate(self.kernel) if c in self.outputs]
        inputs = [i for i, c in enumerate(self.kernel) if c not in self.outputs]
        axes = {"seed": initializer.seed, "input_axes": inputs, "output_axes": outputs}
        return type(initializer).from_config({**initializer.get_config(), **axes})


def _parse(layer: Layer, equation: str, bias_axes: str | None) -> _Equation:
    """Returns the terms of an equation.

    Raises:
        SpecError: It has another form, or a letter that cannot be computed.
    """
    match = _TERMS.fullmatch(str(equation).replace(" ", ""))
    if match is None or (match["left"] and match["right"]):
        raise argument_error(
            layer,
            "equation",
            "two terms and a result, with '...' on one side only",
            equation,
            "for example 'abc,cd->abd', '...x,xy->...y' or 'ab...,bc->ac...'",
        )
    side = "left" if match["left"] else "right" if match["right"] else ""
    parsed = _Equation(match["inputs"], match["kernel"], match["outputs"].replace(".", ""), side)
    known = {*parsed.inputs, *parsed.kernel}
    for letter in parsed.outputs:
        if letter not in known:
            raise argument_error(
                layer, "equation", f"the letter {letter!r} before the arrow", equation,
                "use letters of the inputs or of the kernel in the result",
            )  # fmt: skip
    for letter in parsed.kernel:
        if letter not in parsed.inputs and letter not in parsed.outputs:
            raise argument_error(
                layer, "equation", f"the kernel's letter {letter!r} in inputs or outputs", equation,
                "remove the axis, whose size is not known",
            )  # fmt: skip
    if bias_axes is not None and not set(str(bias_axes)) <= set(parsed.outputs):
        raise argument_error(
            layer, "bias_axes", f"letters of the output, {parsed.outputs!r}", bias_axes,
            "for example its last letter",
        )  # fmt: skip
    return parsed


def _to_sizes(layer: Layer, shape: Any) -> tuple[int | None, ...]:
    sizes = (shape,) if isinstance(shape, int) else shape
    if not isinstance(sizes, (list, tuple)) or not all(
        n is None or (isinstance(n, int) and n > 0) for n in sizes
    ):
        raise argument_error(
            layer, "output_shape", "a size, or a tuple of sizes and None", shape,
            "for example output_shape=(None, 64)",
        )  # fmt: skip
    return tuple(sizes)

"""Layers whose weight can be quantized: Dense, EinsumDense and embeddings."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from keras_fn._lazy import LazyModule
from keras_fn.backend.loader import current
from keras_fn.core.registry import is_builtin
from keras_fn.core.variable import Variable
from keras_fn.errors import SpecError, UnsupportedError, check_choice, missing_method
from keras_fn.layers._arguments import argument_error
from keras_fn.layers._lora import LoraLayer
from keras_fn.layers._quantization import to_quantized_policy
from keras_fn.layers._weights import adding_weights
from keras_fn.types import Shape, Tensor

if TYPE_CHECKING:
    from keras_fn import quantizers
    from keras_fn.layers import _quantized_weights as weights
    from keras_fn.layers._quantized_weights import QuantizedWeight, WeightLayout
    from keras_fn.quantizers import QuantizationConfig
else:  # rarely needed
    quantizers = LazyModule("keras_fn.quantizers")
    weights = LazyModule("keras_fn.layers._quantized_weights")


class QuantizableLayer(LoraLayer):
    """Base class of layers whose weight, the kernel or a table, can be quantized.

    Subclasses describe the weight by `_weight_layouts`, and their product by `_multiply`.
    """

    quantization_config: "QuantizationConfig | None" = None
    inputs_quantizer: Any = None  # of a quantized layer; None leaves inputs in floats
    _default_int4_inputs_quantizer: Any = None
    _quantized_weights: "Mapping[str, QuantizedWeight]" = MappingProxyType({})  # by name

    def _set_quantization_config(self, config: Any) -> None:
        """Sets the argument of the constructor: a config, or a dict that `get_config` wrote."""
        if config is None:  # as it is
            return
        if isinstance(config, Mapping):
            config = quantizers.deserialize(config)
        if not isinstance(config, quantizers.QuantizationConfig):
            fix = "for example keras.quantizers.Int8QuantizationConfig()"
            raise argument_error(self, "quantization_config", "a quantization config", config, fix)
        self.quantization_config = config

    # ---------------------------------------------------------------- what subclasses define

    def _weight_layouts(self, shape: Shape) -> "dict[str, WeightLayout]":
        """Returns the axes of the weights by name, for the shape of the first one."""
        raise missing_method(self, "_weight_layouts(shape)")

    @property
    def _contracted_input_axes(self) -> tuple[int, ...]:
        """The axes of the inputs that a product with the weight contracts."""
        return (-1,)

    def _align_input_scale(self, scale: Any) -> Any:
        """Returns a scale, of size 1 along contracted axes of inputs, as outputs have axes."""
        return scale

    def _product(self, inputs: Any, weight: Any) -> Any:
        """Returns the product of the inputs with a quantized weight, in integers or floats."""
        return self._multiply(inputs, weight)

    def _product_gradient(self, upstream: Any, weight: Any, inputs: Any) -> Any:
        """Returns the gradient of the inputs of `_product`, from that of its result."""
        raise missing_method(self, "_product_gradient(upstream, weight, inputs)")

    # ---------------------------------------------------------------- quantization

    @property
    def _quantized(self) -> Any:
        """The quantized weight; None for a weight in floats."""
        return self._quantized_weights.get(self._adapted_weight)

    @property
    def is_gptq_calibrated(self) -> bool:
        """Whether the layer computes with the integers of GPTQ."""
        return self.quantization_mode == "gptq" and self._quantized.is_calibrated

    @property
    def is_awq_calibrated(self) -> bool:
        """Whether the layer computes with the integers of AWQ."""
        return self.quantization_mode == "awq" and self._quantized.is_calibrated

    def quantize(
        self,
        mode: str | None = None,
        type_check: bool = True,
        config: "QuantizationConfig | None" = None,
    ) -> None:
        """Quantizes the weight, in place. Compile the model again afterwards.

        Args:
            mode: The mode: `"int8"` or `"int4"`, and for kernels `"float8"`, `"gptq"` and
                `"awq"`. None if `config` says it. In the last two the layer computes with floats
                until `Model.quantize` has calibrated it.
            type_check: Whether to refuse subclasses of the built-in layers, whose `call` may be
                another one.
            config: The quantizers and numbers, such as `keras.quantizers.Int8QuantizationConfig()`,
                which is the default for `"int8"`.

        Raises:
            NotImplementedError: The layer does not have this mode.
            ValueError: The layer is not built or is quantized already, or the arguments are
                invalid.
        """
        self._check_mode(mode, type_check)
        shape = self._weight_shape()
        parts = self._make_quantized_weights(shape, mode, config)
        values: dict[str, Any] = {}
        if next(iter(parts.values())).is_integer:
            for part in parts.values():
                values.update(part.quantize(part.stored))
            for part in parts.values():
                self._remove_weight(part.attribute)
        self.quantized_build(shape, cast(str, mode), config)
        for attribute, value in values.items():
            getattr(self, attribute).assign(value)
        self.quantization_config = config
        to_quantized_policy(self, config)

    def _check_mode(self, mode: Any, type_check: bool) -> None:
        if mode not in self._quantization_modes:
            raise UnsupportedError(
                f"{self._label} does not have the mode {mode!r}",
                fix=f"choose one of {', '.join(self._quantization_modes)}, or leave the layer out",
            )
        if type_check and not is_builtin(type(self)):
            raise UnsupportedError(
                f"{self._label} is a custom subclass, whose call may not use the quantized weight",
                fix="pass type_check=False if it does",
            )

    def _check_quantizable(self, mode: str) -> None:
        if mode in _CALIBRATED and self.lora_enabled:
            raise _lora_error(f"{self._label}, quantize", mode)

    def _check_lora(self, name: str) -> None:
        super()._check_lora(name)
        if self.quantization_mode in _CALIBRATED:
            raise _lora_error(f"{self._label}, enable_lora", self.quantization_mode)

    def _make_quantized_weights(
        self, shape: Shape, mode: Any, config: Any
    ) -> "dict[str, QuantizedWeight]":
        layouts = self._weight_layouts(shape)
        return {
            name: weights.MODES[mode](self, name, layout, config)
            for name, layout in layouts.items()
        }

    def quantized_build(
        self, shape: Shape, mode: str, config: "QuantizationConfig | None" = None
    ) -> None:
        """Creates the variables of the quantized weight.

        Args:
            shape: The shape of the weight.
            mode: The mode of quantization.
            config: The quantization config; None to take what the dtype policy says.

        Raises:
            ValueError: There is no such mode.
        """
        check_choice(self._label, "mode", mode, self._quantization_modes)
        self._quantized_weights = self._make_quantized_weights(shape, mode, config)
        with adding_weights(self):
            for part in self._quantized_weights.values():
                part.add_variables()
        self._hide_weight()
        self._is_quantized = True

    def _build_quantized(self, shape: Shape) -> bool:
        """Creates the quantized weight, in `build`, if the dtype policy asks for it.

        Returns:
            Whether the weight in floats is needed, too.
        """
        mode = self.quantization_mode
        if mode is None:
            return True
        config = self.quantization_config
        if config is not None and config.mode != mode:
            expected = f"a config of the mode {mode!r}, as the dtype policy {self._policy.name!r}"
            fix = "leave it out, or choose the dtype policy of its mode"
            raise argument_error(self, "quantization_config", expected, config.mode, fix)
        self.quantized_build(shape, mode, config)
        return mode == "float8"

    def _find_weight(self, attribute: str) -> Variable | None:
        """Returns a variable by its private or its public name."""
        own = vars(self)
        return own.get(attribute) if attribute in own else own.get(attribute.lstrip("_"))

    def _remove_weight(self, attribute: str) -> None:
        """Removes a variable, under its private or its public name."""
        removed, own = self._find_weight(attribute), vars(self)
        own.pop(attribute if attribute in own else attribute.lstrip("_"))
        self._weights = [variable for variable in self._weights if variable is not removed]
        self._invalidate_structure(new_weights=True)

    # ---------------------------------------------------------------- computation

    def _weight_shape(self) -> tuple[int, ...]:
        quantized = self._quantized
        return super()._weight_shape() if quantized is None else quantized.layout.shape

    def _effective_weight(self) -> Tensor:
        quantized = self._quantized
        if quantized is None:
            return super()._effective_weight()
        if self.lora_enabled:
            return self._add_update(quantized.dequantize())
        integers = quantized.as_integers()
        return quantized.dequantize() if integers is None else integers

    def _multiply_base(self, inputs: Any) -> Tensor:
        quantized = self._quantized
        return super()._multiply_base(inputs) if quantized is None else quantized.multiply(inputs)

    # ---------------------------------------------------------------- files

    def _file_variables(self) -> list[Variable]:
        own = super()._file_variables()
        if not self._quantized_weights:
            return own
        names = [
            part.attribute if name == part.name else name
            for part in self._quantized_weights.values()
            for name in part.file_order.format(w=part.name).split()
        ]
        found = [self._find_weight(name) for name in dict.fromkeys(names)]
        ordered = [variable for variable in found if variable is not None]
        known = set(map(id, ordered))
        return ordered + [variable for variable in own if id(variable) not in known]

    def _file_values(self) -> list[np.ndarray]:
        parts = self._quantized_weights
        if not parts:
            return super()._file_values()
        quantized = self._quantized
        if self.quantization_mode in _CALIBRATED and not quantized.is_calibrated:
            raise SpecError(
                self._label,
                expected="a calibrated layer, to be saved",
                received=f"one that waits for the calibration of {self.quantization_mode}",
                fix="call Model.quantize, which calibrates the layers of a model",
            )
        merged: dict[int, Any] = {}
        if self.lora_enabled:
            values = quantized.quantize(self._add_update(quantized.dequantize()))
            merged = {id(self._find_weight(name)): value for name, value in values.items()}
        convert = current().convert_to_numpy
        return [
            convert(merged[id(v)]) if id(v) in merged else v.numpy() for v in self._file_variables()
        ]


_CALIBRATED = ("gptq", "awq")


def _lora_error(source: str, mode: str | None) -> SpecError:
    return SpecError(
        source,
        expected="a mode whose weight can be quantized again, with the update: int8, int4, float8",
        received=f"low-rank adaptation with {mode}",
        fix="adapt the layer in floats, save the model, and quantize the model that is loaded",
    )

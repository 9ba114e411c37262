"""Quantization configs: the mode of quantization, and its quantizers and numbers."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, Protocol, Self, TypeAlias

from keras_fn.core import serialization
from keras_fn.core.argument_forms import check_arguments
from keras_fn.errors import SpecError, check_choice, missing_method
from keras_fn.quantizers._arguments import GROUP_SIZE
from keras_fn.quantizers.quantizer import AbsMaxQuantizer
from keras_fn.types import ArrayLike

QuantizerLike: TypeAlias = Callable[..., Any]
"""A quantizer: a function of a tensor that returns the quantized tensor and its scale."""

CalibrationData: TypeAlias = Iterable[str] | Iterable[ArrayLike]
"""Samples to calibrate with: texts, or sequences of token ids."""


class Tokenizer(Protocol):
    """A tokenizer."""

    def tokenize(self, text: str, /) -> ArrayLike:
        """Returns the token ids of a text."""
        ...


MODES = ("int8", "int4", "float8", "gptq", "awq")

_INT4_RANGE = (-8, 7)


class QuantizationConfig:
    """Base class of quantization configs. Subclasses define `mode`.

    Args:
        weight_quantizer: Quantizer of weights. None for that of the layer.
        activation_quantizer: Quantizer of activations. None to leave activations as they are.

    Raises:
        ValueError: One of them is not callable.

    Example:
        >>> class Custom(keras.quantizers.QuantizationConfig):
        ...     @property
        ...     def mode(self):
        ...         return "int8"
        >>> Custom(keras.quantizers.AbsMaxQuantizer(axis=0)).mode
        'int8'
    """

    def __init__(
        self,
        weight_quantizer: QuantizerLike | None = None,
        activation_quantizer: QuantizerLike | None = None,
    ):
        self.weight_quantizer = self._check(weight_quantizer, "weight_quantizer")
        self.activation_quantizer = self._check(activation_quantizer, "activation_quantizer")

    @property
    def mode(self) -> str:
        """The mode of quantization: `"int8"`, `"int4"`, `"float8"`, `"gptq"` or `"awq"`."""
        raise missing_method(self, "mode property")

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor, with quantizers as configs."""
        return {
            "weight_quantizer": serialization.serialize_keras_object(self.weight_quantizer),
            "activation_quantizer": serialization.serialize_keras_object(self.activation_quantizer),
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Creates an instance from a config, as `get_config` returns it."""
        return cls(**_with_quantizers(config))

    @staticmethod
    def weight_quantizer_or_default(
        config: "QuantizationConfig | None", default: QuantizerLike | None
    ) -> QuantizerLike | None:
        """Returns the quantizer of weights of a config, or a default where it names none.

        Args:
            config: A config, or None.
            default: The default.
        """
        quantizer = None if config is None else config.weight_quantizer
        return default if quantizer is None else quantizer

    @staticmethod
    def activation_quantizer_or_default(
        config: "QuantizationConfig | None", default: QuantizerLike | None
    ) -> QuantizerLike | None:
        """Returns the quantizer of activations of a config, or a default where there is no config.

        Args:
            config: A config, or None. A config without a quantizer leaves activations as they are.
            default: The default.
        """
        return default if config is None else config.activation_quantizer

    def _check(
        self, quantizer: QuantizerLike | None, argument: str, **attributes: Any
    ) -> QuantizerLike | None:
        """Returns a quantizer that has these attributes."""
        if quantizer is None:
            return None
        wanted = ", ".join(f"{name}={value!r}" for name, value in attributes.items())
        has_all = all(getattr(quantizer, name, None) == v for name, v in attributes.items())
        if callable(quantizer) and not isinstance(quantizer, type) and has_all:
            return quantizer
        raise SpecError(
            type(self).__name__,
            expected=f"{argument}: a quantizer"
            + (f" with {wanted}" if wanted else "")
            + ", or None",
            received=f"{argument}={quantizer!r}"
            + "".join(f", {name}={getattr(quantizer, name, None)!r}" for name in attributes),
            fix=f"for example {argument}=keras.quantizers.AbsMaxQuantizer({wanted})",
        )


class Int8QuantizationConfig(QuantizationConfig):
    """Quantization config of 8-bit integers.

    Args:
        weight_quantizer: Quantizer of weights, of output dtype int8. By default the layer takes an
            `AbsMaxQuantizer` along its input axes.
        activation_quantizer: Quantizer of activations; `"default"` for `AbsMaxQuantizer()`, None
            to quantize weights only.

    Raises:
        ValueError: A quantizer does not fit.

    Example:
        >>> config = keras.quantizers.Int8QuantizationConfig(activation_quantizer=None)
        >>> config.mode, config.activation_quantizer
        ('int8', None)
    """

    def __init__(
        self,
        weight_quantizer: QuantizerLike | None = None,
        activation_quantizer: QuantizerLike | str | None = "default",
    ):
        super().__init__(weight_quantizer, _or_default(activation_quantizer, AbsMaxQuantizer()))
        self._check(weight_quantizer, "weight_quantizer", output_dtype="int8")

    @property
    def mode(self) -> str:
        """`"int8"`."""
        return "int8"


class Int4QuantizationConfig(QuantizationConfig):
    """Quantization config of 4-bit integers, two in each byte.

    Args:
        weight_quantizer: Quantizer of weights, of output dtype int8 and `value_range=(-8, 7)`.
        activation_quantizer: Quantizer of activations; `"default"` or None to quantize weights
            only.
        block_size: Number of weights along the input axis that share a scale and a zero point.
            None or -1 for one scale for each output channel, which quantizers need.

    Raises:
        TypeError: `block_size` is not an integer.
        ValueError: `block_size` is not positive, or a quantizer does not fit.

    Example:
        >>> config = keras.quantizers.Int4QuantizationConfig(block_size=64)
        >>> config.mode, config.block_size
        ('int4', 64)
    """

    def __init__(
        self,
        weight_quantizer: QuantizerLike | None = None,
        activation_quantizer: QuantizerLike | str | None = "default",
        block_size: int | None = 128,
    ):
        super().__init__(weight_quantizer, _or_default(activation_quantizer, None))
        if block_size is not None:
            check_arguments(
                "Int4QuantizationConfig", {"block_size": GROUP_SIZE}, {"block_size": block_size}
            )
        self.block_size = block_size
        has_quantizer = self.weight_quantizer is not None or self.activation_quantizer is not None
        if block_size not in (None, -1) and has_quantizer:
            raise SpecError(
                "Int4QuantizationConfig",
                expected="block_size=None or -1 with quantizers: blocks have zero points",
                received=f"block_size={block_size} and a quantizer",
                fix="pass block_size=None, or no quantizer",
            )
        self._check(
            weight_quantizer, "weight_quantizer", value_range=_INT4_RANGE, output_dtype="int8"
        )

    @property
    def mode(self) -> str:
        """`"int4"`."""
        return "int4"

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor, with quantizers as configs."""
        return {**super().get_config(), "block_size": self.block_size}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Creates an instance from a config, as `get_config` returns it."""
        # Configs without the key are from before there were blocks.
        return cls(**{"block_size": None, **_with_quantizers(config)})


class Float8QuantizationConfig(QuantizationConfig):
    """Quantization config of training in 8-bit floats. It has no arguments.

    Example:
        >>> keras.quantizers.Float8QuantizationConfig().mode
        'float8'
    """

    def __init__(self):
        super().__init__()

    @property
    def mode(self) -> str:
        """`"float8"`."""
        return "float8"

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor: none."""
        return {}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Creates an instance. Configs of earlier versions have quantizers, which are None."""
        return cls()


class CalibrationConfig(QuantizationConfig):
    """Base class of configs of methods that look at activations: they run the model on samples.

    Attributes:
        dataset: The samples.
        tokenizer: Turns text into token ids.
        weight_bits: The number of bits of a weight.
        num_samples: The number of sequences.
        sequence_length: The number of tokens of a sequence.
        group_size: The number of weights that share a scale, or -1.
        quantization_layer_structure: The layers before the blocks, and the blocks.
    """

    weight_bits: int
    num_samples: int
    sequence_length: int
    group_size: int

    _parameters: ClassVar[tuple[str, ...]]  # those that the config holds, in order

    def __init__(
        self,
        dataset: CalibrationData | None,
        tokenizer: Tokenizer | None,
        quantization_layer_structure: Mapping[str, Any] | None,
    ):
        super().__init__()
        self.dataset = dataset
        self.tokenizer = tokenizer
        self.quantization_layer_structure = quantization_layer_structure

    def dtype_policy_string(self) -> str:
        """Returns the mode of the dtype policy, as `"gptq/4/128"`."""
        return f"{self.mode}/{self.weight_bits}/{self.group_size}"

    def get_config(self) -> dict[str, Any]:
        """Returns the numbers. Data, tokenizer and layers, which are needed once, are None."""
        numbers = {name: getattr(self, name) for name in self._parameters}
        once = {"dataset": None, "tokenizer": None}
        return {**once, **numbers, "quantization_layer_structure": None}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Creates an instance from a config, as `get_config` returns it."""
        return cls(**config)


def resolve_config(
    mode: "str | QuantizationConfig | None", config: "str | QuantizationConfig | None"
) -> QuantizationConfig:
    """Returns the config that the arguments `mode` and `config` of `quantize` mean.

    Args:
        mode: The mode, or None if the config says it.
        config: The config, None for that of the mode by default, or the mode.

    Raises:
        ValueError: There is neither of them, they contradict each other, or the mode needs a
            config.
    """
    if isinstance(mode, QuantizationConfig) and config is None:
        mode, config = None, mode
    if isinstance(config, str):
        mode, config = config, None
    source = "quantize"
    if mode is not None:
        check_choice(source, "mode", mode, MODES)
    if config is None and mode in _DEFAULTS:
        return _DEFAULTS[mode]()
    if not isinstance(config, QuantizationConfig):
        needed = {"gptq": "GPTQConfig", "awq": "AWQConfig"}.get(str(mode), "QuantizationConfig")
        raise SpecError(
            source,
            expected=f"config: a keras.quantizers.{needed}"
            + ("" if mode else ", or one of the modes " + ", ".join(_DEFAULTS)),
            received=f"mode={mode!r}, config={config!r}",
            fix='for example quantize("int8")'
            if mode is None
            else f"quantize(config=keras.quantizers.{needed}(...))",
        )
    check_choice(source, "config.mode", config.mode, MODES if mode is None else (mode,))
    if isinstance(config, CalibrationConfig) != (config.mode in ("gptq", "awq")):
        raise SpecError(
            source,
            expected=f"a config of the mode {config.mode!r}",
            received=type(config).__name__,
            fix="use GPTQConfig or AWQConfig for these modes",
        )
    return config


_DEFAULTS: dict[Any, type[QuantizationConfig]] = {
    "int8": Int8QuantizationConfig,
    "int4": Int4QuantizationConfig,
    "float8": Float8QuantizationConfig,
}


def _or_default(
    quantizer: QuantizerLike | str | None, default: QuantizerLike | None
) -> QuantizerLike | None:
    return default if isinstance(quantizer, str) and quantizer == "default" else quantizer  # pyright: ignore


def _with_quantizers(config: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a config with its quantizers deserialized."""
    names = ("weight_quantizer", "activation_quantizer")
    quantizers = {
        name: serialization.deserialize_as("quantizer", config[name])
        for name in names
        if config.get(name) is not None
    }
    return {**config, **dict.fromkeys(names), **quantizers}

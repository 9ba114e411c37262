"""Dtype policies of layers with quantized weights, with the form of the modes of each class."""

import re
from typing import Any, ClassVar

from keras_fn.core import dtypes
from keras_fn.core.serialization import deserialize_as
from keras_fn.dtype_policies.policy import DTypePolicy, dtype_policy, policy_error
from keras_fn.errors import DTypeError, SpecError

_SIZE = "-1|[1-9][0-9]{0,8}"  # -1: all values of a channel share a scale


class QuantizedDTypePolicy(DTypePolicy):
    """Dtype policy of a layer with quantized weights.

    `Layer.quantize` sets it, and a layer that is built with it has weights in this mode.

    Args:
        mode: The quantization mode: `"int8"`, `"int4"`, `"float8"`, `"gptq"` or `"awq"`.
        source_name: The name of the policy before quantization, which determines the other dtypes.
            The global policy by default.

    Attributes:
        name: The mode and the source, as in `"int8_from_float32"`.

    Raises:
        TypeError: `source_name` is not a string.
        ValueError: `mode` is not a mode of this class, or `source_name` is not a policy; or the
            mode is int8 with float16, whose range the sums exceed.

    Example:
        >>> policy = keras.dtype_policies.get("int8_from_mixed_bfloat16")
        >>> policy
        <QuantizedDTypePolicy "int8_from_mixed_bfloat16">
        >>> policy.quantization_mode, policy.compute_dtype, policy.variable_dtype
        ('int8', 'bfloat16', 'float32')
    """

    # The pattern of modes; each named group is a number, which becomes an attribute.
    _mode_pattern: ClassVar[str] = "int8|int4|float8|gptq|awq"
    _mode_description: ClassVar[str] = "one of int8, int4, float8, gptq, awq"

    def __init__(self, mode: str, source_name: str | None = None):
        source = type(self).__name__
        match = re.fullmatch(self._mode_pattern, mode) if isinstance(mode, str) else None
        if match is None:
            raise SpecError(
                source,
                expected=f"mode to be {self._mode_description}",
                received=f"mode={mode!r}",
                fix="use a mode of this form",
            )
        super().__init__(source_name)
        self._source_name, self._written_mode = self._name, mode
        self._name = f"{mode}_from_{self._source_name}"
        self._mode = mode.partition("/")[0]
        for name, number in match.groupdict().items():
            setattr(self, name, int(number))
        if self._mode == "int8" and self._compute_dtype == "float16":
            raise SpecError(
                source,
                expected="a source policy that supports int8",
                received=f"{self._source_name}: sums of products exceed the range of float16",
                fix='choose another source, for example "mixed_bfloat16"',
            )

    @property
    def quantization_mode(self) -> str:
        """The quantization mode, without its numbers."""
        return self._mode

    @property
    def mode(self) -> str:
        """An alias of `quantization_mode`."""
        return self._mode

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {"mode": self._written_mode, "source_name": self._source_name}


class QuantizedFloat8DTypePolicy(QuantizedDTypePolicy):
    """Dtype policy of a layer that computes in 8-bit floats with delayed scaling.

    Args:
        mode: `"float8"`.
        source_name: The name of the policy before quantization. The global policy by default.
        amax_history_length: Number of steps whose largest absolute values determine the scale.

    Raises:
        TypeError: `amax_history_length` is not an integer.
        ValueError: `amax_history_length` is not positive, or another argument is invalid.

    Example:
        >>> policy = keras.dtype_policies.get("float8_from_mixed_float16")
        >>> policy.amax_history_length, policy.compute_dtype
        (1024, 'float16')

    References:
        Micikevicius et al., "FP8 Formats for Deep Learning", 2022.
        https://arxiv.org/abs/2209.05433
    """

    default_amax_history_length: ClassVar[int] = 1024

    def __init__(
        self,
        mode: str,
        source_name: str | None = None,
        amax_history_length: int = default_amax_history_length,
    ):
        super().__init__(mode, source_name)
        is_integer = type(amax_history_length) is int
        if not is_integer or amax_history_length < 1:
            raise (SpecError if is_integer else DTypeError)(
                type(self).__name__,
                expected="amax_history_length to be a positive integer",
                received=f"amax_history_length={amax_history_length!r}",
                fix="omit it for the default, 1024",
            )
        self.amax_history_length = amax_history_length

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {**super().get_config(), "amax_history_length": self.amax_history_length}


class Int4DTypePolicy(QuantizedDTypePolicy):
    """Dtype policy of a layer with 4-bit weights that are scaled in blocks.

    Args:
        mode: `"int4/<block_size>"`.
        source_name: The name of the policy before quantization. The global policy by default.

    Attributes:
        block_size: Number of weights that share a scale; -1 for all of an output channel.

    Raises:
        ValueError: `mode` is not a mode of this class, or `source_name` is not a policy.

    Example:
        >>> keras.dtype_policies.get("int4/128_from_float32").block_size
        128
    """

    block_size: int
    _mode_pattern = f"int4/(?P<block_size>{_SIZE})"
    _mode_description = "int4/<block_size>, a positive number or -1"


class GPTQDTypePolicy(QuantizedDTypePolicy):
    """Dtype policy of a layer with weights that are quantized by GPTQ.

    GPTQ quantizes the weights one after the other, and adjusts the remaining ones to the error.

    Args:
        mode: `"gptq/<weight_bits>/<group_size>"`.
        source_name: The name of the policy before quantization. The global policy by default.

    Attributes:
        weight_bits: Bits of a weight: 2, 3, 4 or 8.
        group_size: Number of weights that share a scale; -1 for all.

    Raises:
        ValueError: `mode` is not a mode of this class, or `source_name` is not a policy.

    Example:
        >>> policy = keras.dtype_policies.get("gptq/4/128_from_float32")
        >>> policy.weight_bits, policy.group_size
        (4, 128)

    References:
        Frantar et al., "GPTQ: Accurate Post-Training Quantization for Generative Pre-trained
        Transformers", 2022. https://arxiv.org/abs/2210.17323
    """

    weight_bits: int
    group_size: int
    _mode_pattern = f"gptq/(?P<weight_bits>[2348])/(?P<group_size>{_SIZE})"
    _mode_description = "gptq/<weight_bits>/<group_size>: 2, 3, 4 or 8, and a positive number or -1"


class AWQDTypePolicy(QuantizedDTypePolicy):
    """Dtype policy of a layer with 4-bit weights that are quantized by AWQ.

    AWQ (activation-aware weight quantization) scales up the weights of large activations.

    Args:
        mode: `"awq/4/<group_size>"`.
        source_name: The name of the policy before quantization. The global policy by default.

    Attributes:
        weight_bits: Bits of a weight: 4.
        group_size: Number of weights that share a scale; -1 for all of an output channel.

    Raises:
        ValueError: `mode` is not a mode of this class, or `source_name` is not a policy.

    Example:
        >>> keras.dtype_policies.get("awq/4/-1_from_float32").group_size
        -1

    References:
        Lin et al., "AWQ: Activation-aware Weight Quantization for LLM Compression and
        Acceleration", 2023. https://arxiv.org/abs/2306.00978
    """

    weight_bits: int
    group_size: int
    _mode_pattern = f"awq/(?P<weight_bits>4)/(?P<group_size>{_SIZE})"
    _mode_description = "awq/4/<group_size>, a positive number or -1"


# The class of a policy, by its mode up to the first slash.
_CLASSES: dict[str, type[QuantizedDTypePolicy]] = {
    "int8": QuantizedDTypePolicy,
    "int4": QuantizedDTypePolicy,
    "int4/": Int4DTypePolicy,
    "float8": QuantizedFloat8DTypePolicy,
    "gptq": GPTQDTypePolicy,
    "gptq/": GPTQDTypePolicy,
    "awq": AWQDTypePolicy,
    "awq/": AWQDTypePolicy,
}


def from_name(name: Any) -> DTypePolicy:
    """Returns the policy of that name, quantized or not.

    Raises:
        TypeError: `name` is not a string.
        ValueError: `name` is not the name of a policy.
    """
    if not isinstance(name, str) or "_from_" not in name:
        return DTypePolicy(name)
    mode, _, source_name = name.partition("_from_")
    kind, slash, _ = mode.partition("/")
    if kind + slash not in _CLASSES:
        raise SpecError(
            "DTypePolicy",
            expected="the mode of a quantized policy, before _from_, to be one of int8, int4, "
            "int4/<block_size>, float8, gptq/<weight_bits>/<group_size>, awq/4/<group_size>",
            received=f"{mode!r} in {name!r}",
            fix='choose one of these, for example "int8_from_float32"',
        )
    return _CLASSES[kind + slash](mode, source_name)


def get_policy(identifier: Any) -> DTypePolicy:
    """Returns the policy for a policy, its name, a dtype in any form, a config, or None.

    Raises:
        ValueError: It has none of these forms.
        TypeError: It is of another type.
    """
    if identifier is None:
        return dtype_policy()
    if isinstance(identifier, DTypePolicy):
        return identifier
    if isinstance(identifier, dict):
        policy = deserialize_as("dtype_policy", identifier)
        if not isinstance(policy, DTypePolicy):
            raise policy_error(identifier)
        return policy
    if isinstance(identifier, str):
        return from_name(identifier)
    try:
        return from_name(dtypes.standardize_dtype(identifier))
    except SpecError:
        raise policy_error(identifier) from None

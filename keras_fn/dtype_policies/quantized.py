"""Policies of layers whose weights are quantised: one class, and a form of its modes for each."""

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from keras_fn.dtype_policies.policy import DTypePolicy
from keras_fn.errors import DTypeError, SpecError

_SIZE = "-1|[1-9][0-9]{0,8}"  # -1: all the values of a channel share a scale


class QuantizedDTypePolicy(DTypePolicy):
    """The policy of a layer whose weights are quantised.

    Layers do not take one yet: with one they refuse to be made. Its configs can be read and
    written.

    Args:
        mode: How weights are quantised: `"int8"`, `"int4"`, `"float8"`, `"gptq"` or `"awq"`.
        source_name: The name of the policy that the layer had before, which gives its other
            dtypes. By default that of the process.

    Attributes:
        name: The mode and the source, as in `"int8_from_float32"`.

    Raises:
        TypeError: `source_name` is no string.
        ValueError: `mode` is none of this class, or `source_name` names no policy; or int8
            is to be computed in float16, whose range its sums leave.

    Example:
        >>> policy = keras.dtype_policies.get("int8_from_mixed_bfloat16")
        >>> policy
        <QuantizedDTypePolicy "int8_from_mixed_bfloat16">
        >>> policy.quantization_mode, policy.compute_dtype, policy.variable_dtype
        ('int8', 'bfloat16', 'float32')
    """

    # What a mode may be; each named group is a number, and becomes an attribute.
    _form: ClassVar[str] = "int8|int4|float8|gptq|awq"
    _form_in_words: ClassVar[str] = "one of int8, int4, float8, gptq, awq"

    def __init__(self, mode: str, source_name: str | None = None):
        who = type(self).__name__
        found = re.fullmatch(self._form, mode) if isinstance(mode, str) else None
        if found is None:
            raise SpecError(
                who,
                expected=f"mode to be {self._form_in_words}",
                received=f"mode={mode!r}",
                fix="write the mode in this form",
            )
        super().__init__(source_name)
        self._source_name, self._written_mode = self._name, mode
        self._name = f"{mode}_from_{self._source_name}"
        self._mode = mode.partition("/")[0]
        for name, number in found.groupdict().items():
            setattr(self, name, int(number))
        if self._mode == "int8" and self._compute_dtype == "float16":
            raise SpecError(
                who,
                expected="a source that int8 can be computed in",
                received=f"{self._source_name}: sums of products leave the range of float16",
                fix='choose another source, for example "mixed_bfloat16"',
            )

    @property
    def quantization_mode(self) -> str:
        """How weights are quantised: the mode without its numbers."""
        return self._mode

    @property
    def mode(self) -> str:
        """Another name of `quantization_mode`."""
        return self._mode

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {"mode": self._written_mode, "source_name": self._source_name}


class QuantizedFloat8DTypePolicy(QuantizedDTypePolicy):
    """The policy of a layer that computes in 8-bit floats, scaled by the largest values of late.

    Args:
        mode: `"float8"`.
        source_name: The name of the policy that the layer had before; by default the process's.
        amax_history_length: Number of steps of which the largest values are kept.

    Raises:
        TypeError: `amax_history_length` is no integer.
        ValueError: It is not positive; or as in `QuantizedDTypePolicy`.

    Example:
        >>> policy = keras.dtype_policies.get("float8_from_mixed_float16")
        >>> policy.amax_history_length, policy.compute_dtype
        (1024, 'float16')

    References:
        Micikevicius et al., "FP8 Formats for Deep Learning", 2022.
        https://arxiv.org/abs/2209.05433
    """

    def __init__(self, mode: str, source_name: str | None = None, amax_history_length: int = 1024):
        super().__init__(mode, source_name)
        is_integer = type(amax_history_length) is int
        if not is_integer or amax_history_length < 1:
            raise (SpecError if is_integer else DTypeError)(
                type(self).__name__,
                expected="amax_history_length to be a positive integer",
                received=f"amax_history_length={amax_history_length!r}",
                fix="leave it out for 1024",
            )
        self.amax_history_length = amax_history_length

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {**super().get_config(), "amax_history_length": self.amax_history_length}


class Int4DTypePolicy(QuantizedDTypePolicy):
    """The policy of a layer with 4-bit weights that are scaled in blocks.

    Args:
        mode: `"int4/<block_size>"`.
        source_name: The name of the policy that the layer had before; by default the process's.

    Attributes:
        block_size: Number of weights that share a scale; -1 for all of an output channel.

    Raises:
        ValueError: As in `QuantizedDTypePolicy`.

    Example:
        >>> keras.dtype_policies.get("int4/128_from_float32").block_size
        128
    """

    block_size: int
    _form = f"int4/(?P<block_size>{_SIZE})"
    _form_in_words = "int4/<block_size>, a positive number or -1"


class GPTQDTypePolicy(QuantizedDTypePolicy):
    """The policy of a layer whose weights are quantised one after the other, each to make up for
    the error of those before.

    Args:
        mode: `"gptq/<weight_bits>/<group_size>"`.
        source_name: The name of the policy that the layer had before; by default the process's.

    Attributes:
        weight_bits: Bits of a weight: 2, 3, 4 or 8.
        group_size: Number of weights that share a scale; -1 for all.

    Raises:
        ValueError: As in `QuantizedDTypePolicy`.

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
    _form = f"gptq/(?P<weight_bits>[2348])/(?P<group_size>{_SIZE})"
    _form_in_words = "gptq/<weight_bits>/<group_size>: 2, 3, 4 or 8, and a positive number or -1"


class AWQDTypePolicy(QuantizedDTypePolicy):
    """The policy of a layer with 4-bit weights, those scaled up that large activations meet.

    Args:
        mode: `"awq/4/<group_size>"`.
        source_name: The name of the policy that the layer had before; by default the process's.

    Attributes:
        weight_bits: Bits of a weight: 4.
        group_size: Number of weights that share a scale; -1 for all of an output channel.

    Raises:
        ValueError: As in `QuantizedDTypePolicy`.

    Example:
        >>> keras.dtype_policies.get("awq/4/-1_from_float32").group_size
        -1

    References:
        Lin et al., "AWQ: Activation-aware Weight Quantization for LLM Compression and
        Acceleration", 2023. https://arxiv.org/abs/2306.00978
    """

    weight_bits: int
    group_size: int
    _form = f"awq/(?P<weight_bits>4)/(?P<group_size>{_SIZE})"
    _form_in_words = "awq/4/<group_size>, a positive number or -1"


# The class that the name of a policy means, by its mode up to the first slash.
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
    """Returns the policy of that name, quantised or not.

    Raises:
        TypeError: `name` is no string.
        ValueError: It names no policy.
    """
    if not isinstance(name, str) or "_from_" not in name:
        return DTypePolicy(name)
    mode, _, source = name.partition("_from_")
    kind, slash, _ = mode.partition("/")
    if kind + slash not in _CLASSES:
        raise SpecError(
            "DTypePolicy",
            expected="the mode of a quantised policy, before _from_, to be one of int8, int4, "
            "int4/<block_size>, float8, gptq/<weight_bits>/<group_size>, awq/4/<group_size>",
            received=f"{mode!r} in {name!r}",
            fix='choose one of these, for example "int8_from_float32"',
        )
    return _CLASSES[kind + slash](mode, source)


def reject_quantized(policy: DTypePolicy, who: str) -> DTypePolicy:
    """Returns `policy`, unless it, or one in it if it is a map, is quantised.

    Raises:
        ValueError: It is; `who` cannot compute with it.
    """
    for each in (policy, *policy.values()) if isinstance(policy, Mapping) else (policy,):
        if each.quantization_mode is not None:
            raise SpecError(
                who,
                expected="a dtype policy that is not quantised: layers with quantised weights "
                "are not supported yet",
                received=f'"{each.name}"' + (f" in {policy!r}" if each is not policy else ""),
                fix='choose the policy without "<mode>_from_", for example "float32" or '
                '"mixed_bfloat16"; of a quantised model, load the file saved before quantising',
            )
    return policy

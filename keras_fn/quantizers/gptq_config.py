"""Quantization config of GPTQ."""

from collections.abc import Mapping
from typing import Any

from keras_fn.core.argument_forms import ArgumentForm, check_arguments
from keras_fn.errors import check_choice
from keras_fn.quantizers._arguments import CALIBRATION
from keras_fn.quantizers.quantization_config import CalibrationConfig, CalibrationData, Tokenizer

_DAMPING = ArgumentForm(
    (float, int), "a number from 0 to 1", "0.01", lambda fraction: 0 <= fraction <= 1
)


class GPTQConfig(CalibrationConfig):
    """Quantization config of GPTQ: weights are rounded one after the other, and correct each other.

    The model runs on samples. For each layer, the second moments of its inputs (the Hessian of the
    squared error of its output) say how the weights that are left make up for the rounding of one.

    Args:
        dataset: The samples: an iterable of texts, or of sequences of token ids. They should be
            like the inputs that the model will see.
        tokenizer: Object with a method `tokenize(text)` that returns token ids; not used where the
            samples are token ids.
        weight_bits: The number of bits of a weight: 2, 3, 4 or 8.
        num_samples: The number of sequences that the model runs on.
        per_channel: Whether each output channel has scales of its own.
        sequence_length: The number of tokens of a sequence.
        hessian_damping: What is added to the diagonal of the Hessian, as a fraction of its mean,
            from 0 to 1. More makes it easier to invert and the correction weaker.
        group_size: The number of weights along the input axis that share a scale; -1 for all.
        symmetric: Whether the range of a group is symmetric, without a zero point of its own.
        activation_order: Whether weights of large inputs are rounded first.
        quantization_layer_structure: A dict with `"pre_block_layers"`, a list of the layers that
            make the input of the first block, and `"sequential_blocks"`, a list of the blocks,
            which are quantized one after the other. By default the model's
            `get_quantization_layer_structure("gptq")`.

    Raises:
        TypeError: An argument has another type.
        ValueError: A number is out of range.

    Example:
        >>> config = keras.quantizers.GPTQConfig(
        ...     dataset=["a text"], tokenizer=None, weight_bits=4, group_size=64
        ... )
        >>> config.mode, config.dtype_policy_string()
        ('gptq', 'gptq/4/64')

    References:
        Frantar et al., "GPTQ: Accurate Post-Training Quantization for Generative Pre-trained
        Transformers", 2022. https://arxiv.org/abs/2210.17323
    """

    _parameters = (
        "weight_bits",
        "num_samples",
        "per_channel",
        "sequence_length",
        "hessian_damping",
        "group_size",
        "symmetric",
        "activation_order",
    )

    def __init__(
        self,
        dataset: CalibrationData | None,
        tokenizer: Tokenizer | None,
        *,
        weight_bits: int = 4,
        num_samples: int = 128,
        per_channel: bool = True,
        sequence_length: int = 512,
        hessian_damping: float = 0.01,
        group_size: int = 128,
        symmetric: bool = False,
        activation_order: bool = False,
        quantization_layer_structure: Mapping[str, Any] | None = None,
    ):
        super().__init__(dataset, tokenizer, quantization_layer_structure)
        arguments = {
            "num_samples": num_samples,
            "per_channel": per_channel,
            "sequence_length": sequence_length,
            "hessian_damping": hessian_damping,
            "group_size": group_size,
            "symmetric": symmetric,
            "activation_order": activation_order,
        }
        check_arguments("GPTQConfig", {**CALIBRATION, "hessian_damping": _DAMPING}, arguments)
        self.weight_bits = check_choice("GPTQConfig", "weight_bits", weight_bits, (2, 3, 4, 8))
        self.num_samples, self.sequence_length = num_samples, sequence_length
        self.per_channel, self.group_size = per_channel, group_size
        self.hessian_damping = hessian_damping
        self.symmetric, self.activation_order = symmetric, activation_order

    @property
    def mode(self) -> str:
        """`"gptq"`."""
        return "gptq"

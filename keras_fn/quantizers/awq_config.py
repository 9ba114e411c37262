"""Quantization config of AWQ."""

from collections.abc import Mapping
from typing import Any

from keras_fn.core.argument_forms import check_arguments
from keras_fn.errors import check_choice
from keras_fn.quantizers._arguments import CALIBRATION
from keras_fn.quantizers.quantization_config import CalibrationConfig, CalibrationData, Tokenizer


class AWQConfig(CalibrationConfig):
    """Quantization config of AWQ (activation-aware weight quantization), with 4 bits.

    The model runs on samples. The weights of large inputs are scaled up before they are rounded,
    and the inputs down, so that these weights have smaller errors. How much is found on a grid.

    Args:
        dataset: The samples: an iterable of texts, or of sequences of token ids. They should be
            like the inputs that the model will see.
        tokenizer: Object with a method `tokenize(text)` that returns token ids; not used where the
            samples are token ids.
        weight_bits: The number of bits of a weight: 4.
        num_samples: The number of sequences that the model runs on.
        sequence_length: The number of tokens of a sequence.
        group_size: The number of weights along the input axis that share a scale; -1 for all.
        num_grid_points: The number of exponents that are tried.
        quantization_layer_structure: A dict with `"pre_block_layers"`, a list of the layers that
            make the input of the first block, and `"sequential_blocks"`, a list of the blocks,
            which are quantized one after the other. By default the model's
            `get_quantization_layer_structure("awq")`.

    Raises:
        TypeError: An argument has another type.
        ValueError: A number is out of range.

    Example:
        >>> config = keras.quantizers.AWQConfig(dataset=["a text"], tokenizer=None, group_size=-1)
        >>> config.mode, config.dtype_policy_string()
        ('awq', 'awq/4/-1')

    References:
        Lin et al., "AWQ: Activation-aware Weight Quantization for LLM Compression and
        Acceleration", 2023. https://arxiv.org/abs/2306.00978
    """

    _parameters = (
        "weight_bits",
        "num_samples",
        "sequence_length",
        "group_size",
        "num_grid_points",
    )

    def __init__(
        self,
        dataset: CalibrationData | None,
        tokenizer: Tokenizer | None,
        *,
        weight_bits: int = 4,
        num_samples: int = 128,
        sequence_length: int = 512,
        group_size: int = 128,
        num_grid_points: int = 20,
        quantization_layer_structure: Mapping[str, Any] | None = None,
    ):
        super().__init__(dataset, tokenizer, quantization_layer_structure)
        arguments = {
            "num_samples": num_samples,
            "sequence_length": sequence_length,
            "group_size": group_size,
            "num_grid_points": num_grid_points,
        }
        check_arguments("AWQConfig", CALIBRATION, arguments)
        self.weight_bits = check_choice("AWQConfig", "weight_bits", weight_bits, (4,))
        self.num_samples, self.sequence_length = num_samples, sequence_length
        self.group_size, self.num_grid_points = group_size, num_grid_points

    @property
    def mode(self) -> str:
        """`"awq"`."""
        return "awq"

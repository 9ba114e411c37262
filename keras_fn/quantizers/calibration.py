"""Calibration: runs the blocks of a model on samples, and quantizes their layers for these."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, Protocol

import numpy as np

from keras_fn import ops
from keras_fn.core.graph_model import PlanLike, get_graph
from keras_fn.errors import DTypeError, SpecError
from keras_fn.quantizers.awq import MagnitudeStatistics
from keras_fn.quantizers.calibrated import QuantizedMatrix
from keras_fn.quantizers.gptq import HessianStatistics
from keras_fn.quantizers.quantization_config import CalibrationConfig
from keras_fn.types import Tensor

_BATCH_SIZE = 8  # sequences that a block runs on at once


class Statistics(Protocol):
    """What a method gathers of the inputs of a layer."""

    def update(self, inputs: Tensor) -> None:
        """Adds inputs, of shape (samples, features)."""
        ...

    def quantize(self, kernel: np.ndarray, config: Any) -> QuantizedMatrix:
        """Quantizes the kernel, of shape (inputs, outputs)."""
        ...


_STATISTICS: dict[str, Callable[[int], Statistics]] = {
    "gptq": HessianStatistics,
    "awq": MagnitudeStatistics,
}


def get_blocks(source: str, structure: Any) -> Sequence[Any]:
    """Returns the blocks of a model, which are calibrated one after the other.

    Args:
        source: What needs them, for errors.
        structure: A dict of `"pre_block_layers"`, the layers that make the input of the first
            block, and `"sequential_blocks"`, the blocks.

    Raises:
        SpecError: There are none.
    """
    blocks = structure.get("sequential_blocks") if isinstance(structure, Mapping) else None
    if not blocks:
        raise SpecError(
            source,
            expected="the layers of the model in order: a dict with 'pre_block_layers' and "
            "'sequential_blocks'",
            received=f"{structure!r}"[:300],
            fix="pass it as quantization_layer_structure of the config, or define the method "
            "get_quantization_layer_structure(mode) of the model",
        )
    return blocks


def calibrate(
    config: CalibrationConfig, structure: Mapping[str, Sequence[Any]], samples: np.ndarray
) -> None:
    """Calibrates the layers of a model that `quantize` prepared, block after block.

    A block receives the outputs of the blocks before it, which are quantized already.

    Args:
        config: The config.
        structure: The layers, as in `get_blocks`.
        samples: What `read_samples` returns.

    Raises:
        ValueError: There is no block.
    """
    blocks = get_blocks(f"quantize, mode {config.mode!r}", structure)
    inputs: list[Any] = []
    for start in range(0, len(samples), _BATCH_SIZE):
        batch: Any = ops.convert_to_tensor(samples[start : start + _BATCH_SIZE])
        for layer in structure.get("pre_block_layers", ()):
            batch = layer(batch)
        inputs.append(batch)
    for block in blocks:
        _calibrate_block(block, inputs, config)
        if block is not blocks[-1]:
            inputs = [_first(block(batch)) for batch in inputs]


def _calibrate_block(block: Any, inputs: Iterable[Any], config: CalibrationConfig) -> None:
    """Runs a block on batches, and quantizes its layers."""
    layers = [
        layer
        for layer in block._flatten_layers()
        if getattr(layer, "quantization_mode", None) == config.mode
        and getattr(layer, "_quantized", None) is not None
        and not layer._quantized.is_calibrated
    ]
    if not layers:
        return
    kernels = [ops.convert_to_numpy(layer._quantized.float_matrix()) for layer in layers]
    statistics = [_STATISTICS[config.mode](len(kernel)) for kernel in kernels]
    with _observed_inputs(block, layers, statistics):
        for batch in inputs:
            block(batch)
    for layer, kernel, gathered in zip(layers, kernels, statistics, strict=True):
        result = gathered.quantize(kernel, config)
        layer._quantized.calibrate(
            result.codes, result.scale, result.zero_point, result.group_index, result.input_scale
        )


@contextmanager
def _observed_inputs(
    block: Any, layers: Iterable[Any], statistics: Iterable[Statistics]
) -> Iterator[None]:
    """Inside the context, calls of the layers add their inputs to the statistics."""

    def observed(layer: Any, gathered: Statistics) -> Callable[..., Any]:
        call = layer.call

        def observe(*args: Any, **kwargs: Any) -> Any:
            inputs = args[0] if args else kwargs["inputs"]
            matrix = layer._quantized.input_matrix(inputs)
            if matrix.shape[0]:  # an expert may receive no token
                gathered.update(matrix)
            return call(*args, **kwargs)

        return observe

    with ExitStack() as stack:
        graphs = [get_graph(layer) for layer in block._flatten_layers()]
        for graph in {id(graph): graph for graph in graphs if graph is not None}.values():
            stack.enter_context(graph.substitute_plan(_StepByStep(graph.execution_plan)))
        for layer, gathered in zip(layers, statistics, strict=True):
            stack.callback(_restore, vars(layer), vars(layer).get("call"))
            vars(layer)["call"] = observed(layer, gathered)
        yield


def _restore(attributes: dict[str, Any], call: Any) -> None:
    """Gives a layer back the `call` of its own that it had, if any."""
    del attributes["call"]
    if call is not None:
        attributes["call"] = call


class _StepByStep:
    """An execution plan that a model does not compile, so that each step sees values.

    Args:
        plan: The plan.
    """

    def __init__(self, plan: PlanLike):
        self._plan, self.run = plan, plan.run

    def __getattr__(self, name: str) -> Any:
        return getattr(self._plan, name)


def _first(outputs: Any) -> Any:
    """Returns the first output of a block: the hidden states."""
    first = outputs[0] if isinstance(outputs, (list, tuple)) else outputs
    return ops.stop_gradient(first)  # else all blocks would be kept for gradients


def read_samples(config: CalibrationConfig) -> np.ndarray:
    """Returns sequences of token ids, at equal distances in the data set.

    A data set that is too short is repeated.

    Args:
        config: The config, with a data set.

    Returns:
        Token ids of shape (num_samples, sequence_length), as int32.

    Raises:
        TypeError: The data set is not an iterable of samples.
        ValueError: There is no data set, no tokenizer for texts, or the data set is empty.
    """
    pieces = [_token_ids(sample, config) for sample in _samples(config)]
    tokens = np.concatenate(pieces) if pieces else np.empty(0, "int32")
    if not tokens.size:
        raise _data_error(config, "samples with tokens", "an empty data set")
    needed = config.num_samples * config.sequence_length
    tokens = np.tile(tokens, -(-needed // tokens.size))
    last = tokens.size - config.sequence_length
    stride = max(1, (last + 1) // config.num_samples)
    starts = np.arange(config.num_samples) * stride % (last + 1)
    return np.lib.stride_tricks.sliding_window_view(tokens, config.sequence_length)[starts]


def _samples(config: CalibrationConfig) -> Iterable[Any]:
    dataset: Any = config.dataset
    if dataset is None:
        raise _data_error(config, "a data set to calibrate with", "dataset=None")
    if isinstance(dataset, (str, bytes)) or not hasattr(dataset, "__iter__"):
        raise DTypeError(
            type(config).__name__,
            expected="dataset: an iterable of texts, or of sequences of token ids",
            received=type(dataset).__name__,
            fix="pass the samples themselves, for example a list of texts",
        )
    return dataset


def _token_ids(sample: Any, config: CalibrationConfig) -> np.ndarray:
    """Returns the token ids of a sample, flat."""
    if isinstance(sample, str):
        tokenizer: Any = config.tokenizer
        tokenize = getattr(tokenizer, "tokenize", tokenizer)
        if not callable(tokenize):
            raise _data_error(config, "a tokenizer for texts", f"tokenizer={tokenizer!r}")
        sample = tokenize(sample)
    tokens = ops.convert_to_numpy(sample).reshape(-1)
    ids = tokens.astype("int32")
    if np.any(ids != tokens):
        raise DTypeError(
            type(config).__name__,
            expected="dataset: an iterable of texts, or of sequences of token ids",
            received=f"{tokens.dtype} that are not token ids, as {tokens[ids != tokens][0]}",
            fix="pass what the first layer of pre_block_layers takes: integers",
        )
    return ids


def _data_error(config: CalibrationConfig, expected: str, received: str) -> SpecError:
    return SpecError(
        type(config).__name__,
        expected=expected,
        received=received,
        fix="pass dataset= and, for texts, tokenizer= to the config; a config that was read from "
        "a file has neither",
    )

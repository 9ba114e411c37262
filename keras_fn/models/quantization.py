"""Quantization of the layers of a model."""

import re
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

from keras_fn.errors import DTypeError, SpecError, unexpected_arguments
from keras_fn.layers._quantization import check_quantizable
from keras_fn.layers.layer import Layer
from keras_fn.quantizers.calibration import calibrate, get_blocks, read_samples
from keras_fn.quantizers.quantization_config import (
    CalibrationConfig,
    QuantizationConfig,
    resolve_config,
)
from keras_fn.types import AnyModel, QuantizeOptions

LayerFilter: TypeAlias = str | Sequence[str] | Callable[[Layer], bool]
"""Which layers: a regular expression that their name contains, several, or a function of one."""

_MAX_LISTED = 5  # names in a warning


def quantize_model(
    model: AnyModel,
    mode: str | QuantizationConfig | None,
    config: QuantizationConfig | None,
    filters: LayerFilter | None,
    options: QuantizeOptions,
) -> None:
    """Quantizes the layers of a model, in place: `Model.quantize` describes the arguments."""
    source = f"{model._label}, quantize"
    if unknown := options.keys() - {"type_check"}:
        known = ("mode", "config", "filters", "type_check")
        raise unexpected_arguments(source, sorted(unknown), known)
    type_check = options.get("type_check", True)
    config = resolve_config(mode, config)
    is_selected = _to_predicate(source, filters)
    structure: Any = None
    samples: Any = None
    candidates = model._flatten_layers(include_self=False)
    if isinstance(config, CalibrationConfig):
        structure = config.quantization_layer_structure
        if structure is None:
            structure = model.get_quantization_layer_structure(config.mode)
        candidates = _layers_of_blocks(source, structure)
        samples = read_samples(config)  # before a layer changes: data may be missing
    leaves = [
        layer for layer in candidates if len(layer._flatten_layers()) == 1 and is_selected(layer)
    ]
    with_weights = [layer for layer in leaves if layer.weights or not layer.built]
    for layer in with_weights:
        check_quantizable(layer, config.mode)
    refused = []
    for layer in with_weights:
        try:
            layer.quantize(config.mode, type_check=type_check, config=config)
        except NotImplementedError:
            refused.append(layer)
    _warn(source, config.mode, refused, is_any=len(refused) < len(with_weights))
    if isinstance(config, CalibrationConfig):
        calibrate(config, structure, samples)


def _layers_of_blocks(source: str, structure: Any) -> list[Layer]:
    """Returns the layers of the blocks that are calibrated; others would keep floats.

    Raises:
        SpecError: There are no blocks.
    """
    blocks = get_blocks(source, structure)
    layers = [layer for block in blocks for layer in block._flatten_layers()]
    return list({id(layer): layer for layer in layers}.values())


def _to_predicate(source: str, filters: Any) -> Callable[[Layer], bool]:
    """Returns the argument `filters` as a function of a layer."""
    if filters is None:
        return lambda layer: True
    if callable(filters):
        return lambda layer: bool(filters(layer))
    patterns = [filters] if isinstance(filters, str) else filters
    if not isinstance(patterns, (list, tuple)) or not all(isinstance(p, str) for p in patterns):
        raise DTypeError(
            source,
            expected="filters: a regular expression, a list of them, or a function of a layer",
            received=f"filters={filters!r}",
            fix='for example filters="dense"',
        )
    try:
        compiled = [re.compile(pattern) for pattern in patterns]
    except re.error as error:
        raise SpecError(
            source,
            expected="filters: a regular expression",
            received=f"{error.pattern!r}: {error}",
            fix="escape special characters with re.escape",
        ) from None
    return lambda layer: any(pattern.search(layer.name) for pattern in compiled)


def _warn(source: str, mode: str, refused: Iterable[Layer], is_any: bool) -> None:
    """Warns about layers that keep their weights in floats, or if no layer is quantized."""
    names = [f"{layer.name} ({type(layer).__name__})" for layer in refused]
    more = f" and {len(names) - _MAX_LISTED} more" if len(names) > _MAX_LISTED else ""
    left_out = ", ".join(names[:_MAX_LISTED]) + more
    if not is_any:
        warnings.warn(
            f"{source}: no layer was quantized to {mode}. {left_out}".rstrip(), stacklevel=4
        )
    elif names:
        warnings.warn(f"{source}: these layers do not have {mode}: {left_out}", stacklevel=4)

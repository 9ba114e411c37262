"""The legacy `.h5` format: one HDF5 file with the configs as attributes and the weights by layer.

Layers are found by name or, if their names are others, by order, as Keras does: those that have
weights, in the order of the model. The weights of a layer are found by their names, because their
order in the file depends on which of them were trainable (`legacy_matching`).
"""

import json
import warnings
from collections.abc import Mapping
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from keras_fn.backend.loader import current
from keras_fn.core.registry import CustomObjectScope, builtin_qualified_name, get_registered_name
from keras_fn.core.serialization import (
    deserialize_as,
    deserialize_keras_object,
    serialize_keras_object,
)
from keras_fn.core.variable import Variable
from keras_fn.saving import keras_format
from keras_fn.saving.config_validation import config_errors, validate_and_upgrade_config
from keras_fn.saving.dataset_matching import FIX, check_compatible, read_for_variable
from keras_fn.saving.errors import (
    ModelFileError,
    error_context,
    model_file_errors,
    sanitize_for_display,
)
from keras_fn.saving.hdf5.file import Hdf5File, open_hdf5
from keras_fn.saving.hdf5.writer import build_hdf5
from keras_fn.saving.legacy.keras_2_config import upgrade_arguments, upgrade_optimizer_name
from keras_fn.saving.legacy.legacy_matching import (
    Candidates,
    Pairs,
    common_pairs,
    layer_order,
    match,
    match_in_order,
    match_slots,
    unique_names,
)
from keras_fn.saving.strict_json import parse_json
from keras_fn.saving.variable_paths import join
from keras_fn.saving.weights import check_parameters
from keras_fn.types import AnyModel
from keras_fn.version import KERAS_VERSION

_MODEL, _OPTIMIZER, _TOP = "model_weights", "optimizer_weights", "top_level_model_weights"
_COMPILE_FIX = "load_model(..., compile=False) loads the model without compiling it"

Values = list[tuple[Variable, np.ndarray]]


# ---------------------------------------------------------------- writing


def build_file(model: AnyModel, with_optimizer: bool = True) -> list[memoryview]:
    """Returns the parts of a legacy file of a model.

    Args:
        model: A built model.
        with_optimizer: Whether to include the state of the optimizer. Default True.

    Raises:
        ModelFileError: The file could not be loaded.
        TypeError: Something in the model cannot be serialized.
    """
    entry = serialize_keras_object(model)
    # The outermost object has the legacy form, a class name without a module; nested objects can
    # have the newer form, which also supports ops.
    builtin = builtin_qualified_name(type(model))
    name = builtin[1] if builtin else get_registered_name(type(model))
    tuples = {"tuples": entry["tuples"]} if "tuples" in entry else {}
    text = json.dumps({"class_name": name, "config": entry["config"], **tuples})
    with config_errors("model_config"):
        validate_and_upgrade_config(parse_json(text.encode()), is_own=True)
    versions = {"keras_version": KERAS_VERSION, "backend": current().name}
    datasets, attributes = _layer_weights(model)
    attributes[_MODEL] |= versions
    attributes[""] = {**versions, "model_config": text}
    compile_config = entry.get("compile_config")
    if with_optimizer and compile_config and model.optimizer is not None:
        training = {k: v for k, v in compile_config.items() if k != "optimizer"}
        training["loss"] = _expand_loss_names(training.get("loss"))
        optimizer = compile_config["optimizer"]
        training["optimizer_config"] = {
            "class_name": optimizer["registered_name"] or optimizer["class_name"],
            "config": optimizer["config"],
        }
        attributes[""]["training_config"] = json.dumps(training)
        variables = model.optimizer.variables
        attributes[_OPTIMIZER] = {"weight_names": _write(_OPTIMIZER, _ordered(variables), datasets)}
    return build_hdf5(datasets, attributes)


def _expand_loss_names(loss: Any) -> Any:
    """Returns losses with their full names: Keras cannot read short names in these files."""
    if isinstance(loss, dict) and "class_name" not in loss:
        return {key: _expand_loss_names(value) for key, value in loss.items()}
    if isinstance(loss, list):
        return [_expand_loss_names(x) for x in loss]
    if isinstance(loss, str):
        return getattr(deserialize_as("loss", loss), "__name__", loss)
    return loss


def _layer_weights(model: AnyModel) -> tuple[dict[str, np.ndarray], dict[str, dict[str, Any]]]:
    datasets: dict[str, np.ndarray] = {}
    attributes: dict[str, dict[str, Any]] = {}
    groups = [(layer.name, _weights(layer)) for layer in _layers(model)]
    attributes[_MODEL] = {"layer_names": [name for name, _ in groups]}
    for name, weights in [*groups, (_TOP, _own_weights(model))]:
        group = join(_MODEL, name)
        attributes[group] = {"weight_names": _write(group, weights, datasets)}
    return datasets, attributes


def _write(group: str, weights: "_Weights", datasets: dict[str, np.ndarray]) -> list[str]:
    """Adds the datasets of variables, and returns their names."""
    names = [weights.names[id(v)] for v in weights.variables]
    for variable, name in zip(weights.variables, names, strict=True):
        datasets[join(group, name)] = variable.numpy()
    return names


class _Weights(NamedTuple):
    """The weights of a layer.

    Attributes:
        variables: The variables in the order that Keras reads and writes.
        names: Their names in a file by identity, in an order that never changes.
    """

    variables: list[Variable]
    names: dict[int, str]


def _layers(model: AnyModel) -> list[Any]:
    return model.layers


def _weights(layer: Any) -> _Weights:
    variables = layer.trainable_weights + layer.non_trainable_weights
    return _Weights(variables, unique_names(layer.weights))


def _own_weights(model: AnyModel) -> _Weights:
    """Returns the variables of the model itself, without the variables of its layers."""
    return _ordered(model._own_variables())


def _ordered(variables: list[Variable]) -> _Weights:
    return _Weights(variables, unique_names(variables))


# ---------------------------------------------------------------- reading


def read(file: BinaryIO, custom_objects: Mapping[str, Any] | None, with_compile: bool) -> Any:
    """Loads the model from a legacy file.

    Args:
        file: The file.
        custom_objects: Custom classes and functions, by name.
        with_compile: Whether to compile the model and restore the state of its optimizer.

    Raises:
        ModelFileError: The file is malformed, or the model cannot be restored as it was.
        ModelFileTypeError: The config names an unknown class or function.
    """
    h5 = open_hdf5(file)
    text = _text(h5, "model_config")
    if text is None:
        raise ModelFileError(
            f"{h5.name}: there is no model in the file",
            expected="the attribute model_config",
            received=", ".join(h5.attribute_names("")) or "none",
            fix="for a file of weights, build the model and call load_weights",
        )
    with config_errors(h5.name, "model_config"):
        config = validate_and_upgrade_config(parse_json(text.encode()), is_own=h5.is_own)
        model = keras_format.build(config, custom_objects)
        check_parameters(model)
    with model_file_errors(h5.name):
        _assign(_plan_assignment(_Source(h5, _MODEL, layer_order(config)), model))
    training = _text(h5, "training_config") if with_compile else None
    if training is not None:
        with config_errors(h5.name, "training_config", fix=_COMPILE_FIX):
            _compile(model, parse_json(training.encode()), custom_objects)
        with model_file_errors(h5.name, fix=_COMPILE_FIX):
            _assign(_plan_optimizer_assignment(h5, model))
    return model


def is_legacy(file: BinaryIO) -> bool:
    """Returns whether an HDF5 file has the layout of legacy files: weights by layer."""
    h5 = open_hdf5(file, verify=False)
    file.seek(0)
    return any(
        name.startswith("layer_names")
        for group in ("", _MODEL)
        if group in h5.groups
        for name in h5.attribute_names(group)
    )


def load_weights(
    model: AnyModel, file: BinaryIO, by_name: bool = False, skip_mismatch: bool = False
) -> None:
    """Loads the weights of a model from a legacy file, with or without a model in it.

    Args:
        model: A built model.
        file: The file.
        by_name: Whether to match layers by name instead of by order.
        skip_mismatch: Whether to skip layers that do not match, with a warning.
    """
    h5 = open_hdf5(file)
    root = _MODEL if _MODEL in h5.groups else ""
    missed: list[str] | None = [] if skip_mismatch else None
    with model_file_errors(h5.name):
        text = _text(h5, "model_config")
        order = layer_order(parse_json(text.encode())) if text is not None else {}
        plan = _plan_assignment_by_name if by_name else _plan_assignment
        _assign(plan(_Source(h5, root, order, missed), model))
    if missed:
        warnings.warn(f"{h5.name}: not loaded: {'; '.join(missed)}"[:1900], stacklevel=4)


def _text(h5: Hdf5File, name: str) -> str | None:
    value = h5.attribute("", name)
    if value is not None and not isinstance(value, str):
        raise ModelFileError(
            f"{h5.name}: the attribute {name} is not a string", received=type(value)
        )
    return value


def _compile(
    model: AnyModel, config: dict[str, Any], custom_objects: Mapping[str, Any] | None
) -> None:
    """Compiles a model with the arguments in a legacy config."""
    known = (
        "loss",
        "loss_weights",
        "metrics",
        "weighted_metrics",
        "run_eagerly",
        "steps_per_execution",
        "jit_compile",
    )
    with CustomObjectScope(custom_objects):
        optimizer = config["optimizer_config"]
        if isinstance(optimizer.get("class_name"), str):
            optimizer["class_name"] = upgrade_optimizer_name(optimizer["class_name"])
            if isinstance(optimizer.get("config"), dict):
                upgrade_arguments(optimizer["class_name"], optimizer["config"])
        arguments = {key: config[key] for key in known if config.get(key) is not None}
        for key, kind in (("loss", "loss"), ("metrics", "metric"), ("weighted_metrics", "metric")):
            if key in arguments:
                arguments[key] = _nested(arguments[key], kind)
        model.compile(optimizer=deserialize_as("optimizer", optimizer), **arguments)


def _nested(config: Any, kind: str) -> Any:
    """Creates the objects in nested configs; names are left to `compile`."""
    if isinstance(config, dict) and "class_name" in config:
        if isinstance(config.get("config"), dict):
            upgrade_arguments(str(config["class_name"]), config["config"])
        return deserialize_keras_object(config, kind=kind)
    if isinstance(config, dict):
        return {key: _nested(value, kind) for key, value in config.items()}
    return [_nested(x, kind) for x in config] if isinstance(config, list) else config


def _assign(values: Values) -> None:
    for variable, value in values:
        variable.assign(value)


class _Source(NamedTuple):
    """A file whose weights are read.

    Attributes:
        h5: The file.
        root: The group of the layers.
        order: The position of each layer in the config of the file.
        missed: Collects what is skipped; None if a mismatch is an error.
    """

    h5: Hdf5File
    root: str
    order: Mapping[str, int]
    missed: list[str] | None = None

    def saved(self, name: str) -> list[str]:
        """Returns the names of the weights of a layer in the file."""
        return self.h5.names(join(self.root, name), "weight_names")


def _plan_assignment(source: _Source, model: AnyModel) -> Values:
    """Returns the values to set, with layers matched by name or else by order."""
    root, h5 = source.root, source.h5
    names = h5.names(root, "layer_names")
    saved = {name: source.saved(name) for name in names}
    if len(saved) != len(names):
        raise ModelFileError(
            "two layers have the same name", received=sanitize_for_display(names, 100), fix=FIX
        )
    with_weights = [name for name in names if saved[name]]
    layers = [layer for layer in _layers(model) if layer.weights]
    if len(with_weights) != len(layers):
        raise ModelFileError(
            "the model has another number of layers with weights",
            expected=f"{len(layers)}: {', '.join(layer.name for layer in layers[:5])}",
            received=f"{len(with_weights)}: {', '.join(with_weights[:5])}",
            fix=FIX,
        )
    order = {name: i for i, name in enumerate(with_weights)}
    if {
        layer.name for layer in layers
    } == order.keys():  # otherwise the names differ, and the order decides
        layers.sort(key=lambda layer: order[layer.name])
    values: Values = []
    for name, layer in zip(with_weights, layers, strict=True):
        values += _values(source, name, layer.name, _weights(layer))
    if join(root, _TOP) in h5.groups:
        saved[_TOP] = source.saved(_TOP)
        values += _values(source, _TOP, model.name, _own_weights(model))
    named = {join(root, name, weight) for name, weights in saved.items() for weight in weights}
    prefix = f"{root}/" if root else ""
    unknown = sorted(path for path in h5.datasets.keys() - named if path.startswith(prefix))
    if unknown and source.missed is None:
        raise ModelFileError(
            "there are weights of no layer", received=", ".join(unknown[:5]), fix=FIX
        )
    return values


def _plan_assignment_by_name(source: _Source, model: AnyModel) -> Values:
    """Returns the values to set, with layers matched by name."""
    layers = [(layer.name, layer) for layer in _layers(model)]
    values: Values = []
    for name in source.h5.names(source.root, "layer_names"):
        for _, layer in [entry for entry in layers if entry[0] == name]:
            values += _values(source, name, name, _weights(layer))
    own = _own_weights(model)
    if own.variables and join(source.root, _TOP) in source.h5.groups:
        values += _values(source, _TOP, model.name, own)
    return values


def _plan_optimizer_assignment(h5: Hdf5File, model: AnyModel) -> Values:
    if _OPTIMIZER not in h5.groups:
        return []
    optimizer, source = model.optimizer, _Source(h5, "", {})
    if not optimizer.built and len(source.saved(_OPTIMIZER)) > len(optimizer.variables):
        optimizer.build(model.trainable_variables)
    return _values(source, _OPTIMIZER, optimizer.name, _ordered(optimizer.variables))


def _values(source: _Source, name: str, owner: str, weights: _Weights) -> Values:
    """Returns the values of a layer's or optimizer's variables, after a check of all of them."""
    h5, group = source.h5, join(source.root, name)

    def fits(dataset: str, variable: Variable) -> bool:
        info = h5.datasets.get(join(group, dataset))
        return info is not None and info.shape == variable.shape

    candidates = Candidates(source.saved(name), *weights, fits, source.order)
    try:
        with error_context(f"layer {owner!r}" if name != _OPTIMIZER else f"optimizer {owner!r}"):
            pairs = _pairs(candidates, is_optimizer=name == _OPTIMIZER)
    except ModelFileError as error:
        if source.missed is None:
            raise
        pairs = common_pairs(candidates)
        source.missed.append(f"{owner} ({error.fact})")
    return _checked_values(source, group, owner, pairs)


def _pairs(candidates: Candidates, is_optimizer: bool) -> Pairs:
    """Returns each variable with the name of its weight in the file.

    Raises:
        ModelFileError: They are of another number, or of other names in another order.
    """
    if is_optimizer and (pairs := match_slots(candidates)) is not None:
        return pairs
    if len(candidates.saved) != len(candidates.variables):
        raise ModelFileError(
            "the number of weights differs",
            expected=len(candidates.variables),
            received=len(candidates.saved),
            fix=FIX,
        )
    return match_in_order(candidates) if is_optimizer else match(candidates)


def _checked_values(source: _Source, group: str, owner: str, pairs: Pairs) -> Values:
    """Returns the values of pairs; where mismatches are skipped, without those of a whole layer."""
    h5, skipped = source.h5, set()
    kind = "optimizer" if group == _OPTIMIZER else "layer"
    for variable, name in pairs:
        try:
            with error_context(f"{kind} {owner!r}"):
                check_compatible(h5, join(group, name), variable)
        except ModelFileError as error:
            if source.missed is None:
                raise
            skipped.add(name.rpartition("/")[0])
            source.missed.append(f"{owner} ({error.fact})")
    return [
        (variable, read_for_variable(h5, join(group, name), variable))
        for variable, name in pairs
        if name.rpartition("/")[0] not in skipped
    ]

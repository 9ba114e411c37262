"""The legacy `.h5` format: one HDF5 file with the configs as attributes and the weights by layer.

Weights are found by order, as Keras does: the layers that have some, in the order of the model, and
in each layer the trainable ones first.
"""

import json
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO

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
from keras_fn.saving.archive import KERAS_VERSION
from keras_fn.saving.config_validation import config_errors, validate_and_upgrade_config
from keras_fn.saving.dataset_matching import FIX, check_compatible, read_for_variable
from keras_fn.saving.errors import (
    ModelFileError,
    error_context,
    model_file_errors,
    sanitize_for_display,
)
from keras_fn.saving.hdf5.file import DIGEST_ATTRIBUTE, Hdf5File, open_hdf5
from keras_fn.saving.hdf5.writer import build_hdf5
from keras_fn.saving.strict_json import parse_json
from keras_fn.saving.variable_paths import join
from keras_fn.saving.weights import check_parameters
from keras_fn.types import AnyModel

_MODEL, _OPTIMIZER, _TOP = "model_weights", "optimizer_weights", "top_level_model_weights"
_COMPILE_FIX = "load_model(..., compile=False) loads the model without compiling it"

Values = list[tuple[Variable, np.ndarray]]


# ---------------------------------------------------------------- writing


def to_bytes(model: AnyModel, with_optimizer: bool = True) -> memoryview:
    """Returns the bytes of a legacy file of a model.

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
    text = json.dumps({"class_name": name, "config": entry["config"]})
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
        attributes[_OPTIMIZER] = {"weight_names": _write(_OPTIMIZER, variables, datasets)}
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
    for name, variables in [*groups, (_TOP, _own_weights(model))]:
        group = join(_MODEL, name)
        attributes[group] = {"weight_names": _write(group, variables, datasets)}
    return datasets, attributes


def _write(group: str, variables: Sequence[Variable], datasets: dict[str, np.ndarray]) -> list[str]:
    """Adds the datasets of variables, and returns their names."""
    written = []
    for variable in variables:
        name, count = variable.path, 0
        while join(group, name) in datasets:
            count += 1
            name = f"{variable.path}_{count}"
        datasets[join(group, name)] = variable.numpy()
        written.append(name)
    return written


def _layers(model: AnyModel) -> list[Any]:
    return model.layers


def _weights(layer: Any) -> list[Variable]:
    return layer.trainable_weights + layer.non_trainable_weights


def _own_weights(model: AnyModel) -> list[Variable]:
    """Returns the variables of the model itself, without the variables of its layers."""
    return model._own_variables()


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
        is_own = DIGEST_ATTRIBUTE in h5.attribute_names("")
        config = validate_and_upgrade_config(parse_json(text.encode()), is_own=is_own)
        model = keras_format.build(config, custom_objects)
        check_parameters(model)
    with model_file_errors(h5.name):
        _assign(_plan_assignment(h5, model, _MODEL, []))
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
        plan = _plan_assignment_by_name if by_name else _plan_assignment
        _assign(plan(h5, model, root, missed))
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
        if isinstance(optimizer.get("class_name"), str) and ">" not in optimizer["class_name"]:
            names = {"adam": "Adam", "sgd": "SGD", "rmsprop": "RMSprop"}
            optimizer["class_name"] = names.get(optimizer["class_name"], optimizer["class_name"])
        arguments = {key: config[key] for key in known if config.get(key) is not None}
        for key, kind in (("loss", "loss"), ("metrics", "metric"), ("weighted_metrics", "metric")):
            if key in arguments:
                arguments[key] = _nested(arguments[key], kind)
        model.compile(optimizer=deserialize_as("optimizer", optimizer), **arguments)


def _nested(config: Any, kind: str) -> Any:
    """Creates the objects in nested configs; names are left to `compile`."""
    if isinstance(config, dict) and "class_name" in config:
        return deserialize_keras_object(config, kind=kind)
    if isinstance(config, dict):
        return {key: _nested(value, kind) for key, value in config.items()}
    return [_nested(x, kind) for x in config] if isinstance(config, list) else config


def _assign(values: Values) -> None:
    for variable, value in values:
        variable.assign(value)


def _plan_assignment(h5: Hdf5File, model: AnyModel, root: str, missed: list[str] | None) -> Values:
    """Returns the values to set, with layers matched by order."""
    names = h5.names(root, "layer_names")
    saved = {name: h5.names(join(root, name), "weight_names") for name in names}
    if len(saved) != len(names):
        raise ModelFileError(
            "two layers have the same name", received=sanitize_for_display(names, 100), fix=FIX
        )
    with_weights = [name for name in names if saved[name]]
    layers = [layer for layer in _layers(model) if _weights(layer)]
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
        values += _values(h5, join(root, name), saved[name], layer.name, _weights(layer), missed)
    group = join(root, _TOP)
    if group in h5.groups:
        saved[_TOP] = h5.names(group, "weight_names")
        values += _values(h5, group, saved[_TOP], model.name, _own_weights(model), missed)
    named = {join(root, name, weight) for name, weights in saved.items() for weight in weights}
    prefix = f"{root}/" if root else ""
    unknown = sorted(path for path in h5.datasets.keys() - named if path.startswith(prefix))
    if unknown and missed is None:
        raise ModelFileError(
            "there are weights of no layer", received=", ".join(unknown[:5]), fix=FIX
        )
    return values


def _plan_assignment_by_name(
    h5: Hdf5File, model: AnyModel, root: str, missed: list[str] | None
) -> Values:
    """Returns the values to set, with layers matched by name."""
    layers = {layer.name: layer for layer in _layers(model)}
    values: Values = []
    for name in h5.names(root, "layer_names"):
        saved = h5.names(join(root, name), "weight_names")
        if name in layers:
            layer = layers[name]
            values += _values(h5, join(root, name), saved, name, _weights(layer), missed)
    return values


def _plan_optimizer_assignment(h5: Hdf5File, model: AnyModel) -> Values:
    if _OPTIMIZER not in h5.groups:
        return []
    optimizer = model.optimizer
    saved = h5.names(_OPTIMIZER, "weight_names")
    if not optimizer.built and len(saved) > len(optimizer.variables):
        optimizer.build(model.trainable_variables)
    return _values(h5, _OPTIMIZER, saved, optimizer.name, optimizer.variables, None)


def _values(
    h5: Hdf5File,
    group: str,
    saved: Sequence[str],
    owner: str,
    variables: Sequence[Variable],
    missed: list[str] | None,
) -> Values:
    """Returns the values of a layer's or optimizer's variables, after a check of all of them."""
    try:
        with error_context(f"layer {owner!r}" if group != _OPTIMIZER else f"optimizer {owner!r}"):
            if len(saved) != len(variables):
                raise ModelFileError(
                    "the number of weights differs",
                    expected=len(variables),
                    received=len(saved),
                    fix=FIX,
                )
            pairs = [(v, join(group, name)) for v, name in zip(variables, saved, strict=True)]
            for variable, path in pairs:
                check_compatible(h5, path, variable)
            return [(v, read_for_variable(h5, path, v)) for v, path in pairs]
    except ModelFileError as error:
        if missed is None:
            raise
        missed.append(f"{owner} ({error.fact})")
        return []

"""Validation and upgrade of a config from a file, before any object is created from it.

Names are resolved later, by `core.serialization`, which every entry point shares. This module
checks the limits, and that no part holds code or refers to other files; errors name the layer. It
also upgrades what older versions of Keras wrote.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

from keras_fn.core.serialization import UnknownObjectError, check_code_free
from keras_fn.errors import DTypeError, SpecError
from keras_fn.saving.errors import (
    ModelFileError,
    ModelFileTypeError,
    model_file_errors,
    sanitize_for_display,
)
from keras_fn.saving.legacy.keras_2_config import upgrade_arguments, upgrade_entry
from keras_fn.saving.limits import current_limits

_ENTRY_KEYS = {
    "module",
    "class_name",
    "config",
    "registered_name",
    "build_config",
    "compile_config",
    "name",
    "inbound_nodes",
    "shared_object_id",
    "tuples",
    "backend",
    "keras_version",
}

_STACK_KEYS = {"name", "trainable", "dtype", "layers", "build_input_shape"}

_DAMAGED = "the file is damaged or was not written by Keras; save the model again"

# Arguments that can be a path or URL.
_FILE_ARGUMENTS = ("vocabulary", "idf_weights", "filepath", "weights")


@contextlib.contextmanager
def config_errors(*location: str, fix: str = "") -> Iterator[None]:
    """Converts errors of reading a config to errors of a model file, and adds a location."""
    with model_file_errors(*location):
        try:
            yield
        except SpecError as error:
            is_type = isinstance(error, (UnknownObjectError, DTypeError))
            cls = ModelFileTypeError if is_type else ModelFileError
            raise cls(
                error.source, expected=error.expected, received=error.received, fix=fix or error.fix
            ) from error


def validate_and_upgrade_config(config: object, *, is_own: bool = False) -> dict[str, Any]:
    """Validates the config of a model, and upgrades it in place.

    Args:
        config: The parsed JSON of a file.
        is_own: Whether keras_fn wrote the file. Keras records the argument `training` of each call
            and ignores it; keras_fn uses a recorded `training`.

    Returns:
        The config.

    Raises:
        ModelFileError: The config holds code, a path or URL, too many layers or unknown keys.
    """
    if not isinstance(config, dict) or not isinstance(config.get("class_name"), str):
        raise ModelFileTypeError(
            "the config is not the config of a model",
            expected="an object with class_name and config",
            received=type(config).__name__,
            fix=_DAMAGED,
        )
    layers = 0
    stack: list[tuple[Any, str]] = [(config, "")]
    while stack:
        value, layer = stack.pop()
        if isinstance(value, list):
            stack += [(item, layer) for item in value if isinstance(item, (list, dict))]
        elif isinstance(value, dict):
            if "class_name" in value and "config" in value:
                layer = _validate_and_upgrade_object(value, layer, is_own)
                layers += len(_layers(value))
                _check_count(layers)
            stack += [(item, layer) for item in value.values() if isinstance(item, (list, dict))]
    return config


def check_metadata(metadata: object) -> None:
    """Checks that metadata, which are not used to build a model, hold no code either.

    Args:
        metadata: The parsed JSON of a file.

    Raises:
        ModelFileError: They do.
    """
    stack = [metadata]
    while stack:
        value = stack.pop()
        if isinstance(value, dict):
            if "class_name" in value and "config" in value:
                check_code_free(value["class_name"], value["config"])
            stack += value.values()
        elif isinstance(value, list):
            stack += value


def drop_compile_configs(config: object) -> None:
    """Removes the arguments of `compile` of a model and of the models inside, in place.

    Args:
        config: The parsed JSON of a file.
    """
    stack = [config]
    while stack:
        value = stack.pop()
        if isinstance(value, dict):
            if "class_name" in value and "config" in value:
                value.pop("compile_config", None)
            stack += value.values()
        elif isinstance(value, list):
            stack += value


def _check_count(layers: int) -> None:
    max_layers = current_limits().layers
    if layers > max_layers:
        raise ModelFileError(
            "the model has too many layers",
            expected=f"at most {max_layers}",
            received=layers,
            fix="if you trust the file, raise the limit with keras_fn.saving.limits.limits",
        )


def _layers(value: dict[str, Any]) -> list[Any]:
    """Returns the entries of a model's layers; an empty list for other objects."""
    config = value["config"]
    layers = config.get("layers") if isinstance(config, dict) else None
    return layers if isinstance(layers, list) else []


def _validate_and_upgrade_object(value: dict[str, Any], layer: str, is_own: bool) -> str:
    """Validates and upgrades a serialized object; returns the name of the layer that it belongs to.

    Args:
        value: The object.
        layer: The layer around it.
        is_own: Whether keras_fn wrote the file.
    """
    class_name, config = value["class_name"], value["config"]
    upgrade_entry(value)
    if class_name == "Sequential" and isinstance(config, list):  # before Keras 2.2.3
        config = value["config"] = {"layers": config}
    if isinstance(config, dict) and isinstance(config.get("name"), str):
        layer = f"layer {config['name']!r}"
    with config_errors(*[layer] * bool(layer)):
        check_code_free(class_name, config)
        if "inbound_nodes" in value or "module" in value:
            _check_keys(value, _ENTRY_KEYS)
        if isinstance(config, dict) and _is_keras_object(value):
            if class_name == "Sequential":
                _check_keys(config, _STACK_KEYS)
            _check_no_file_arguments(config)
            upgrade_arguments(class_name, config)
            if "module" not in value:
                _upgrade_legacy(config)
            # Only Keras registers "Functional".
            if not is_own or value.get("registered_name") == "Functional":
                _drop_training(_layers(value))
    return layer


def _is_keras_object(value: dict[str, Any]) -> bool:
    """Returns whether an object claims to be of one of Keras's own classes."""
    module = value.get("module")
    return module is None or (isinstance(module, str) and module.split(".")[0] == "keras")


def _check_no_file_arguments(config: dict[str, Any]) -> None:
    for name in _FILE_ARGUMENTS:
        if isinstance(path := config.get(name), str):
            raise _external_path_error(name, path)


def _external_path_error(name: str, path: str) -> ModelFileError:
    return ModelFileError(
        f"the argument {name!r} is a path or URL, and loading a model opens no other file",
        expected="a list of values, or the file's own assets",
        received=repr(path[:100]),
        fix="create the layer from a list of values, and save the model again",
    )


def _check_keys(value: dict[str, Any], known: set[str]) -> None:
    if unknown := value.keys() - known:
        raise ModelFileError(
            "the config has unknown keys",
            expected=", ".join(sorted(known)),
            received=", ".join(sorted(sanitize_for_display(key, 40) for key in unknown)),
            fix=_DAMAGED,
        )


# ---------------------------------------------------------------- older versions of Keras


def _upgrade_legacy(config: dict[str, Any]) -> None:
    """Upgrades the config of an object in a legacy file, in place."""
    axis = config.get("axis")
    if isinstance(axis, list) and len(axis) == 1:
        config["axis"] = axis[0]
    if isinstance(config.get("layers"), list):
        _renumber_calls(config)


def _renumber_calls(config: dict[str, Any]) -> None:
    """Numbers the calls of nested models from 0.

    Keras 2 counted the creation of a nested model as its first call.
    """
    entries = {e.get("name"): e for e in config["layers"] if isinstance(e, dict)}
    nested = {
        name: len(entry["inbound_nodes"])
        for name, entry in entries.items()
        if "config" in entry and _layers(entry) and isinstance(entry.get("inbound_nodes"), list)
    }
    calls = [c for e in entries.values() for c in e.get("inbound_nodes") or ()]
    references = [r for call in calls if isinstance(call, list) for r in call]
    options = [r[3] for r in references if isinstance(r, list) and len(r) > 3]
    references += [v for o in options if isinstance(o, dict) for v in o.values()]
    references = [r for r in references if isinstance(r, list) and len(r) >= 3 and r[0] in nested]
    shifted = {r[0] for r in references if r[1] == nested[r[0]]}
    for reference in references:
        if reference[0] in shifted:
            reference[1] -= 1


def _drop_training(entries: list[Any]) -> None:
    """Removes the recorded argument `training` from the calls of layers."""
    for entry in entries:
        for call in (entry.get("inbound_nodes") if isinstance(entry, dict) else None) or ():
            options = [call.get("kwargs")] if isinstance(call, dict) else []
            if isinstance(call, list):
                options = [r[3] for r in call if isinstance(r, list) and len(r) > 3]
            for kwargs in options:
                if isinstance(kwargs, dict) and _is_plain(kwargs.get("training")):
                    kwargs.pop("training", None)


def _is_plain(value: Any) -> bool:
    """Returns whether a recorded argument is a number or a KerasTensor: nothing to validate."""
    is_tensor = isinstance(value, dict) and value.get("class_name") == "__keras_tensor__"
    return is_tensor or not isinstance(value, (dict, list))

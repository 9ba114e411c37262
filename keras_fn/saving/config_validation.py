"""What is checked and mended in a config from a file before anything is made of it.

Nothing is resolved here: that is `core.serialization`, which every door shares. Here are the
limits, the forms that hold code or lead out of the file, told with the layer that they are in, and
the differences between what versions of Keras wrote.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

from keras_fn.core.serialization import FORBIDDEN_CODE_FORMS, UnknownObjectError
from keras_fn.errors import DTypeError, SpecError
from keras_fn.saving.errors import ModelFileError, ModelFileTypeError, model_file_errors, sanitize_for_display
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
    "backend",
    "keras_version",
}

_STACK_KEYS = {"name", "trainable", "dtype", "layers", "build_input_shape"}

_DAMAGED = "the file is damaged or was not written by Keras; save the model again"

# Arguments by which layers have reached for files and addresses.
_FILE_ARGUMENTS = ("vocabulary", "idf_weights", "filepath", "weights")

# Arguments that only some versions of Keras know, and the values with which they change nothing.
# What the newest one writes is settled by the layers themselves.
_IGNORED_IF_DEFAULT: dict[str, tuple[Any, ...]] = {
    "fused": (None, False, True),
    "implementation": (0, 1, 2),
    "renorm": (False,),
    "renorm_clipping": (None,),
    "renorm_momentum": (0.99,),
    "time_major": (False,),
    "virtual_batch_size": (None,),
}


@contextlib.contextmanager
def config_errors(*places: str, fix: str = "") -> Iterator[None]:
    """Makes the errors of reading a config errors of a model file, at `places`."""
    with model_file_errors(*places):
        try:
            yield
        except SpecError as error:
            is_type = isinstance(error, (UnknownObjectError, DTypeError))
            kind = ModelFileTypeError if is_type else ModelFileError
            raise kind(
                error.source, expected=error.expected, found=error.received, fix=fix or error.fix
            ) from error


def validate_and_upgrade_config(config: Any, *, is_own: bool = False) -> dict[str, Any]:
    """Checks the config of a model, mends it in place, and returns it.

    Args:
        config: What the JSON of a file holds.
        is_own: Whether keras_fn wrote it. Keras records `training` and masks in each call and
            minds them at no time; here a recorded `training` counts.

    Raises:
        ModelFileError: It holds code, a path or URL, too many layers or unknown keys.
    """
    if not isinstance(config, dict) or not isinstance(config.get("class_name"), str):
        raise ModelFileTypeError(
            "the config is not that of a model",
            expected="an object with class_name and config",
            found=type(config).__name__,
            fix=_DAMAGED,
        )
    layers = 0
    stack: list[tuple[Any, str]] = [(config, "")]
    while stack:
        value, place = stack.pop()
        if isinstance(value, list):
            stack += [(item, place) for item in value if isinstance(item, (list, dict))]
        elif isinstance(value, dict):
            if "class_name" in value and "config" in value:
                place = _validate_and_upgrade_object(value, place, is_own)
                layers += len(_layers(value))
                _check_count(layers)
            stack += [(item, place) for item in value.values() if isinstance(item, (list, dict))]
    return config


def _check_count(layers: int) -> None:
    most = current_limits().layers
    if layers > most:
        raise ModelFileError(
            "the model has too many layers",
            expected=f"at most {most}",
            found=layers,
            fix="if you trust the file, raise the limit with keras_fn.saving.limits.limits",
        )


def _layers(value: dict[str, Any]) -> list[Any]:
    """The entries of a model's layers; of other objects, none."""
    config = value["config"]
    layers = config.get("layers") if isinstance(config, dict) else None
    return layers if isinstance(layers, list) else []


def _validate_and_upgrade_object(value: dict[str, Any], place: str, is_own: bool) -> str:
    """Checks and mends a serialized object; returns the name of the layer that it is, or is in."""
    class_name, config = value["class_name"], value["config"]
    if class_name == "Sequential" and isinstance(config, list):  # as Keras wrote it before 2.2.3
        config = value["config"] = {"layers": config}
    if isinstance(config, dict) and isinstance(config.get("name"), str):
        place = f"layer {config['name']!r}"
    if isinstance(class_name, str) and class_name in FORBIDDEN_CODE_FORMS:
        raise _forbidden_code_error(class_name, place)
    if "inbound_nodes" in value or "module" in value:
        _check_keys(value, _ENTRY_KEYS, place)
    if class_name == "Lambda" and isinstance(config, dict) and _is_lambda(config):
        raise _forbidden_code_error("__lambda__", place)
    if not isinstance(config, dict) or not _is_built_in(value):
        return place
    if class_name == "Sequential":
        _check_keys(config, _STACK_KEYS, place)
    for key in _FILE_ARGUMENTS:
        if isinstance(path := config.get(key), str):
            raise _external_path_error(key, path, place)
    for key, neutral in _IGNORED_IF_DEFAULT.items():
        if key in config and any(config[key] is x or config[key] == x for x in neutral):
            del config[key]
    if "module" not in value:
        _upgrade_legacy(config)
    if not is_own or value.get("registered_name") == "Functional":  # which only Keras writes
        _drop_training(_layers(value))
    return place


def _is_lambda(config: dict[str, Any]) -> bool:
    """Whether the config of a Lambda layer holds its code, as Keras 2 wrote it."""
    return isinstance(config.get("function"), list) or config.get("function_type") == "lambda"


def _is_built_in(value: dict[str, Any]) -> bool:
    """Whether an object is of Keras's own classes, as far as the config says."""
    module = value.get("module")
    return module is None or (isinstance(module, str) and module.split(".")[0] == "keras")


def _forbidden_code_error(class_name: str, place: str) -> ModelFileError:
    error = ModelFileError(
        f"the config holds code ({class_name}), and loading a model never runs code of a file",
        expected="configs that name classes and functions",
        found=FORBIDDEN_CODE_FORMS[class_name],
        fix="write it as a function or class with a name, and pass it: "
        "custom_objects={'its_name': it}. No setting, safe_mode neither, changes this",
    )
    error.places = (place,) if place else ()
    return error


def _external_path_error(key: str, value: str, place: str) -> ModelFileError:
    error = ModelFileError(
        f"the argument {key!r} is a path or an address, and loading a model opens no other file",
        expected="a list of values, or the file's own assets",
        found=repr(value[:100]),
        fix="make the layer from a list of values, and save the model again",
    )
    error.places = (place,) if place else ()
    return error


def _check_keys(value: dict[str, Any], known: set[str], place: str) -> None:
    if unknown := value.keys() - known:
        error = ModelFileError(
            "the config has unknown keys",
            expected=", ".join(sorted(known)),
            found=", ".join(sorted(sanitize_for_display(key, 40) for key in unknown)),
            fix=_DAMAGED,
        )
        error.places = (place,) if place else ()
        raise error


# ---------------------------------------------------------------- what older versions wrote


def _upgrade_legacy(config: dict[str, Any]) -> None:
    """Mends the config of an object in a legacy file."""
    axis = config.get("axis")
    if isinstance(axis, list) and len(axis) == 1:
        config["axis"] = axis[0]
    if isinstance(config.get("layers"), list):
        _renumber(config)


def _renumber(config: dict[str, Any]) -> None:
    """Numbers calls of nested models from 0.

    Keras 2 counted the making of a nested model as its first call, wherever it named one.
    """
    entries = {e.get("name"): e for e in config["layers"] if isinstance(e, dict)}
    nested = {
        name: len(entry["inbound_nodes"])
        for name, entry in entries.items()
        if "config" in entry and _layers(entry) and isinstance(entry.get("inbound_nodes"), list)
    }
    calls = [c for e in entries.values() for c in e.get("inbound_nodes") or ()]
    references = [r for call in calls if isinstance(call, list) for r in call]
    references = [r for r in references if isinstance(r, list) and len(r) >= 3 and r[0] in nested]
    shifted = {r[0] for r in references if r[1] == nested[r[0]]}
    for reference in references:
        if reference[0] in shifted:
            reference[1] -= 1


def _drop_training(entries: list[Any]) -> None:
    for entry in entries:
        for call in (entry.get("inbound_nodes") if isinstance(entry, dict) else None) or ():
            options = [call.get("kwargs")] if isinstance(call, dict) else []
            if isinstance(call, list):
                options = [r[3] for r in call if isinstance(r, list) and len(r) > 3]
            for kwargs in options:
                if isinstance(kwargs, dict):
                    kwargs.pop("training", None)

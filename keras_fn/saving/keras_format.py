"""The `.keras` format: a zip archive of a model's config, its weights and its layers' assets."""

import contextlib
import json
from collections.abc import Iterable, Mapping
from typing import Any, BinaryIO

from keras_fn._lazy import gc_disabled
from keras_fn.core.object_sharing import ObjectSharingScope
from keras_fn.core.registry import CustomObjectScope
from keras_fn.core.scopes import DeferredInitScope
from keras_fn.core.serialization import (
    deserialize_keras_object,
    serialize_keras_object,
    warn_about_compile_config,
)
from keras_fn.errors import KerasError, SpecError
from keras_fn.saving.archive import (
    ASSETS,
    CONFIG,
    METADATA,
    OWN_KEY,
    WEIGHTS,
    Archive,
    read_archive,
    write_archive,
)
from keras_fn.saving.assets import collect_assets, hand_out_assets
from keras_fn.saving.config_validation import (
    check_metadata,
    config_errors,
    drop_compile_configs,
    validate_and_upgrade_config,
)
from keras_fn.saving.errors import model_file_errors
from keras_fn.saving.hdf5.file import open_hdf5
from keras_fn.saving.hdf5.writer import build_hdf5
from keras_fn.saving.strict_json import parse_json
from keras_fn.saving.weights import Weights, check_parameters, collect, restore
from keras_fn.types import AnyModel

_COMPILE_FIX = "load_model(..., compile=False) loads the model without compiling it"


def archive_members(model: AnyModel, with_optimizer: bool = True) -> dict[str, Any]:
    """Returns the content of each member of the archive of a model.

    Args:
        model: A built model.
        with_optimizer: Whether to include the state of the optimizer. Default True.

    Raises:
        ModelFileError: The archive could not be loaded.
        TypeError: Something in the model cannot be serialized.
    """
    with gc_disabled():
        with ObjectSharingScope() as scope:
            config = serialize_keras_object(model)
        scope.finish(config)
        text = _checked_json(model, config)
        datasets, attributes = collect(model, with_optimizer=with_optimizer)
        weights = build_hdf5(datasets, attributes)
    assets = {ASSETS + path: content for path, content in collect_assets(model).items()}
    return {CONFIG: text, WEIGHTS: weights, **assets}


def _checked_json(model: AnyModel, config: dict[str, Any]) -> bytes:
    """Returns a config as JSON, of which it is certain that it can be read.

    If that is only the case without the arguments of `compile`, these are left out.
    """
    if not config.get("compile_config"):
        config["compile_config"] = {}
    text = json.dumps(config).encode()
    try:
        with config_errors(CONFIG):
            validate_and_upgrade_config(parse_json(text), is_own=True)
    except KerasError as error:
        if not config["compile_config"]:
            raise
        text = _checked_json(model, {**config, "compile_config": {}})
        warn_about_compile_config(model, error)
    return text


def write(content: Mapping[str, Any], file: BinaryIO) -> None:
    """Writes an archive to an empty file.

    Args:
        content: The result of `archive_members`.
        file: The file.
    """
    write_archive(file, content)


def read(file: BinaryIO, custom_objects: Mapping[str, Any] | None, with_compile: bool) -> Any:
    """Loads the model from a `.keras` file, as `restore_model` of its archive."""
    return restore_model(read_archive(file, verify_weights=False), custom_objects, with_compile)


def restore_model(
    archive: Archive, custom_objects: Mapping[str, Any] | None, with_compile: bool
) -> Any:
    """Returns the model of an archive.

    Args:
        archive: The archive.
        custom_objects: Custom classes and functions, by name.
        with_compile: Whether to compile the model and restore the state of its optimizer.

    Raises:
        ModelFileError: The file is malformed, or the model cannot be restored as it was.
        ModelFileTypeError: The config names an unknown class or function.
    """
    with config_errors(archive.name, METADATA):
        check_metadata(archive.metadata)
    with gc_disabled():
        weights = weights_of(archive)
        with config_errors(archive.name, CONFIG):
            config = archive.parse_config()
            if not with_compile:
                drop_compile_configs(config)
            config = _validated(config, is_own=OWN_KEY in archive.metadata)
            compile_config = config.pop("compile_config", None)
            model = build(config, custom_objects)
            check_parameters(model)
        if compile_config:
            compile_model(model, compile_config, custom_objects, archive.name)
        with config_errors():
            restore(model, weights, needs_optimizer=with_compile, is_new=True)
    with config_errors(archive.name):
        hand_out_assets(model, archive.assets)
    return model


def _validated(config: Any, is_own: bool) -> dict[str, Any]:
    """Validates the config of a file; an error says if only the compile arguments are wrong."""
    try:
        return validate_and_upgrade_config(config, is_own=is_own)
    except KerasError as error:
        if isinstance(config, dict) and config.pop("compile_config", None):
            with contextlib.suppress(KerasError):
                validate_and_upgrade_config(config, is_own=is_own)
                error.fix = f"{_COMPILE_FIX}; or else {error.fix}"
        raise


def build(config: dict[str, Any], custom_objects: Mapping[str, Any] | None) -> Any:
    """Returns the model of a config, with uninitialized variables."""
    config.pop("compile_config", None)
    with DeferredInitScope(), ObjectSharingScope():
        return deserialize_keras_object(config, custom_objects=custom_objects, kind="layer")


def compile_model(
    model: AnyModel, config: Any, custom_objects: Mapping[str, Any] | None, name: str
) -> None:
    """Compiles a model with the arguments in a config."""
    with config_errors(name, "compile_config", fix=_COMPILE_FIX), CustomObjectScope(custom_objects):
        if not hasattr(model, "compile_from_config"):
            raise SpecError(
                type(model).__name__,
                expected="no compile_config, as it is not a model",
                received=f"{config!r}"[:100],
                fix=_COMPILE_FIX,
            )
        model.compile_from_config(config)


def load_weights(
    model: AnyModel, archive: Archive, skip_mismatch: bool, skipped: Iterable[Any] = ()
) -> None:
    """Loads the weights of a model from an archive."""
    weights = weights_of(archive)
    with model_file_errors():
        restore(model, weights, skip_mismatch=skip_mismatch, skipped=skipped)


def weights_of(archive: Archive) -> Weights:
    """Returns the weights of an archive."""
    name = archive.weights_name
    h5 = open_hdf5(archive.weights, name=name, verify=False, crc=archive.weights_crc)
    return Weights([h5], name)

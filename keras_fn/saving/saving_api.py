"""Saving and loading of models and weights: the public functions, which choose the format."""

import logging
import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, Unpack, cast

from keras_fn.errors import unexpected_arguments
from keras_fn.saving import keras_format, legacy_h5, weights_format
from keras_fn.saving.checksum import write_with_trailer
from keras_fn.saving.config_validation import config_errors, validate_and_upgrade_config
from keras_fn.saving.errors import ModelFileError, ModelFileTypeError
from keras_fn.saving.file_io import describe, local_path, open_for_reading, open_for_writing
from keras_fn.saving.strict_json import parse_json
from keras_fn.saving.weights import check_parameters
from keras_fn.types import AnyModel, LoadWeightsOptions, PathLike, SaveOptions, SaveWeightsOptions

_LEGACY = (".h5", ".hdf5")

_ZIP = b"PK\x03\x04"

_FORMATS = {"keras": (".keras",), "h5": _LEGACY, "hdf5": _LEGACY}

_logger = logging.getLogger("keras_fn")


def save_model(
    model: AnyModel,
    filepath: PathLike | BinaryIO,
    overwrite: bool = True,
    zipped: bool | None = None,
    **kwargs: Unpack[SaveOptions],
) -> None:
    """Saves a model: its architecture, weights, compile arguments and optimizer state.

    The write is atomic: an existing file is replaced when the new one is complete, and a save that
    fails leaves it unchanged. A model that is not built is saved without weights, with a warning.

    Args:
        model: The model.
        filepath: A path that ends in `.keras`, or in `.h5` for the legacy format; or a binary,
            seekable file for `.keras`.
        overwrite: Whether to replace an existing file; otherwise it is an error. Default True.
        zipped: None or True: a `.keras` file is always a zip archive.
        **kwargs: `include_optimizer=False` omits the state of the optimizer. `save_format`,
            `"keras"` or `"h5"`, is deprecated: the path decides.

    Raises:
        ModelFileError: The model cannot be saved, or the path has another ending.
        TypeError: Something in the model cannot be serialized, or an argument is unknown.
        OSError: The file cannot be written.

    Example:
        >>> import io
        >>> x = keras.Input((3,))
        >>> model, file = keras.Model(x, keras.layers.Dense(2)(x)), io.BytesIO()
        >>> keras.saving.save_model(model, file)
        >>> file.getvalue()[:2]
        b'PK'
    """
    with_optimizer = kwargs.pop("include_optimizer", True)
    save_format = kwargs.pop("save_format", None)
    if kwargs:
        raise unexpected_arguments("save_model", kwargs)
    if save_format:
        _check_format(filepath, save_format)
    if zipped not in (True, None):
        raise ModelFileError(
            "a model is saved as one file",
            expected="zipped=True or None",
            received=f"zipped={zipped}",
        )
    if not getattr(model, "built", False):
        message = f"{_unbuilt(model)}: the file holds its architecture alone"
        warnings.warn(message, stacklevel=3)
    is_legacy = _ends(filepath, _LEGACY)
    if not is_legacy and isinstance(filepath, (str, bytes, os.PathLike)):
        _check_ending(filepath, (".keras",), "a model", "name the file model.keras")
    if is_legacy and _ends(filepath, (".weights.h5",)):
        raise ModelFileError(
            f"{describe(filepath)}: this ending is for weights only",
            expected="a path that ends in .keras",
            fix="name the file model.keras, or call save_weights",
        )
    _check_free(filepath, overwrite)
    if is_legacy:
        _logger.warning(
            "%s: .h5 is a legacy format, which holds no assets of layers. Prefer model.save"
            "('model.keras').",
            describe(filepath),
        )
        parts = legacy_h5.build_file(model, with_optimizer)
        with open_for_writing(filepath) as file:
            write_with_trailer(file, parts)
    else:
        members = keras_format.archive_members(model, with_optimizer)
        with open_for_writing(filepath) as file:
            keras_format.write(members, file)


def load_model(
    filepath: PathLike | BinaryIO,
    custom_objects: Mapping[str, Any] | None = None,
    compile: bool = True,
    safe_mode: bool = True,
) -> AnyModel:
    """Loads a model from a `.keras` or legacy `.h5` file, written by keras_fn or Keras.

    Loading never runs code from the file, whatever the arguments.

    Args:
        filepath: A local path, or a binary, seekable file.
        custom_objects: Custom classes and functions, by the names that the file uses.
        compile: Whether to compile the model as it was saved, and to restore the state of the
            optimizer. Default True.
        safe_mode: Has no effect; accepted for compatibility. There is no unsafe mode.

    Returns:
        The model.

    Raises:
        ModelFileError: The file is malformed, holds code, or does not match the model.
        ModelFileTypeError: The file names an unknown class or function.
        OSError: The file cannot be read.

    Example:
        >>> import io
        >>> x = keras.Input((3,))
        >>> model, file = keras.Model(x, keras.layers.Dense(2)(x)), io.BytesIO()
        >>> keras.saving.save_model(model, file)
        >>> keras.saving.load_model(file).output_shape
        (None, 2)
    """
    del safe_mode  # code in a file is never run
    if isinstance(filepath, (str, bytes, os.PathLike)) and os.path.isdir(local_path(filepath)):
        raise ModelFileError(
            f"{describe(filepath)}: a directory, not a file",
            expected="a .keras or .h5 file",
            received="a directory, perhaps a SavedModel",
            fix="load it in Keras with the TensorFlow backend, and save it as model.keras",
        )
    with open_for_reading(filepath) as file:
        signature = _read_signature(file)
        if _is_hdf5(signature) and not _ends(filepath, (".keras",)):
            return legacy_h5.read(file, custom_objects, compile)
        return keras_format.read(file, custom_objects, compile)


def save_weights(
    model: AnyModel,
    filepath: PathLike | BinaryIO,
    overwrite: bool = True,
    max_shard_size: float | None = None,
    **kwargs: Unpack[SaveWeightsOptions],
) -> None:
    """Saves the weights of a model, and the state of its optimizer.

    Args:
        model: A built model.
        filepath: A path that ends in `.weights.h5`, or in `.weights.json` for several files; or a
            binary, seekable file.
        overwrite: Whether to replace an existing file; otherwise it is an error. Default True.
        max_shard_size: The maximum size of a file in GiB. The weights are then written to several
            files, the shards, and a JSON file with their index. None (default) for a single file.
        **kwargs: `objects_to_skip`, layers whose weights are not saved.

    Raises:
        ModelFileError: The model is not built, or the path has another ending.
        TypeError: An argument is unknown.
        OSError: The file cannot be written.

    Example:
        >>> import io
        >>> x = keras.Input((3,))
        >>> model, file = keras.Model(x, keras.layers.Dense(2)(x)), io.BytesIO()
        >>> keras.saving.save_weights(model, file)
        >>> keras.saving.load_weights(model, file)
    """
    skipped = kwargs.pop("objects_to_skip", None) or ()
    if kwargs:
        raise unexpected_arguments("save_weights", kwargs)
    _check_built(model)
    if max_shard_size is None:
        if isinstance(filepath, (str, bytes, os.PathLike)):
            _check_ending(filepath, (".weights.h5",), "weights", "name it model.weights.h5")
        _check_free(filepath, overwrite)
        weights_format.write(model, filepath, skipped)
        return
    endings = (".weights.json", ".weights.h5")
    _check_ending(filepath, endings, "weights in several files", "name it model.weights.json")
    path = Path(os.fsdecode(cast(PathLike, filepath))).with_suffix(".json")
    _check_free(path, overwrite)
    weights_format.write_shards(model, path, max_shard_size, skipped)


def load_weights(
    model: AnyModel,
    filepath: PathLike | BinaryIO,
    skip_mismatch: bool = False,
    **kwargs: Unpack[LoadWeightsOptions],
) -> None:
    """Loads the weights of a model from a file: all of them, or none if there is an error.

    Args:
        model: A built model.
        filepath: A `.weights.h5`, `.weights.json`, `.keras` or legacy `.h5` file.
        skip_mismatch: Whether to skip layers whose weights do not match, with a warning. Default
            False.
        **kwargs: `objects_to_skip`, layers to leave unchanged; `by_name=True`, to match the layers
            of a legacy file by name instead of by order.

    Raises:
        ModelFileError: The file is malformed, or does not match the model.
        TypeError: An argument is unknown.
        OSError: The file cannot be read.

    Example:
        >>> import io
        >>> x = keras.Input((3,))
        >>> y = keras.layers.Dense(1, kernel_initializer="ones")(x)
        >>> model, file = keras.Model(x, y), io.BytesIO()
        >>> keras.saving.save_weights(model, file)
        >>> model.set_weights([np.zeros((3, 1)), np.zeros(1)])
        >>> keras.saving.load_weights(model, file)
        >>> model.get_weights()[0].tolist()
        [[1.0], [1.0], [1.0]]
    """
    skipped = kwargs.pop("objects_to_skip", None) or ()
    by_name = kwargs.pop("by_name", False)
    if kwargs:
        raise unexpected_arguments("load_weights", kwargs)
    _check_built(model)
    with open_for_reading(filepath) as file:
        signature = _read_signature(file)
        is_legacy = _is_hdf5(signature) and legacy_h5.is_legacy(file)
        if not is_legacy and by_name:
            raise ModelFileError(
                "only legacy files are read by name",
                expected="a legacy .h5 file",
                received=describe(file),
                fix="load it with skip_mismatch=True",
            )
        if is_legacy and skipped:
            raise ModelFileError(
                "objects_to_skip is not supported for legacy files",
                received=describe(file),
                fix="load the legacy file with by_name=True",
            )
        if is_legacy:
            legacy_h5.load_weights(model, file, by_name, skip_mismatch)
        elif _is_hdf5(signature):
            weights_format.read(model, file, skip_mismatch, skipped)
        elif signature.startswith(_ZIP):
            keras_format.load_weights(model, file, skip_mismatch, skipped)
        elif _ends(filepath, (".json",)):
            path = local_path(cast(PathLike, filepath))
            weights_format.read_shards(model, file, path, skip_mismatch, skipped)
        else:
            raise ModelFileError(
                f"{describe(file)}: not a file of weights",
                expected="a .weights.h5, .weights.json, .keras or .h5 file",
                received=repr(signature[:8]),
                fix="the file is damaged, or is of another kind",
            )


def parse_config(json_string: str | bytes) -> dict[str, Any]:
    """Returns the config in the JSON of a model, validated and upgraded.

    Args:
        json_string: The JSON.

    Raises:
        ModelFileError: The JSON is malformed, holds code, or exceeds the limits.
    """
    data = json_string.encode("utf-8") if isinstance(json_string, str) else json_string
    with config_errors("model JSON"):
        return validate_and_upgrade_config(parse_json(data), is_own=True)


def model_from_json(
    json_string: str | bytes, custom_objects: Mapping[str, Any] | None = None
) -> AnyModel:
    """Returns a model with the architecture in a JSON string, with uninitialized variables.

    A model that was compiled is compiled again, with a new optimizer.

    Args:
        json_string: The result of `Model.to_json`.
        custom_objects: Custom classes and functions, by name.

    Raises:
        ModelFileError: The JSON is malformed, holds code, or exceeds the limits.
        ModelFileTypeError: The JSON names an unknown class or function.
    """
    config = parse_config(json_string)
    compile_config = config.pop("compile_config", None)
    with config_errors("model JSON"):
        model = keras_format.build(config, custom_objects)
        check_parameters(model)
    if compile_config:
        keras_format.compile_model(model, compile_config, custom_objects, "model JSON")
    return model


def _read_signature(file: Any) -> bytes:
    """Returns the first bytes of a file, which identify its format."""
    file.seek(0)
    signature = file.read(8)
    file.seek(0)
    return signature


def _is_hdf5(signature: bytes) -> bool:
    return signature.startswith(b"\x89HDF")


def _ends(filepath: Any, endings: tuple[str, ...]) -> bool:
    if not isinstance(filepath, (str, bytes, os.PathLike)):
        return False
    return os.fsdecode(filepath).lower().endswith(endings)


def _check_format(filepath: Any, save_format: str) -> None:
    """Checks that a path has the ending of a format, and warns that the path is enough."""
    endings = _FORMATS.get(save_format)
    if endings is None or not _ends(filepath, endings):
        raise ModelFileError(
            f"{describe(filepath)}: the name of the file decides about the format",
            expected="a path that ends in .keras or .h5, and save_format left out",
            received=f"save_format={save_format!r}",
            fix="name the file model.keras",
        )
    _logger.warning(
        "The argument save_format=%r is deprecated: leave it out, the path %s says it.",
        save_format,
        describe(filepath),
    )


def _check_ending(filepath: Any, endings: tuple[str, ...], what: str, fix: str) -> None:
    if not isinstance(filepath, (str, bytes, os.PathLike)):
        raise ModelFileTypeError("a path is needed", received=type(filepath).__name__)
    local_path(filepath)
    if not _ends(filepath, endings):
        raise ModelFileError(
            f"{describe(filepath)}: {what} cannot go to a file of this name",
            expected=f"a path that ends in {' or '.join(endings)}",
            fix=fix,
        )


def _check_free(filepath: Any, overwrite: bool) -> None:
    is_path = isinstance(filepath, (str, bytes, os.PathLike))
    if is_path and not overwrite and os.path.lexists(local_path(filepath)):
        raise ModelFileError(
            f"{describe(filepath)}: there is a file already",
            expected="a new path",
            fix="choose another path, or pass overwrite=True",
        )


def _check_built(model: Any) -> None:
    if not getattr(model, "built", False):
        raise ModelFileError(
            _unbuilt(model), fix="call the model on data, or build(input_shape), before"
        )


def _unbuilt(model: Any) -> str:
    name = getattr(model, "name", "")
    return f"{type(model).__name__} {name!r} is not built, so it has no weights yet"

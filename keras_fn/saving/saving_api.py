"""Saving and loading of models and weights: the public functions, which choose the format."""

import logging
import os
import warnings
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Unpack, cast

from keras_fn.distribution.gathering import write_in_process_0
from keras_fn.distribution.processes import processes
from keras_fn.errors import check_choice, unexpected_arguments
from keras_fn.saving import (
    hugging_face,
    keras_folder,
    keras_format,
    weights_format,
)
from keras_fn.saving.archive import read_archive
from keras_fn.saving.checkpoint import checkpoint_format
from keras_fn.saving.checkpoint.checkpoint_reader import is_checkpoint
from keras_fn.saving.checksum import write_with_trailer
from keras_fn.saving.config_validation import config_errors, validate_and_upgrade_config
from keras_fn.saving.errors import ModelFileError, ModelFileTypeError
from keras_fn.saving.file_io import describe, local_path, open_for_reading, open_for_writing
from keras_fn.saving.hugging_face import is_hub_path
from keras_fn.saving.legacy import legacy_h5
from keras_fn.saving.safetensors import safetensors_format
from keras_fn.saving.safetensors.safetensors_file import SIGNATURE_BYTES, is_safetensors
from keras_fn.saving.strict_json import parse_json
from keras_fn.saving.variable_paths import list_variables
from keras_fn.saving.weights import check_parameters
from keras_fn.types import AnyModel, LoadWeightsOptions, PathLike, SaveOptions, SaveWeightsOptions

_LEGACY = (".h5", ".hdf5")

_SAFETENSORS = (safetensors_format.ENDING, safetensors_format.INDEX_ENDING)

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
            seekable file for `.keras`; with `zipped=False` the path of a folder. With
            `huggingface_hub` installed also `hf://user/repo`, which saves a folder, and
            `hf://user/repo/model.keras`.
        overwrite: Whether to replace an existing file; otherwise it is an error. Default True.
        zipped: Whether the file is a zip archive. False for a folder of the same content, which
            replaces an existing one as a whole. Default None: a zip archive.
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
    if is_hub_path(filepath):
        save = partial(_save_to_hub, model, cast(str, filepath), overwrite, zipped, kwargs)
    else:
        save = partial(_save_model, model, filepath, overwrite, zipped, kwargs)
    _write_once(save, "save", model, filepath)


def _write_once(
    write: Callable[[], object], name: str, model: AnyModel, filepath: PathLike | BinaryIO
) -> None:
    """Writes in process 0, if there are several; each has a file object for itself."""
    if processes.timeout is None or not isinstance(filepath, (str, bytes, os.PathLike)):
        write()
    else:
        source = f"{getattr(model, '_label', 'a model')}, {name}"
        folder = os.path.dirname(os.path.abspath(os.fsdecode(filepath)))
        write_in_process_0(write, source, partial(list_variables, model), folder)


def _save_model(
    model: AnyModel,
    filepath: PathLike | BinaryIO,
    overwrite: bool,
    zipped: bool | None,
    kwargs: SaveOptions,
) -> None:
    with_optimizer = kwargs.pop("include_optimizer", True)
    save_format = kwargs.pop("save_format", None)
    if kwargs:
        raise unexpected_arguments("save_model", kwargs)
    if save_format:
        _check_format(filepath, save_format)
    is_folder = check_choice("save_model", "zipped", zipped, (None, True, False)) is False
    if not getattr(model, "built", False):
        message = f"{_unbuilt(model)}: the file holds its architecture alone"
        warnings.warn(message, stacklevel=5)
    is_legacy = not is_folder and _ends(filepath, _LEGACY)
    _check_model_name(filepath, is_folder, is_legacy)
    _check_free(filepath, overwrite)
    if is_legacy:
        _save_legacy(model, filepath, with_optimizer)
        return
    members = keras_format.archive_members(model, with_optimizer)
    if is_folder:
        keras_folder.write(members, cast(PathLike, filepath))
        return
    with open_for_writing(filepath) as file:
        keras_format.write(members, file)


def _save_legacy(model: AnyModel, filepath: PathLike | BinaryIO, with_optimizer: bool) -> None:
    _logger.warning(
        "%s: .h5 is a legacy format, which holds no assets of layers. Prefer model.save"
        "('model.keras').",
        describe(filepath),
    )
    parts = legacy_h5.build_file(model, with_optimizer)
    with open_for_writing(filepath) as file:
        write_with_trailer(file, parts)


def _save_to_hub(
    model: AnyModel, filepath: str, overwrite: bool, zipped: bool | None, options: SaveOptions
) -> None:
    """Saves a model to a file of a repository, or as the repository itself, which is a folder."""
    is_folder = hugging_face.is_repository(filepath)
    if is_folder and zipped:
        raise ModelFileError(
            f"{filepath}: a repository is a folder",
            expected="zipped=False or None",
            received=f"zipped={zipped}",
            fix=f"leave zipped out, or save to {filepath}/model.keras",
        )
    write = partial(save_model, model, zipped=False if is_folder else zipped, **options)
    hugging_face.upload(filepath, write, overwrite)


def load_model(
    filepath: PathLike | BinaryIO,
    custom_objects: Mapping[str, Any] | None = None,
    compile: bool = True,
    safe_mode: bool = True,
) -> AnyModel:
    """Loads a model from a `.keras` file or folder, or a legacy `.h5` file, of keras_fn or Keras.

    Loading never runs code from the file, whatever the arguments.

    Args:
        filepath: A local path of a file, or of a folder that `save(zipped=False)` wrote; a binary,
            seekable file; or, with `huggingface_hub` installed, `hf://user/repo` or
            `hf://user/repo/file`, `hf://user/repo@revision` for a branch, tag or commit.
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
    filepath, cache = _local_copy(filepath)
    if _is_folder(filepath):
        with keras_folder.open_folder(cast(PathLike, filepath), links_within=cache) as archive:
            return keras_format.restore_model(archive, custom_objects, compile)
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
        filepath: A path that ends in `.weights.h5` or `.safetensors`; or a binary, seekable file.
            The index of several files ends in `.weights.json` or `.safetensors.index.json`. A
            sharded checkpoint is a folder that ends in `.checkpoint`, which all processes of a
            distribution write together.
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
    if is_hub_path(filepath):
        _check_not_checkpoint(cast(str, filepath))
        write = partial(save_weights, model, max_shard_size=max_shard_size, **kwargs)
        upload = partial(hugging_face.upload, cast(str, filepath), write, overwrite)
        _write_once(upload, "save_weights", model, filepath)
        return
    skipped = kwargs.pop("objects_to_skip", None) or ()
    if kwargs:
        raise unexpected_arguments("save_weights", kwargs)
    _check_built(model)
    if max_shard_size is None and _ends(filepath, (checkpoint_format.ENDING,)):
        _check_free(filepath, overwrite)
        checkpoint_format.write(model, cast(PathLike, filepath), skipped)
        return
    save = partial(_save_weights, model, filepath, overwrite, max_shard_size, skipped)
    _write_once(save, "save_weights", model, filepath)


def _save_weights(
    model: AnyModel,
    filepath: PathLike | BinaryIO,
    overwrite: bool,
    max_shard_size: float | None,
    skipped: Iterable[Any],
) -> None:
    is_path = isinstance(filepath, (str, bytes, os.PathLike))
    form = safetensors_format if _ends(filepath, _SAFETENSORS) else weights_format
    if max_shard_size is None:
        if is_path:
            endings = (".weights.h5", ".safetensors", checkpoint_format.ENDING)
            _check_ending(filepath, endings, "weights", "name it model.weights.h5")
        _check_free(filepath, overwrite)
        form.write(model, filepath, skipped)
        return
    endings = (".weights.json", ".weights.h5", *_SAFETENSORS)
    _check_ending(filepath, endings, "weights in several files", "name it model.weights.json")
    path = _index_path(os.fsdecode(cast(PathLike, filepath)))
    _check_free(path, overwrite)
    form.write_shards(model, path, max_shard_size, skipped)


def _index_path(path: str) -> Path:
    """Returns the path of the index of shards for the path that a user gave."""
    if _ends(path, (safetensors_format.ENDING,)):
        return Path(path + safetensors_format.INDEX_ENDING.removeprefix(safetensors_format.ENDING))
    if _ends(path, (safetensors_format.INDEX_ENDING,)):
        return Path(path)
    return Path(path).with_suffix(".json")


def load_weights(
    model: AnyModel,
    filepath: PathLike | BinaryIO,
    skip_mismatch: bool = False,
    **kwargs: Unpack[LoadWeightsOptions],
) -> None:
    """Loads the weights of a model from a file: all of them, or none if there is an error.

    Args:
        model: A built model.
        filepath: A `.weights.h5`, `.safetensors`, `.keras` or legacy `.h5` file; the index of
            several, `.weights.json` or `.safetensors.index.json`; or a folder: a sharded
            checkpoint, or what `save(zipped=False)` wrote. With `huggingface_hub` installed also
            `hf://user/repo/file`.
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
    filepath, cache = _local_copy(filepath)
    is_path = isinstance(filepath, (str, bytes, os.PathLike))
    if is_path and is_checkpoint(cast(PathLike, filepath)):
        _check_not_by_name(filepath, by_name)
        checkpoint_format.read(model, cast(PathLike, filepath), skip_mismatch, skipped)
        return
    if _is_folder(filepath):
        _check_not_by_name(filepath, by_name)
        with keras_folder.open_folder(cast(PathLike, filepath), links_within=cache) as archive:
            keras_format.load_weights(model, archive, skip_mismatch, skipped)
        return
    with open_for_reading(filepath) as file:
        signature = _read_signature(file)
        if _is_hdf5(signature) and legacy_h5.is_legacy(file):
            if skipped:
                raise ModelFileError(
                    "objects_to_skip is not supported for legacy files",
                    received=describe(file),
                    fix="load the legacy file with by_name=True",
                )
            legacy_h5.load_weights(model, file, by_name, skip_mismatch)
        else:
            _check_not_by_name(filepath, by_name)
            _load_weights_file(model, filepath, file, skip_mismatch, skipped)


def _load_weights_file(
    model: AnyModel,
    filepath: PathLike | BinaryIO,
    file: BinaryIO,
    skip_mismatch: bool,
    skipped: Iterable[Any],
) -> None:
    """Loads weights from a file that is not a legacy one, whose first bytes say its format."""
    signature = _read_signature(file)
    if _is_hdf5(signature):
        weights_format.read(model, file, skip_mismatch, skipped)
    elif signature.startswith(_ZIP):
        keras_format.load_weights(
            model, read_archive(file, verify_weights=False), skip_mismatch, skipped
        )
    elif _ends(filepath, (".json",)):
        is_own = not _ends(filepath, _SAFETENSORS)
        form = weights_format if is_own else safetensors_format
        path = local_path(cast(PathLike, filepath))
        form.read_shards(model, file, path, skip_mismatch, skipped)
    elif is_safetensors(signature) or _ends(filepath, _SAFETENSORS):
        safetensors_format.read(model, file, skip_mismatch, skipped)
    else:
        raise ModelFileError(
            f"{describe(file)}: not a file of weights",
            expected="a .weights.h5, .safetensors, .keras or .h5 file, or the index of several",
            received=repr(signature[:8]),
            fix="the file is damaged, or is of another kind",
        )


def _local_copy(filepath: PathLike | BinaryIO) -> tuple[PathLike | BinaryIO, str | None]:
    """Returns the local path of a file of a hub, and its cache; or the argument as it is."""
    if is_hub_path(filepath):
        return hugging_face.download(cast(str, filepath))
    return filepath, None


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
    signature = file.read(SIGNATURE_BYTES)
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


def _check_not_checkpoint(filepath: str) -> None:
    if _ends(filepath, (checkpoint_format.ENDING,)):
        raise ModelFileError(
            f"{filepath}: a sharded checkpoint is not saved to a repository",
            expected="a path of the hub that ends in .weights.h5 or .safetensors",
            received=checkpoint_format.ENDING,
            fix="name it model.safetensors, with max_shard_size= for several files",
        )


def _check_model_name(filepath: Any, is_folder: bool, is_legacy: bool) -> None:
    """Checks the name of the file or folder that a model is saved to."""
    if is_folder:
        _check_folder_name(filepath)
    elif is_legacy and _ends(filepath, (".weights.h5",)):
        raise ModelFileError(
            f"{describe(filepath)}: this ending is for weights only",
            expected="a path that ends in .keras",
            fix="name the file model.keras, or call save_weights",
        )
    elif not is_legacy and isinstance(filepath, (str, bytes, os.PathLike)):
        _check_ending(filepath, (".keras",), "a model", "name the file model.keras")


def _check_folder_name(filepath: Any) -> None:
    if not isinstance(filepath, (str, bytes, os.PathLike)):
        raise ModelFileTypeError(
            "zipped=False writes a folder",
            expected="the path of a folder",
            received=type(filepath).__name__,
            fix="leave zipped out to write to a file object",
        )
    if _ends(filepath, (".keras",)):
        raise ModelFileError(
            f"{describe(filepath)}: zipped=False writes a folder, and .keras ends a file",
            expected="a path without this ending",
            received="zipped=False",
            fix="leave zipped out, or name the folder without .keras",
        )


def _is_folder(filepath: Any) -> bool:
    """Returns whether a path is that of a folder with a model.

    Raises:
        ModelFileError: It is another folder.
    """
    if not isinstance(filepath, (str, bytes, os.PathLike)):
        return False
    is_model = keras_folder.is_model_folder(local_path(filepath))
    if not is_model and os.path.isdir(local_path(filepath)):
        raise ModelFileError(
            f"{describe(filepath)}: a folder without a model",
            expected="a .keras or .h5 file, or a folder with config.json and model.weights.h5",
            received="a folder, perhaps a SavedModel",
            fix="load a SavedModel in Keras on TensorFlow, and save it as model.keras",
        )
    return is_model


def _check_not_by_name(filepath: Any, by_name: bool) -> None:
    if by_name:
        raise ModelFileError(
            "only legacy files are read by name",
            expected="a legacy .h5 file",
            received=describe(filepath),
            fix="load it with skip_mismatch=True",
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

"""Weights of a model in `safetensors` files: in one, or in shards with an index.

The index has the form of Hugging Face: the name of the file of each array.
"""

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from keras_fn.core.variable import Variable
from keras_fn.saving import shards
from keras_fn.saving.errors import ModelFileError, model_file_errors, sanitize_for_display
from keras_fn.saving.file_io import describe, open_for_writing
from keras_fn.saving.safetensors.safetensors_file import (
    SafetensorsFile,
    open_safetensors,
    write_safetensors,
)
from keras_fn.saving.variable_paths import walk_saveables
from keras_fn.saving.weights import Weights, collect, restore
from keras_fn.types import AnyModel, PathLike

ENDING = ".safetensors"
INDEX_ENDING = ".safetensors.index.json"

NAMING = shards.ShardNaming("-{number:05}-of-{count:05}.safetensors", ENDING)
_METADATA = {"format": "keras_fn"}


def write(model: AnyModel, filepath: PathLike | BinaryIO, skipped: Iterable[Any] = ()) -> None:
    """Writes the weights of a model to a path or an empty file.

    Args:
        model: A built model.
        filepath: A path or a binary file.
        skipped: Layers to leave out.
    """
    arrays, aliases = _collect(model, skipped)
    with open_for_writing(filepath) as file:
        write_safetensors(file, arrays, _METADATA | aliases)


def write_shards(
    model: AnyModel, path: Path, gibibytes: float, skipped: Iterable[Any] = ()
) -> None:
    """Writes the weights to several files, the shards, and then their index to `path`.

    Args:
        model: A built model.
        path: The path of the index. The shards are written to the same folder.
        gibibytes: The maximum size of a shard.
        skipped: Layers to leave out.

    Raises:
        ModelFileError: A single weight is larger.
    """
    arrays, aliases = _collect(model, skipped)
    parts = shards.split(arrays, gibibytes)

    def write_one(file: BinaryIO, part: dict[str, np.ndarray]) -> None:
        own = {alias: kept for alias, kept in aliases.items() if kept in part}
        write_safetensors(file, part, _METADATA | own)

    def weight_map(names: Sequence[str]) -> dict[str, Any]:
        return {name: file for file, part in zip(names, parts, strict=True) for name in part}

    base = path.name.removesuffix(INDEX_ENDING)
    size = sum(array.nbytes for array in arrays.values())
    shards.write_shards(path, base, NAMING, parts, write_one, weight_map, size)


def read(model: AnyModel, file: BinaryIO, skip_mismatch: bool, skipped: Iterable[Any] = ()) -> None:
    """Loads the weights of a model from a file.

    Args:
        model: A built model.
        file: The file.
        skip_mismatch: Whether to skip layers that do not match, with a warning.
        skipped: Layers to leave unchanged.
    """
    _restore(model, [open_safetensors(file)], describe(file), skip_mismatch, skipped)


def read_shards(
    model: AnyModel, file: BinaryIO, path: str, skip_mismatch: bool, skipped: Iterable[Any] = ()
) -> None:
    """Loads the weights of a model from shards.

    Args:
        model: A built model.
        file: The index of the shards.
        path: Its path. The shards are in the same folder.
        skip_mismatch: Whether to skip layers that do not match, with a warning.
        skipped: Layers to leave unchanged.
    """
    with open_shards(file, path) as files:
        _restore(model, files, describe(file), skip_mismatch, skipped)


@contextlib.contextmanager
def open_shards(file: BinaryIO, path: str) -> Iterator[list[SafetensorsFile]]:
    """Context manager that opens the shards of an index, which are closed afterwards.

    Args:
        file: The index.
        path: Its path. The shards are in the same folder.

    Raises:
        ModelFileError: The index is malformed, or an array is not where it says.
    """
    with shards.open_shards(file, path, NAMING, open_safetensors) as (index, files):
        with model_file_errors(describe(file)):
            names = {shard: shard_file.stored_names for shard, shard_file in files.items()}
            known = {shard: shard_file.datasets for shard, shard_file in files.items()}
            shards.check_places(index["weight_map"], names, known)
        yield list(files.values())


# ---------------------------------------------------------------- names


def tensor_names(model: AnyModel) -> dict[str, str]:
    """Returns the names of the variables of a model in its file, by their paths in HDF5.

    Args:
        model: A built model.
    """
    names: dict[str, str] = {}
    for saveable in walk_saveables(model):
        names |= saveable.tensor_names()
    return names


def _collect(
    model: AnyModel, skipped: Iterable[Any]
) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Returns the arrays by name, without those of tied weights, and where these are instead."""
    names, (datasets, _) = tensor_names(model), collect(model, skipped)
    arrays, aliases = {}, {}
    first: dict[int, str] = {}
    variables = _variables(model, skipped)
    for path, array in datasets.items():
        name, variable = names.get(path, path), variables.get(path)
        kept = first.setdefault(id(variable), name) if variable is not None else name
        # Two layers can store different values of one variable: one of them has a LoRA adapter.
        if kept != name and array.tobytes() == arrays[kept].tobytes():
            aliases[name] = kept
        else:
            arrays[name] = array
    return arrays, aliases


def _variables(model: AnyModel, skipped: Iterable[Any]) -> dict[str, Variable]:
    found: dict[str, Variable] = {}
    for saveable in walk_saveables(model, skipped):
        if not saveable.overrides("save_own_variables"):
            found |= saveable.variables()
    return found


def _restore(
    model: AnyModel,
    files: Sequence[SafetensorsFile],
    name: str,
    skip_mismatch: bool,
    skipped: Iterable[Any],
) -> None:
    with model_file_errors():
        weights = Weights(files, name, tensor_names(model))
        groups = {saveable.group for saveable in walk_saveables(model)}
        if weights.groups and not groups & weights.groups.keys():
            raise ModelFileError(
                f"{name}: none of its arrays has the name of a weight of the model",
                expected=next(iter(tensor_names(model).values()), "the names of this model"),
                received=", ".join(
                    sanitize_for_display(n, 60) for n in list(files[0].datasets)[:3]
                ),
                fix="if it is of PyTorch or from Hugging Face, use keras.saving.load_state_dict",
            )
        restore(model, weights, skip_mismatch=skip_mismatch, skipped=skipped)

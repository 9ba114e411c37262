"""The `.weights.h5` format: the variables of a model, in one HDF5 file or in several shards."""

import contextlib
import itertools
import json
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from keras_fn.errors import KerasError
from keras_fn.saving.checksum import write_with_trailer
from keras_fn.saving.errors import ModelFileError, model_file_errors
from keras_fn.saving.file_io import atomic_write, describe, open_for_reading, open_for_writing
from keras_fn.saving.hdf5.file import open_hdf5
from keras_fn.saving.hdf5.writer import build_hdf5
from keras_fn.saving.strict_json import parse_json
from keras_fn.saving.weights import Weights, collect, restore
from keras_fn.types import AnyModel, PathLike

_GIBIBYTE = 1 << 30
_SHARD = re.compile(r"[^/\\:\x00-\x1f]{1,200}\.weights\.h5")


def write(model: AnyModel, filepath: PathLike | BinaryIO, skipped: Iterable[Any] = ()) -> None:
    """Writes the weights of a model to a path or an empty file.

    Args:
        model: A built model.
        filepath: A path or a binary file.
        skipped: Layers to leave out.
    """
    parts = build_hdf5(*collect(model, skipped))
    with open_for_writing(filepath) as file:
        write_with_trailer(file, parts)


def read(model: AnyModel, file: BinaryIO, skip_mismatch: bool, skipped: Iterable[Any] = ()) -> None:
    """Loads the weights of a model from a file.

    Args:
        model: A built model.
        file: The file.
        skip_mismatch: Whether to skip layers that do not match, with a warning.
        skipped: Layers to leave unchanged.
    """
    h5 = open_hdf5(file)
    with model_file_errors():
        weights = Weights([h5], h5.name)
        restore(model, weights, skip_mismatch=skip_mismatch, skipped=skipped)


# ---------------------------------------------------------------- shards


def write_shards(
    model: AnyModel, path: Path, gibibytes: float, skipped: Iterable[Any] = ()
) -> None:
    """Writes the weights to several files, the shards, and then their index to `path`.

    Until the index is replaced, the shards of an older one stay; then they are removed.

    Args:
        model: A built model.
        path: The path of the index. The shards are written to the same folder.
        gibibytes: The maximum size of a shard.
        skipped: Layers to leave out.

    Raises:
        ModelFileError: A single weight is larger.
    """
    datasets, attributes = collect(model, skipped)
    shards = _split(datasets, gibibytes)
    base = path.stem.replace(".weights", "")
    names, previous = _new_names(path, base, len(shards)), _names_in_index(path, base)
    weight_map: dict[str, list[str]] = {}
    try:
        with contextlib.ExitStack() as stack:
            index_file = stack.enter_context(atomic_write(path))  # replaced last
            for name, shard in zip(names, shards, strict=True):
                groups = dict.fromkeys(dataset.rpartition("/")[0] for dataset in shard)
                for group in groups:
                    weight_map.setdefault(f"/{group}", []).append(name)
                own = {group: attributes[group] for group in groups if group in attributes}
                file = stack.enter_context(atomic_write(path.with_name(name)))
                write_with_trailer(file, build_hdf5(shard, own))
            index = {
                "metadata": {"total_size": sum(array.nbytes for array in datasets.values())},
                "weight_map": {k: v[0] if len(v) == 1 else v for k, v in weight_map.items()},
            }
            index_file.write(json.dumps(index, indent=4).encode())
    except BaseException:
        _remove(path, set(names).difference(_names_in_index(path, base)))
        raise
    first = f"{base}_00000.weights.h5"
    if first not in names:  # real Keras opens it before it looks into the index
        with atomic_write(path.with_name(first)) as file:
            write_with_trailer(file, build_hdf5({}))
    _remove(path, set(previous).difference(names, [first]))


def _split(datasets: dict[str, np.ndarray], gibibytes: float) -> list[dict[str, np.ndarray]]:
    """Returns the datasets of each shard."""
    shards: list[dict[str, np.ndarray]] = [{}]
    size = 0
    for name, array in datasets.items():
        if array.nbytes > gibibytes * _GIBIBYTE:
            raise ModelFileError(
                f"the weight {name} is larger than a shard",
                expected=f"at most {gibibytes} GiB",
                received=f"{array.nbytes} bytes",
                fix="make max_shard_size larger",
            )
        if size + array.nbytes > gibibytes * _GIBIBYTE:
            shards.append({})
            size = 0
        shards[-1][name] = array
        size += array.nbytes
    return shards


def _new_names(path: Path, base: str, count: int) -> list[str]:
    """Returns names for shards that no file has."""

    def numbered(k: int) -> list[str]:
        start = f"{base}-{k}" if k else base
        return [f"{start}_{i:05}.weights.h5" for i in range(count)]

    return next(
        names
        for names in map(numbered, itertools.count())
        if not any(os.path.lexists(path.with_name(name)) for name in names)
    )


def _names_in_index(path: Path, base: str) -> list[str]:
    """Returns the shards that an existing index names, and whose names are of `write_shards`."""
    own = re.compile(rf"{re.escape(base)}(-\d+)?_\d{{5}}\.weights\.h5")
    try:
        with open_for_reading(path) as file:
            return [name for name in _shard_names(parse_json(file.read())) if own.fullmatch(name)]
    except (OSError, KerasError):  # there is none
        return []


def _remove(path: Path, names: Iterable[str]) -> None:
    for name in names:
        with contextlib.suppress(OSError):
            os.unlink(path.with_name(name))


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
    name = describe(file)
    with model_file_errors(name):
        names = _shard_names(parse_json(file.read()))
    with contextlib.ExitStack() as stack:
        files = []
        for shard in names:
            shard_path = os.path.join(os.path.dirname(path), shard)
            files.append(open_hdf5(stack.enter_context(open_for_reading(shard_path))))
        with model_file_errors():
            weights = Weights(files, name)
            restore(model, weights, skip_mismatch=skip_mismatch, skipped=skipped)


def _shard_names(index: Any) -> list[str]:
    """Returns the names of the shards in an index.

    Raises:
        ModelFileError: The index is malformed, or refers to a file in another folder.
    """
    weight_map = index.get("weight_map") if isinstance(index, dict) else None
    if not isinstance(weight_map, dict):
        raise ModelFileError(
            "the file is not an index of shards",
            expected="an object weight_map",
            fix="load the .weights.json that save_weights wrote",
        )
    names: dict[str, None] = {}
    for value in weight_map.values():
        for name in value if isinstance(value, list) else [value]:
            if not isinstance(name, str) or not _SHARD.fullmatch(name):
                raise ModelFileError(
                    "a shard is not in the folder of the index",
                    expected="a name like model_00000.weights.h5",
                    received=repr(name)[:100],
                    fix="the file is damaged",
                )
            names[name] = None
    return list(names)

"""The `.weights.h5` format: the variables of a model, in one HDF5 file or in several shards."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from keras_fn.saving import shards
from keras_fn.saving.checksum import write_with_trailer
from keras_fn.saving.errors import model_file_errors
from keras_fn.saving.file_io import atomic_write, describe, open_for_writing
from keras_fn.saving.hdf5.file import open_hdf5
from keras_fn.saving.hdf5.writer import build_hdf5
from keras_fn.saving.weights import Weights, collect, restore
from keras_fn.types import AnyModel, PathLike

INDEX_ENDING = ".weights.json"

NAMING = shards.ShardNaming("_{index:05}.weights.h5", ".weights.h5")


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
    h5 = open_hdf5(file, verify=False)
    with model_file_errors():
        weights = Weights([h5], h5.name)
        restore(model, weights, skip_mismatch=skip_mismatch, skipped=skipped)


# ---------------------------------------------------------------- shards


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
    datasets, attributes = collect(model, skipped)
    parts = shards.split(datasets, gibibytes)
    groups = [dict.fromkeys(name.rpartition("/")[0] for name in part) for part in parts]

    def weight_map(names: Sequence[str]) -> dict[str, Any]:
        found: dict[str, list[str]] = {}
        for name, own in zip(names, groups, strict=True):
            for group in own:
                found.setdefault(f"/{group}", []).append(name)
        return {k: v[0] if len(v) == 1 else v for k, v in found.items()}

    def write_one(file: BinaryIO, shard: tuple[dict[str, np.ndarray], Iterable[str]]) -> None:
        own = {group: attributes[group] for group in shard[1] if group in attributes}
        write_with_trailer(file, build_hdf5(shard[0], own))

    base = path.stem.replace(".weights", "")
    size = sum(array.nbytes for array in datasets.values())
    contents = list(zip(parts, groups, strict=True))
    first = NAMING.names(base, 1)[0]
    names = shards.write_shards(
        path, base, NAMING, contents, write_one, weight_map, size, keep=[first]
    )
    if first not in names:  # real Keras opens it before it looks into the index
        with atomic_write(path.with_name(first)) as file:
            write_with_trailer(file, build_hdf5({}))


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
    with shards.open_shards(file, path, NAMING, open_hdf5) as (_, files), model_file_errors():
        weights = Weights(list(files.values()), describe(file))
        restore(model, weights, skip_mismatch=skip_mismatch, skipped=skipped)

"""Weights in several files, the shards, with a JSON index of what is in which."""

import contextlib
import itertools
import json
import os
import re
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TypeVar

import numpy as np

from keras_fn.errors import KerasError
from keras_fn.saving.errors import ModelFileError, model_file_errors, sanitize_for_display
from keras_fn.saving.file_io import (
    PathLike,
    atomic_write,
    describe,
    open_for_reading,
)
from keras_fn.saving.strict_json import parse_json
from keras_fn.saving.unfinished import journal, locked_folder, remove_unfinished

_GIBIBYTE = 1 << 30

_ATTEMPTS = 10  # at reading shards that are saved at the same time

_Shard = TypeVar("_Shard")
_File = TypeVar("_File")


class ShardNaming(NamedTuple):
    """How the shards of a format are named.

    Attributes:
        template: What follows the name of the model: a format string of `index` (from 0), `number`
            (from 1) and `count`.
        ending: The ending of the name of each shard.
    """

    template: str
    ending: str

    def names(self, base: str, count: int) -> list[str]:
        """Returns the names of the shards of a model."""
        parts = ((i, i + 1) for i in range(count))
        return [base + self.template.format(index=i, number=n, count=count) for i, n in parts]

    def is_own(self, name: str, base: str) -> bool:
        """Returns whether `write_shards` names a shard of a model like this."""
        digits = re.sub(r"\\\{.*?\\\}", r"\\d{5,}", re.escape(self.template))
        return re.fullmatch(rf"{re.escape(base)}(-\d+)?{digits}", name) is not None

    def names_in(self, index: Any) -> list[str]:
        """Returns the names of the shards in an index.

        Args:
            index: The value of the JSON.

        Raises:
            ModelFileError: The index is malformed, or refers to a file in another folder.
        """
        weight_map = index.get("weight_map") if isinstance(index, dict) else None
        if not isinstance(weight_map, dict):
            raise ModelFileError(
                "the file is not an index of shards",
                expected="an object weight_map",
                fix="load the index that save_weights wrote",
            )
        plain = re.compile(r"[^/\\:\x00-\x1f]{1,200}" + re.escape(self.ending))
        names: dict[str, None] = {}
        for value in weight_map.values():
            for name in value if isinstance(value, list) else [value]:
                if not isinstance(name, str) or not plain.fullmatch(name):
                    raise ModelFileError(
                        "a shard is not in the folder of the index",
                        expected=f"a name like {self.names('model', 1)[0]}",
                        received=repr(name)[:100],
                        fix="the file is damaged",
                    )
                names[name] = None
        return list(names)


def read_shard_names(path: PathLike, naming: ShardNaming) -> list[str]:
    """Returns the names of the shards in the index at a path.

    Args:
        path: The path of the index.
        naming: How they are named.

    Raises:
        ModelFileError: The index is malformed, or refers to a file in another folder.
        OSError: The file cannot be read.
    """
    with open_for_reading(path) as file, model_file_errors(describe(file)):
        return naming.names_in(parse_json(file.read()))


@contextlib.contextmanager
def open_shards(
    file: BinaryIO, path: str, naming: ShardNaming, open_shard: Callable[[BinaryIO], _File]
) -> Iterator[tuple[dict[str, Any], dict[str, _File]]]:
    """Context manager that opens the shards of an index, which are closed afterwards.

    Args:
        file: The index. If a save replaces it meanwhile, the new one is read.
        path: Its path. The shards are in the same folder.
        naming: How they are named.
        open_shard: Opens the content of one.

    Yields:
        The value of the index, and the shards by their names.

    Raises:
        ModelFileError: The index or a shard is malformed.
        OSError: A shard cannot be read.
    """
    with contextlib.ExitStack() as stack:
        for _ in range(_ATTEMPTS):
            with model_file_errors(describe(file)):
                index = parse_json(file.read())
                names = naming.names_in(index)
            files: dict[str, _File] = {}
            try:
                for name in names:
                    shard = open_for_reading(os.path.join(os.path.dirname(path), name))
                    files[name] = open_shard(stack.enter_context(shard))
            except FileNotFoundError:
                if _is_at(file, path):
                    raise
            # Two saves later the names are used again, for other weights.
            if len(files) == len(names) and _is_at(file, path):
                yield index, files
                return
            stack.close()
            file = stack.enter_context(open_for_reading(path))
        raise ModelFileError(
            f"{describe(file)}: the shards are replaced faster than they can be read",
            fix="load them when no one saves",
        )


def check_places(
    weight_map: Mapping[str, Any],
    stored: Mapping[str, Iterable[str]],
    known: Mapping[str, Container[str]] | None = None,
) -> None:
    """Checks that each array is in the shard that the index names, and in no other one.

    Args:
        weight_map: The entry of the index: the shard of each array.
        stored: The arrays that each shard holds.
        known: The arrays that each shard has a name for. By default those that it holds.

    Raises:
        ModelFileError: An array is elsewhere, or in two shards.
    """
    places: dict[str, str] = {}
    for shard, names in stored.items():
        for name in names:
            if places.setdefault(name, shard) != shard or weight_map.get(name) != shard:
                raise _misplaced(name, weight_map.get(name), shard)
    for name, shard in weight_map.items():
        if name not in places and name not in (known or {}).get(shard, ()):
            raise _misplaced(name, shard, "no such array there")


def _misplaced(name: str, expected: object, received: object) -> ModelFileError:
    return ModelFileError(
        f"the array {sanitize_for_display(name, 100)} is not in the shard that the index names",
        expected=expected or "an entry for it in the index",
        received=received,
        fix="the shards are of different models, or damaged; get all of them again",
    )


def _is_at(file: BinaryIO, path: str) -> bool:
    return os.path.samestat(os.fstat(file.fileno()), os.stat(path))


def split(arrays: dict[str, np.ndarray], gibibytes: float) -> list[dict[str, np.ndarray]]:
    """Returns the arrays of each shard.

    Args:
        arrays: The arrays by name.
        gibibytes: The maximum size of a shard.

    Raises:
        ModelFileError: A single array is larger.
    """
    shards: list[dict[str, np.ndarray]] = [{}]
    size = 0
    for name, array in arrays.items():
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


def write_shards(
    path: Path,
    base: str,
    naming: ShardNaming,
    shards: Sequence[_Shard],
    write: Callable[[BinaryIO, _Shard], object],
    weight_map: Callable[[Sequence[str]], dict[str, Any]],
    total_size: int,
    keep: Iterable[str] = (),
) -> list[str]:
    """Writes the shards, and then their index to `path`.

    Until the index is replaced, the shards of an older one stay; then they are removed.

    Args:
        path: The path of the index. The shards are written to the same folder.
        base: The name of the model, with which the names of the shards begin.
        naming: How they are named.
        shards: What each of them holds.
        write: Writes a shard to an empty file.
        weight_map: Returns the entry `weight_map` of the index for the names of the shards.
        total_size: The number of bytes of all weights.
        keep: Names of old shards to leave.

    Returns:
        The names of the shards.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with locked_folder(path.parent):  # two writes would choose the same names
        remove_unfinished(path.parent)
        names, previous = (
            _new_names(path, base, naming, len(shards)),
            _own_names(path, base, naming),
        )
        previous = set(previous).difference(keep)
        index = {"metadata": {"total_size": total_size}, "weight_map": weight_map(names)}
        try:
            with journal(path) as record:
                with contextlib.ExitStack() as stack:
                    index_file = stack.enter_context(atomic_write(path))  # replaced last
                    files = {}
                    for name, shard in zip(names, shards, strict=True):
                        files[name] = stack.enter_context(atomic_write(path.with_name(name)))
                        write(files[name], shard)
                    index_file.write(json.dumps(index, indent=4).encode())
                    record(index_file, files, previous)
                _remove(path, previous)
        except BaseException:
            _remove(path, set(names).difference(_own_names(path, base, naming)))
            raise
        return names


def _new_names(path: Path, base: str, naming: ShardNaming, count: int) -> list[str]:
    """Returns names for shards that no file has."""
    starts = itertools.chain([base], (f"{base}-{k}" for k in itertools.count(1)))
    return next(
        names
        for names in (naming.names(start, count) for start in starts)
        if not any(os.path.lexists(path.with_name(name)) for name in names)
    )


def _own_names(path: Path, base: str, naming: ShardNaming) -> list[str]:
    """Returns the shards that an existing index names, and whose names are of `write_shards`."""
    try:
        names = read_shard_names(path, naming)
    except (OSError, KerasError):  # there is none
        return []
    return [name for name in names if naming.is_own(name, base)]


def _remove(path: Path, names: Iterable[str]) -> None:
    for name in names:
        with contextlib.suppress(OSError):
            os.unlink(path.with_name(name))

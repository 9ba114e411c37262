"""The index of a sharded checkpoint: which slice of which variable is where, and its checksum.

`index.json` is one JSON object:

    {"format": "keras_fn.checkpoint", "version": 1, "files": [size, …],
     "variables": {path: {"shape": […], "dtype": "float32",
                          "slices": [[file, offset, [start, …], [stop, …], crc32], …]}},
     "state": …, "crc32": "…"}

File `i` of `n` is `process-0000i-of-0000n.bin`: slices that follow each other without gaps. The
slices of a variable form a grid, so that each element is in one of them. The last entry is the
checksum of the bytes before it.
"""

import itertools
import json
import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from keras_fn.core.dtypes import ALL, numpy_dtype
from keras_fn.saving.errors import ModelFileError, error_context, sanitize_for_display
from keras_fn.saving.limits import current_limits
from keras_fn.saving.strict_json import as_shape, as_size, parse_json

INDEX = "index.json"
FORMAT, VERSION = "keras_fn.checkpoint", 1

_KEYS = {"format", "version", "files", "variables", "state", "crc32"}
_DTYPES = {name: numpy_dtype(name).newbyteorder("<") for name in ALL if name != "string"}
_END = b',"crc32":"%08x"}'
_END_BYTES = len(_END % 0)

Bounds = tuple[int, ...]


class Piece(NamedTuple):
    """A slice of a variable in a file.

    Attributes:
        file: The number of the file.
        offset: Where its bytes begin.
        start: The index of its first element, by axis.
        stop: The index behind its last one.
        crc: The CRC-32 of its bytes.
    """

    file: int
    offset: int
    start: Bounds
    stop: Bounds
    crc: int

    @property
    def shape(self) -> Bounds:
        """Its shape."""
        return tuple(b - a for a, b in zip(self.start, self.stop, strict=True))


@dataclass
class StoredVariable:
    """A variable in a checkpoint.

    Attributes:
        shape: Its shape.
        dtype: Its dtype.
        pieces: Its slices, by where they start.
        cuts: Where slices start, for each axis, in ascending order.
    """

    shape: Bounds
    dtype: np.dtype
    pieces: dict[Bounds, Piece]
    cuts: list[list[int]]


class CheckpointIndex(NamedTuple):
    """What is in a checkpoint.

    Attributes:
        files: The sizes of its files.
        variables: Its variables, by path.
        state: Plain values that were saved with them.
    """

    files: Sequence[int]
    variables: Mapping[str, StoredVariable]
    state: Any


def file_name(process: int, count: int) -> str:
    """Returns the name of the file of a process.

    Args:
        process: Its index.
        count: The number of processes.
    """
    return f"process-{process:05}-of-{count:05}.bin"


# ---------------------------------------------------------------- writing


def encode_index(index: CheckpointIndex) -> bytes:
    """Returns the content of the file, after checking it as a reader does.

    Args:
        index: The index.

    Raises:
        ModelFileError: The slices of a variable do not hold each element once.
    """
    variables = {
        path: {
            "shape": list(v.shape),
            "dtype": v.dtype.name,
            "slices": [
                [p.file, p.offset, list(p.start), list(p.stop), p.crc] for p in v.pieces.values()
            ],
        }
        for path, v in index.variables.items()
    }
    content = {
        "format": FORMAT,
        "version": VERSION,
        "files": list(index.files),
        "variables": variables,
        "state": index.state,
    }
    text = json.dumps(content, separators=(",", ":")).encode()[:-1]
    encoded = text + _END % zlib.crc32(text)
    decode_index(encoded)
    return encoded


# ---------------------------------------------------------------- reading


def decode_index(content: bytes) -> CheckpointIndex:
    """Returns the index, checked whole.

    Args:
        content: The content of the file.

    Raises:
        ModelFileError: It is malformed: its checksum, a dtype, shape, offset or slice is wrong, or
            slices overlap or leave gaps.
    """
    text = content[:-_END_BYTES]
    if content[-_END_BYTES:] != _END % zlib.crc32(text):
        raise malformed("the index is not what was saved (CRC-32 differs)")
    value = parse_json(content)
    if not isinstance(value, dict) or value.keys() != _KEYS or value["format"] != FORMAT:
        raise malformed("this is not the index of a checkpoint", sorted(_KEYS))
    if value["version"] != VERSION:
        raise malformed("the format has another version", VERSION, value["version"])
    files, entries = value["files"], value["variables"]
    if not isinstance(files, list) or not files or not isinstance(entries, dict):
        raise malformed("there is no list of files, or no object of variables")
    sizes = [as_size(size, "the size of a file") for size in files]
    variables = {}
    for path, entry in entries.items():
        with error_context(sanitize_for_display(path, 100)):
            variables[path] = _decode_variable(entry, len(sizes))
    _check_files(sizes, variables)
    return CheckpointIndex(sizes, variables, value["state"])


def _decode_variable(entry: Any, files: int) -> StoredVariable:
    if not isinstance(entry, dict) or entry.keys() != {"shape", "dtype", "slices"}:
        raise malformed("this is not the description of a variable", "shape, dtype, slices")
    if not isinstance(entry["dtype"], str) or entry["dtype"] not in _DTYPES:
        received = sanitize_for_display(entry["dtype"], 40)
        raise malformed("the dtype is unknown", ", ".join(_DTYPES), received)
    shape = _as_bounds(entry["shape"], "the shape")
    if not isinstance(entry["slices"], list):
        raise malformed("the slices are not a list")
    pieces: dict[Bounds, Piece] = {}
    for described in entry["slices"]:
        piece = _decode_piece(described, shape, files)
        if piece.start in pieces:
            raise malformed("two slices start at the same element", received=piece.start)
        pieces[piece.start] = piece
    variable = StoredVariable(shape, _DTYPES[entry["dtype"]], pieces, _cut(shape, pieces))
    _check_grid(variable)
    return variable


def _decode_piece(described: Any, shape: Bounds, files: int) -> Piece:
    if not isinstance(described, list) or len(described) != 5:
        raise malformed("this is not a slice", "[file, offset, start, stop, crc32]")
    file = as_size(described[0], "the number of a file", most=files - 1)
    start, stop = (_as_bounds(bounds, "a slice") for bounds in described[2:4])
    if not len(start) == len(stop) == len(shape) or any(
        not a < b <= n for a, b, n in zip(start, stop, shape, strict=True)
    ):
        raise malformed("a slice is not inside of its variable", f"in {shape}", f"{start}, {stop}")
    crc = as_size(described[4], "a checksum", most=2**32 - 1)
    return Piece(file, as_size(described[1], "an offset"), start, stop, crc)


def _as_bounds(value: Any, what: str) -> Bounds:
    return tuple(as_size(n, f"a size of {what}") for n in as_shape(value, what))


def _cut(shape: Bounds, pieces: Mapping[Bounds, Piece]) -> list[list[int]]:
    return [sorted({start[axis] for start in pieces}) for axis in range(len(shape))]


def _check_grid(variable: StoredVariable) -> None:
    """Raises unless each element of a variable is in one slice."""
    cuts, pieces = variable.cuts, variable.pieces
    expected = 0 if 0 in variable.shape else max(1, math.prod(map(len, cuts)))
    if len(pieces) != expected:
        raise malformed("slices of the variable are missing or overlap", expected, len(pieces))
    if not pieces:
        return
    if any(axis[0] != 0 for axis in cuts):
        raise malformed("the first elements are in no slice")
    ends = [
        dict(zip(axis, [*axis[1:], size], strict=True))
        for axis, size in zip(cuts, variable.shape, strict=True)
    ]
    for piece in pieces.values():
        wanted = tuple(end[a] for end, a in zip(ends, piece.start, strict=True))
        if piece.stop != wanted:
            raise malformed("slices of the variable overlap or leave gaps", wanted, piece.stop)


def _check_files(sizes: Sequence[int], variables: Mapping[str, StoredVariable]) -> None:
    """Raises unless the slices in each file follow each other to its end."""
    parts = [
        (p.file, p.offset, math.prod(p.shape) * v.dtype.itemsize)
        for v in variables.values()
        for p in v.pieces.values()
    ]
    ends = [0] * len(sizes)
    for file, offset, size in sorted(parts):
        if offset != ends[file]:
            raise malformed("slices in a file overlap or leave gaps", ends[file], offset)
        ends[file] += size
    if ends != list(sizes):
        raise malformed("the slices do not end where their files do")


def check_index_size(size: int) -> None:
    """Raises an error for an index that is too large to read.

    Args:
        size: Its size in bytes.
    """
    most = current_limits().config_bytes
    if size > most:
        raise malformed("the index is too large", f"at most {most} bytes", size)


def overlapping(
    variable: StoredVariable, bounds: Sequence[tuple[int, int]]
) -> list[tuple[Piece, tuple[slice, ...], tuple[slice, ...]]]:
    """Returns the pieces with elements of a part of a variable.

    Args:
        variable: The variable.
        bounds: The first index and the one behind the last, for each axis.

    Returns:
        Each piece, with the slices of what is needed: in the piece, and in the part.
    """
    starts = [
        [a for a, b in itertools.pairwise([*axis, size]) if a < high and low < b]
        for axis, size, (low, high) in zip(variable.cuts, variable.shape, bounds, strict=True)
    ]
    found = []
    for start in itertools.product(*starts) if variable.pieces else ():
        piece = variable.pieces[start]
        ranges = [
            (max(low, a), min(high, b))
            for (low, high), a, b in zip(bounds, piece.start, piece.stop, strict=True)
        ]
        inside = tuple(slice(a - s, b - s) for (a, b), s in zip(ranges, piece.start, strict=True))
        there = tuple(
            slice(a - low, b - low) for (a, b), (low, _) in zip(ranges, bounds, strict=True)
        )
        found.append((piece, inside, there))
    return found


def malformed(fact: str, expected: object = "", received: object = "") -> ModelFileError:
    """Returns the error for a checkpoint that no program of ours wrote, or that was damaged."""
    return ModelFileError(
        fact,
        expected=expected,
        received=received,
        fix="the checkpoint is damaged; use another one",
    )

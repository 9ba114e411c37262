"""Checks a file of a model or of weights: its structure, checksums and sizes, and that it holds no
code. Every byte is read. With --load the model is also built and its weights are set."""

import argparse
import contextlib
import copy
import os
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from keras_fn.cli import output
from keras_fn.cli.model_file import ModelFile, Source, Tensor, find_format, open_model_file
from keras_fn.cli.model_loading import add_model_arguments, load_model, prepare
from keras_fn.cli.output import Fields, Table
from keras_fn.errors import KerasError
from keras_fn.saving.archive import CONFIG, METADATA, WEIGHTS
from keras_fn.saving.byte_view import ByteView
from keras_fn.saving.config_validation import (
    check_metadata,
    config_errors,
    validate_and_upgrade_config,
)
from keras_fn.saving.errors import model_file_errors
from keras_fn.saving.file_io import open_for_reading
from keras_fn.saving.hdf5.file import Hdf5File
from keras_fn.saving.safetensors.safetensors_file import SafetensorsFile
from keras_fn.saving.zip.strict_zip import Entry, member_chunks, read_entries

CHECKS = {
    "format": "is of a known format",
    "checksum": "has the declared size and checksum",
    "structure": "has the structure of its format, within the limits",
    "no_code": "holds no code and no paths",
    "arrays": "has all its numbers, with the right checksum",
    "arrays_without_checksum": "has all its numbers (it has no checksum)",
    "load": "can be loaded",
}
"""What is checked, by the names that JSON has."""


class Check(NamedTuple):
    """A check of a part of a file.

    Attributes:
        part: The part.
        check: What is checked: a key of `CHECKS`.
        problem: The error, None if there is none.
    """

    part: str
    check: str
    problem: Exception | None

    def to_json(self) -> dict[str, Any]:
        """Returns it as plain values."""
        problem = None if self.problem is None else output.describe_error(self.problem)
        is_ok = self.problem is None
        return {"part": self.part, "check": self.check, "ok": is_ok, "problem": problem}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command."""
    parser.add_argument("file", help="a file or folder of a model or of weights")
    parser.add_argument(
        "--load", action="store_true", help="also build the model and set its weights"
    )
    add_model_arguments(parser)


def execute(arguments: argparse.Namespace) -> int:
    """Runs the command, and returns the exit code: 1 if something is wrong."""
    checks = list(verify(arguments.file))
    is_whole = all(check.problem is None for check in checks)
    if arguments.load and is_whole:
        prepare(arguments)
        checks.append(_try("model", "load", load_model, arguments.file))
    problems = [check for check in checks if check.problem is not None]
    if arguments.json:
        values = [check.to_json() for check in checks]
        output.show_json("verify", {"file": arguments.file, "ok": not problems, "checks": values})
        return int(bool(problems))
    rows = [(c.part, CHECKS[c.check], "ok" if c.problem is None else "fault") for c in checks]
    faults = [
        Fields(c.part, list(output.describe_error(c.problem).items()))
        for c in problems
        if c.problem is not None
    ]
    output.show(Table("", ("part", "check", "result"), rows), *faults)
    return int(bool(problems))


def verify(path: str) -> Iterator[Check]:
    """Yields the checks of a file. Those that a fault makes meaningless are left out.

    Args:
        path: The path of a file or folder.

    Raises:
        OSError: It cannot be read.
    """
    name = os.path.basename(os.path.abspath(path))
    form = _try(name, "format", find_format, path)
    yield form
    if form.problem is not None:
        return
    if find_format(path) == "keras":
        checks = list(_members(path))
        yield from checks
        if any(check.problem for check in checks):
            return
    with contextlib.ExitStack() as stack:
        try:
            file = stack.enter_context(open_model_file(path))
        except KerasError as error:
            yield Check(name, "structure", error)
            return
        yield Check(name, "structure", None)
        yield from _parts(file)


def _members(path: str) -> Iterator[Check]:
    """Yields a check of each member of a zip archive, if they can be listed."""
    with open_for_reading(path) as file:
        view = ByteView.of_file(file)
        try:
            with model_file_errors(path):
                entries = read_entries(view)
        except KerasError as error:
            yield Check(os.path.basename(path), "structure", error)
            return
        for entry in entries:
            yield _try(entry.name, "checksum", _read_member, path, view, entry)


def _read_member(path: str, view: ByteView, entry: Entry) -> None:
    with model_file_errors(path, entry.name):
        for _ in member_chunks(view, entry):
            pass


def _parts(file: ModelFile) -> Iterator[Check]:
    if file.archive is not None:
        yield _try(METADATA, "no_code", _check_metadata, file)
    if file.config is not None:
        yield _try(CONFIG, "no_code", _check_config, file)
    tensors = file.tensors()
    for source in file.sources:
        own = [tensor for tensor in tensors if tensor.source is source]
        check = "arrays" if _has_checksum(file, source) else "arrays_without_checksum"
        part = WEIGHTS if file.archive is not None else os.path.basename(source.name)
        yield _try(part, check, _read, own)


def _has_checksum(file: ModelFile, source: Source) -> bool:
    if file.format in ("keras", "pt"):  # the zip archive has them
        return True
    if isinstance(source, Hdf5File):
        return source.is_own
    if not isinstance(source, SafetensorsFile):
        return False
    return any(info.crc is not None for info in source.datasets.values())


def _read(tensors: list[Tensor]) -> None:
    for tensor in tensors:
        tensor.read()


def _check_metadata(file: ModelFile) -> None:
    with config_errors(file.path, METADATA):
        check_metadata(file.metadata)


def _check_config(file: ModelFile) -> None:
    config = copy.deepcopy(file.config)  # it is upgraded in place
    with config_errors(file.path, CONFIG):
        validate_and_upgrade_config(config, is_own=file.is_own)


def _try(part: str, check: str, action: Callable[..., object], *arguments: Any) -> Check:
    """Returns a check: an action that raises if something is wrong."""
    try:
        action(*arguments)
    except (KerasError, ImportError, NotImplementedError) as error:
        return Check(part, check, error)
    return Check(part, check, None)

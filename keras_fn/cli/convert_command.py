"""Converts a model or weights to another format, which the name of the new file or --format says.

A file of weights alone needs the architecture: --model MODEL. Except for artifacts of --format
tf_saved_model, onnx and the like, the new file is read again and checked as `verify` does."""

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from keras_fn import saving
from keras_fn.cli import output
from keras_fn.cli.model_file import MODEL_FORMATS, find_format, open_model_file
from keras_fn.cli.model_loading import add_model_arguments, load_model, prepare
from keras_fn.cli.output import Fields, format_bytes
from keras_fn.cli.verify_command import verify
from keras_fn.errors import SpecError, check_choice
from keras_fn.export.formats import FORMATS as EXPORTS
from keras_fn.saving.file_io import atomic_write


class Target(NamedTuple):
    """A format that is written.

    Attributes:
        endings: The endings of its files; the first is the usual one. "/" is a folder.
        write: Writes a model to a path.
    """

    endings: tuple[str, ...]
    write: Callable[[Any, str, argparse.Namespace], object]


def _save(model: Any, path: str, arguments: argparse.Namespace, **options: Any) -> None:
    model.save(path, include_optimizer=not arguments.no_optimizer, **options)


def _save_folder(model: Any, path: str, arguments: argparse.Namespace) -> None:
    _save(model, path.rstrip("/"), arguments, zipped=False)


def _save_weights(model: Any, path: str, arguments: argparse.Namespace) -> None:
    model.save_weights(path)


def _save_shards(model: Any, path: str, arguments: argparse.Namespace) -> None:
    model.save_weights(path, max_shard_size=arguments.max_shard_size)


def _save_json(model: Any, path: str, arguments: argparse.Namespace) -> None:
    with atomic_write(path) as file:
        file.write(model.to_json(indent=2).encode())


TARGETS = {
    "weights.h5": Target((".weights.h5",), _save_weights),
    "weights.json": Target((".weights.json",), _save_shards),
    "safetensors.index.json": Target((".safetensors.index.json",), _save_shards),
    "safetensors": Target((".safetensors",), _save_weights),
    "keras": Target((".keras",), _save),
    "json": Target((".json",), _save_json),
    "legacy.h5": Target((".h5", ".hdf5"), _save),
    "folder": Target(("/",), _save_folder),
}
"""The formats of files. An ending is looked up from the first to the last."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command."""
    parser.add_argument("source", help="a file or folder of a model or of weights")
    parser.add_argument("target", help="the new file; a name that ends in / is a folder")
    parser.add_argument(
        "--format", metavar="FORMAT",
        help=f"the new format, if the name does not say it: {', '.join([*TARGETS, *EXPORTS])}",
    )  # fmt: skip
    parser.add_argument(
        "--model", help="the model of a file of weights: .keras, .h5, .json, folder"
    )
    parser.add_argument(
        "--state-dict", action="store_true",
        help="the source has the weights of a PyTorch module, as .safetensors of Hugging Face",
    )  # fmt: skip
    parser.add_argument(
        "--rename", action="append", default=[], metavar="OLD=NEW",
        help="of a state dict, the module OLD is the layer NEW; can be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--max-shard-size", type=float, default=1.0, metavar="GIB",
        help="the size of a shard, for .weights.json and .safetensors.index.json. By default 1",
    )  # fmt: skip
    parser.add_argument(
        "--no-optimizer", action="store_true", help="leave the state of the optimizer out"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace an existing file")
    add_model_arguments(parser)


def execute(arguments: argparse.Namespace) -> int:
    """Runs the command, and returns the exit code: 1 if the new file is not whole."""
    start = time.perf_counter()
    form = target_format(arguments.target, arguments.format)
    path = arguments.target.rstrip("/") if form not in TARGETS else arguments.target
    _check_free(path.rstrip("/"), arguments.overwrite)
    source_format = find_format(arguments.source)
    prepare(arguments)
    model = _load(arguments, source_format)
    if form in TARGETS:
        TARGETS[form].write(model, path, arguments)
        checks = list(verify(path.rstrip("/")))
    else:
        model.export(path, format=form, verbose=False)
        checks = []
    is_whole = all(check.problem is None for check in checks)
    result = {
        "source": arguments.source,
        "source_format": source_format,
        "target": path.rstrip("/"),
        "format": form,
        "bytes": _size(Path(path)),
        "verified": is_whole if checks else None,
    }
    if arguments.json:
        output.show_json("convert", result)
    else:
        rows = [
            ("from", f"{arguments.source} ({source_format})"),
            ("to", f"{result['target']} ({form})"),
            ("size", format_bytes(result["bytes"])),
            ("time", f"{time.perf_counter() - start:.1f} s"),
            ("checked", {True: "yes", False: "damaged: see keras-fn verify", None: ""}[
                result["verified"]
            ]),
        ]  # fmt: skip
        output.show(Fields("", rows))
    return int(not is_whole)


def target_format(path: str, form: str | None = None) -> str:
    """Returns the format of a file to be written.

    Args:
        path: Its path.
        form: The name of the format, if the user said it.

    Raises:
        SpecError: There is no such format, or the name does not say it.
    """
    if form is not None:
        return check_choice("keras-fn convert", "--format", form, [*TARGETS, *EXPORTS])
    lowered = path.lower()
    for name, target in TARGETS.items():
        if lowered.endswith(target.endings):
            return name
    for name, export in EXPORTS.items():
        if export.suffix and lowered.endswith(export.suffix):
            return name
    endings = [target.endings[0] for target in TARGETS.values()]
    endings += [export.suffix for export in EXPORTS.values() if export.suffix]
    raise SpecError(
        f"keras-fn convert, {path}",
        expected=f"a name that ends in {', '.join(endings)}",
        received=os.path.basename(path),
        fix="name the format: --format keras, or --format tf_saved_model for a folder",
    )


def _load(arguments: argparse.Namespace, source_format: str) -> Any:
    """Returns the model, with the weights of the source."""
    with_compile = not arguments.no_optimizer
    has_model = source_format in MODEL_FORMATS
    if source_format == "legacy.h5":
        with open_model_file(arguments.source) as file:
            has_model = file.config is not None
    if has_model and arguments.model is None:
        return load_model(arguments.source, with_compile)
    if arguments.model is None:
        raise SpecError(
            f"keras-fn convert, {arguments.source}",
            expected="the architecture, which this file of weights does not hold",
            received=f"a file of weights ({source_format})",
            fix="name a file with it: --model model.keras",
        )
    model = load_model(arguments.model, with_compile)
    if source_format == "pt" or arguments.state_dict:
        saving.load_state_dict(model, arguments.source, _renames(arguments.rename))
    else:
        model.load_weights(arguments.source)
    return model


def _renames(arguments: list[str]) -> dict[str, str]:
    pairs = [argument.partition("=") for argument in arguments]
    if wrong := [old for old, sign, _ in pairs if not sign]:
        raise SpecError(
            "keras-fn convert, --rename",
            expected="the names of a module and of a layer: OLD=NEW",
            received=wrong[0],
            fix="for example --rename encoder.0=dense",
        )
    return {old: new for old, _, new in pairs}


def _check_free(path: str, overwrite: bool) -> None:
    if not overwrite and os.path.lexists(path):
        raise SpecError(
            f"keras-fn convert, {path}",
            expected="a new path",
            received="a file or folder that is there already",
            fix="choose another path, or add --overwrite",
        )


def _size(path: Path) -> int:
    if path.is_dir():
        return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    return path.stat().st_size

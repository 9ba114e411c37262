"""Loading of models for the commands that need them, with the arguments for it."""

import argparse
import importlib
import os
import sys
from typing import Any

from keras_fn import saving
from keras_fn._lazy import LazyModule
from keras_fn.backend import loader
from keras_fn.cli.model_file import MODEL_FORMATS, find_format
from keras_fn.errors import SpecError

_models = LazyModule("keras_fn.models")  # they need the backend


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of commands that load a model."""
    parser.add_argument(
        "--import", dest="modules", action="append", default=[], metavar="MODULE",
        help="a module to import first, which registers custom classes; can be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--backend", help="jax, torch or tensorflow; by default that of KERAS_BACKEND or keras.json"
    )


def prepare(arguments: argparse.Namespace) -> None:
    """Chooses the backend, and imports the modules that the user named.

    Args:
        arguments: The arguments of the command.

    Raises:
        SpecError: There is no such backend or module.
    """
    if arguments.backend:
        try:
            loader.set_backend(arguments.backend)
        except (ValueError, RuntimeError) as error:
            expected, fix = "the name of a backend", "run keras-fn doctor"
            raise _invalid("--backend", arguments.backend, expected, fix, error) from error
    sys.path.insert(0, os.getcwd())
    for module in arguments.modules:
        try:
            importlib.import_module(module)
        except ModuleNotFoundError as error:
            expected, fix = "a module that can be found", "run it in the folder of the module"
            raise _invalid("--import", module, expected, fix, error) from error


def load_model(path: str, with_compile: bool = True) -> Any:
    """Returns the model in a file that holds an architecture.

    Args:
        path: The path of the file.
        with_compile: Whether to compile it.

    Raises:
        SpecError: The file holds weights alone.
        ModelFileError: It is malformed.
    """
    form = find_format(path)
    if form == "json":
        with open(path, "rb") as file:
            return _models.model_from_json(file.read())
    if form not in MODEL_FORMATS:
        raise SpecError(
            path,
            expected="a file with an architecture: .keras, .h5, .json, or a folder",
            received=f"a file of weights ({form})",
            fix="name the model of these weights: --model model.keras",
        )
    return saving.load_model(path, compile=with_compile)


def _invalid(option: str, value: str, expected: str, fix: str, reason: Exception) -> SpecError:
    received = f"{value}: {reason}".partition("\n")[0]
    return SpecError(f"keras-fn, {option}", expected=expected, received=received, fix=fix)

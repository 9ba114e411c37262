"""Exports a model to a format: checks everything, then lets the backend write the artifact."""

import contextlib
import importlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from keras_fn._lazy import LazyModule
from keras_fn.backend.loader import current
from keras_fn.core.endpoint import Endpoint
from keras_fn.core.temporary_folder import temporary_folder
from keras_fn.distribution.processes import is_primary
from keras_fn.errors import SpecError, check_choice, unexpected_arguments
from keras_fn.export.artifact_io import write_files, write_folder
from keras_fn.export.formats import FORMATS, ExportFormat
from keras_fn.export.input_signature import DEFAULT_ENDPOINT, layer_endpoint
from keras_fn.export.requirements import require
from keras_fn.export.unsupported import explain_failure
from keras_fn.layers.layer import Layer
from keras_fn.saving.file_io import local_path
from keras_fn.settings import settings
from keras_fn.types import Nested, PathLike

if TYPE_CHECKING:
    from keras_fn.export import rebuild
else:
    rebuild = LazyModule("keras_fn.export.rebuild")


def export_model(
    model: Layer,
    filepath: PathLike,
    format: str = "tf_saved_model",
    verbose: bool | None = None,
    input_signature: Nested = None,
    options: Mapping[str, Any] | None = None,
) -> None:
    """Exports a model. The arguments are those of `Model.export`.

    Args:
        model: The model, or a layer.
        filepath: The path of the artifact.
        format: The name of the format.
        verbose: Whether to print where the artifact is. By default it is printed.
        input_signature: The inputs. By default those of the model.
        options: The keyword arguments that the format has.
    """
    options = dict(options or {})
    row = FORMATS[check_choice(f"{model._label}, export", "format", format, FORMATS)]
    _check_arguments(model, row, filepath, options)
    endpoint = layer_endpoint(DEFAULT_ENDPOINT, model, input_signature)
    write = _writer(row, model, options)
    with explained_errors(model, row, write):
        write_artifact(row, filepath, lambda path: write(endpoint, path))
    if verbose is not False and is_primary():
        print(f"Saved {row.title} at {os.fspath(filepath)!r}.", flush=True)


@contextlib.contextmanager
def explained_errors(
    model: Layer, row: ExportFormat, write: Callable[[Endpoint, str], None]
) -> Iterator[None]:
    """Context manager in which a failure of an exporter becomes an error that names the layer.

    Args:
        model: The model that is exported.
        row: The format.
        write: Writes the artifact of an endpoint to a path.
    """
    is_filtering, settings.traceback_filtering = settings.traceback_filtering, False
    try:
        yield
    except Exception as error:
        explained = explain_failure(error, model, row, lambda part: _fails(write, part))
        if explained is error:
            raise
        raise explained from error
    finally:
        settings.traceback_filtering = is_filtering


def write_artifact(row: ExportFormat, filepath: PathLike, write: Callable[[str], None]) -> None:
    """Writes the file or folder of a format as a whole.

    Args:
        row: The format.
        filepath: The path of the artifact.
        write: Writes it at the path that it receives: of a file, or of an empty folder.
    """
    if row.suffix:
        write_files(filepath, write)
    else:
        write_folder(filepath, write, row.marker)


def _check_arguments(
    model: Layer, row: ExportFormat, filepath: PathLike, options: Mapping[str, Any]
) -> None:
    source = f"{model._label}, export to {row.name!r}"
    if row.options is not None:
        unknown = options.keys() - set(row.options)
        if unknown:
            raise unexpected_arguments(source, sorted(unknown), row.options)
    check_backend_of_options(source, row, options)
    if row.requires_suffix and not local_path(filepath).endswith(row.suffix):
        raise SpecError(
            source,
            expected=f"a path that ends in {row.suffix!r}",
            received=f"filepath={os.fspath(filepath)!r}",
            fix=f"for example 'model{row.suffix}'",
        )
    require(row.libraries, source, row.description)


def check_backend_of_options(source: str, row: ExportFormat, options: Iterable[str]) -> None:
    """Raises an error for options that another backend has.

    Args:
        source: What is exported, for the error.
        row: The format.
        options: The names of the options.

    Raises:
        SpecError: One is for another backend.
    """
    for name in options:
        backend = row.options_of.get(name, current().name)
        if backend != current().name:
            raise SpecError(
                source,
                expected=f"{name}= on the {backend} backend only",
                received=f"the {current().name} backend",
                fix=f"remove {name}=",
            )


def _writer(
    row: ExportFormat, model: Layer, options: dict[str, Any]
) -> Callable[[Endpoint, str], None]:
    """Returns the function that writes the artifact of an endpoint to a path."""
    own = getattr(current(), f"export_{row.name}", None)
    if own is not None:
        return lambda endpoint, path: own(
            [endpoint] if row.has_endpoints else endpoint, path, **options
        )
    if row.rebuilt_on:
        return lambda endpoint, path: rebuild.export_in_process(
            [(endpoint, model)], path, row, options
        )
    module, _, function = row.fallback.partition(":")
    fallback = getattr(importlib.import_module(module), function)
    return lambda endpoint, path: fallback(model, endpoint, path, **options)


def _fails(write: Callable[[Endpoint, str], None], endpoint: Endpoint) -> bool:
    """Returns whether an endpoint cannot be written."""
    with temporary_folder() as folder:
        try:
            write(endpoint, os.path.join(folder, "artifact"))
        except Exception:
            return True
    return False

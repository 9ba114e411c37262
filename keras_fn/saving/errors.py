"""The errors of reading and writing model files, and the boundary that makes them."""

import contextlib
import struct
import zipfile
import zlib
from collections.abc import Iterator

_PART_CHARACTERS = 300
_PLACE_CHARACTERS = 600

# What the standard library and h5py raise on malformed input.
_FOREIGN_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    LookupError,
    MemoryError,
    OverflowError,
    RuntimeError,  # h5py's, and RecursionError
    TypeError,
    ValueError,  # h5py's, and UnicodeDecodeError
)


def sanitize_for_display(value: object, most: int = _PART_CHARACTERS) -> str:
    """Returns `value` as one line of at most `most` harmless characters.

    Text of a file may hold terminal escapes or be megabytes long: neither reaches a message.
    """
    text = str(value)
    shortened = text[:most]
    escaped = "".join(
        c if c.isprintable() else c.encode("unicode_escape", "replace").decode() for c in shortened
    )
    return escaped if len(escaped) == len(text) else escaped[: most - 3] + "..."


class _ModelFileProblem(Exception):
    """A fact about a file, told with its place, what was expected, what was found, the fix."""

    def __init__(self, fact: str, *, expected: object = "", found: object = "", fix: str = ""):
        super().__init__(fact)
        self.fact = fact
        self.expected, self.found, self.fix = expected, found, fix
        self.places: tuple[str, ...] = ()

    def __str__(self) -> str:
        place = sanitize_for_display(", ".join(self.places), _PLACE_CHARACTERS)
        lines = [f"{place}: {sanitize_for_display(self.fact)}" if place else sanitize_for_display(self.fact)]
        parts = (
            ("expected: ", self.expected),
            ("received: ", self.found),
            ("fix:      ", self.fix),
        )
        lines += [f"  {label}{sanitize_for_display(part)}" for label, part in parts if part != ""]
        return "\n".join(lines)


class ModelFileError(_ModelFileProblem, ValueError):
    """A model file is malformed, or is not what the model expects.

    Args:
        fact: What is wrong, in one sentence.
        expected: What the file should hold.
        found: What it holds.
        fix: What the user can do about it.
    """


class ModelFileTypeError(_ModelFileProblem, TypeError):
    """A value in a model file, or one given for it, has the wrong type."""


def unsupported_hdf5_error(fact: str, expected: object = "", found: object = "") -> ModelFileError:
    """Returns the error for an HDF5 file that is not as Keras writes it."""
    fix = "the file is damaged or was not written by Keras; save it again with Keras or keras_fn"
    return ModelFileError(fact, expected=expected, found=found, fix=fix)


@contextlib.contextmanager
def error_context(*places: str) -> Iterator[None]:
    """Adds `places` (outermost first) to model file errors raised inside, and converts nothing."""
    try:
        yield
    except _ModelFileProblem as error:
        error.places = (*places, *error.places)
        raise


@contextlib.contextmanager
def model_file_errors(*places: str, fix: str = "") -> Iterator[None]:
    """Adds `places` (outermost first) to errors raised inside; makes foreign ones `ModelFileError`.

    An OSError of the operating system (it has an errno) passes unchanged. h5py reports malformed
    files by OSErrors without one.
    """
    try:
        with error_context(*places):
            yield
    except _ModelFileProblem:
        raise
    except _FOREIGN_ERRORS as error:
        raise _to_model_file_error(error, places, fix) from error
    except OSError as error:
        if error.errno is not None:
            raise
        raise _to_model_file_error(error, places, fix) from error


def _to_model_file_error(error: BaseException, places: tuple[str, ...], fix: str) -> ModelFileError:
    if isinstance(error, MemoryError):
        fact = "reading it takes more memory than there is"
    else:
        fact = f"the file is malformed ({type(error).__name__}: {error})"
    problem = ModelFileError(
        fact, fix=fix or "the file is damaged or was made by another program; get it again"
    )
    problem.places = places
    return problem

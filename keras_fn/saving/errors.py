"""The errors of reading and writing model files."""

import contextlib
import struct
import zipfile
import zlib
from collections.abc import Iterator

from keras_fn.errors import KerasError

_PART_CHARACTERS = 300
_LOCATION_CHARACTERS = 600

# What the standard library and h5py raise on malformed input.
_THIRD_PARTY_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    ArithmeticError,
    AttributeError,  # a number or list where an object is expected
    EOFError,
    LookupError,
    MemoryError,
    RuntimeError,  # h5py's, and RecursionError
    TypeError,
    ValueError,  # h5py's, and UnicodeDecodeError
)


def sanitize_for_display(value: object, max_length: int = _PART_CHARACTERS) -> str:
    """Returns `value` as one line of at most `max_length` printable characters.

    Text in a file can contain terminal escapes or be megabytes long: neither may reach a message.
    """
    text = str(value)
    shortened = text[:max_length]
    escaped = "".join(
        c if c.isprintable() else c.encode("unicode_escape", "replace").decode() for c in shortened
    )
    return escaped if len(escaped) == len(text) else escaped[: max_length - 3] + "..."


class _ModelFileProblem(KerasError):
    """Base of the errors of model files: a fact, and where in the file it is."""

    def __init__(self, fact: str, *, expected: object = "", received: object = "", fix: str = ""):
        super().__init__(fact)
        self.fact = fact
        self.expected, self.received, self.fix = expected, received, fix
        self.location: tuple[str, ...] = ()

    @property
    def source(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The location and the fact: `"model.keras, config.json: the JSON is too large"`."""
        location = sanitize_for_display(", ".join(self.location), _LOCATION_CHARACTERS)
        return f"{location}: {self._format(self.fact)}" if location else self._format(self.fact)

    def _format(self, part: object) -> str:
        return sanitize_for_display(part)


class ModelFileError(_ModelFileProblem, ValueError):
    """A model file is malformed, or does not fit the model.

    Args:
        fact: What is wrong, in one sentence.
        expected: What the file should hold.
        received: What it holds.
        fix: What the user can do about it.

    Attributes:
        location: Where it is wrong: the file, the part of it, the layer; outermost first.
    """


class ModelFileTypeError(_ModelFileProblem, TypeError):
    """A value in a model file, or an argument for it, has the wrong type."""


def unsupported_hdf5_error(
    fact: str, expected: object = "", received: object = ""
) -> ModelFileError:
    """Returns the error for an HDF5 file in another form than Keras writes."""
    fix = "the file is damaged or was not written by Keras; save it again with Keras or keras_fn"
    return ModelFileError(fact, expected=expected, received=received, fix=fix)


@contextlib.contextmanager
def error_context(*location: str) -> Iterator[None]:
    """Adds a location (outermost part first) to model file errors raised inside the context."""
    try:
        yield
    except _ModelFileProblem as error:
        error.location = (*location, *error.location)
        raise


@contextlib.contextmanager
def model_file_errors(*location: str, fix: str = "") -> Iterator[None]:
    """Converts the errors of malformed files to `ModelFileError`, and adds a location to them.

    An OSError of the operating system (with an errno) is not converted; h5py reports malformed
    files by OSErrors without one.

    Args:
        *location: Where in which file the code inside reads, outermost part first.
        fix: The fix of converted errors.
    """
    try:
        with error_context(*location):
            yield
    except _ModelFileProblem:
        raise
    except _THIRD_PARTY_ERRORS as error:
        raise _to_model_file_error(error, location, fix) from error
    except OSError as error:
        if error.errno is not None:
            raise
        raise _to_model_file_error(error, location, fix) from error


def _to_model_file_error(
    error: BaseException, location: tuple[str, ...], fix: str
) -> ModelFileError:
    if isinstance(error, MemoryError):
        fact = "reading it takes more memory than there is"
    else:
        fact = f"the file is malformed ({type(error).__name__}: {error})"
    converted = ModelFileError(
        fact, fix=fix or "the file is damaged or was made by another program; get it again"
    )
    converted.location = location
    return converted

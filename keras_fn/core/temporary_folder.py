"""A temporary folder, for what other code writes or reads as files."""

import contextlib
import tempfile
from collections.abc import Iterator


@contextlib.contextmanager
def temporary_folder() -> Iterator[str]:
    """Context manager of a folder that only this user can read, removed with all files at the end.

    Example:
        >>> import os
        >>> from keras_fn.core.temporary_folder import temporary_folder
        >>> with temporary_folder() as folder:
        ...     os.listdir(folder)
        []
    """
    with tempfile.TemporaryDirectory(prefix="keras_fn-") as folder:
        yield folder

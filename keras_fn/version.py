"""The version of keras_fn."""

__version__ = "0.1.0"


def version() -> str:
    """Returns the version.

    Example:
        >>> keras.version() == keras.__version__
        True
    """
    return __version__

"""The version of keras_fn, and that of the Keras whose API it has."""

__version__ = "0.1.0"
KERAS_VERSION = "3.15.1"


def version() -> str:
    """Returns the version.

    Example:
        >>> keras.version() == keras.__version__
        True
    """
    return __version__

"""Exchange of two folders in one step, which Python has no function for."""

import os
import sys
from pathlib import Path

_AT_FDCWD = -100  # linux/fcntl.h
_EXCHANGE = 2  # RENAME_EXCHANGE of linux/fs.h, RENAME_SWAP of macOS


def exchange_folders(one: Path, other: Path) -> bool:
    """Exchanges two folders of one file system, so that each path is always that of a folder.

    Args:
        one: The path of a folder.
        other: The path of another.

    Returns:
        False if the system or the file system cannot: both are as before.
    """
    import ctypes

    paths = os.fsencode(one), os.fsencode(other)
    try:
        library = ctypes.CDLL(None)
        if sys.platform == "darwin":
            return library.renamex_np(*paths, ctypes.c_uint(_EXCHANGE)) == 0
        flags = ctypes.c_uint(_EXCHANGE)
        return library.renameat2(_AT_FDCWD, paths[0], _AT_FDCWD, paths[1], flags) == 0
    except (AttributeError, OSError, TypeError):  # no such function, or no C library
        return False

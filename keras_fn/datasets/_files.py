"""The files of the datasets: URLs, hashes, and readers."""

import json
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from keras_fn.datasets._safe_pickle import UnpicklingError, load_pickle
from keras_fn.errors import SpecError
from keras_fn.utils.file_utils import get_file

Split = tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
"""`(x_train, y_train), (x_test, y_test)`."""

_KERAS = "https://storage.googleapis.com/tensorflow/tf-keras-datasets"
_TORONTO = "https://www.cs.toronto.edu/~kriz"


@dataclass(frozen=True)
class RemoteFile:
    """Base URL and hash of a file: SHA-256, or MD5 if only that is published."""

    folder: str
    file_hash: str


FILES = {
    "boston_housing.npz": RemoteFile(
        _KERAS, "f553886a1f8d56431e820c5b82552d9d95cfcb96d1e678153f8839538947dff5"
    ),
    "california_housing.npz": RemoteFile(
        _KERAS, "1a2e3a52e0398de6463aebe6f4a8da34fb21fbb6b934cf88c3425e766f2a1a6f"
    ),
    "cifar-10-python.tar.gz": RemoteFile(
        _TORONTO, "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"
    ),
    "cifar-100-python.tar.gz": RemoteFile(
        _TORONTO, "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7"
    ),
    "imdb.npz": RemoteFile(
        _KERAS, "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f"
    ),
    "imdb_word_index.json": RemoteFile(_KERAS, "bfafd718b763782e994055a2d397834f"),
    "mnist.npz": RemoteFile(
        _KERAS, "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"
    ),
    "reuters.npz": RemoteFile(
        _KERAS, "d6586e694ee56d7a4e65172e12b3e987c03096cb01eab99753921ef915959916"
    ),
    "reuters_word_index.json": RemoteFile(_KERAS, "4d44cc38712099c9e383dc6e5f11a921"),
    # Zalando Research publishes the MD5 of these four.
    "t10k-images-idx3-ubyte.gz": RemoteFile(_KERAS, "bef4ecab320f06d8554ea6380940ec79"),
    "t10k-labels-idx1-ubyte.gz": RemoteFile(_KERAS, "bb300cfdad3c16e7a12a480ee83cd310"),
    "train-images-idx3-ubyte.gz": RemoteFile(_KERAS, "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
    "train-labels-idx1-ubyte.gz": RemoteFile(_KERAS, "25c81989df183df01b3e8a0aad5dffbe"),
}


def fetch(name: str, path: str | None = None, cache_subdir: str = "datasets") -> Path:
    """Returns the local path of a file; downloads it if it is not in the cache.

    The environment variable `KERAS_DATASETS_URL` is the base URL of a mirror for all files; the
    hashes are checked nevertheless.

    Args:
        name: A key of `FILES`.
        path: File name in the cache; by default `name`.
        cache_subdir: Subfolder of the cache.
    """
    remote = FILES[name]
    folder = os.environ.get("KERAS_DATASETS_URL") or remote.folder
    origin = f"{folder.rstrip('/')}/{name}"
    return Path(
        get_file(path or name, origin, file_hash=remote.file_hash, cache_subdir=cache_subdir)
    )


def read_npz(path: Path, *names: str) -> list[np.ndarray]:
    """Loads arrays from an .npz file. Pickled object arrays are loaded without executing code.

    Args:
        path: Path of the file.
        *names: Names of the arrays.

    Raises:
        ValueError: The file is damaged, or an array is missing.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            arrays = []
            for name in names:
                with archive.open(f"{name}.npy") as file:
                    arrays.append(_read_npy(file))
            return arrays
    except (zipfile.BadZipFile, KeyError, ValueError, UnpicklingError, EOFError) as error:
        raise SpecError(
            "datasets",
            expected=f"an .npz file with the arrays {', '.join(names)}",
            received=f"{path}: {error}",
            fix=f"delete {path}, so that it is downloaded again",
        ) from error


def _read_npy(file: IO[bytes]) -> np.ndarray:
    version = np.lib.format.read_magic(file)
    read_header = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }[version]
    shape, is_fortran, dtype = read_header(file)
    if dtype.hasobject:
        array = load_pickle(file)
        if not (isinstance(array, np.ndarray) and array.shape == shape):
            raise ValueError(f"the array does not have the declared shape {shape}")
        return array
    data = np.frombuffer(file.read(), dtype)
    return data.reshape(shape, order="F" if is_fortran else "C").copy()


def read_word_index(path: Path) -> dict[str, int]:
    """Loads a JSON file that maps words to their ranks."""
    index: Any = json.loads(path.read_text("utf-8"))
    return index

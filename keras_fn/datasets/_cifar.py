"""The archives of CIFAR-10 and CIFAR-100: pickled batches of rows of 3072 bytes."""

import tarfile

import numpy as np

from keras_fn import settings
from keras_fn.datasets._files import fetch
from keras_fn.datasets._safe_pickle import UnpicklingError, load_pickle
from keras_fn.errors import SpecError


def load_batches(
    archive: str, cached_as: str, batches: list[str], label_key: bytes
) -> tuple[np.ndarray, np.ndarray]:
    """Reads batches out of the archive, which is never unpacked to disk.

    Args:
        archive: A key of `FILES`.
        cached_as: The name that Keras gives the archive in its cache, which is thus shared.
        batches: The members to read, in this order.
        label_key: Which of the labels to read.

    Returns:
        Images of shape (n, 32, 32, 3), or (n, 3, 32, 32) if `image_data_format()` is
        `"channels_first"`, and labels of shape (n, 1), both uint8.
    """
    path = fetch(archive, cached_as)
    try:
        with tarfile.open(path) as tar:
            parts = [_batch(tar, name) for name in batches]
        images = np.concatenate([np.reshape(part[b"data"], (-1, 3, 32, 32)) for part in parts])
        labels = np.concatenate([np.array(part[label_key], "uint8") for part in parts])
    except (tarfile.TarError, KeyError, ValueError, EOFError, UnpicklingError) as error:
        raise SpecError(
            "datasets",
            expected=f"the archive {archive}",
            received=f"{path}: {error}",
            fix=f"delete {path}, to have it fetched again",
        ) from error
    if settings.image_data_format() == "channels_last":
        images = images.transpose(0, 2, 3, 1)
    return images, labels[:, None]


def _batch(tar: tarfile.TarFile, name: str) -> dict[bytes, np.ndarray]:
    file = tar.extractfile(name)
    if file is None:
        raise ValueError(f"{name} is not a file")
    with file:
        return load_pickle(file)

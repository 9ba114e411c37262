"""The archives of CIFAR-10 and CIFAR-100: pickled batches of images as rows of 3072 bytes."""

import tarfile

import numpy as np

from keras_fn import settings
from keras_fn.datasets._files import fetch
from keras_fn.datasets._safe_pickle import UnpicklingError, load_pickle
from keras_fn.errors import SpecError


def load_batches(
    archive: str, cached_as: str, batches: list[str], label_key: bytes
) -> tuple[np.ndarray, np.ndarray]:
    """Loads batches from an archive, without unpacking it to disk.

    Args:
        archive: A key of `FILES`.
        cached_as: Name of the archive in Keras's cache, so that both libraries share it.
        batches: Names of the members to load, in this order.
        label_key: Key of the labels in a batch.

    Returns:
        Images of shape (n, 32, 32, 3), or (n, 3, 32, 32) if `image_data_format()` is
        `"channels_first"`, and integer labels of shape (n, 1), both uint8.
    """
    path = fetch(archive, cached_as)
    try:
        with tarfile.open(path) as tar:
            loaded = [_load_batch(tar, name) for name in batches]
        images = np.concatenate([np.reshape(batch[b"data"], (-1, 3, 32, 32)) for batch in loaded])
        labels = np.concatenate([np.array(batch[label_key], "uint8") for batch in loaded])
    except (tarfile.TarError, KeyError, ValueError, EOFError, UnpicklingError) as error:
        raise SpecError(
            "datasets",
            expected=f"the archive {archive}",
            received=f"{path}: {error}",
            fix=f"delete {path}, so that it is downloaded again",
        ) from error
    if settings.image_data_format() == "channels_last":
        images = images.transpose(0, 2, 3, 1)
    return images, labels[:, None]


def _load_batch(tar: tarfile.TarFile, name: str) -> dict[bytes, np.ndarray]:
    file = tar.extractfile(name)
    if file is None:
        raise ValueError(f"{name} is not a file")
    with file:
        return load_pickle(file)

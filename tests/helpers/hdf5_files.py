"""HDF5 files of weights, as bytes."""

from keras_fn.saving.hdf5.writer import build_hdf5


def hdf5_bytes(datasets, attributes=None):
    """Returns an HDF5 file of weights."""
    return b"".join(build_hdf5(datasets, attributes))

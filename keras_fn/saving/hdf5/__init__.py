"""HDF5: a reader of a narrow profile of the format, in Python, and a writer over h5py."""

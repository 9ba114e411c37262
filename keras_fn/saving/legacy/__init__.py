"""Files of Keras 2: whole models in HDF5, and their JSON."""

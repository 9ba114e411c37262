"""Tools for testing with keras_fn, and for authors of backends."""

"""Tools for those who test with keras_fn or write a backend for it."""

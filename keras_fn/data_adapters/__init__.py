"""Data adapters: turn arrays, iterables and `PyDataset`s into batches of checked arrays.

A data adapter yields flat lists of arrays. What binds a batch to the inputs and outputs of a model
is passed in (`factory.Binder`), so nothing here knows models or training.
"""

"""Data adapters: turn arrays, iterables and `PyDataset`s into batches of checked arrays.

A data adapter yields flat lists of arrays. The object that binds a batch to the inputs and outputs
of a model is passed in (`factory.Binder`): nothing here depends on models or training.
"""

"""Data adapters: arrays, iterables and `PyDataset`s become batches of checked arrays."""

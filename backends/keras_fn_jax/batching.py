"""Batches of arrays: host to device, splitting into batches, gathering rows."""

import jax
import numpy as np


def prepare_host_batch(x: np.ndarray) -> np.ndarray:
    """A compiled step takes an array from the host faster than JAX makes one of its own."""
    return x


def split_into_batches(order: np.ndarray, batch_size: int) -> list[np.ndarray]:
    """The indices of each batch; a compiled step takes them from the host fastest."""
    return [order[i : i + batch_size] for i in range(0, len(order), batch_size)]


def gather_rows(x: jax.Array, indices: jax.Array) -> jax.Array:
    """The samples of a batch; the indices are known to be in range."""
    return x.at[indices].get(mode="promise_in_bounds")

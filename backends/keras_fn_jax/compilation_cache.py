"""The compilation cache of JAX: executables of XLA on disk."""

from pathlib import Path

import jax
from jax.experimental.compilation_cache import compilation_cache


def cache_compilations(folder: Path) -> None:
    """`jax_compilation_cache_dir`, also for programs that compile in less than a second."""
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", 0)
    compilation_cache.reset_cache()  # JAX asks for the folder once, at the first compilation

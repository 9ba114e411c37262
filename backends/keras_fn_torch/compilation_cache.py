"""The compilation cache of Inductor: kernels and graphs on disk, for `jit_compile=True`."""

import os
from pathlib import Path


def cache_compilations(folder: Path) -> None:
    """`TORCHINDUCTOR_CACHE_DIR`: without it, the cache is in a folder for temporary files."""
    os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(folder)
    os.environ["TRITON_CACHE_DIR"] = str(folder / "triton")

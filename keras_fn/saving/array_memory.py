"""Memory for arrays that are read from files, in huge pages where the system has them (Linux).

The system clears fresh memory when it is first touched, page by page: with pages of 4 KiB that
takes several times as long as reading a file from the cache of the disk.
"""

import math
import mmap

import numpy as np

_HUGE = 1 << 21  # bytes of a huge page
_WASTE = 16  # a last page may be part of an array if less than one of this many bytes is unused


def empty_array(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """Returns an array of any content, as `numpy.empty`.

    Args:
        shape: Its shape.
        dtype: Its dtype.
    """
    size = math.prod(shape) * dtype.itemsize
    pages = -(-size // _HUGE)
    if pages * _HUGE - size > size // _WASTE:
        pages -= 1
    if pages < 1 or not hasattr(mmap, "MADV_HUGEPAGE"):
        return np.empty(shape, dtype)
    try:
        memory = mmap.mmap(
            -1, (pages + 1) * _HUGE + size % _HUGE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
        )
        whole = np.frombuffer(memory, np.uint8)
        start = -whole.ctypes.data % _HUGE
        memory.madvise(mmap.MADV_HUGEPAGE, start, pages * _HUGE)
    except OSError:  # the system has none, or no room
        return np.empty(shape, dtype)
    return whole[start : start + size].view(dtype).reshape(shape)

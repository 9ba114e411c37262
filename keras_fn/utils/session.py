"""The global state of a session."""

import gc

from keras_fn.core import naming
from keras_fn.random import seed_generator


def clear_session(free_memory: bool = True) -> None:
    """Resets the global state: automatic layer names and the global random seed generator.

    Args:
        free_memory: Whether to run the garbage collector immediately.

    Example:
        >>> keras.utils.clear_session()
        >>> keras.layers.Dense(2).name
        'dense'
    """
    naming.reset_names()
    seed_generator.clear_global_generator()
    if free_memory:
        gc.collect()

"""The global state of a session."""

import gc

from keras_fn.core import naming, programs
from keras_fn.random import seed_generator


def clear_session(free_memory: bool = True) -> None:
    """Resets the global state: automatic layer names and the global random seed generator.

    Compiled functions that no model uses are freed, too.

    Args:
        free_memory: Whether to run the garbage collector immediately.

    Example:
        >>> keras.utils.clear_session()
        >>> keras.layers.Dense(2).name
        'dense'
    """
    naming.reset_names()
    seed_generator.clear_global_generator()
    programs.clear_programs()
    if free_memory:
        gc.collect()

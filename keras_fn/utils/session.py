"""The state of the process that is not a setting."""

import gc

from keras_fn.core import naming
from keras_fn.random import seed_generator


def clear_session(free_memory: bool = True) -> None:
    """Lets automatic names begin anew, and forgets the generator of unseeded draws.

    Args:
        free_memory: Whether to collect what no longer belongs to anyone at once.

    Example:
        >>> keras.utils.clear_session()
        >>> keras.layers.Dense(2).name
        'dense'
    """
    naming.reset_names()
    seed_generator.clear_global_generator()
    if free_memory:
        gc.collect()

"""Strategies of `tf.distribute`: training under one is refused, with what to do instead."""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from keras_fn.errors import SpecError

_REFUSED = (
    tf.distribute.ParameterServerStrategy,
    tf.distribute.experimental.CentralStorageStrategy,
    tf.distribute.TPUStrategy,
)


def check_no_strategy(state: Sequence[Any]) -> None:
    """Raises if variables of a step are copies that a strategy keeps on several devices.

    Args:
        state: The variables.

    Raises:
        SpecError: They are, or a strategy that keeps them elsewhere is in scope.
    """
    strategy = tf.distribute.get_strategy()
    copies = (v for v in state if isinstance(v._handle, tf.distribute.DistributedValues))
    variable = next(copies, None)
    if variable is not None:
        raise strategy_error(variable._handle.distribute_strategy)
    if isinstance(strategy, _REFUSED):
        raise strategy_error(strategy)


def strategy_error(strategy: Any) -> SpecError:
    """Returns the error for a model in the scope of a strategy.

    Args:
        strategy: The strategy.
    """
    is_multi_worker = isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)
    name = "MultiWorkerMirroredStrategy" if is_multi_worker else type(strategy).__name__
    return SpecError(
        f"a model in the scope of tf.distribute's {name}",
        expected="a model that is made and trained outside of the scope of a strategy",
        received="variables that the strategy keeps",
        fix="in place of the scope: keras.distribution.initialize(), then "
        "keras.distribution.set_distribution(keras.distribution.DataParallel()); start one process"
        " for each device: python -m keras_fn.launch -n 2 script.py",
    )

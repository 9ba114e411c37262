"""Names of Keras 2 that Keras 3 keeps, to say what takes their place: `keras.optimizers.legacy`."""

from typing import Any


class _Legacy:
    """An optimizer of Keras 2, which cannot be made any more."""

    def __init__(self, *args: Any, **kwargs: Any):
        name = type(self).__name__
        raise ImportError(
            f"keras.optimizers.legacy.{name} is an optimizer of Keras 2, and is not there any "
            f"more.\n  fix: use keras.optimizers.{name}"
        )


class Adagrad(_Legacy):
    """Stands for `keras.optimizers.Adagrad`."""


class Adam(_Legacy):
    """Stands for `keras.optimizers.Adam`."""


class Ftrl(_Legacy):
    """Stands for `keras.optimizers.Ftrl`."""


class Optimizer(_Legacy):
    """Stands for `keras.optimizers.Optimizer`."""


class RMSprop(_Legacy):
    """Stands for `keras.optimizers.RMSprop`."""


class SGD(_Legacy):
    """Stands for `keras.optimizers.SGD`."""

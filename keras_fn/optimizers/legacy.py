"""Keras 2 optimizers, which Keras 3 keeps as names only: `keras.optimizers.legacy`."""

from typing import Any

from keras_fn.core import namespaces


class _Legacy:
    """A Keras 2 optimizer, which cannot be created."""

    def __init__(self, *args: Any, **kwargs: Any):
        name = type(self).__name__
        raise ImportError(
            f"keras.optimizers.legacy.{name} is a Keras 2 optimizer, which is no longer "
            f"available.\n  fix: use keras.optimizers.{name}"
        )


class Adagrad(_Legacy):
    """Not available: use `keras.optimizers.Adagrad`."""


class Adam(_Legacy):
    """Not available: use `keras.optimizers.Adam`."""


class Ftrl(_Legacy):
    """Not available: use `keras.optimizers.Ftrl`."""


class Optimizer(_Legacy):
    """Not available: use `keras.optimizers.Optimizer`."""


class RMSprop(_Legacy):
    """Not available: use `keras.optimizers.RMSprop`."""


class SGD(_Legacy):
    """Not available: use `keras.optimizers.SGD`."""


def __dir__() -> list[str]:
    return namespaces.list_public_names(globals())

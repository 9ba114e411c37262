"""Saving and loading: `.keras`, `.weights.h5` and legacy `.h5` files. The namespace `keras.saving`.

The public names are listed in `__init__.pyi`. They are imported lazily because `models` depends on
this package, and because a file can name any built-in class, so that loading one needs all of them.
"""

from keras_fn._lazy import attach_stub

# The packages that register the built-in classes.
_REGISTERING = tuple(
    f"keras_fn.{name}"
    for name in ("models", "layers", "losses", "metrics", "optimizers", "ops", "random")
)

__getattr__, __dir__, __all__ = attach_stub(
    __name__,
    __file__,
    requires=dict.fromkeys(
        ("keras_fn.saving.saving_api", "keras_fn.core.serialization"), _REGISTERING
    ),
)

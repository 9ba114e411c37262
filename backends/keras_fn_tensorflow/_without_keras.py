"""Imports TensorFlow, and keeps it from importing Keras along with it.

TensorFlow loads `keras.src.optimizers` for the sake of old SavedModels. That takes longer than the
rest of our import, and Keras may load a second framework. `tf.keras` still loads Keras when used.
"""

import sys

_EAGER = ("keras.src.optimizers", "tf_keras.src.optimizers")

if "tensorflow" not in sys.modules:
    blocked = [name for name in _EAGER if name not in sys.modules]
    sys.modules.update(dict.fromkeys(blocked))  # type: ignore[arg-type]  # None: "not there"
    try:
        import tensorflow  # noqa: F401
    finally:
        for name in blocked:
            del sys.modules[name]

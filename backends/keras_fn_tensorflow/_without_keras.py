"""Imports TensorFlow without the import of Keras that it triggers.

TensorFlow imports `keras.src.optimizers` to support old SavedModels. That takes longer than
everything else in `import keras_fn`, and Keras may load a second framework. `tf.keras` still loads
Keras when it is used. TensorFlow's old copy of Keras would read and write `keras.json`, so
`KERAS_HOME` points elsewhere during the import.
"""

import os
import sys

_EAGER = ("keras.src.optimizers", "tf_keras.src.optimizers")

if "tensorflow" not in sys.modules:
    blocked = [name for name in _EAGER if name not in sys.modules]
    sys.modules.update(dict.fromkeys(blocked))  # type: ignore[arg-type]  # None: "not there"
    home = os.environ.get("KERAS_HOME")
    os.environ["KERAS_HOME"] = os.devnull
    try:
        import tensorflow  # noqa: F401
    finally:
        del os.environ["KERAS_HOME"]
        if home is not None:
            os.environ["KERAS_HOME"] = home
        for name in blocked:
            del sys.modules[name]

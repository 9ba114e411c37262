"""`keras_fn.install`, and the environment of processes in which it is installed."""

import os
import sys
from collections.abc import MutableMapping, Sequence
from importlib.machinery import PathFinder

from keras_fn.alias import finder
from keras_fn.errors import check_choice

STARTUP = os.path.join(finder.HERE, "startup")
_PARENT = os.path.dirname(os.path.dirname(finder.HERE))  # the folder from which it is imported


def install(*names: str) -> None:
    """Makes `import keras` give keras_fn, in this process and in those that it starts.

    Imports from its namespaces, `from keras.layers import Dense`, give the same objects as those
    of keras_fn. `keras.__version__` is the version of Keras whose API this is. Call it before
    anything imports Keras; `python -m keras_fn run program.py` needs no change to a program.

    Args:
        *names: `"keras"` (also without arguments), and on request `"tensorflow.keras"`, which is
            also `tf.keras`.

    Raises:
        ImportError: Real Keras is imported already.
        ValueError: keras_fn cannot be installed under one of the names.

    Example:
        >>> import keras_fn
        >>> keras_fn.install("keras")  # doctest: +SKIP
        >>> import keras  # doctest: +SKIP
        >>> keras.layers is keras_fn.layers, keras.__version__  # doctest: +SKIP
        (True, '3.15.1')
    """
    checked = [check_choice("install", "name", name, finder.NAMES) for name in names or ("keras",)]
    finder.install(checked)
    set_environment(os.environ, checked)


def set_environment(environment: MutableMapping[str, str], names: Sequence[str]) -> None:
    """Sets the variables by which a process that is started has keras_fn under other names.

    Args:
        environment: The environment of the process.
        names: The names: see `install`.
    """
    before = [name for name in environment.get("KERAS_FN_ALIASES", "").split(",") if name]
    environment["KERAS_FN_ALIASES"] = ",".join(dict.fromkeys([*before, "keras", *names]))
    path = environment.get("PYTHONPATH", "")
    folders = [folder for folder in path.split(os.pathsep) if folder]
    # The first folder is that of the program or the working directory; it is another one there.
    if PathFinder.find_spec(finder.PACKAGE, sys.path[1:]) is None and _PARENT not in folders:
        path = os.pathsep.join([*folders, _PARENT])
    if STARTUP not in folders:
        path = os.pathsep.join(filter(None, (STARTUP, path)))
    environment["PYTHONPATH"] = path

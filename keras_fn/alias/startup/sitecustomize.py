"""Run by Python at the start of a process whose `PYTHONPATH` has this folder.

`python -m keras_fn run` and `keras_fn.install` set it, so that worker processes have the names too.
"""

import os
import sys
from importlib.machinery import PathFinder
from importlib.util import find_spec, module_from_spec

_HERE = os.path.dirname(os.path.abspath(__file__))


_names = os.environ.get("KERAS_FN_ALIASES")
# Another Python that this one started may have no keras_fn: nothing changes there.
if _names and find_spec("keras_fn") is not None:
    from keras_fn.alias import finder

    finder.install(_names.split(","))


def _run_hidden_sitecustomize() -> None:
    """Runs the module of this name that this one hides."""
    sys.path[:] = [folder for folder in sys.path if os.path.abspath(folder) != _HERE]
    spec = PathFinder.find_spec("sitecustomize", sys.path)
    if spec is not None and spec.loader is not None:
        sys.modules["sitecustomize"] = module = module_from_spec(spec)
        spec.loader.exec_module(module)


_run_hidden_sitecustomize()

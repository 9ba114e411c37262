"""Run by Python at the start of a process whose `PYTHONPATH` has this folder.

`python -m keras_fn run` and `keras_fn.install` set it, so that worker processes have the names too.
A process that imports no Keras pays nothing: keras_fn is imported at the first import of a name.
"""

import os
import sys
from importlib import import_module
from importlib.machinery import ModuleSpec, PathFinder

_HERE = os.path.dirname(os.path.abspath(__file__))
_NAMES = [name for name in os.environ.get("KERAS_FN_ALIASES", "").split(",") if name]


class _FirstImport:
    """Installs the aliases when a module of Keras is first imported."""

    @staticmethod
    def find_spec(fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """Returns the spec of a module of Keras; None for any other module."""
        is_keras = fullname == "keras" or fullname.startswith(("keras.", "tensorflow.keras"))
        # Another Python that this one started may have no keras_fn: nothing changes there.
        if not is_keras or PathFinder.find_spec("keras_fn") is None:
            return None
        finder = import_module("keras_fn.alias.finder").install(_NAMES)
        return finder.find_spec(fullname, path, target)


def _run_hidden_sitecustomize() -> None:
    """Runs the module of this name that this one hides."""
    sys.path[:] = [folder for folder in sys.path if os.path.abspath(folder) != _HERE]
    spec = PathFinder.find_spec("sitecustomize", sys.path)
    if spec is not None and spec.loader is not None:
        module = import_module("importlib.util").module_from_spec(spec)
        sys.modules["sitecustomize"] = module
        spec.loader.exec_module(module)


if _NAMES:
    sys.meta_path.insert(0, _FirstImport)  # pyright: ignore[reportArgumentType]
_run_hidden_sitecustomize()

"""What ops that are made of other ops infer, remembered by the specs and options of the call.

The layers of a model repeat the same calls on the same shapes, and a body runs many ops.
"""

from collections.abc import Callable, Hashable
from typing import Any

from keras_fn.core import tree
from keras_fn.core.dtypes import stored_dtype
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.scopes import SymbolicScope, context
from keras_fn.core.variable import Variable
from keras_fn.settings import settings

_LIMIT = 1024
_PLAIN = frozenset((bool, int, float, complex, str, type(None)))


class InferenceMemo:
    """The results of the symbolic calls of one op.

    Args:
        body: The function of the op.
        is_pure: Whether its results depend on its arguments alone: not where it draws numbers.
    """

    def __init__(self, body: Callable[..., Any], is_pure: bool):
        self.body, self.is_pure = body, is_pure
        self._known: dict[Hashable, Any] = {}

    def infer(self, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """Returns the KerasTensors that the body returns for KerasTensors.

        Args:
            args: The arguments by position.
            kwargs: The options.
        """
        if not self.is_pure:
            return self._run(args, kwargs)
        try:
            # JAX has 64-bit dtypes in some threads, or in a part of a program.
            scope = context.current.autocast, settings.op_cache_key(), stored_dtype("int64")
            key = (scope, tuple(map(_key_of, args)), tuple((n, _key_of(kwargs[n])) for n in kwargs))
            known = self._known.get(key)
        except TypeError:  # of an argument that is more than a spec and plain options
            return self._run(args, kwargs)
        if known is not None:
            return tree.map_structure(KerasTensor.copy_spec, known)
        results = self._run(args, kwargs)
        if all(map(_is_dense_spec, tree.flatten(results))):
            if len(self._known) >= _LIMIT:
                self._known.clear()
            self._known[key] = tree.map_structure(KerasTensor.copy_spec, results)
        return results

    def _run(self, args: list[Any], kwargs: dict[str, Any]) -> Any:
        with SymbolicScope():
            return self.body(*args, **kwargs)


def _key_of(x: Any) -> Hashable:
    """Returns what the result of a call depends on of an argument; raises TypeError if on more."""
    if type(x) in _PLAIN:
        return type(x), x
    if isinstance(x, Variable):
        return Variable, x.shape, x.dtype
    if _is_dense_spec(x):
        return x.shape, x.dtype
    if type(x) is tuple or type(x) is list:
        return type(x), *map(_key_of, x)
    raise TypeError


def _is_dense_spec(x: Any) -> bool:
    is_spec = isinstance(x, KerasTensor)
    return is_spec and not (x.sparse or x.ragged) and x.dim_names is None

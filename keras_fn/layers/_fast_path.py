"""The fast path of a layer's calls: with tensors and plain values seen before, only `call` runs."""

from collections.abc import Mapping
from typing import Any

from keras_fn.backend.loader import current
from keras_fn.core import masking
from keras_fn.core.scopes import TrainingScope
from keras_fn.layers._policy import AUTOCAST_DTYPES

_CACHE_SIZE = 64  # input signatures that a layer remembers; more would be a leak
_PLAIN = frozenset({type(None), bool, int, str})


class FastPathMixin:
    """What `Layer.__call__` does in the fast path, and which calls take it."""

    call: Any
    _signature: Any
    _fast_path_keys: dict[Any, bool] | None = None  # inputs that take the fast path

    def _fast_call(self, x: Any, training: bool | None, key: Any) -> Any:
        del key  # used by Functional
        if not self._signature.has_training:
            return self.call(x)
        if training is not None:
            return self.call(x, training=bool(training))
        default = self._signature.default_training
        with TrainingScope(default):  # the layers inside run in the same mode
            return self.call(x, training=default)

    def _fast_call_of_several(self, args: tuple, kwargs: dict[str, Any], mode: Any) -> Any:
        training = kwargs.get("training")
        training = mode if training is None else bool(training)
        if self._signature.has_training:
            if training is None:
                training = self._signature.default_training
            kwargs = {**kwargs, "training": training}
        elif "training" in kwargs:
            kwargs = {name: value for name, value in kwargs.items() if name != "training"}
        if training == mode:
            return self.call(*args, **kwargs)
        with TrainingScope(bool(training)):
            return self.call(*args, **kwargs)

    def _cache_fast_path(self, args: tuple, kwargs: dict[str, Any], masks: dict[str, Any]) -> None:
        """Lets inputs like these take the fast path, if nothing but `call` has to happen."""
        layer: Any = self
        is_simple = (
            not masks
            and layer._autocast_to is None
            and layer.activity_regularizer is None
            and not layer._makes_masks
        )
        if not is_simple or not args:
            return
        x: Any = args[0]
        key_of: Any
        if len(args) == 1 and not kwargs.keys() - {"training"}:
            is_list = type(x) is list
            tensors, key_of = (x if is_list else args), (sequence_key if is_list else _key)
        elif self._may_pass_several(args):
            tensors = [v for v in (*args, *kwargs.values()) if type(v) not in _PLAIN]
            x, key_of = (args, kwargs), lambda x: arguments_key(*x)
        else:
            return
        if not all(map(self._needs_no_cast, tensors)):
            return
        keys = self._fast_path_keys = self._fast_path_keys or {}
        if len(keys) < _CACHE_SIZE:
            try:
                key = key_of(x)
                if key is not None:
                    keys[key] = True
            except TypeError:  # sizes that are tensors
                return

    def _needs_no_cast(self, x: Any) -> bool:
        layer: Any = self
        backend = current()
        if not backend.is_tensor(x):
            return False
        name = backend.dtype_name(x)
        is_cast = name != layer.dtype and name in AUTOCAST_DTYPES
        return not is_cast or layer._float_input_dtype(name) == name

    def _may_pass_several(self, args: tuple) -> bool:
        """Returns whether a call with several arguments may take the fast path."""
        is_graph = type(self)._fast_call is not FastPathMixin._fast_call
        by_position = self._signature.names[: len(args)]
        return len(args) > 1 and not is_graph and "training" not in by_position


def _key(x: Any) -> Any:
    return (type(x), x.shape, x.dtype)


def sequence_key(xs: list[Any]) -> tuple[Any, ...]:
    """Returns the types, shapes and dtypes of a list of tensors."""
    return tuple([(type(x), x.shape, x.dtype) for x in xs])


def arguments_key(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Returns what the checks of a call depend on: types, shapes and dtypes, and plain values.

    Args:
        args: The positional arguments.
        kwargs: The others. The key does not depend on `training`, the mode.

    Returns:
        A key, or None if an argument is neither a tensor nor plain, as a list of tensors is.
    """
    try:
        key: list[Any] = [x if type(x) in _PLAIN else (type(x), x.shape, x.dtype) for x in args]
        for name, x in kwargs.items():
            if name != "training":
                is_plain = type(x) in _PLAIN
                key.append((name, x if is_plain else (type(x), x.shape, x.dtype)))
        hash(found := tuple(key))
    # Nested arguments, sizes that are tensors, nested tensors of PyTorch.
    except (AttributeError, TypeError, RuntimeError):
        return None
    return found


def has_masks(args: tuple[Any, ...], kwargs: Mapping[str, Any], may_be_kept: bool) -> bool:
    """Returns whether a mask travels with an argument.

    Args:
        args: The positional arguments.
        kwargs: The others.
        may_be_kept: Whether masks are kept aside, of tensors without attributes.
    """
    if may_be_kept:
        return any([masking.get_mask(x) is not None for x in (*args, *kwargs.values())])
    for x in args:
        if getattr(x, "_keras_mask", None) is not None:
            return True
    return any([getattr(x, "_keras_mask", None) is not None for x in kwargs.values()])

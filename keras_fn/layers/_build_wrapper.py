"""Wraps the `build` of every layer class."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any

from keras_fn.core.naming import current_path, name_scope
from keras_fn.core.scopes import BuildScope


def wrap_build(build: Callable[..., None]) -> Callable[..., None]:
    """Wraps `build`: runs it once, under the layer's name scope, and records the input shapes."""
    names = list(inspect.signature(build).parameters)[1:]

    @wraps(build)
    def run(self: Any, *args: Any, **kwargs: Any) -> None:
        if self._building:  # a subclass calls the `build` of its base class
            return build(self, *args, **kwargs)
        self._building = True
        sublayers = () if self._trainable else self._sublayers()
        try:
            with BuildScope(), name_scope(self.name):
                self._set_path(current_path())
                build(self, *args, **kwargs)
        finally:
            self._building = False
        if not self._trainable:  # nor is what `build` created
            self._freeze_new(sublayers)
        self.built = True
        shapes = {**dict(zip(names, args, strict=False)), **kwargs}
        self._build_shapes = shapes or self._build_shapes or {}

    return run


def allow_signature_override(method: Callable[..., Any]) -> Callable[..., Any]:
    """Lets overrides have other parameters, as far as type checkers can tell; it does nothing."""
    return method


def requires_input_shape(build: Callable[..., None]) -> bool:
    """Returns whether `build` has a required parameter: the shape of an input."""
    parameters = list(inspect.signature(build).parameters.values())[1:]
    return any(p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD for p in parameters)

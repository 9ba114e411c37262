"""What happens around every `build`, whoever calls it."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any

from keras_fn.core.naming import current_path, name_scope
from keras_fn.core.scopes import BuildScope


def once_built(build: Callable[..., None]) -> Callable[..., None]:
    """A `build` that whoever calls it makes real variables, named after the layer, and is noted."""
    names = list(inspect.signature(build).parameters)[1:]

    @wraps(build)
    def run(self: Any, *args: Any, **kwargs: Any) -> None:
        if self._building:  # a subclass calls the build that it extends
            return build(self, *args, **kwargs)
        self._building = True
        try:
            with BuildScope(), name_scope(self.name):
                self._take_place(current_path())
                build(self, *args, **kwargs)
        finally:
            self._building = False
        self.built = True
        shapes = {**dict(zip(names, args, strict=False)), **kwargs}
        self._build_shapes = shapes or self._build_shapes

    return run


def with_own_parameters(method: Callable[..., Any]) -> Callable[..., Any]:
    """Tells type checkers that an override may take other parameters; it does nothing."""
    return method


def needs_a_shape(build: Callable[..., None]) -> bool:
    """Whether `build` cannot do without the shape of an input."""
    parameters = list(inspect.signature(build).parameters.values())[1:]
    return any(p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD for p in parameters)

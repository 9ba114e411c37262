"""Modules of PyTorch in the attributes of a program's own layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from keras_fn.backend.contract import SupportsModules
from keras_fn.backend.loader import current, supports
from keras_fn.core import registry

if TYPE_CHECKING:  # this file is part of every layer
    from keras_fn.layers.layer import Layer


def wrap_modules_of(cls: type[Layer]) -> None:
    """Makes modules of PyTorch that are set as attributes of a layer `TorchModuleWrapper`s.

    Without that, neither `fit` nor files would know of their parameters.

    Args:
        cls: A class of layers. Built-in ones hold no modules, and stay as they are.
    """
    if not supports("module_variables") or not cls._wraps_modules or registry.is_builtin(cls):
        return
    if getattr(cls.__setattr__, "wraps_modules", False):  # that of a class of the program
        return
    own: Callable[[Any, str, Any], None] | None = vars(cls).get("__setattr__")
    is_module = cast(SupportsModules, current()).is_module

    def __setattr__(self: Layer, name: str, value: Any) -> None:
        if is_module(value):
            value = registry.built_in("keras.layers", "TorchModuleWrapper")(value, name)
        if own is None:  # in the form that Dynamo traces
            super(cls, self).__setattr__(name, value)
        else:
            own(self, name, value)

    cast(Any, __setattr__).wraps_modules = True
    cls.__setattr__ = __setattr__  # type: ignore[method-assign]

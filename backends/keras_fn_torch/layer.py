"""The base class of layers on PyTorch: an `nn.Module` whose parameters are the variables."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn

from keras_fn.core.variable import Variable
from keras_fn.errors import UnsupportedError
from keras_fn_torch.interop import ModuleVariable
from keras_fn_torch.tensors import dtype_name
from keras_fn_torch.thread_state import thread_state


class _Parameters(dict[str, Any]):
    """The tensors of a layer's variables by name. Setting an item sets the variable.

    This makes `torch.func.functional_call` and other functions that swap parameters work.
    """

    def __init__(self, layer: Any):
        self.layer = layer
        self.variables = _unique_names(
            v
            for v in layer._own_variables()
            if not isinstance(v, ModuleVariable) and v.value is not None  # of another module
        )
        super().__init__({key: v.value for key, v in self.variables.items()})
        for key, value in vars(layer).items():
            if isinstance(value, nn.Parameter):
                self.setdefault(key, value)

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key, value)
        if key in self.variables:
            self.variables[key]._handle = value
        else:
            setattr(self.layer, key, value)

    def __delitem__(self, key: str) -> None:
        super().__delitem__(key)
        delattr(self.layer, key)


class _Modules(dict[str, Any]):
    """The sublayers by name, and other modules by attribute."""

    def __init__(self, layer: Any):
        self.layer = layer
        super().__init__(_unique_names(layer._sublayers()))
        for key, value in vars(layer).items():
            if isinstance(value, nn.Module) and not isinstance(value, LayerBase):
                self.setdefault(key, value)

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key, value)
        setattr(self.layer, key, value)

    def __delitem__(self, key: str) -> None:
        super().__delitem__(key)
        delattr(self.layer, key)


def _unique_names(objects: Iterable[Any]) -> dict[str, Any]:
    """Numbers names that repeat. Dots are replaced, as they separate PyTorch's paths."""
    named: dict[str, Any] = {}
    for x in objects:
        name = key = x.name.replace(".", "_")
        count = 0
        while key in named:
            count += 1
            key = f"{name}_{count}"
        named[key] = x
    return named


def _flagging_hooks(name: str) -> Callable[..., Any]:
    """Returns a `register_*_hook` that marks the layer as having hooks."""
    register = getattr(nn.Module, name)

    def flagged(self: Any, *args: Any, **kwargs: Any) -> Any:
        _refuse_fully_shard(self, args[0] if args else kwargs.get("hook"))
        self._has_hooks = True
        return register(self, *args, **kwargs)

    flagged.__name__, flagged.__doc__ = name, register.__doc__
    return flagged


def _refuse_fully_shard(layer: Any, hook: Any) -> None:
    """Raises if a hook comes from `fully_shard`, which has changed nothing yet."""
    owner = type(getattr(hook, "__self__", hook))
    modules = (str(getattr(x, "__module__", "")) for x in (owner, hook))
    if any(module.startswith("torch.distributed.") for module in modules):
        raise UnsupportedError(
            f"fully_shard of {layer._label}: it would put tensors in the place of the variables, "
            "and training would change the variables only.",
            fix="shard the weights by keras.distribution.DataParallel(shard_weights=True), which "
            "is set by keras.distribution.set_distribution() before the model is made",
        )


class LayerBase(nn.Module):
    """Base class of `Layer`. The view as an `nn.Module` is derived from the layer's attributes."""

    _has_hooks = False

    # `nn.Module` would store each attribute in its own dicts.
    __setattr__ = object.__setattr__
    __delattr__ = object.__delattr__

    def __init__(self) -> None:
        super().__init__()

    # `nn.Module.__init__` sets both to empty dicts; here they are computed.
    _parameters = property(_Parameters, lambda self, value: None)  # type: ignore[assignment]
    _modules = property(_Modules, lambda self, value: None)  # type: ignore[assignment]

    register_forward_hook = _flagging_hooks("register_forward_hook")
    register_forward_pre_hook = _flagging_hooks("register_forward_pre_hook")
    register_full_backward_hook = _flagging_hooks("register_full_backward_hook")
    register_full_backward_pre_hook = _flagging_hooks("register_full_backward_pre_hook")
    register_backward_hook = _flagging_hooks("register_backward_hook")

    def __getattr__(self, name: str) -> Any:
        # PyTorch finds modules by name (`get_submodule`).
        module = None if name.startswith("_") else self._modules.get(name)
        if module is not None:
            return module
        attribute = getattr(type(self), name, None)
        if isinstance(attribute, property) and attribute.fget is not None:
            return attribute.fget(self)  # the property raised an AttributeError: raise it again
        return super().__getattr__(name)

    def register_parameter(self, name: str, param: nn.Parameter | None) -> None:
        """Sets an attribute, which makes it a parameter of the module."""
        setattr(self, name, param)

    def add_module(self, name: str, module: nn.Module | None) -> None:
        """Sets an attribute, which makes it a submodule."""
        setattr(self, name, module)

    def call_with_hooks(self, call: Callable[..., Any], args: tuple, kwargs: dict) -> Any:
        """Runs `call(*args, **kwargs)` with the registered hooks around it."""
        outer, thread_state.hooked = thread_state.hooked, (self, call)
        try:
            return self._call_impl(*args, **kwargs)
        finally:
            thread_state.hooked = outer

    @torch._disable_dynamo  # `torch.compiler.disable` without importing the compiler
    def build_outside_tracing(self, arguments: dict[str, Any]) -> None:
        """Builds a layer whose first call is traced: a graph cannot create variables."""
        self._build_for(arguments)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Calls the layer: PyTorch's name for `__call__`."""
        layer, call = thread_state.hooked
        if layer is not self:
            return self(*args, **kwargs)
        # `call` may call the layer again.
        outer, thread_state.hooked = thread_state.hooked, (None, None)
        try:
            return call(*args, **kwargs)
        finally:
            thread_state.hooked = outer

    def requires_grad_(self, requires_grad: bool = True) -> Any:
        """Sets `requires_grad` of the parameters that can have a gradient: integers cannot."""
        for parameter in self.parameters():
            if parameter.is_floating_point() or parameter.is_complex():
                parameter.requires_grad_(requires_grad)
        return self

    def get_parameter(self, target: str) -> Any:
        """Returns the tensor of a variable by its path, for example `"dense.kernel"`."""
        path, _, name = target.rpartition(".")
        parameters = self.get_submodule(path)._parameters
        if name not in parameters:
            raise AttributeError(f"{type(self).__name__} has no parameter {target!r}.")
        return parameters[name]

    def _apply(self, fn: Callable[[torch.Tensor], torch.Tensor], recurse: bool = True) -> Any:
        """Implements `to`, `half`, `cuda`: updates the variables' dtypes."""
        super()._apply(fn, recurse)
        for variable in self._own_variables():
            _sync_dtype(variable)
        return self

    def _load_from_state_dict(
        self, state_dict: Any, prefix: str, local_metadata: dict, *args: Any
    ) -> None:
        if local_metadata.get("assign_to_params_buffers"):
            # With assign=True PyTorch would replace the variables by its tensors.
            for name, parameter in self._parameters.items():
                value = state_dict.get(prefix + name)
                if value is not None and value.shape == parameter.shape:
                    parameter.data = value.detach()
            local_metadata = {**local_metadata, "assign_to_params_buffers": False}
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *args)


def _sync_dtype(variable: Variable) -> None:
    if variable._handle is not None:
        variable._dtype = dtype_name(variable._handle)


def is_module(value: object) -> bool:
    """Returns whether a value is a module of PyTorch, and not a layer."""
    return isinstance(value, nn.Module) and not isinstance(value, LayerBase)

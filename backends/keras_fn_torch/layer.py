"""What a Layer is to PyTorch: an `nn.Module` whose parameters are the layer's variables."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn

from keras_fn.core.variable import Variable
from keras_fn_torch.tensors import dtype_name
from keras_fn_torch.thread_state import thread_state


class _Parameters(dict[str, Any]):
    """The tensors of a layer's variables by name; what is set here goes to the variable.

    So `torch.func.functional_call` and others that exchange parameters work.
    """

    def __init__(self, layer: Any):
        self.layer = layer
        self.variables = _unique_names(v for v in layer._own_variables() if v.value is not None)
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
    """The layers inside by name, and other modules by attribute."""

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
    """Names that repeat are numbered. A dot would look like a path to PyTorch."""
    found: dict[str, Any] = {}
    for x in objects:
        name = key = x.name.replace(".", "_")
        count = 0
        while key in found:
            count += 1
            key = f"{name}_{count}"
        found[key] = x
    return found


def _flagging_hooks(name: str) -> Callable[..., Any]:
    """A `register_*_hook` that tells the layer that it has hooks."""
    register = getattr(nn.Module, name)

    def flagged(self: Any, *args: Any, **kwargs: Any) -> Any:
        self._has_hooks = True
        return register(self, *args, **kwargs)

    flagged.__name__, flagged.__doc__ = name, register.__doc__
    return flagged


class LayerBase(nn.Module):
    """Base class of `Layer`. PyTorch's view of it follows from the layer's own attributes."""

    _has_hooks = False

    # `nn.Module` would sort what is set into its own dicts, at every attribute.
    __setattr__ = object.__setattr__
    __delattr__ = object.__delattr__

    def __init__(self) -> None:
        super().__init__()

    # `nn.Module.__init__` sets both to empty dicts: they are worked out instead.
    _parameters = property(_Parameters, lambda self, value: None)  # type: ignore[assignment]
    _modules = property(_Modules, lambda self, value: None)  # type: ignore[assignment]

    register_forward_hook = _flagging_hooks("register_forward_hook")
    register_forward_pre_hook = _flagging_hooks("register_forward_pre_hook")
    register_full_backward_hook = _flagging_hooks("register_full_backward_hook")
    register_full_backward_pre_hook = _flagging_hooks("register_full_backward_pre_hook")
    register_backward_hook = _flagging_hooks("register_backward_hook")

    def __getattr__(self, name: str) -> Any:
        # By name too, as PyTorch finds modules by their path.
        module = None if name.startswith("_") else self._modules.get(name)
        if module is not None:
            return module
        found = getattr(type(self), name, None)
        if isinstance(found, property) and found.fget is not None:
            return found.fget(self)  # it raised an AttributeError: let that one be seen
        return super().__getattr__(name)

    def register_parameter(self, name: str, param: nn.Parameter | None) -> None:
        """Sets an attribute: that alone makes it a parameter of the module."""
        setattr(self, name, param)

    def add_module(self, name: str, module: nn.Module | None) -> None:
        """Sets an attribute: that alone makes it a submodule."""
        setattr(self, name, module)

    def call_with_hooks(self, call: Callable[..., Any], args: tuple, kwargs: dict) -> Any:
        """Runs `call(*args, **kwargs)` with the hooks that were registered around it."""
        outer, thread_state.hooked = thread_state.hooked, (self, call)
        try:
            return self._call_impl(*args, **kwargs)
        finally:
            thread_state.hooked = outer

    @torch._disable_dynamo  # `torch.compiler.disable`, but it does not import the compiler
    def build_outside_tracing(self, arguments: dict[str, Any]) -> None:
        """Builds a layer whose first call is compiled: variables cannot be made in a graph."""
        self._build_for(arguments)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Calls the layer, as PyTorch names it."""
        layer, call = thread_state.hooked
        if layer is not self:
            return self(*args, **kwargs)
        outer, thread_state.hooked = (
            thread_state.hooked,
            (None, None),
        )  # `call` may call the layer itself once more
        try:
            return call(*args, **kwargs)
        finally:
            thread_state.hooked = outer

    def requires_grad_(self, requires_grad: bool = True) -> Any:
        """Sets it for the parameters that can have a gradient: integers cannot."""
        for parameter in self.parameters():
            if parameter.is_floating_point() or parameter.is_complex():
                parameter.requires_grad_(requires_grad)
        return self

    def get_parameter(self, target: str) -> Any:
        """Returns the tensor of a variable by its path, `"dense.kernel"`."""
        path, _, name = target.rpartition(".")
        parameters = self.get_submodule(path)._parameters
        if name not in parameters:
            raise AttributeError(f"{type(self).__name__} has no parameter {target!r}.")
        return parameters[name]

    def _apply(self, fn: Callable[[torch.Tensor], torch.Tensor], recurse: bool = True) -> Any:
        """`to`, `half`, `cuda` …: the variables' dtypes follow."""
        super()._apply(fn, recurse)
        for variable in self._own_variables():
            _sync_dtype(variable)
        return self

    def _load_from_state_dict(
        self, state_dict: Any, prefix: str, local_metadata: dict, *args: Any
    ) -> None:
        if local_metadata.get("assign_to_params_buffers"):
            # With assign=True PyTorch would put its tensors in the place of the variables.
            for name, parameter in self._parameters.items():
                value = state_dict.get(prefix + name)
                if value is not None and value.shape == parameter.shape:
                    parameter.data = value.detach()
            local_metadata = {**local_metadata, "assign_to_params_buffers": False}
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *args)


def _sync_dtype(variable: Variable) -> None:
    if variable._handle is not None:
        variable.dtype = dtype_name(variable._handle)

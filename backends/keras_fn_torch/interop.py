"""Modules of PyTorch as layers."""

from typing import Any
from weakref import WeakValueDictionary

import torch
from torch import nn

from keras_fn.core.scopes import context
from keras_fn.core.variable import Variable
from keras_fn_torch.device import default_device
from keras_fn_torch.tensors import Tensor, dtype_name


class ModuleVariable(Variable):
    """A parameter or buffer of a module, as a variable: its handle is the module's tensor."""

    def __init__(self, module: nn.Module, key: str):
        path, _, self._key = key.rpartition(".")
        self._owner = module.get_submodule(path)
        tensor = getattr(self._owner, self._key)
        is_trainable = isinstance(tensor, nn.Parameter) and tensor.requires_grad
        super().__init__(tensor, trainable=is_trainable, name=key.replace(".", "_"))

    def _set_value(self, value: Any, shape: Any, dtype: Any) -> None:
        self.shape, self._dtype = tuple(value.shape), dtype_name(value)

    @property
    def _handle(self) -> Tensor:
        return getattr(self._owner, self._key)

    @_handle.setter
    def _handle(self, value: Any) -> None:
        if value is not None:
            setattr(self._owner, self._key, value)

    def __getstate__(self) -> dict[str, Any]:
        """Returns the state for copies and pickles: the module has the value."""
        return {key: value for key, value in super().__getstate__().items() if key != "_handle"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)


def is_initialized(module: nn.Module) -> bool:
    """Returns whether all parameters of a module have a shape: those of lazy modules may not."""
    return not any(nn.parameter.is_lazy(x) for x in (*module.parameters(), *module.buffers()))


def initialize_module(module: nn.Module, shapes: list[tuple[int, ...]]) -> None:
    """Runs a lazy module on zeros, which gives its parameters their shapes."""
    was_training = module.training
    zeros = [torch.zeros(shape, device=default_device()) for shape in shapes]
    with torch.no_grad():
        module.eval()(*zeros)
    module.train(was_training)


def module_variables(module: nn.Module) -> dict[str, Variable]:
    """Moves a module to the default device. Returns its parameters and buffers, by their keys."""
    module.to(default_device())
    tensors = {**dict(module.named_parameters()), **dict(module.named_buffers())}
    written = module.state_dict(keep_vars=True)
    return {key: _variable_of(module, key, x) for key, x in tensors.items() if key in written}


def _variable_of(module: nn.Module, key: str, tensor: Tensor) -> Variable:
    """Returns the one variable of a tensor: two would be trained by two updates a step."""
    variable = _variables.get(id(tensor))
    if variable is None or variable._handle is not tensor:
        variable = _variables[id(tensor)] = ModuleVariable(module, key)
    return variable


_variables: WeakValueDictionary[int, ModuleVariable] = WeakValueDictionary()  # by tensor


def call_module(
    module: nn.Module, variables: dict[str, Variable], training: bool, args: tuple, kwargs: Any
) -> Any:
    """Calls a module with the values of its variables that the active scopes define."""
    if module.training != training:
        module.train(training)
    active = context.current
    if active.stateless is None and active.autocast is None:
        return module(*args, **kwargs)
    buffers = {key for key, v in variables.items() if not isinstance(v._handle, nn.Parameter)}
    values: dict[str, Any] = {key: v.value for key, v in variables.items()}
    values.update({key: values[key].clone() for key in buffers})  # the module may change them
    outputs = torch.func.functional_call(module, values, args, kwargs)
    if training:
        for key in buffers:
            variables[key].assign(values[key])
    return outputs

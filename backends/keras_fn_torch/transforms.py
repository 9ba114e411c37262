"""Function transforms: abstract evaluation, gradients, compilation."""

import types
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from typing import Any

import torch
import torch.distributed as dist
from torch.overrides import TorchFunctionMode
from torch.utils._device import DeviceContext

from keras_fn.core import tree
from keras_fn.core.scopes import StatelessScope, context
from keras_fn.core.unknown_sizes import eval_with_two_sizes
from keras_fn.core.variable import Variable
from keras_fn.settings import settings
from keras_fn_torch.tensors import Tensor, dtype_name, is_sparse, native_dtype
from keras_fn_torch.thread_state import is_abstract, thread_state


def abstract_eval(function: Callable[..., Any], args: tuple, kwargs: dict[str, Any]) -> Any:
    """Runs the function on meta tensors, with two different sizes for unknown ones."""
    _skip_dynamo_import()

    def run(args: tuple, kwargs: dict[str, Any]) -> Any:
        outer, thread_state.abstract = thread_state.abstract, True
        try:
            with StatelessScope(), _MetaDeviceMode():
                return function(*args, **kwargs)
        finally:
            thread_state.abstract = outer

    def meta(shape: tuple[int, ...], dtype: str) -> Tensor:
        return torch.empty(shape, dtype=native_dtype(dtype), device="meta")

    def dtype_of(x: Any) -> str | None:
        return dtype_name(x.dtype) if isinstance(x, Tensor) else None

    return eval_with_two_sizes(run, args, kwargs, meta, dtype_of)


_TO_A_DEVICE = {Tensor.to, Tensor.cpu, Tensor.cuda}


class _MetaDeviceMode(TorchFunctionMode):
    """Mode in which every tensor that a function takes or creates is on the meta device."""

    def __init__(self) -> None:
        super().__init__()
        self.device = DeviceContext("meta")
        self.metas: dict[
            int, tuple[Tensor, Tensor]
        ] = {}  # with the original, so that its id stays valid

    def __torch_function__(
        self, function: Any, types: Any, args: tuple = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if not is_abstract():  # a layer is being built
            return function(*args, **kwargs)
        if function in _TO_A_DEVICE:
            args = tuple(x for x in args if not isinstance(x, (str, torch.device)))
            function = Tensor.to
        if kwargs.get("device") is not None:
            kwargs = {**kwargs, "device": self.device.device}
        args, kwargs = self.to_meta(args), self.to_meta(kwargs)
        if function is Tensor.to and len(args) == 1 and not kwargs:
            return args[0]
        return self.device.__torch_function__(function, types, args, kwargs)

    def to_meta(self, x: Any) -> Any:
        """Returns nested values with their tensors on the meta device, one copy for each tensor."""
        if isinstance(x, Variable):
            x = x.value
        if isinstance(x, Tensor):
            return x if x.is_meta else self.meta_copy(x)
        if type(x) in (list, tuple):
            return type(x)(map(self.to_meta, x))
        if type(x) is dict:
            return {key: self.to_meta(value) for key, value in x.items()}
        return x

    def meta_copy(self, x: Tensor) -> Tensor:
        """Returns the meta tensor for a real tensor: a weight, a constant."""
        if id(x) not in self.metas:
            meta = torch.empty_like(x, device="meta").requires_grad_(x.requires_grad)
            self.metas[id(x)] = x, meta
        return self.metas[id(x)][1]


@cache
def _skip_dynamo_import() -> None:
    """Avoids the import of torch._dynamo, which takes longer than everything else.

    Many shape functions of the meta device are Python functions that import it at their first call,
    only to find that Dynamo is disabled for them. This marks them as disabled beforehand.
    """
    stack: list[Any] = []
    seen: set[int] = set()
    with suppress(AttributeError):  # private names of PyTorch: without them the import happens
        refs, decomp = torch._refs, torch._decomp
        modules = (refs, refs.nn.functional, refs.special, decomp.decompositions)
        tables = [vars(m) for m in (*modules, torch._meta_registrations)]
        for table in (*tables, *decomp.global_decomposition_table.values()):
            stack += list(table.values())
    while stack:
        function = stack.pop()
        if isinstance(function, types.FunctionType) and id(function) not in seen:
            seen.add(id(function))
            inner = _closure_functions(function)
            stack += inner
            if function.__code__.co_filename == torch._compile.__file__:
                for f in inner:  # `torch._disable_dynamo` checks this before it imports
                    f.__dict__.setdefault("__dynamo_disable", f)


def _closure_functions(function: types.FunctionType) -> list[types.FunctionType]:
    """Returns the functions in the closure of a decorated function."""
    cells = [cell.cell_contents for cell in function.__closure__ or ()]
    return [x for x in cells if isinstance(x, types.FunctionType)]


def value_and_grad(
    function: Callable[..., tuple[Tensor, Any]], variables: Sequence[Any]
) -> Callable[..., tuple[tuple[Tensor, Any], list[Tensor]]]:
    """`torch.autograd.grad` with respect to the variables' tensors."""
    variables = list(variables)

    def run(*args: Any) -> tuple[tuple[Tensor, Any], list[Tensor]]:
        tensors = [v.value for v in variables]
        with torch.enable_grad():
            # A value that is gathered from several processes is not a leaf.
            is_direct = all([t.requires_grad and t.is_leaf for t in tensors])
            if is_direct and context.current.stateless is None:
                value, more = function(*args)
            else:
                tensors = [t.detach().requires_grad_() for t in tensors]
                value, more = call_with_values(function, args, variables, tensors)
        grads = gradients(value, tensors)
        return (value.detach(), tree.map_structure(detach, more)), grads

    return run


def call_with_values(
    function: Callable[..., Any], args: tuple, variables: list[Any], values: list[Tensor]
) -> Any:
    """Calls the function with other values of the variables, then makes its assignments."""
    with StatelessScope(zip(variables, values, strict=True)) as scope:
        result = function(*args)
    for key, variable in scope.written.items():
        variable.assign(detach(scope.state[key]))
    return result


def gradients(value: Tensor, tensors: list[Tensor]) -> list[Tensor]:
    """`torch.autograd.grad`; zeros where the value does not depend on a tensor."""
    if not tensors or not value.requires_grad:
        return [torch.zeros_like(t) for t in tensors]
    grads = torch.autograd.grad(value, tensors, allow_unused=True)
    strided = torch.strided
    return [
        g  # the usual case, without a call of ours
        if g is not None and g.layout is strided and g.stride() == t.stride()
        else (torch.zeros_like(t) if g is None else _match_memory_format(g, t))
        for g, t in zip(grads, tensors, strict=True)
    ]


def _match_memory_format(grad: Tensor, like: Tensor) -> Tensor:
    """Returns a gradient with the strides of its weight, as fused updates need.

    Gradients of convolution kernels have their axes in PyTorch's order.
    """
    if grad.layout is not torch.strided:
        grad = grad.to_dense()  # of an embedding: optimizers read every row
    if like.is_contiguous():
        return grad.contiguous()
    return grad if grad.stride() == like.stride() else torch.empty_like(like).copy_(grad)


def detach(x: Any) -> Any:
    """Returns a tensor without its graph, and anything else as it is."""
    return x.detach() if isinstance(x, Tensor) else x


def record_gradients(function: Callable[..., Any]) -> Callable[..., Any]:
    """Makes a custom step record its operations, as outside of `fit`."""

    def run(*args: Any) -> Any:
        with torch.enable_grad():
            return function(*args)

    run.is_custom_step = True  # type: ignore[attr-defined]
    return run


def compile(
    function: Callable[..., Any], state: Sequence[Any], jit: Any = "auto", donate: bool = True
) -> Callable[..., Any]:
    """Returns the function itself, which PyTorch runs eagerly.

    With True or a dict for `jit`, `torch.compile(function, **jit)`: compilation is slow, so it is
    opt-in. The step of a replica is never compiled, as its collectives would break the graph.
    """
    del donate  # assignments are in place
    if (jit is True or isinstance(jit, dict)) and not _has_replicas():
        for variable in state:  # initialize it now: Dynamo cannot trace the initializer
            variable.value  # noqa: B018
        function = _torch_compile(function, {} if jit is True else jit)

    def step(*args: Any) -> Any:
        with torch.no_grad():  # `value_and_grad` enables recording
            return function(*args)

    return step


def _has_replicas() -> bool:
    """Whether steps are those of replicas (`keras_fn_torch.distribution`)."""
    is_connected = dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1
    return settings.distribution is not None and is_connected


def _torch_compile(function: Callable[..., Any], options: dict[str, Any]) -> Callable[..., Any]:
    """`torch.compile` of a function that may compute gradients."""
    # Dynamo counts recompilations by code object: each function has a separate copy.
    own = types.FunctionType(
        function.__code__.replace(), function.__globals__, closure=function.__closure__
    )
    run = torch.compile(own, **options)
    config: Any = torch._dynamo.config
    # Built-in steps call `torch.autograd.grad`. Custom steps may call `loss.backward()`, for which
    # PyTorch 2.13 computes wrong gradients in a graph: a graph break, or an error with `fullgraph`.
    is_builtin_step = not getattr(function, "is_custom_step", False)
    patches = (
        {"trace_autograd_ops": is_builtin_step} if hasattr(config, "trace_autograd_ops") else {}
    )

    def step(*args: Any) -> Any:
        if any(is_sparse(x) for x in tree.flatten(args)):
            return function(*args)  # Dynamo cannot trace what changes the entries
        with config.patch(patches):
            return run(*args)

    return step

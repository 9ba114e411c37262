"""Automatic differentiation: custom gradients, forward mode, rematerialization."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any

from keras_fn.backend.loader import current
from keras_fn.core import tree
from keras_fn.errors import SpecError
from keras_fn.ops._control_flow_utils import (
    FlatFunction,
    FunctionNode,
    backend_transform,
    check_same_spec,
    is_building_graph,
    tensor_leaves,
    to_tensors,
    unflatten,
)
from keras_fn.ops._op import is_symbolic, op
from keras_fn.ops._rules import like
from keras_fn.types import Nested, Tensor, TensorLike


@op(rule=like)
def stop_gradient(variable: TensorLike) -> Tensor:
    """Stops the gradient: returns the tensor as a constant, through which no gradient flows.

    Example:
        >>> convert_to_numpy(stop_gradient([1.0])).tolist()
        [1.0]
    """
    ...


def custom_gradient(f: Callable[..., tuple[Any, Callable[..., Any]]]) -> Callable[..., Any]:
    """Defines a function with a custom gradient.

    Args:
        f: Takes nested tensors, returns its result and a gradient function. The gradient function
            takes the upstream gradient, one argument for each tensor of the result, and returns the
            gradient of each tensor of the arguments: a tuple, or a single one. If it has a required
            keyword argument `upstream`, it also receives the arguments of the call, as
            `grad(*args, upstream=...)`.

    Returns:
        A function with the arguments of `f`, which returns the result only. Gradients flow to its
        arguments, not to variables that it reads.

    Raises:
        ValueError: When gradients are computed, if their number is wrong.

    Example:
        >>> @ops.custom_gradient
        ... def log1pexp(x):
        ...     e = ops.exp(x)
        ...     return ops.log(1 + e), lambda upstream: upstream * (1 - 1 / (1 + e))
        >>> float(log1pexp(0.0)) == float(ops.log(2.0))
        True
    """

    @wraps(f)
    def call(*args: Any) -> Any:
        args = to_tensors(args)
        if is_building_graph(args):
            return FunctionNode("custom_gradient", call)(*args)
        if is_symbolic(args):
            return f(*args)[0]
        outputs = FlatFunction(lambda result: result)

        def run(leaves: Any) -> tuple[Any, Callable[..., list[Any]]]:
            received = unflatten(args, leaves)
            result, grad = f(*received)

            def vjp(upstream: Any) -> list[Any]:
                many = list(upstream)
                if _takes_arguments(grad):
                    upstream = many[0] if len(many) == 1 else tuple(many)
                    grads = grad(*received, upstream=upstream)
                else:
                    grads = grad(*many)
                grads = to_tensors(grads if isinstance(grads, (list, tuple)) else (grads,))
                return _check_count(tensor_leaves(grads), tensor_leaves(args))

            return tuple(outputs.flatten(result)), vjp

        leaves = backend_transform("custom_gradient")(run, tensor_leaves(args))
        return outputs.unflatten(leaves)

    return call


def _takes_arguments(grad: Callable[..., Any]) -> bool:
    parameter = inspect.signature(grad).parameters.get("upstream")
    return (
        parameter is not None
        and parameter.kind is parameter.KEYWORD_ONLY
        and parameter.default is parameter.empty
    )


def _check_count(grads: list[Any], leaves: list[Any]) -> list[Any]:
    if len(grads) != len(leaves):
        raise SpecError(
            "ops.custom_gradient",
            expected=f"{len(leaves)} gradients, one for each argument",
            received=f"{len(grads)}",
            fix="return a tuple of that many tensors from the gradient function",
        )
    return grads


def jvp(
    fun: Callable[..., Any], primals: Nested, tangents: Nested, has_aux: bool = False
) -> tuple[Any, ...]:
    """Jacobian-vector product (forward-mode derivative): `J(x) @ v`.

    Args:
        fun: Takes tensors, returns nested tensors.
        primals: Tuple or list of the arguments of `fun`.
        tangents: The direction: tensors of the shapes and dtypes of `primals`.
        has_aux: Whether `fun` returns a pair, of which only the first is differentiated.

    Returns:
        The result of `fun` and its derivative, of the same structure; with `has_aux`, also the
        second item of the pair.

    Raises:
        ValueError: `primals` and `tangents` do not match.

    Example:
        >>> one, three = convert_to_tensor(1.0), convert_to_tensor(3.0)
        >>> value, slope = jvp(lambda x: x * x, (three,), (one,))
        >>> float(value), float(slope)
        (9.0, 6.0)
    """
    if not isinstance(primals, (list, tuple)) or not isinstance(tangents, (list, tuple)):
        raise SpecError(
            "ops.jvp",
            expected="primals and tangents in tuples or lists",
            received=f"{type(primals).__name__} and {type(tangents).__name__}",
            fix="write (x,) for a single one",
        )
    primals, tangents = tuple(to_tensors(tuple(primals))), tuple(to_tensors(tuple(tangents)))
    check_same_spec("ops.jvp", "tangents with the specs of primals", primals, tangents)
    if is_building_graph(primals, tangents):
        return FunctionNode("jvp", lambda p, t: jvp(fun, p, t, has_aux))(primals, tangents)
    if is_symbolic(primals, tangents):
        if has_aux:
            result, aux = fun(*primals)
            return result, result, aux
        result = fun(*primals)
        return result, result
    return tuple(backend_transform("jvp")(fun, primals, tangents, has_aux))


def remat(f: Callable[..., Any]) -> Callable[..., Any]:
    """Rematerialization (gradient checkpointing): recomputes a function in the backward pass.

    Intermediate results are not stored, which saves memory and takes more time. Variables that the
    function assigns are assigned once; the recomputation reads the values of the first run.

    Args:
        f: A function of nested tensors, or a layer.

    Returns:
        A function of the same arguments.

    Example:
        >>> float(keras.remat(lambda x: ops.sin(ops.sin(x)))(0.0))
        0.0

    References:
        Chen et al., "Training Deep Nets with Sublinear Memory Cost", 2016.
        https://arxiv.org/abs/1604.06174
    """

    @wraps(f)
    def call(*args: Any, **kwargs: Any) -> Any:
        if is_building_graph(args, kwargs) or is_symbolic(args, kwargs):
            return f(*args, **kwargs)
        backend = current()
        flat = tree.flatten([args, kwargs])
        positions = [i for i, x in enumerate(flat) if backend.is_tensor(x)]
        outputs = FlatFunction(lambda result: result)

        def run(leaves: Any) -> list[Any]:
            values = list(flat)
            for i, x in zip(positions, leaves, strict=True):
                values[i] = x
            args_, kwargs_ = tree.unflatten([args, kwargs], values)
            return outputs.flatten(f(*args_, **kwargs_))

        return outputs.unflatten(backend_transform("remat")(run, [flat[i] for i in positions]))

    return call

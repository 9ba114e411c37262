"""Function transforms: abstract evaluation, gradients, compilation."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import tensorflow as tf
from tensorflow.python.autograph.core import config as autograph

from keras_fn.core import tree
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.programs import ProgramShare
from keras_fn.core.scopes import StatelessScope
from keras_fn.core.sharded_variable import ShardedVariable
from keras_fn.errors import SpecError
from keras_fn_tensorflow.device import has_gpu
from keras_fn_tensorflow.process_store import cluster
from keras_fn_tensorflow.shared_traces import bind_shared
from keras_fn_tensorflow.strategies import check_no_strategy
from keras_fn_tensorflow.tensors import (
    convert_to_tensor,
    dtype_name,
    is_sparse,
    is_tensor,
    native_dtype,
)

# AutoGraph must not convert our code in a user's tf.function, just as for Keras.
autograph.CONVERSION_RULES = (
    autograph.DoNotConvert("keras_fn"),
    autograph.DoNotConvert("keras_fn_tensorflow"),
    *autograph.CONVERSION_RULES,
)


def trace_in_scratch_graph(function: Callable[..., Any], *args: Any) -> Any:
    """Traces a function in a scratch graph that is discarded; assignments have no effect."""
    with tf.__internal__.FuncGraph("keras_fn_scratch").as_default(), StatelessScope():
        return function(*args)


def abstract_eval(function: Callable[..., Any], args: tuple, kwargs: dict[str, Any]) -> Any:
    """Traces the function in a scratch graph, in which sizes may be unknown."""

    def placeholder(x: Any) -> Any:
        if isinstance(x, KerasTensor):
            make = tf.compat.v1.sparse_placeholder if x.sparse else tf.compat.v1.placeholder
            return make(native_dtype(x.dtype), x.shape)
        return x

    def run() -> Any:
        args_, kwargs_ = tree.map_structure(placeholder, [args, kwargs])
        return function(*args_, **kwargs_)

    return tree.map_structure(_to_keras_tensor, trace_in_scratch_graph(run))


def _to_keras_tensor(x: Any) -> Any:
    if not is_tensor(x):
        return x
    if x.shape.rank is None:
        raise SpecError(
            "a function of TensorFlow",
            expected="a result whose number of axes is known",
            received=f"{x.name} of unknown shape",
            fix="say the shape with tf.ensure_shape, or write compute_output_shape",
        )
    return KerasTensor(x.shape.as_list(), dtype_name(x), is_sparse(x), record_history=False)


def value_and_grad(
    function: Callable[..., tuple[Any, Any]], variables: Sequence[Any]
) -> Callable[..., tuple[tuple[Any, Any], list[Any]]]:
    """`tf.GradientTape` that watches the values of the variables only."""

    def run(*args: Any) -> tuple[tuple[Any, Any], list[Any]]:
        sources = [v.value for v in variables]  # plain tensors in a StatelessScope
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(sources)
            if ShardedVariable.exist:
                value, more = _call_with_gathered(function, args, variables, sources)
            else:
                value, more = function(*args)
        grads = tape.gradient(value, sources, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        # Densifies the sparse gradient of an embedding: optimizers read every row.
        return (value, more), [tf.convert_to_tensor(g) for g in grads]

    return run


def _call_with_gathered(
    function: Callable[..., Any], args: Any, variables: Sequence[Any], values: Sequence[Any]
) -> Any:
    """Calls a function of sharded variables with values that have been gathered already."""
    pairs = zip(variables, values, strict=True)
    gathered = [(v, x) for v, x in pairs if isinstance(v, ShardedVariable)]
    if not gathered:
        return function(*args)
    with StatelessScope(gathered) as scope:
        result = function(*args)
    for key, variable in scope.written.items():
        variable.assign(scope.state[key])
    return result


def compile(
    function: Callable[..., Any],
    state: Sequence[Any],
    jit: Any = "auto",
    donate: bool = True,
    share: ProgramShare | None = None,
) -> Callable[..., Any]:
    """`tf.function`, in which the variables of `state` are read and assigned directly.

    XLA is the default on GPUs only: on a CPU its convolutions and loops take two to three times as
    long. With several processes it is off: it does not compile TensorFlow's collectives, and has
    crashed. A dict for `jit` holds arguments of `tf.function`.
    """
    del donate  # assignments are in place
    draw_values(state)
    check_no_strategy(state)
    if jit is None:
        return function
    xla = has_gpu() if jit == "auto" else jit
    options = jit if isinstance(jit, dict) else {"jit_compile": xla}
    if cluster.count > 1:
        options = {**options, "jit_compile": False}
    compiled: dict[Any, Callable[..., Any]] = {}  # by the structure of the arguments

    def step(*args: Any) -> Any:
        leaves = tree.flatten(args)
        signature = tree.treedef(args), tuple([x is None for x in leaves])
        if signature not in compiled:
            # Without the tensors, which would be kept alive.
            skeleton = tree.map_structure(lambda _: None, args)
            bind = None if share is None else partial(_bind_shared, signature, state, share)
            compiled[signature] = _compile_flat(
                function, skeleton, signature[1], options, options is not jit, bind
            )
        return compiled[signature](*[_to_tensor(x) for x in leaves if x is not None])

    return step


def _compile_flat(
    function: Callable[..., Any],
    skeleton: Any,
    missing: tuple[bool, ...],
    options: dict[str, Any],
    may_fall_back: bool,
    bind: Callable[..., Any] | None,
) -> Callable[..., Any]:
    """`tf.function` of flat tensors: flattening nested ones takes TensorFlow long at each call."""

    def flat(*tensors: Any) -> Any:
        rest = iter(tensors)
        return function(
            *tree.unflatten(skeleton, [None if gone else next(rest) for gone in missing])
        )

    traced = tf.function(flat, autograph=False, **options)
    compiled = _dispatch_to_concrete_functions(traced, bind)
    may_fall_back = may_fall_back and bool(options.get("jit_compile"))

    def call(*tensors: Any) -> Any:
        nonlocal compiled, may_fall_back
        try:
            return compiled(*tensors)
        except _NOT_COMPILED:
            if not may_fall_back:
                raise
        # An op that XLA does not support. Nothing has run: XLA compiles all or nothing.
        compiled = _dispatch_to_concrete_functions(tf.function(flat, autograph=False))
        may_fall_back = False
        return compiled(*tensors)

    return call


def _bind_shared(
    signature: Any, state: Sequence[Any], share: ProgramShare, function: Any, key: Any, tensors: Any
) -> Callable[..., Any] | None:
    return bind_shared(function, tensors, (signature, key), state, share)


def _dispatch_to_concrete_functions(
    function: Any, bind: Callable[..., Any] | None = None
) -> Callable[..., Any]:
    """Calls the concrete functions of a `tf.function` of flat tensors directly.

    TensorFlow's lookup of the concrete function takes about as long as a small function itself.

    Args:
        function: The `tf.function`.
        bind: Returns a shared trace for `(function, key, tensors)`, or None.
    """
    traces: dict[Any, Callable[..., Any]] = {}

    def call(*tensors: Any) -> Any:
        # Not for variables: a concrete function for a tensor does not accept a variable.
        if not (tf.executing_eagerly() and all([isinstance(t, tf.Tensor) for t in tensors])):
            return function(*tensors)
        key = tuple([(*t.shape.as_list(), t.dtype, t.device) for t in tensors])
        if key in traces:
            return traces[key](*tensors)
        shared = None if bind is None else bind(function, key, tensors)
        if shared is not None:
            traces[key] = shared
            return shared(*tensors)
        results = function(*tensors)
        traces[key] = function.get_concrete_function(*tensors)
        return results

    return call


def draw_values(state: Sequence[Any]) -> None:
    """Initializes variables now, before a graph is traced."""
    for variable in state:
        if isinstance(variable, ShardedVariable):
            variable.shard  # noqa: B018  # the value would be gathered
        else:
            variable.value  # noqa: B018


_NOT_COMPILED = (tf.errors.InvalidArgumentError, tf.errors.UnimplementedError)


def _to_tensor(x: Any) -> Any:
    """Converts a Python number to a tensor: each new number would retrace the function."""
    return x if is_tensor(x) else convert_to_tensor(getattr(x, "value", x))


def compile_call(function: Callable[..., Any], variables: Sequence[Any]) -> Callable[..., Any]:
    """`tf.function` of a function that reads variables and assigns none; differentiable."""
    del variables
    return _dispatch_to_concrete_functions(tf.function(function, autograph=False))

"""Loops over time, and the recurrent networks that run as one compiled function."""

from functools import partial
from typing import Any
from weakref import WeakKeyDictionary, ref

import jax
from jax import lax
from jax import numpy as jnp
from jax.core import Tracer

from keras_fn.core.captured_variables import Carried, carried
from keras_fn.core.scopes import StatelessScope, context

Array = Any


def scan(
    function: Any,
    init: Any,
    xs: Any,
    length: int | None = None,
    reverse: bool = False,
    unroll: int = 1,
) -> tuple[Any, Any]:
    """`lax.scan`, along which the variables that steps assign are carried too."""
    options = {"length": length, "reverse": reverse, "unroll": unroll}
    compiled = _compiled_scan(function, (init, xs))
    if compiled is not None:
        try:
            return compiled(init, xs, **options)
        except _UsesVariables:
            _scans[function] = None

    def run(state: Carried) -> tuple[Any, Any]:
        step = state.pure(function)

        def carrying(pair: Any, x: Any) -> tuple[Any, Any]:
            values, (after, y) = step(pair[0], pair[1], x)
            return (values, after), y

        (values, carry), ys = lax.scan(carrying, (state.values, init), xs, **options)
        return values, (carry, ys)

    return carried(run)


_scans: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()
"""Scans that are compiled, by the function of a step; None where that uses variables."""


def _compiled_scan(function: Any, arrays: Any) -> Any:
    """A scan that is compiled once, for a function that comes again outside of any trace."""
    if any(isinstance(x, Tracer) for x in jax.tree.leaves(arrays)):
        return None
    if context.now.stateless is not None:
        return None
    try:
        if function in _scans:
            return _scans[function]
        step = ref(function)
        _scans[function] = jax.jit(partial(_scan_without_variables, step), static_argnames=_PLAIN)
    except TypeError:  # an object that cannot be a weak key
        pass
    return None  # the first time: most functions are made for one call


_PLAIN = ("length", "reverse", "unroll")


class _UsesVariables(Exception):
    """What is compiled would keep the values of today."""


class _Watched(dict[int, Any]):
    """The state of a scope that refuses to be asked for a variable."""

    def get(self, key: int, default: Any = None) -> Any:
        if key not in self:
            raise _UsesVariables
        return super().get(key, default)


def _scan_without_variables(step: Any, init: Any, xs: Any, **options: Any) -> tuple[Any, Any]:
    function = step()  # held weakly: what is compiled for it goes when it goes

    def watched(carry: Any, x: Any) -> tuple[Any, Any]:
        with StatelessScope() as scope:
            scope.state = _Watched(scope.state)
            result = function(carry, x)
        if scope.written:
            raise _UsesVariables
        return result

    return lax.scan(watched, init, xs, **options)


@partial(jax.jit, static_argnums=6)
def lstm(
    x: Array,
    h: Array,
    c: Array,
    kernel: Array,
    recurrent_kernel: Array,
    bias: Array | None = None,
    go_backwards: bool = False,
) -> tuple[Array, Array, Array]:
    """Compiled once for all calls: a loop whose body is a closure would be compiled at each."""

    def step(state: Any, z: Array) -> Any:
        h, c = state
        i, f, g, o = jnp.split(z + h @ recurrent_kernel, 4, axis=-1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        h = jax.nn.sigmoid(o) * jnp.tanh(c)
        return (h, c), h

    (h, c), outputs = lax.scan(step, (h, c), _projected(x, kernel, bias), reverse=go_backwards)
    return _in_order_of_steps(outputs, go_backwards), h, c


@partial(jax.jit, static_argnums=5)
def gru(
    x: Array,
    h: Array,
    kernel: Array,
    recurrent_kernel: Array,
    bias: Array | None = None,
    go_backwards: bool = False,
) -> tuple[Array, Array]:
    """Compiled once for all calls, as `lstm`."""
    bias, recurrent_bias = (None, None) if bias is None else bias

    def step(h: Array, z: Array) -> Any:
        r = h @ recurrent_kernel
        r = r if recurrent_bias is None else r + recurrent_bias
        z_z, z_r, z_h = jnp.split(z, 3, axis=-1)
        r_z, r_r, r_h = jnp.split(r, 3, axis=-1)
        candidate = jnp.tanh(z_h + jax.nn.sigmoid(z_r + r_r) * r_h)
        h = candidate + jax.nn.sigmoid(z_z + r_z) * (h - candidate)
        return h, h

    h, outputs = lax.scan(step, h, _projected(x, kernel, bias), reverse=go_backwards)
    return _in_order_of_steps(outputs, go_backwards), h


def _projected(x: Array, kernel: Array, bias: Array | None) -> Array:
    """What the inputs of all steps bring to the gates, in one product, time first."""
    z = jnp.swapaxes(x @ kernel, 0, 1)
    return z if bias is None else z + bias


def _in_order_of_steps(outputs: Array, go_backwards: bool) -> Array:
    outputs = jnp.swapaxes(outputs, 0, 1)
    return jnp.flip(outputs, 1) if go_backwards else outputs

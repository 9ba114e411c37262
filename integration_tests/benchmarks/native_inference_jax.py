"""The models of `inference.py` in JAX alone, as one writes them by hand."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

COMPILES_LOOPS = True
tensor, wait = jnp.array, jax.block_until_ready
Call = Callable[[Any], Any]
Work = Callable[[Call, Any], Any]


def program(name: str, is_compiled: bool) -> Call:
    """Returns the native program of a row."""
    random = np.random.default_rng(0)
    shapes = CNN if name == "cnn" else TRANSFORMER
    p = [jnp.array(random.normal(0, 0.05, shape).astype("float32")) for shape in shapes]
    if name == "cnn":
        p[3::4] = [jnp.abs(w) for w in p[3::4]]  # the variances among them
    run = {"cnn": cnn, "transformer": transformer}.get(name)
    if run is None:
        run = generate_in_loop if is_compiled else generate
    if is_compiled:
        run = jax.jit(run)
    return lambda x: run(p, x)


CNN = [
    *[s for i, o in ((3, 32), (32, 64), (64, 128)) for s in ((3, 3, i, o), *[(o,)] * 5)],
    (128, 144), (144,), (144, 10), (10,),
]  # fmt: skip
TRANSFORMER = [
    (1024, 256),
    *[(256,), (256,), (256, 768), (768,), (256, 256), (256,),
      (256,), (256,), (256, 1024), (1024,), (1024, 256), (256,)] * 2,
    (256,), (256,), (256, 1024), (1024,),
]  # fmt: skip


def cnn(p: Any, x: Any) -> Any:
    for k in (0, 6, 12):
        kernel, bias, scale, offset, mean, variance = p[k : k + 6]
        x = lax.conv_general_dilated(
            x, kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
        )
        factor = scale * lax.rsqrt(jnp.abs(variance) + 1e-3)
        x = jax.nn.relu(x * factor + ((bias - mean) * factor + offset))
        x = lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
    return jax.nn.relu(x.mean((1, 2)) @ p[18] + p[19]) @ p[20] + p[21]


def transformer(p: Any, words: Any) -> Any:
    x = p[0][words]
    for k in (1, 13):
        w = p[k : k + 12]
        x = x + _attend(_norm(x, *w[:2]) @ w[2] + w[3]) @ w[4] + w[5]
        inner = jax.nn.gelu(_norm(x, *w[6:8]) @ w[8] + w[9], approximate=False)
        x = x + inner @ w[10] + w[11]
    return _norm(x, *p[25:27]) @ p[27] + p[28]


def _norm(x: Any, scale: Any, offset: Any) -> Any:
    x = x - x.mean(-1, keepdims=True)
    return x * lax.rsqrt((x * x).mean(-1, keepdims=True) + 1e-5) * scale + offset


def _attend(x: Any) -> Any:
    q, k, v = jnp.split(x.reshape(*x.shape[:2], 24, 32), 3, 2)
    return jax.nn.dot_product_attention(q, k, v, is_causal=True).reshape(*x.shape[:2], 256)


def generate(p: Any, tokens: Any) -> Any:
    for k in range(32, 64):
        tokens = tokens.at[:, k].set(transformer(p, tokens)[:, k - 1].argmax(-1))
    return tokens


def generate_in_loop(p: Any, tokens: Any) -> Any:
    def step(k: Any, tokens: Any) -> Any:
        best = transformer(p, tokens)[:, k - 1].argmax(-1)
        return tokens.at[:, k].set(best.astype(tokens.dtype))

    return lax.fori_loop(32, 64, step, tokens)


def run_model(model: Any, work: Work) -> Call:
    """Returns the work with a model of Keras, run eagerly."""
    return lambda x: work(model, x)


def compile_model(model: Any, work: Work) -> Call:
    """Returns the work with a model of Keras, compiled as users do."""
    state = [
        [v.value for v in model.trainable_variables],
        [v.value for v in model.non_trainable_variables],
    ]

    @jax.jit
    def run(state: Any, x: Any) -> Any:
        return work(lambda x: model.stateless_call(*state, x, training=False)[0], x)

    return lambda x: run(state, x)

"""The same work in JAX alone, as one writes it by hand."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from native_weights import dense_weights, draw_vgg19, weights


def mlp(x: Any, y: Any, batch: int) -> Callable[[], None]:
    def loss(p: Any, key: Any, rows: Any) -> Any:
        out, target = mlp_out(p, rows[0]), rows[1]
        value = -jnp.take_along_axis(jax.nn.log_softmax(out), target[:, None], 1).mean()
        return value, (out.argmax(1) == target).sum()

    return _epoch(weights("mlp"), loss, [x, y], len(x), batch)


def mlp_out(p: Any, x: Any) -> Any:
    x = jax.nn.relu(x @ p[0] + p[1])
    return jax.nn.relu(x @ p[2] + p[3]) @ p[4] + p[5]


def resnet(x: Any, y: Any, batch: int) -> Callable[[], None]:
    def conv(x: Any, w: Any, b: Any, padding: str = "VALID") -> Any:
        out = lax.conv_general_dilated(
            x, w, (1, 1), padding, dimension_numbers=("NHWC", "HWIO", "NHWC")
        )
        return jax.nn.relu(out + b)

    def loss(p: Any, key: Any, rows: Any) -> Any:
        h, target = rows
        h = conv(conv(h, p[0], p[1]), p[2], p[3])
        h = lax.reduce_window(h, -jnp.inf, lax.max, (1, 3, 3, 1), (1, 3, 3, 1), "VALID")
        for k in (4, 8):
            h = h + conv(conv(h, p[k], p[k + 1], "SAME"), p[k + 2], p[k + 3], "SAME")
        h = conv(h, p[12], p[13]).mean((1, 2))
        h = jax.nn.relu(h @ p[14] + p[15])
        h = jnp.where(jax.random.uniform(key, h.shape) < 0.5, h * 2, 0.0)
        out = h @ p[16] + p[17]
        value = -(target * jax.nn.log_softmax(out)).sum(1).mean()
        return value, (out.argmax(1) == target.argmax(1)).sum()

    return _epoch(weights("resnet"), loss, [x, y], len(x), batch)


def ticket(x: Any, y: Any, batch: int) -> Callable[[], None]:
    def lstm(x: Any, w: Any, u: Any, b: Any) -> Any:
        steps = jnp.swapaxes(x @ w + b, 0, 1)
        zero = jnp.zeros((x.shape[0], u.shape[0]))

        def body(state: Any, step: Any) -> Any:
            h, c = state
            i, f, g, o = jnp.split(step + h @ u, 4, 1)
            c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
            return (jax.nn.sigmoid(o) * jnp.tanh(c), c), None

        return lax.scan(body, (zero, zero), steps)[0][0]

    def loss(p: Any, key: Any, rows: Any) -> Any:
        title, body, tags, priority, department = rows
        a, b = lstm(p[0][title], *p[2:5]), lstm(p[1][body], *p[5:8])
        h = jnp.concatenate([a, b, tags], 1)
        one, two = h @ p[8] + p[9], h @ p[10] + p[11]
        first = (jnp.maximum(one, 0) - one * priority + jnp.log1p(jnp.exp(-jnp.abs(one)))).mean()
        second = -(department * jax.nn.log_softmax(two)).sum(1).mean()
        return first + 0.2 * second, first

    rows = [x["title"], x["body"], x["tags"], y["priority"], y["department"]]
    return _epoch(weights("ticket"), loss, rows, len(x["title"]), batch)


def _epoch(start: Any, loss: Any, rows: Any, samples: int, batch: int) -> Callable[[], None]:
    rows = [jnp.array(r) for r in rows]

    @partial(jax.jit, donate_argnums=0)
    def step(state: Any, rows: Any, index: Any) -> Any:
        p, s, key, total, hits = state
        key, now = jax.random.split(key)
        (value, more), g = jax.value_and_grad(loss, has_aux=True)(p, now, [r[index] for r in rows])
        s = [0.9 * a + 0.1 * b * b for a, b in zip(s, g, strict=True)]
        p = [w - 1e-3 * b / jnp.sqrt(a + 1e-7) for w, b, a in zip(p, g, s, strict=True)]
        return p, s, key, total + value, hits + more

    p = [jnp.array(w) for w in start]
    state = (p, [jnp.zeros_like(w) for w in p], jax.random.key(0), jnp.zeros(()), jnp.zeros(()))

    def run() -> None:
        nonlocal state
        order = np.random.permutation(samples).astype("int32")
        for k in range(0, samples, batch):
            state = step(state, rows, order[k : k + batch])
        float(state[3]), float(state[4])

    return run


def forward(x: Any) -> Callable[[], Any]:
    p, xs, call = [jnp.array(w) for w in weights("mlp")], jnp.array(x), jax.jit(mlp_out)
    return lambda: call(p, xs)


def dense_stack(count: int) -> Any:
    return [jnp.array(w) for w in dense_weights(count)]


def vgg19() -> Any:
    return [jnp.array(w) for w in draw_vgg19()]


drawn_dense_stack = dense_stack


def _scan(x: Any) -> Any:
    return lax.scan(_sum_so_far, jnp.zeros(8), x)[1]


def _sum_so_far(carry: Any, x: Any) -> Any:
    return carry + x, carry + x


compiled = jax.jit
OPS = {
    "relu": jax.nn.relu,
    "add": jnp.add,
    "sum": lambda x: jnp.sum(x, axis=-1),
    "matmul": jnp.matmul,
    "conv": lambda x, kernel: lax.conv_general_dilated(
        x, kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
    ),
    "attention": jax.nn.dot_product_attention,
    "gather": lambda x, indices: jnp.take(x, indices, axis=0, mode="clip"),
    "scan": _scan,
}

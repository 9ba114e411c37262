"""The same work in JAX alone, as one writes it by hand."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from native_weights import count, dense_weights, weights


def mlp(x: Any, y: Any, batch: int, *, scanned: bool = False) -> Callable[[], None]:
    def loss(p: Any, key: Any, rows: Any) -> Any:
        out, target = mlp_out(p, rows[0]), rows[1]
        value = -jnp.take_along_axis(jax.nn.log_softmax(out), target[:, None], 1).mean()
        return value, (out.argmax(1) == target).sum()

    return _epoch(weights("mlp"), loss, [x, y], len(x), batch, scanned=scanned)


mlp_scanned = partial(mlp, scanned=True)


def mlp_out(p: Any, x: Any) -> Any:
    x = jax.nn.relu(x @ p[0] + p[1])
    return jax.nn.relu(x @ p[2] + p[3]) @ p[4] + p[5]


def _conv_relu(x: Any, w: Any, b: Any, padding: str = "VALID") -> Any:
    out = lax.conv_general_dilated(
        x, w, (1, 1), padding, dimension_numbers=("NHWC", "HWIO", "NHWC")
    )
    return jax.nn.relu(out + b)


def convolutions(x: Any, y: Any, batch: int) -> Callable[[], None]:
    def loss(p: Any, key: Any, rows: Any) -> Any:
        h, target = rows
        for k in range(0, 96, 2):
            h = _conv_relu(h, p[k], p[k + 1], "SAME")
        out = h.mean((1, 2)) @ p[96] + p[97]
        value = -jnp.take_along_axis(jax.nn.log_softmax(out), target[:, None], 1).mean()
        return value, (out.argmax(1) == target).sum()

    return _epoch(weights("convolutions"), loss, [x, y], len(x), batch)


def resnet(x: Any, y: Any, batch: int) -> Callable[[], None]:
    conv = _conv_relu

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


def _lstm_step(states: Any, z: Any, u: Any, b: Any) -> Any:
    h, c = states
    i, f, g, o = jnp.split(z + b + h @ u, 4, 1)
    c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
    return jax.nn.sigmoid(o) * jnp.tanh(c), c


def _gru_step(states: Any, z: Any, u: Any, b: Any) -> Any:
    (h,) = states
    (z1, z2, z3), (r1, r2, r3) = jnp.split(z + b[0], 3, 1), jnp.split(h @ u + b[1], 3, 1)
    new = jnp.tanh(z3 + jax.nn.sigmoid(z2 + r2) * r3)
    return (new + jax.nn.sigmoid(z1 + r1) * (h - new),)


def masked_lstm(
    x: Any, y: Any, batch: int, name: str = "masked_lstm", step: Any = _lstm_step, count: int = 2
) -> Callable[[], None]:
    def loss(p: Any, key: Any, rows: Any) -> Any:
        words, target = rows
        zero = jnp.zeros((batch, 128))

        def body(states: Any, pair: Any) -> Any:
            z, mask = pair
            new = step(states, z, *p[2:4])
            return tuple(jnp.where(mask, *s) for s in zip(new, states, strict=True)), None

        steps = jnp.swapaxes(p[0][words] @ p[1], 0, 1), (words != 0).T[..., None]
        out = lax.scan(body, (zero,) * count, steps)[0][0] @ p[4] + p[5]
        value = -(jax.nn.log_softmax(out) * jax.nn.one_hot(target, 4)).sum(1).mean()
        return value, value

    return _epoch(weights(name), loss, [x, y], len(x), batch)


def masked_gru(x: Any, y: Any, batch: int) -> Callable[[], None]:
    return masked_lstm(x, y, batch, "masked_gru", _gru_step, 1)


def transformer(x: Any, y: Any, batch: int) -> Callable[[], None]:
    def norm(x: Any, scale: Any, offset: Any) -> Any:
        x = x - x.mean(-1, keepdims=True)
        return x * lax.rsqrt((x * x).mean(-1, keepdims=True) + 1e-5) * scale + offset

    def attend(x: Any) -> Any:
        q, k, v = jnp.split(x.reshape(*x.shape[:2], 12, 32), 3, 2)
        return jax.nn.dot_product_attention(q, k, v, is_causal=True).reshape(*x.shape[:2], 128)

    def loss(p: Any, key: Any, rows: Any) -> Any:
        words, target = rows
        h = p[0][words]
        for k in range(1, 49, 12):
            w = p[k : k + 12]
            h = h + attend(norm(h, *w[:2]) @ w[2] + w[3]) @ w[4] + w[5]
            inner = jax.nn.gelu(norm(h, *w[6:8]) @ w[8] + w[9], approximate=False)
            h = h + inner @ w[10] + w[11]
        out = jax.nn.log_softmax(norm(h, *p[49:51]) @ p[51] + p[52])
        # On a CPU quicker than to pick the values out, of which the gradient is a scatter.
        value = -(out * jax.nn.one_hot(target, 1000)).sum(-1).mean()
        return value, value

    return _epoch(weights("transformer"), loss, [x, y], len(x), batch, _adam)


def attention(x: Any, y: Any, batch: int) -> Callable[[], None]:
    def loss(p: Any, key: Any, rows: Any) -> Any:
        value = ((attention_out(p, rows[0]) - rows[1]) ** 2).mean()
        return value, value

    return _epoch(weights("attention"), loss, [x, y], len(x), batch)


def attention_out(p: Any, x: Any) -> Any:
    """Self-attention of 8 heads, with one product for query, key and value."""
    q, k, v = jnp.split((x @ p[0] + p[1]).reshape(*x.shape[:2], 24, 16), 3, 2)
    return jax.nn.dot_product_attention(q, k, v).reshape(x.shape) @ p[2] + p[3]


def _rmsprop(t: Any, w: Any, g: Any, s: Any) -> Any:
    (v,) = s
    v = 0.9 * v + 0.1 * g * g
    return w - 1e-3 * g / jnp.sqrt(v + 1e-7), (v,)


def _adam(t: Any, w: Any, g: Any, s: Any) -> Any:
    m, v = 0.9 * s[0] + 0.1 * g, 0.999 * s[1] + 0.001 * g * g
    rate = 1e-3 * jnp.sqrt(1 - 0.999**t) / (1 - 0.9**t)
    return w - rate * m / (jnp.sqrt(v) + 1e-7), (m, v)


SLOTS = {_rmsprop: 1, _adam: 2}


def _epoch(
    start: Any,
    loss: Any,
    rows: Any,
    samples: int,
    batch: int,
    rule: Any = _rmsprop,
    *,
    scanned: bool = False,
) -> Callable[[], None]:
    rows = [jnp.array(r) for r in rows]

    def step(state: Any, rows: Any, index: Any) -> Any:
        t, p, slots, key, total, more = state
        key, now = jax.random.split(key)
        batch = [r[index] for r in rows]
        (value, hits), g = jax.value_and_grad(loss, has_aux=True)(p, now, batch)
        pairs = [rule(t, *of_one) for of_one in zip(p, g, slots, strict=True)]
        p, slots = map(list, zip(*pairs, strict=True))
        return t + 1, p, slots, key, total + value, more + hits

    def steps(state: Any, rows: Any, order: Any) -> Any:
        return lax.scan(lambda state, index: (step(state, rows, index), None), state, order)[0]

    call = jax.jit(steps if scanned else step, donate_argnums=0)
    p = [jnp.array(w) for w in start]
    slots = [tuple(jnp.zeros_like(w) for _ in range(SLOTS[rule])) for w in p]
    state = (jnp.ones(()), p, slots, jax.random.key(0), jnp.zeros(()), jnp.zeros(()))

    def run() -> None:
        nonlocal state
        order = np.random.permutation(samples).astype("int32").reshape(-1, batch)
        for index in [order] if scanned else order:
            state = call(state, rows, index)
        float(state[4]), float(state[5])

    return run


def forward(x: Any, name: str = "mlp") -> Callable[[], Any]:
    p, xs = [jnp.array(w) for w in weights(name)], jnp.array(x)
    call = jax.jit({"mlp": mlp_out, "attention": attention_out}[name])
    return lambda: call(p, xs)


def predict(x: Any, batch: int) -> Callable[[], Any]:
    p, call = [jnp.array(w) for w in weights("mlp")], jax.jit(mlp_out)

    def run() -> Any:
        out = [call(p, x[k : k + batch]) for k in range(0, len(x), batch)]
        return np.concatenate([np.asarray(o) for o in out])

    return run


def dense_stack(count: int) -> Any:
    return [tensor(w) for w in dense_weights(count)]


tensor, parameters = jnp.array, count


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

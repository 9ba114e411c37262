"""The same work in TensorFlow alone, as one writes it by hand."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import tensorflow as tf
from native_weights import count, dense_weights, weights


def mlp(x: Any, y: Any, batch: int, *, looped: bool = False) -> Callable[[], None]:
    p = [tf.Variable(w) for w in weights("mlp")]

    def loss(rows: Any) -> Any:
        out, target = mlp_out(p, rows[0]), rows[1]
        value = tf.nn.sparse_softmax_cross_entropy_with_logits(target, out)
        hits = tf.cast(tf.argmax(out, 1, tf.int32) == target, tf.float32)
        return tf.reduce_mean(value), tf.reduce_sum(hits)

    return _epoch(p, loss, [x, y], len(x), batch, looped=looped)


mlp_scanned = partial(mlp, looped=True)


def mlp_out(p: Any, x: Any) -> Any:
    x = tf.nn.relu(x @ p[0] + p[1])
    return tf.nn.relu(x @ p[2] + p[3]) @ p[4] + p[5]


def convolutions(x: Any, y: Any, batch: int) -> Callable[[], None]:
    p = [tf.Variable(w) for w in weights("convolutions")]

    def loss(rows: Any) -> Any:
        h, target = rows
        for k in range(0, 96, 2):
            h = tf.nn.relu(tf.nn.conv2d(h, p[k], 1, "SAME") + p[k + 1])
        out = tf.reduce_mean(h, (1, 2)) @ p[96] + p[97]
        value = tf.nn.sparse_softmax_cross_entropy_with_logits(target, out)
        hits = tf.cast(tf.argmax(out, 1, tf.int32) == target, tf.float32)
        return tf.reduce_mean(value), tf.reduce_sum(hits)

    return _epoch(p, loss, [x, y], len(x), batch)


def resnet(x: Any, y: Any, batch: int) -> Callable[[], None]:
    p = [tf.Variable(w) for w in weights("resnet")]

    def conv(x: Any, k: int, padding: str = "VALID") -> Any:
        return tf.nn.relu(tf.nn.conv2d(x, p[k], 1, padding) + p[k + 1])

    def loss(rows: Any) -> Any:
        h, target = rows
        h = tf.nn.max_pool2d(conv(conv(h, 0), 2), 3, 3, "VALID")
        for k in (4, 8):
            h = h + conv(conv(h, k, "SAME"), k + 2, "SAME")
        h = tf.reduce_mean(conv(h, 12), (1, 2))
        h = tf.nn.dropout(tf.nn.relu(h @ p[14] + p[15]), 0.5)
        out = h @ p[16] + p[17]
        value = tf.nn.softmax_cross_entropy_with_logits(target, out)
        hits = tf.cast(tf.argmax(out, 1) == tf.argmax(target, 1), tf.float32)
        return tf.reduce_mean(value), tf.reduce_sum(hits)

    return _epoch(p, loss, [x, y], len(x), batch)


def ticket(x: Any, y: Any, batch: int) -> Callable[[], None]:
    p = [tf.Variable(w) for w in weights("ticket")]

    def lstm(x: Any, w: Any, u: Any, b: Any) -> Any:
        steps = tf.transpose(tf.tensordot(x, w, 1) + b, (1, 0, 2))
        count, zero = steps.shape[0], tf.zeros((x.shape[0], u.shape[0]))
        array = tf.TensorArray(tf.float32, count).unstack(steps)

        def body(t: Any, h: Any, c: Any) -> Any:
            i, f, g, o = tf.split(array.read(t) + h @ u, 4, 1)
            c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(g)
            return t + 1, tf.sigmoid(o) * tf.tanh(c), c

        return tf.while_loop(
            lambda t, *_: t < count, body, (0, zero, zero), maximum_iterations=count
        )[1]

    def loss(rows: Any) -> Any:
        title, body, tags, priority, department = rows
        a = lstm(tf.gather(p[0], title), *p[2:5])
        b = lstm(tf.gather(p[1], body), *p[5:8])
        h = tf.concat([a, b, tags], 1)
        one, two = h @ p[8] + p[9], h @ p[10] + p[11]
        first = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(priority, one))
        second = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(department, two))
        return first + 0.2 * second, first

    rows = [x["title"], x["body"], x["tags"], y["priority"], y["department"]]
    return _epoch(p, loss, rows, len(x["title"]), batch)


def _lstm_step(states: Any, z: Any, u: Any, b: Any) -> Any:
    h, c = states
    i, f, g, o = tf.split(z + b + h @ u, 4, 1)
    c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(g)
    return tf.sigmoid(o) * tf.tanh(c), c


def _gru_step(states: Any, z: Any, u: Any, b: Any) -> Any:
    (h,) = states
    (z1, z2, z3), (r1, r2, r3) = tf.split(z + b[0], 3, 1), tf.split(h @ u + b[1], 3, 1)
    new = tf.tanh(z3 + tf.sigmoid(z2 + r2) * r3)
    return (new + tf.sigmoid(z1 + r1) * (h - new),)


def masked_lstm(
    x: Any, y: Any, batch: int, name: str = "masked_lstm", step: Any = _lstm_step, count: int = 2
) -> Callable[[], None]:
    p = [tf.Variable(w) for w in weights(name)]

    def loss(rows: Any) -> Any:
        words, target = rows
        size, zero = words.shape[1], tf.zeros((batch, 128))
        steps = tf.transpose(tf.tensordot(tf.gather(p[0], words), p[1], 1), (1, 0, 2))
        z = tf.TensorArray(tf.float32, size).unstack(steps)
        mask = tf.TensorArray(tf.bool, size).unstack(tf.transpose(words != 0)[..., None])

        def body(t: Any, *states: Any) -> Any:
            new = step(states, z.read(t), p[2], p[3])
            on = mask.read(t)
            return (t + 1, *[tf.where(on, *pair) for pair in zip(new, states, strict=True)])

        loop = (0, *(zero,) * count)
        h = tf.while_loop(lambda t, *_: t < size, body, loop, maximum_iterations=size)[1]
        out = h @ p[4] + p[5]
        value = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(target, out))
        return value, value

    return _epoch(p, loss, [x, y], len(x), batch)


def masked_gru(x: Any, y: Any, batch: int) -> Callable[[], None]:
    return masked_lstm(x, y, batch, "masked_gru", _gru_step, 1)


def transformer(x: Any, y: Any, batch: int) -> Callable[[], None]:
    p = [tf.Variable(w) for w in weights("transformer")]
    unseen = (1 - np.tri(x.shape[1], dtype="float32")) * -1e9

    def norm(x: Any, scale: Any, offset: Any) -> Any:
        mean, variance = tf.nn.moments(x, -1, keepdims=True)
        return tf.nn.batch_normalization(x, mean, variance, offset, scale, 1e-5)

    def attend(x: Any) -> Any:
        heads = tf.transpose(tf.reshape(x, (batch, -1, 12, 32)), (0, 2, 1, 3))
        q, k, v = tf.split(heads, 3, 1)
        seen = tf.nn.softmax(tf.matmul(q * 32**-0.5, k, transpose_b=True) + unseen)
        return tf.reshape(tf.transpose(seen @ v, (0, 2, 1, 3)), (-1, 128))

    def loss(rows: Any) -> Any:
        words, target = (tf.reshape(r, [-1]) for r in rows)  # a product of matrices is quickest
        h = tf.gather(p[0], words)
        for k in range(1, 49, 12):
            w = p[k : k + 12]
            h = h + attend(norm(h, *w[:2]) @ w[2] + w[3]) @ w[4] + w[5]
            inner = tf.nn.gelu(norm(h, *w[6:8]) @ w[8] + w[9])
            h = h + inner @ w[10] + w[11]
        out = norm(h, *p[49:51]) @ p[51] + p[52]
        value = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(target, out))
        return value, value

    return _epoch(p, loss, [x, y], len(x), batch, _adam)


def attention(x: Any, y: Any, batch: int) -> Callable[[], None]:
    p = [tf.Variable(w) for w in weights("attention")]

    def loss(rows: Any) -> Any:
        value = tf.reduce_mean((attention_out(p, rows[0]) - rows[1]) ** 2)
        return value, value

    return _epoch(p, loss, [x, y], len(x), batch)


def attention_out(p: Any, x: Any) -> Any:
    """Self-attention of 8 heads, with one product for query, key and value."""
    rows = tf.reshape(x, (-1, 128)) @ p[0] + p[1]
    heads = tf.transpose(tf.reshape(rows, (-1, x.shape[1], 24, 16)), (0, 2, 1, 3))
    q, k, v = tf.split(heads, 3, 1)
    seen = tf.nn.softmax(tf.matmul(q * 16**-0.5, k, transpose_b=True))
    rows = tf.reshape(tf.transpose(seen @ v, (0, 2, 1, 3)), (-1, 128)) @ p[2] + p[3]
    return tf.reshape(rows, (-1, *x.shape[1:]))


def _rmsprop(t: Any, w: Any, g: Any, v: Any) -> None:
    v.assign(0.9 * v + 0.1 * g * g)
    w.assign_sub(1e-3 * g / tf.sqrt(v + 1e-7))


def _adam(t: Any, w: Any, g: Any, v: Any, m: Any) -> None:
    m.assign_add(0.1 * (g - m))
    v.assign_add(0.001 * (g * g - v))
    rate = 1e-3 * tf.sqrt(1 - 0.999**t) / (1 - 0.9**t)
    w.assign_sub(rate * m / (tf.sqrt(v) + 1e-7))


SLOTS = {_rmsprop: 1, _adam: 2}


def _epoch(
    p: Any,
    loss: Any,
    rows: Any,
    samples: int,
    batch: int,
    rule: Any = _rmsprop,
    *,
    looped: bool = False,
) -> Callable[[], None]:
    rows = [tf.constant(r) for r in rows]
    slots = [[tf.Variable(tf.zeros_like(w)) for _ in range(SLOTS[rule])] for w in p]
    totals, count = [tf.Variable(0.0), tf.Variable(0.0)], tf.Variable(0.0)

    @tf.function
    def step(index: Any) -> None:
        with tf.GradientTape() as tape:
            value, more = loss([tf.gather(r, index) for r in rows])
        count.assign_add(1.0)
        for w, g, of_one in zip(p, tape.gradient(value, p), slots, strict=True):
            rule(count, w, tf.convert_to_tensor(g), *of_one)
        totals[0].assign_add(value)
        totals[1].assign_add(more)

    @tf.function(autograph=False)
    def steps(order: Any) -> None:
        def body(k: Any) -> Any:
            step(order[k])
            return (k + 1,)

        tf.while_loop(lambda k: k < order.shape[0], body, (0,), parallel_iterations=1)

    def run() -> None:
        order = np.random.permutation(samples).astype("int32").reshape(-1, batch)
        if looped:
            steps(tf.constant(order))
        else:
            for index in tf.unstack(order):
                step(index)
        float(totals[0]), float(totals[1])

    return run


def forward(x: Any, name: str = "mlp") -> Callable[[], Any]:
    p, xs = [tf.Variable(w) for w in weights(name)], tf.constant(x)
    out = {"mlp": mlp_out, "attention": attention_out}[name]
    call = tf.function(lambda x: out(p, x))
    return lambda: call(xs)


def predict(x: Any, batch: int) -> Callable[[], Any]:
    p = [tf.Variable(w) for w in weights("mlp")]
    call = tf.function(lambda x: mlp_out(p, x))

    def run() -> Any:
        out = [call(tf.constant(x[k : k + batch])) for k in range(0, len(x), batch)]
        return tf.concat(out, 0).numpy()

    return run


def dense_stack(count: int) -> Any:
    return [tensor(w) for w in dense_weights(count)]


tensor, parameters = tf.Variable, count
compiled = tf.function


def _attention(q: Any, k: Any, v: Any) -> Any:
    scores = tf.einsum("btnh,bsnh->bnts", q, k) / q.shape[-1] ** 0.5
    return tf.einsum("bnts,bsnh->btnh", tf.nn.softmax(scores), v)


OPS = {
    "relu": tf.nn.relu,
    "add": tf.add,
    "sum": lambda x: tf.reduce_sum(x, -1),
    "matmul": tf.matmul,
    "conv": lambda x, kernel: tf.nn.conv2d(x, kernel, 1, "SAME"),
    "attention": _attention,
    "gather": tf.gather,
    "scan": lambda x: tf.scan(lambda carry, row: carry + row, x, tf.zeros(8)),
}

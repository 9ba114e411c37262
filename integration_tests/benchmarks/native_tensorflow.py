"""The same work in TensorFlow alone, as one writes it by hand."""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from native_weights import dense_weights, draw_vgg19, weights


def mlp(x: Any, y: Any, batch: int) -> Callable[[], None]:
    p = [tf.Variable(w) for w in weights("mlp")]

    def loss(rows: Any) -> Any:
        out, target = mlp_out(p, rows[0]), rows[1]
        value = tf.nn.sparse_softmax_cross_entropy_with_logits(target, out)
        hits = tf.cast(tf.argmax(out, 1, tf.int32) == target, tf.float32)
        return tf.reduce_mean(value), tf.reduce_sum(hits)

    return _epoch(p, loss, [x, y], len(x), batch)


def mlp_out(p: Any, x: Any) -> Any:
    x = tf.nn.relu(x @ p[0] + p[1])
    return tf.nn.relu(x @ p[2] + p[3]) @ p[4] + p[5]


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
        steps = tf.transpose(x @ w + b, (1, 0, 2))
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


def _epoch(p: Any, loss: Any, rows: Any, samples: int, batch: int) -> Callable[[], None]:
    rows = [tf.constant(r) for r in rows]
    slots = [tf.Variable(tf.zeros_like(w)) for w in p]
    totals = [tf.Variable(0.0), tf.Variable(0.0)]

    @tf.function
    def step(index: Any) -> None:
        with tf.GradientTape() as tape:
            value, more = loss([tf.gather(r, index) for r in rows])
        for w, g, s in zip(p, tape.gradient(value, p), slots, strict=True):
            g = tf.convert_to_tensor(g)
            s.assign(0.9 * s + 0.1 * g * g)
            w.assign_sub(1e-3 * g / tf.sqrt(s + 1e-7))
        totals[0].assign_add(value)
        totals[1].assign_add(more)

    def run() -> None:
        order = tf.constant(np.random.permutation(samples).astype("int32"))
        for k in range(0, samples, batch):
            step(order[k : k + batch])
        float(totals[0]), float(totals[1])

    return run


def forward(x: Any) -> Callable[[], Any]:
    p, xs = [tf.Variable(w) for w in weights("mlp")], tf.constant(x)
    call = tf.function(lambda x: mlp_out(p, x))
    return lambda: call(xs)


def dense_stack(count: int) -> Any:
    return [tf.Variable(w) for w in dense_weights(count)]


def vgg19() -> Any:
    return [tf.Variable(w) for w in draw_vgg19()]


drawn_dense_stack = dense_stack

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

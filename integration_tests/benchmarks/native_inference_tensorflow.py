"""The models of `inference.py` in TensorFlow alone, as one writes them by hand."""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

COMPILES_LOOPS = True
tensor = tf.constant
Call = Callable[[Any], Any]
Work = Callable[[Call, Any], Any]


def program(name: str, is_compiled: bool) -> Call:
    """Returns the native program of a row."""
    random = np.random.default_rng(0)
    shapes = CNN if name == "cnn" else TRANSFORMER
    p = [tf.Variable(random.normal(0, 0.05, shape).astype("float32")) for shape in shapes]
    function = {"cnn": cnn, "transformer": transformer}.get(name)
    if function is None:
        function = generate_in_loop if is_compiled else generate
    run: Call = lambda x: function(p, x)  # noqa: E731
    return tf.function(run, jit_compile=True) if is_compiled else run


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
        x = tf.nn.bias_add(tf.nn.conv2d(x, kernel, 1, "SAME"), bias)
        x = tf.compat.v1.nn.fused_batch_norm(
            x, scale, offset, mean, tf.abs(variance), is_training=False
        )[0]
        x = tf.nn.max_pool2d(tf.nn.relu(x), 2, 2, "VALID")
    h = tf.nn.relu(tf.nn.bias_add(tf.reduce_mean(x, (1, 2)) @ p[18], p[19]))
    return tf.nn.bias_add(h @ p[20], p[21])


def transformer(p: Any, words: Any) -> Any:
    x = tf.gather(p[0], words)
    for k in (1, 13):
        w = p[k : k + 12]
        h = _dense(_attend(_dense(_norm(x, *w[:2]), *w[2:4])), *w[4:6])
        x = x + h
        h = tf.nn.gelu(_dense(_norm(x, *w[6:8]), *w[8:10]))
        x = x + _dense(h, *w[10:12])
    return _dense(_norm(x, *p[25:27]), *p[27:29])


def _dense(x: Any, kernel: Any, bias: Any) -> Any:
    flat = tf.reshape(x, (-1, kernel.shape[0]))
    return tf.reshape(tf.nn.bias_add(flat @ kernel, bias), (4, 64, kernel.shape[1]))


def _norm(x: Any, scale: Any, offset: Any) -> Any:
    mean, variance = tf.nn.moments(x, -1, keepdims=True)
    return tf.nn.batch_normalization(x, mean, variance, offset, scale, 1e-5)


def _attend(x: Any) -> Any:
    q, k, v = tf.split(tf.reshape(x, (4, 64, 24, 32)), 3, 2)
    scores = tf.einsum("btnh,bsnh->bnts", q, k) / 32**0.5
    future = tf.constant(np.triu(np.full((64, 64), -1e9, "float32"), 1))
    mixed = tf.einsum("bnts,bsnh->btnh", tf.nn.softmax(scores + future), v)
    return tf.reshape(mixed, (4, 64, 256))


_ROWS = np.arange(4)[:, None]


def generate(p: Any, tokens: Any) -> Any:
    for k in range(32, 64):
        best = tf.argmax(transformer(p, tokens)[:, k - 1], -1, tf.int32)
        where = np.concatenate([_ROWS, np.full_like(_ROWS, k)], 1)
        tokens = tf.tensor_scatter_nd_update(tokens, where, best)
    return tokens


def generate_in_loop(p: Any, tokens: Any) -> Any:
    def step(k: Any, tokens: Any) -> Any:
        best = tf.argmax(tf.gather(transformer(p, tokens), k - 1, axis=1), -1, tf.int32)
        is_next = tf.range(64)[None] == k
        return k + 1, tf.where(is_next, best[:, None], tokens)

    return tf.while_loop(lambda k, _: k < 64, step, (tf.constant(32), tokens))[1]


def run_model(model: Any, work: Work) -> Call:
    """Returns the work with a model of Keras, run eagerly."""
    return lambda x: work(model, x)


def compile_model(model: Any, work: Work) -> Call:
    """Returns the work with a model of Keras, compiled as users do."""
    return tf.function(lambda x: work(model, x), jit_compile=True)


def wait(result: Any) -> None:
    """Waits for the result."""
    result.numpy()

"""Single ops: the overhead of `ops.X` compared with the native call, one row per class of ops."""

import importlib
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

CALLS = 200


class Row(NamedTuple):
    """A call of an op, in microseconds, the shortest of the rounds."""

    title: str
    ours: float
    native: float
    compiled: float
    native_compiled: float


def inputs() -> dict[str, Any]:
    """Small arrays, so that the overhead of a call is visible."""
    random = np.random.default_rng(0)

    def draw(*shape: int) -> Any:
        return random.normal(size=shape).astype("float32")

    return {
        "relu": [draw(32, 64)],
        "add": [draw(32, 64), draw(64)],
        "sum": [draw(32, 64)],
        "matmul": [draw(32, 64), draw(64, 64)],
        "conv": [draw(4, 16, 16, 8), draw(3, 3, 8, 8)],
        "attention": [draw(2, 16, 4, 8), draw(2, 16, 4, 8), draw(2, 16, 4, 8)],
        "gather": [draw(100, 16), random.integers(0, 100, 32).astype("int32")],
        "scan": [draw(32, 8)],
    }


def ours() -> dict[str, Callable[..., Any]]:
    """Returns the ops by row."""
    from keras_fn import ops

    def step(carry: Any, x: Any) -> Any:
        carry = ops.add(carry, x)
        return carry, carry

    return {
        "relu": ops.relu,
        "add": ops.add,
        "sum": lambda x: ops.sum(x, axis=-1),
        "matmul": ops.matmul,
        "conv": lambda x, kernel: ops.conv(x, kernel, padding="same"),
        # In a lambda, as the native one: tf.function takes 20 us to bind an option.
        "attention": lambda q, k, v: ops.dot_product_attention(q, k, v),  # noqa: PLW0108
        "gather": lambda x, indices: ops.take(x, indices, axis=0),
        "scan": lambda x: ops.scan(step, ops.zeros((8,)), x)[1],
    }


def measure(backend: str, rounds: int) -> list[Row]:
    """Times every row, ours and native alternately."""
    from keras_fn import ops

    native = importlib.import_module(f"native_{backend}")
    rows = []
    for name, arrays in inputs().items():
        tensors = [ops.convert_to_tensor(a) for a in arrays]
        pair = (ours()[name], native.OPS[name])
        quick = tuple(map(native.compiled, pair))
        times = [_shortest(functions, tensors, rounds) for functions in (pair, quick)]
        rows.append(Row(name, *times[0], *times[1]))
    return rows


def _shortest(functions: Any, tensors: list[Any], rounds: int) -> list[float]:
    best = [float("inf")] * 2
    for function in functions:
        _run(function, tensors, 3)
    for _ in range(rounds):
        for i, function in enumerate(functions):
            best[i] = min(best[i], _run(function, tensors, CALLS))
    return best


def _run(function: Callable[..., Any], tensors: list[Any], calls: int) -> float:
    """Returns microseconds per call, including waiting for the last result."""
    from keras_fn import ops

    result = None
    start = time.perf_counter()
    for _ in range(calls):
        result = function(*tensors)
    ops.convert_to_numpy(result)
    return (time.perf_counter() - start) / calls * 1e6

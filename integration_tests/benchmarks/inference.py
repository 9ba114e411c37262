"""Inference as users of Keras measure it: a small CNN and a small transformer, on few samples.

The models have 114,000 and 2.1 million weights, the batch has 4 samples, a text 64 tokens. Each is
run forward, and the transformer also generates 32 tokens, one after the other, with a forward pass
for each: eagerly, and compiled with the framework's own function. The native programs, in
`native_inference_*.py`, are what one who knows the framework writes by hand. Measured is processor
time, which other programs disturb less: set OMP_NUM_THREADS=1, as threads of PyTorch wait actively.
"""

import importlib
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import jobs
import numpy as np
from tables import Row

BATCH, SIZE, CLASSES = 4, 32, 10  # of images
WORDS, LENGTH, PROMPT = 1024, 64, 32
WIDTH, HEADS, BLOCKS = 256, 8, 2
TARGET = 1.1
Call = Callable[[Any], Any]


def cnn(keras: Any) -> Any:
    """A convolutional classifier with batch normalization."""
    layers = keras.layers
    x = inputs = keras.Input((SIZE, SIZE, 3))
    for filters in (32, 64, 128):
        x = layers.Conv2D(filters, 3, padding="same")(x)
        x = layers.Activation("relu")(layers.BatchNormalization()(x))
        x = layers.MaxPooling2D()(x)
    x = layers.Dense(144, activation="relu")(layers.GlobalAveragePooling2D()(x))
    return keras.Model(inputs, layers.Dense(CLASSES)(x))


def transformer(keras: Any) -> Any:
    """A causal language model of pre-norm blocks."""
    layers = keras.layers
    inputs = keras.Input((LENGTH,), dtype="int32")
    x = layers.Embedding(WORDS, WIDTH)(inputs)
    for _ in range(BLOCKS):
        h = layers.LayerNormalization(epsilon=1e-5)(x)
        h = layers.MultiHeadAttention(HEADS, WIDTH // HEADS)(h, h, use_causal_mask=True)
        x = layers.add([x, h])
        h = layers.LayerNormalization(epsilon=1e-5)(x)
        h = layers.Dense(WIDTH)(layers.Dense(4 * WIDTH, activation="gelu")(h))
        x = layers.add([x, h])
    x = layers.LayerNormalization(epsilon=1e-5)(x)
    return keras.Model(inputs, layers.Dense(WORDS)(x))


def images() -> Any:
    """Random images."""
    return np.random.default_rng(0).random((BATCH, SIZE, SIZE, 3), dtype="float32")


def texts() -> Any:
    """Random prompts, and zeros where tokens are to be generated."""
    words = np.random.default_rng(0).integers(1, WORDS, (BATCH, LENGTH)).astype("int32")
    words[:, PROMPT:] = 0
    return words


def forward(keras: Any, call: Call, x: Any) -> Any:
    """A forward pass."""
    del keras
    return call(x)


def generate(keras: Any, call: Call, tokens: Any) -> Any:
    """Greedy decoding: each forward pass gives the most probable next token."""
    for k in range(PROMPT, LENGTH):
        best = keras.ops.argmax(call(tokens)[:, k - 1], axis=-1)
        tokens = keras.ops.slice_update(tokens, (0, k), best[:, None])
    return tokens


def generate_in_loop(keras: Any, call: Call, tokens: Any) -> Any:
    """The same as a loop of the framework, which a compiler takes as a whole."""
    ops = keras.ops

    def step(k: Any, tokens: Any) -> Any:
        best = ops.argmax(ops.take(call(tokens), k - 1, axis=1), axis=-1)
        return ops.slice_update(tokens, (0, k), ops.cast(best, "int32")[:, None])

    return ops.fori_loop(PROMPT, LENGTH, step, tokens)


ROWS = {
    "cnn": ("CNN, forward", cnn, images, forward, forward, 20),
    "transformer": ("transformer, forward", transformer, texts, forward, forward, 20),
    "generate": ("transformer, 32 tokens", transformer, texts, generate, generate_in_loop, 1),
}
MODES = ("eager", "compiled")


def make_job(name: str, mode: str) -> jobs.Job:
    """Returns a row of the table as a job.

    Args:
        name: A key of `ROWS`.
        mode: `"eager"` or `"compiled"`.
    """
    native = importlib.import_module(f"native_inference_{jobs.BACKEND}")
    title, make_model, data, work, work_in_loop, calls = ROWS[name]
    is_compiled = mode == "compiled"
    work = work_in_loop if is_compiled and native.COMPILES_LOOPS else work
    x = native.tensor(data())

    def repeated(run: Call) -> jobs.Work:
        return lambda: native.wait([run(x) for _ in range(calls)][-1])

    def keras(keras: Any) -> jobs.Work:
        model = make_model(keras)
        work_of = partial(work, keras)
        return repeated((native.compile_model if is_compiled else native.run_model)(model, work_of))

    def by_hand(_: Any) -> jobs.Work:
        return repeated(native.program(name, is_compiled))

    return jobs.Job(f"{title}, {mode}", TARGET, keras, by_hand, calls)


def rows(sides: dict[str, Any], rounds: int) -> Iterator[Row]:
    """Measures all rows, one after the other.

    Args:
        sides: The libraries and the native programs.
        rounds: How often each is measured.
    """
    for mode in MODES:
        for name in ROWS:
            job = make_job(name, mode)
            values = jobs.measure(job, sides, rounds, clock=time.process_time)
            yield Row(job.title, values, f"{TARGET:.2f}")

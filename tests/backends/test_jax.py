"""JIT compilation of composite ops, which only the JAX backend has."""

import os

import numpy as np
import pytest

if os.environ.get("KERAS_BACKEND") != "jax":
    pytest.skip("is about the JAX backend", allow_module_level=True)

import jax

import keras_fn_jax as backend
from keras_fn import ops, random

X = jax.numpy.arange(6.0)
IMAGES = jax.numpy.ones((2, 32, 32, 3))
COMPILED = "/jax/core/compile/backend_compile_duration"


_events: list[str] = []


def _note(event, duration, **_):
    _events.extend([event] if event == COMPILED else [])


# Permanent: the oldest supported JAX cannot unregister a listener.
jax.monitoring.register_event_duration_secs_listener(_note)


@pytest.fixture
def compilations():
    """Names of JAX events: one for each compilation from now on."""
    _events.clear()
    return _events


class Scaled:
    """An op that records the numbers for which it was traced, and for which it ran uncompiled."""

    def __init__(self):
        self.traced: list[float] = []
        self.plain: list[float] = []
        self.op = backend.compile_op(self.body)

    def body(self, x, by):
        (self.traced if isinstance(x, jax.core.Tracer) else self.plain).append(by)
        return x * by


def test_a_stream_of_new_numbers_compiles_once():
    scaled = Scaled()
    for by in range(1, 50):
        np.testing.assert_array_equal(scaled.op(X, by / 10), X * (by / 10))
    assert scaled.traced == [0.1] and len(scaled.plain) == 48


def test_repeated_numbers_are_compiled():
    scaled = Scaled()
    for by in (1.0, 2.0, 2.0, 1.0, 2.0):
        np.testing.assert_array_equal(scaled.op(X, by), X * by)
    assert (scaled.traced, scaled.plain) == ([1.0, 2.0], [2.0])


def test_numbers_of_another_type_have_another_signature():
    scaled = Scaled()
    dtypes = [scaled.op(jax.numpy.arange(3), by).dtype for by in (1, 1.0, True)]
    assert dtypes == ["int32", "float32", "int32"]
    assert [type(by) for by in scaled.traced] == [int, float, bool]


def test_the_cache_of_numbers_is_bounded():
    scaled = Scaled()
    for by in range(2_000):
        scaled.op(X, float(by))
    assert len(scaled.traced) <= 3  # once in a thousand all are forgotten


def test_unhashable_arguments_run_uncompiled():
    summed = backend.compile_op(lambda x, by: x + sum(by))
    np.testing.assert_array_equal(summed(X, {1.0, 2.0}), X + 3)


@pytest.mark.parametrize(
    "call",
    [
        lambda i: random.shuffle(X, seed=i),
        lambda i: random.dropout(X, 0.5, seed=i),
        lambda i: random.categorical(X[None], 3, seed=i),
        lambda i: ops.leaky_relu(X, 0.01 * i),
        lambda i: ops.image.crop_images(IMAGES, i, i, target_height=4, target_width=4),
    ],
)
def test_new_seeds_and_numbers_compile_nothing(compilations, call):
    for i in range(4):  # the first call of a kind, its parts, and numbers like 0 that are special
        call(i)
    assert compilations
    compilations.clear()
    for i in range(5, 9):
        call(i)
    assert not compilations

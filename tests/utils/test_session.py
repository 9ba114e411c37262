"""Beginning anew within a program."""

import gc
import weakref

import pytest

import keras_fn as keras
from keras_fn import layers


def test_clear_session_resets_names():
    layers.Dense(1)
    keras.utils.clear_session()
    assert [layers.Dense(1).name for _ in range(2)] == ["dense", "dense_1"]


@pytest.mark.parametrize("free", [True, False])
def test_clear_session_runs_the_garbage_collector_if_asked(free):
    class Ring:
        pass

    gc.disable()
    try:
        ring = Ring()
        ring.ring, seen = ring, weakref.ref(ring)
        del ring
        keras.utils.clear_session(free_memory=free)
        assert (seen() is None) == free
    finally:
        gc.enable()

"""Tracebacks show the user's frames, and ours when asked to."""

import traceback
from collections.abc import Iterator

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import ops


@pytest.fixture(params=[True, False], ids=["filtered", "whole"])
def filtering(request: pytest.FixtureRequest) -> Iterator[bool]:
    before = keras.config.is_traceback_filtering_enabled()
    switch = keras.config.enable_traceback_filtering
    (switch if request.param else keras.config.disable_traceback_filtering)()
    assert keras.config.is_traceback_filtering_enabled() is request.param
    yield request.param
    (switch if before else keras.config.disable_traceback_filtering)()


def frames(error: BaseException) -> list[str]:
    return [f.f_globals["__name__"] for f, _ in traceback.walk_tb(error.__traceback__)]


class Broken(keras.layers.Layer):
    def call(self, inputs):
        return self.deeper(inputs)

    def deeper(self, inputs):
        raise KeyError("mine")


def test_of_a_layer(filtering: bool) -> None:
    with pytest.raises(KeyError) as caught:
        Broken()(np.ones((2, 3), "float32"))
    names = frames(caught.value)
    own = [name for name in names if name == __name__]
    assert len(own) == 3, "this function, call, deeper"
    # One of ours is left, through which the error leaves: Layer.__call__.
    assert len([n for n in names if n.startswith("keras_fn")]) == 1 if filtering else len(names) > 5


def test_of_fit(filtering: bool) -> None:
    inputs = keras.Input((3,))
    model = keras.Model(inputs, keras.layers.Dense(1)(inputs))
    model.compile("sgd", "mse")
    with pytest.raises(ValueError) as caught:
        model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)
    ours = [name for name in frames(caught.value) if name.startswith("keras_fn")]
    assert not ours if filtering else len(ours) > 1


def test_of_an_op(filtering: bool) -> None:
    with pytest.raises(ValueError) as caught:
        ops.matmul(np.ones((2, 3), "float32"), np.ones((4, 5), "float32"))
    ours = [name for name in frames(caught.value) if name.startswith("keras_fn")]
    assert len(ours) == 1 if filtering else len(ours) > 2


def test_of_what_led_to_it(filtering: bool) -> None:
    class Wrapping(keras.layers.Layer):
        def call(self, inputs):
            try:
                return Broken()(inputs)
            except KeyError as error:
                raise RuntimeError("outer") from error

    with pytest.raises(RuntimeError) as caught:
        Wrapping()(np.ones((2, 3), "float32"))
    cause = caught.value.__cause__
    ours = [n for error in (caught.value, cause) for n in frames(error) if n.startswith("keras_fn")]
    assert len(ours) == 1 if filtering else len(ours) > 6

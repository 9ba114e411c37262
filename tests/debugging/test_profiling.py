"""The profile of a step: sleeping layers show where the time is, and nothing else changes."""

import io
import time

import numpy as np
import pytest
from rich.console import Console

import keras_fn as keras
from keras_fn.backend.loader import current
from keras_fn.debugging.profiling import LayerTime, StepProfile, profile_step

X = np.random.default_rng(0).normal(size=(8, 3))
Y = np.ones(8)


class Slow(keras.layers.Layer):
    """Takes its time whenever Python runs it: in a compiled step that is while it is traced."""

    def call(self, x):
        time.sleep(0.02)
        return x * 2.0


def model_of(*layers, optimizer="adam"):
    x = keras.Input((3,), name="x")
    y = x
    for layer in (*layers, keras.layers.Dense(1, name="out")):
        y = layer(y)
    model = keras.Model(x, y)
    model.compile(optimizer, "mse", metrics=["mae"])
    return model


def test_a_slow_layer_has_the_largest_time():
    inner = keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(3, name="fast"), Slow(name="slow")], name="inner"
    )
    profile = profile_step(model_of(inner), X, Y, repeats=3)
    layers = {layer.path: layer for layer in profile.layers}
    assert list(layers) == ["inner/fast", "inner/slow", "out"]
    assert [layer.class_name for layer in layers.values()] == ["Dense", "Slow", "Dense"]
    assert layers["inner/slow"].seconds >= 0.02
    assert max(layers.values(), key=lambda layer: layer.seconds) is layers["inner/slow"]


def test_a_layer_that_runs_twice_counts_twice():
    slow = Slow(name="slow")
    (first, *_) = profile_step(model_of(slow, slow), X, Y, repeats=2).layers
    assert first.path == "slow" and first.seconds >= 0.04


def test_the_stages_are_those_of_a_step():
    profile = profile_step(model_of(keras.layers.Dropout(0.5)), X, Y, repeats=3)
    assert list(profile.stages) == ["data", "forward", "backward and update", "metrics"]
    assert all(seconds >= 0 for seconds in profile.stages.values())
    assert profile.step_seconds > 0
    parts = sum(seconds for name, seconds in profile.stages.items() if name != "data")
    assert parts >= profile.step_seconds * 0.999


@pytest.mark.parametrize("trained", [False, True])
def test_the_model_is_restored(trained):
    model = model_of(keras.layers.BatchNormalization(), keras.layers.Dropout(0.5))
    if trained:
        model.fit(X, Y, verbose=0)

    def everything():
        found = (*model.variables, *model.optimizer.variables)
        return [v.numpy() for v in (*found, *(v for m in model.metrics for v in m.variables))]

    before = everything()
    profile_step(model, X, Y, sample_weight=np.ones(8), repeats=1)
    after = everything()
    assert len(before) == len(after) and all(map(np.array_equal, before, after))
    assert model.optimizer.built is trained
    model.fit(X, Y, verbose=0)


def test_several_inputs_by_name():
    a, b = keras.Input((3,), name="a"), keras.Input((2,), name="b")
    model = keras.Model({"a": a, "b": b}, keras.layers.Concatenate(name="join")([a, b]))
    model.compile("sgd", "mse")
    profile = profile_step(model, {"a": X, "b": X[:, :2]}, np.ones((8, 5)), repeats=1)
    assert [layer.path for layer in profile.layers] == ["join"]


def test_an_uncompiled_model_raises():
    x = keras.Input((3,))
    with pytest.raises(ValueError, match="a model that is compiled"):
        profile_step(keras.Model(x, keras.layers.Dense(1)(x)), X, Y)


def test_it_prints_as_tables():
    layers = (LayerTime("a/b", "Dense", 0.003), LayerTime("c", "Log", 0.001))
    profile = StepProfile({"data": 0.001, "forward": 0.004}, layers, 0.004)
    text = str(profile)
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in text.splitlines()]
    assert ["forward", "4.000", "80.0%"] in rows
    assert ["a/b", "Dense", "3.000", "75.0%"] in rows
    console = Console(file=io.StringIO(), width=80)
    console.print(profile)
    assert "Stage of a step" in console.file.getvalue()


def test_a_backend_without_block_until_ready_is_read_instead(monkeypatch):
    read = []
    convert = current().convert_to_numpy
    monkeypatch.delattr(current(), "block_until_ready")

    def count(x, copy=True):
        read.append(1)
        return convert(x, copy)

    monkeypatch.setattr(current(), "convert_to_numpy", count)
    profile_step(model_of(), X, Y, repeats=1)
    assert read

"""The record of shapes for which steps were compiled, and the word about ever new ones."""

import warnings

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import layers, ops
from keras_fn.backend.loader import current
from keras_fn.debugging.retracing import MAX_SILENT_RETRACES

COMPILES = hasattr(current(), "compile_call")
compiling = pytest.mark.skipif(not COMPILES, reason="this backend runs steps as they are")


def averaging(**compiled):
    words = keras.Input((None, 2), name="words")
    model = keras.Model(words, layers.Dense(1)(layers.GlobalAveragePooling1D()(words)), name="m")
    model.compile("sgd", "mse", **compiled)
    return model


def batch(samples, length):
    return np.ones((samples, length, 2), "float32"), np.ones((samples, 1), "float32")


def of_shapes(*shapes):
    return iter([batch(*shape) for shape in shapes])


def counted(model):
    """The number of times that the model is traced in training or evaluation, from now on."""
    traces = []
    call = model.call

    def noting(*args, **kwargs):
        traces.append(tuple(args[0].shape))
        return call(*args, **kwargs)

    model.call = noting
    return traces


@compiling
def test_each_new_shape_is_recorded_once_with_its_differences():
    model = averaging()
    model.fit(of_shapes((4, 5), (4, 5), (4, 6), (3, 6), (4, 5), (3, 6)), verbose=0)
    assert [c.reason for c in model.trace_log] == [
        "the first batch",
        "x: axis 1 is 6, was 5",
        "x, y: axis 0 is 3, was 4",
    ]
    assert [c.kind for c in model.trace_log] == ["train"] * 3
    assert model.trace_log[1].shapes == {
        "x": ((4, 6, 2), "float32"),
        "y": ((4, 1), "float32"),
    }
    model.fit(of_shapes((4, 5), (4, 6)), verbose=0)
    assert len(model.trace_log) == 3
    model.evaluate(of_shapes((4, 5)), verbose=0)
    assert [c.kind for c in model.trace_log] == ["train"] * 3 + ["test"]
    model.compile("sgd", "mse")
    assert model.trace_log == []


@compiling
def test_the_trace_log_agrees_with_the_traces():
    model = averaging()
    model.fit(of_shapes((4, 5)), verbose=0)
    traces = counted(model)
    model.fit(of_shapes((4, 5), (4, 6), (2, 6), (4, 6), (2, 6)), epochs=1, verbose=0)
    new = len(model.trace_log) - 1
    assert len(set(traces)) == len(traces) == new == 2


@compiling
def test_other_differences_are_reported():
    a, b = keras.Input((None,), name="a"), keras.Input((1,), name="b")
    model = keras.Model({"a": a, "b": b}, layers.Add()([ops.mean(a, 1, keepdims=True), b]))
    model.compile("sgd", "mse")
    b, y = np.ones((2, 1), "float32"), np.ones((2, 1), "float32")
    first, longer = ({"a": np.ones((2, n), "float32"), "b": b} for n in (3, 4))
    weighted = (first, y, np.ones(2, "float32"))
    model.fit(iter([(first, y), (longer, y), weighted, (first, y.astype("int32"))]), verbose=0)
    assert [c.reason for c in model.trace_log] == [
        "the first batch",
        "x 'a': axis 1 is 4, was 3",
        "sample_weight is new",
        "y is int32, was float32",
    ]


@compiling
def test_ever_changing_lengths_warn_once_with_their_axis():
    model = averaging()
    with pytest.warns(UserWarning, match="keeps changing") as caught:
        model.fit(of_shapes(*[(2, n) for n in range(1, MAX_SILENT_RETRACES + 4)]), verbose=0)
    ours = [str(w.message) for w in caught if "keeps changing" in str(w.message)]
    assert len(ours) == 1
    assert (
        f"Model 'm' has compiled its train step for {MAX_SILENT_RETRACES + 1} batch shapes"
        in ours[0]
    )
    assert "axis 1 of x keeps changing: 1, 2, 3" in ours[0] and "pad_sequences" in ours[0]
    assert len(model.trace_log) == MAX_SILENT_RETRACES + 3


@compiling
def test_ever_changing_batch_sizes_have_another_fix():
    with pytest.warns(
        UserWarning, match=r"axis 0 of x keeps changing(.|\n)*same number of samples"
    ):
        averaging().evaluate(
            of_shapes(*[(n, 2) for n in range(1, MAX_SILENT_RETRACES + 2)]), verbose=0
        )


def test_few_shapes_and_arrays_do_not_warn():
    model = averaging()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(of_shapes(*[(2, n) for n in range(1, MAX_SILENT_RETRACES + 1)]), verbose=0)
        model.fit(*batch(5, 3), batch_size=2, verbose=0)
    assert len(model.trace_log) == (MAX_SILENT_RETRACES if COMPILES else 0)


def test_nothing_is_recorded_without_compilation():
    model = averaging(run_eagerly=True)
    model.fit(of_shapes(*[(2, n) for n in range(1, MAX_SILENT_RETRACES + 4)]), verbose=0)
    assert model.trace_log == []

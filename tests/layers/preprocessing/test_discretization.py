"""`Discretization`: edges that are given, or quantiles of data."""

import numpy as np
import pytest

import keras_fn as keras
from keras_fn.errors import SpecError
from keras_fn.layers import Discretization
from keras_fn.layers.preprocessing._quantile_sketch import QuantileSketch


def numpy(x):
    return keras.ops.convert_to_numpy(keras.ops.convert_to_tensor(x, sparse=False))


def test_a_bin_holds_its_lower_edge():
    layer = Discretization([0.0, 1.0, 2.0])
    x = np.array([[-1.5, 1.0, 3.4, 0.5], [0.0, np.nan, np.inf, -np.inf]], "float32")
    y = layer(x)
    assert keras.ops.dtype(y) == "int32" and numpy(y).tolist() == [[0, 2, 3, 1], [1, 3, 3, 0]]
    assert numpy(layer(np.array([-1, 0, 5]))).tolist() == [0, 1, 3]


@pytest.mark.parametrize(
    ("mode", "sparse"), [("one_hot", False), ("multi_hot", False), ("count", True)]
)
def test_indices_are_encoded(mode, sparse):
    layer = Discretization(num_bins=2, output_mode=mode, sparse=sparse)
    assert layer(keras.Input((3,))).sparse == sparse  # before it is adapted
    layer.adapt(np.array([1.0, 2.0, 3.0, 4.0]))
    expected = {"one_hot": [[1, 0], [0, 1], [0, 1]], "multi_hot": [1, 1], "count": [1, 2]}[mode]
    assert numpy(layer(np.array([[1.0, 3.0, 4.0]]))).tolist() == [expected]


def test_edges_of_few_numbers_are_those_of_keras():
    # Noted from Keras 3.15.1 on TensorFlow.
    data = np.arange(10.0) ** 2
    layer = Discretization(num_bins=4)
    layer.adapt(data)
    assert layer.bin_boundaries == pytest.approx([2.5, 16.0, 42.5])
    layer.adapt([data[:3], data[3:]])
    assert layer.bin_boundaries == pytest.approx([2.5, 16.0, 42.5])


@pytest.mark.parametrize("order", ["drawn", "ascending"])
def test_quantiles_are_as_good_as_promised(order):
    epsilon = 0.001
    data = np.random.default_rng(0).gamma(2.0, size=600_001)
    data = np.sort(data) if order == "ascending" else data
    sketch = QuantileSketch(epsilon)
    for start in range(0, len(data), 50_000):
        sketch.update(data[start : start + 50_000])
    fractions = np.arange(1, 20) / 20
    ranks = np.searchsorted(np.sort(data), sketch.quantiles(fractions.tolist())) / len(data)
    assert np.abs(ranks - fractions).max() < epsilon
    assert sketch.count == len(data)


def test_adapt_replaces_and_update_state_adds():
    layer = Discretization(num_bins=2)
    layer.adapt([5.0, 5.0])
    layer.adapt([1.0, 3.0])
    assert layer.bin_boundaries == [1.0]
    layer.update_state([7.0, 9.0])
    layer.finalize_state()
    assert layer.bin_boundaries == [3.0]
    layer.adapt((x for x in ([1.0], [2.0], [9.0])), steps=2)
    assert layer.bin_boundaries == [1.0]


def test_there_are_as_many_bins_as_asked_for():
    layer = Discretization(num_bins=5, output_mode="one_hot")
    layer.adapt([2.0, np.nan, 1.0])
    assert len(layer.bin_boundaries) == 4
    assert tuple(layer(np.zeros((1, 2))).shape) == (1, 2, 5)


def test_the_config_keeps_what_adapt_found():
    layer = Discretization(num_bins=2, dtype="mixed_float16", output_mode="one_hot")
    layer.adapt([1.0, 3.0])
    again = Discretization.from_config(layer.get_config())
    assert again.bin_boundaries == [1.0] and again.num_bins == 2
    assert again.compute_dtype == "float16" and again.output_dtype == "float16"
    assert Discretization([1.0]).get_config()["dtype"] == "float32"


def refusals():
    return {
        "either bin_boundaries or num_bins": Discretization,
        "received: bin_boundaries=[1.0], num_bins=2": lambda: Discretization([1.0], 2),
        "ascending order": lambda: Discretization([2.0, 1.0]),
        "a positive integer": lambda: Discretization(num_bins=0),
        "epsilon: a number between 0 and 1": lambda: Discretization([1.0], epsilon=2.0),
        "'multi_hot' or 'count'": lambda: Discretization([1.0], output_mode="tf_idf"),
        "False with output_mode='int'": lambda: Discretization([1.0], sparse=True),
        "a call before adapt()": lambda: Discretization(num_bins=2)(np.zeros(2)),
        "a layer with num_bins": lambda: Discretization([1.0]).adapt([1.0]),
        "none, or NaN alone": lambda: Discretization(num_bins=2).adapt([np.nan]),
    }


@pytest.mark.parametrize("words", refusals())
def test_what_does_not_fit_is_refused_by_name(words):
    with pytest.raises(SpecError, match=r"[Dd]iscretization") as error:
        refusals()[words]()
    assert words in str(error.value)

"""Preprocessing layers outside of models: what they take, and what comes back; other frameworks."""

import pickle
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from host_layers import Double, Lengths, Noise, SumAndName, Upper

import keras_fn as keras
from keras_fn import layers, ops
from keras_fn.backend.loader import current
from keras_fn.errors import DTypeError, UnsupportedError
from keras_fn.layers.preprocessing import data_layer
from keras_fn.layers.preprocessing.data_layer import HostLayer

TEXTS = {
    "a string": ("abc", ()),
    "a list": (["a", "bcd"], (2,)),
    "nested lists": ([["a", "b"], ["c", "d"]], (2, 2)),
    "str": (np.array([["a"], ["bc"]]), (2, 1)),
    "bytes": (np.array([b"a", "é".encode()]), (2,)),
    "objects": (np.array(["a", b"b"], object), (2,)),
    "StringDType": (np.array(["a", "b"], np.dtypes.StringDType()), (2,)),
    "nothing": (np.zeros((0, 1), "U1"), (0, 1)),
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_layer_of_text_takes_it_in_each_form(name):
    data, shape = TEXTS[name]
    result = Lengths()(data)
    assert ops.is_tensor(result)
    assert tuple(result.shape) == shape
    flat = [v.decode() if isinstance(v, bytes) else str(v) for v in np.asarray(data).ravel()]
    assert ops.convert_to_numpy(result).ravel().tolist() == list(map(len, flat))


def test_text_as_a_result_is_a_tensor_where_there_are_such():
    result = Upper()(["a", "b"])
    if keras.config.backend() == "tensorflow":
        assert result.numpy().tolist() == [b"A", b"B"]
    else:
        assert result.tolist() == ["A", "B"]


def test_symbolic_calls_compute_nothing():
    text = keras.Input((3,), dtype="string")
    assert (Upper()(text).dtype, Upper()(text).shape) == ("string", (None, 3))
    assert Lengths().compute_output_spec(text).shape == (None, 3)
    assert Double()(keras.Input((3,), dtype="int32")).dtype == "float32"


def test_layers_are_pickled_with_their_state():
    noise = Noise(seed=1)
    copy = pickle.loads(pickle.dumps(noise))
    x = np.zeros(3, "float32")
    np.testing.assert_array_equal(ops.convert_to_numpy(copy(x)), ops.convert_to_numpy(noise(x)))


NUMERIC = {
    "Dense": lambda: layers.Dense(2),
    "Embedding": lambda: layers.Embedding(3, 2),
    "Rescaling": lambda: layers.Rescaling(2.0),
    "relu": lambda: ops.relu,
    "add": lambda: lambda x: ops.add(x, 1),
}


@pytest.mark.parametrize("name", NUMERIC)
@pytest.mark.parametrize("kind", ["array", "symbolic"])
def test_text_is_refused_by_what_computes_with_numbers(name, kind):
    function = NUMERIC[name]()
    x = np.array([["a"]]) if kind == "array" else keras.Input((2,), dtype="string")
    with pytest.raises(DTypeError) as caught:
        function(x)
    error = caught.value
    assert name.lower() in error.source.lower().replace("cast", name.lower())
    assert "numbers" in error.expected
    assert "StringLookup" in error.fix


def test_a_custom_layer_takes_text_for_the_layers_inside():
    class Measure(layers.Layer):
        def __init__(self):
            super().__init__()
            self.lengths, self.dense = Lengths(), layers.Dense(2)

        def call(self, inputs):
            return self.dense(ops.cast(self.lengths(inputs), "float32"))

    layer = Measure()
    assert tuple(layer(np.array([["a"], ["b"]])).shape) == (2, 2)
    assert layer(keras.Input((1,), dtype="string")).shape == (None, 2)


def test_a_compiled_function_calls_the_host_or_is_told_what_to_do():
    class Twice(HostLayer):
        def _call_on_host(self, inputs):
            return inputs * 2

        def compute_output_spec(self, inputs):
            return inputs

    compiled = current().compile(Twice(), [], donate=False)
    x = ops.convert_to_tensor(np.ones(3, "float32"))
    if keras.config.backend() != "jax":  # TensorFlow calls the host, PyTorch runs without a graph
        assert ops.convert_to_numpy(compiled(x)).tolist() == [2.0] * 3
        return
    with pytest.raises(DTypeError, match="outside of compiled functions") as caught:
        compiled(x)
    assert "dataset.map(layer)" in caught.value.fix


# ---------------------------------------------------------------- a stand-in for another framework


class Foreign:
    """A tensor of a framework that is not installed."""

    def __init__(self, array, in_graph=False):
        self.array, self.in_graph = np.asarray(array), in_graph
        sizes = list(self.array.shape)
        self.shape = SimpleNamespace(rank=len(sizes), as_list=lambda: [None, *sizes[1:]])
        name = "string" if self.array.dtype.kind in "UO" else self.array.dtype.name
        self.dtype = SimpleNamespace(name=name)

    def __array__(self, *args, **kwargs):
        assert not self.in_graph, "it has no value"
        return self.array

    def set_shape(self, shape):
        self.static_shape = shape


@pytest.fixture
def tensorflow(monkeypatch):
    """TensorFlow, as far as pipelines need it: it runs the host's function on what a graph gets."""
    if keras.config.backend() == "tensorflow":
        pytest.skip("the framework of the backend is not another one")

    def numpy_function(function, inputs, dtypes):
        results = function(*[x.array for x in inputs])
        assert [getattr(r.dtype, "name", r.dtype) for r in results] == list(dtypes)
        return [Foreign(result, in_graph=True) for result in results]

    fake = SimpleNamespace(
        Tensor=Foreign,
        is_symbolic_tensor=lambda x: x.in_graph,
        convert_to_tensor=Foreign,
        as_dtype=lambda name: "object" if name == "string" else name,
        numpy_function=numpy_function,
    )
    monkeypatch.setitem(sys.modules, "tensorflow", fake)
    return fake


def test_in_a_graph_of_tensorflow_a_layer_runs_on_the_host(tensorflow):
    result = Double()(Foreign(np.ones((2, 3), "int32"), in_graph=True))
    assert isinstance(result, Foreign)
    assert result.array.tolist() == [[2.0] * 3] * 2
    assert result.static_shape == (None, 3)
    assert result.dtype.name == "float32"


def test_in_a_graph_text_comes_in_as_bytes(tensorflow):
    text = Foreign(np.array([[b"a"], [b"bcd"]], object), in_graph=True)
    lengths = Lengths()(text)
    assert lengths.array.tolist() == [[1], [3]]
    assert Upper()(text).array.tolist() == [["A"], ["BCD"]]


def test_in_a_graph_inputs_and_results_may_be_nested(tensorflow):
    a, b = (Foreign(np.full((2, 1), n, "float32"), in_graph=True) for n in (1, 2))
    result = SumAndName()({"a": a, "b": (b,)})
    assert result["sum"].array.tolist() == [[3.0], [3.0]]
    assert [x.array.tolist() for x in result["pair"]] == [[[1.0], [1.0]], [[4.0], [4.0]]]


def test_eager_tensors_of_another_framework_come_back_as_such(tensorflow):
    result = Double()(Foreign(np.ones(2, "float32")))
    assert isinstance(result, Foreign)
    assert result.array.tolist() == [2.0, 2.0]
    assert Lengths()(Foreign(np.array(["ab"], object))).array.tolist() == [2]


def test_in_a_graph_a_tensor_needs_a_rank(tensorflow):
    x = Foreign(np.ones(2), in_graph=True)
    x.shape.rank = None
    with pytest.raises(ValueError, match="known rank"):
        Double()(x)


# ---------------------------------------------------------------- processes


def test_a_forked_process_is_refused_where_it_would_wait_forever(monkeypatch):
    monkeypatch.setattr(data_layer, "_forked_with_backend", True)
    monkeypatch.setattr(data_layer, "_is_in_pipeline", lambda: True)
    assert Lengths()(["ab"]).tolist() == [2]
    if keras.config.backend() == "torch":
        assert Double()(np.ones(1)).tolist() == [2.0]
    else:
        with pytest.raises(UnsupportedError, match="forkserver"):
            Double()(np.ones(1))

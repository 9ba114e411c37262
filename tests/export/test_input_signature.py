"""Which inputs an exported artifact takes, under which names."""

import numpy as np
import pytest

import keras_fn as keras
from keras_fn.core.endpoint import Endpoint, to_identifier, unique_names
from keras_fn.errors import DTypeError, SpecError
from keras_fn.export.input_signature import function_endpoint, layer_endpoint
from keras_fn.export.rebuild import decode_signature, encode_signature

L = keras.layers


def specs(endpoint: Endpoint) -> list[tuple]:
    return [(spec.shape, spec.dtype) for spec in endpoint.inputs]


def two_inputs() -> keras.Model:
    a = keras.Input(("time", 4), name="a")
    b = keras.Input((3,), batch_size=5, dtype="int32", name="b")
    outputs = {"sum": ops_sum(a), "next": b + 1}
    return keras.Model({"first": a, "second": b}, outputs)


def ops_sum(x):
    return keras.ops.sum(x, axis=(1, 2))


def test_a_graph_has_its_inputs_with_batches_of_any_size():
    endpoint = layer_endpoint("serve", two_inputs())
    assert specs(endpoint) == [((None, None, 4), "float32"), ((None, 3), "int32")]
    assert endpoint.input_names == ["first", "second"]
    assert endpoint.output_names == ["sum", "next"]
    assert endpoint.dynamic_axes() == [{0: "batch", 1: "time"}, {0: "batch"}]
    assert isinstance(endpoint.signature[0], dict)


def test_a_stateful_layer_keeps_the_batch_size():
    x = keras.Input((3, 2), batch_size=4)
    model = keras.Model(x, L.SimpleRNN(2, stateful=True)(x))
    assert specs(layer_endpoint("serve", model)) == [((4, 3, 2), "float32")]


class Pair(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = L.Dense(2)

    def call(self, inputs):
        return self.dense(inputs["x"]) + inputs["y"]


def test_a_subclassed_model_has_the_inputs_of_its_first_call():
    model = Pair()
    with pytest.raises(SpecError, match="a model without weights"):
        layer_endpoint("serve", model)
    model({"x": np.ones((6, 3), "float32"), "y": np.ones((6, 2), "float32")})
    endpoint = layer_endpoint("serve", model)
    assert specs(endpoint) == [((None, 3), "float32"), ((None, 2), "float32")]
    assert endpoint.input_names == ["x", "y"]


@pytest.mark.parametrize(
    ("spec", "shape"),
    [
        (keras.InputSpec(shape=(2, 3), dtype="float32"), (2, 3)),
        (keras.KerasTensor((2, 3)), (None, 3)),
        (np.zeros((2, 3), "float32"), (None, 3)),
    ],
)
@pytest.mark.parametrize("wrap", [lambda x: x, lambda x: [x]])
def test_a_signature_is_specs_or_examples(spec, shape, wrap):
    model = keras.Sequential([keras.Input((3,)), L.Dense(2)])
    assert specs(layer_endpoint("serve", model, wrap(spec))) == [(shape, "float32")]


@pytest.mark.parametrize("signature", [["float32"], [keras.InputSpec(shape=(None, 3))], [None]])
def test_other_things_in_a_signature_are_refused(signature):
    model = keras.Sequential([keras.Input((3,)), L.Dense(2)])
    with pytest.raises(DTypeError, match="input_signature"):
        layer_endpoint("serve", model, signature)


def test_a_signature_has_a_spec_for_each_input():
    spec = keras.InputSpec(shape=(None, 3, 4), dtype="float32")
    with pytest.raises(SpecError, match="a spec for each of 2 inputs: first, second"):
        layer_endpoint("serve", two_inputs(), [spec])


def test_layers_of_text_are_refused_by_name():
    words = keras.Input((), dtype="string", name="words")
    lookup = L.StringLookup(vocabulary=["a", "b"], name="lookup")
    with pytest.raises(SpecError, match="StringLookup 'lookup', the input 'words' of strings"):
        layer_endpoint("serve", keras.Model(words, lookup(words)))


def test_an_endpoint_takes_flat_tensors_and_names_what_it_returns():
    spec = keras.InputSpec(shape=(None, 2), dtype="float32")
    endpoint = function_endpoint("f", lambda d, z: {"a": d["x"], "b": [d["y"], z]}, [
        {"x": spec, "y": spec}, spec,
    ])  # fmt: skip
    assert endpoint.call_flat(1, 2, 3) == [1, 2, 3]
    assert endpoint.input_names == ["input_0", "input_1", "input_2"]
    assert endpoint.name_outputs({"a": 1, "b": [2, 3]}) == ["a", "b.0", "b.1"]
    assert endpoint.name_outputs([1, 2]) == ["output_0", "output_1"]


def test_an_export_leaves_the_losses_of_the_last_call():
    model = keras.Sequential([keras.Input((3,)), L.Dense(2, activity_regularizer="l2")])
    x = np.ones((2, 3), "float32")
    model(x)
    before = float(keras.ops.convert_to_numpy(model.losses[0]))
    layer_endpoint("serve", model).call_flat(keras.ops.convert_to_tensor(10 * x))
    assert float(keras.ops.convert_to_numpy(model.losses[0])) == before


def test_names():
    assert unique_names(["x", "x", "x_1", "y"]) == ["x", "x_1", "x_1_1", "y"]
    assert to_identifier("2 x/y:0") == "_2_x_y_0"


def test_signatures_become_json():
    signature = layer_endpoint("serve", two_inputs()).signature
    again = decode_signature(encode_signature(signature))
    assert list(again[0]) == ["first", "second"]
    assert again[0]["first"].dim_names == (None, "time", None)
    assert encode_signature(again) == encode_signature(signature)

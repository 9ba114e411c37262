"""What a layer is made of, when: `built`, `trainable`, weights, arguments of `build` and `call`."""

import numpy as np
import pytest
from layer_cases import LAYERS

import keras_fn as keras
from keras_fn import layers, ops

X = np.ones((2, 3), "float32")


def numbers(x):
    return ops.convert_to_numpy(x)


# ---------------------------------------------------------------- built


def is_built_when_new(case):
    return isinstance(case.arguments, dict) and getattr(layers, case.cls)(**case.arguments).built


@pytest.mark.parametrize("name", [name for name, case in LAYERS.items() if is_built_when_new(case)])
def test_a_layer_without_state_is_built(name):
    given = LAYERS[name].arguments
    assert not getattr(layers, name)(**given).weights

    class WithState(getattr(layers, name)):
        def build(self, input_shape):
            self.scale = self.add_weight((), "ones")

    assert not WithState(**given).built


def test_other_layers_are_built_by_their_first_call():
    for layer in (layers.Dense(2), layers.Flatten(), layers.Add(), layers.LSTM(2)):
        assert not layer.built


# ---------------------------------------------------------------- trainable


def three_dense():
    return keras.Sequential([keras.Input((3,)), *(layers.Dense(3, "tanh") for _ in range(3))])


def test_a_frozen_model_has_no_trainable_weights_whatever_its_layers_say():
    model = three_dense()
    model.trainable = False
    model.layers[-1].trainable = True
    assert model.trainable_weights == model.trainable_variables == []
    assert len(model.non_trainable_weights) == len(model.weights) == 6
    assert len(model.layers[-1].trainable_weights) == 2
    model.compile("sgd", "mse")
    before = model.get_weights()
    model.fit(X, np.zeros((2, 3)), verbose=0)
    assert all(map(np.array_equal, before, model.get_weights()))
    model.trainable = True
    assert len(model.trainable_weights) == 6


class Block(layers.Layer):
    def build(self, input_shape):
        self.dense = layers.Dense(2, dtype=self.dtype_policy)
        self.dense.build(input_shape)
        self.scale = self.add_weight((), "ones")
        self.offset = keras.Variable(np.zeros(2, "float32"))

    def call(self, x):
        return self.dense(x) * self.scale + self.offset


@pytest.mark.parametrize("when", ["constructor", "attribute", "model"])
def test_what_an_untrainable_layer_makes_in_build_is_not_trainable(when):
    block = Block(trainable=when != "constructor")
    if when == "attribute":
        block.trainable = False
    inputs = keras.Input((3,))
    if when == "model":
        stack = keras.Sequential([block])
        stack.trainable = False
        outputs = stack(inputs)
    else:
        outputs = block(inputs)
    model = keras.Model(inputs, layers.Dense(1)(outputs))
    assert not block.dense.trainable and not block.trainable_weights
    assert [w.shape for w in model.trainable_weights] == [(2, 1), (1,)]
    block.trainable = True
    assert len(block.trainable_weights) == 4


@pytest.mark.parametrize("value", ["yes", "False", None, 1.0, []])
def test_trainable_is_a_boolean(value):
    with pytest.raises(ValueError, match=r"(?s)Dense.*trainable: True or False"):
        layers.Dense(2, trainable=value)
    layer = layers.Dense(2, name="d")
    with pytest.raises(ValueError, match=r"(?s)Dense layer 'd'.*trainable: True or False"):
        layer.trainable = value
    with pytest.raises(ValueError, match="trainable: True or False"):
        layer.add_weight((1,), trainable=value)
    assert layers.Dense(2, trainable=np.bool_(False)).trainable is False


# ---------------------------------------------------------------- weights


def test_a_weight_is_not_created_in_call():
    class Careless(layers.Layer):
        def call(self, x):
            return x * self.add_weight((3,), "ones")

    class Late(layers.Layer):
        def call(self, x):
            if not hasattr(self, "scale"):
                self.scale = self.add_weight((3,), "ones")
            return x * self.scale

    class Sometimes(layers.Layer):
        def call(self, x, training=False):
            return x * self.add_weight((3,), "ones") if training else x

    for cls in (Careless, Late):
        for inputs in (X, keras.Input((3,))):
            layer = cls(name="c")
            with pytest.raises(ValueError, match=rf"(?s){cls.__name__} layer 'c'.*build"):
                layer(inputs)
            assert layer.weights == []
    layer = Sometimes()
    for _ in range(3):
        layer(X)  # the later calls are warm
    with pytest.raises(ValueError, match="build"):
        layer(X, training=True)


def test_a_weight_is_created_in_build_wherever_build_runs():
    class Own(layers.Layer):
        def build(self, input_shape):
            self.scale = self.add_weight(input_shape[-1:], "ones")

        def call(self, x):
            return x * self.scale

    class Outer(layers.Layer):
        def __init__(self):
            super().__init__()
            self.extra = self.add_weight((), "ones")
            self.inner = Own()

        def call(self, x):
            return self.inner(x) * self.extra

    outer = Outer()
    outer(X)
    assert len(outer.weights) == 2
    again = Own()
    again.build((None, 3))
    assert again(X).shape == (2, 3)


def test_the_shape_of_a_weight_is_the_first_argument():
    for arguments in ({"shape": (3,)}, {}):
        with pytest.raises(ValueError, match=r"(?s)Layer layer 'l', add_weight.*name='w'"):
            layers.Layer(name="l").add_weight("w", **arguments)
    assert layers.Layer().add_weight(shape=(3,), name="w").name == "w"


@pytest.mark.parametrize(
    "make",
    [
        lambda: layers.Dense(2, "relu"),
        lambda: layers.Activation("relu"),
        lambda: layers.Conv1D(2, 1, activation="relu"),
        lambda: layers.SeparableConv1D(2, 1, activation="relu"),
        lambda: layers.Conv1DTranspose(2, 1, activation="relu"),
    ],
)
def test_an_activation_can_be_removed(make):
    layer, x = make(), -np.ones((1, 2, 3), "float32")
    layer(x)
    layer.activation = None
    kept = numbers(layer(x))
    layer.activation = keras.activations.relu
    np.testing.assert_allclose(numbers(layer(x)), np.maximum(kept, 0))
    layer.activation = None
    assert type(layer).from_config(layer.get_config()).activation is keras.activations.linear


# ---------------------------------------------------------------- arguments of build


class Attend(layers.Layer):
    def build(self, inputs_shape, attention_mask_shape=None):
        self.shapes = inputs_shape, attention_mask_shape

    def call(self, inputs, attention_mask=None):
        return inputs * 1


class Pair(layers.Layer):
    def build(self, query_shape, key_shape):
        self.shapes = query_shape, key_shape

    def call(self, query, value=None, key=None):
        return query * 1


class General(layers.Layer):
    def build(self, input_shape, other_shape=None, scale=2):
        self.shapes = input_shape, other_shape, scale

    def call(self, x, other=None):
        return x * 1


class Nested(layers.Layer):
    def build(self, whatever):
        self.shapes = whatever

    def call(self, pair, mask=None):
        return pair["a"] * 1


class Nothing(layers.Layer):
    def build(this):
        this.shapes = ()

    def call(self, x):
        return x * 1


SHAPES = {
    "with a mask": (Attend, ((2, 3),), {"attention_mask": (2, 1)}, ((2, 3), (2, 1))),
    "without": (Attend, ((2, 3),), {}, ((2, 3), None)),
    "by position": (Attend, ((2, 3), (2, 1)), {}, ((2, 3), (2, 1))),
    "some arguments": (Pair, ((2, 3),), {"key": (2, 5)}, ((2, 3), (2, 5))),
    "an argument that is missing": (Pair, ((2, 3),), {"value": (2, 5)}, ((2, 3), None)),
    "input_shape": (General, ((2, 3),), {"other": (2, 5)}, ((2, 3), (2, 5), 2)),
    "one shape of any name": (Nested, ({"a": (2, 3), "b": (2,)},), {}, {"a": (2, 3), "b": (2,)}),
    "none": (Nothing, ((2, 3),), {}, ()),
}


def fill(shape, make):
    if isinstance(shape, dict):
        return {key: fill(value, make) for key, value in shape.items()}
    return make(shape)


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("symbolic", [False, True])
def test_build_gets_the_shape_of_each_argument_that_it_names(name, symbolic):
    cls, args, kwargs, expected = SHAPES[name]
    layer = cls()

    def make(shape):
        return keras.Input(batch_shape=shape) if symbolic else np.ones(shape, "float32")

    layer(*[fill(a, make) for a in args], **{k: fill(v, make) for k, v in kwargs.items()})
    assert layer.shapes == expected


def test_a_parameter_of_build_that_fits_no_argument_is_named():
    class Typo(layers.Layer):
        def build(self, inputs_shape, atention_mask_shape=None):
            pass

        def call(self, inputs, attention_mask=None):
            return inputs

    class Required(layers.Layer):
        def build(self, inputs_shape, units):
            pass

        def call(self, inputs):
            return inputs

    expected = r"(?s)layer 't', build.*inputs_shape.*received: "
    with pytest.raises(ValueError, match=expected + "atention_mask_shape"):
        Typo(name="t")(X)
    with pytest.raises(ValueError, match=expected + "units"):
        Required(name="t")(X)


# ---------------------------------------------------------------- specs


def test_the_spec_of_a_layer_that_is_not_built():
    x = keras.KerasTensor((None, 3))
    for layer in (layers.Dense(2), keras.Sequential([layers.Dense(2)]), Block()):
        spec = layer.compute_output_spec(x)
        assert (spec.shape, spec.dtype) == ((None, 2), "float32")
        assert layer.compute_output_shape((None, 3)) == (None, 2)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_the_spec_under_a_mixed_policy(dtype):
    x = keras.KerasTensor((None, 3), dtype)
    for make in (
        lambda: layers.Dense(2, dtype="mixed_float16"),
        lambda: Block(dtype="mixed_float16"),
    ):
        layer = make()
        for _ in range(2):
            spec = layer.compute_output_spec(x)
            assert spec.dtype == ops.dtype(layer(np.ones((1, 3), dtype))) == layer(x).dtype


# ---------------------------------------------------------------- overrides with fewer parameters


class Graph(keras.Model):
    def __init__(self):
        x = keras.Input((3,))
        super().__init__(x, layers.Dropout(0.5)(x))

    def call(self, inputs):
        return super().call(inputs) * 2


class Stack(keras.Sequential):
    def call(self, inputs):
        return super().call(inputs) * 2


class Own(keras.Model):
    def __init__(self):
        super().__init__()
        self.dropout = layers.Dropout(0.5)

    def call(self, inputs):
        return self.dropout(inputs) * 2


MODELS = {
    "graph": Graph,
    "stack": lambda: Stack([layers.Dropout(0.5)]),
    "stack with an Input": lambda: Stack([keras.Input((3,)), layers.Dropout(0.5)]),
    "own": Own,
}


@pytest.mark.parametrize("name", MODELS)
def test_a_model_whose_call_takes_the_inputs_alone(name):
    model = MODELS[name]()
    for _ in range(4):  # also when a compiled graph could take over
        assert numbers(model(X)).tolist() == (X * 2).tolist()
    ones = np.ones((64, 3), "float32")
    assert (numbers(model(ones, training=True)) == 0).any()  # `training` reaches the layers
    assert model.predict(X, verbose=0).tolist() == (X * 2).tolist()
    if name in ("graph", "own"):
        model.compile("sgd", "mse")
        assert model.evaluate(X, X * 2, verbose=0) == 0.0
        assert model.fit(ones, ones * 2, verbose=0).history["loss"][0] > 0.0
    x = keras.Input((3,))
    assert numbers(keras.Model(x, model(x))(X)).tolist() == (X * 2).tolist()
    assert model.compute_output_spec(keras.KerasTensor((None, 3))).shape == (None, 3)


def test_layers_whose_overrides_take_the_inputs_alone():
    class Spec(layers.Layer):
        def call(self, inputs, training=None, mask=None):
            return inputs

        def compute_output_spec(self, inputs):
            return keras.KerasTensor(inputs.shape, inputs.dtype)

    class Last(layers.LSTM):
        def call(self, sequences):
            return super().call(sequences)

    assert Spec()(keras.Input((3,)), training=True).shape == (None, 3)
    assert Last(2)(np.ones((2, 4, 3), "float32"), training=True).shape == (2, 2)


# ---------------------------------------------------------------- InputLayer


def test_an_input_that_contradicts_its_tensor_is_refused():
    tensor = keras.Input((3,))
    assert keras.Input(tensor=tensor).shape == keras.Input((3,), tensor=tensor).shape == (None, 3)
    for name, value in {
        "shape": (4,), "batch_size": 4, "batch_shape": (4, 3), "dtype": "int32", "sparse": True,
    }.items():  # fmt: skip
        with pytest.raises(ValueError, match=rf"(?s)Input.*{name}=.*which the tensor has"):
            keras.Input(tensor=tensor, **{name: value})
    with pytest.raises(ValueError, match="tensor: a KerasTensor"):
        keras.Input(tensor=X)

"""The protocol of layers: building, calling, tracking, losses, weights, configs."""

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import layers, ops
from keras_fn.core import masking
from keras_fn.errors import SpecError


class Scale(layers.Layer):
    """Multiplies by a trainable factor, and counts its calls in a weight."""

    def build(self, input_shape):
        self.seen_shape = input_shape
        self.factor = self.add_weight((input_shape[-1],), "ones", name="factor")
        self.count = self.add_weight((), "zeros", dtype="int32", trainable=False, name="count")

    def call(self, inputs):
        self.count.assign_add(1)
        return inputs * self.factor


class Noted(layers.Layer):
    """Notes the `training` that it is called with."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.noted = []

    def call(self, inputs, training=False):
        self.noted.append(training)
        return inputs


class Outer(layers.Layer):
    """A layer with a sublayer, which it does not tell about training."""

    def __init__(self, inner, **kwargs):
        super().__init__(**kwargs)
        self.inner = inner

    def call(self, inputs):
        return self.inner(inputs)


def numbers(x):
    return ops.convert_to_numpy(x).tolist()


def ones(*shape):
    return np.ones(shape, "float32")


# ---------------------------------------------------------------- build and call


@pytest.mark.parametrize(
    "inputs", [keras.KerasTensor((None, 3)), ones(2, 3)], ids=["symbol", "value"]
)
def test_the_first_call_builds_for_the_shape_and_later_ones_do_not(inputs):
    layer = Scale()
    assert not layer.built and layer.weights == []
    layer(inputs)
    factor = layer.factor
    layer(inputs)
    assert layer.built and layer.factor is factor and len(layer.weights) == 2
    assert layer.seen_shape == tuple(inputs.shape)


def test_build_by_hand_is_the_same():
    layer = Scale()
    layer.build((None, 3))
    assert layer.built and layer.get_build_config() == {"input_shape": (None, 3)}
    layer(ones(2, 3))
    assert [tuple(w.shape) for w in layer.weights] == [(3,), ()]
    assert layer.factor.path == f"{layer.name}/factor"


def test_a_build_that_extends_another_runs_in_one_scope():
    class More(Scale):
        def build(self, input_shape):
            super().build(input_shape)
            self.more = self.add_weight((), name="more")

    layer = More(name="more_scale")
    layer.build((None, 3))
    assert [w.path for w in layer.trainable_weights] == ["more_scale/factor", "more_scale/more"]


def test_a_symbolic_call_leaves_the_state_alone_and_a_real_one_changes_it():
    layer = Scale()
    layer(keras.Input((3,)))
    assert int(layer.count.numpy()) == 0
    for expected in (1, 2, 3, 4):
        layer(ops.convert_to_tensor(ones(2, 3)))
        assert int(layer.count.numpy()) == expected


def test_build_is_given_the_shape_of_each_argument_by_name():
    class Two(layers.Layer):
        def build(self, query_shape, value_shape):
            self.shapes = query_shape, value_shape

        def call(self, query, value, scale=1.0):
            return ops.add(query, ops.multiply(value, scale))

    layer = Two()
    y = layer(keras.Input((3,)), value=keras.Input((1,)), scale=2.0)
    assert (layer.shapes, y.shape) == (((None, 3), (None, 1)), (None, 3))
    assert numbers(layer(ones(1, 3), ones(1, 1), scale=3.0)) == [[4.0] * 3]
    assert numbers(layer(value=ones(1, 1), query=ones(1, 3))) == [[2.0] * 3]


def test_an_argument_of_a_graph_keeps_its_value_there():
    class Power(layers.Layer):
        def call(self, inputs, exponent=1.0):
            return ops.power(inputs, exponent)

    x, power = keras.Input((1,)), Power()
    model = keras.Model(x, [power(x), power(x, 2.0), power(x, exponent=3.0)])
    assert [numbers(y) for y in model(ones(1, 1) * 2)] == [[[2.0]], [[4.0]], [[8.0]]]


def test_lists_and_dicts_of_inputs_come_as_they_are_given():
    class Mix(layers.Layer):
        def build(self, input_shape):
            self.shapes = input_shape

        def call(self, inputs):
            return {"second": inputs["b"][0], "first": inputs["a"]}

    layer = Mix()
    inputs = {"b": [ones(2, 3)], "a": ones(2, 1)}
    result = layer(inputs)
    assert layer.shapes == {"b": [(2, 3)], "a": (2, 1)}
    assert {k: v.shape[1] for k, v in result.items()} == {"second": 3, "first": 1}
    symbols = layer({"b": [keras.Input((3,))], "a": keras.Input((1,))})
    assert {k: v.shape for k, v in symbols.items()} == {"second": (None, 3), "first": (None, 1)}
    assert list(symbols) == ["second", "first"]


def test_arrays_become_tensors_and_integers_stay_integers():
    seen = []

    class Look(layers.Layer):
        def call(self, inputs):
            seen.append(ops.dtype(inputs))
            return inputs

    layer = Look()
    for dtype in ("float64", "float16", "int32", "bool"):
        layer(np.ones((1, 2), dtype))
    assert seen == ["float32", "float32", "int32", "bool"]
    Look(dtype="float16")(ones(1, 2))
    Look(autocast=False)(np.ones((1, 2), "float16"))
    assert seen[-2:] == ["float16", "float16"]


def test_another_dtype_after_warm_calls_is_still_cast():
    layer = layers.Dense(2)
    for _ in range(3):
        layer(ops.ones((1, 2)))
    assert ops.dtype(layer(ops.ones((1, 2), "float16"))) == "float32"


def test_a_warm_layer_still_checks_its_input():
    layer = layers.Dense(2)
    for _ in range(3):
        layer(ops.ones((1, 2)))
    with pytest.raises(SpecError):
        layer(ops.ones((1, 3)))


def test_compute_output_shape_runs_call_on_symbols():
    layer = Scale()
    assert layer.compute_output_shape((None, 5, 3)) == (None, 5, 3)
    assert int(layer.count.numpy()) == 0


def test_several_outputs_are_of_the_type_in_which_their_shapes_are_computed():
    class Twice(layers.Layer):
        def __init__(self, make):
            super().__init__()
            self.make = make

        def call(self, x):
            return self.make([x, x])

        def compute_output_shape(self, input_shape):
            return self.make([input_shape, input_shape])

    for make in (tuple, list):
        outputs = Twice(make).compute_output_spec(keras.Input((3,), 2))
        assert type(outputs) is make
        assert [x.shape for x in outputs] == [(2, 3), (2, 3)]


def test_a_sublayer_is_built_by_the_call_and_named_by_its_place():
    layer = Outer(Scale(name="inner"), name="outer")
    layer(keras.Input((3,)))
    assert [w.path for w in layer.weights] == ["outer/inner/factor", "outer/inner/count"]


# ---------------------------------------------------------------- training


@pytest.mark.parametrize("warm", [0, 3])
def test_training_reaches_sublayers_that_are_not_told(warm):
    inner = Noted()
    outer = Outer(Outer(inner))
    x = ops.ones((1, 2))
    for _ in range(warm):
        outer(x)
    inner.noted.clear()
    outer(x, training=True)
    outer(x, training=False)
    outer(x)
    assert inner.noted == [True, False, False]


def test_training_reaches_layers_inside_a_model():
    inner = Noted()
    x = keras.Input((2,))
    model = keras.Model(x, Outer(inner)(x))
    for training in (True, False, None):
        inner.noted.clear()
        model(ones(1, 2), training=training)
        assert inner.noted == [bool(training)]


def test_a_training_that_the_graph_was_told_stays():
    inner = Noted()
    x = keras.Input((2,))
    model = keras.Model(x, inner(x, training=True))
    inner.noted.clear()
    model(ones(1, 2), training=False)
    assert inner.noted == [True]


def test_a_default_of_true_holds_where_nobody_says_otherwise():
    class Eager(Noted):
        def call(self, inputs, training=True):
            return super().call(inputs, training)

    layer = Eager()
    x = ops.ones((1, 2))
    for _ in range(4):
        layer(x)
    assert layer.noted == [True] * 4
    layer(x, training=False)
    assert layer.noted[-1] is False


# ---------------------------------------------------------------- masks


class Masked(layers.Layer):
    """Notes the mask it is given, and passes it on."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.noted = []

    def call(self, inputs, mask=None):
        self.noted.append(mask)
        return inputs


def test_a_custom_layer_is_given_the_mask_of_its_input():
    make, layer = layers.Masking(0.0), Masked()
    data = np.array([[[1.0], [0.0]]], "float32")
    y = layer(make(data))
    assert numbers(layer.noted[-1]) == [[True, False]]
    assert numbers(masking.get_mask(y)) == [[True, False]]
    symbol = layer(make(keras.Input((2, 1))))
    assert layer.noted[-1].shape == (None, 2)
    assert symbol._keras_mask.shape == (None, 2)


def test_a_mask_told_by_hand_comes_first():
    layer = Masked()
    explicit = ops.convert_to_tensor([[False, True]])
    layer(layers.Masking(0.0)(ones(1, 2, 1)), mask=explicit)
    assert numbers(layer.noted[-1]) == [[False, True]]


def test_a_layer_may_make_its_own_mask():
    class First(layers.Layer):
        def call(self, inputs):
            return inputs

        def compute_mask(self, inputs, previous_mask=None):
            return ops.greater(inputs[..., 0], 0.0)

    data = np.array([[[1.0], [-1.0]]], "float32")
    for _ in range(3):
        assert numbers(masking.get_mask(First()(data))) == [[True, False]]


# ---------------------------------------------------------------- losses


def test_losses_of_a_call_are_those_of_the_last_one_only_in_fit_and_add_up_otherwise():
    class Penalty(layers.Layer):
        def call(self, inputs):
            self.add_loss(ops.sum(inputs))
            return inputs

    layer = Penalty()
    layer(ones(2, 3))
    assert [float(ops.convert_to_numpy(x)) for x in layer.losses] == [6.0]
    x = keras.Input((3,))
    model = keras.Model(x, layers.Dense(1, kernel_initializer="zeros")(Penalty()(x)))
    model.compile(optimizer=keras.optimizers.SGD(0.0), loss="mse")
    result = model.evaluate(ones(2, 3), np.zeros((2, 1)), verbose=0)
    assert np.isclose(result, 6.0)


def test_a_symbolic_call_adds_no_loss_of_symbols():
    class Penalty(layers.Layer):
        def call(self, inputs):
            self.add_loss(ops.sum(inputs))
            return inputs

    layer = Penalty()
    layer(keras.Input((3,)))
    assert not [x for x in layer.losses if isinstance(x, keras.KerasTensor)]


def test_regularizers_of_weights_and_of_the_output():
    layer = layers.Dense(
        2, kernel_initializer="ones", kernel_regularizer=keras.regularizers.L2(0.5),
        activity_regularizer=keras.regularizers.L1(1.0),
    )  # fmt: skip
    layer.build((None, 3))
    assert [float(ops.convert_to_numpy(x)) for x in layer.losses] == [3.0]
    layer(ones(1, 3))
    assert sorted(float(ops.convert_to_numpy(x)) for x in layer.losses) == [3.0, 6.0]


def test_a_frozen_layer_has_no_loss_of_its_weights():
    layer = layers.Dense(2, kernel_regularizer="l2")
    layer.build((None, 3))
    assert len(layer.losses) == 1
    layer.trainable = False
    assert layer.losses == []


# ---------------------------------------------------------------- weights


def test_trainable_weights_come_first_then_those_of_sublayers():
    class Mixed(layers.Layer):
        def build(self, input_shape):
            self.mean = self.add_weight((), "zeros", trainable=False, name="mean")
            self.inner = layers.Dense(1, name="inner")
            self.inner.build(input_shape)
            self.gain = self.add_weight((), "ones", name="gain")

        def call(self, inputs):
            return self.inner(inputs) * self.gain

    layer = Mixed()
    layer(keras.Input((2,)))
    assert [w.name for w in layer.weights] == ["gain", "mean", "kernel", "bias"]
    assert [w.name for w in layer.trainable_weights] == ["gain", "kernel", "bias"]
    assert [w.name for w in layer.non_trainable_weights] == ["mean"]


def test_freezing_reaches_sublayers_and_weights_made_later():
    outer = Outer(Scale())
    outer.trainable = False
    outer(keras.Input((3,)))
    assert outer.trainable_weights == [] and len(outer.non_trainable_weights) == 2
    outer.trainable = True
    assert [w.name for w in outer.trainable_weights] == ["factor"]


def test_layers_in_lists_and_dicts_are_found_and_each_counts_once():
    shared = layers.Dense(1)

    class Holder(layers.Layer):
        def __init__(self):
            super().__init__()
            self.many = [shared, {"x": shared, "y": [layers.Dense(2)]}]

        def call(self, inputs):
            return self.many[0](inputs) + self.many[1]["y"][0](inputs)

    holder = Holder()
    holder(keras.Input((3,)))
    assert len(holder.weights) == 4
    assert holder.count_params() == 3 + 1 + 6 + 2


def test_the_state_of_seeds_is_a_variable_but_no_weight():
    layer = layers.Dropout(0.5)
    assert layer.weights == [] and len(layer.variables) == 1
    assert layer.trainable_variables == []


def test_set_weights_takes_what_get_weights_gave():
    first, second = layers.Dense(2), layers.Dense(2)
    for layer in (first, second):
        layer.build((None, 3))
    second.set_weights(first.get_weights())
    for a, b in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("values", "expected", "given"),
    [
        ([np.zeros((3, 2))], "2 weights", "1"),
        ([np.zeros((3, 2)), np.zeros(2), np.zeros(1)], "2 weights", "3"),
        (
            [np.zeros((3, 2)), np.zeros(3)],
            "shape (2,) for the weight 'd/bias'",
            "shape (3,)",
        ),
    ],
)
def test_set_weights_sets_all_or_nothing(values, expected, given):
    layer = layers.Dense(2, kernel_initializer="ones", name="d")
    layer.build((None, 3))
    with pytest.raises(SpecError) as caught:
        layer.set_weights(values)
    assert (caught.value.source, caught.value.expected, caught.value.received) == (
        "Dense layer 'd'", expected, given,
    )  # fmt: skip
    assert layer.kernel.numpy().tolist() == [[1.0, 1.0]] * 3


def test_set_weights_that_cannot_be_numbers_change_nothing():
    layer = layers.Dense(2, kernel_initializer="ones")
    layer.build((None, 1))
    with pytest.raises((ValueError, TypeError)):
        layer.set_weights([np.zeros((1, 2)), np.array(["a", "b"])])
    assert layer.kernel.numpy().tolist() == [[1.0, 1.0]]


# ---------------------------------------------------------------- config


class Affine(layers.Layer):
    """A layer of the user's that writes no config."""

    def __init__(self, units, activation="relu", *, scale=1.0, **kwargs):
        super().__init__(**kwargs)
        self.units, self.how, self.factor = units, activation, scale

    def call(self, inputs):
        return inputs


def test_the_config_of_a_custom_layer_is_what_its_constructor_was_given():
    layer = Affine(3, scale=2.0, name="mine", dtype="float16", trainable=False)
    config = layer.get_config()
    assert {k: config[k] for k in ("units", "scale", "name", "trainable")} == {
        "units": 3, "scale": 2.0, "name": "mine", "trainable": False,
    }  # fmt: skip
    again = Affine.from_config(config)
    assert (again.units, again.how, again.factor) == (3, "relu", 2.0)
    assert (again.name, again.compute_dtype, again.trainable) == ("mine", "float16", False)


def test_a_custom_config_that_is_not_plain_is_refused_by_name():
    with pytest.raises(
        TypeError,
        match="Affine 'mine'\n  expected: constructor arguments that are plain values, "
        "for its config\n"
        "  received: units=",
    ):
        Affine(object(), name="mine").get_config()


def test_a_built_in_layer_comes_back_from_its_config():
    layer = layers.Dense(3, activation="relu", kernel_regularizer="l2", dtype="mixed_float16")
    again = layers.Dense.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    assert (again.compute_dtype, again.variable_dtype) == ("float16", "float32")


# ---------------------------------------------------------------- dtype policies


@pytest.mark.parametrize("low", ["float16", "bfloat16"])
def test_mixed_precision_computes_low_and_keeps_weights_high(low):
    layer = layers.Dense(2, dtype=f"mixed_{low}")
    symbol = layer(keras.Input((3,)))
    for _ in range(3):
        value = layer(ops.ones((1, 3)))
        assert ops.dtype(value) == symbol.dtype == low
    assert {w.dtype for w in layer.weights} == {"float32"}
    assert ops.dtype(layer.kernel.value) == "float32"


def test_a_sublayer_of_another_policy_keeps_its_own():
    outer = Outer(layers.Dense(2, dtype="float32"), dtype="mixed_bfloat16")
    assert ops.dtype(outer(ones(1, 3))) == "float32"
    outer = Outer(layers.Dense(2, dtype="mixed_bfloat16"), dtype="float32")
    for _ in range(3):
        assert ops.dtype(outer(ones(1, 3))) == "bfloat16"


def test_a_weight_without_autocast_is_read_as_it_is():
    class Kept(layers.Layer):
        def build(self, input_shape):
            self.kept = self.add_weight((1,), autocast=False, name="kept")

        def call(self, inputs):
            self.seen = ops.dtype(inputs), ops.dtype(self.kept.value)
            return inputs

    layer = Kept(dtype="mixed_float16")
    layer(ones(1, 3))
    assert layer.seen == ("float16", "float32")


# ---------------------------------------------------------------- pure functions


def test_stateless_call_changes_nothing_and_returns_the_new_state():
    layer = Scale()
    layer.build((None, 2))
    factor = [ops.convert_to_tensor([2.0, 3.0])]
    rest = [v.value for v in layer.non_trainable_variables]
    y, after = layer.stateless_call(factor, rest, ones(1, 2))
    assert numbers(y) == [[2.0, 3.0]] and numbers(after[0]) == 1
    assert layer.factor.numpy().tolist() == [1.0, 1.0] and int(layer.count.numpy()) == 0


def test_stateless_call_returns_losses_and_forgets_them():
    layer = layers.Dense(2, kernel_initializer="ones", kernel_regularizer="l2",
                         activity_regularizer="l1")  # fmt: skip
    layer.build((None, 2))
    values = [v.value * 2 for v in layer.trainable_variables]
    _, _, losses = layer.stateless_call(values, [], ones(1, 2), return_losses=True)
    found = sorted(float(ops.convert_to_numpy(x)) for x in losses)
    np.testing.assert_allclose(found, [0.08, 0.16], rtol=1e-5)  # 8 outputs of l1, 16 squares of l2
    assert len(layer.losses) == 1


def test_stateless_call_counts_its_values():
    layer = layers.Dense(2, name="d")
    with pytest.raises(ValueError, match="has no weights yet, so stateless_call cannot take"):
        layer.stateless_call([], [], ones(1, 2))
    layer.build((None, 2))
    with pytest.raises(
        ValueError, match="a value for each of its 2 trainable_variables\n  received: 1 values"
    ):
        layer.stateless_call([layer.kernel.value], [], ones(1, 2))


@pytest.mark.skipif(keras.config.backend() != "jax", reason="transformations of JAX")
def test_jax_transforms_take_stateless_call():
    import jax

    layer = Scale()
    layer.build((None, 2))
    rest = [v.value for v in layer.non_trainable_variables]

    def loss(train, rest, x):
        y, rest = layer.stateless_call(train, rest, x)
        return y.sum(), rest

    gradients, after = jax.jit(jax.grad(loss, has_aux=True))([ops.ones(2)], rest, ones(3, 2) * 2)
    assert numbers(gradients[0]) == [6.0, 6.0] and numbers(after[0]) == 1
    assert int(layer.count.numpy()) == 0
    assert not isinstance(layer.factor.value, jax.core.Tracer)


class Doubled(layers.Layer):
    """Adds a loss itself and calls another layer, that does, twice."""

    def __init__(self):
        super().__init__()
        self.inner = layers.Dense(2, activity_regularizer="l2")

    def call(self, inputs):
        self.add_loss(ops.sum(inputs))
        return self.inner(inputs) + self.inner(inputs)


def test_losses_are_those_of_the_last_call():
    layer, other, x = Doubled(), Doubled(), ops.ones((2, 3))
    inputs = keras.Input((3,))
    model = keras.Model(inputs, layer(inputs))
    for call in (layer, layer, model, model, layer):
        call(x)
        assert len(layer.losses) == len(model.losses) == 3
    other(x)
    assert len(layer.losses) == len(other.losses) == 3
    layer.inner(x)  # it forgets its own alone
    assert len(layer.losses) == 2
    keras.Sequential([keras.Input((3,)), layers.Dense(1)])(x)
    assert len(layer.losses) == 2


def test_a_regularizer_that_is_set_later_counts():
    first, second = layers.Dense(3), layers.Dense(2, activity_regularizer="l2")
    model, x = keras.Sequential([keras.Input((3,)), first]), ops.ones((2, 3))
    for _ in range(3):  # the fast path is in use, and the model is known to add no losses
        second(x)
        model(x)
    first.activity_regularizer = keras.regularizers.L1(0.5)
    for _ in range(2):
        model(x)
        assert len(model.losses) == 1
    model.add(second)
    for _ in range(2):
        model(x)
        assert len(model.losses) == 2

"""MultiOptimizer: choice of optimizers, state, configs, files."""

import io
import json
import zipfile

import h5py
import numpy as np
import pytest

import keras_fn as keras
from keras_fn import ops, optimizers
from keras_fn.core.naming import name_scope
from keras_fn.core.variable import Variable
from keras_fn.optimizers import SGD, Adam, MultiOptimizer, OptimizerMap

PATHS = ("encoder/kernel", "encoder/bias", "decoder/kernel")


def variables():
    made = []
    for i, path in enumerate(PATHS):
        scope, name = path.split("/")
        with name_scope(scope):
            made.append(Variable(np.full((2,), 1.0 + i, "float32"), name=name))
    return made


def grads(*values):
    return [ops.convert_to_tensor(np.full((2,), v, "float32")) for v in values]


def firsts(vs):
    return [float(v.numpy()[0]) for v in vs]


# The map


def test_a_map_has_paths_patterns_and_a_default():
    sgd, adam, other = SGD(), Adam(), optimizers.RMSprop()
    found = OptimizerMap(sgd, {"encoder/.*": adam, "encoder/bias": other})
    assert found["encoder/kernel"] is adam  # by pattern
    assert found["encoder/bias"] is other  # a whole path goes before patterns
    assert found["kernel"] is found["my/encoder/kernel"] is sgd  # the whole path must match
    assert found(variables()[0]) is adam
    assert list(found) == ["encoder/.*", "encoder/bias"] and found.default_optimizer is sgd
    found[".*kernel"] = other
    with pytest.raises(ValueError, match=r"encoder/\.\*, \.\*kernel for 'encoder/kernel'"):
        found["encoder/kernel"]
    del found[".*kernel"]
    assert found["encoder/kernel"] is adam


def test_a_map_rejects_other_objects_and_existing_keys():
    found = OptimizerMap(SGD(), {"a": Adam()})
    for wrong in (
        lambda: OptimizerMap("sgd"),
        lambda: OptimizerMap(SGD(), {"a": "adam"}),
        lambda: found.update(b=None),
    ):
        with pytest.raises(TypeError, match="optimizers as values and as the default"):
            wrong()
    with pytest.raises(ValueError, match="each key once"):
        found["a"] = SGD()
    with pytest.raises(ValueError, match="as keys"):
        found[3] = SGD()


# Steps


@pytest.mark.parametrize("by_function", [False, True])
def test_each_variable_is_updated_as_by_its_optimizer_alone(by_function):
    first = {"momentum": 0.9, "learning_rate": 0.5}
    encoder, decoder = SGD(**first), Adam(0.1, weight_decay=0.1)
    found = OptimizerMap(decoder, {"encoder/.*": encoder})
    optimizer = MultiOptimizer(found.__call__ if by_function else found)
    vs, same = variables(), variables()
    one, other = SGD(**first), Adam(0.1, weight_decay=0.1)
    for step in range(3):
        values = grads(1.0 + step, -2.0, 0.5)
        optimizer.apply(values, vs)
        one.apply(values[:2], same[:2])
        other.apply(values[2:], same[2:])
    assert firsts(vs) == firsts(same)
    assert {id(o) for o in optimizer.optimizers} == {id(encoder), id(decoder)}
    assert [int(o.iterations.numpy()) for o in (optimizer, encoder, decoder)] == [3, 3, 3]


def test_variables_are_in_the_order_of_keras():
    vs = variables()
    unused = optimizers.RMSprop(name="unused")
    found = OptimizerMap(
        SGD(name="sgd"), {"unused": unused, "decoder/.*": Adam(name="adam")}
    )  # fmt: skip
    optimizer = MultiOptimizer(found, name="multi")
    optimizer.build(vs)
    assert [v.path for v in optimizer.variables] == [
        "multi/iteration", "multi/learning_rate", "unused/iteration", "unused/learning_rate",
        "adam/iteration", "adam/learning_rate", "adam/decoder_kernel_momentum",
        "adam/decoder_kernel_velocity", "sgd/iteration", "sgd/learning_rate",
    ]  # fmt: skip
    assert not unused.built


def test_a_part_of_the_variables_and_missing_gradients():
    vs = variables()
    one, other = SGD(1.0), SGD(1.0)
    optimizer = MultiOptimizer(OptimizerMap(one, {"decoder/.*": other}))
    optimizer.build(vs)
    optimizer.apply(grads(1.0), vs[:1])
    assert firsts(vs) == [0.0, 2.0, 3.0]
    with pytest.warns(UserWarning, match="do not exist"):  # all those of the second optimizer
        optimizer.apply([*grads(1.0, 1.0), None], vs)
    assert firsts(vs) == [-1.0, 1.0, 3.0]
    assert int(other.iterations.numpy()) == 0
    with pytest.raises(ValueError, match="no gradients for any variable"):
        optimizer.apply([None, None, None], vs)
    with pytest.raises(ValueError, match="3 gradients, one for each variable"):
        optimizer.apply(grads(1.0))
    with pytest.raises(ValueError, match="unknown variable"):
        optimizer.apply(grads(1.0, 1.0, 1.0), variables())


def test_the_loss_scale_factor_replaces_those_of_the_optimizers():
    vs = variables()
    found = OptimizerMap(SGD(1.0, loss_scale_factor=4.0), {"decoder/.*": SGD(2.0)})
    optimizer = MultiOptimizer(found, loss_scale_factor=8.0)
    assert float(optimizer.scale_loss(ops.ones(()))) == 8.0
    optimizer.apply(grads(8.0, 8.0, 8.0), vs)
    assert firsts(vs) == [0.0, 1.0, 1.0]
    optimizer.loss_scale_factor = None
    optimizer.apply(grads(1.0, 1.0, 1.0), vs)
    assert firsts(vs) == [-1.0, 0.0, -1.0]


def test_options_of_the_optimizers_hold():
    vs = variables()
    averaging = SGD(1.0, use_ema=True, ema_momentum=0.5)
    gathering = SGD(1.0, gradient_accumulation_steps=2)
    optimizer = MultiOptimizer(OptimizerMap(averaging, {"decoder/.*": gathering}))
    for _ in range(3):
        optimizer.apply(grads(1.0, 1.0, 1.0), vs)
    assert firsts(vs) == [-2.0, -1.0, 2.0]
    optimizer.finalize_variable_values(vs)
    # Averages of 0, -1, -2 from the first on: 0, -1/2, -5/4.
    assert firsts(vs) == [-1.25, -0.25, 2.0]


def test_exclusions_from_weight_decay_reach_the_optimizers():
    vs = variables()
    one, other = SGD(1.0, weight_decay=0.5), SGD(1.0, weight_decay=0.5)
    one.exclude_from_weight_decay(var_names=["unused"])
    optimizer = MultiOptimizer(lambda v: one if v.name == "kernel" else other)
    optimizer.exclude_from_weight_decay(var_names=["bias"], var_list=[vs[2]])
    optimizer.apply(grads(0.0, 0.0, 0.0), vs)
    assert firsts(vs) == [0.5, 2.0, 3.0]


def test_stateless_apply_does_not_change_the_variables():
    vs = variables()
    optimizer = MultiOptimizer(OptimizerMap(SGD(1.0), {"decoder/.*": Adam(1.0)}))
    optimizer.build(vs)
    state = [v.value for v in optimizer.variables]
    new, new_state = optimizer.stateless_apply(state, grads(1.0, 1.0, 1.0), [v.value for v in vs])
    assert [round(float(x[0]), 3) for x in new] == [0.0, 1.0, 2.0]
    assert len(new_state) == len(state) and int(new_state[0]) == 1
    assert firsts(vs) == [1.0, 2.0, 3.0] and int(optimizer.iterations.numpy()) == 0


# Errors


def test_there_is_no_learning_rate():
    optimizer = MultiOptimizer(OptimizerMap(SGD()))
    assert not hasattr(optimizer, "learning_rate")
    with pytest.raises(AttributeError, match="for each of its `optimizers`: use theirs"):
        optimizer.learning_rate = 0.1


def test_objects_other_than_maps_and_functions_are_rejected():
    for wrong in ("sgd", {"a": Adam()}, None):
        with pytest.raises(TypeError, match="an OptimizerMap, or a function"):
            MultiOptimizer(wrong)
    with pytest.raises(TypeError, match="an optimizer for each variable"):
        MultiOptimizer(lambda v: None).build(variables())
    wrapper = optimizers.LossScaleOptimizer(SGD())
    with pytest.raises(ValueError, match=r"received: +a LossScaleOptimizer"):
        MultiOptimizer(OptimizerMap(wrapper))


# Models, configs, files


def model(optimizer):
    keras.utils.set_random_seed(0)
    x = keras.Input((3,))
    y = keras.layers.Dense(4, activation="tanh", name="encoder")(x)
    made = keras.Model(x, keras.layers.Dense(2, name="decoder")(y))
    made.compile(optimizer, "mse")
    return made


def data():
    rng = np.random.default_rng(0)
    return rng.normal(size=(16, 3)).astype("float32"), rng.normal(size=(16, 2)).astype("float32")


def paired():
    return MultiOptimizer(OptimizerMap(SGD(0.1), {"decoder/.*": Adam(0.01)}))


def test_a_config_round_trips_through_json():
    optimizer = MultiOptimizer(
        OptimizerMap(SGD(0.5), {"decoder/.*": Adam(0.25)}), loss_scale_factor=2.0, name="both"
    )
    config = json.loads(json.dumps(optimizers.serialize(optimizer)))
    assert config["config"]["optimizer_map"]["class_name"] == "OptimizerMap"
    again = optimizers.deserialize(config)
    assert again.name == "both" and again.loss_scale_factor == 2.0
    assert [type(o) for o in again.optimizers] == [Adam, SGD]
    assert float(again.optimizer_map["decoder/x"].learning_rate.numpy()) == 0.25
    assert optimizers.serialize(again) == config


def test_a_function_is_found_by_its_name():
    def choose(variable):
        return one

    one = SGD()
    config = optimizers.serialize(MultiOptimizer(choose))
    with pytest.raises(TypeError, match="'choose'"):
        optimizers.deserialize(config)
    again = optimizers.deserialize(config, custom_objects={"choose": choose})
    assert again.optimizer_map is choose
    with pytest.raises(ValueError, match="an object of kind"):  # an optimizer is not a map
        bad = {**config, "config": {"optimizer_map": optimizers.serialize(SGD())}}
        optimizers.deserialize(bad)


def test_a_trained_model_is_saved_loaded_and_trained_further(tmp_path):
    x, y = data()
    trained = model(paired())
    trained.fit(x, y, batch_size=4, epochs=2, verbose=0)
    path = tmp_path / "both.keras"
    trained.save(path)
    again = keras.saving.load_model(path)
    assert isinstance(again.optimizer, MultiOptimizer)
    for one, other in zip(trained.optimizer.variables, again.optimizer.variables, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())
    for each in (trained, again):
        each.fit(x, y, batch_size=4, verbose=0, shuffle=False)
    for one, other in zip(trained.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-7)


def test_files_have_the_layout_of_keras(tmp_path):
    trained = model(paired())
    trained.fit(*data(), verbose=0)
    trained.save(tmp_path / "both.keras")
    with zipfile.ZipFile(tmp_path / "both.keras") as archive:
        weights = h5py.File(io.BytesIO(archive.read("model.weights.h5")))
    groups = {name: len(weights[name]["vars"]) for name in ("optimizer", *_INNER)}
    # Noted from a file that Keras 3.15.1 wrote for such a model.
    assert groups == {"optimizer": 10, _INNER[0]: 6, _INNER[1]: 2}


_INNER = ("optimizer/optimizers/adam", "optimizer/optimizers/sgd")


def test_compiled_steps_equal_steps_of_separate_optimizers():
    x, y = data()
    trained = model(paired())
    before = trained.get_weights()
    trained.fit(x, y, batch_size=16, epochs=1, verbose=0, shuffle=False)
    first = [a - b for a, b in zip(trained.get_weights(), before, strict=True)]
    alone = []
    for optimizer in (SGD(0.1), Adam(0.01)):
        other = model(optimizer)
        other.fit(x, y, batch_size=16, epochs=1, verbose=0, shuffle=False)
        alone.append([a - b for a, b in zip(other.get_weights(), before, strict=True)])
    for got, want in zip(first, alone[0][:2] + alone[1][2:], strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-7)


def test_float16_models_scale_the_loss_around_it():
    keras.utils.set_random_seed(0)
    x = keras.Input((3,))
    trained = keras.Model(x, keras.layers.Dense(2, name="decoder", dtype="mixed_float16")(x))
    trained.dtype_policy = keras.DTypePolicy("mixed_float16")
    trained.compile(paired(), "mse")
    assert isinstance(trained.optimizer, optimizers.LossScaleOptimizer)
    losses = trained.fit(*data(), epochs=5, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    state = [v.numpy() for v in trained.optimizer.variables]
    trained.optimizer.set_weights(state)  # of the wrapper and of all inside
    with pytest.raises(ValueError, match=f"{len(state)} values"):
        trained.optimizer.set_weights(state[:4])


def test_a_file_cannot_contain_patterns_of_exponential_cost():
    config = optimizers.serialize(MultiOptimizer(OptimizerMap(SGD(), {"(a)\\1": Adam()})))
    muon = optimizers.serialize(optimizers.Muon(exclude_layers=["(?=a)"]))
    for bad, source in ((config, "OptimizerMap"), (muon, "Muon")):
        with pytest.raises(ValueError, match=f"{source}\n.*without backreferences"):
            optimizers.deserialize(bad)

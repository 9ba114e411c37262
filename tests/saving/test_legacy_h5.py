"""Legacy `.h5` files: of Keras 3, of Keras 2, and our own."""

import json

import numpy as np
import pytest
from hdf5_files import hdf5_bytes

import keras_fn as keras
from keras_fn.saving.errors import ModelFileError, ModelFileTypeError
from keras_fn.saving.hdf5.file import open_hdf5
from tests.saving import oracle_check


def old_dense(name, units, **config):
    """The entry of a Dense layer as Keras 2 wrote it."""
    initializer = {"class_name": "GlorotUniform", "config": {"seed": None}}
    zeros = {"class_name": "Zeros", "config": {}}
    return {
        "class_name": "Dense",
        "config": {
            "name": name, "trainable": True, "dtype": "float32", "units": units,
            "activation": "relu", "use_bias": True, "kernel_initializer": initializer,
            "bias_initializer": zeros, "kernel_regularizer": None, "bias_regularizer": None,
            "activity_regularizer": None, "kernel_constraint": None, "bias_constraint": None,
            **config,
        },
    }  # fmt: skip


def old_input(name, size):
    config = {
        "batch_input_shape": [None, size], "dtype": "float32", "sparse": False, "ragged": False,
        "name": name,
    }  # fmt: skip
    return {"class_name": "InputLayer", "config": config, "name": name, "inbound_nodes": []}


def kernel(rows, columns, seed=0):
    return np.random.default_rng(seed).normal(size=(rows, columns)).astype("float32")


def legacy_file(path, config, layers, **root):
    """Writes a file as Keras 2 did: `layers` has the weights by layer, under their old names."""
    datasets, attributes = {}, {"": {"model_config": json.dumps(config), **root}}
    attributes["model_weights"] = {"layer_names": list(layers)}
    for layer, weights in layers.items():
        group = f"model_weights/{layer}"
        attributes[group] = {"weight_names": [f"{layer}/{n}:0" for n in weights]}
        datasets.update((f"{group}/{layer}/{n}:0", v) for n, v in weights.items())
    path.write_bytes(hdf5_bytes(datasets, attributes))
    return path


def test_a_stack_of_keras_2_is_read(tmp_path):
    w, b = kernel(3, 4), np.arange(4, dtype="float32")
    layer = old_dense("first", 4, batch_input_shape=[None, 3])
    config = {"class_name": "Sequential", "config": {"name": "old", "layers": [layer]}}
    path = legacy_file(tmp_path / "m.h5", config, {"first": {"kernel": w, "bias": b}})
    model = keras.saving.load_model(path)
    x = oracle_check.data(2, 3)
    found = keras.ops.convert_to_numpy(model(x))
    np.testing.assert_allclose(found, np.maximum(x @ w + b, 0), rtol=1e-5, atol=1e-6)
    assert model.name == "old"


@pytest.mark.parametrize("class_name", ["Functional", "Model"])
@pytest.mark.parametrize("first_call", [0, 1])
def test_a_graph_of_keras_2_with_a_graph_inside_is_read(tmp_path, class_name, first_call):
    """Keras 2 counted the making of the inner graph as its first call."""

    def graph(name, layers, start, end):
        config = {"name": name, "layers": layers, "input_layers": [start], "output_layers": [end]}
        return {"class_name": class_name, "config": config}

    inner_dense = {**old_dense("d", 2), "name": "d", "inbound_nodes": [[["i", 0, 0, {}]]]}
    inner = graph("inner", [old_input("i", 3), inner_dense], ["i", 0, 0], ["d", 0, 0])
    inner |= {"name": "inner", "inbound_nodes": [[["x", 0, 0, {"training": False}]]]}
    last = {**old_dense("last", 2), "name": "last"}
    last["inbound_nodes"] = [[["inner", first_call, 0, {}]]]
    config = graph("m", [old_input("x", 3), inner, last], ["x", 0, 0], ["last", 0, 0])
    a, b = kernel(3, 2), kernel(2, 2, 1)
    zeros = np.zeros(2, "float32")
    weights = {"inner": {"d/kernel": a, "d/bias": zeros}, "last": {"kernel": b, "bias": zeros}}
    model = keras.saving.load_model(legacy_file(tmp_path / "m.h5", config, weights))
    x = oracle_check.data(2, 3)
    found = keras.ops.convert_to_numpy(model(x))
    wanted = np.maximum(np.maximum(x @ a, 0) @ b, 0)
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)


def test_how_keras_2_trained_is_read(tmp_path):
    layer = old_dense("first", 1, batch_input_shape=[None, 3])
    config = {"class_name": "Sequential", "config": {"name": "old", "layers": [layer]}}
    training = {
        "loss": "mse", "metrics": ["mae"], "weighted_metrics": None, "loss_weights": None,
        "optimizer_config": {"class_name": "SGD", "config": {
            "name": "SGD", "learning_rate": 0.25, "momentum": 0.5, "nesterov": True}},
    }  # fmt: skip
    weights = {"first": {"kernel": kernel(3, 1), "bias": np.zeros(1, "float32")}}
    path = legacy_file(tmp_path / "m.h5", config, weights, training_config=json.dumps(training))
    model = keras.saving.load_model(path)
    assert float(model.optimizer.learning_rate) == 0.25 and model.optimizer.nesterov
    assert not keras.saving.load_model(path, compile=False).compiled


def saved(model, tmp_path):
    model.save(tmp_path / "own.h5")
    return tmp_path / "own.h5"


def test_what_is_written_has_the_structure_of_keras(tmp_path):
    model, _ = oracle_check.trained_model(keras)
    with saved(model, tmp_path).open("rb") as file:
        h5 = open_hdf5(file)
        names = [layer.name for layer in model.layers]
        assert h5.names("model_weights", "layer_names") == names
        first = h5.names(f"model_weights/{names[0]}", "weight_names")
        assert first == [v.path for v in model.layers[0].weights]
        assert h5.names("model_weights/top_level_model_weights", "weight_names") == []
        assert f"model_weights/{names[0]}/{first[0]}" in h5.datasets
        config = json.loads(h5.attribute("", "model_config"))
        assert config["class_name"] == "Sequential" and set(config) == {"class_name", "config"}
        training = json.loads(h5.attribute("", "training_config"))
        assert training["optimizer_config"]["class_name"] == "Adam"
        assert training["loss"] == "mean_squared_error"  # Keras does not read "mse" here
        assert len(h5.names("optimizer_weights", "weight_names")) == 10


@pytest.mark.parametrize("make", [oracle_check.dense_model, oracle_check.ops_model])
def test_a_model_comes_back(make, tmp_path):
    model, inputs = make(keras)
    again = keras.saving.load_model(saved(model, tmp_path))
    wanted = oracle_check.results(keras, model, inputs)
    for key, value in oracle_check.results(keras, again, inputs).items():
        np.testing.assert_array_equal(value, wanted[key], err_msg=key)


def test_a_trained_model_comes_back_with_the_state_of_its_optimizer(tmp_path):
    model, _ = oracle_check.trained_model(keras)
    again = keras.saving.load_model(saved(model, tmp_path))
    for a, b in zip(model.optimizer.variables, again.optimizer.variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


def stack(*names, units=4):
    layers = [keras.layers.Dense(units, name=name) for name in names]
    return keras.Sequential([keras.Input((4,)), *layers])


def test_weights_are_found_by_order_or_by_name(tmp_path):
    model = stack("a", "b")
    path = saved(model, tmp_path)
    by_order, by_name = stack("x", "y"), stack("b", "c")
    before = by_name.weights[2].numpy()
    by_order.load_weights(path)
    by_name.load_weights(path, by_name=True)
    np.testing.assert_array_equal(by_order.weights[2].numpy(), model.weights[2].numpy())
    np.testing.assert_array_equal(by_name.weights[0].numpy(), model.weights[2].numpy())
    np.testing.assert_array_equal(by_name.weights[2].numpy(), before)


def test_layers_of_the_same_names_in_another_order_get_their_own_weights(tmp_path):
    model, other = stack("a", "b"), stack("b", "a")
    other.load_weights(saved(model, tmp_path))
    np.testing.assert_array_equal(other.weights[0].numpy(), model.weights[2].numpy())


def test_weights_of_another_model_are_an_error_and_change_nothing(tmp_path):
    path = saved(stack("a", "b"), tmp_path)
    for other in (stack("a"), stack("a", "b", "c"), keras.Sequential([
        keras.Input((4,)), keras.layers.Dense(4), keras.layers.Dense(5)])):  # fmt: skip
        before = [v.numpy() for v in other.weights]
        with pytest.raises(ModelFileError, match="fix:"):
            other.load_weights(path)
        for variable, value in zip(other.weights, before, strict=True):
            np.testing.assert_array_equal(variable.numpy(), value)


def test_skip_mismatch_lists_what_it_skips(tmp_path):
    path = saved(stack("a", "b"), tmp_path)
    other = keras.Sequential([keras.Input((4,)), keras.layers.Dense(4), keras.layers.Dense(5)])
    with pytest.warns(UserWarning, match="not loaded: dense"):
        other.load_weights(path, skip_mismatch=True)


def test_a_file_without_a_config_is_an_error(tmp_path):
    stack("a").save_weights(tmp_path / "m.weights.h5")
    with pytest.raises(ModelFileError, match="no model in the file"):
        keras.saving.load_model(tmp_path / "m.weights.h5")


def test_code_in_a_legacy_file_is_refused(tmp_path):
    config = {"name": "odd", "function": ["4wEAAAAA", None, None], "function_type": "lambda"}
    layers = [old_input("x", 3), {"class_name": "Lambda", "config": config}]
    config = {"class_name": "Sequential", "config": {"name": "m", "layers": layers}}
    path = legacy_file(tmp_path / "m.h5", config, {})
    with pytest.raises(ModelFileError, match=r"layer 'odd'.*holds code"):
        keras.saving.load_model(path, safe_mode=False)


def test_an_unknown_class_is_an_error_that_names_the_file(tmp_path):
    layers = [old_input("x", 3), {"class_name": "Mine", "config": {"name": "mine"}}]
    config = {"class_name": "Sequential", "config": {"name": "m", "layers": layers}}
    path = legacy_file(tmp_path / "m.h5", config, {})
    with pytest.raises(ModelFileTypeError, match="custom_objects") as error:
        keras.saving.load_model(path)
    assert str(path) in str(error.value)

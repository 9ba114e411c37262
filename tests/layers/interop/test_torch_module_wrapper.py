"""Modules of PyTorch as layers."""

import copy
import pickle

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import layers, ops
from keras_fn.backend.loader import current

if current().name != "torch":
    pytest.skip("modules of PyTorch", allow_module_level=True)

import torch
from torch import nn

X = np.random.default_rng(0).normal(size=(8, 1, 6, 6)).astype("float32")


def network():
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Dropout(0.5),
        nn.LazyLinear(2),
    )  # fmt: skip


def test_a_lazy_module_is_trained_frozen_and_its_weights_go_to_a_file(tmp_path):
    module = network()
    layer = layers.TorchModuleWrapper(module, name="wrapped")
    inputs = keras.Input((1, 6, 6))
    model = keras.Model(inputs, layer(inputs))
    assert model.output_shape == (None, 2)
    names = ["0_weight", "0_bias", "1_weight", "1_bias", "5_weight", "5_bias"]
    assert [v.name for v in layer.trainable_weights] == names
    buffers = ["1_running_mean", "1_running_var", "1_num_batches_tracked"]
    assert [v.name for v in layer.non_trainable_weights] == buffers
    assert layer.weights[0].value is module[0].weight
    before = layer.get_weights()
    model.compile("sgd", "mse")
    model.fit(X, np.ones((8, 2)), verbose=0)
    after = layer.get_weights()
    changed = [not np.allclose(a, b) for a, b in zip(after, before, strict=True)]
    assert changed[0] and changed[4] and changed[6:] == [True] * 3
    assert after[-1] == 1
    expected = model.predict(X, verbose=0)
    assert not module.training
    np.testing.assert_allclose(module(torch.from_numpy(X)).detach(), expected, atol=1e-6)
    model.save_weights(tmp_path / "model.weights.h5")
    other = layers.TorchModuleWrapper(network(), name="wrapped")
    again = keras.Model(inputs, other(inputs))
    again.load_weights(tmp_path / "model.weights.h5")
    np.testing.assert_allclose(again.predict(X, verbose=0), expected, atol=1e-6)
    layer.trainable = False
    assert not model.trainable_weights and not module[0].weight.requires_grad


def test_other_values_can_be_passed_to_a_call():
    layer = layers.TorchModuleWrapper(nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2)))
    x = ops.convert_to_tensor(np.random.default_rng(1).normal(size=(4, 3)).astype("float32"))
    zeros = [ops.zeros_like(v.value) for v in layer.trainable_variables]
    others = [v.value for v in layer.non_trainable_variables]
    outputs, state = layer.stateless_call(zeros, others, x, training=True)
    assert not outputs.any() and int(state[-1]) == 1
    assert int(layer.weights[-1].value) == 0 and layer(x).any()
    names = dict(layer.named_parameters())
    assert list(names) == ["module.0.weight", "module.0.bias", "module.1.weight", "module.1.bias"]
    compiled = torch.compile(layer, fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(x), layer(x))


def test_it_computes_in_the_dtype_of_its_policy():
    layer = layers.TorchModuleWrapper(nn.Linear(3, 2), dtype="mixed_bfloat16")
    assert layer(keras.Input((3,))).dtype == "bfloat16"
    assert layer(np.ones((1, 3), "float32")).dtype == torch.bfloat16
    assert layer.weights[0].dtype == "float32"


def test_the_output_shape_can_be_set():
    layer = layers.TorchModuleWrapper(nn.Linear(3, 2), output_shape=(None, 2))
    assert layer.compute_output_shape((None, 3)) == (None, 2)
    assert layer(keras.Input((3,))).shape == (None, 2)


def test_a_module_of_a_registered_class_is_saved_and_loaded(tmp_path):
    class Scale(nn.Module):
        def __init__(self, factor):
            super().__init__()
            self.factor = nn.Parameter(torch.tensor(float(factor)))

        def forward(self, x):
            return x * self.factor

        def get_config(self):
            return {"factor": 1.0}

        @classmethod
        def from_config(cls, config):
            return cls(**config)

    inputs = keras.Input((3,))
    model = keras.Model(inputs, layers.TorchModuleWrapper(Scale(3))(inputs))
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras", custom_objects={"Scale": Scale})
    assert again.predict(np.ones((1, 3)), verbose=0).tolist() == [[3, 3, 3]]
    with pytest.raises(TypeError, match="Scale"):
        keras.models.load_model(tmp_path / "model.keras")


def test_files_hold_no_modules(tmp_path):
    inputs = keras.Input((3,))
    model = keras.Model(inputs, layers.TorchModuleWrapper(nn.Linear(3, 2), name="w")(inputs))
    with pytest.raises(TypeError, match=r"layer 'w'(.|\n)*get_config(.|\n)*save_weights"):
        model.save(tmp_path / "model.keras")
    with pytest.raises(ValueError, match=r"pickled module(.|\n)*load_weights"):
        layers.TorchModuleWrapper.from_config({"module": "gASV"}, safe_mode=False)


@pytest.mark.parametrize("module", [3, nn.Linear, layers.Dense])
def test_what_is_not_a_module_is_refused(module):
    with pytest.raises(TypeError, match=r"TorchModuleWrapper\n(.|\n)*module"):
        layers.TorchModuleWrapper(module)


class Mixed(keras.Model):
    """A model of the program, with modules and a layer as attributes."""

    def __init__(self):
        super().__init__()
        self.hidden, self.norm = nn.Linear(2, 4), nn.BatchNorm1d(4)
        self.top = layers.Dense(1)

    def call(self, x):
        return self.top(self.norm(self.hidden(x)))


def test_modules_as_attributes_are_trained_and_saved(tmp_path):
    model, x = Mixed(), np.random.default_rng(0).normal(size=(6, 2)).astype("float32")
    assert [type(layer).__name__ for layer in (model.hidden, model.norm)] == [
        "TorchModuleWrapper"
    ] * 2
    model.compile("sgd", "mse")
    model(x)
    assert len(model.trainable_weights) == 6
    before = model.get_weights()
    model.fit(x, x[:, :1], verbose=0)
    assert all((a != b).any() for a, b in zip(before[:2], model.get_weights()[:2], strict=True))
    np.testing.assert_array_equal(model(x).detach(), model(x).detach())  # averages stay as they are
    model.save_weights(tmp_path / "mixed.weights.h5")
    other = Mixed()
    other(x)
    other.load_weights(tmp_path / "mixed.weights.h5")
    np.testing.assert_array_equal(other(x).detach(), model(x).detach())


def test_copies_of_a_model_have_modules_of_their_own():
    model, x = Mixed(), np.random.default_rng(0).normal(size=(6, 2)).astype("float32")
    model(x)
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        np.testing.assert_array_equal(other(x).detach(), model(x).detach())
        assert [v.trainable for v in other.weights] == [v.trainable for v in model.weights]
        assert isinstance(other.norm.module.running_mean, torch.Tensor)
        assert not isinstance(other.norm.module.running_mean, nn.Parameter)
        other.hidden.weights[0].assign(np.zeros((4, 2), "float32"))
        assert not other.hidden.module.weight.any()
        assert model.hidden.module.weight.any()


class Tied(keras.Model):
    """A model whose modules share a parameter."""

    def __init__(self):
        super().__init__()
        first, second = nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False)
        second.weight = first.weight
        self.first, self.second, self.again = first, second, first

    def call(self, x):
        return self.again(self.second(self.first(x)))


def test_a_parameter_of_several_modules_is_trained_once_a_step(tmp_path):
    model = Tied()
    weight = model.first.module.weight.detach().clone().requires_grad_()
    x = torch.tensor([[1.0, 2.0], [-1.0, 0.5]])
    model(x)
    assert len(model.weights) == 1
    loss = ((x @ weight.T @ weight.T @ weight.T - x) ** 2).mean()
    (gradient,) = torch.autograd.grad(loss, [weight])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    model.train_on_batch(x, x)
    expected = (weight - 0.1 * gradient).detach()
    np.testing.assert_allclose(model.second.module.weight.detach(), expected, rtol=1e-4, atol=1e-6)
    model.save_weights(tmp_path / "tied.weights.h5")
    other = Tied()
    other(x)
    other.load_weights(tmp_path / "tied.weights.h5")
    np.testing.assert_array_equal(other(x).detach(), model(x).detach())

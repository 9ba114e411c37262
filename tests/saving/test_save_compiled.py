"""Saving of compiled models whose compile arguments cannot be written, or not all read."""

import io
import json

import numpy as np
import pytest

import keras_fn as keras
from keras_fn.saving.archive import read_archive, write_archive
from keras_fn.saving.errors import ModelFileError

X, Y = np.ones((4, 2), "float32"), np.zeros((4, 1), "float32")


class Odd(keras.losses.Loss):
    """A loss whose config holds a value that no file can hold."""

    def __init__(self, value=None, **kwargs):
        super().__init__(**kwargs)
        self.value = value

    def call(self, y_true, y_pred):
        return keras.ops.mean(y_pred - y_true, -1)

    def get_config(self):
        return {**super().get_config(), "value": self.value}


class Broken(Odd):
    def get_config(self):
        raise NotImplementedError("no config here")


class Rate(keras.optimizers.schedules.LearningRateSchedule):
    def __call__(self, step):
        return 0.5

    def get_config(self):
        return {"function": lambda: 0.5}


ITSELF = []
ITSELF.append(ITSELF)
DEEP = []
for _ in range(2000):
    DEEP = [DEEP]


def model():
    return keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, name="d")], name="m")


CASES = {
    "a lambda as the loss": ({"loss": lambda a, b: keras.ops.mean(a - b)}, "loss=.*lambda"),
    "a lambda in a dict": ({"loss": {"d": lambda a, b: keras.ops.mean(a - b)}}, "loss=.*lambda"),
    "a lambda as a metric": (
        {"loss": "mse", "metrics": [lambda a, b: keras.ops.mean(b)]},
        "metrics=.*lambda",
    ),
    "an object in the config": ({"loss": Odd(object())}, "loss=.*object"),
    "no config": ({"loss": Broken()}, "no config here"),
    "a list that holds itself": ({"loss": Odd(ITSELF)}, "holds itself"),
    "a deep list": ({"loss": Odd(DEEP)}, "nested too deeply"),
    "a schedule": ({"loss": "mse", "optimizer": Rate()}, "optimizer=.*lambda"),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("ending", ["keras", "h5"])
def test_what_cannot_be_written_is_left_out_and_named(name, ending, tmp_path):
    arguments, message = CASES[name]
    arguments = {"optimizer": "adam", **arguments}
    if isinstance(arguments["optimizer"], Rate):
        arguments["optimizer"] = keras.optimizers.SGD(arguments["optimizer"])
    trained = model()
    trained.compile(**arguments)
    trained.fit(X, Y, epochs=1, verbose=0)
    path = tmp_path / f"m.{ending}"
    with pytest.warns(UserWarning, match=rf"(?s)'m' is saved without.*{message}.*Compile"):
        trained.save(path)
    again = keras.saving.load_model(path)
    assert not again.compiled
    np.testing.assert_array_equal(again.get_weights()[0], trained.get_weights()[0])


def test_the_state_of_the_optimizer_is_there_for_who_compiles_again(tmp_path):
    loss = lambda a, b: keras.ops.mean((a - b) ** 2, -1)  # noqa: E731
    trained = model()
    trained.compile("adam", loss)
    trained.fit(X, Y, epochs=2, verbose=0)
    with pytest.warns(UserWarning, match="lambda"):
        trained.save(tmp_path / "m.keras")
    again = keras.saving.load_model(tmp_path / "m.keras")
    again.compile("adam", loss)
    again.load_weights(tmp_path / "m.keras")
    for a, b in zip(trained.optimizer.variables, again.optimizer.variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_a_model_inside_that_is_compiled_so_is_saved_too():
    inner = model()
    inner.compile("sgd", lambda a, b: keras.ops.mean(a - b))
    outer = keras.Sequential([keras.Input((2,)), inner])
    outer.compile("sgd", "mse")
    file = io.BytesIO()
    with pytest.warns(UserWarning, match="'m' is saved without") as caught:
        outer.save(file)
    assert {warning.filename for warning in caught} == {__file__}
    again = keras.saving.load_model(file)
    assert again.compiled and not again.layers[0].compiled


def test_json_too():
    compiled = model()
    compiled.compile("sgd", lambda a, b: keras.ops.mean(a - b))
    with pytest.warns(UserWarning, match="lambda"):
        text = compiled.to_json()
    assert keras.models.model_from_json(text).count_params() == 3


@keras.saving.register_keras_serializable("tests")
class OwnCompile(keras.Sequential):
    """As generative models do: a compile with other arguments."""

    def compile(self, first_optimizer, loss_fn):
        super().compile(optimizer=first_optimizer, loss="mse")
        self.loss_fn = loss_fn


@keras.saving.register_keras_serializable("tests")
class SameCompile(keras.Sequential):
    def compile(self, *args, **kwargs):
        super().compile(*args, **kwargs)
        self.seen = True


def test_a_compile_of_other_arguments_is_not_called_at_loading():
    own = OwnCompile([keras.Input((2,)), keras.layers.Dense(1)])
    own.compile("sgd", keras.losses.MeanSquaredError())
    own.fit(X, Y, verbose=0)
    file = io.BytesIO()
    own.save(file)
    with pytest.warns(UserWarning, match=r"is not compiled as it was.*compile\(\)"):
        again = keras.saving.load_model(file)
    assert not again.compiled
    same = SameCompile([keras.Input((2,)), keras.layers.Dense(1)])
    same.compile("sgd", "mse")
    same.save(file := io.BytesIO())
    assert keras.saving.load_model(file).seen


class Holder(keras.layers.Layer):
    def __init__(self, values=None, **kwargs):
        super().__init__(**kwargs)
        self.values = values

    def call(self, x):
        return x

    def get_config(self):
        return {**super().get_config(), "values": self.values}


@pytest.mark.parametrize("kind", ["list", "dict", "layer"])
def test_what_holds_itself_is_an_error_at_saving(kind, tmp_path):
    layer = Holder()
    values = {"list": [1], "dict": {}, "layer": [layer]}[kind]
    if kind == "list":
        values.append((values,))
    if kind == "dict":
        values["a"] = [values]
    layer.values = values
    holder = keras.Sequential([keras.Input((2,)), layer, keras.layers.Dense(1)])
    assert holder.count_params() == 3  # the weights are found all the same
    with pytest.raises(ValueError, match="holds itself"):
        holder.save(tmp_path / "m.keras")
    with pytest.raises(ValueError, match="holds itself"):
        keras.saving.serialize_keras_object(layer)
    assert list(tmp_path.iterdir()) == []


def test_a_list_twice_is_not_a_list_that_holds_itself():
    shared = [1, [2]]
    assert keras.saving.serialize_keras_object([shared, shared]) == [shared, shared]
    with pytest.raises(ValueError, match="a list that holds itself"):
        keras.saving.serialize_keras_object(ITSELF)


def test_a_lambda_in_a_layer_is_an_error_at_saving(tmp_path):
    lambdas = keras.Sequential([keras.Input((2,)), keras.layers.Lambda(lambda x: x)])
    with pytest.raises((ModelFileError, ValueError), match="lambda"):
        lambdas.save(tmp_path / "m.keras")


def lambda_file(inside=True):
    """A file as Keras writes it after compile(loss=lambda ...), in a model and in one inside."""
    inner = model()
    inner.compile("sgd", "mse")
    outer = keras.Sequential([keras.Input((2,)), inner])
    outer.compile("sgd", "mse")
    outer.save(file := io.BytesIO())
    archive = read_archive(file)
    config = archive.parse_config()
    code = {"class_name": "__lambda__", "config": {"value": ["4wEAAAAA", None, None]}}
    for entry in (config, config["config"]["layers"][1])[: 1 + inside]:
        entry["compile_config"]["loss"] = code
    members = {
        "config.json": json.dumps(config).encode(),
        "model.weights.h5": archive.weights.read(),
    }
    write_archive(changed := io.BytesIO(), members)
    return changed, outer


def test_code_in_the_compile_arguments_is_not_read_without_compile():
    file, wanted = lambda_file()
    again = keras.saving.load_model(file, compile=False)
    assert not again.compiled and not again.layers[0].compiled
    np.testing.assert_array_equal(again.get_weights()[0], wanted.get_weights()[0])
    with pytest.raises(ModelFileError, match="holds code"):
        keras.saving.load_model(file)
    with pytest.raises(
        ModelFileError, match=r"holds code[^\0]*fix: +load_model\(..., compile=False"
    ):
        keras.saving.load_model(lambda_file(inside=False)[0])


@pytest.mark.parametrize("name", ["Adam", "AdamW", "RMSprop", "SGD", "Adadelta", "Lion"])
def test_optimizers_that_keras_wrote_on_pytorch_are_read(name):
    optimizer = getattr(keras.optimizers, name)(0.125)
    config = keras.optimizers.serialize(optimizer)
    assert config["module"] == "keras.optimizers"
    config["module"] = f"keras.src.backend.torch.optimizers.torch_{name.lower()}"
    config["registered_name"] = name
    again = keras.optimizers.deserialize(config)
    assert type(again) is type(optimizer) and float(again.learning_rate) == 0.125
    config["module"] += "x"
    with pytest.raises(TypeError, match="a known"):
        keras.optimizers.deserialize(config)

"""`torch.compile(fullgraph=True)` of every layer, of models and of steps changes no result."""

import importlib.util
import os
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

if os.environ.get("KERAS_BACKEND") != "torch":
    pytest.skip("The backend under test is not torch.", allow_module_level=True)

import torch
import torch._dynamo
from layer_cases import LAYERS

if not hasattr(torch._dynamo.config, "trace_autograd_ops"):
    pytest.skip("This release of PyTorch cannot trace gradients.", allow_module_level=True)

import keras_fn as keras
from keras_fn import layers, ops
from keras_fn.core.scopes import DEFAULT_CONTEXT, TrainingScope, context

HERE = Path(__file__).parent.parent
EAGER: dict[str, Any] = {"fullgraph": True, "backend": "eager"}  # what Dynamo makes of it
# Traces autograd, too; the default backend would need a C++ compiler.
WHOLE: dict[str, Any] = {"fullgraph": True, "backend": "aot_eager"}


def module(path: str) -> Any:
    spec = importlib.util.spec_from_file_location(Path(path).stem, HERE / path)
    assert spec is not None and spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


RNN = module("layers/rnn/cases.py")


@pytest.fixture(autouse=True)
def _fresh_compiler():
    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()
    with torch._dynamo.config.patch(error_on_recompile=True):
        yield
    assert context.current is DEFAULT_CONTEXT


def graphs() -> int:
    return torch._dynamo.utils.counters["stats"]["unique_graphs"]


def arrays(structure: Any) -> list[np.ndarray]:
    leaves = keras.tree.flatten(structure)
    return [x.detach().to(torch.float64).numpy() for x in leaves if x is not None]


def assert_same(found: Any, expected: Any) -> None:
    found, expected = arrays(found), arrays(expected)
    assert [x.shape for x in found] == [x.shape for x in expected]
    for x, y in zip(found, expected, strict=True):
        np.testing.assert_allclose(x, y, atol=1e-6, rtol=1e-6)


def agrees(make: Callable[[], Any], x: Any, options: dict[str, Any], **call: Any) -> None:
    """Asserts that two calls of a compiled layer equal two calls of an uncompiled copy.

    Several arguments by position are a tuple.
    """
    xs = x if isinstance(x, tuple) else (x,)
    twins = []
    for _ in range(2):
        keras.utils.set_random_seed(1)
        layer = make()
        if not layer.built:
            layer(*xs, **{k: v for k, v in call.items() if k != "training"})
        for k, v in enumerate(layer.weights):
            wave = np.cos(np.arange(v.size) * 0.9 + k).reshape(v.shape)
            v.assign(np.abs(wave) + 0.5 if not v.trainable else wave * 0.5)
        twins.append(layer)
    plain, other = twins
    compiled = torch.compile(other, **options)
    for _ in range(2):
        expected = plain(*xs, **call)
        assert_same(compiled(*xs, **call), expected)
        for layer in twins:  # as a step does: they would pile up
            layer._clear_losses()
    for v, w in zip(plain.variables, other.variables, strict=True):
        np.testing.assert_allclose(w.numpy(), v.numpy(), atol=1e-6)


# ---------------------------------------------------------------- layers

# Two steps: each is traced separately.
STEPS = torch.from_numpy(RNN.inputs())[:, :2]
MASK = torch.tensor(RNN.MASKS["holes"], dtype=torch.bool)[:, :2]

# Instead of the row in the table of layers: a constructor and the inputs.
MORE: dict[str, tuple[Callable[[], Any], tuple[Any, dict[str, Any]]]] = {
    "LSTM": (lambda: layers.LSTM(2), (STEPS, {"mask": MASK})),
    "GRU": (lambda: layers.GRU(2, dropout=0.5, recurrent_dropout=0.5), (STEPS, {})),
    "SimpleRNN": (lambda: layers.SimpleRNN(2, return_state=True), (STEPS, {"mask": MASK})),
    "RNN": (
        lambda: layers.RNN(
            layers.GRUCell(2, dropout=0.5, recurrent_dropout=0.5), return_sequences=True
        ),
        (STEPS, {}),
    ),
    "StackedRNNCells": (
        lambda: layers.RNN(
            layers.StackedRNNCells([layers.LSTMCell(2), layers.SimpleRNNCell(2)]), unroll=True
        ),
        (STEPS, {"mask": MASK}),
    ),
    "Bidirectional": (
        lambda: layers.Bidirectional(layers.LSTM(2, return_sequences=True)),
        (STEPS, {"mask": MASK}),
    ),
    "TimeDistributed": (lambda: layers.TimeDistributed(layers.Dense(2)), (STEPS, {"mask": MASK})),
    "Dense": (
        lambda: layers.Dense(2, activation="relu", kernel_regularizer="l2"),
        (STEPS, {}),
    ),
}
# One layer for each mechanism. The thorough run traces the others, which repeat one of these.
REPRESENTATIVES = {
    "ActivityRegularization",  # a loss
    "Add",  # a list of inputs
    "BatchNormalization",  # assigns variables
    "Bidirectional",
    "Conv2D",
    "Conv2DTranspose",
    "Dense",
    "Dot",
    "Dropout",  # a seed
    "Embedding",
    "GaussianNoise",
    "GlobalAveragePooling2D",
    "Lambda",
    "LayerNormalization",
    "LSTM",
    "LSTMCell",  # nested states
    "Masking",  # makes a mask
    "MaxPooling2D",
    "PReLU",
    "Reshape",
    "RNN",  # dropout in every step
    "SeparableConv2D",
    "Softmax",  # takes a mask
    "TimeDistributed",
    "UpSampling2D",
    "ZeroPadding2D",
}


def thorough_unless(is_representative: bool, *values: Any) -> Any:
    """Returns a parameter that only the thorough run executes if another one represents it."""
    return pytest.param(*values, marks=() if is_representative else pytest.mark.thorough)


def example_of(name: str) -> tuple[Callable[[], Any], tuple[Any, ...], dict[str, Any]]:
    if name in MORE:
        make, (x, call) = MORE[name]
        return make, (x,), call
    case = LAYERS[name]
    tensors = keras.tree.map_structure(ops.convert_to_tensor, (case.draw(), case.options()))
    return lambda: case.make(keras), *tensors


@pytest.mark.parametrize(
    "name",
    [
        thorough_unless(name in REPRESENTATIVES, name)
        for name, case in LAYERS.items()
        if not case.host
    ],
)
def test_a_layer_is_one_graph(name):
    make, xs, call = example_of(name)
    if make()._signature.has_training:  # inference is part of the models below
        call["training"] = True
    agrees(make, xs, EAGER, **call)


def test_representatives_are_layers():
    assert LAYERS.keys() >= REPRESENTATIVES


def test_constants_are_constants_in_the_graph():
    agrees(lambda: layers.Rescaling([1.0, 2.0, 3.0, 4.0], [0, 1, 2, 3]), STEPS, WHOLE)
    torch._dynamo.reset()
    agrees(lambda: layers.UpSampling2D(2, interpolation="bicubic"), torch.ones(1, 3, 4, 2), WHOLE)


def test_sampling_ops_are_in_the_graph():
    def draw():
        seed = 3
        return (
            keras.random.uniform((4,), seed=seed),
            keras.random.normal((4,), seed=seed),
            keras.random.randint((4,), 0, 9, seed=seed),
            keras.random.gamma((4,), 1.5, seed=seed),
            keras.random.binomial((4,), 5.0, 0.3, seed=seed),
        )

    assert_same(torch.compile(draw, **WHOLE)(), draw())


# ---------------------------------------------------------------- models


def mlp(policy: str = "float32") -> keras.Model:
    inputs = keras.Input((8,))
    x = layers.Dense(6, activation="relu", kernel_regularizer="l2", dtype=policy)(inputs)
    x = layers.Dropout(0.5, dtype=policy)(x)
    x = layers.BatchNormalization(dtype=policy)(x)
    return keras.Model(inputs, layers.Dense(3, dtype="float32")(x))


def words() -> keras.Model:
    embed = layers.Embedding(10, 3, mask_zero=True)
    regularized = layers.ActivityRegularization(l2=0.1)
    return keras.Sequential(
        [keras.Input((2,), dtype="int32"), embed, layers.GRU(2), regularized, layers.Dense(3)]
    )


def tickets() -> keras.Model:
    """Two named inputs and outputs, as in the guide."""
    title, tags = keras.Input((None,), name="title"), keras.Input((5,), name="tags")
    read = layers.LSTM(2)(layers.Embedding(10, 3)(title))
    x = layers.concatenate([read, tags])
    outputs = {"priority": layers.Dense(1)(x), "place": layers.Dense(2, activation="softmax")(x)}
    return keras.Model({"title": title, "tags": tags}, outputs)


def toy_resnet() -> keras.Model:
    inputs = keras.Input((8, 8, 3))
    x = layers.Conv2D(4, 3, activation="relu")(inputs)
    x = layers.MaxPooling2D(2)(x)
    y = layers.BatchNormalization()(layers.Conv2D(4, 3, padding="same")(x))
    x = layers.GlobalAveragePooling2D()(layers.add([ops.relu(y), x]))
    return keras.Model(inputs, layers.Dense(2)(x))


class Own(keras.Model):
    """Two layers with an op between them."""

    def __init__(self):
        super().__init__()
        self.first, self.drop, self.second = layers.Dense(4), layers.Dropout(0.5), layers.Dense(2)

    def call(self, x, training=False):
        return self.second(self.drop(ops.relu(self.first(x)), training=training))


def own() -> keras.Model:
    model = Own()
    model(ROWS)
    return model


def remade() -> keras.Model:
    with keras.RematScope():
        return mlp()


ROWS = torch.linspace(-1, 1, 32).reshape(4, 8)
TOKENS = torch.tensor([[1, 0], [3, 4]])
MODELS: dict[str, tuple[Callable[[], keras.Model], Any]] = {
    "mlp": (mlp, ROWS),
    "mixed_float16": (lambda: mlp("mixed_float16"), ROWS),
    "mixed_bfloat16": (lambda: mlp("mixed_bfloat16"), ROWS),
    "words": (words, TOKENS),
    "tickets": (tickets, {"title": TOKENS.float(), "tags": torch.ones(2, 5)}),
    "toy_resnet": (toy_resnet, torch.linspace(-1, 1, 384).reshape(2, 8, 8, 3)),
    "own": (own, ROWS),
    "remade": (remade, ROWS),
}


@pytest.mark.parametrize("training", [thorough_unless(False, False), True])
@pytest.mark.parametrize("name", [thorough_unless(n != "mixed_bfloat16", n) for n in MODELS])
def test_a_model_is_one_graph(name, training):
    make, x = MODELS[name]
    agrees(make, x, WHOLE, training=training)
    assert graphs() == 1


def test_scopes_around_a_compiled_call_apply_in_their_thread():
    layer = layers.Dropout(0.5)
    layer.build((4, 8))
    call = torch.compile(lambda x: layer(x) + 0, **EAGER)
    found = [call(ROWS)]
    with torch._dynamo.config.patch(error_on_recompile=False), TrainingScope(True):
        trained = call(ROWS)
        thread = threading.Thread(target=lambda: found.append(call(ROWS)))
        thread.start()
        thread.join()
    found.append(call(ROWS))
    assert all(torch.equal(x, ROWS) for x in found) and len(found) == 3
    assert not torch.equal(trained, ROWS)


def test_an_unbuilt_layer_is_built_outside_of_the_graph():
    class Holder(layers.Layer):
        def build(self, input_shape):
            self.inner = layers.Dense(2, kernel_initializer="ones", use_bias=False)
            self.inner.build(input_shape)

        def call(self, x):
            return self.inner(x)

    with torch._dynamo.config.patch(error_on_recompile=False):
        found = torch.compile(Holder(), backend="eager")(ROWS)
    assert_same(found, ROWS.sum(-1, keepdim=True).expand(4, 2))


def test_hooks_run_in_the_graph():
    layer = layers.Dense(2)
    layer.build((4, 8))
    plain = layer(ROWS)
    layer.register_forward_hook(lambda module, inputs, output: output * 2)
    assert_same(torch.compile(layer, **EAGER)(ROWS), plain * 2)


# ---------------------------------------------------------------- steps

DATA = np.random.default_rng(0).normal(size=(40, 8)).astype("float32")
TEXT = np.random.default_rng(0).integers(0, 10, (40, 2)).astype("int32")
LABELS = np.random.default_rng(1).integers(0, 3, 40)


def trained(make: Any, optimizer: Any, x: Any, jit: Any, epochs: int = 2) -> list[np.ndarray]:
    """Returns the history, the predictions and the state after some epochs."""
    keras.utils.set_random_seed(3)
    model = make()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer(), loss, metrics=["accuracy"], jit_compile=jit)
    history = model.fit(x, LABELS, batch_size=10, epochs=epochs, verbose=0).history
    tested = model.evaluate(x, LABELS, batch_size=10, verbose=0)
    given = model.predict(x, batch_size=10, verbose=0)
    state = [v.numpy() for v in (*model.variables, *model.optimizer.variables)]
    return [np.array(v) for v in (*history.values(), tested, given, *state)]


FITS: dict[str, tuple[Any, Any, Any]] = {
    "words": (words, lambda: keras.optimizers.SGD(0.1, momentum=0.9), TEXT),
    "float16": (
        lambda: mlp("mixed_float16"),
        lambda: keras.optimizers.AdamW(
            keras.optimizers.schedules.CosineDecay(0.01, 10), global_clipnorm=1.0, use_ema=True
        ),
        DATA,
    ),
}


@pytest.mark.parametrize("name", [thorough_unless(n == "words", n) for n in FITS])
def test_compiled_steps_equal_uncompiled_ones(name):
    make, optimizer, x = FITS[name]
    plain = trained(make, optimizer, x, False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        compiled = trained(make, optimizer, x, WHOLE)
    for found, expected in zip(compiled, plain, strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-5, rtol=1e-4)
    assert graphs() == 3, "a step of each kind is compiled once"


class Portable(keras.Model):
    """A custom train step with `keras.value_and_grad`."""

    def train_step(self, data):
        x, y = data

        def loss():
            y_pred = self(x, training=True)
            return self.compute_loss(x=x, y=y, y_pred=y_pred)

        value, grads = keras.value_and_grad(loss, self.trainable_variables)()
        self.optimizer.apply(grads, self.trainable_variables)
        return {"loss": value}


class Native(keras.Model):
    """A custom train step with `loss.backward()`."""

    def train_step(self, data):
        x, y = data
        self.zero_grad()
        loss = self.compute_loss(x=x, y=y, y_pred=self(x, training=True))
        loss.backward()
        variables = list(self.trainable_variables)
        with torch.no_grad():
            self.optimizer.apply([v.value.grad for v in variables], variables)
        return {"loss": loss}


@pytest.mark.filterwarnings("ignore:The .grad attribute")  # Dynamo looks at it, after a break
@pytest.mark.parametrize("cls", [Portable, Native])
def test_custom_steps_are_compiled(cls):
    def losses(jit: Any) -> list[float]:
        keras.utils.set_random_seed(0)
        inputs = keras.Input((8,))
        model = cls(inputs, layers.Dense(1)(layers.Dropout(0.2)(inputs)))
        model.compile("sgd", "mse", jit_compile=jit)
        return model.fit(DATA, DATA[:, :1], batch_size=10, epochs=2, verbose=0).history["loss"]

    with torch._dynamo.config.patch(error_on_recompile=False):
        np.testing.assert_allclose(losses({"backend": "aot_eager"}), losses(False), rtol=1e-5)
        assert graphs() > 0
        with pytest.raises(torch._dynamo.exc.Unsupported, match=r"grad|backward"):
            losses(WHOLE)  # rather than a graph whose gradients are wrong


def test_models_count_recompilations_separately():
    with torch._dynamo.config.patch(recompile_limit=1):
        for units in (1, 2, 3):
            model = keras.Sequential([keras.Input((8,)), layers.Dense(units)])
            model.compile("sgd", "mse", jit_compile=EAGER)
            assert model.predict(DATA, batch_size=20, verbose=0).shape == (40, units)
    assert graphs() == 3


def test_losses_do_not_accumulate_in_predict():
    model = words()
    model.predict(TEXT, batch_size=10, verbose=0)
    assert not model.losses

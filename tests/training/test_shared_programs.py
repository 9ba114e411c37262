"""Models that are alike run one compiled program; a model that differs in anything never does."""

import gc
import threading
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import layers, ops
from keras_fn.backend.loader import supports
from keras_fn.core import programs
from keras_fn.layers.core import dense as dense_module
from keras_fn.settings import settings
from keras_fn.training import compiled_metrics, train_step

pytestmark = pytest.mark.skipif(
    not supports("trace_settings"), reason="steps of this backend are not compiled"
)
X = np.linspace(-1, 1, 48, dtype="float32").reshape(12, 4)
Y = np.arange(12) % 3
FIT = {"batch_size": 5, "epochs": 2, "verbose": 0, "shuffle": False}


def make(rate: float = 0.0, units: int = 5) -> Any:
    """A model of a few layers, compiled."""
    x = keras.Input((4,))
    h = layers.Dense(units, activation="relu")(x)
    h = layers.BatchNormalization()(h)
    h = layers.Dropout(rate)(h)
    model = keras.Model(x, layers.Dense(3, activation="softmax")(h))
    compile_model(model)
    return model


def compile_model(model: Any, optimizer: Any = None) -> None:
    optimizer = optimizer or keras.optimizers.Adam(0.01)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])


def run(model: Any) -> list[np.ndarray]:
    """Trains, evaluates and predicts; returns all results."""
    history = model.fit(X, Y, validation_data=(X[:4], Y[:4]), **FIT).history
    results = [*map(np.asarray, history.values()), model.predict(X, verbose=0)]
    return [*results, *(ops.convert_to_numpy(v) for v in model.weights)]


@pytest.fixture(autouse=True)
def without_programs():
    programs.clear_programs()
    yield
    programs.clear_programs()


def count_programs() -> int:
    gc.collect()
    return len(programs._programs)


def test_alike_models_compile_once():
    first = make()
    weights = first.get_weights()
    expected = run(first)
    count = count_programs()
    assert count
    second = make()
    second.set_weights(weights)
    actual = run(second)
    assert count_programs() == count
    for a, b in zip(actual, expected, strict=True):
        np.testing.assert_array_equal(a, b)
    third = keras.models.clone_model(first)
    compile_model(third, keras.optimizers.Adam(0.5))  # learning rates are state
    run(third)
    compile_model(first)
    run(first)
    assert count_programs() == count


def test_programs_are_freed_with_the_last_model():
    first, second = make(), make()
    run(first), run(second)
    alive = weakref.ref(first.layers[1])
    programs.clear_programs()  # those of the last models
    del first
    gc.collect()
    assert alive() is None, "a program holds the model that was traced"
    assert count_programs()
    run(second)
    del second
    assert count_programs() == 0


def test_few_programs_stay_after_their_models():
    for units in range(3, 3 + 20):
        make(units=units).predict(X, verbose=0)
    assert count_programs() <= programs._recent.maxlen


def test_threads_trace_their_own_models():
    models = [make() for _ in range(3)]
    weights = models[0].get_weights()
    expected = [models[0].predict(X[: n + 2], verbose=0) for n in range(3)]
    programs.clear_programs()
    models = [make() for _ in range(3)]
    results: dict[int, Any] = {}

    def predict(n: int) -> None:
        models[n].set_weights(weights)
        results[n] = models[n].predict(X[: n + 2], verbose=0)

    threads = [threading.Thread(target=predict, args=(n,)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for n in range(3):
        np.testing.assert_allclose(results[n], expected[n], rtol=1e-6)


# ------------------------------------------------------------------- changed models


def set_attribute(index: int, name: str, value: Any) -> Callable[[Any, Any], None]:
    return lambda model, patch: setattr(model.layers[index], name, value)


def set_of_kernel(name: str, value: Any) -> Callable[[Any, Any], None]:
    return lambda model, patch: setattr(model.layers[1].kernel, name, value)


def set_of_optimizer(name: str, value: Any) -> Callable[[Any, Any], None]:
    return lambda model, patch: setattr(model.optimizer, name, value)


def set_of_model(name: str, value: Any) -> Callable[[Any, Any], None]:
    return lambda model, patch: setattr(model, name, value)


def replace(owner: Any, name: str, value: Any) -> Callable[[Any, Any], None]:
    return lambda model, patch: patch.setattr(owner, name, value)


def recompile(**arguments: Any) -> Callable[[Any, Any], None]:
    defaults = {"optimizer": "adam", "loss": "sparse_categorical_crossentropy"}
    return lambda model, patch: model.compile(**{**defaults, **arguments})


def double_call(model: Any, patch: Any) -> None:
    layer = model.layers[1]
    call = layer.call
    layer.call = lambda *args, **kwargs: 2 * call(*args, **kwargs)


def user_loss(y_true: Any, y_pred: Any) -> Any:
    return ops.mean(ops.square(y_pred), axis=-1)


def changed_code(x: Any, negative_slope: Any = 0, max_value: Any = None, threshold: Any = 0) -> Any:
    return 3 * x


CHANGES: dict[str, Callable[[Any, Any], Any]] = {
    "rate": set_attribute(3, "rate", 0.9),
    "activation": set_attribute(1, "activation", keras.activations.tanh),
    "a lambda as activation": set_attribute(1, "activation", lambda x: x * x),
    "momentum": set_attribute(2, "momentum", 0.5),
    "epsilon": set_attribute(2, "epsilon", 0.5),
    "use_bias": set_attribute(1, "use_bias", False),
    "trainable": set_attribute(1, "trainable", False),
    "activity regularizer": set_attribute(1, "activity_regularizer", keras.regularizers.L1(0.5)),
    "dtype policy": set_attribute(1, "dtype_policy", keras.DTypePolicy("mixed_bfloat16")),
    "call of an instance": double_call,
    "call of a class": replace(layers.Dense, "call", lambda self, x: ops.matmul(x, self.kernel)),
    "a function of a module": replace(dense_module, "dense", lambda x, kernel, *_: x @ kernel),
    "the code of a function": replace(keras.activations.relu, "__code__", changed_code.__code__),
    "a weight of a variable": set_of_kernel("regularizer", keras.regularizers.L2(0.3)),
    "a constraint": set_of_kernel("constraint", keras.constraints.MaxNorm(0.1)),
    "a variable that is not trained": set_of_kernel("trainable", False),
    "clipnorm": set_of_optimizer("clipnorm", 1e-3),
    "beta_1": set_of_optimizer("beta_1", 0.1),
    "weight decay": set_of_optimizer("weight_decay", 0.5),
    "another optimizer": recompile(optimizer="sgd"),
    "a schedule": recompile(
        optimizer=keras.optimizers.Adam(keras.optimizers.schedules.ExponentialDecay(0.1, 1, 0.1))
    ),
    "another loss": recompile(loss="poisson"),
    "a loss of the program": recompile(loss=user_loss),
    "loss weights": recompile(loss_weights=[3.0]),
    "an option of a metric": recompile(
        metrics=[keras.metrics.SparseTopKCategoricalAccuracy(k=2, name="accuracy")]
    ),
    "a train step": set_of_model("train_step", lambda data: {"loss": ops.zeros(())}),
    "compute_loss": set_of_model("compute_loss", lambda *_, **__: ops.zeros(())),
    "results": set_of_model("get_metrics_result", lambda: {"loss": ops.ones(())}),
    "a global setting": replace(settings, "epsilon", 0.3),
    "an optimizer in its place": set_of_model("optimizer", keras.optimizers.SGD(0.5)),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_model_runs_its_own_program(name: str, monkeypatch: pytest.MonkeyPatch):
    original = make()
    weights = original.get_weights()
    run(original)

    def change() -> Any:
        model = make()
        model.set_weights(weights)
        CHANGES[name](model, monkeypatch)
        return model

    shared = outcome(change())
    monkeypatch.setattr(train_step, "share_program", lambda *_: {})
    monkeypatch.setattr(compiled_metrics, "share_program", lambda *_: {})
    alone = outcome(change())
    assert len(shared) == len(alone)
    for a, b in zip(shared, alone, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def outcome(model: Any) -> list[Any]:
    """The results of a model; of one that cannot be trained, none."""
    try:
        return run(model)
    except Exception as error:
        return [len(type(error).__name__)]


def test_a_model_changed_while_it_trains_compiles_for_itself():
    first, second = make(), make()
    weights = first.get_weights()
    first.fit(X, Y, **FIT)
    first.layers[1].activation = keras.activations.tanh
    first.predict(X, verbose=0)
    second.set_weights(weights)
    expected = second.predict(X[:3], verbose=0)  # traces again, for another size
    second.layers[1].activation = keras.activations.tanh
    second.predict(X[:4], verbose=0)
    third = make()
    third.set_weights(weights)
    np.testing.assert_allclose(third.predict(X[:4], verbose=0)[:3], expected, rtol=1e-5)

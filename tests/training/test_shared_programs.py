"""Models that are alike run one compiled program; a model that differs in anything never does."""

import functools
import gc
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import layers, ops
from keras_fn.backend.loader import supports
from keras_fn.core import programs
from keras_fn.layers.core import dense as dense_module
from keras_fn.settings import settings
from keras_fn.training import compiled_metrics, program_key, train_step

pytestmark = pytest.mark.skipif(
    not supports("trace_settings"), reason="steps of this backend are not compiled"
)
X = np.linspace(-1, 1, 48, dtype="float32").reshape(12, 4)
Y = np.arange(12) % 3
FIT = {"batch_size": 5, "epochs": 2, "verbose": 0, "shuffle": False}


def make() -> Any:
    """A model of a few layers, compiled."""
    x = keras.Input((4,))
    h = layers.Dense(5, activation="relu")(x)
    h = layers.BatchNormalization()(h)
    h = layers.Dropout(0.25, seed=3)(h)
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
    others = count_programs()  # of models that other tests keep
    first, second = make(), make()
    run(first), run(second)
    alive = weakref.ref(first.layers[1])
    programs.clear_programs()  # those of the last models
    del first
    gc.collect()
    assert alive() is None, "a program holds the model that was traced"
    assert count_programs() > others
    run(second)
    del second
    assert count_programs() == others


def test_few_programs_stay_after_their_models():
    others = count_programs()
    for number in range(3 * programs._recent.maxlen):
        programs.get_program(bytes([number]))
    assert count_programs() == others + programs._recent.maxlen
    keras.utils.clear_session()
    assert count_programs() == others


def test_attributes_may_appear_while_a_key_is_made(monkeypatch: pytest.MonkeyPatch):
    """Another thread that calls the model fills the caches of its layers."""
    model = make()
    model.layers[1].note = np.zeros(1)
    write = program_key.KeyWriter._write_array

    def fill_cache_and_write(writer: Any, *args: Any) -> None:
        vars(model.layers[1])["cache"] = 1
        write(writer, *args)

    monkeypatch.setattr(program_key.KeyWriter, "_write_array", fill_cache_and_write)
    assert predict_key(model) is not None


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


def test_optimizers_that_read_paths_have_them_in_the_key():
    """Muon chooses variables by their paths, which other keys do not have."""
    keys = []
    for optimizer in ("adam", "muon"):
        for _ in range(2):
            model = make()
            compile_model(model, keras.optimizers.get(optimizer))
            model.fit(X, Y, epochs=0)
            keys.append(train_key(model))
    assert keys[0] == keys[1] is not None
    assert keys[2] != keys[3]
    folder = Path(keras.optimizers.__file__).parent
    found = {
        f.stem for f in folder.glob("*.py") if "variable.path" in f.read_text(encoding="utf-8")
    }
    others = {"state", "validation", "sharded_updates"}  # names of slots, errors, several devices
    assert found - others == {"muon", "multi_optimizer"}


def predict_key(model: Any) -> bytes | None:
    roots = program_key.step_roots(model, "predict")
    return program_key.make_key("predict", model._state("predict"), roots)


def test_names_that_a_dict_binds_are_part_of_the_key():
    """They say which input of an inner model gets which tensor; else names make no difference."""

    def make_nested(names: tuple[str, str], is_dict: bool) -> Any:
        inner_inputs = [keras.Input((4,), name=name) for name in names]
        inner = keras.Model(inner_inputs, layers.Subtract()(inner_inputs))
        x = [keras.Input((4,)), keras.Input((4,))]
        return keras.Model(x, inner(dict(zip("ab", x, strict=True)) if is_dict else x))

    keys = [predict_key(make_nested(names, True)) for names in (("a", "b"), ("a", "b"), ("b", "a"))]
    assert keys[0] == keys[1] is not None
    assert keys[2] != keys[0]
    keys = [predict_key(make_nested(names, False)) for names in (("a", "b"), ("c", "d"))]
    assert keys[0] == keys[1] is not None


def test_the_owner_of_an_attribute_is_part_of_the_key():
    """The last attribute of an object and the next one of its owner follow each other."""
    keys = []
    for is_inner in (False, True):
        x = keras.Input((3, 4))
        outer = layers.TimeDistributed(layers.Dense(2))
        model = keras.Model(x, outer(x))
        (outer.layer if is_inner else outer).note = 1
        keys.append(predict_key(model))
    assert None not in keys
    assert keys[0] != keys[1]


def test_dtypes_of_arrays_are_part_of_the_key():
    """NumPy has one `dtype.str` for all dtypes that it does not know itself, of a size."""
    model = make()
    fields = [np.dtype([(name, "float32")]) for name in "ab"]
    keys = []
    for value in (*fields, *(np.zeros(1, dtype) for dtype in fields)):
        model.layers[1].note = value
        keys.append(predict_key(model))
    assert len({*keys, None}) == 5


@pytest.mark.skipif(keras.config.backend() != "jax", reason="of JAX")
def test_arrays_that_have_no_bytes_have_no_key():
    import jax

    model = make()
    model.layers[1].note = jax.random.key(0)
    assert predict_key(model) is None
    keys = []
    for value in (jax.numpy.asarray(2.0), jax.numpy.float32(2.0)):  # only the first one is weak
        model.layers[1].note = value
        keys.append(predict_key(model))
    assert keys[0] != keys[1]


@pytest.mark.parametrize("owner, name", [(layers.Dense, "call"), (dense_module, "dense")])
def test_functions_that_the_program_puts_in_place_of_ours_are_not_shared(
    owner: Any, name: str, monkeypatch: pytest.MonkeyPatch
):
    """They may read a variable that has changed since."""
    key = predict_key(make())
    original = getattr(owner, name)

    @functools.wraps(original)
    def patched(*args: Any) -> Any:
        return original(*args)

    monkeypatch.setattr(owner, name, patched)
    keys = [predict_key(make()) for _ in range(2)]
    assert len({key, *keys}) == 3
    monkeypatch.undo()
    keys = [predict_key(make()) for _ in range(2)]
    assert keys[0] == keys[1]


@pytest.mark.skipif(keras.config.backend() != "tensorflow", reason="of TensorFlow")
def test_callbacks_of_ops_are_not_shared():
    import tensorflow as tf

    model = make()
    key = predict_key(model)
    tf.debugging.enable_check_numerics()
    try:
        assert predict_key(model) is None
    finally:
        tf.debugging.disable_check_numerics()
    assert predict_key(model) == key is not None


def test_own_models_and_parts_of_the_program_have_no_key():
    class Own(keras.Model):
        pass

    x = keras.Input((4,))
    models = [
        Own(x, layers.Dense(3)(x)),
        keras.Model(x, layers.Lambda(lambda x: x)(x)),
        keras.Model(x, layers.Activation(lambda x: x)(x)),
        keras.distillation.Distiller(make(), make(), keras.distillation.LogitsDistillation()),
    ]
    for model in models:
        state = model._state("predict")
        roots = program_key.step_roots(model, "predict")
        assert program_key.make_key("predict", state, roots) is None
    cyclic: list[Any] = []
    cyclic.append(cyclic)
    model = make()
    model.layers[1].note = cyclic
    assert program_key.make_key("predict", model._state("predict"), [model]) is None


@pytest.mark.skipif(keras.config.backend() != "jax", reason="steps of others assign in place")
def test_weights_may_be_donated_while_a_step_is_traced(monkeypatch: pytest.MonkeyPatch):
    """A thread that trains takes the memory of weights that another one has read for its trace."""
    import jax

    from keras_fn_jax.shared_traces import SharedFunction

    x = keras.Input((4,))
    model = keras.Model(x, layers.Dense(3)(x))
    kernel, expected = model.layers[1].kernel, X @ model.layers[1].kernel.numpy()
    call = SharedFunction.__call__

    def train_meanwhile(function: Any, *args: Any) -> Any:
        results = call(function, *args)  # nothing else happens if there is nothing to trace
        old = kernel._handle
        with jax.ensure_compile_time_eval():
            kernel._handle = jax.numpy.array(np.asarray(old))
        old.delete()
        return results

    monkeypatch.setattr(SharedFunction, "__call__", train_meanwhile)
    np.testing.assert_allclose(model.predict(X, verbose=0), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.skipif(keras.config.backend() != "jax", reason="its compiled functions can be dropped")
def test_a_changed_model_loops_over_its_own_steps():
    """It assigns other variables than the model that made the program: not those of the seed."""
    import jax

    first, second = make(), make()
    first.fit(X, Y, **FIT), second.fit(X, Y, **FIT)
    second.layers[3].rate = 0.0
    seed = second.layers[3].seed_generator.state.numpy()
    jax.clear_caches()
    second.fit(X, Y, **FIT)
    np.testing.assert_array_equal(second.layers[3].seed_generator.state.numpy(), seed)


def test_errors_of_a_trace_name_no_other_error(monkeypatch: pytest.MonkeyPatch):
    def fail(*args: Any) -> Any:
        raise ValueError("of the loss")

    model = make()
    model.fit(X, Y, epochs=0)
    monkeypatch.setattr(type(model._compile_loss), "__call__", fail)
    with pytest.raises(ValueError, match="of the loss") as caught:
        model.train_on_batch(X, Y)
    assert caught.value.__context__ is None


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


CHANGES: dict[str, Callable[[], Callable[[Any, Any], Any]]] = {
    "rate": lambda: set_attribute(3, "rate", 0.9),
    "activation": lambda: set_attribute(1, "activation", keras.activations.tanh),
    "a lambda as activation": lambda: set_attribute(1, "activation", lambda x: x * x),
    "momentum": lambda: set_attribute(2, "momentum", 0.5),
    "epsilon": lambda: set_attribute(2, "epsilon", 0.5),
    "use_bias": lambda: set_attribute(1, "use_bias", False),
    "trainable": lambda: set_attribute(1, "trainable", False),
    "activity regularizer": lambda: set_attribute(
        1, "activity_regularizer", keras.regularizers.L1(0.5)
    ),
    "dtype policy": lambda: set_attribute(1, "dtype_policy", keras.DTypePolicy("mixed_bfloat16")),
    "call of an instance": lambda: double_call,
    "call of a class": lambda: replace(
        layers.Dense, "call", lambda self, x: ops.matmul(x, self.kernel)
    ),
    "a function of a module": lambda: replace(
        dense_module, "dense", lambda x, kernel, *_: x @ kernel
    ),
    "the code of a function": lambda: replace(
        keras.activations.relu, "__code__", changed_code.__code__
    ),
    "a weight of a variable": lambda: set_of_kernel("regularizer", keras.regularizers.L2(0.3)),
    "a constraint": lambda: set_of_kernel("constraint", keras.constraints.MaxNorm(0.1)),
    "a variable that is not trained": lambda: set_of_kernel("trainable", False),
    "clipnorm": lambda: set_of_optimizer("clipnorm", 1e-3),
    "beta_1": lambda: set_of_optimizer("beta_1", 0.1),
    "weight decay": lambda: set_of_optimizer("weight_decay", 0.5),
    "another optimizer": lambda: recompile(optimizer="sgd"),
    "a schedule": lambda: recompile(
        optimizer=keras.optimizers.Adam(keras.optimizers.schedules.ExponentialDecay(0.1, 1, 0.1))
    ),
    "another loss": lambda: recompile(
        loss=keras.losses.SparseCategoricalCrossentropy(ignore_class=0)
    ),
    "a loss of the program": lambda: recompile(loss=user_loss),
    "loss weights": lambda: recompile(loss_weights=[3.0]),
    "an option of a metric": lambda: recompile(
        metrics=[keras.metrics.SparseTopKCategoricalAccuracy(k=2, name="accuracy")]
    ),
    "a train step": lambda: set_of_model("train_step", lambda data: {"loss": ops.zeros(())}),
    "compute_loss": lambda: set_of_model("compute_loss", lambda *_, **__: ops.zeros(())),
    "results": lambda: set_of_model("get_metrics_result", lambda: {"loss": ops.ones(())}),
    "a global setting": lambda: replace(settings, "epsilon", 0.3),
    "an optimizer in its place": lambda: set_of_model("optimizer", keras.optimizers.SGD(0.5)),
}


def train_key(model: Any) -> bytes | None:
    roots = program_key.step_roots(model, "train")
    return program_key.make_key("train", model._state("train"), roots)


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_model_has_another_key(name: str, monkeypatch: pytest.MonkeyPatch):
    keys = []
    for change in (None, None, CHANGES[name]):
        model = make()
        if change is not None:
            change()(model, monkeypatch)
        model.fit(X, Y, epochs=0)  # builds the losses, the metrics and the optimizer
        keys.append(train_key(model))
    assert keys[0] == keys[1] is not None
    assert keys[2] != keys[0]


@pytest.mark.thorough
@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_model_runs_its_own_program(name: str, monkeypatch: pytest.MonkeyPatch):
    original = make()
    weights = original.get_weights()
    run(original)

    def change() -> Any:
        model = make()
        model.set_weights(weights)
        CHANGES[name]()(model, monkeypatch)
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
    first.layers[1].activation = keras.activations.tanh
    first.predict(X, verbose=0)
    second.set_weights(weights)
    expected = second.predict(X[:3], verbose=0)  # traces again, for another size
    second.layers[1].activation = keras.activations.tanh
    second.predict(X[:4], verbose=0)
    third = make()
    third.set_weights(weights)
    np.testing.assert_allclose(third.predict(X[:4], verbose=0)[:3], expected, rtol=1e-5)

"""Every argument of the loops and of `compile`, and every setting, changes something."""

import inspect
import os
import threading

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import layers, losses, ops, settings
from keras_fn.backend.loader import current
from keras_fn.callbacks.progress_display import is_live
from keras_fn.ops import attention

X = np.random.default_rng(0).normal(size=(12, 3)).astype("float32")
Y = np.arange(12).reshape(12, 1) % 2


def new_model():
    inputs = keras.Input((3,))
    model = keras.Model(inputs, layers.Dense(1, activation="sigmoid")(inputs))
    model.compile(keras.optimizers.SGD(0.1), "binary_crossentropy")
    return model


class Trace(keras.callbacks.Callback):
    """Notes everything that a run does."""

    def __init__(self, folder=None):
        super().__init__()
        self.calls, self.folder = [], folder

    def on_epoch_begin(self, epoch, logs=None):
        self.calls.append(("epoch", epoch, bool(self.folder) and os.path.exists(self.folder)))

    def on_train_batch_end(self, batch, logs=None):
        self.calls.append(("train", batch))

    def on_test_batch_end(self, batch, logs=None):
        self.calls.append(("test", batch))

    def on_predict_batch_end(self, batch, logs=None):
        self.calls.append(("predict", batch))


_models = []


def trace(method, capsys, **arguments):
    """Runs a method on the same model in the same state. Returns all that one can see of it."""
    if not _models:
        model = new_model()
        _models.append((model, model.get_weights()))
    model, weights = _models[0]
    model.set_weights(weights)
    keras.utils.set_random_seed(1)
    noted = Trace(arguments.get("resume"))
    if "callbacks" in inspect.signature(getattr(model, method)).parameters:
        arguments["callbacks"] = [noted, *arguments.get("callbacks", [])]
    capsys.readouterr()
    result = getattr(model, method)(**arguments)
    result = result.history if hasattr(result, "history") else result
    printed = "ETA" if capsys.readouterr().out else ""
    values = [np.asarray(x, "float64").tolist() for x in keras.tree.flatten(result)]
    kind = (type(result).__name__, sorted(result) if isinstance(result, dict) else None)
    return kind, values, noted.calls, printed, [w.tolist() for w in model.get_weights()]


class Halving(keras.callbacks.Callback):
    """Does something that one sees in the weights, or in the values of a run."""

    def on_train_batch_end(self, batch, logs=None):
        self.model.set_weights([w / 2 for w in self.model.get_weights()])

    on_test_batch_end = on_predict_batch_end = on_train_batch_end


BOTH = {"x": X, "y": Y}
DATA = {"x": X[::-1], "y": 1 - Y}
FIT = {**BOTH, "batch_size": 6, "epochs": 3, "verbose": 0}
CHANGES = {  # method: the arguments, and for each of its parameters another value
    "fit": (
        FIT,
        {
            **DATA,
            "batch_size": 4,
            "epochs": 2,
            "verbose": 2,
            "callbacks": [Halving()],
            "validation_split": 0.5,
            "validation_data": (X, Y),
            "shuffle": False,
            "class_weight": {0: 5.0},
            "sample_weight": np.linspace(0, 1, 12),
            "initial_epoch": 1,
            "steps_per_epoch": 1,
            "validation_steps": 1,
            "validation_batch_size": 3,
            "validation_freq": 2,
            "resume": None,
        },
    ),
    "evaluate": (
        {**BOTH, "batch_size": 6, "verbose": 0},
        {
            **DATA,
            "batch_size": 4,
            "verbose": 2,
            "sample_weight": np.linspace(0, 1, 12),
            "steps": 1,
            "callbacks": [Halving()],
            "return_dict": True,
        },
    ),
    "predict": (
        {"x": X, "batch_size": 6, "verbose": 0},
        {"x": X[::-1], "batch_size": 4, "verbose": 2, "steps": 1, "callbacks": [Halving()]},
    ),
    "train_on_batch": (
        BOTH,
        {
            **DATA,
            "sample_weight": np.linspace(0, 1, 12),
            "class_weight": {0: 5.0},
            "return_dict": True,
        },
    ),
    "test_on_batch": (
        BOTH,
        {**DATA, "sample_weight": np.linspace(0, 1, 12), "return_dict": True},
    ),
    "predict_on_batch": ({"x": X}, {"x": X[::-1]}),
}


@pytest.mark.parametrize("method", CHANGES)
def test_every_argument_of_a_loop_changes_something(method, capsys, tmp_path):
    base, changes = CHANGES[method]
    parameters = [p for p in inspect.signature(getattr(keras.Model, method)).parameters]
    assert set(changes) == set(parameters) - {"self", "kwargs"}
    before = trace(method, capsys, **base)
    assert trace(method, capsys, **base) == before
    validated = None
    for name, value in changes.items():
        if name == "resume":
            value = tmp_path / "run"
        if name in ("validation_steps", "validation_batch_size", "validation_freq"):
            with_validation = {**base, "validation_data": (X, Y)}
            validated = validated or trace(method, capsys, **with_validation)
            assert trace(method, capsys, **with_validation, **{name: value}) != validated, name
        else:
            assert trace(method, capsys, **{**base, name: value}) != before, name


class Ranked(layers.Layer):
    """Two outputs, and the thread that runs it."""

    def call(self, x):
        return x, 2 * x


def seen_of_compile(monkeypatch, **arguments):
    """Compiles a model with two outputs, trains a step, and returns what one can see of it."""
    keras.utils.set_random_seed(1)
    inputs = keras.Input((3,))
    model = keras.Model(inputs, Ranked()(layers.Dense(1)(inputs)))
    backend, modes, threads = current(), [], []
    compile_step = backend.compile

    def spy(function, state, jit="auto", donate=True):
        modes.append(jit)
        return compile_step(function, state, None, donate)

    monkeypatch.setattr(backend, "compile", spy)
    monkeypatch.setattr(backend, "compile_multi_step", lambda *args: None, raising=False)
    model.compile(**{"optimizer": keras.optimizers.SGD(0.1), "loss": "mse", **arguments})
    noted = Trace()

    def batches():
        for first in (0, 4, 8):
            threads.append(threading.current_thread() is threading.main_thread())
            part = slice(first, first + 4)
            yield X[part], (Y[part], Y[part]), (np.linspace(0, 1, 4),) * 2

    history = model.fit(batches(), verbose=0, callbacks=noted).history
    return (
        type(model.optimizer).__name__,
        {k: float(v[0]) for k, v in history.items()},
        [w.tolist() for w in model.get_weights()],
        noted.calls,
        modes[0],
        threads[1:],
    )


def test_every_argument_of_compile_changes_something(monkeypatch):
    changes = {
        "optimizer": "adam",
        "loss": "mae",
        "loss_weights": [1.0, 5.0],
        "metrics": [["mae"], []],
        "weighted_metrics": [["mae"], []],
        "run_eagerly": True,
        "steps_per_execution": 2,
        "jit_compile": True,
        "auto_scale_loss": None,  # below
    }
    assert set(changes) == set(inspect.signature(keras.Model.compile).parameters) - {"self"}
    before = seen_of_compile(monkeypatch)
    for name, value in changes.items():
        if value is not None:
            assert seen_of_compile(monkeypatch, **{name: value}) != before, name
    inputs = keras.Input((3,), dtype="float16")
    model = keras.Sequential([inputs, layers.Dense(1, dtype="mixed_float16")])
    model.dtype_policy = keras.DTypePolicy("mixed_float16")
    kinds = set()
    for scale in (False, True):
        model.compile("sgd", "mse", auto_scale_loss=scale)
        kinds.add(type(model.optimizer).__name__)
    assert kinds == {"SGD", "LossScaleOptimizer"}


# ---------------------------------------------------------------- settings


def fit_with_limits():
    noted = Trace()
    new_model().fit(X, Y, batch_size=4, epochs=3, verbose=0, callbacks=noted)
    return noted.calls


def frames_of_an_error():
    model = new_model()
    try:
        model.fit(X, Y[:3])
    except ValueError as error:
        count, traceback = 0, error.__traceback__
        while traceback is not None:
            count, traceback = count + 1, traceback.tb_next
        return count
    raise AssertionError("it was accepted")


class Terminal:
    is_jupyter, is_terminal = False, True


def epsilon_of_a_loss():
    return float(losses.mean_absolute_percentage_error([[0.0]], [[1.0]])[0])


C = keras.config
SETTINGS = {  # name: (sets, restores, what one sees)
    "set_epsilon": (lambda: C.set_epsilon(0.5), lambda: C.set_epsilon(1e-7), epsilon_of_a_loss),
    "set_floatx": (
        lambda: C.set_floatx("float16"),
        lambda: C.set_floatx("float32"),
        lambda: (ops.dtype(ops.zeros(())), layers.Dense(1).dtype),
    ),
    "set_image_data_format": (
        lambda: C.set_image_data_format("channels_first"),
        lambda: C.set_image_data_format("channels_last"),
        lambda: layers.Conv2D(4, 1)(keras.Input((3, 5, 5))).shape,
    ),
    "set_dtype_policy": (
        lambda: C.set_dtype_policy("mixed_bfloat16"),
        lambda: C.set_dtype_policy("float32"),
        lambda: layers.Dense(1).compute_dtype,
    ),
    "set_max_epochs": (
        lambda: C.set_max_epochs(2),
        lambda: C.set_max_epochs(None),
        fit_with_limits,
    ),
    "set_max_steps_per_epoch": (
        lambda: C.set_max_steps_per_epoch(2),
        lambda: C.set_max_steps_per_epoch(None),
        fit_with_limits,
    ),
    "disable_interactive_logging": (
        C.disable_interactive_logging,
        C.enable_interactive_logging,
        lambda: is_live(Terminal, "auto"),
    ),
    "disable_traceback_filtering": (
        C.disable_traceback_filtering,
        C.enable_traceback_filtering,
        frames_of_an_error,
    ),
}
TESTED_BELOW = {"disable_flash_attention", "enable_flash_attention", "set_backend"}
TESTED_ELSEWHERE = {"enable_compilation_cache"}  # tests/backend/test_compilation_cache.py
NO_EFFECT = {"enable_unsafe_deserialization"}  # no file can run code: docs/differences.md


@pytest.mark.filterwarnings("ignore:.*config.max_")
@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_changes_something(name):
    change, restore, see = SETTINGS[name]
    restore()
    before = see()
    change()
    try:
        changed = see()
    finally:
        restore()
    assert changed != before
    assert see() == before


def test_no_setting_is_left_out():
    public = [n for n in vars(C) if n.startswith(("set_", "enable_", "disable_"))]
    restored = {n.replace("disable", "enable") for n in SETTINGS}
    assert set(public) == {
        *SETTINGS, *restored, *TESTED_BELOW, *TESTED_ELSEWHERE, *NO_EFFECT,
    }  # fmt: skip


def test_flash_attention_is_an_argument_of_the_kernel(monkeypatch):
    received, query = [], ops.ones((1, 2, 1, 8))
    kernel = attention.fused_attention
    monkeypatch.setattr(
        attention, "fused_attention", lambda *args: received.append(args[-1]) or kernel(*args)
    )
    compute = inspect.unwrap(ops.dot_product_attention)  # not compiled, so that it is not cached
    for change in (C.disable_flash_attention, C.enable_flash_attention):
        change()
        compute(query, query, query)
    assert received == [False, None]


def test_a_backend_that_is_loaded_stays():
    with pytest.raises(RuntimeError, match="is already loaded"):
        C.set_backend("torch" if C.backend() == "jax" else "jax")


def test_limits_of_the_loops_hold_everywhere():
    model = new_model()
    noted = Trace()
    C.set_max_epochs(2)
    C.set_max_steps_per_epoch(2)
    try:
        with pytest.warns(
            UserWarning, match=r"config.max_epochs\(\) is 2|steps_per_epoch\(\) is 2"
        ):
            history = model.fit(
                X, Y, batch_size=2, initial_epoch=1, epochs=5, validation_data=(X, Y),
                validation_batch_size=3, verbose=0, callbacks=noted,
            )  # fmt: skip
        assert history.epoch == [1, 2]
        assert [c[0] for c in noted.calls].count("train") == 4
        assert [c[0] for c in noted.calls].count("test") == 4
        with pytest.warns(UserWarning, match="There are 2 steps in an epoch"):
            assert model.predict(X, batch_size=2, verbose=0).shape == (4, 1)
        assert model.predict(X, batch_size=8, verbose=0).shape == (12, 1)  # fewer than the limit
        stream = ((X[i : i + 2], Y[i : i + 2]) for i in range(0, 12, 2))
        with pytest.warns(UserWarning, match="There are 2 steps in an epoch"):
            model.evaluate(stream, verbose=0)
        assert sum(1 for _ in stream) == 4
    finally:
        C.set_max_epochs(None)
        C.set_max_steps_per_epoch(None)


@pytest.mark.parametrize("wrong", [0, -1, 2.0, "2", True])
def test_limits_are_positive_integers(wrong):
    for name in ("max_epochs", "max_steps_per_epoch"):
        with pytest.raises(ValueError, match=f"expected: {name} as a positive integer"):
            getattr(C, f"set_{name}")(wrong)


def test_limits_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("KERAS_MAX_EPOCHS", "3")
    monkeypatch.setenv("KERAS_MAX_STEPS_PER_EPOCH", "7")
    values = settings.Settings()
    assert (values.max_epochs, values.max_steps_per_epoch) == (3, 7)
    monkeypatch.setenv("KERAS_MAX_EPOCHS", "many")
    with pytest.warns(UserWarning, match="KERAS_MAX_EPOCHS='many' is ignored"):
        assert settings.Settings().max_epochs is None

"""The loops of fit, evaluate and predict: callbacks, histories, epochs, compiled steps."""

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import layers, ops

X = np.random.default_rng(5).normal(size=(5, 3)).astype("float32")
Y = X[:, :1]


def linear(**compiled):
    model = keras.Sequential([keras.Input((3,)), layers.Dense(1)])
    model.compile("sgd", "mse", **compiled)
    return model


class Noting(keras.callbacks.Callback):
    """Records the calls of hooks, with their index and logs."""

    def __init__(self):
        super().__init__()
        self.calls, self.logs = [], []

    def note(self, name, *args):
        *index, logs = args
        self.calls.append((name, *index))
        self.logs.append((name, dict(logs or {})))


def _hook(name):
    return lambda self, *args: self.note(name, *args)


for _name in [n for n in dir(keras.callbacks.Callback) if n.startswith("on_")]:
    if _name not in ("on_batch_begin", "on_batch_end"):
        setattr(Noting, _name, _hook(_name))


def batch_calls(kind, count):
    hooks = f"on_{kind}_batch_begin", f"on_{kind}_batch_end"
    return [(hook, i) for i in range(count) for hook in hooks]


def test_fit_calls_the_hooks_in_order():
    noting = Noting()
    linear().fit(
        X, Y, batch_size=2, epochs=2, callbacks=[noting], validation_data=(X[:2], Y[:2]), verbose=0
    )
    validation = [("on_test_begin",), *batch_calls("test", 1), ("on_test_end",)]
    epochs = [
        [("on_epoch_begin", i), *batch_calls("train", 3), *validation, ("on_epoch_end", i)]
        for i in range(2)
    ]
    assert noting.calls == [("on_train_begin",), *epochs[0], *epochs[1], ("on_train_end",)]


def test_evaluate_and_predict_call_their_hooks():
    model, noting = linear(), Noting()
    model.evaluate(X, Y, batch_size=2, callbacks=[noting], verbose=0)
    assert noting.calls == [("on_test_begin",), *batch_calls("test", 3), ("on_test_end",)]
    noting = Noting()
    model.predict(X, batch_size=2, callbacks=[noting], verbose=0)
    assert noting.calls == [
        ("on_predict_begin",),
        *batch_calls("predict", 3),
        ("on_predict_end",),
    ]


def test_batch_logs_average_over_the_epoch_so_far():
    noting, model = Noting(), linear(metrics=["mae"])
    history = model.fit(X, Y, batch_size=2, shuffle=False, callbacks=[noting], verbose=0).history
    logs = [logs for name, logs in noting.logs if name == "on_train_batch_end"]
    assert [set(log) for log in logs] == [{"loss", "mae"}] * 3
    assert logs[-1]["loss"] == pytest.approx(history["loss"][0])
    assert len({log["loss"] for log in logs}) == 3
    end = dict(noting.logs)["on_epoch_end"]
    assert end == pytest.approx({"loss": history["loss"][0], "mae": history["mae"][0]})


def test_callbacks_know_the_model_and_the_run():
    callback = keras.callbacks.Callback()
    model = linear()
    model.fit(X, Y, batch_size=2, epochs=3, callbacks=[callback], verbose=0)
    assert callback.model is model
    assert callback.params == {"epochs": 3, "steps": 3, "verbose": 0}


def test_training_stops_after_the_epoch_that_asks_for_it():
    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = epoch == 1

    model = linear()
    history = model.fit(X, Y, epochs=5, callbacks=[Stop()], verbose=0)
    assert history.epoch == [0, 1]
    noting = Noting()
    model.evaluate(X, Y, batch_size=2, callbacks=[noting], verbose=0)
    assert len(noting.calls) == 8  # an earlier stop_training does not stop an evaluation
    assert model.predict(X, batch_size=2, callbacks=[Noting()], verbose=0).shape == (5, 1)
    assert len(model.fit(X, Y, epochs=2, verbose=0).epoch) == 2


def test_training_stops_after_the_batch_that_asks_for_it():
    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = batch == 1

    model = linear()
    history = model.fit(X, Y, batch_size=1, epochs=5, callbacks=[Stop()], verbose=0)
    assert history.epoch == [0]
    assert int(model.optimizer.iterations.numpy()) == 2


def test_the_history_holds_an_entry_an_epoch_and_stays_with_the_model():
    model = linear(metrics=["mae"])
    history = model.fit(X, Y, epochs=4, initial_epoch=1, validation_split=0.4, verbose=0)
    assert history is model.history
    assert history.epoch == [1, 2, 3]
    assert list(history.history) == ["loss", "mae", "val_loss", "val_mae"]
    assert all(len(v) == 3 and isinstance(v[0], float) for v in history.history.values())


@pytest.mark.parametrize("verbose, lines", [(0, 0), (2, 4), (1, None)])
def test_verbose_controls_the_output(verbose, lines, capsys):
    model = linear()
    model.fit(X, Y, epochs=2, verbose=verbose, validation_data=(X, Y))
    text = capsys.readouterr().out
    if lines is not None:
        assert len(text.splitlines()) == lines
    if verbose:
        assert "Epoch 1/2" in text and "val_loss" in text
    model.evaluate(X, Y, verbose=verbose)
    model.predict(X, verbose=verbose)
    assert bool(capsys.readouterr().out) == bool(verbose)


def test_later_epochs_and_runs_compile_nothing_again():
    traces = []

    class Counting(layers.Layer):
        def call(self, x):
            traces.append(1)
            return x * 1.0

    x = keras.Input((3,))
    model = keras.Model(x, layers.Dense(1)(Counting()(x)))
    model.compile("sgd", "mse", metrics=["mae"])
    options = {"batch_size": 2, "verbose": 0, "validation_data": (X, Y)}
    model.fit(X, Y, epochs=2, **options)
    before = len(traces)
    model.fit(X, Y, epochs=3, **options)
    model.evaluate(X, Y, batch_size=2, verbose=0)
    later = len(traces) - before
    if keras.config.backend() == "torch":  # steps are not compiled
        assert later >= 5 * 3
    else:
        assert later <= 1  # the first evaluation on batches of 2
    before = len(traces)
    model.evaluate(X, Y, batch_size=2, verbose=0)
    model.fit(X, Y, epochs=2, **options)
    if keras.config.backend() != "torch":
        assert len(traces) == before


def test_changes_of_trainable_take_effect_in_the_next_fit():
    model = linear()
    model.fit(X, Y, verbose=0)
    before = model.get_weights()
    model.trainable = False
    model.fit(X, Y, verbose=0)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_run_eagerly_may_be_switched_on_the_model():
    class Peeking(layers.Layer):
        def call(self, x):
            seen.append(type(x))
            return x * 1.0

    seen = []
    x = keras.Input((3,))
    model = keras.Model(x, Peeking()(x))
    model.compile("sgd", "mse")
    model.evaluate(X, X, verbose=0)
    model.run_eagerly = True
    model.evaluate(X, X, batch_size=1, verbose=0)
    before = len(seen)
    model.evaluate(X, X, batch_size=1, verbose=0)
    assert len(seen) == before + 5


def test_the_state_of_batch_normalization_moves_in_training_alone():
    x = keras.Input((3,))
    model = keras.Model(x, layers.BatchNormalization(momentum=0.5)(x))
    model.compile(keras.optimizers.SGD(0.0), "mse")
    mean = lambda: ops.convert_to_numpy(model.layers[1].moving_mean)  # noqa: E731
    model.evaluate(X, X, verbose=0)
    model.predict(X, verbose=0)
    np.testing.assert_array_equal(mean(), 0)
    model.fit(X, X, verbose=0)
    np.testing.assert_allclose(mean(), X.mean(0) / 2, rtol=1e-5)


def test_dropout_differs_from_step_to_step_and_is_off_in_evaluation():
    x = keras.Input((3,))
    model = keras.Model(x, layers.Dropout(0.25)(x))
    model.compile("sgd", "mse")
    assert model.evaluate(X, X, verbose=0) == 0.0
    losses = model.fit(X, X, epochs=6, verbose=0).history["loss"]
    assert len(set(losses)) > 1
    np.testing.assert_array_equal(model.predict(X, verbose=0), X)


def test_validation_has_a_separate_batch_size():
    noting = Noting()
    options = {"epochs": 1, "verbose": 0, "batch_size": 5, "callbacks": [noting]}
    linear().fit(X, Y, validation_data=(X, Y), validation_batch_size=2, **options)
    assert [i for name, *i in noting.calls if name == "on_train_batch_end"] == [[0]]
    assert [i for name, *i in noting.calls if name == "on_test_batch_end"] == [[0], [1], [2]]


@pytest.mark.parametrize(
    ("dtype", "options", "scaled"),
    [
        ("mixed_float16", {}, True),
        ("mixed_float16", {"auto_scale_loss": False}, False),
        ("mixed_bfloat16", {}, False),
        ("float32", {"auto_scale_loss": True}, False),
    ],
)
def test_float16_losses_are_scaled_unless_disabled(dtype, options, scaled):
    model = keras.Sequential([keras.Input((3,)), layers.Dense(1)])
    model.dtype_policy = keras.DTypePolicy(dtype)
    optimizer = keras.optimizers.SGD(0.1)
    model.compile(optimizer, "mse", **options)
    assert isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer) == scaled
    assert scaled or model.optimizer is optimizer
    model.fit(X, Y, verbose=0)
    assert int(optimizer.iterations) == 1

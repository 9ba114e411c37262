"""Multi-step execution: the same numbers as single steps, and hooks when they are due."""

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import layers
from keras_fn.backend.loader import current
from keras_fn.data_adapters.array_data_adapter import ArrayDataAdapter
from keras_fn.training.epoch_runner import AutoStepsPerExecution

X = np.random.default_rng(5).normal(size=(23, 4)).astype("float32")
Y = X @ np.ones((4, 1), "float32")


def dropping(**compiled):
    """A model with all state that a step changes: weights, averages, random seeds, metrics."""
    keras.utils.set_random_seed(3)
    x = keras.Input((4,))
    h = layers.BatchNormalization()(layers.Dense(5, activation="tanh")(x))
    model = keras.Model(x, layers.Dense(1)(layers.Dropout(0.4)(h)))
    options = {"optimizer": keras.optimizers.Adam(0.01), "loss": "mse", "metrics": ["mae"]}
    model.compile(**{**options, **compiled})
    return model


class Watching(keras.callbacks.Callback):
    """Overrides batch hooks, so that steps run one by one."""

    def __init__(self):
        super().__init__()
        self.calls, self.losses = [], []

    def on_train_batch_begin(self, batch, logs=None):
        self.calls.append(("begin", batch))

    def on_train_batch_end(self, batch, logs=None):
        self.calls.append(("end", batch))
        self.losses.append(logs["loss"])


def state(model):
    variables = [*model.variables, *model.optimizer.variables]
    return [v.numpy() for v in variables]


def fitted(callbacks=(), compiled=None, **options):
    model = dropping(**(compiled or {}))
    history = model.fit(X, Y, batch_size=4, epochs=4, verbose=0, callbacks=[*callbacks], **options)
    return state(model), history.history


def test_batch_hooks_change_nothing():
    once, losses = fitted()
    with_callback, seen = fitted([Watching()])
    for a, b in zip(once, with_callback, strict=True):
        np.testing.assert_array_equal(a, b)
    assert losses == seen


def test_multi_step_execution_equals_compiled_single_steps(monkeypatch):
    once, losses = fitted()
    monkeypatch.delattr(current(), "compile_multi_step", raising=False)
    apart, seen = fitted()
    for a, b in zip(once, apart, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(losses["loss"], seen["loss"], rtol=1e-4)


def test_grouping_of_steps_changes_nothing(monkeypatch):
    monkeypatch.setattr(
        AutoStepsPerExecution, "update", lambda self, steps, seconds: setattr(self, "steps", 1)
    )
    ones, _ = fitted()
    monkeypatch.setattr(
        AutoStepsPerExecution, "update", lambda self, steps, seconds: setattr(self, "steps", 3)
    )
    threes, _ = fitted()
    for a, b in zip(ones, threes, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_custom_step_returns_its_last_logs():
    class Counting(keras.Model):
        def train_step(self, data):
            logs = super().train_step(data)
            return {"loss": logs["loss"], "last": keras.ops.sum(data[1])}

    keras.utils.set_random_seed(0)
    x = keras.Input((4,))
    model = Counting(x, layers.Dense(1)(x))
    model.compile("sgd", "mse")
    history = model.fit(X, Y, batch_size=4, shuffle=False, verbose=0).history
    assert history["last"][0] == pytest.approx(Y[20:].sum(), rel=1e-5)
    history = model.fit(X[:20], Y[:20], batch_size=4, shuffle=False, verbose=0).history
    assert history["last"][0] == pytest.approx(Y[16:20].sum(), rel=1e-5)


@pytest.mark.parametrize("given", ["arrays", "batches"])
def test_steps_per_execution_calls_hooks_once_for_so_many_steps(given):
    watching = Watching()
    model = dropping(steps_per_execution=4)
    if given == "arrays":
        model.fit(X, Y, batch_size=4, epochs=1, verbose=0, callbacks=[watching])
    else:
        batches = ((X[i : i + 4], Y[i : i + 4]) for i in range(0, 23, 4))
        model.fit(batches, epochs=1, verbose=0, callbacks=[watching])
    # As Keras counts: the last group ends where it would if it were full.
    assert watching.calls == [("begin", 0), ("end", 3), ("begin", 4), ("end", 7)]
    assert int(model.optimizer.iterations.numpy()) == 6


class Batches:
    """An iterable of batches that can be read again, of unknown length."""

    def __iter__(self):
        return ((X[i : i + 4], Y[i : i + 4]) for i in range(0, 23, 4))


@pytest.mark.parametrize("steps", [3, 101])
def test_hooks_of_all_loops_count_in_groups_of_steps(steps):
    class Counting(keras.callbacks.Callback):
        """As in Keras's own tests."""

        def begin(self, batch, logs=None):
            assert batch == self.begun * steps
            self.begun += 1

        def end(self, batch, logs=None):
            self.ended += 1
            assert batch == self.ended * steps - 1

        on_train_batch_begin = on_test_batch_begin = on_predict_batch_begin = begin
        on_train_batch_end = on_test_batch_end = on_predict_batch_end = end

        def restart(self, *_, **__):
            self.begun = self.ended = 0

        on_epoch_begin = on_test_begin = on_predict_begin = restart

    counting = Counting()
    model = dropping(steps_per_execution=steps)
    stream = Batches()
    for run in (
        lambda: model.fit(X, Y, batch_size=4, epochs=2, verbose=0, callbacks=[counting]),
        lambda: model.evaluate(X, Y, batch_size=4, verbose=0, callbacks=[counting]),
        lambda: model.predict(X, batch_size=4, verbose=0, callbacks=[counting]),
        lambda: model.fit(stream, epochs=2, verbose=0, callbacks=[counting]),
    ):
        run()
        assert counting.begun == counting.ended == -(-6 // steps)


def test_groups_of_steps_change_nothing():
    once, losses = fitted()
    grouped, seen = fitted([Watching()], {"steps_per_execution": 4})
    for a, b in zip(once, grouped, strict=True):
        np.testing.assert_array_equal(a, b)
    assert losses == seen


def test_callbacks_that_count_batches_know_how_many_there_were(tmp_path):
    saved = []

    class Noting(keras.callbacks.ModelCheckpoint):
        def _save(self, epoch, batch, logs):
            saved.append((epoch, batch))

    model = dropping(steps_per_execution=4)
    callback = Noting(tmp_path / "m.keras", save_freq=6)
    model.fit(X, Y, batch_size=4, epochs=3, verbose=0, callbacks=[callback])
    assert saved == [(0, 5), (1, 5), (2, 5)]  # 6 batches in an epoch, in groups of 4 and 2


@pytest.mark.parametrize("kind", ["fit", "evaluate", "predict"])
def test_each_loop_stops_when_a_callback_says_so(kind):
    flag = {"fit": "stop_training", "evaluate": "stop_evaluating", "predict": "stop_predicting"}[
        kind
    ]

    class Stopper(keras.callbacks.Callback):
        count = 0

        def end(self, batch, logs=None):
            self.count += 1
            if self.count == 5:
                setattr(self.model, flag, True)

        on_train_batch_end = on_test_batch_end = on_predict_batch_end = end

    def forever():
        while True:
            yield X[:2], Y[:2]

    model, stopper = dropping(), Stopper()
    assert getattr(model, flag) is False
    result = getattr(model, kind)(forever(), callbacks=[stopper], verbose=0)
    assert stopper.count == 5
    if kind == "predict":
        assert result.shape == (10, 1)
    setattr(model, flag, True)  # of the run before: the next one starts anew
    stopper = Stopper()
    getattr(model, kind)(forever(), callbacks=[stopper], verbose=0)
    assert stopper.count == 5


def test_a_stopped_validation_does_not_stop_training():
    class Stopper(keras.callbacks.Callback):
        tested = 0

        def on_test_batch_end(self, batch, logs=None):
            self.tested += 1
            self.model.stop_evaluating = True

    stopper, model = Stopper(), dropping()
    history = model.fit(
        X, Y, batch_size=4, epochs=2, validation_data=(X, Y), callbacks=stopper, verbose=0
    )
    assert stopper.tested == 2 and len(history.history["val_loss"]) == 2


def test_steps_per_execution_auto_runs_every_step():
    watching = Watching()
    model = dropping(steps_per_execution="auto")
    model.fit(X, Y, batch_size=4, epochs=3, verbose=0, callbacks=[watching])
    assert [i for name, i in watching.calls if name == "end"].count(5) == 3
    assert int(model.optimizer.iterations.numpy()) == 18


@pytest.mark.parametrize("wrong", [0, -1, 1.5, "fast", None])
def test_steps_per_execution_is_checked(wrong):
    with pytest.raises((ValueError, TypeError), match="steps_per_execution"):
        dropping(steps_per_execution=wrong)


def test_predict_hooks_receive_the_outputs_of_a_group():
    seen = []

    class CollectOutputs(keras.callbacks.Callback):
        def on_predict_batch_end(self, batch, logs=None):
            seen.append((batch, np.asarray(keras.ops.convert_to_numpy(logs["outputs"]))))

    model = dropping(steps_per_execution=4)
    found = model.predict(X, batch_size=4, verbose=0, callbacks=[CollectOutputs()])
    assert [(batch, rows.shape) for batch, rows in seen] == [(3, (16, 1)), (7, (7, 1))]
    np.testing.assert_array_equal(np.concatenate([rows for _, rows in seen]), found)


def test_later_epochs_and_fits_compile_nothing_new():
    traces = []

    class Traced(layers.Layer):
        def call(self, x):
            traces.append(x)
            return x

    x = keras.Input((4,))
    model = keras.Model(x, layers.Dense(1)(Traced()(x)))
    model.compile("sgd", "mse")
    model.fit(X, Y, batch_size=4, epochs=2, verbose=0, validation_split=0.3)
    if current().name == "torch":
        return  # steps are not compiled
    count = len(traces)
    for steps in (None, 2):
        model.fit(X, Y, batch_size=4, epochs=3, verbose=0, validation_split=0.3)
        model.fit(
            X, Y, batch_size=4, epochs=3, verbose=0, validation_split=0.3, callbacks=[Watching()]
        )
        assert len(traces) == count, steps


def test_epochs_of_fewer_steps_continue_in_the_data():
    class Noting(keras.Model):
        def train_step(self, data):
            return {"first": data[0][0, 0]}

    numbers = np.arange(12, dtype="float32")[:, None]
    x = keras.Input((1,))
    model = Noting(x, layers.Dense(1)(x))
    model.compile("sgd", "mse")
    history = model.fit(
        numbers, numbers, batch_size=2, steps_per_epoch=4, epochs=4, shuffle=False, verbose=0
    )
    # The last step of each: batches 3, 7 = 1 of the second pass, 11 = 5, 15 = 3 of the third.
    assert history.history["first"] == [6, 2, 10, 6]


def test_epochs_of_fewer_steps_see_every_sample_once():
    data = ArrayDataAdapter(([np.arange(10)], None, None), 3, shuffle=True, seed=1)
    data.steps = 2
    every = [np.concatenate(list(data.index_runs(epoch))) for epoch in range(4)]
    assert sorted(np.concatenate(every[:2])) == list(range(10))
    assert sorted(np.concatenate(every[2:])) == list(range(10))
    rest = np.concatenate(list(data.index_runs(1, start=1)))
    np.testing.assert_array_equal(rest, every[1][3:])


def test_steps_per_execution_adapts_to_the_duration_of_a_call():
    auto = AutoStepsPerExecution()
    auto.update(1, 9.0)  # compiles
    assert auto.steps == 1
    auto.update(1, 1e-3)
    assert auto.steps == 8
    auto.update(8, 8e-3)
    assert auto.steps == 64
    auto.update(64, 64e-3)
    assert auto.steps == 100
    auto.update(100, 2.0)
    assert auto.steps == 5
    auto.update(5, 60.0)
    assert auto.steps == 1


def test_the_number_of_multi_step_functions_is_bounded():
    model = dropping()
    for size in range(4, 20):
        model.fit(X[:size], Y[:size], batch_size=4, verbose=0)
    assert len(model._functions) <= 11  # a step, 8 multi-step functions, two for metrics


def test_functions_of_an_iterator_run_its_next_batch():
    model = dropping()
    train, test = model.make_train_function(), model.make_test_function()
    assert model.train_function is train
    assert set(train(iter([(X, Y)]))) == {"loss", "mae"}
    assert int(model.optimizer.iterations.numpy()) == 1
    model.reset_metrics()
    assert test(iter([(X, Y)])) == pytest.approx(model.evaluate(X, Y, verbose=0, return_dict=True))
    found = model.make_predict_function()(iter([(X,)]))
    np.testing.assert_allclose(found, model.predict(X, verbose=0), rtol=1e-5, atol=1e-6)
    assert int(model.optimizer.iterations.numpy()) == 1

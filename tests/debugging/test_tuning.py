"""Trials before a training: what they find, and that they leave no trace."""

import math

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import ops
from keras_fn.backend.loader import current
from keras_fn.debugging.tuning import is_out_of_memory
from keras_fn.random import seed_generator as seeds
from keras_fn.training.snapshot import Snapshot, restore_on_exit

X = np.random.default_rng(0).normal(size=(64, 4)).astype("float32")
Y = X.sum(axis=1, keepdims=True)


def new_model(optimizer="adam"):
    """A model with all that has state: dropout, moving averages, metrics of its own."""
    keras.utils.set_random_seed(3)
    x = keras.Input((4,))
    y = keras.layers.Dense(8, activation="relu")(x)
    y = keras.layers.BatchNormalization()(y)
    y = keras.layers.Dropout(0.5)(y)
    model = keras.Model(x, keras.layers.Dense(1)(y))
    model.compile(optimizer, "mse", metrics=["mae"])
    return model


def everything(model):
    """All numbers that a training changes."""
    found = [*model.variables, *(v for m in model.metrics for v in m.variables)]
    if model.optimizer is not None:
        found += model.optimizer.variables
    return [v.numpy() for v in found]


def process_seeds():
    process = seeds._global_state
    return process.random.getstate(), repr(process.initial_draws), process.generator


TRIALS = {
    "rate": lambda m: keras.debugging.find_learning_rate(m, X, Y, steps=6, batch_size=16),
    "size": lambda m: keras.debugging.find_batch_size(m, X, Y, start=8, limit=32),
    "dry": lambda m: keras.debugging.fast_dev_run(m, X, Y, validation_data=(X, Y)),
}


@pytest.mark.parametrize("trained", [False, True])
@pytest.mark.parametrize("trial", TRIALS)
def test_every_tool_restores_everything(trial, trained):
    model = new_model()
    if trained:
        model.fit(X, Y, epochs=1, verbose=0)
    model.variables[0].numpy()
    before, seeds_before, keys = everything(model), process_seeds(), set(vars(model))
    built, history = model.optimizer.built, model.history
    TRIALS[trial](model)
    assert model.optimizer.built is built is trained
    assert model.history is history and set(vars(model)) == keys
    after = everything(model)
    assert len(after) == len(before) and all(map(np.array_equal, after, before))
    assert process_seeds() == seeds_before


@pytest.mark.parametrize(("trial", "trained"), [("rate", True), ("size", False), ("dry", True)])
def test_training_after_a_tool_equals_training_without_it(trial, trained):
    def run(with_trial):
        model = new_model()
        if trained:
            model.fit(X, Y, epochs=1, verbose=0)
        if with_trial:
            TRIALS[trial](model)
        history = model.fit(X, Y, epochs=2, verbose=0).history
        return history, everything(model)

    (history, values), (plain_history, plain) = run(True), run(False)
    assert history == plain_history
    assert all(map(np.array_equal, values, plain))


def test_everything_is_restored_after_an_error():
    model = new_model()
    model.fit(X, Y, verbose=0)
    before = everything(model)
    with pytest.raises(KeyError), restore_on_exit(model):
        model.fit(X, Y, verbose=0)
        raise KeyError
    assert all(map(np.array_equal, everything(model), before))


def test_a_snapshot_can_be_restored_twice():
    model = new_model()
    snapshot = Snapshot(model)
    ends = []
    for _ in range(2):
        model.fit(X, Y, verbose=0)
        ends.append(everything(model))
        snapshot.restore()
    assert all(map(np.array_equal, *ends))


def test_variables_of_nested_optimizers_are_restored():
    model = new_model(keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam()))
    model.fit(X, Y, verbose=0)
    before = everything(model)
    with restore_on_exit(model):
        model.fit(X, Y, verbose=0)
    assert all(map(np.array_equal, everything(model), before))


def test_unseeded_random_numbers_continue_as_before():
    keras.utils.set_random_seed(5)
    keras.random.normal((2,))
    model = new_model()
    keras.random.normal((2,))
    with restore_on_exit(model):
        inside = keras.random.normal((2,))
    assert np.array_equal(
        ops.convert_to_numpy(inside), ops.convert_to_numpy(keras.random.normal((2,)))
    )


def test_a_snapshot_needs_a_built_model():
    with pytest.raises(ValueError, match="a model that is built"):
        Snapshot(keras.Sequential([keras.layers.Dense(1)]))


# -------------------------------------------------------------------- learning rate


def quadratic(optimizer=None):
    """The loss of one weight: gradient descent diverges above a rate of 1 and is best at 0.5."""
    x = keras.Input((1,))
    y = keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")(x)
    model = keras.Model(x, y)
    model.compile(optimizer or keras.optimizers.SGD(0.1), "mse")
    return model


ONES = np.ones((32, 1), "float32")


@pytest.mark.parametrize("schedule", [False, True])
def test_rates_grow_and_the_losses_are_those_of_gradient_descent(schedule):
    rate = keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5) if schedule else 0.1
    model = quadratic(keras.optimizers.SGD(rate))
    test = keras.debugging.find_learning_rate(
        model, ONES, ONES, min_lr=1e-3, max_lr=100.0, steps=51, batch_size=8
    )
    count = len(test.losses)
    np.testing.assert_allclose(test.learning_rates, np.geomspace(1e-3, 100, 51)[:count])
    weight, losses = 0.0, []
    for rate in test.learning_rates:
        losses.append((1 - weight) ** 2)
        weight += rate * 2 * (1 - weight)
    # Near the best weight the difference has few digits left in float32.
    np.testing.assert_allclose(test.losses[:28], losses[:28], rtol=1e-3)
    assert count < 51  # it diverges, and the trial ends
    assert 0.02 < test.suggestion < 0.5
    assert model.optimizer.iterations.numpy() == 0


def test_a_loss_that_never_falls_has_no_suggestion():
    model = quadratic()
    test = keras.debugging.find_learning_rate(model, ONES, 0 * ONES, steps=5)
    assert test.suggestion is None and len(test.learning_rates) == 5


def test_a_non_finite_loss_ends_the_range_test():
    model = quadratic()
    y = ONES.copy()
    y[:] = np.nan
    test = keras.debugging.find_learning_rate(model, ONES, y, steps=5)
    assert len(test.losses) == 0 and test.suggestion is None


def test_batches_of_a_generator_are_accepted():
    def batches():
        while True:
            yield ONES, ONES

    test = keras.debugging.find_learning_rate(quadratic(), batches(), steps=5, max_lr=1e-3)
    assert len(test.losses) == 5


def test_an_unbuilt_model_is_built():
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    keras.debugging.find_learning_rate(model, ONES, ONES, steps=3)
    assert model.built and not model.optimizer.built


def test_the_plot_shows_rates_and_suggestion():
    pytest.importorskip("matplotlib")
    test = keras.debugging.find_learning_rate(quadratic(), ONES, ONES, steps=40)
    (axes,) = test.plot().axes
    lines = {line.get_label(): line for line in axes.get_lines()}
    assert axes.get_xscale() == "log"
    np.testing.assert_array_equal(lines["smoothed"].get_ydata(), test.smoothed_losses)
    assert lines["suggestion"].get_xdata()[0] == test.suggestion


@pytest.mark.parametrize("wrong", [{"min_lr": 0}, {"min_lr": 2, "max_lr": 1}, {"steps": 2}])
def test_rates_that_do_not_grow_raise(wrong):
    with pytest.raises(ValueError, match="0 < min_lr < max_lr"):
        keras.debugging.find_learning_rate(quadratic(), ONES, ONES, **wrong)


# -------------------------------------------------------------------- batch size


def fail_above(model, monkeypatch, most, error=None):
    """Lets `fit` fail for batches that are too large; returns the sizes that are asked for."""
    sizes = []

    def fit_or_fail(x, y, size, **options):
        sizes.append(size)
        model.set_weights([w + 1 for w in model.get_weights()])
        if size > most:
            raise error or MemoryError

    monkeypatch.setattr(model, "fit", fit_or_fail)
    return sizes


@pytest.mark.parametrize(
    ("most", "start", "limit", "found", "tried"),
    [
        (64, 8, None, 64, [8, 16, 32, 64]),
        (20, 8, None, 16, [8, 16, 32]),
        (5, 32, None, 4, [32, 16, 8, 4]),
        (64, 8, 40, 32, [8, 16, 32]),
        (64, 7, 14, 14, [7, 14]),
    ],
)
def test_the_size_doubles_and_halves(monkeypatch, most, start, limit, found, tried):
    model = new_model()
    before = everything(model)
    sizes = fail_above(model, monkeypatch, most)
    assert keras.debugging.find_batch_size(model, X, Y, start=start, limit=limit) == found
    assert sizes == tried
    assert all(map(np.array_equal, everything(model), before))


def test_it_raises_if_not_even_one_sample_fits(monkeypatch):
    model = new_model()
    fail_above(model, monkeypatch, 0)
    with pytest.raises(MemoryError, match="not even"):
        keras.debugging.find_batch_size(model, X, Y, start=4)


def test_other_errors_are_not_swallowed(monkeypatch):
    model = new_model()
    fail_above(model, monkeypatch, 0, KeyError("other"))
    with pytest.raises(KeyError, match="other"):
        keras.debugging.find_batch_size(model, X, Y)


@pytest.mark.parametrize("start", [0, 65])
def test_a_start_beyond_the_samples_raises(start):
    with pytest.raises(ValueError, match="from 1 to 64"):
        keras.debugging.find_batch_size(new_model(), X, Y, start=start)


def test_the_error_of_the_framework_is_recognized():
    with pytest.raises(Exception) as caught:
        ops.convert_to_numpy(ops.ones((2**24, 2**24)))  # a petabyte
    assert is_out_of_memory(caught.value)
    with pytest.raises(Exception) as caught:
        current().ops.matmul(ops.ones((2, 3)), ops.ones((2, 3)))
    assert not is_out_of_memory(caught.value)


def test_the_causes_of_an_error_count():
    try:
        try:
            raise MemoryError
        except MemoryError as error:
            raise RuntimeError from error
    except RuntimeError as error:
        assert is_out_of_memory(error)


# -------------------------------------------------------------------- dry run


def test_fast_dev_run_runs_one_batch_of_each():
    seen = []

    class Noting(keras.Model):
        def train_step(self, data):
            seen.append(("train", len(data[0])))
            return super().train_step(data)

        def test_step(self, data):
            seen.append(("test", len(data[0])))
            return super().test_step(data)

        def predict_step(self, data):
            seen.append(("predict", len(data)))
            return super().predict_step(data)

    x = keras.Input((4,))
    model = Noting(x, keras.layers.Dense(1)(x))
    model.compile("sgd", "mse", metrics=["mae"], run_eagerly=True)
    logs = keras.debugging.fast_dev_run(model, X, Y, validation_data=(X, Y), batch_size=16)
    assert seen == [("train", 16), ("test", 16), ("predict", 16)]
    assert sorted(logs) == ["loss", "mae", "val_loss", "val_mae"]
    assert all(math.isfinite(value) for value in logs.values())


def test_a_late_error_occurs_in_fast_dev_run():
    model = new_model()
    with pytest.raises(ValueError):
        keras.debugging.fast_dev_run(model, X, Y, validation_data=(X[:, :3], Y))
    assert not model.optimizer.built

"""Models that are called, predict and train in several threads: each gets its right answer."""

import io
import threading

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import layers, ops
from keras_fn.backend.loader import current

X = np.random.default_rng(0).normal(size=(48, 4)).astype("float32")
Y = X[:, :3]


class Doubled(layers.Layer):
    """A custom layer, so that the model runs step by step when it is called."""

    def call(self, x):
        return ops.tanh(x) * 2


def build(seed, custom=False, width=512):
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((4,))
    h = layers.Dense(width, activation="tanh")(inputs)
    h = Doubled()(h) if custom else layers.Dropout(0.3)(h)
    model = keras.Model(inputs, layers.Dense(3)(h))
    model.compile("adam", "mse")
    return model


def run_together(jobs, times=8):
    """Runs each job in a thread of its own, several times, and raises what one of them raised."""
    errors, start = [], threading.Barrier(len(jobs))

    def work(job):
        try:
            start.wait(10)
            for _ in range(times):
                job()
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(job,), daemon=True) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    if errors:
        raise errors[0]


def answers(model):
    """Returns jobs that compute the outputs of a model in every way, and check them."""
    expected = model.predict(X, verbose=0)

    def check(run):
        def job():
            found = ops.convert_to_numpy(run())
            np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)

        return job

    return [
        check(lambda: model.predict(X, verbose=0)),
        check(lambda: model.predict(X, batch_size=48, verbose=0)),
        check(lambda: model.predict_on_batch(X)),
        check(lambda: model(X)),
        check(lambda: model(X, training=False)),
    ]


@pytest.mark.parametrize("custom", [False, True])
def test_one_model_and_two_answer_from_several_threads(custom):
    one, two = answers(build(1, custom)), answers(build(2, custom))
    run_together([*one, one[0], one[3]])
    run_together([*one, *two])


def test_the_first_prediction_may_come_from_several_threads():
    expected = build(1).predict(X, verbose=0)
    model = build(1)

    def job():
        np.testing.assert_allclose(model.predict(X, verbose=0), expected, rtol=1e-4, atol=1e-5)

    run_together([job] * 3, times=2)


def test_a_model_answers_while_another_one_trains():
    other, third = build(3), build(4)
    train = [
        lambda: other.fit(X, Y, epochs=2, batch_size=16, verbose=0),
        lambda: third.train_on_batch(X, Y),
    ]
    run_together([*answers(build(1)), *train], times=4)
    assert np.isfinite(other.evaluate(X, Y, verbose=0))


def test_a_model_predicts_while_it_trains():
    model = build(5)
    model.predict(X, verbose=0)
    model.evaluate(X, Y, verbose=0)

    def predict():
        assert np.isfinite(model.predict(X, verbose=0)).all()

    run_together([predict, predict, lambda: model.fit(X, Y, epochs=3, batch_size=16, verbose=0)], 4)


def test_a_model_is_saved_while_it_trains():
    model = build(6)
    model.fit(X, Y, batch_size=16, verbose=0)

    def save():
        model.save(file := io.BytesIO())
        keras.saving.load_model(file)

    run_together([save, lambda: model.fit(X, Y, epochs=3, batch_size=16, verbose=0)], 4)


@pytest.mark.skipif(current().name != "jax", reason="only JAX takes the memory of arguments away")
def test_a_prediction_does_not_take_the_values_of_variables_away():
    model = build(1)
    before = [v.value for v in model.variables]
    model.predict(X, verbose=0)
    model.evaluate(X, Y, verbose=0)
    assert all(v.value is value for v, value in zip(model.variables, before, strict=True))

"""Metrics that are reset and read in one compiled call: the results equal uncompiled ones."""

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import layers, metrics, ops
from keras_fn.training.compiled_metrics import CompiledMetricOps

X = np.random.default_rng(5).normal(size=(12, 3)).astype("float32")
Y = (X[:, :1] > 0).astype("float32")
EVERY = [
    metrics.Accuracy(),
    metrics.AUC(num_thresholds=9),
    metrics.BinaryIoU(),
    metrics.F1Score(),
    metrics.FBetaScore(),
    metrics.CosineSimilarity(),
    metrics.FalseNegatives(),
    metrics.MeanIoU(2),
    metrics.PearsonCorrelation(),
    metrics.Precision(),
    metrics.PrecisionAtRecall(0.5),
    metrics.R2Score(),
    metrics.Recall(),
    metrics.RootMeanSquaredError(),
    metrics.SensitivityAtSpecificity(0.5),
]


def built(*measures, cls=keras.Model):
    keras.utils.set_random_seed(3)
    x = keras.Input((3,))
    model = cls(x, layers.Dense(1, activation="sigmoid")(x))
    model.compile(keras.optimizers.Adam(0.1), "mse", metrics=list(measures))
    return model


@pytest.mark.parametrize("metric", EVERY, ids=lambda m: m.name)
def test_compiled_results_equal_the_metric_results(metric):
    model = built(type(metric).from_config(metric.get_config()))
    for _ in range(3):  # the third time it is compiled
        logs = model.evaluate(X, Y, batch_size=5, verbose=0, return_dict=True)
        alone = model.get_metrics_result()
        assert list(logs) == list(alone)
        for name, value in alone.items():
            np.testing.assert_allclose(logs[name], ops.convert_to_numpy(value), rtol=1e-6)
    model.reset_metrics()
    for variable in model.metrics_variables:
        assert not variable.numpy().any()


class OnTheHost(metrics.Mean):
    """Its result is computed with NumPy, which cannot be compiled."""

    def result(self):
        return np.float32(self.total.numpy() + 1)


class Counting(metrics.Mean):
    """Counts in Python how often it is reset."""

    resets = 0

    def reset_state(self):
        self.resets += 1
        super().reset_state()


def test_custom_metrics_are_not_compiled():
    x = keras.Input((3,))
    model = keras.Model(x, layers.Dense(1)(x))
    model.host, model.counting = OnTheHost(name="host"), Counting(name="counting")
    model.compile("sgd", "mse")
    for count in range(1, 4):
        model.fit(X, Y, verbose=0)
        assert model.history.history["host"] == [1.0]
        assert model.counting.resets == count


class Renamed(keras.Model):
    """Overrides `get_metrics_result`."""

    def get_metrics_result(self):
        return {"mine": float(ops.convert_to_numpy(super().get_metrics_result()["loss"])) + 1}


def test_an_overridden_get_metrics_result_is_displayed():
    model, plain = built(cls=Renamed), built()
    history = model.fit(X, Y, epochs=3, batch_size=4, shuffle=False, verbose=0).history
    expected = plain.fit(X, Y, epochs=3, batch_size=4, shuffle=False, verbose=0).history["loss"]
    np.testing.assert_allclose(history["mine"], np.add(expected, 1), rtol=1e-5)


def test_other_metrics_are_compiled_again():
    first, second = metrics.Mean(), metrics.Mean()
    at_once = CompiledMetricOps()

    def results(*found):
        return at_once.run(lambda: [float(m.result()) for m in found], found)

    first.update_state([2.0])
    second.update_state([4.0])
    assert results(first) == [2.0]
    assert results(second) == [4.0]
    assert results(first, second) == [2.0, 4.0]


def test_multi_step_execution_equals_single_steps():
    histories = []
    for callbacks in ([], [keras.callbacks.LambdaCallback(on_train_batch_end=lambda *_: None)]):
        model = built("accuracy", metrics.Precision(name="precision"))
        found = model.fit(X, Y, batch_size=4, epochs=3, verbose=0, callbacks=callbacks)
        histories.append(found.history)
    assert histories[0].keys() == histories[1].keys()
    for name, values in histories[0].items():
        np.testing.assert_allclose(values, histories[1][name], rtol=1e-5)

"""Overridden training methods: with fewer arguments, and with targets nested as passed."""

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import ops
from keras_fn.training.overrides import call_override

X = np.arange(8, dtype="float32").reshape(4, 2)
Y = np.ones((4, 1), "float32")


class Base(keras.Model):
    """Predicts zeros."""

    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(1, kernel_initializer="zeros")

    def call(self, x):
        return self.dense(x)


class WithoutTraining(Base):
    def compute_loss(self, x, y, y_pred, sample_weight):
        return ops.mean(ops.abs(y - y_pred)) * 3.0


class OnlyTargets(Base):
    def compute_loss(self, y, y_pred):
        return ops.mean(ops.abs(y - y_pred)) * 3.0


class OwnNames(Base):
    def compute_loss(self, inputs, labels, outputs, weights=None):
        return ops.mean(ops.abs(labels - outputs)) * 3.0


class Arguments(Base):
    def compute_loss(self, *args, **kwargs):
        return super().compute_loss(*args, **kwargs) * 3.0


class NamedOnly(Base):
    def compute_loss(self, *, y, y_pred, **others):
        assert set(others) == {"x", "sample_weight", "training"}
        return ops.mean(ops.abs(y - y_pred)) * 3.0


class FewerMetrics(Base):
    def compute_loss(self, x, y, y_pred, sample_weight, training=True):
        return 3.0 * super().compute_loss(x, y, y_pred, sample_weight)

    def compute_metrics(self, x, y, y_pred):
        return {**self.get_metrics_result(), "own": ops.mean(y_pred) + 5.0}


@pytest.mark.parametrize(
    "make", [WithoutTraining, OnlyTargets, OwnNames, Arguments, NamedOnly, FewerMetrics]
)
def test_an_override_may_take_fewer_arguments(make) -> None:
    model = make()
    model.compile(keras.optimizers.SGD(0.0), "mae")
    history = model.fit(X, Y, verbose=0).history
    assert history["loss"] == [pytest.approx(3.0)]
    logs = model.evaluate(X, Y, verbose=0, return_dict=True)
    assert logs["loss"] == pytest.approx(3.0)
    assert logs.get("own", 5.0) == pytest.approx(5.0)


class Steps(Base):
    def call(self, x, training):
        return self.dense(x)

    def test_step(self, data):
        x, y = data
        return {"far": ops.mean(ops.abs(y - self(x, training=False))) + 1.0}

    def predict_step(self, data):
        return self(data, training=False) + 7.0


def test_steps_take_the_batch_alone() -> None:
    model = Steps()
    model.compile(keras.optimizers.SGD(0.0), "mae")
    history = model.fit(X, Y, verbose=0, validation_data=(X, Y)).history
    assert history["val_far"] == [pytest.approx(2.0)]
    np.testing.assert_allclose(model.predict(X, verbose=0), np.full((4, 1), 7.0))


ARGUMENTS = {"x": 1, "y": 2, "y_pred": 3, "sample_weight": 4, "training": 5}
FORMS = {
    "all": (lambda x, y, y_pred, sample_weight, training: [x, y, y_pred, sample_weight, training],
            [1, 2, 3, 4, 5]),
    "other order": (lambda training, y_pred: [training, y_pred], [5, 3]),
    "in order": (lambda a, b, c: [a, b, c], [1, 2, 3]),
    "in order, and training": (lambda a, b, training: [a, b, training], [1, 2, 5]),
    "positional": (lambda *a: list(a), [1, 2, 3, 4]),
    "everything": (lambda *a, **k: [*a, *k.values()], [1, 2, 3, 4, 5]),
    "named": (lambda *, y_pred, **k: [y_pred, *k.values()], [3, 1, 2, 4, 5]),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_arguments_are_chosen_by_name_or_by_order(form: str) -> None:
    function, expected = FORMS[form]
    assert call_override(function, ARGUMENTS) == expected


class OwnTargets(Base):
    """A tuple of targets for one output."""

    def compute_loss(self, x, y, y_pred, sample_weight):
        assert isinstance(y, tuple)
        return ops.mean(y[0] - y_pred) + 2.0 * ops.mean(y[1] - y_pred)


@pytest.mark.parametrize("loss", [None, ["mse", "mae"], {"a": "mse", "b": "mae"}])
def test_own_losses_of_several_targets_for_one_output(loss) -> None:
    model = OwnTargets()
    model.compile(keras.optimizers.SGD(0.0), loss)
    history = model.fit(X, (Y, Y * 3), verbose=0).history
    assert history == {"loss": [pytest.approx(7.0)]}


class OwnStep(Base):
    def train_step(self, data):
        x, y, weight = keras.utils.unpack_x_y_sample_weight(data)
        y_pred = self(x, training=True)
        assert set(y) == {"q", "z"} and set(weight) == {"w"}
        return {"q": ops.mean(y["q"]), "z": ops.mean(y["z"] * weight["w"]), "p": ops.mean(y_pred)}


@pytest.mark.parametrize("loss", [None, "mse", {"d": "mse", "g": "mae"}])
def test_targets_and_weights_reach_an_own_step_as_they_were_passed(loss) -> None:
    model = OwnStep()
    model.compile("sgd", loss)
    weights = {"w": np.full((4, 1), 2.0, "float32")}
    for y in ({"z": Y * 3, "q": Y}, {"q": Y, "z": Y * 3}):  # in any order
        history = model.fit(X, y, sample_weight=weights, verbose=0).history
        assert (history["q"], history["z"]) == ([pytest.approx(1.0)], [pytest.approx(6.0)])


class Reconstruction(Base):
    """Targets of its own, and the losses and metrics of `compile`."""

    def train_step(self, data):
        y_pred = self(data, training=True)
        y = data[:, :1]
        self._loss_tracker.update_state(self.compute_loss(x=data, y=y, y_pred=y_pred))
        return self.compute_metrics(data, y, y_pred)


def test_an_own_step_may_make_its_targets_for_the_metrics_of_compile() -> None:
    model = Reconstruction()
    model.compile(keras.optimizers.SGD(0.0), "mse", metrics=["mae"])
    history = model.fit(X, verbose=0).history
    assert history["mae"] == [pytest.approx(np.abs(X[:, :1]).mean())]
    assert history["loss"] == [pytest.approx((X[:, :1] ** 2).mean())]


def test_compute_loss_before_fit_uses_the_losses_of_compile() -> None:
    x = keras.Input((2,))
    model = keras.Model(x, x)
    model.compile("sgd", "mse")
    assert float(model.compute_loss(y=np.zeros((4, 2), "float32"), y_pred=X)) == (X**2).mean()

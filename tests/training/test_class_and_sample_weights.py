"""Class weights and sample weights in `fit`: which samples they weigh, and how much."""

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import layers, ops
from keras_fn.errors import SpecError

rng = np.random.default_rng(0)
STEPS, CLASSES = 3, 3  # equal, so that a wrong axis would go unnoticed
X = rng.normal(size=(6, STEPS, 2)).astype("float32")
LABELS = rng.integers(0, CLASSES, (6, STEPS))
WEIGHT = {0: 1.0, 1: 5.0, 2: 0.25}


def tagger(units: int = CLASSES) -> keras.Model:
    x = keras.Input((STEPS, 2))
    activation = "softmax" if units > 1 else "sigmoid"
    return keras.Model(x, layers.Dense(units, activation=activation)(x), name="tagger")


def losses_of(model: keras.Model) -> np.ndarray:
    """The crossentropy of each label."""
    p = model.predict(X, verbose=0).astype("float64")
    return -np.log(np.take_along_axis(p, LABELS[..., None], 2)[..., 0])


class Tagger(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(CLASSES, activation="softmax")

    def call(self, x):
        return self.dense(x)


TARGETS = {
    "indices": (LABELS, "sparse_categorical_crossentropy"),
    "column": (LABELS[..., None], "sparse_categorical_crossentropy"),
    "one-hot": (np.eye(CLASSES, dtype="float32")[LABELS], "categorical_crossentropy"),
}


@pytest.mark.parametrize(
    ("form", "make"),
    [
        ("indices", tagger),
        ("indices", Tagger),
        ("one-hot", tagger),
        pytest.param("column", tagger, marks=pytest.mark.thorough),
        pytest.param("column", Tagger, marks=pytest.mark.thorough),
        pytest.param("one-hot", Tagger, marks=pytest.mark.thorough),
    ],
)
def test_every_label_has_the_weight_of_its_class(form: str, make) -> None:
    y, loss = TARGETS[form]
    model = make()
    model.compile(keras.optimizers.SGD(0.0), loss)
    weights = np.vectorize(WEIGHT.get)(LABELS)
    history = model.fit(X, y, class_weight=WEIGHT, verbose=0).history
    assert history["loss"] == [pytest.approx((losses_of(model) * weights).mean(), rel=1e-5)]
    if form == "indices" and make is tagger:
        loss = model.train_on_batch(X, y, class_weight=WEIGHT)
        assert loss == pytest.approx(history["loss"][0], rel=1e-5)
        batches = [(X[:2], y[:2]), (X[2:], y[2:])]
        again = model.fit(iter(batches), class_weight=WEIGHT, verbose=0).history
        assert again["loss"] == [pytest.approx(history["loss"][0], rel=1e-5)]


def test_binary_labels_of_steps() -> None:
    model = tagger(units=1)
    y = (LABELS > 0).astype("float32")
    model.compile(keras.optimizers.SGD(0.0), "binary_crossentropy", weighted_metrics=["mae"])
    history = model.fit(X, y, class_weight={1: 3.0}, verbose=0).history
    p = model.predict(X, verbose=0)[..., 0].astype("float64")
    weights = np.where(y == 1, 3.0, 1.0)
    losses = -np.log(np.where(y == 1, p, 1 - p))
    assert history["loss"] == [pytest.approx((losses * weights).mean(), rel=1e-5)]
    expected = (np.abs(p - y) * weights).sum() / weights.sum()
    assert history["mae"] == [pytest.approx(expected, rel=1e-5)]


@pytest.mark.parametrize("shape", [(6,), (6, STEPS)])
def test_sample_weights_multiply_class_weights(shape) -> None:
    model = tagger()
    model.compile(keras.optimizers.SGD(0.0), "sparse_categorical_crossentropy")
    sample_weight = rng.uniform(size=shape)
    history = model.fit(X, LABELS, sample_weight=sample_weight, class_weight=WEIGHT, verbose=0)
    weights = sample_weight.reshape(6, -1) * np.vectorize(WEIGHT.get)(LABELS)
    expected = (losses_of(model) * weights).mean()
    assert history.history["loss"] == [pytest.approx(expected, rel=1e-5)]


def test_class_weights_do_not_weigh_what_is_held_out() -> None:
    model = tagger()
    model.compile(keras.optimizers.SGD(0.0), "sparse_categorical_crossentropy")
    options = {"validation_split": 1 / 3, "class_weight": WEIGHT, "verbose": 0}
    losses, weights = losses_of(model), np.vectorize(WEIGHT.get)(LABELS)
    history = model.fit(X, LABELS, **options).history
    assert history["loss"] == [pytest.approx((losses * weights)[:4].mean(), rel=1e-5)]
    assert history["val_loss"] == [pytest.approx(losses[4:].mean(), rel=1e-5)]
    # Sample weights do: they belong to the samples.
    sample_weight = np.arange(6.0)
    history = model.fit(X, LABELS, sample_weight=sample_weight, **options).history
    weighted = losses[4:] * sample_weight[4:, None]
    assert history["val_loss"] == [pytest.approx(weighted.mean(), rel=1e-5)]


def test_what_is_held_out_is_checked_too() -> None:
    model = tagger()
    model.compile("sgd", "sparse_categorical_crossentropy")
    labels = LABELS.copy()
    labels[-1, -1] = CLASSES
    with pytest.raises(SpecError, match="class indices from 0 to 2"):
        model.fit(X, labels, validation_split=1 / 3, verbose=0)
    assert model.optimizer.iterations.numpy() == 0


@pytest.mark.parametrize(
    "class_weight", [[1, 2], np.ones(2), "balanced", {"a": 1.0}, {0: "heavy"}, {0.5: 1.0}]
)
def test_class_weights_that_are_no_dict_of_numbers_are_refused(class_weight) -> None:
    model = tagger()
    model.compile("sgd", "sparse_categorical_crossentropy")
    for run in (model.fit, model.train_on_batch):
        with pytest.raises(SpecError, match="class_weight as a dict") as caught:
            run(X, LABELS, class_weight=class_weight)
        assert "tagger" in str(caught.value)
    assert model.optimizer.iterations.numpy() == 0


def test_keys_of_class_weights_may_be_any_integer() -> None:
    model = tagger()
    model.compile(keras.optimizers.SGD(0.0), "sparse_categorical_crossentropy")
    class_weight = {np.int64(1): 2.0, 0.0: 0.5, 2: np.float32(3.0)}
    history = model.fit(X, LABELS, class_weight=class_weight, verbose=0).history
    expected = (losses_of(model) * np.array([0.5, 2.0, 3.0])[LABELS]).mean()
    assert history["loss"] == [pytest.approx(expected, rel=1e-5)]


def test_a_weight_for_each_sample_weighs_all_its_steps() -> None:
    model = tagger()
    model.compile(keras.optimizers.SGD(0.0), "mae", weighted_metrics=["mae"])
    y, weights = np.zeros((6, STEPS, CLASSES), "float32"), np.arange(6.0)
    logs = model.evaluate(X, y, sample_weight=weights, verbose=0, return_dict=True)
    errors = model.predict(X, verbose=0).mean((1, 2))
    assert logs["loss"] == pytest.approx((errors * weights).mean(), rel=1e-5)
    assert logs["mae"] == pytest.approx((errors * weights).sum() / weights.sum(), rel=1e-5)


def refusal(model: keras.Model, y, **options) -> str:
    with pytest.raises(SpecError) as caught:
        model.fit(X, y, verbose=0, **options)
    assert model._compile_metrics is None and not model.optimizer.built  # nothing has changed
    return str(caught.value)


def test_weights_that_do_not_fit_are_refused_before_anything_runs() -> None:
    model = tagger()
    model.compile("sgd", "sparse_categorical_crossentropy")
    message = refusal(model, LABELS, sample_weight=np.ones((6, 2)))
    assert "tagger" in message and "sparse_categorical_crossentropy" in message
    assert "sample_weight of shape (6, 2)" in message and "(None, 3)" in message
    message = refusal(model, LABELS, sample_weight=np.ones((6, 2)), class_weight=WEIGHT)
    assert "sample_weight of shape (6, 2)" in message and "class_weight" in message


def test_an_error_about_class_weights_names_them() -> None:
    x = keras.Input((STEPS, 2))
    model = keras.Model(x, layers.Dense(1)(x), name="tagger")
    model.compile("sgd", "cosine_similarity")  # a number for each sample, not for each step
    message = refusal(model, LABELS.astype("float32"), class_weight=WEIGHT)
    assert "class_weight of shape (6, 3)" in message and "cosine_similarity" in message
    assert "sample_weight" not in message


def test_a_custom_loss_of_one_number_takes_weights() -> None:
    model = tagger()
    model.compile(keras.optimizers.SGD(0.0), lambda y, p: ops.mean(ops.abs(y - p)))
    y = np.zeros((6, STEPS, CLASSES), "float32")
    logs = model.evaluate(X, y, sample_weight=np.arange(6.0), verbose=0, return_dict=True)
    assert logs["loss"] == pytest.approx(model.predict(X, verbose=0).mean() * 2.5, rel=1e-5)

"""Losses, weights and metrics of several outputs: bound by name, reported by name."""

from typing import NamedTuple

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import layers, ops
from keras_fn.errors import SpecError

X = np.random.default_rng(3).normal(size=(6, 3)).astype("float32")
ONE, THREE = np.ones((6, 1), "float32"), np.full((6, 2), 3.0, "float32")
Y = {"zebra": ONE, "ant": THREE}
W = {"zebra": np.arange(6, dtype="float32"), "ant": np.ones(6, "float32")}


def model_of(structure="dict"):
    """Outputs zeros: `zebra` of size 1 and `ant` of size 2, in this order."""
    x = keras.Input((3,), name="x")
    zebra = layers.Dense(1, kernel_initializer="zeros", name="zebra")(x)
    ant = layers.Dense(2, kernel_initializer="zeros", name="ant")(x)
    outputs = {"zebra": zebra, "ant": ant} if structure == "dict" else [zebra, ant]
    return keras.Model(x, outputs)


# With zeros for predictions: mse of zebra 1, of ant 9; mae of zebra 1, of ant 3.
LOSSES = {
    "one": ("mse", 1 + 9),
    "list": (["mse", "mae"], 1 + 3),
    "dict": ({"zebra": "mse", "ant": "mae"}, 1 + 3),
    "dict, ant first": ({"ant": "mae", "zebra": "mse"}, 1 + 3),
    "objects": ({"ant": keras.losses.MeanAbsoluteError(), "zebra": keras.losses.Huber()}, 3.5),
    "functions": ([lambda t, p: ops.mean(t - p, -1), keras.losses.mean_absolute_error], 4.0),
}


@pytest.mark.parametrize("structure", ["dict", "list"])
@pytest.mark.parametrize("form", LOSSES)
@pytest.mark.parametrize("targets", ["dict", "ant first", "list"])
def test_losses_belong_to_their_outputs(structure, form, targets):
    loss, expected = LOSSES[form]
    y = {"dict": Y, "ant first": dict(reversed(Y.items())), "list": [ONE, THREE]}[targets]
    model = model_of(structure)
    model.compile(keras.optimizers.SGD(0.0), loss)
    assert model.evaluate(X, y, verbose=0, return_dict=True)["loss"] == pytest.approx(expected)


def logs_of(model, y=Y, **options):
    return model.fit(X, y, batch_size=4, verbose=0, **options).history


@pytest.mark.parametrize("structure", ["dict", "list"])
@pytest.mark.parametrize(
    "weights", [[2.0, 0.5], np.array([2.0, 0.5]), {"zebra": 2.0, "ant": 0.5}, {"ant": 0.5}]
)
def test_loss_weights_scale_the_sum_and_not_the_parts(structure, weights):
    model = model_of(structure)
    model.compile(keras.optimizers.SGD(0.0), "mse", loss_weights=weights)
    history = logs_of(model)
    factor = 1.0 if len(weights) == 1 else 2.0
    assert history["loss"] == [pytest.approx(factor + 4.5)]
    assert history["zebra_loss"] == [pytest.approx(1.0)]
    assert history["ant_loss"] == [pytest.approx(9.0)]


METRICS = {
    "list of lists": [["mae"], ["mse"]],
    "list": ["mae", "mse"],
    "dict": {"ant": ["mse"], "zebra": ["mae"]},
    "dict of bare": {"zebra": "mae", "ant": "mse"},
}


@pytest.mark.parametrize("structure", ["dict", "list"])
@pytest.mark.parametrize("form", METRICS)
def test_metrics_belong_to_their_outputs(structure, form):
    model = model_of(structure)
    model.compile(keras.optimizers.SGD(0.0), "mse", metrics=METRICS[form])
    history = logs_of(model, validation_data=(X, Y))
    shown = ["ant_loss", "ant_mse", "loss", "zebra_loss", "zebra_mae"]
    assert list(history) == shown + [f"val_{name}" for name in shown]
    assert history["zebra_mae"] == [pytest.approx(1.0)]
    assert history["val_ant_mse"] == [pytest.approx(9.0)]


class Pair(NamedTuple):
    """Outputs with names."""

    left: object
    right: object


@pytest.mark.parametrize("weights", [None, "nested"])
@pytest.mark.parametrize("structure", ["tuple", "list", "dict", "named tuple"])
def test_a_list_of_losses_may_be_for_the_outputs_as_a_whole_and_for_each(structure, weights):
    x = keras.Input((3,), name="x")
    left, right = (layers.Dense(1, kernel_initializer="zeros", name=n)(x) for n in "pq")
    make = {
        "tuple": lambda a, b: (a, b),
        "list": lambda a, b: [a, b],
        "dict": lambda a, b: {"p": a, "q": b},
        "named tuple": Pair,
    }[structure]
    outputs, seen = make(left, right), []

    def whole(targets, predictions):
        seen.append(type(targets))
        seen.append(type(predictions))
        ones, threes = keras.tree.flatten(targets)
        return ops.mean(ones) + ops.mean(threes)

    model = keras.Model(x, outputs)
    losses, factors = [whole, make("mse", "mae")], [0.5, make(2.0, 1.0)]
    if structure == "list":
        losses, factors = tuple(losses), tuple(factors)
    model.compile(keras.optimizers.SGD(0.0), losses, loss_weights=factors if weights else None)
    logs = model.evaluate(X, make(ONE, THREE[:, :1]), verbose=0, return_dict=True)
    assert logs.pop("loss") == pytest.approx(0.5 * 4 + 2 * 1 + 3 if weights else 4 + 1 + 3)
    assert sorted(logs.values()) == pytest.approx([1, 3, 4])
    assert set(seen) == {type(outputs)}


def test_metrics_of_one_output_alone():
    model = model_of()
    model.compile("sgd", "mse", metrics={"ant": ["mae", keras.metrics.MeanSquaredError(name="m")]})
    assert sorted(logs_of(model)) == ["ant_loss", "ant_m", "ant_mae", "loss", "zebra_loss"]


def test_weighted_metrics_take_the_weights_and_others_do_not():
    x = keras.Input((1,))
    model = keras.Model(x, x)
    model.compile("sgd", "mse", metrics=["mae"], weighted_metrics=["mae"])
    data, weights = np.array([[1.0], [3.0]]), np.array([3.0, 1.0])
    logs = model.evaluate(data, data * 0, sample_weight=weights, verbose=0, return_dict=True)
    assert logs["loss"] == pytest.approx((3 + 9) / 2)
    assert logs["mae"] == pytest.approx(2.0)
    assert logs["weighted_mae"] == pytest.approx((3 + 3) / 4)


@pytest.mark.parametrize("form", ["dict", "list"])
def test_sample_weights_belong_to_their_outputs(form):
    model = model_of()
    model.compile(keras.optimizers.SGD(0.0), "mse")
    weights = W if form == "dict" else list(W.values())
    logs = model.evaluate(X, Y, sample_weight=weights, verbose=0, return_dict=True)
    assert logs["zebra_loss"] == pytest.approx(2.5)
    assert logs["ant_loss"] == pytest.approx(9.0)


def test_an_output_without_a_loss_is_not_trained_and_needs_no_target():
    model = model_of()
    model.compile("sgd", {"ant": "mse"})
    for y in (Y, {"ant": THREE}):
        history = logs_of(model, y)
        assert list(history) == ["loss"]
    np.testing.assert_array_equal(model.get_layer("zebra").get_weights()[0], 0)
    assert np.any(model.get_layer("ant").get_weights()[0])


def test_evaluate_returns_the_loss_the_losses_of_outputs_and_the_metrics_in_this_order():
    model = model_of()
    model.compile("sgd", "mse", metrics={"zebra": "mae"})
    names = ["loss", "zebra_loss", "ant_loss", "zebra_mae"]
    assert list(model.evaluate(X, Y, verbose=0, return_dict=True)) == names
    assert model.evaluate(X, Y, verbose=0) == pytest.approx([10.0, 1.0, 9.0, 1.0])
    assert model.metrics_names == names


def test_dicts_of_outputs_keep_names_and_order():
    model = model_of()
    model.compile("sgd", "mse")
    for run in (model.predict, model.predict_on_batch):
        for _ in range(2):
            found = run(X) if run == model.predict_on_batch else run(X, batch_size=4, verbose=0)
            assert list(found) == ["zebra", "ant"]
            assert [a.shape for a in found.values()] == [(6, 1), (6, 2)]
    logs_of(model)
    assert list(model.predict(X, verbose=0)) == ["zebra", "ant"]


UNKNOWN = {
    "losses": (lambda m: m.compile("sgd", {"bee": "mse"}), "losses for bee"),
    "loss_weights": (
        lambda m: m.compile("sgd", "mse", loss_weights={"bee": 1.0}),
        "loss_weights for bee",
    ),
    "metrics": (lambda m: m.compile("sgd", "mse", metrics={"bee": "mae"}), "metrics for bee"),
}


@pytest.mark.parametrize("what", UNKNOWN)
def test_an_unknown_name_raises(what):
    compile_model, given = UNKNOWN[what]
    model = model_of()
    with pytest.raises(SpecError) as caught:
        compile_model(model)
    assert str(caught.value) == (
        f"Functional model {model.name!r}\n"
        f"  expected: {what} for the outputs zebra, ant\n"
        f"  received: {given}\n"
        "  fix:      drop or rename bee"
    )


def test_one_loss_too_few_raises():
    model = model_of()
    with pytest.raises(SpecError, match="losses for 2 outputs: zebra, ant"):
        model.compile("sgd", ["mse"])


ACCURACIES = {
    "binary": (1, np.array([[1], [0], [1], [1]]), "binary_accuracy"),
    "one hot": (3, np.eye(3)[[0, 2, 1, 1]], "categorical_accuracy"),
    "numbers": (3, np.array([0, 2, 1, 1]), "sparse_categorical_accuracy"),
    "column of numbers": (3, np.array([[0], [2], [1], [1]]), "sparse_categorical_accuracy"),
}


@pytest.mark.parametrize("kind", ACCURACIES)
def test_accuracy_is_the_one_that_fits_the_targets(kind):
    units, y, name = ACCURACIES[kind]
    x = keras.Input((3,))
    model = keras.Model(x, layers.Dense(units, activation="sigmoid")(x))
    model.compile("sgd", "mae", metrics=["accuracy", name])
    if kind == "numbers" or kind == "column of numbers":
        model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy", name])
    logs = model.evaluate(X[:4], y, verbose=0, return_dict=True)
    assert logs["accuracy"] == logs[name]
    found = model.predict(X[:4], verbose=0)
    if units == 1:
        expected = ((found > 0.5) == y).mean()
    else:
        labels = y.argmax(-1) if kind == "one hot" else y.ravel()
        expected = (found.argmax(-1) == labels).mean()
    assert logs["accuracy"] == pytest.approx(expected)


def test_masks_reach_the_loss_and_the_metrics():
    x = keras.Input((4,), dtype="int32")
    embedding = layers.Embedding(5, 1, mask_zero=True, embeddings_initializer="ones")
    model = keras.Model(x, embedding(x))
    model.compile(keras.optimizers.SGD(0.0), "mse", metrics=["mse"])
    ids = np.array([[1, 2, 0, 0], [3, 0, 0, 0]])
    y = np.array([[2, 4, 9, 9], [5, 9, 9, 9]], "float32")[..., None]
    expected = np.mean([1, 9, 16])  # the padding does not count
    for run in (model.evaluate, model.test_on_batch):
        options = {"verbose": 0} if run == model.evaluate else {}
        model.reset_metrics()
        loss, mse = run(ids, y, **options)
        assert loss == pytest.approx(expected)
        assert mse == pytest.approx(expected)
    history = model.fit(ids, y, verbose=0).history
    assert history["loss"] == [pytest.approx(expected)]


def test_custom_functions_are_losses_and_metrics_under_their_names():
    def far(y_true, y_pred):
        return ops.max(ops.abs(y_true - y_pred), axis=-1)

    model = model_of()
    model.compile("sgd", far, metrics={"ant": far})
    history = logs_of(model)
    assert sorted(history) == ["ant_far", "ant_loss", "loss", "zebra_loss"]
    assert history["ant_far"] == history["ant_loss"]

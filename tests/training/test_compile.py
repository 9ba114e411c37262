"""`compile`: names of losses and metrics, nested losses, targets that are only broadcast."""

import warnings

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import layers, losses, ops
from keras_fn.errors import SpecError

X = np.ones((4, 2), "float32")


def model_of(**units: int) -> keras.Model:
    """A model whose outputs, all zeros, have names and sizes."""
    x = keras.Input((2,))
    outputs = [
        layers.Dense(n, kernel_initializer="zeros", name=name)(x) for name, n in units.items()
    ]
    return keras.Model(x, outputs if len(outputs) > 1 else outputs[0], name="m")


def nested_model() -> keras.Model:
    x = keras.Input((2,))
    a, b, c = (
        layers.Dense(n, kernel_initializer="zeros", name=name)(x)
        for name, n in {"a": 1, "b": 2, "c": 1}.items()
    )
    return keras.Model(x, {"u": a, "v": (b, c)}, name="m")


NESTED_Y = {"u": np.full((4, 1), 2.0), "v": (np.full((4, 2), 3.0), np.full((4, 1), 4.0))}


class Both(losses.Loss):
    """A loss of a pair of outputs."""

    def call(self, y_true, y_pred):
        parts = [ops.mean(abs(y - p), -1) for y, p in zip(y_true, y_pred, strict=True)]
        return 10.0 * parts[0] + parts[1]


# mse: 4, 9, 16; mae: 2, 3, 4
NESTED = {
    "whole": ({"u": "mse", "v": Both()}, None, {"u": 4, "v": 34}),
    "parts": ({"u": "mse", "v": ("mse", "mae")}, None, {"u": 4, "v/b": 9, "v/c": 4}),
    "parts in a list": ({"u": "mse", "v": ["mse", "mae"]}, None, {"u": 4, "v/b": 9, "v/c": 4}),
    "one for a part": ({"u": "mse", "v": "mae"}, None, {"u": 4, "v/b": 3, "v/c": 4}),
    "flat": (["mse", "mse", "mae"], None, {"u": 4, "v/b": 9, "v/c": 4}),
    "by names": ({"c": "mse", "a": "mae"}, None, {"u": 2, "v/c": 16}),
    "some": ({"u": "mse", "v": (None, "mae")}, None, {"u": 4, "v/c": 4}),
    "several": ({"u": ["mse", "mae"], "v": Both()}, None, {"u": 6, "v": 34}),
    "weights": (
        {"u": "mse", "v": ("mse", "mae")},
        {"u": 2.0, "v": (1.0, 0.5)},
        {"u": 4, "v/b": 9, "v/c": 4, "total": 8 + 9 + 2},
    ),
    "a weight of a part": ({"u": "mse", "v": Both()}, {"v": 0.5}, {"u": 4, "v": 34, "total": 21}),
    "weights of several": (
        {"u": ["mse", "mae"], "v": ("mae", "mae")},
        {"u": [1.0, 10.0], "v": 2.0},
        {"u": 6, "v/b": 3, "v/c": 4, "total": 24 + 14},
    ),
}  # fmt: skip


RARE = ("parts in a list", "one for a part", "by names", "some", "several", "a weight of a part")


@pytest.mark.parametrize(
    "form",
    [pytest.param(x, marks=[pytest.mark.thorough] if x in RARE else []) for x in NESTED],
)
def test_losses_are_nested_as_the_outputs(form: str) -> None:
    loss, weights, expected = NESTED[form]
    model = nested_model()
    model.compile(keras.optimizers.SGD(0.0), loss, loss_weights=weights)
    names = ["loss", *(f"{name}_loss" for name in expected if name != "total")]
    assert model.metrics_names == names
    logs = model.evaluate(X, NESTED_Y, verbose=0, return_dict=True)
    assert logs.pop("loss") == pytest.approx(expected.get("total", sum(expected.values())))
    parts = {f"{name}_loss": value for name, value in expected.items() if name != "total"}
    assert logs == {name: pytest.approx(value) for name, value in parts.items()}


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        ({"a": ["mse"]}, {"loss": 4.0}),
        ({"a": ["mse", "mae"]}, {"loss": 6.0, "a_loss": 6.0}),
        ([["mse", "mae"], "mae"], {"loss": 9.0, "a_loss": 6.0, "b_loss": 3.0}),
        ([["mse"], None], {"loss": 4.0}),
    ],
)
def test_an_output_may_have_a_list_of_losses(loss, expected) -> None:
    model = model_of(a=1, b=2)
    model.compile(keras.optimizers.SGD(0.0), loss)
    y = [np.full((4, 1), 2.0), np.full((4, 2), 3.0)]
    history = model.fit(X, y, verbose=0).history
    assert history == {name: [pytest.approx(value)] for name, value in expected.items()}


@pytest.mark.parametrize(
    ("word", "units", "y", "name"),
    [
        ("crossentropy", 1, np.array([[1], [0], [1], [1]], "float32"), "binary_crossentropy"),
        ("ce", 3, np.array([0, 2, 1, 1]), "sparse_categorical_crossentropy"),
        ("CE", 3, np.array([[0], [2], [1], [1]]), "sparse_categorical_crossentropy"),
        ("ce", 3, np.eye(3, dtype="float32")[[0, 2, 1, 1]], "categorical_crossentropy"),
    ],
)
def test_crossentropy_is_the_one_that_fits_the_targets(word, units, y, name) -> None:
    x = keras.Input((2,))
    model = keras.Model(x, layers.Dense(units, activation="sigmoid")(x))
    found = []
    for loss in (word, name):
        model.compile(keras.optimizers.SGD(0.0), loss, metrics=[word])
        assert model.metrics_names == ["loss", word]
        found.append(model.evaluate(X, y, verbose=0))
    assert found[0] == pytest.approx(found[1])


def myOwn(y_true, y_pred):
    return ops.mean(abs(y_true - y_pred), -1)


def test_names_of_metrics() -> None:
    model = model_of(a=1, b=2)
    metrics = [["mae", "mae", lambda y, p: ops.mean(abs(y - p), -1)], [myOwn]]
    weighted = [["mae", "mse"], [myOwn, myOwn, keras.metrics.MeanAbsoluteError(name="far")]]
    model.compile(keras.optimizers.SGD(0.0), "mse", metrics=metrics, weighted_metrics=weighted)
    names = [
        "loss", "a_loss", "b_loss", "a_mae", "a_mae_1", "a_lambda", "b_my_own", "a_weighted_mae",
        "a_mse", "b_weighted_my_own", "b_weighted_my_own_1", "b_far",
    ]  # fmt: skip
    assert model.metrics_names == names
    y = [np.full((4, 1), 2.0), np.full((4, 2), 3.0)]
    logs = model.evaluate(X, y, verbose=0, return_dict=True)
    assert list(logs) == model.metrics_names == names
    assert logs["a_weighted_mae"] == logs["a_lambda"] == pytest.approx(2.0)
    assert logs["b_far"] == logs["b_weighted_my_own_1"] == pytest.approx(3.0)


def test_names_of_one_output_before_and_after_the_first_batch() -> None:
    for model in (model_of(a=1), keras.Sequential([layers.Dense(1)])):
        model.compile("sgd", "mse", metrics=["mae", "acc"], weighted_metrics=["mae"])
        assert model.metrics_names == ["loss", "mae", "acc", "weighted_mae"]
        logs = model.evaluate(X, np.ones((4, 1)), verbose=0, return_dict=True)
        assert list(logs) == model.metrics_names == ["loss", "mae", "acc", "weighted_mae"]


@pytest.mark.parametrize(
    ("options", "suggestion"),
    [
        ({"loss": "msee"}, "mse"),
        ({"loss": {"a": "mean_squarred_error"}}, "mean_squared_error"),
        ({"loss": "mse", "metrics": ["mea"]}, "mae"),
        ({"loss": "mse", "metrics": {"a": ["accuracy", "accurracy"]}}, "accuracy"),
        ({"loss": "mse", "weighted_metrics": [["precison"]]}, "precision"),
    ],
)
@pytest.mark.parametrize("make", [lambda: model_of(a=1), keras.Sequential])
def test_misspelled_names_are_refused_by_compile(make, options, suggestion) -> None:
    model = make()
    argument = list(options)[-1]
    with pytest.raises(SpecError, match="did you mean") as caught:
        model.compile("sgd", **options)
    message = str(caught.value)
    assert suggestion in message.partition("did you mean")[2].partition("?")[0]
    assert f"{argument}=" in message and model.name in message  # who, and where
    assert "mae, mape" in message and "losss" not in message  # the choices
    assert not model.compiled


def test_what_is_no_loss_is_refused_by_compile() -> None:
    for options in ({"loss": 5}, {"loss": "mse", "metrics": [3]}):
        with pytest.raises(SpecError, match=r"(losses|metrics)\.get"):
            model_of(a=1).compile("sgd", **options)
    with pytest.raises(SpecError, match=r"losses\.get"):
        losses.get(object())
    with pytest.raises(SpecError, match="loss_weights as numbers"):
        model_of(a=1).compile("sgd", "mse", loss_weights="x")
    with pytest.raises(SpecError, match="loss_weights for the 1 losses"):
        model_of(a=1).compile("sgd", "mse", loss_weights=[1.0, 2.0])


@pytest.mark.parametrize(
    ("units", "shape", "is_warned"),
    [
        (3, (4, 1), True),
        (1, (4, 3), True),
        (3, (4, 3), False),
        (1, (4,), False),
        (1, (4, 1), False),
    ],
)
def test_targets_that_are_only_broadcast_are_warned_of_once(units, shape, is_warned) -> None:
    model = model_of(a=units)
    model.compile("sgd", "mse")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(2):
            model.fit(X, np.ones(shape), verbose=0)
            model.train_on_batch(X, np.ones(shape))
            model.evaluate(X, np.ones(shape), verbose=0)
    messages = [str(w.message) for w in caught if "broadcast" in str(w.message)]
    assert len(messages) == int(is_warned)
    if is_warned:
        assert str(shape) in messages[0] and f"(None, {units})" in messages[0]
        assert "'m'" in messages[0] and "'a'" in messages[0]

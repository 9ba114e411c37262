"""Values of the distillation losses, by their formulas in NumPy."""

import numpy as np
import pytest
from scipy.special import log_softmax, softmax

import keras_fn as keras
from keras_fn import ops
from keras_fn.distillation import DistillationLoss, FeatureDistillation, LogitsDistillation

rng = np.random.default_rng(0)
TEACHER, STUDENT = rng.normal(size=(2, 4, 3)).astype("float32") * 3


def value(loss, teacher=TEACHER, student=STUDENT) -> float:
    to_tensor = ops.convert_to_tensor
    return float(
        loss.compute_loss(
            keras.tree.map_structure(to_tensor, teacher),
            keras.tree.map_structure(to_tensor, student),
        )
    )


def divergence(temperature: float) -> float:
    p = softmax(TEACHER / temperature, axis=-1)
    logs = [log_softmax(x / temperature, axis=-1) for x in (TEACHER, STUDENT)]
    return float(temperature**2 * (p * (logs[0] - logs[1])).sum(-1).mean())


def crossentropy(temperature: float) -> float:
    p = softmax(TEACHER / temperature, axis=-1)
    return float(
        -(temperature**2) * (p * log_softmax(STUDENT / temperature, axis=-1)).sum(-1).mean()
    )


@pytest.mark.parametrize(
    "loss, expected",
    [
        ("kl_divergence", divergence(2.0)),
        ("kld", divergence(2.0)),
        (keras.losses.KLDivergence(), divergence(2.0)),
        ("categorical_crossentropy", crossentropy(2.0)),
        (keras.losses.CategoricalCrossentropy(from_logits=True), crossentropy(2.0)),
        ("mse", float(((TEACHER - STUDENT) ** 2).mean() / 4)),
        (keras.losses.MeanAbsoluteError(), float(abs(TEACHER - STUDENT).mean() / 2)),
    ],
)
def test_logits_are_compared_at_the_temperature(loss, expected):
    assert value(LogitsDistillation(2.0, loss)) == pytest.approx(expected, rel=1e-5)


def test_features_are_compared_as_they_are():
    assert value(FeatureDistillation()) == pytest.approx(
        ((TEACHER - STUDENT) ** 2).mean(), rel=1e-5
    )


def test_nested_outputs_have_losses_of_their_own_and_none_skips_one():
    both = {"a": TEACHER, "b": [TEACHER, STUDENT]}, {"b": [STUDENT, STUDENT * 2], "a": TEACHER}
    loss = FeatureDistillation({"b": ["mse", None], "a": "mae"})
    assert value(loss, *both) == pytest.approx(((TEACHER - STUDENT) ** 2).mean(), rel=1e-5)


@pytest.mark.parametrize(
    "loss",
    [
        LogitsDistillation(4.0, {"a": "mse", "b": None}),
        FeatureDistillation(["mse", keras.losses.Huber(delta=2.0)], "encoder/dense", "dense"),
    ],
)
def test_a_loss_comes_back_from_its_config(loss):
    config = keras.saving.serialize_keras_object(loss)
    assert (config["module"], config["class_name"]) == ("keras.distillation", type(loss).__name__)
    again = keras.saving.deserialize_keras_object(config)
    assert type(again) is type(loss)
    assert again.get_config() == loss.get_config()


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda: LogitsDistillation("hot"), "temperature as a positive number"),
        (lambda: LogitsDistillation(0), "temperature as a positive number"),
        (lambda: LogitsDistillation(loss=None), "a loss for at least one output"),
        (lambda: FeatureDistillation([None, None]), "a loss for at least one output"),
        (lambda: FeatureDistillation("mistake"), "a loss: "),
        (lambda: FeatureDistillation(teacher_layer_name=3), "teacher_layer_name as the name"),
        (lambda: value(FeatureDistillation(), student=STUDENT[:, :1]), r"the teacher's, \(4, 3\)"),
        (lambda: DistillationLoss().compute_loss(1, 1), "define compute_loss"),
        (lambda: DistillationLoss().validate_outputs([1], {"a": 1}), "nested in the same way"),
        (lambda: FeatureDistillation(["mse"]).validate_outputs(1, 1), "a loss for each output"),
    ],
)
def test_what_does_not_fit_is_refused(make, words):
    with pytest.raises((ValueError, TypeError), match=words):
        make()

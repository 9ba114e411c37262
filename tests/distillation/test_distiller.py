"""`Distiller`: its losses, training, features, files and errors."""

import warnings

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import layers, ops
from keras_fn.distillation import Distiller, FeatureDistillation, LogitsDistillation

rng = np.random.default_rng(0)
X = rng.normal(size=(12, 4)).astype("float32")
Y = np.arange(12) % 3
CROSSENTROPY = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
KL = keras.losses.KLDivergence()


def fill(model):
    values = np.random.default_rng(7)
    weights = [values.normal(size=w.shape).astype("float32") * 0.5 for w in model.get_weights()]
    model.set_weights(weights)
    return model


def build(units: int, *more, name: str = "model", **options):
    hidden = layers.Dense(units, activation="relu", name="hidden", **options)
    return fill(keras.Sequential([keras.Input((4,)), hidden, *more, layers.Dense(3)], name=name))


def train(distiller, x=X, y=Y, loss=CROSSENTROPY, **options):
    distiller.compile(keras.optimizers.SGD(0.1), loss, **options)
    return distiller.fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0).history


def features_distiller(student=None, **options):
    feature = FeatureDistillation(teacher_layer_name="hidden", student_layer_name="hidden")
    losses = [LogitsDistillation(3.0, KL), feature]
    return Distiller(build(8, name="teacher"), student or build(8), losses, [1.0, 0.5], **options)


@pytest.fixture(scope="module")
def trained():
    """A distiller after two epochs, with their history, and the first weights of its teacher."""
    distiller = features_distiller(name="pupil")
    teacher = [np.copy(w) for w in distiller.teacher.get_weights()]
    return distiller, train(distiller, metrics=["accuracy"]), teacher


def test_training_has_the_results_of_keras(trained):
    distiller, history, teacher = trained
    noted = {  # of Keras 3.15.1
        "accuracy": [0.33333, 0.33333],
        "distillation_loss": [0.00012, 0.00209],
        "loss": [0.54682, 0.53655],
        "student_loss": [1.09352, 1.07101],
        "total_loss": [0.54682, 0.53655],
    }
    assert history.keys() == noted.keys()
    for name, values in noted.items():
        np.testing.assert_allclose(history[name], values, atol=2e-5, err_msg=name)
    results = distiller.evaluate(X, Y, verbose=0, return_dict=True)
    assert results["loss"] == pytest.approx(0.52915, abs=2e-5)
    np.testing.assert_allclose(
        distiller.predict(X, verbose=0)[0], [-0.2001, -0.0738, 0.5304], atol=1e-4
    )
    for before, after in zip(teacher, distiller.teacher.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)
    distiller.trainable = True
    assert distiller.teacher.trainable_variables == []
    assert len(distiller.trainable_variables) == 4


def test_a_student_can_be_trained_without_targets():
    distiller = Distiller(build(8), build(5), [LogitsDistillation(3.0, KL)], [2.0], 0.0)
    distiller.compile(keras.optimizers.SGD(0.1))
    history = distiller.fit(X, batch_size=4, epochs=2, shuffle=False, verbose=0).history
    np.testing.assert_allclose(history["loss"], [0.33566, 0.28738], atol=2e-5)
    assert history["student_loss"] == [0, 0]


def test_the_share_of_the_targets_is_that_of_a_model_trained_alone():
    student = build(5, kernel_regularizer=keras.regularizers.L2(0.1))
    alone = keras.models.clone_model(student)
    alone.set_weights(student.get_weights())
    alone.compile(keras.optimizers.SGD(0.1), CROSSENTROPY)
    weights = np.linspace(0, 2, 12, dtype="float32")
    options = {"sample_weight": weights, "batch_size": 12, "shuffle": False, "verbose": 0}
    distiller = Distiller(build(8), student, LogitsDistillation(), student_loss_weight=1)
    distiller.compile(keras.optimizers.SGD(0.1), CROSSENTROPY)
    expected = alone.fit(X, Y, **options).history["loss"]
    np.testing.assert_allclose(distiller.fit(X, Y, **options).history["loss"], expected, rtol=1e-5)
    for trained, value in zip(student.get_weights(), alone.get_weights(), strict=True):
        np.testing.assert_allclose(trained, value, 1e-4, 1e-6)


def test_the_losses_of_the_layers_of_the_teacher_do_not_count():
    teacher = build(8, activity_regularizer=keras.regularizers.L2(10.0))
    distiller = Distiller(teacher, build(8), LogitsDistillation(), student_loss_weight=0)
    distiller.compile(keras.optimizers.SGD(0.1))
    results = distiller.test_on_batch(X, return_dict=True)
    assert results["loss"] == results["distillation_loss"]


def test_nested_outputs_and_features_at_a_path():
    def build_nested(units):
        x = keras.Input((4,), name="x")
        inner = keras.Model(x, layers.Dense(units, name="code")(x), name="encoder")
        hidden = inner(x)
        outputs = {"a": layers.Dense(3, name="a")(hidden), "b": layers.Dense(1, name="b")(hidden)}
        return fill(keras.Model(x, outputs))

    losses = [
        LogitsDistillation(2.0, {"a": "kl_divergence", "b": None}),
        FeatureDistillation("mae", "encoder/code", "encoder/code"),
    ]
    distiller = Distiller(build_nested(6), build_nested(6), losses)
    targets = {"a": Y, "b": np.ones((12, 1), "float32")}
    history = train(distiller, y=targets, loss={"a": CROSSENTROPY, "b": "mse"})
    assert history["a_loss"][0] + history["b_loss"][0] == pytest.approx(history["student_loss"][0])
    assert history["loss"] == pytest.approx(history["total_loss"])
    assert distiller(X).keys() == {"a", "b"}


def test_a_step_runs_the_student_once():
    student = build(8, layers.BatchNormalization(momentum=0.5))
    distiller = features_distiller(student)
    distiller.compile(keras.optimizers.SGD(0.0), CROSSENTROPY)
    before = student.layers[1].moving_mean.numpy()
    mean = np.mean(ops.convert_to_numpy(student.layers[0](X)), axis=0)
    distiller.train_on_batch(X, Y)
    after = student.layers[1].moving_mean.numpy()
    np.testing.assert_allclose(after, (before + mean) / 2, rtol=1e-4)
    distiller.test_on_batch(X, Y)
    np.testing.assert_array_equal(student.layers[1].moving_mean.numpy(), after)


def test_subclassed_models_and_custom_losses():
    class Two(keras.Model):
        def __init__(self, units):
            super().__init__()
            self.first, self.second = layers.Dense(units), layers.Dense(3)

        def call(self, x):
            return self.second(self.first(x))

    class Squared(keras.distillation.DistillationLoss):
        def compute_loss(self, teacher_outputs, student_outputs, **kwargs):
            return ops.mean(ops.square(teacher_outputs - student_outputs))

    distiller = Distiller(Two(8), Two(2), Squared(), student_loss_weight=0)
    distiller.compile(keras.optimizers.Adam(0.01))
    loss = float(ops.convert_to_numpy(distiller.compute_loss(ops.convert_to_tensor(X))))
    expected = np.mean(
        (distiller.teacher.predict(X, verbose=0) - distiller.predict(X, verbose=0)) ** 2
    )
    assert loss == pytest.approx(expected, rel=1e-4)
    with pytest.raises(ValueError, match="a graph of layers"):
        Distiller(Two(8), Two(2), FeatureDistillation(teacher_layer_name="first"))
    Squared.teacher_layer_name = "first"
    with pytest.raises(ValueError, match="a graph of layers"):
        Distiller(Two(8), Two(2), Squared())


def test_a_distiller_is_saved_and_goes_on(trained, tmp_path):
    distiller = trained[0]
    distiller.save(tmp_path / "distiller.keras")
    again = keras.saving.load_model(tmp_path / "distiller.keras")
    assert again.get_config() == distiller.get_config()
    assert again.name == "pupil" and again.distillation_loss_weights == [1.0, 0.5]
    losses = [m.test_on_batch(X, Y, return_dict=True)["loss"] for m in (again, distiller)]
    assert losses[0] == losses[1]


def test_a_file_of_keras_has_no_loss_and_is_read_uncompiled():
    distiller = features_distiller()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        distiller.compile_from_config({"optimizer": "sgd", "loss": None})
    assert "does not hold the loss" in str(caught[0].message)
    assert not distiller.compiled


@pytest.mark.thorough
def test_a_step_is_one_graph():
    distiller = features_distiller()
    expected = train(features_distiller())
    is_torch = keras.config.backend() == "torch"
    options = {"fullgraph": True, "backend": "eager"} if is_torch else True
    found = train(distiller, jit_compile=options)
    np.testing.assert_allclose(found["loss"], expected["loss"], rtol=1e-5)


LOGITS = LogitsDistillation()


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda: Distiller("teacher", build(2), LOGITS), "teacher: a keras.Model"),
        (lambda: Distiller(build(2), None, LOGITS), "student: a keras.Model"),
        (lambda: Distiller(build(2), build(2), None), "distillation_losses: a DistillationLoss"),
        (lambda: Distiller(build(2), build(2), []), "distillation_losses: a DistillationLoss"),
        (lambda: Distiller(build(2), build(2), LOGITS, [1, 2]), "1 numbers"),
        (lambda: Distiller(build(2), build(2), LOGITS, None, 1.5), "a number from 0 to 1"),
        (lambda: Distiller(build(2), build(2), LOGITS).compile("sgd"), "loss: the loss"),
        (
            lambda: Distiller(build(2), build(2), LOGITS, None, 1).compute_loss(X, y_pred=X[:, :3]),
            "less than 1 without targets",
        ),
        (
            lambda: Distiller(build(2), build(2, layers.Reshape((2, 1))), LOGITS),
            "a student with the outputs of the teacher",
        ),
        (
            lambda: Distiller(build(2), build(2), FeatureDistillation("mse", "hiden")),
            "teacher_layer_name='hiden'",
        ),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(make, words):
    with pytest.raises((ValueError, TypeError), match=words):
        make()


def test_a_student_that_the_teacher_would_freeze_is_refused():
    model = build(4)
    around = keras.Sequential([keras.Input((4,)), model])
    for student in (model, around):
        with pytest.raises(ValueError, match="are not the teacher's, which is frozen"):
            Distiller(model, student, LogitsDistillation())
    assert model.trainable
    shared = keras.Model(model.inputs, layers.Dense(3)(model.layers[0].output))
    Distiller(model, shared, LogitsDistillation())  # its last layer learns

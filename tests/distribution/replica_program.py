"""A program of several processes, each a replica: whatever a user does with a model must be right.

`python replica_program.py FOLDER`, started by `keras_fn.launch`: an `AssertionError` ends it.
"""

import copy
import os
import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np

import keras_fn as keras
from keras_fn import distribution, layers, ops

if keras.backend.backend() == "torch":  # several groups of gradients
    from keras_fn_torch import gradient_buckets

    gradient_buckets._BUCKET_BYTES = 4000
folder = Path(sys.argv[1])
distribution.initialize(timeout=60)
PROCESS = int(os.environ["KERAS_DISTRIBUTION_PROCESS_ID"])
COUNT = int(os.environ["KERAS_DISTRIBUTION_NUM_PROCESSES"])
RNG = np.random.default_rng(3)
X, Y = RNG.normal(size=(37, 24)).astype("f4"), RNG.integers(0, 10, 37).astype("i4")


def make_model(optimizer: Any = "adam", constraint: Any = None) -> keras.Model:
    keras.utils.clear_session(free_memory=False)
    keras.utils.set_random_seed(5)
    x = inputs = keras.Input((24,))
    x = layers.Dense(64, activation="relu", kernel_constraint=constraint, name="first")(x)
    model = keras.Model(inputs, layers.Dense(10, activation="softmax", name="out")(x))
    optimizer = optimizer() if callable(optimizer) else optimizer
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def compare(
    work: Any, what: str, tolerance: float = 1e-5, layouts: tuple[bool, ...] = (False, True)
) -> None:
    """Checks that work with weights sharded, and replicated, gives what it gives alone."""
    expected = work()
    for shard_weights in layouts:
        with distribution.DataParallel(shard_weights=shard_weights).scope():
            found = work()
        for a, b in zip(expected, found, strict=True):
            np.testing.assert_allclose(a, b, atol=tolerance, err_msg=f"{what}, {shard_weights=}")


def train_on_batches() -> list[Any]:
    model = make_model()
    results = [model.train_on_batch(X[:9], Y[:9]), model.train_on_batch(X[9:10], Y[9:10])]
    results += [model.test_on_batch(X, Y), model.predict_on_batch(X[:5]), model(X[:2])]
    results += [model.predict(X, batch_size=16, verbose=0)]
    return [np.asarray(ops.convert_to_numpy(x)) for x in (*results, *model.get_weights())]


def train_with(optimizer: Any, constraint: Any = None) -> Any:
    def work() -> list[Any]:
        model = make_model(optimizer, constraint)
        model.fit(X, Y, 16, epochs=2, verbose=0)
        return model.get_weights()

    return work


OPTIMIZERS = {
    "adafactor": lambda: keras.optimizers.Adafactor(1e-2),
    "lamb": lambda: keras.optimizers.Lamb(1e-3),
    "muon": lambda: keras.optimizers.Muon(1e-3),
    "clipnorm": lambda: keras.optimizers.AdamW(1e-2, clipnorm=0.05, use_ema=True),
    "loss scale": lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.RMSprop(1e-3)),
}


def train_by_own_loop() -> list[Any]:
    model, optimizer = make_model(), keras.optimizers.SGD(0.1, momentum=0.9)

    def loss_of(x: Any, y: Any) -> Any:
        return keras.losses.SparseCategoricalCrossentropy()(y, model(x, training=True))

    run = keras.value_and_grad(loss_of, model.trainable_variables)
    for _ in range(3):  # all processes compute with the whole batch
        _, grads = run(ops.convert_to_tensor(X), ops.convert_to_tensor(Y))
        optimizer.apply(grads, model.trainable_variables)
    return model.get_weights()


def train_on_streams() -> list[Any]:
    def batches() -> Any:
        for start in range(0, 37, 7):
            yield X[start : start + 7], Y[start : start + 7]

    model = make_model()
    history = model.fit(batches(), verbose=0)
    return [*model.get_weights(), history.history["loss"][0], history.history["accuracy"][0]]


def train_on_comparing_loss() -> list[Any]:
    x = inputs = keras.Input((24,))
    keras.utils.clear_session(free_memory=False)
    keras.utils.set_random_seed(5)
    x = layers.Dense(64, activation="sigmoid", name="first")(x)
    model = keras.Model(inputs, layers.Dense(10, activation="sigmoid", name="out")(x))
    model.compile(keras.optimizers.SGD(0.5), keras.losses.Dice())
    history = model.fit(X, (X[:, :10] > 0).astype("f4"), 16, shuffle=False, verbose=0)
    return [*model.get_weights(), np.array(history.history["loss"])]


class Backward(keras.Model):
    """A model whose training step computes gradients by PyTorch."""

    def train_step(self, data: Any) -> Any:
        loss = self.compute_loss(y=data[1], y_pred=self(data[0], training=True))
        self.zero_grad()
        loss.backward()
        variables = self.trainable_variables
        self.optimizer.apply([v.value.grad for v in variables], variables)
        return {"loss": loss}


class Tape(keras.Model):
    """A model whose training step computes gradients by TensorFlow."""

    def train_step(self, data: Any) -> Any:
        import tensorflow as tf

        variables = self.trainable_variables
        with tf.GradientTape() as tape:
            loss = self.compute_loss(y=data[1], y_pred=self(data[0], training=True))
        self.optimizer.apply(tape.gradient(loss, [v.value for v in variables]), variables)
        return {"loss": loss}


def train_by_backward() -> list[Any]:
    keras.utils.clear_session(free_memory=False)
    keras.utils.set_random_seed(5)
    x = inputs = keras.Input((24,))
    x = layers.BatchNormalization(name="norm")(layers.Dense(64, name="first")(x))
    own = Backward if keras.backend.backend() == "torch" else Tape
    model = own(inputs, layers.Dense(10, activation="softmax", name="out")(x))
    model.compile("sgd", "sparse_categorical_crossentropy")
    history = model.fit(X, Y, 16, shuffle=False, verbose=0)
    return [*model.get_weights(), np.array(history.history["loss"])]


class OwnMetrics(keras.Model):
    """A model whose training step returns the results of metrics."""

    def train_step(self, data: Any) -> Any:
        x, y = data

        def loss_of(x: Any) -> Any:
            y_pred = self(x, training=True)
            return self.compute_loss(y=y, y_pred=y_pred), y_pred

        run = keras.value_and_grad(loss_of, self.trainable_variables, has_aux=True)
        (_, y_pred), grads = run(x)
        self.optimizer.apply(grads, self.trainable_variables)
        return self.compute_metrics(x, y, y_pred)


def train_with_own_metrics() -> list[Any]:
    made = make_model()
    model = OwnMetrics(made.inputs, made.outputs)
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    # A process has no row of the last batch, of which the step returns the results.
    history = model.fit(X[:33], Y[:33], 16, epochs=2, shuffle=False, verbose=0)
    return [*model.get_weights(), np.array(history.history["accuracy"])]


def check_state() -> None:
    """Each process stores its part, of weights and slots; copies and files have the whole."""
    with distribution.DataParallel(shard_weights=True).scope():
        model = make_model()
        model.fit(X, Y, 16, verbose=0)
        first: Any = model.get_layer("first")
        kernel = first.kernel
        slot = next(v for v in model.optimizer.variables if "first_kernel" in v.path)
        assert kernel.shape == (24, 64) and tuple(kernel.shard.shape) == tuple(slot.shard.shape)
        assert np.prod(kernel.shard.shape) == kernel.size // COUNT
        whole = model.get_weights()
        model.set_weights([w + 1 for w in whole])
        for before, now in zip(whole, model.get_weights(), strict=True):
            np.testing.assert_array_equal(before + 1, now)
        model.save(folder / "model.keras")
        model.save_weights(folder / "model.weights.h5")
        model.set_weights(whole)
        model.load_weights(folder / "model.weights.h5")
        np.testing.assert_array_equal(model.get_weights()[0], whole[0] + 1)
        text: list[str] = []
        distribution.summary(model, text.append)
        assert "batch" in text[0]
        copied = [copy.deepcopy(kernel), pickle.loads(pickle.dumps(kernel))]
        for variable in copied:
            np.testing.assert_array_equal(variable.numpy(), whole[0] + 1)
    loaded = keras.saving.load_model(folder / "model.keras")  # without a distribution
    np.testing.assert_array_equal(loaded.get_weights()[0], whole[0] + 1)
    assert type(loaded.get_layer("first").kernel) is keras.Variable


def check_model_made_before() -> None:
    """A model that was trained alone goes on with its state sharded."""
    alone, other = make_model(), make_model()
    for model in (alone, other):
        model.fit(X, Y, 16, shuffle=False, verbose=0)
    alone.fit(X, Y, 16, shuffle=False, verbose=0)
    with distribution.DataParallel(shard_weights=True).scope():
        other.fit(X, Y, 16, shuffle=False, verbose=0)
        assert other.get_layer("first").kernel.shard_index is not None
    for a, b in zip(alone.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


compare(train_on_batches, "single batches")
for name, optimizer in OPTIMIZERS.items():
    compare(train_with(optimizer), name, 5e-5)
for optimizer in ("sgd", OPTIMIZERS["loss scale"]):
    compare(train_with(optimizer, keras.constraints.MaxNorm(0.5)), "constraint", 5e-5)
compare(train_by_own_loop, "own loop")
compare(train_on_streams, "streams")
compare(train_on_comparing_loss, "Dice")
compare(train_with_own_metrics, "own metrics")
compare(train_by_backward, "backward", layouts=(False,))
check_state()
check_model_made_before()

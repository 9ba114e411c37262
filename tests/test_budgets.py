"""How many Python calls of ours a warm call takes: a budget, so that overhead cannot creep in."""

import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import layers, ops

ROOT = Path(keras.__file__).resolve().parent.parent
OURS = tuple(f"{ROOT / folder}/" for folder in ("keras_fn", "backends"))


def own_calls(function: Callable[..., Any], x: Any) -> list[str]:
    """Returns the Python functions of our packages that `function(x)` enters, once it is warm."""
    for _ in range(5):
        function(x)
    found = []

    def note(frame: Any, event: str, _: Any) -> None:
        code = frame.f_code
        if event == "call" and code.co_filename.startswith(OURS):
            found.append(f"{Path(code.co_filename).name}:{code.co_qualname}")

    sys.setprofile(note)
    try:
        function(x)
    finally:
        sys.setprofile(None)
    return found


def two_dense() -> keras.Model:
    inputs = keras.Input((3,))
    return keras.Model(inputs, layers.Dense(2)(layers.Dense(4, activation="relu")(inputs)))


def attention() -> Callable[..., Any]:
    query = ops.ones((1, 2, 2, 4))
    return lambda _: ops.dot_product_attention(query, query, query)


def convolution() -> Callable[..., Any]:
    image, kernel = ops.ones((1, 4, 4, 1)), ops.ones((1, 1, 1, 1))
    return lambda _: ops.conv(image, kernel, padding="same")


def gather() -> Callable[..., Any]:
    indices = ops.convert_to_tensor(np.array([1, 0], "int32"))
    return lambda x: ops.take(x, indices, axis=0)


BUDGETS = {
    "relu": (lambda: ops.relu, 4),
    "concatenate": (lambda: lambda x: ops.concatenate([x, x]), 4),
    "attention": (attention, 12),
    "convolution": (convolution, 12),
    "gather": (gather, 6),
    "dense": (lambda: layers.Dense(4), 25),
    "functional_of_two_dense": (two_dense, 40),
}


@pytest.mark.parametrize("name", BUDGETS)
def test_a_warm_call_stays_within_its_budget(name):
    make, budget = BUDGETS[name]
    x = ops.convert_to_tensor(np.ones((2, 3), "float32"))
    calls = own_calls(make(), x)
    assert len(calls) <= budget, "\n".join([f"{len(calls)} calls, {budget} allowed", *calls])
    assert calls, "the count saw nothing: the folders of our packages are not those it looks at"


def test_a_warm_call_in_training_stays_within_the_budget_of_a_layer():
    x = ops.convert_to_tensor(np.ones((2, 3), "float32"))
    layer = layers.Dense(4)
    calls = own_calls(lambda x: layer(x, training=True), x)
    assert len(calls) <= 25, "\n".join(calls)


def guide_mlp() -> keras.Model:
    inputs = keras.Input((784,))
    x = layers.Dense(64, activation="relu")(inputs)
    x = layers.Dense(64, activation="relu")(x)
    model = keras.Model(inputs, layers.Dense(10)(x))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.RMSprop(), loss, metrics=["accuracy"])
    return model


# A tenth above what there was when they were written. JAX and TensorFlow run many steps in a call.
A_STEP_OF_FIT = {"jax": 2, "torch": 372, "tensorflow": 2}
PREDICT = {"jax": 63, "torch": 93, "tensorflow": 61}


def test_a_warm_step_of_fit_stays_within_its_budget():
    model = guide_mlp()

    def calls(steps: int) -> Counter[str]:
        x, y = np.ones((64 * steps, 784), "float32"), np.zeros(64 * steps, "int32")
        return Counter(own_calls(lambda x: model.fit(x, y, batch_size=64, verbose=0), x))

    few, many = calls(10), calls(30)
    assert few, "the count saw nothing: the folders of our packages are not those it looks at"
    more, budget = (many.total() - few.total()) / 20, A_STEP_OF_FIT[keras.config.backend()]
    many.subtract(few)
    assert more <= budget, f"{more} calls a step, {budget} allowed, of 20 steps:\n{many}"


def test_a_warm_predict_of_one_batch_stays_within_its_budget():
    model = guide_mlp()
    calls = own_calls(lambda x: model.predict(x, verbose=0), np.ones((32, 784), "float32"))
    budget = PREDICT[keras.config.backend()]
    assert len(calls) <= budget, "\n".join([f"{len(calls)} calls, {budget} allowed", *calls])

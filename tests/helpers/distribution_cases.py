"""Trainings that any number of devices must repeat, and the layouts in which they do.

`python distribution_cases.py FILE CASE:LAYOUT[,LAYOUT…] …` trains each case on one device and in
its layouts, and writes the greatest differences as JSON. It needs several devices, or processes,
of which each writes a digest of its results, too; see `test_equality.py`.
"""

import hashlib
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import keras_fn as keras
from keras_fn import distribution, layers, ops

# By paths of variables; a rule is left out where a case has no such variable.
RULES = {
    "first/kernel": (None, "model"),
    "first/bias": ("model",),
    "second/kernel": ("model", None),
    "embed/embeddings": (None, "model"),
    "gru/.*kernel": (None, "model"),
    "attention/(query|key|value)/kernel": (None, "model", None),
    "attention/(query|key|value)/bias": ("model", None),
    "attention/attention_output/kernel": ("model", None, None),
    "conv/kernel": (None, None, None, "model"),
    "conv/bias": ("model",),
}


def sharded_layouts() -> dict[str, Callable[[list[str]], Any]]:
    """Returns functions of a model's paths, by name; each returns a distribution of all devices."""

    def tensor_parallel(shard_weights: bool) -> Callable[[list[str]], Any]:
        def make(keys: list[str]) -> Any:
            count = distribution.get_device_count()
            shape = (2, count // 2) if count > 3 else (1, count)
            mesh = distribution.DeviceMesh(shape, ("batch", "model"))
            layout_map = distribution.LayoutMap(mesh)
            layout_map.update({key: RULES[key] for key in keys})
            return distribution.ModelParallel(layout_map=layout_map, shard_weights=shard_weights)

        return make

    return {
        "replicated": lambda _: distribution.DataParallel(),
        "sharded": lambda _: distribution.DataParallel(shard_weights=True),
        "tensor": tensor_parallel(False),
        "sharded+tensor": tensor_parallel(True),
    }


# ------------------------------------------------------------------------------------ models


def mlp(bn: bool = False, dropout: float = 0.0, l2: float = 0.0) -> keras.Model:
    x = inputs = keras.Input((24,))
    penalty = keras.regularizers.L2(l2) if l2 else None
    x = layers.Dense(64, activation="relu", kernel_regularizer=penalty, name="first")(x)
    x = layers.BatchNormalization(momentum=0.9, name="norm")(x) if bn else x
    x = layers.Dropout(dropout, name="drop")(x) if dropout else x
    x = layers.Dense(64, activation="tanh", name="second")(x)
    return keras.Model(inputs, layers.Dense(10, activation="softmax", name="out")(x))


def tagger() -> keras.Model:
    x = inputs = keras.Input((9,), dtype="int32")
    x = layers.Embedding(50, 16, mask_zero=True, name="embed")(x)
    x = layers.GRU(16, return_sequences=True, name="gru")(x)
    return keras.Model(inputs, layers.Dense(5, activation="softmax", name="tag")(x))


def transformer() -> keras.Model:
    tokens = keras.Input((9,), dtype="int32")
    x = layers.Embedding(50, 16, name="embed")(tokens)
    attended = layers.MultiHeadAttention(4, 8, dropout=0.1, name="attention")(x, x)
    x = layers.LayerNormalization(name="norm_1")(x + attended)
    inner = layers.Dense(64, activation="gelu", name="first")(x)
    x = layers.LayerNormalization(name="norm_2")(
        x + layers.Dense(16, activation="linear", name="second")(inner)
    )
    return keras.Model(tokens, layers.Dense(5, activation="softmax", name="tag")(x))


def convolution() -> keras.Model:
    x = inputs = keras.Input((24,))
    x = layers.Reshape((4, 3, 2))(x)
    x = layers.Conv2D(16, 3, padding="same", name="conv")(x)
    x = layers.BatchNormalization(momentum=0.9, name="norm")(x)
    x = layers.GlobalAveragePooling2D()(layers.ReLU()(x))
    return keras.Model(inputs, layers.Dense(10, activation="softmax", name="out")(x))


def two_outputs() -> keras.Model:
    x = inputs = keras.Input((24,))
    x = layers.Dense(64, activation="relu", name="first")(x)
    outputs = [layers.Dense(10, activation="softmax", name=name)(x) for name in ("left", "right")]
    return keras.Model(inputs, outputs)


class CustomStep(keras.Model):
    """A model with a training step of its own, which knows nothing of devices."""

    def train_step(self, data: Any) -> Any:
        x, y = data

        def loss_of(x: Any) -> Any:
            return self.compute_loss(y=y, y_pred=self(x, training=True))

        loss, grads = keras.value_and_grad(loss_of, self.trainable_variables)(x)
        self.optimizer.apply(grads, self.trainable_variables)
        return {"loss": loss}


def custom_step() -> keras.Model:
    model = mlp()
    return CustomStep(model.inputs, model.outputs)


def float16() -> keras.Model:
    with_policy = keras.dtype_policies.DTypePolicy("mixed_float16")
    x = inputs = keras.Input((24,))
    x = layers.Dense(64, activation="relu", dtype=with_policy, name="first")(x)
    x = layers.Dense(10, dtype=with_policy, name="second")(x)
    return keras.Model(inputs, layers.Activation("softmax", dtype="float32", name="out")(x))


# ------------------------------------------------------------------------------------ cases


def sgd(**options: Any) -> Callable[[], Any]:
    return lambda: keras.optimizers.SGD(0.05, **options)


def adam(**options: Any) -> Callable[[], Any]:
    return lambda: keras.optimizers.Adam(1e-2, **options)


def loss_scaled() -> Any:
    return keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.05), initial_scale=2.0**10)


class Case:
    """A training.

    Args:
        model: Returns the model.
        optimizer: Returns the optimizer.
        samples: Number of samples; batches have 32, so that 101 leaves a last batch of 5.
        rules: Keys of `RULES` that fit the model.
        weighted: Whether there are sample weights.
        tolerance: Greatest difference of a weight: small for SGD. Adam makes whole steps of
            gradients that are 0 but for rounding.
    """

    def __init__(
        self,
        model: Callable[[], keras.Model],
        optimizer: Callable[[], Any],
        samples: int = 101,
        rules: tuple[str, ...] = ("first/kernel", "first/bias", "second/kernel"),
        weighted: bool = False,
        tolerance: float = 2e-5,
    ):
        self.model, self.optimizer, self.samples = model, optimizer, samples
        self.rules, self.weighted, self.tolerance = list(rules), weighted, tolerance


TOKENS = ("embed/embeddings",)
ATTENTION = tuple(key for key in RULES if key.startswith("attention"))
SGD = {"tolerance": 1e-6}
CASES = {
    "sgd": Case(mlp, sgd(), 96, **SGD),
    "adam": Case(mlp, adam(), 96),
    "uneven": Case(mlp, adam()),
    "weights": Case(mlp, adam(), weighted=True),
    "l2": Case(lambda: mlp(l2=0.01), sgd(momentum=0.9), **SGD),
    "bn": Case(lambda: mlp(bn=True), adam(), 96),
    "bn_uneven": Case(lambda: mlp(bn=True), adam()),
    "dropout": Case(lambda: mlp(dropout=0.5), adam(), 96),
    "clip": Case(mlp, adam(global_clipnorm=0.05)),
    "accumulate": Case(mlp, adam(gradient_accumulation_steps=2), 128),
    "ema": Case(mlp, sgd(use_ema=True, ema_momentum=0.8), 96, **SGD),
    "mask": Case(tagger, adam(), 45, (*TOKENS, "gru/.*kernel")),
    # Several at once, with a small tolerance: what each push runs.
    "core": Case(
        lambda: mlp(bn=True, dropout=0.3, l2=0.01),
        sgd(momentum=0.9, global_clipnorm=0.5, gradient_accumulation_steps=2),
        weighted=True,
        **SGD,
    ),
    "mask_sgd": Case(tagger, sgd(), 45, (*TOKENS, "gru/.*kernel"), **SGD),
    "transformer": Case(
        transformer, sgd(), 45, (*TOKENS, *ATTENTION, "first/kernel", "second/kernel"), **SGD
    ),
    "convolution": Case(convolution, sgd(), 45, ("conv/kernel", "conv/bias"), **SGD),
    "outputs": Case(two_outputs, sgd(), 45, ("first/kernel", "first/bias"), **SGD),
    "custom_step": Case(custom_step, sgd(), **SGD),
    "float16": Case(float16, loss_scaled, 96, tolerance=2e-3),
}
TWELVE = tuple(CASES)[:12]


def data(case: Case, model: keras.Model) -> tuple[Any, Any, Any]:
    """Returns inputs, targets and sample weights."""
    rng, count = np.random.default_rng(7), case.samples
    weights = rng.random(count).astype("float32") if case.weighted else None
    if model.inputs[0].dtype == "int32":
        x = rng.integers(1, 50, (count, 9)).astype("int32")
        x[np.arange(9) >= rng.integers(2, 10, count)[:, None]] = 0  # masked
        return x, rng.integers(0, 5, (count, 9)).astype("int32"), weights
    x = rng.normal(size=(count, 24)).astype("float32")
    y = [rng.integers(0, 10, count).astype("int32") for _ in model.outputs]
    return x, y[0] if len(y) == 1 else y, weights


def train(case: Case, made: Any) -> dict[str, Any]:
    """Returns all that must not depend on the devices."""
    distribution.set_distribution(made)
    keras.utils.clear_session(free_memory=False)  # names are the same in all processes
    try:
        keras.utils.set_random_seed(11)
        model = case.model()
        losses = ["sparse_categorical_crossentropy"] * len(model.outputs)
        metrics: Any = [["accuracy"]] * len(losses)
        model.compile(
            case.optimizer(),
            losses[0] if len(losses) == 1 else losses,
            weighted_metrics=None if type(model) is CustomStep else metrics,
        )
        x, y, weights = data(case, model)
        history = model.fit(x, y, 32, epochs=2, verbose=0, sample_weight=weights)
        evaluated = model.evaluate(x, y, batch_size=40, verbose=0, return_dict=True)
        outputs = model.predict(x, batch_size=40, verbose=0)
        return {
            "weights": [ops.convert_to_numpy(v.value) for v in model.variables],
            "slots": [ops.convert_to_numpy(v.value) for v in model.optimizer.variables],
            "history": list(history.history.values()),
            "evaluate": list(evaluated.values()),
            "predict": outputs if isinstance(outputs, list) else [outputs],
            "sharded": sum(v.layout is not None and v.layout.is_sharded for v in model.variables),
        }
    finally:
        distribution.set_distribution(None)


def difference(a: list[Any], b: list[Any]) -> float:
    pairs = zip(a, b, strict=True)
    return max((float(np.max(np.abs(np.subtract(p, q, dtype="f8")))) for p, q in pairs), default=0)


def digest(found: dict[str, Any]) -> str:
    """Returns a digest of all bits of the results of a training."""
    arrays = [*found["weights"], *found["slots"], *found["predict"]]
    numbers = [np.array(found[key], "f8") for key in ("history", "evaluate")]
    return hashlib.sha256(b"".join(x.tobytes() for x in (*arrays, *numbers))).hexdigest()


def main(path: str, *arguments: str) -> None:
    distribution.initialize(timeout=60)
    process = int(os.environ.get("KERAS_DISTRIBUTION_PROCESS_ID", "0"))
    makers, found = sharded_layouts(), {}
    for argument in arguments:
        name, _, layouts = argument.partition(":")
        case = CASES[name]
        one = train(case, None) if process == 0 else None
        for layout in layouts.split(","):
            other = train(case, makers[layout](case.rules))
            found[f"{name}:{layout}"] = {
                "digest": digest(other),
                "sharded": other.pop("sharded"),
                **({} if one is None else {key: difference(one[key], other[key]) for key in other}),
            }
    Path(path).with_suffix(f".{process}").write_text(json.dumps(found), "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Files of models in both directions: Keras reads ours, and we read Keras's, in the same process.

`nox -s "parity(jax)"` runs it. Compared are outputs, the state of the optimizer, and the weights
after one more step of training, which depend on all arguments of `compile`.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from real_keras import keras

import keras_fn
from keras_fn.core.naming import reset_names

pytestmark = pytest.mark.filterwarnings("ignore")  # warnings are Keras's here
PACKAGES = {"keras_fn": keras_fn, "keras": keras}
FORMATS = (".keras", "", ".weights.h5", ".weights.json", ".h5", ".json")
Made = tuple[Any, Any]  # a model, and its inputs


def data(*shape: int, seed: int = 0) -> np.ndarray:
    return np.sin(np.arange(np.prod(shape)) * 1.7 + seed).reshape(shape).astype("float32")


def custom(k: Any) -> Any:
    """Returns a custom layer with an argument, a weight and a layer inside, for one package."""

    class Gate(k.layers.Layer):
        def __init__(self, power: float = 1.0, **options: Any):
            super().__init__(**options)
            self.power, self.inner = power, k.layers.Dense(3)

        def build(self, shape: Any) -> None:
            self.factor = self.add_weight(shape=(3,), initializer="ones", name="factor")
            self.inner.build(shape)

        def call(self, x: Any) -> Any:
            return self.inner(x) * self.factor**self.power

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "power": self.power}

    return k.saving.register_keras_serializable(package="parity")(Gate)


CUSTOM = {name: custom(k) for name, k in PACKAGES.items()}


def nested(k: Any) -> Made:
    """Models in a model, one of them called twice, one of layers in lists."""
    inner = k.Sequential([k.Input((3,)), k.layers.Dense(4, "tanh"), k.layers.BatchNormalization()])
    x, y = k.Input((3,)), k.Input((3,))
    middle_input = k.Input((4,))
    middle = k.Model(middle_input, [k.layers.Dense(2)(middle_input), middle_input])
    one, other = middle(inner(x))
    return k.Model([x, y], k.layers.Concatenate()([one, other, inner(y)])), [
        data(2, 3), data(2, 3, seed=1),
    ]  # fmt: skip


def shared(k: Any) -> Made:
    """A layer in several places, and shared initializers."""
    layer, start = k.layers.Dense(3), k.initializers.RandomNormal(seed=1)
    x = k.Input((3,))
    y = k.layers.Dense(3, kernel_initializer=start)(layer(layer(x)))
    z = k.layers.Dense(2, kernel_initializer=start)(y)
    return k.Model(x, [layer(y), z]), data(2, 3)


def named(k: Any) -> Made:
    """Inputs and outputs in dicts, of several dtypes."""
    words, size = k.Input((4,), dtype="int32", name="words"), k.Input((1,), name="size")
    x = k.layers.GRU(3)(k.layers.Embedding(6, 2, mask_zero=True)(words))
    y = k.layers.Concatenate()([x, size])
    outputs = {"price": k.layers.Dense(1, name="price")(y), "kind": k.layers.Dense(3, "softmax")(y)}
    inputs = {"words": np.array([[1, 2, 0, 0], [5, 4, 3, 2]], "int32"), "size": data(2, 1)}
    return k.Model({"words": words, "size": size}, outputs), inputs


def ops(k: Any) -> Made:
    """Ops of every form of arguments in the graph."""
    x = k.Input((4, 3))
    y = k.ops.relu(2.0 * x - 1.0) + k.ops.mean(x, axis=1, keepdims=True)
    y = k.ops.concatenate([y, k.ops.transpose(k.ops.reshape(x, (-1, 3, 4)), (0, 2, 1))], axis=-1)
    y = k.ops.where(y > 0.1, y, k.ops.zeros_like(y))[:, 1:, ::1]
    y = k.ops.einsum("abc,acd->abd", y, k.ops.swapaxes(y, 1, 2))
    return k.Model(x, k.layers.Dense(2)(k.ops.softmax(y, axis=-1))), data(2, 4, 3)


def objects(k: Any) -> Made:
    """Custom layers."""
    gate = CUSTOM[k.__name__.partition(".")[0]]
    return k.Sequential(
        [
            k.Input((3,)),
            gate(2.0),
            k.layers.Dense(2),
        ]
    ), data(2, 3)


def mixed(k: Any) -> Made:
    """Policies of layers."""
    return k.Sequential([
        k.Input((3,)), k.layers.Dense(4, dtype="mixed_float16"),
        k.layers.Dense(4, dtype="mixed_bfloat16"), k.layers.Dense(4, dtype="bfloat16"),
        k.layers.Dense(2, dtype="float32"),
    ]), data(2, 3)  # fmt: skip


def lora(k: Any) -> Made:
    """Low-rank adaptation."""
    model = k.Sequential([
        k.Input((3,), dtype="int32"), k.layers.Embedding(5, 4), k.layers.Conv1D(3, 2),
        k.layers.Dense(4), k.layers.EinsumDense("abc,cd->abd", (None, 2)),
    ])  # fmt: skip
    for layer in model.layers:
        layer.enable_lora(2, lora_alpha=3)
    return model, np.array([[0, 1, 2], [4, 3, 2]], "int32")


def quantized(mode: str) -> Callable[[Any], Made]:
    def make(k: Any) -> Made:
        model = k.Sequential([
            k.Input((4, 6)), k.layers.Dense(8), k.layers.EinsumDense("abc,cd->abd", (None, 4)),
        ])  # fmt: skip
        fill(model)
        model.quantize(mode)
        return model, data(2, 4, 6)

    return make


def dicts(k: Any) -> Made:
    """A nested model whose outputs are a dict, in another order than that of the keys."""
    x = k.Input((3,))
    outputs = {"z": k.layers.Dense(2)(x), "a": [k.layers.Dense(2, "tanh")(x), x], "m": 2.0 * x}
    inner = k.Model(x, outputs)
    y = k.Input((3,))
    found = inner(y)
    parts = [k.layers.Dense(2)(found["z"]), found["a"][0], found["a"][1], found["m"] ** 2]
    return k.Model(y, k.layers.Concatenate()(parts)), data(2, 3)


def recurrent(k: Any) -> Made:
    """Cells in layers, states, both directions."""
    x = k.Input((5, 3))
    y = k.layers.Bidirectional(k.layers.LSTM(2, return_sequences=True))(x)
    y = k.layers.RNN([k.layers.GRUCell(3), k.layers.LSTMCell(2)], return_sequences=True)(y)
    y, *states = k.layers.LSTM(2, return_state=True)(k.layers.TimeDistributed(k.layers.Dense(2))(y))
    return k.Model(x, [y, *states]), data(2, 5, 3)


def random(k: Any) -> Made:
    """States of seed generators, and spectral normalization."""
    x = k.Input((4,))
    y = k.layers.GaussianNoise(0.1, seed=3)(k.layers.Dropout(0.5)(x))
    return k.Model(x, k.layers.SpectralNormalization(k.layers.Dense(3))(y)), data(2, 4)


OPTIMIZERS = {
    "adam": lambda k: k.optimizers.Adam(k.optimizers.schedules.CosineDecay(0.1, 20), amsgrad=True),
    "adamw": lambda k: k.optimizers.AdamW(0.02, weight_decay=0.1, clipnorm=1.0),
    "sgd": lambda k: k.optimizers.SGD(0.1, momentum=0.9, nesterov=True, use_ema=True),
    "rmsprop": lambda k: k.optimizers.RMSprop(0.01, momentum=0.5, centered=True),
    "adagrad": lambda k: k.optimizers.Adagrad(0.1),
    "adadelta": lambda k: k.optimizers.Adadelta(0.5),
    "adamax": lambda k: k.optimizers.Adamax(0.1),
    "adafactor": lambda k: k.optimizers.Adafactor(0.1),
    "nadam": lambda k: k.optimizers.Nadam(0.01),
    "ftrl": lambda k: k.optimizers.Ftrl(0.1),
    "lion": lambda k: k.optimizers.Lion(0.01),
    "lamb": lambda k: k.optimizers.Lamb(0.01),
    "muon": lambda k: k.optimizers.Muon(0.01),
    "scaled": lambda k: k.optimizers.LossScaleOptimizer(k.optimizers.Adam(0.01)),
}


def trained(optimizer: str) -> Callable[[Any], Made]:
    """A model after two steps with an optimizer, with losses and metrics in every form."""

    def make(k: Any) -> Made:
        x = k.Input((3,))
        y = k.layers.Dense(4, "relu", kernel_regularizer=k.regularizers.L1L2(0.01, 0.02))(x)
        a, b = k.layers.Dense(2, name="a"), k.layers.Dense(1, "sigmoid", name="b")
        model = k.Model(x, {"a": a(y), "b": b(y)})
        fill(model)
        model.compile(
            OPTIMIZERS[optimizer](k),
            loss={"a": "huber", "b": k.losses.BinaryCrossentropy(label_smoothing=0.1)},
            loss_weights={"a": 0.3, "b": 2.0},
            metrics={"a": ["mae", k.metrics.RootMeanSquaredError()], "b": ["accuracy"]},
            weighted_metrics={"b": [k.metrics.AUC(num_thresholds=9)]},
        )
        for _ in range(2):
            step(model)
        return model, data(2, 3)

    return make


def step(model: Any) -> None:
    model.train_on_batch(data(4, 3), {"a": data(4, 2), "b": np.array([[0.0], [1.0], [1.0], [0.0]])})


def fill(model: Any) -> None:
    """Gives the weights values that are the same everywhere; variances are above 0."""
    values = []
    for i, variable in enumerate(model.weights):
        value = np.array(keras_fn.ops.convert_to_numpy(variable.numpy()), "float32")
        is_state = "seed" in variable.path or variable.dtype.startswith(("int", "uint"))
        values.append(value if is_state else np.abs(data(*value.shape, seed=i)) * 0.4 + 0.1)
    model.set_weights(values)


_PLAIN = (nested, shared, named, ops, objects, mixed, lora, dicts, recurrent, random)
MODELS: dict[str, Callable[[Any], Made]] = {
    **{function.__name__: function for function in _PLAIN},
    **{mode: quantized(mode) for mode in ("int8", "int4", "float8")},
    **{f"trained_{name}": trained(name) for name in OPTIMIZERS},
}


def make(label: str, name: str) -> Made:
    reset_names()
    keras.src.backend.common.global_state.set_global_attribute("object_name_uids", None)
    model, inputs = MODELS[name](PACKAGES[label])
    if name not in ("int8", "int4", "float8") and not name.startswith("trained"):
        fill(model)
    return model, inputs


def outputs(label: str, model: Any, inputs: Any) -> list[np.ndarray]:
    package = PACKAGES[label]

    def leaves(x: Any) -> list[Any]:
        if isinstance(x, (dict, list, tuple)):
            inner = [x[key] for key in sorted(x)] if isinstance(x, dict) else x
            return [leaf for value in inner for leaf in leaves(value)]
        return [x]

    found = leaves(model(inputs, training=False))
    return [np.array(package.ops.convert_to_numpy(x), "float32") for x in found]


def save(model: Any, path: Path, ending: str) -> None:
    if ending == ".json":
        path.write_text(model.to_json())
    elif ending == ".weights.json":
        model.save_weights(str(path), max_shard_size=160 / 2**30)
    elif ending == ".weights.h5":
        model.save_weights(str(path))
    else:
        model.save(str(path), **({"zipped": False} if ending == "" else {}))


def load(label: str, path: Path, ending: str, name: str) -> Any:
    if ending == ".json":
        return PACKAGES[label].models.model_from_json(path.read_text())
    if "weights" not in ending:
        return PACKAGES[label].saving.load_model(str(path))
    model, _ = make(label, name)
    model.set_weights([blank(v) for v in model.weights])
    model.load_weights(str(path))
    return model


def blank(variable: Any) -> np.ndarray:
    value = np.array(variable.numpy())
    return value if value.dtype.kind != "f" else value * 0 + 7


def read_is_equal(label: str, path: Path, ending: str, name: str) -> None:
    """Asserts that a package reads a file as the model that it makes itself."""
    model, inputs = make(label, name)
    read = load(label, path, ending, name)
    if ending == ".json":
        weights = str(path.with_name("of_json.weights.h5"))
        model.save_weights(weights)
        read.load_weights(weights)
    tolerance = 2e-2 if name == "mixed" else 2e-5
    expected, found = (outputs(label, one, inputs) for one in (model, read))
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, tolerance, tolerance)
    if not name.startswith("trained") or ending == ".json":
        return
    state = [np.array(v.numpy()) for v in model.optimizer.variables]
    if ending == ".h5" and label == "keras":  # Keras does not restore it from this format
        return
    for a, b in zip(read.optimizer.variables, state, strict=True):
        np.testing.assert_allclose(a.numpy(), b, 1e-4, 1e-6)
    for one in (model, read):
        step(one)
    for a, b in zip(read.weights, model.weights, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), 1e-4, 1e-5)


def attempt(function: Callable[[], Any]) -> Exception | None:
    try:
        function()
    except Exception as error:
        return error
    return None


@pytest.mark.parametrize("ending", FORMATS, ids=lambda e: e or "folder")
@pytest.mark.parametrize("name", MODELS)
def test_a_model(name: str, ending: str, tmp_path: Path, record_property: Any) -> None:
    kind = ending or "folder"
    if (error := attempt(lambda: make("keras", name))) is not None:
        record_property("file", f"{kind}: keras cannot make it, {type(error).__name__}")
        return
    paths = {label: tmp_path / f"{label}{ending}" for label in PACKAGES}
    written = {}
    for label, path in paths.items():
        written[label] = attempt(lambda n=label, at=path: save(make(n, name)[0], at, ending))
        if written[label] is None:
            record_property("file", f"{kind}: written by {label}")
    own = written["keras"] or attempt(lambda: read_is_equal("keras", paths["keras"], ending, name))
    if own is not None:
        record_property("file", f"{kind}: keras cannot read its own")
    if written["keras_fn"] is None:
        read_is_equal("keras_fn", paths["keras_fn"], ending, name)
        record_property("file", f"{kind}: read by keras_fn, equal")
    else:
        assert own is not None, written["keras_fn"]
        record_property("file", f"{kind}: refused, {type(written['keras_fn']).__name__}")
    if own is None:
        read_is_equal("keras", paths["keras_fn"], ending, name)
        record_property("file", f"{kind}: read by keras, equal")
    if written["keras"] is None:
        error = attempt(lambda: read_is_equal("keras_fn", paths["keras"], ending, name))
        if error is not None and own is None:
            raise error
        answer = "read by keras_fn, equal" if error is None else "neither reads it"
        record_property("file", f"{kind}: {answer}")


@pytest.mark.parametrize("label", PACKAGES)
def test_mismatches_are_skipped_alike(label: str, tmp_path: Path) -> None:
    (other,) = (n for n in PACKAGES if n != label)

    def stack(package: Any, units: int) -> Any:
        layers = [package.layers.Dense(3), package.layers.Dense(units)]
        return package.Sequential([package.Input((3,)), *layers])

    written = stack(PACKAGES[label], 2)
    fill(written)
    for ending in (".weights.h5", ".keras"):
        path = str(tmp_path / f"m{ending}")
        (written.save_weights if "weights" in ending else written.save)(path)
        found = []
        for package in (PACKAGES[label], PACKAGES[other]):
            model = stack(package, 4)
            model.set_weights([np.zeros(v.shape) for v in model.weights])
            model.load_weights(path, skip_mismatch=True)
            found.append([np.array(v.numpy()) for v in model.weights])
        for a, b in zip(*found, strict=True):
            np.testing.assert_array_equal(a, b)
        assert found[0][0].any() and not found[0][2].any()


@pytest.mark.parametrize("label", PACKAGES)
def test_an_editor_finds_what_keras_finds(label: str, tmp_path: Path) -> None:
    """Keras leaves out what is in a layer without weights of its own; the rest is the same."""
    package = PACKAGES[label]
    layers = [package.layers.Dense(4), package.layers.Dense(2)]
    model = package.Sequential([package.Input((3,)), *layers])
    fill(model)
    path = str(tmp_path / "m.weights.h5")
    model.save_weights(path)
    trees = []
    for k in PACKAGES.values():
        editor = k.saving.KerasFileEditor(path)
        editor.rename_object("dense_1", "einsum_dense")
        editor.delete_object("layers/dense")
        editor.add_object("layers/conv1d", {"0": data(2, 3, 4), "1": data(4)})
        editor.add_weights("layers/conv1d", {"2": data(3)})
        editor.delete_weight("conv1d", "1")
        editor.save(str(tmp_path / "edited.weights.h5"))
        again = k.saving.KerasFileEditor(str(tmp_path / "edited.weights.h5"))
        found = again.weights_dict["layers"]
        lists = {n: {key: v.tolist() for key, v in found[n].items()} for n in sorted(found)}
        trees.append(json.dumps(lists, sort_keys=True))
    assert trees[0] == trees[1]

"""Files of keras_fn in real Keras, and files of real Keras in keras_fn. Not collected; run by hand.

    KERAS_BACKEND=jax python tests/saving/oracle_check.py write keras_fn DIRECTORY
    KERAS_BACKEND=jax python tests/saving/oracle_check.py read keras DIRECTORY

in environments that have the one and the other; and the other way round. `write` saves each model
below in each format with its outputs; `read` loads every file and compares.
"""

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

FORMATS = (".keras", ".h5", ".weights.h5", ".weights.json")
SHARD = 1e-3  # GiB
FIXTURES = Path(__file__).parents[1] / "fixtures" / "keras_files"
FIXTURE_NAMES = ("mlp", "cnn_bn", "toy_resnet", "autoencoder_nested", "ticket", "lstm")


def data(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def ops_model(k: Any) -> tuple[Any, Any]:
    """Every kind of op node: operators, options, lists, slices, constants."""
    ops = k.ops
    a, b = k.Input((4, 6), name="a"), k.Input((4, 6), name="b")
    outputs = {
        "add": a + 1, "radd": 1 + a, "mul": a * b, "sub": 2.0 - a, "div": a / 2, "neg": -a,
        "pow": a**2, "abs": abs(a), "floor": a // 2, "mod": a % 2,
        "slice": a[:, 1:3], "axis": a[..., None], "index": a[:, 0], "first": a[0],
        "matmul": ops.matmul(a, ops.transpose(b, (0, 2, 1))),
        "relu": ops.relu(a), "softmax": ops.softmax(a, axis=-1), "leaky": ops.leaky_relu(a, 0.3),
        "gelu": ops.gelu(a, approximate=False), "mean": ops.mean(a, axis=1, keepdims=True),
        "sum": ops.sum(a, axis=(1, 2)), "std": ops.std(a, axis=-1), "max": ops.max(a, axis=1),
        "reshape": ops.reshape(a, (-1, 24)), "concatenate": ops.concatenate([a, b], axis=-1),
        "stack": ops.stack([a, b], axis=1), "split": ops.split(a, 2, axis=-1)[1],
        "expand": ops.expand_dims(a, -1), "squeeze": ops.squeeze(a[:, :1], 1),
        "flip": ops.flip(a, 1), "pad": ops.pad(a, [[0, 0], [1, 1], [0, 0]]),
        "cast": ops.cast(a, "float16"), "clip": ops.clip(a, 0.0, 1.0),
        "where": ops.where(a > b, a, b), "maximum": ops.maximum(a, np.float32(0.5)),
        "einsum": ops.einsum("bij,bkj->bik", a, b), "top_k": ops.top_k(a, 2)[0],
        "one_hot": ops.one_hot(ops.argmax(a, -1), 6), "take": ops.take(a, [0, 1], axis=1),
        "logsumexp": ops.logsumexp(a, -1),
        "array": a * np.arange(6, dtype="float32"), "tile": ops.tile(a, (1, 2, 1)),
        "batch_norm": ops.batch_normalization(a, ops.mean(a, (0, 1)), ops.var(a, (0, 1)), -1),
        "tensor": a + ops.convert_to_tensor([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]),
    }  # fmt: skip
    return k.Model([a, b], outputs, name="ops"), [data(2, 4, 6), data(2, 4, 6, seed=1)]


def dense_model(k: Any) -> tuple[Any, Any]:
    """Shared layers, several inputs and outputs, nested graphs and stacks."""
    dense = k.layers.Dense
    a, b = k.Input((3,), name="a"), k.Input((3,), name="b")
    shared = dense(4, activation="relu", name="shared")
    inside = k.Input((4,), name="inside")
    nested = k.Model(inside, dense(5, kernel_regularizer="l2")(inside), name="nested")
    stack = k.Sequential([k.Input((5,)), dense(3, "tanh"), dense(2, use_bias=False)], name="stack")
    x, y = nested(shared(a)), nested(shared(b))
    model = k.Model({"a": a, "b": b}, {"x": stack(x), "y": y, "z": stack(x + y)}, name="graph")
    return model, {"a": data(2, 3), "b": data(2, 3, seed=1)}


def trained_model(k: Any) -> tuple[Any, Any]:
    """A stack after a few steps of training: the state of its optimizer is in its files."""
    dense = k.layers.Dense
    model = k.Sequential([k.Input((3,)), dense(4, "relu"), dense(1)], name="trained")
    model.compile(k.optimizers.Adam(0.01), "mse", metrics=["mae"])
    x = data(8, 3)
    model.fit(x, x[:, :1] * 2, epochs=2, batch_size=4, verbose=0)
    return model, x


def random_model(seed: int) -> Any:
    """A graph of layers of one shape: only their order tells their weights apart."""

    def make(k: Any) -> tuple[Any, Any]:
        draw = np.random.default_rng(seed)
        tensors = [k.Input((3,), name=name) for name in ("p", "q")]
        inputs = list(tensors)
        shared = [k.layers.Dense(3, name=f"shared_{i}") for i in range(3)]
        for i in range(14):
            x, y = (tensors[j] for j in draw.integers(len(tensors), size=2))
            kind = draw.integers(4)
            if kind == 0:
                tensors.append(shared[draw.integers(3)](x))
            elif kind == 1:
                tensors.append(x + y)
            else:
                tensors.append(k.layers.Dense(3, name=f"layer_{i}", activation="tanh")(x))
        ends = [tensors[j] for j in draw.permutation(len(tensors) - 2)[:4] + 2]
        outputs = dict(zip("zbya", ends, strict=True)) if seed % 2 else ends
        model = k.Model(inputs, outputs, name=f"random_{seed}")
        return model, [data(2, 3), data(2, 3, seed=1)]

    return make


def layers_model(k: Any) -> tuple[Any, Any]:
    """Layers that hold layers, running statistics, seeds and masks."""
    layers = k.layers
    images, words = k.Input((8, 8, 3), name="images"), k.Input((5,), dtype="int32", name="words")
    x = layers.Conv2D(4, 3, padding="same", use_bias=False)(images)
    x = layers.BatchNormalization()(x)
    x = layers.DepthwiseConv2D(3)(layers.Activation("relu")(x))
    x = layers.SeparableConv2D(4, 3)(layers.Dropout(0.5)(x))
    x = layers.GlobalAveragePooling2D()(layers.LayerNormalization()(x))
    y = layers.Embedding(20, 6, mask_zero=True)(words)
    y = layers.Bidirectional(layers.LSTM(4, return_sequences=True))(y)
    y = layers.TimeDistributed(layers.Dense(3))(layers.GaussianNoise(0.1)(y))
    y = layers.RNN([layers.GRUCell(4), layers.LSTMCell(3)])(layers.GRU(4, return_sequences=True)(y))
    z = layers.Concatenate()([x, y, layers.Reshape((4,))(x)])
    model = k.Model({"images": images, "words": words}, z, name="layers")
    inputs = {"images": data(2, 8, 8, 3), "words": np.array([[3, 4, 5, 0, 0], [1, 2, 3, 4, 5]])}
    return model, inputs


def fixture_model(name: str) -> Any:
    """A model that Keras saved; so `write keras_fn` saves it again from keras_fn."""

    def make(k: Any) -> tuple[Any, Any]:
        manifest = json.loads((FIXTURES / "manifest.json").read_text())
        kind = next(f["inputs"] for f in manifest["fixtures"] if f["name"] == name)
        arrays = np.load(FIXTURES / f"{name}.npz")
        inputs = {key[3:]: arrays[key] for key in arrays if key.startswith("in/")}
        model = k.saving.load_model(str(FIXTURES / f"{name}.keras"))
        return model, inputs if kind == "dict" else next(iter(inputs.values()))

    return make


MODELS = {
    "ops": ops_model, "dense": dense_model, "trained": trained_model, "layers": layers_model,
    **{f"random_{seed}": random_model(seed) for seed in range(6)},
    **{f"fixture_{name}": fixture_model(name) for name in FIXTURE_NAMES},
}  # fmt: skip


def keras_like(name: str) -> Any:
    """Returns keras or keras_fn, with what is used here."""
    k = importlib.import_module(name)
    for part in ("layers", "models", "ops", "saving", "optimizers", "losses", "metrics"):
        importlib.import_module(f"{name}.{part}")
    for part, attribute in (("models", "Model"), ("models", "Sequential"), ("layers", "Input")):
        if not hasattr(k, attribute):
            setattr(k, attribute, getattr(getattr(k, part), attribute))
    return k


def results(k: Any, model: Any, inputs: Any) -> dict[str, np.ndarray]:
    outputs = model(inputs, training=False)
    if isinstance(outputs, (list, tuple)):
        outputs = {str(i): x for i, x in enumerate(outputs)}
    elif not isinstance(outputs, dict):
        outputs = {"only": outputs}
    return {f"out/{name}": k.ops.convert_to_numpy(x) for name, x in outputs.items()}


def formats(name: str) -> list[str]:
    # Keras does not read ops in legacy files that it wrote itself.
    has_ops = name in ("ops", "dense") or name.startswith("random")
    return [f for f in FORMATS if not has_ops or f != ".h5"]


def write(k: Any, directory: Path) -> None:
    directory.mkdir(exist_ok=True)
    for name, make in MODELS.items():
        model, inputs = make(k)
        optimizer = getattr(model, "optimizer", None)
        state = [k.ops.convert_to_numpy(v) for v in optimizer.variables] if optimizer else []
        arrays = {**results(k, model, inputs), **{f"opt/{i}": v for i, v in enumerate(state)}}
        np.savez(directory / f"{name}.npz", **arrays)
        for ending in formats(name):
            path = str(directory / f"{name}{ending}")
            if ending == ".weights.json":
                model.save_weights(path, max_shard_size=SHARD)
            elif ending == ".weights.h5":
                model.save_weights(path)
            else:
                model.save(path)


def read(k: Any, directory: Path) -> int:
    wrong = 0
    for name, make in MODELS.items():
        for ending in formats(name):
            expected = dict(np.load(directory / f"{name}.npz"))
            model, inputs = make(k)
            path = str(directory / f"{name}{ending}")
            try:
                if "weights" in ending:
                    model.load_weights(path)
                else:
                    model = k.saving.load_model(path)
                found = results(k, model, inputs)
                # Keras does not restore the state of an optimizer from a legacy file.
                if k.__name__ == "keras" and ending == ".h5":
                    expected = {n: v for n, v in expected.items() if not n.startswith("opt/")}
                if any(key.startswith("opt/") for key in expected):
                    variables = enumerate(model.optimizer.variables)
                    found.update((f"opt/{i}", k.ops.convert_to_numpy(v)) for i, v in variables)
                assert found.keys() == expected.keys(), sorted(found.keys() ^ expected.keys())
                for key, value in expected.items():
                    np.testing.assert_allclose(found[key], value, 1e-4, 1e-5, err_msg=key)
                print("ok   ", name + ending)
            except Exception as error:
                wrong += 1
                print("WRONG", name + ending, type(error).__name__, str(error)[:1500])
    return wrong


if __name__ == "__main__":
    _, what, package, place = sys.argv
    sys.exit({"write": write, "read": read}[what](keras_like(package), Path(place)))

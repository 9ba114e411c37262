"""Programs of `torch.export`: loaded again, they compute what the model does."""

import numpy as np
import pytest

import keras_fn as keras

if keras.backend.backend() != "torch":
    pytest.skip("programs of PyTorch", allow_module_level=True)

import torch
from packaging.version import Version

from keras_fn.core import tree
from keras_fn_torch.export import EndpointModule

L = keras.layers
if Version(torch.__version__) < Version("2.9"):
    pytest.skip("older exporters refuse some models", allow_module_level=True)


def values(spec: keras.KerasTensor, batch: int, size: int, seed: int) -> torch.Tensor:
    shape = [n or (size if axis else batch) for axis, n in enumerate(spec.shape)]
    wave = np.sin(np.arange(np.prod(shape)) * 1.7 + seed).reshape(shape) * 1.5
    wave = np.abs(wave * 3) if spec.dtype == "int32" else wave
    return torch.from_numpy(wave.astype(spec.dtype))


def assert_same(
    model: keras.Model, path: str, tolerance: float = 1e-5, **options
) -> torch.nn.Module:
    """Exports, loads, and compares for several sizes of the axes that are None."""
    model.export(path, format="torch", verbose=False, **options)
    program = torch.export.load(path).module()
    structure = model.input
    for batch, size in ((1, 6), (2, 9)):
        flat = [values(x, batch, size, i) for i, x in enumerate(model.inputs)]
        nested = tree.unflatten(structure, flat)
        expected, found = model(nested, training=False), program(nested)
        assert tree.is_same_structure(expected, found)
        for a, b in zip(tree.flatten(expected), tree.flatten(found), strict=True):
            torch.testing.assert_close(b, a.detach(), rtol=tolerance, atol=tolerance)
    return program


def images() -> keras.Model:
    """Preprocessing, convolutions of images of any size, BatchNormalization, Dropout."""
    x = keras.Input((None, None, 3), name="image")
    y = L.Rescaling(1 / 255)(x)
    y = L.Conv2D(4, 3, padding="same", activation="relu")(y)
    y = L.BatchNormalization()(L.MaxPooling2D(padding="same")(y))
    y = L.Dropout(0.5)(L.GlobalAveragePooling2D()(y))
    return keras.Model(x, L.Dense(2, activation="softmax")(y))


def signals() -> keras.Model:
    """Convolutions with strides of signals of any length."""
    x = keras.Input((None, 2))
    y = L.Conv1D(3, 3, strides=2, padding="same")(x)
    return keras.Model(x, L.Conv1D(2, 1, strides=2, padding="same")(y))


def texts() -> keras.Model:
    """Recurrent layers over masked sequences of any length: a fused one and a cell."""
    x = keras.Input(("time",), dtype="int32", name="tokens")
    y = L.Embedding(7, 4, mask_zero=True)(x)
    y = L.LSTM(3, return_sequences=True, go_backwards=True)(y)
    return keras.Model(x, L.SimpleRNN(2)(y))


def more_texts() -> keras.Model:
    x = keras.Input(("time",), dtype="int32", name="tokens")
    y = L.Embedding(7, 4, mask_zero=True)(x)
    y = L.Bidirectional(L.GRU(3, return_sequences=True))(y)
    return keras.Model(x, L.RNN([L.SimpleRNNCell(3), L.LSTMCell(2, activation="relu")])(y))


def attention() -> keras.Model:
    """Several inputs and outputs in dicts, a shared layer, a nested model, attention."""
    a, b = keras.Input((None, 8)), keras.Input((None, 8))
    shared = L.Dense(8, activation="gelu")
    part = keras.Sequential([keras.Input((None, 8)), L.LayerNormalization(), shared])
    y = L.MultiHeadAttention(2, 4)(part(a), shared(b), use_causal_mask=True)
    outputs = {"all": [y, keras.ops.mean(y, axis=1)], "norm": keras.ops.norm(y, axis=(1, 2))}
    return keras.Model({"left": a, "right": b}, outputs)


def numbers() -> keras.Model:
    """Preprocessing of numbers, and lists of inputs."""
    x, y = keras.Input((3,)), keras.Input((3,), dtype="int32")
    left = L.Normalization(mean=[1.0, 2.0, 3.0], variance=[1.0, 4.0, 9.0])(x)
    left = L.Concatenate()(
        [left, L.Flatten()(L.Discretization([0.0, 1.0], output_mode="one_hot")(x))]
    )
    right = L.CategoryEncoding(8, output_mode="multi_hot")(y)
    return keras.Model([x, y], [L.Dense(2)(left), right])


@pytest.mark.parametrize(
    "make",
    [
        images,
        signals,
        texts,
        attention,
        numbers,
        pytest.param(more_texts, marks=pytest.mark.thorough),
    ],
)
def test_a_loaded_program_computes_what_the_model_does(make, tmp_path):
    model = make()
    rows = {v.path: v.numpy() for v in model.variables}
    assert_same(model, str(tmp_path / "m.pt2"))
    for v in model.variables:  # the export changed nothing
        np.testing.assert_array_equal(v.numpy(), rows[v.path])


def test_the_model_goes_on_after_an_export(tmp_path):
    x = keras.Input((4,))
    model = keras.Model(x, L.Dense(1)(L.Dropout(0.2)(L.Dense(3, activity_regularizer="l2")(x))))
    model.compile("sgd", "mse")
    data = np.ones((4, 4), "float32"), np.ones((4, 1), "float32")
    model.fit(*data, verbose=0)
    before = model.predict(data[0], verbose=0)
    program = assert_same(model, str(tmp_path / "m.pt2"))
    np.testing.assert_allclose(model.predict(data[0], verbose=0), before, 1e-6)
    names = set(dict(program.named_parameters())) | set(dict(program.named_buffers()))
    assert not any("sgd" in name or "loss" in name for name in names)  # nothing of training
    assert len(dict(program.named_parameters())) == 4
    model.fit(*data, verbose=0)
    model(data[0])
    assert len(model.losses) == 1 and type(model.losses[0]) is torch.Tensor


@pytest.mark.parametrize(
    ("policy", "tolerance"), [("mixed_float16", 2e-3), ("mixed_bfloat16", 2e-2)]
)
def test_mixed_precision(policy, tolerance, tmp_path):
    x = keras.Input((4,))
    y = L.LayerNormalization(dtype=policy)(L.Dense(8, "relu", dtype=policy)(x))
    assert_same(keras.Model(x, L.Dense(2, dtype="float32")(y)), str(tmp_path / "m.pt2"), tolerance)


def test_a_quantized_model(tmp_path):
    model = keras.Sequential([keras.Input((8,)), L.Dense(4, "relu"), L.Dense(2)])
    model.quantize("int8")
    program = assert_same(model, str(tmp_path / "m.pt2"))
    assert torch.int8 in {x.dtype for x in program.state_dict().values()}


class Noisy(L.Layer):
    def __init__(self):
        super().__init__()
        self.seed = keras.random.SeedGenerator(1)
        self.count = self.add_weight(shape=(), initializer="zeros", trainable=False)

    def call(self, x):
        self.count.assign_add(1.0)
        return x + keras.random.normal(keras.ops.shape(x), seed=self.seed) + 0 * self.count


def test_a_program_has_no_state(tmp_path):
    model = keras.Sequential([keras.Input((3,)), Noisy()])
    model.export(str(tmp_path / "m.pt2"), format="torch", verbose=False)
    program = torch.export.load(str(tmp_path / "m.pt2")).module()
    x = torch.zeros(2, 3)
    assert not torch.equal(program(x), program(x))  # PyTorch's generator draws
    assert "keras_fn" not in str(program.graph)  # no operator of ours
    assert float(model.layers[0].count.numpy()) == 0


def test_a_subclassed_model_and_options(tmp_path):
    class Twice(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = L.Dense(2)

        def call(self, x, training=False):
            return -self.dense(x) if training else self.dense(x)

    model, path = Twice(), str(tmp_path / "m.pt2")
    x = torch.ones(2, 3)
    expected = model(x).detach()
    batch = torch.export.Dim("batch", min=1, max=64)
    model.export(path, format="torch", verbose=False, dynamic_shapes={0: batch}, strict=False)
    assert "64" in str(torch.export.load(path).range_constraints)
    torch.testing.assert_close(torch.export.load(path).module()(x), expected)
    spec = keras.InputSpec(shape=(2, 3), dtype="float32")
    model.export(path, format="torch", verbose=False, input_signature=[spec])
    program = torch.export.load(path)
    torch.testing.assert_close(program.module()(x), expected)
    assert not program.range_constraints


def test_an_endpoint_is_a_module_with_its_variables():
    from keras_fn.export.input_signature import layer_endpoint

    x = keras.Input((3,), name="x")
    model = keras.Model(x, L.BatchNormalization(name="norm")(L.Dense(2, name="d")(x)), name="net")
    module = EndpointModule(layer_endpoint("serve", model))
    assert [n for n, _ in module.named_parameters()] == [
        "d_kernel",
        "d_bias",
        "norm_gamma",
        "norm_beta",
    ]
    assert [n for n, _ in module.named_buffers()] == ["norm_moving_mean", "norm_moving_variance"]

"""State dicts of real PyTorch modules: the loaded model computes what the module does."""

import numpy as np
import pytest

import keras_fn as keras
from keras_fn.saving import load_state_dict
from keras_fn.saving.errors import ModelFileError
from keras_fn.saving.safetensors.safetensors_file import open_safetensors

torch = pytest.importorskip("torch")
nn = torch.nn
L = keras.layers
RANDOM = np.random.default_rng(0)


def randomized(module):
    """Gives every parameter and statistic another value than an initializer does."""
    torch.manual_seed(0)
    with torch.no_grad():
        for name, tensor in module.state_dict().items():
            if tensor.dtype.is_floating_point:
                tensor.copy_(torch.rand_like(tensor) + (0.5 if "var" in name else -0.5))
    return module.eval()


def assert_same(model, module, x, channels_first=False):
    with torch.no_grad():
        given = torch.from_numpy(np.moveaxis(x, -1, 1).copy() if channels_first else x)
        wanted = module(given)
    wanted = (wanted[0] if isinstance(wanted, tuple) else wanted).numpy()
    wanted = np.moveaxis(wanted, 1, -1) if channels_first and wanted.ndim > 2 else wanted
    got = keras.ops.convert_to_numpy(model(x, training=False))
    np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-5)


def floats(*shape):
    return RANDOM.uniform(-1, 1, shape).astype("float32")


def sequential(*layers, shape):
    return keras.Sequential([keras.Input(shape), *layers])


def test_mlp():
    module = randomized(nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.LayerNorm(5), nn.Linear(5, 3)))
    model = sequential(
        L.Dense(5, "relu"), L.LayerNormalization(epsilon=1e-5), L.Dense(3), shape=(6,)
    )
    names = {"0": "dense", "2": "layer_normalization", "3": "dense_1"}
    names = {old: layer.name for old, layer in zip(names, model.layers, strict=True)}
    report = load_state_dict(model, module.state_dict(), rename=names)
    assert report.is_complete and len(report.matched) == 6 and len(report.transposed) == 2
    assert_same(model, module, floats(4, 6))


def test_convolutions_with_batch_normalization(tmp_path):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 8, 3)
            self.bn = nn.BatchNorm2d(8)
            self.depthwise = nn.Conv2d(8, 16, 3, groups=8)
            self.grouped = nn.Conv2d(16, 4, 1, groups=2, bias=False)
            self.up = nn.ConvTranspose2d(4, 5, 2, stride=2)
            self.norm = nn.GroupNorm(1, 5)
            self.prelu = nn.PReLU(5)
            self.head = nn.Linear(5, 2)

        def forward(self, x):
            x = torch.relu(self.bn(self.conv(x)))
            x = self.prelu(self.norm(self.up(self.grouped(self.depthwise(x)))))
            return self.head(x.mean((2, 3)))

    model = sequential(
        L.Conv2D(8, 3, name="conv"),
        L.BatchNormalization(epsilon=1e-5, name="bn"),
        L.ReLU(),
        L.DepthwiseConv2D(3, depth_multiplier=2, name="depthwise"),
        L.Conv2D(4, 1, groups=2, use_bias=False, name="grouped"),
        L.Conv2DTranspose(5, 2, strides=2, name="up"),
        L.GroupNormalization(1, epsilon=1e-5, name="norm"),
        L.PReLU(shared_axes=[1, 2], name="prelu"),
        L.GlobalAveragePooling2D(),
        L.Dense(2, name="head"),
        shape=(8, 8, 3),
    )
    module = randomized(Net())
    torch.save({"model": module.state_dict(), "epoch": 3}, tmp_path / "net.pt")
    report = load_state_dict(model, tmp_path / "net.pt")
    assert report.ignored == ("bn.num_batches_tracked",)
    assert_same(model, module, floats(2, 8, 8, 3), channels_first=True)


def test_transformer_block(tmp_path):
    """The module has one matrix for query, key and value; the layer has three."""
    module = randomized(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, norm_first=True))
    x = h = keras.Input((5, 8))
    normed = L.LayerNormalization(epsilon=1e-5, name="norm1")(h)
    h = h + L.MultiHeadAttention(2, 4, name="self_attn")(normed, normed)
    normed = L.LayerNormalization(epsilon=1e-5, name="norm2")(h)
    h = h + L.Dense(8, name="linear2")(L.Dense(16, "relu", name="linear1")(normed))
    model = keras.Model(x, h)
    torch.save(module.state_dict(), tmp_path / "block.pth")
    report = load_state_dict(model, tmp_path / "block.pth")
    assert len(report.matched) == 16
    assert_same(model, module, floats(3, 5, 8))


@pytest.mark.parametrize(
    "module, layer",
    [
        (nn.LSTM(3, 4, batch_first=True), L.LSTM(4, return_sequences=True, name="rnn")),
        (nn.GRU(3, 4, batch_first=True), L.GRU(4, return_sequences=True, name="rnn")),
        (nn.RNN(3, 4, batch_first=True), L.SimpleRNN(4, return_sequences=True, name="rnn")),
        (nn.LSTM(3, 4, batch_first=True, bidirectional=True),
         L.Bidirectional(L.LSTM(4, return_sequences=True), name="rnn")),
    ],
    ids=lambda x: type(x).__name__,
)  # fmt: skip
def test_recurrent_layers(module, layer):
    model = sequential(layer, shape=(5, 3))
    state = {f"rnn.{name}": tensor for name, tensor in randomized(module).state_dict().items()}
    load_state_dict(model, state)
    assert_same(model, module, floats(2, 5, 3))


def test_embedding_and_linear_of_hugging_face_names():
    module = randomized(nn.Sequential(nn.Embedding(7, 4), nn.Linear(4, 4)))
    state = module.state_dict()
    names = {"0.weight": "bert.embeddings.word_embeddings.weight",
             "1.weight": "bert.encoder.layer.0.attention.self.query.weight",
             "1.bias": "bert.encoder.layer.0.attention.self.query.bias"}  # fmt: skip
    state = {names[name]: tensor for name, tensor in state.items()}
    model = sequential(L.Embedding(7, 4, name="words"), L.Dense(4, name="query_0"), shape=(3,))
    load_state_dict(
        model,
        state,
        rename=[
            (r"^bert\.", ""),
            (r"^embeddings\.word_embeddings", "words"),
            (r"^encoder\.layer\.(\d+)\.attention\.self\.query", r"query_\1"),
        ],
    )
    assert_same(model, module, RANDOM.integers(0, 7, (2, 3)))


class Evil:
    def __reduce__(self):
        return print, ("code of a file ran",)


def test_a_file_with_code_is_refused_and_nothing_runs(tmp_path, capsys):
    model = sequential(L.Dense(2, name="fc"), shape=(3,))
    before = [v.numpy() for v in model.weights]
    state = nn.ModuleDict({"fc": nn.Linear(3, 2)}).state_dict()
    for content, said in (
        ({**state, "more": Evil()}, r"builtin\w*\.print"),
        (nn.Linear(3, 2), "torch.nn.modules.linear.Linear"),
    ):
        torch.save(content, tmp_path / "m.pt")
        with pytest.raises(ModelFileError, match=said):
            load_state_dict(model, tmp_path / "m.pt", strict=False)
    torch.save(state, tmp_path / "m.pt", _use_new_zipfile_serialization=False)
    with pytest.raises(ModelFileError, match=r"save it again with torch\.save"):
        load_state_dict(model, tmp_path / "m.pt")
    assert capsys.readouterr().out == ""
    for a, b in zip(model.weights, before, strict=True):
        np.testing.assert_array_equal(a.numpy(), b)


def test_views_half_precision_and_parameters(tmp_path):
    kernel = torch.arange(12.0).reshape(3, 4)
    state = {"fc.weight": kernel.T[:2], "fc.bias": nn.Parameter(kernel[0, :2].half())}
    torch.save(state, tmp_path / "m.pt")
    model = sequential(L.Dense(2, name="fc"), shape=(3,))
    load_state_dict(model, tmp_path / "m.pt")
    np.testing.assert_array_equal(model.weights[0].numpy(), kernel[:, :2])
    np.testing.assert_array_equal(model.weights[1].numpy(), [0, 1])
    load_state_dict(model, {"fc.weight": kernel.T[:2].bfloat16() + 1, "fc.bias": torch.zeros(2)})
    np.testing.assert_array_equal(model.weights[0].numpy(), kernel[:, :2] + 1)


def test_safetensors_files_of_the_library_in_low_precision(tmp_path):
    save_file = pytest.importorskip("safetensors.torch").save_file
    values = torch.tensor([[0.5, -2.0, 1.5], [3.0, 0.0, -0.25]])
    dtypes = ("bfloat16", "float8_e4m3fn", "float8_e5m2", "float16", "float64")
    for dtype in dtypes:
        save_file({"fc.weight": values.to(getattr(torch, dtype))}, tmp_path / "m.safetensors")
        with open(tmp_path / "m.safetensors", "rb") as file:
            stored = open_safetensors(file)
            assert stored.datasets["fc.weight"].dtype.name == dtype
        model = sequential(L.Dense(2, use_bias=False, name="fc"), shape=(3,))
        load_state_dict(model, tmp_path / "m.safetensors")
        np.testing.assert_array_equal(model.weights[0].numpy(), values.T)


def test_what_we_write_in_low_precision_the_library_reads(tmp_path):
    load_file = pytest.importorskip("safetensors.torch").load_file
    model = sequential(L.Dense(2, name="fc", dtype="bfloat16"), shape=(3,))
    model.save_weights(tmp_path / "m.safetensors")
    found = load_file(tmp_path / "m.safetensors")
    kernel = found["layers/dense/kernel"]
    assert kernel.dtype == torch.bfloat16
    np.testing.assert_array_equal(kernel.float(), model.weights[0].numpy().astype("float32"))

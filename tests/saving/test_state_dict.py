"""State dicts into models of every backend: names, reports, files; all weights or none."""

import io
import json
import zipfile

import numpy as np
import pytest
from rich.console import Console
from torch_files import checkpoint, opcodes, saved, storage, tensor

import keras_fn as keras
from keras_fn.errors import KerasError
from keras_fn.saving import LoadReport, load_state_dict
from keras_fn.saving.errors import ModelFileError
from keras_fn.saving.safetensors.safetensors_file import write_safetensors
from keras_fn.saving.state_dict.load_report import StateDictError
from keras_fn.saving.state_dict.state_dict_layouts import Layout, _layout

L = keras.layers
RANDOM = np.random.default_rng(0)


def mlp(*units, name="mlp"):
    layers = [L.Dense(n, name=f"fc{i}") for i, n in enumerate(units)]
    return keras.Sequential([keras.Input((3,)), *layers], name=name)


def linear(name, inputs, outputs):
    return {
        f"{name}.weight": RANDOM.random((outputs, inputs), "float32"),
        f"{name}.bias": RANDOM.random(outputs, "float32"),
    }


def weights(model):
    return [v.numpy() for v in model.weights]


def assert_loaded(model, state):
    """Asserts that a stack of Dense layers has the values of linear modules, in their order."""
    for weight, value in zip(model.weights, state.values(), strict=True):
        np.testing.assert_array_equal(weight.numpy(), value.T)


STATE = {**linear("fc0", 3, 4), **linear("fc1", 4, 4)}


def renamed(state, *pairs):
    for old, new in pairs:
        state = {name.replace(old, new): tensor for name, tensor in state.items()}
    return state


# ---------------------------------------------------------------- names


def test_modules_of_the_names_of_layers_are_matched():
    model = mlp(4, 4)
    report = load_state_dict(model, STATE)
    assert_loaded(model, STATE)
    assert isinstance(report, LoadReport) and report.is_complete
    assert [m.change for m in report.matched] == ["transposed", "", "transposed", ""]
    for prefix in ("mlp.", "layers."):  # the path of the variables, the place in the model
        other = mlp(4, 4)
        names = renamed(STATE, ("fc0", "fc0" if prefix == "mlp." else "dense"), ("fc1", "dense_1"))
        names = renamed(names, ("dense_1", "fc1")) if prefix == "mlp." else names
        load_state_dict(other, {prefix + name: tensor for name, tensor in names.items()})
        assert_loaded(other, STATE)


@pytest.mark.parametrize(
    "pairs, rename",
    [
        ([("fc0", "net.0"), ("fc1", "net.2")], {"net.0": "fc0", "net.2": "fc1"}),
        ([("fc", "model.fc")], {"model": ""}),
        ([("fc", "model.fc")], [(r"^model\.", "")]),
        ([("fc", "layer.")], [(r"^layer\.(\d+)", r"fc\1")]),
        ([("fc0.weight", "w")], {"w": "fc0.weight"}),
        ([("fc", "a.fc")], [("^a", "b"), (r"^b\.", "mlp.")]),
    ],
)
def test_names_are_changed_by_tables_and_by_regular_expressions(pairs, rename):
    model = mlp(4, 4)
    load_state_dict(model, renamed(STATE, *pairs), rename=rename)
    assert_loaded(model, STATE)


def test_tensors_that_have_the_name_of_the_weight_are_taken_as_they_are():
    model = mlp(4, 4)
    state = {name.replace("weight", "kernel"): tensor.T for name, tensor in STATE.items()}
    assert not load_state_dict(model, state).transposed
    assert_loaded(model, STATE)


def test_tensors_can_be_left_out():
    model = mlp(4, 4)
    more = {**STATE, "head.weight": np.ones(2), "head.num_batches_tracked": np.ones(())}
    for rename in ({"head": None}, [(r"^head\.", None)]):
        report = load_state_dict(model, more, rename=rename)
        assert report.ignored == ("head.weight", "head.num_batches_tracked")
    assert_loaded(model, STATE)


@pytest.mark.parametrize(
    "rename, said",
    [
        ({"fc2": "fc0"}, "'fc2', which matches none[\\s\\S]*did you mean"),
        ([("^head", "fc")], "which matches none"),
        ([("(", "fc")], "regular expressions"),
        ([("a", "b", "c")], r"\(pattern, replacement\)"),
        ("fc0", r"\(pattern, replacement\)"),
        ({"fc0": 5}, r"\(pattern, replacement\)"),
        ({"fc0": "fc1"}, "another name for each tensor"),
    ],
)
def test_renames_that_are_wrong_are_errors(rename, said):
    model = mlp(4, 4)
    before = weights(model)
    with pytest.raises(KerasError, match=said):
        load_state_dict(model, STATE, rename=rename)
    for a, b in zip(weights(model), before, strict=True):
        np.testing.assert_array_equal(a, b)


# ---------------------------------------------------------------- reports


def test_the_error_has_the_report_and_nothing_is_assigned():
    model = mlp(4, 4, 2)
    before = weights(model)
    state = {**STATE, "fc1.weight": np.ones((5, 4)), "extra": np.ones(3), "fc1.bias": np.arange(4)}
    with pytest.raises(StateDictError) as error:
        load_state_dict(model, state)
    report = error.value.report
    assert [m.tensors for m in report.matched] == [("fc0.weight",), ("fc0.bias",)]
    assert report.missing == ("mlp/fc2/kernel", "mlp/fc2/bias")
    assert report.unexpected == ("extra",)
    differences = {d.weight: (d.expected, d.received) for d in report.shape_differs}
    assert differences == {
        "mlp/fc1/kernel": ("(4, 4) float32", "(5, 4) float64"),
        "mlp/fc1/bias": ("(4,) float32", "(4,) int64"),
    }
    assert report.summary() in str(error.value) and len(str(error.value)) < 2000
    for a, b in zip(weights(model), before, strict=True):
        np.testing.assert_array_equal(a, b)
    console = Console(record=True, width=120, file=io.StringIO())
    console.print(report)
    text = console.export_text()
    assert all(word in text for word in ("unexpected", "missing", "shape differs", "mlp/fc2/bias"))
    assert "mlp/fc2/bias |  | missing" in str(report)


def test_names_in_a_file_can_be_anything():
    names = ["[/bold]\x1b[31m", "n" * 100_000]
    state = {**STATE, **{name: np.ones(1, "float32") for name in names}}
    with pytest.raises(StateDictError) as error:
        load_state_dict(mlp(4, 4), state)
    console = Console(record=True, width=120, file=io.StringIO())
    console.print(error.value.report)
    for text in (str(error.value), str(error.value.report), console.export_text()):
        assert "[/bold]" in text and "\x1b" not in text and len(text) < 2000
    for rename in ({"none": "fc0"}, [("^n+$", "fc0.bias")]):
        with pytest.raises(KerasError) as error:
            load_state_dict(mlp(4, 4), state, rename=rename)
        assert len(str(error.value)) < 2000
    for source in (
        {name: {"a": [1]} for name in names},
        {"a": {"b": state}, **dict.fromkeys(names)},
    ):
        with pytest.raises(ModelFileError) as error:
            load_state_dict(mlp(4, 4), source, key="c")
        assert len(str(error.value)) < 2000


def test_without_strict_what_matches_is_loaded():
    model = mlp(4, 4, 2)
    before = weights(model)
    report = load_state_dict(model, {**STATE, "extra": np.ones(3)}, strict=False)
    assert len(report.matched) == 4 and len(report.missing) == 2 and report.unexpected == ("extra",)
    for a, b in zip(weights(model)[4:], before[4:], strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(weights(model)[0], STATE["fc0.weight"].T)
    with pytest.raises(StateDictError):  # nothing at all matches
        load_state_dict(model, {"extra": np.ones(3)}, strict=False)


def test_suggestions_where_there_is_one_possibility():
    model = mlp(4, 5)
    state = {**linear("a.x", 4, 5), **linear("a.y", 3, 4)}
    with pytest.raises(StateDictError, match=r"rename=\{.*suggestions") as error:
        load_state_dict(model, state)
    assert error.value.report.suggestions == {"a.x": "fc1", "a.y": "fc0"}
    report = load_state_dict(model, state, rename=error.value.report.suggestions)
    assert report.is_complete


def test_suggestions_by_order_only_where_the_numbers_agree():
    model = mlp(3, 3)
    state = {**linear("net.0", 3, 3), **linear("net.2", 3, 3)}
    with pytest.raises(StateDictError) as error:
        load_state_dict(model, state)
    assert error.value.report.suggestions == {"net.0": "fc0", "net.2": "fc1"}
    with pytest.raises(StateDictError) as error:
        load_state_dict(model, {**state, **linear("net.4", 3, 3)})
    assert error.value.report.suggestions == {}


# ---------------------------------------------------------------- layouts


def test_axes_of_convolutions_and_of_split_kernels():
    model = keras.Sequential(
        [
            keras.Input((4, 6)),
            L.Conv1D(5, 3, padding="same", name="conv"),
            L.EinsumDense("abc,cde->abde", (None, 2, 3), bias_axes="de", name="query"),
            L.EinsumDense("abcd,cde->abe", (None, 5), name="out"),
        ]
    )
    state = {
        "conv.weight": RANDOM.random((5, 6, 3)), "conv.bias": RANDOM.random(5),
        "query.weight": RANDOM.random((6, 5)), "query.bias": RANDOM.random(6),
        "out.weight": RANDOM.random((5, 6)),
    }  # fmt: skip
    load_state_dict(model, state)
    wanted = [
        state["conv.weight"].transpose(2, 1, 0), state["conv.bias"],
        state["query.weight"].T.reshape(5, 2, 3), state["query.bias"].reshape(2, 3),
        state["out.weight"].T.reshape(2, 3, 5),
    ]  # fmt: skip
    for weight, value in zip(model.weights, wanted, strict=True):
        np.testing.assert_allclose(weight.numpy(), value, rtol=1e-6)


def test_attention_of_hugging_face_names():
    x = keras.Input((3, 4))
    model = keras.Model(x, L.MultiHeadAttention(2, 3, name="attention_0")(x, x))
    parts = ("self.query", "self.key", "self.value", "output.dense")
    state = {}
    for part in parts:
        sizes = (6, 4) if part.startswith("self") else (4, 6)
        state |= linear(f"bert.encoder.layer.0.attention.{part}", sizes[1], sizes[0])
    rename = [
        (r"^bert\.encoder\.layer\.(\d+)\.attention\.", r"attention_\1."),
        (r"\.self\.", "."),
        (r"\.output\.dense\.", ".attention_output."),
    ]
    assert len(load_state_dict(model, state, rename=rename).matched) == 8
    layer = model.layers[1]
    for sublayer, part in zip(
        (layer.query_dense, layer.key_dense, layer.value_dense, layer.output_dense),
        parts,
        strict=True,
    ):
        weight, bias = (
            state[f"bert.encoder.layer.0.attention.{part}.{n}"] for n in ("weight", "bias")
        )
        shape = (2, 3, 4) if part == "output.dense" else (4, 2, 3)
        np.testing.assert_array_equal(sublayer.kernel.numpy(), weight.T.reshape(shape))
        np.testing.assert_array_equal(sublayer.bias.numpy().reshape(-1), bias)


def test_places_in_a_subclassed_model_are_those_of_the_module():
    class Block(L.Layer):
        def __init__(self):
            super().__init__()
            self.parts = {"inner": L.Dense(3)}

        def call(self, x):
            return self.parts["inner"](x)

    class Net(keras.Model):
        def __init__(self):
            super().__init__()
            self.blocks = [Block(), L.ReLU(), Block()]
            self.head = L.Dense(2)

        def call(self, x):
            for block in self.blocks:
                x = block(x)
            return self.head(x)

    model = Net()
    model(np.ones((1, 3), "float32"))
    state = {
        **linear("blocks.0.parts.inner", 3, 3), **linear("blocks.2.parts.inner", 3, 3),
        **linear("head", 3, 2),
    }  # fmt: skip
    load_state_dict(model, state)
    kernels = [model.blocks[0].parts["inner"], model.blocks[2].parts["inner"], model.head]
    names = ["blocks.0.parts.inner", "blocks.2.parts.inner", "head"]
    for layer, name in zip(kernels, names, strict=True):
        np.testing.assert_array_equal(layer.kernel.numpy(), state[f"{name}.weight"].T)


def test_a_kernel_whose_axes_are_in_another_order_is_not_split():
    layer = L.EinsumDense("abc,dc->abd", (None, 4))
    assert _layout(layer, "kernel") is None
    assert isinstance(_layout(L.EinsumDense("abc,cd->abd", (None, 4)), "kernel"), Layout)
    swapped = L.EinsumDense("abc,cde->abed", (None, 2, 2))
    assert _layout(swapped, "kernel") is None, "a Linear has its outputs in the order of the result"


# ---------------------------------------------------------------- sources


def test_safetensors_files_and_shards(tmp_path):
    model = mlp(4, 4)
    with open(tmp_path / "m.safetensors", "wb") as file:
        write_safetensors(file, STATE, {"format": "pt"})
    load_state_dict(model, tmp_path / "m.safetensors")
    assert_loaded(model, STATE)
    places = {}
    for name, array in STATE.items():
        places[name] = f"m-{name}.safetensors"
        with open(tmp_path / places[name], "wb") as file:
            write_safetensors(file, {name: array + 1})
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": places}))
    load_state_dict(model, str(index))
    assert_loaded(model, {name: tensor + 1 for name, tensor in STATE.items()})
    with open(tmp_path / "m.safetensors", "rb") as file:
        load_state_dict(model, file)
    assert_loaded(model, STATE)
    with pytest.raises(ModelFileError, match="load_state_dict"):
        model.load_weights(tmp_path / "m.safetensors")


def test_shards_of_torch_save(tmp_path):
    model, places = mlp(4, 4), {}
    for i, (name, array) in enumerate(STATE.items()):
        places[name] = f"pytorch_model-{i + 1:05}-of-{len(STATE):05}.bin"
        (tmp_path / places[name]).write_bytes(saved({name: array}))
    index = tmp_path / "pytorch_model.bin.index.json"
    index.write_text(json.dumps({"metadata": {"total_size": 1}, "weight_map": places}))
    load_state_dict(model, index)
    assert_loaded(model, STATE)
    first, second, *_ = places
    swapped = places | {first: places[second], second: places[first]}
    for wrong in (swapped, places | {"more": places[first]}, {first: "../m.bin"}):
        index.write_text(json.dumps({"weight_map": wrong}))
        with pytest.raises(ModelFileError, match="shard"):
            load_state_dict(model, index)


def test_files_of_torch_save(tmp_path):
    model = mlp(4, 4)
    (tmp_path / "m.pt").write_bytes(saved(STATE))
    load_state_dict(model, tmp_path / "m.pt")
    assert_loaded(model, STATE)


def test_entries_of_a_checkpoint():
    model = mlp(4, 4)
    load_state_dict(model, {"epoch": 3, "model": STATE, "optimizer": {"state": {}}})
    assert_loaded(model, STATE)
    two = {"model": STATE, "ema": {name: tensor + 1 for name, tensor in STATE.items()}}
    load_state_dict(model, two, key="ema")
    assert_loaded(model, two["ema"])
    for source, key, said in ((two, None, "'model', 'ema'"), (two, "em", "for example key='ema'")):
        with pytest.raises(KerasError, match=said):
            load_state_dict(model, source, key=key)


def test_other_sources_are_errors(tmp_path):
    model, row = mlp(4, 4), tensor(storage("FloatStorage", "0", 4), (4,), (1,))
    (tmp_path / "text").write_text("weights")
    with zipfile.ZipFile(tmp_path / "m.zip", "w") as file:
        file.writestr("m/data.pkl", b"\x80\x02}.")
        file.writestr("m/code/__torch__.py", b"")
    (tmp_path / "more.pt").write_bytes(
        checkpoint(opcodes({"epoch": 3, "fc0.bias": row}), {"0": bytes(16)})
    )
    for source, said in (
        (tmp_path / "text", "not a file of tensors"),
        (tmp_path / "m.zip", "that torch.save does not write"),
        ("https://example.com/m.pt", "only local files"),
        ({"fc0.weight": np.ones((4, 3)), "fc0.bias": [1, 2]}, "is not a tensor"),
        ({**STATE, 5: np.ones(3)}, "by a key of type int"),
        (tmp_path / "more.pt", "'epoch' is not a tensor"),
        (5, "a path or a binary"),
        (type("Module", (), {"state_dict": dict})(), r"module\.state_dict\(\)"),
    ):
        with pytest.raises(KerasError, match=said):
            load_state_dict(model, source)
    with pytest.raises(ModelFileError, match="not built"):
        load_state_dict(keras.Sequential([L.Dense(2)]), STATE)
    with pytest.raises(FileNotFoundError):
        load_state_dict(model, tmp_path / "missing.pt")


def test_arrays_are_copied_and_variables_accepted():
    model, other = mlp(4, 4), mlp(4, 4)
    kernel = np.ones((3, 4), "float32")
    state = {**STATE, "fc0.kernel": kernel}
    del state["fc0.weight"]
    load_state_dict(model, state)
    kernel += 1
    np.testing.assert_array_equal(weights(model)[0], np.ones((3, 4)))
    load_state_dict(other, {v.path: v for v in model.weights})
    for a, b in zip(weights(model), weights(other), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_tensor_is_of_one_layer():
    class TwoNames(keras.Model):
        """A model whose attribute has the name of another layer."""

        def __init__(self):
            super().__init__()
            self.a = L.Dense(3, name="b")
            self.b = L.Dense(3, name="c")

        def call(self, x):
            return self.b(self.a(x))

    model = TwoNames()
    model.build((None, 3))
    with pytest.raises(StateDictError) as error:
        load_state_dict(model, linear("b", 3, 3))
    assert [path.partition("/")[2] for path in error.value.report.missing] == ["c/kernel", "c/bias"]


def test_a_gru_that_resets_before_is_not_that_of_pytorch():
    gru = L.GRU(2, use_bias=False, reset_after=False, name="gru")
    model = keras.Sequential([keras.Input((4, 3)), gru])
    state = {"gru.weight_ih_l0": np.ones((6, 3)), "gru.weight_hh_l0": np.ones((6, 2))}
    with pytest.raises(StateDictError, match="2 missing, 2 unexpected"):
        load_state_dict(model, state)


def test_nothing_is_computed_from_a_giant_view(tmp_path):
    model = keras.Sequential([keras.Input((4, 3)), L.LSTM(2, name="lstm")])
    giant = tensor(storage("FloatStorage", "0", 1), (1 << 45,), (0,))  # 128 TiB
    names = [f"lstm.{kind}_{of}_l0" for kind in ("weight", "bias") for of in ("ih", "hh")]
    (tmp_path / "m.pt").write_bytes(
        checkpoint(opcodes(dict.fromkeys(names, giant)), {"0": bytes(4)})
    )
    with pytest.raises(StateDictError, match="3 of another shape"):
        load_state_dict(model, tmp_path / "m.pt")

"""`keras-fn convert` between all formats, `plot` and `diff`."""

import itertools
import json
import shutil

import numpy as np
import pytest

import keras_fn as keras
from keras_fn.cli.convert_command import TARGETS, target_format
from keras_fn.errors import SpecError
from keras_fn.export.formats import FORMATS as EXPORTS
from tests.cli.conftest import WEIGHTS, build
from tests.saving.fuzz_formats import checkpoint_bytes

X = np.linspace(-1, 1, 8, dtype="float32").reshape(2, 4)
TARGET_NAMES = ("m.keras", "folder/", "m.h5", *WEIGHTS)


def outputs(path) -> np.ndarray:
    if path.name in WEIGHTS:
        model = build()
        model.set_weights([np.zeros_like(w) for w in model.get_weights()])
        model.load_weights(path)
    else:
        model = keras.models.load_model(path)
    return np.asarray(keras.ops.convert_to_numpy(model(X)))


@pytest.mark.parametrize("source", ["m.keras", "folder", "m.h5", *WEIGHTS])
def test_every_format_to_every_format(source, files, tmp_path, run_json):
    expected = outputs(files / "m.keras")
    assert np.abs(expected).max() > 1
    step = 1 if source == "m.keras" else 3
    for name in itertools.islice(TARGET_NAMES, len(source) % step, None, step):
        model = ["--model", files / "m.json"] if source in WEIGHTS else []
        shards = ["--max-shard-size", "5e-8"] if name.endswith(".json") else []
        target = f"{tmp_path}/{name}"
        code, found = run_json("convert", files / source, target, *model, *shards)
        assert code == 0 and found["verified"] is True and found["bytes"] > 100
        np.testing.assert_allclose(outputs(tmp_path / name.rstrip("/")), expected, rtol=1e-6)


def test_weights_of_a_pytorch_module(files, tmp_path, run, run_json):
    tensors = {"net.hidden.weight": np.arange(12.0).reshape(3, 4), "net.hidden.bias": np.ones(3)}
    tensors |= {"out.weight": np.ones((2, 3)), "out.bias": np.zeros(2)}
    path = tmp_path / "m.pt"
    path.write_bytes(checkpoint_bytes({k: v.astype("float32") for k, v in tensors.items()}))
    assert run_json("inspect", path)[1]["format"] == "pt" and run("verify", path)[0] == 0
    assert run_json("inspect", path)[1]["parameters"] == 23
    options = ("--model", files / "m.json", "--rename", "net.hidden=hidden")
    code, _, err = run("convert", path, tmp_path / "n.keras", *options)
    assert code == 2 and "out.weight" in err
    assert run("convert", path, tmp_path / "n.keras", *options, "--rename", "out=head")[0] == 0
    model = keras.models.load_model(tmp_path / "n.keras")
    kernel = keras.ops.convert_to_numpy(model.get_layer("hidden").kernel)
    np.testing.assert_array_equal(kernel, tensors["net.hidden.weight"].T)
    code, _, err = run("convert", path, tmp_path / "o.keras", *options, "--rename", "out")
    assert code == 2 and "OLD=NEW" in err


def test_json_has_the_architecture_alone(files, tmp_path, run):
    assert run("convert", files / "m.keras", tmp_path / "m.json")[0] == 0
    model = keras.models.model_from_json((tmp_path / "m.json").read_text())
    assert [w.shape for w in model.weights] == [(4, 3), (3,), (3, 2), (2,)]
    assert run("convert", tmp_path / "m.json", tmp_path / "new.keras")[0] == 0


def test_the_optimizer_can_be_left_out(files, tmp_path, run, run_json):
    assert run("convert", files / "m.keras", tmp_path / "s.keras", "--no-optimizer")[0] == 0
    assert run_json("inspect", tmp_path / "s.keras")[1]["compile"] is None


def test_custom_layers_need_their_module(files, tmp_path, run, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, _, err = run("convert", files / "custom.keras", "c.h5", "--import", "no_such_module")
    assert code == 2 and "no_such_module" in err and "fix: " in err
    (tmp_path / "marker_module.py").write_text("open('imported', 'w').close()")
    command = ("convert", files / "custom.keras", "c.h5", "--import", "marker_module")
    assert run(*command)[0] == 0 and (tmp_path / "imported").exists()


@pytest.mark.parametrize(
    ("source", "target", "said"),
    [
        ("m.weights.h5", "n.keras", "--model"),
        ("m.keras", "n.xyz", "a name that ends in"),
        ("m.keras", "m.keras", "--overwrite"),
        ("m.keras", "n.keras --format nothing", "'tf_saved_model'"),
        ("m.keras", "n.keras --backend nothing", "doctor"),
    ],
)
def test_what_cannot_be_converted(source, target, said, files, tmp_path, run):
    (tmp_path / "m.keras").touch()
    name, *options = target.split()
    code, out, err = run("convert", files / source, tmp_path / name, *options)
    assert (code, out) == (2, "") and said in err


def test_an_existing_file_is_replaced_on_request(files, tmp_path, run):
    (tmp_path / "m.keras").write_text("old")
    assert run("convert", files / "m.h5", tmp_path / "m.keras", "--overwrite")[0] == 0
    assert run("verify", tmp_path / "m.keras")[0] == 0


def test_names_say_the_format():
    assert target_format("a.weights.h5") == "weights.h5" and target_format("a.H5") == "legacy.h5"
    assert target_format("a/") == "folder" and target_format("a.onnx") == "onnx"
    assert {target_format("a", name) for name in (*TARGETS, *EXPORTS)} == {*TARGETS, *EXPORTS}
    with pytest.raises(SpecError, match="a name that ends in"):
        target_format("a")


# ---------------------------------------------------------------- plot


def test_plot_writes_a_picture_or_text(files, tmp_path, run, run_json):
    code, found = run_json("plot", files / "m.keras", "-o", tmp_path / "m.md")
    assert code == 0 and found["picture"] == str(tmp_path / "m.md") and found["notes"] == []
    assert "hidden" in (tmp_path / "m.md").read_text()
    shutil.copy(files / "m.json", tmp_path)
    code, out, _ = run("plot", tmp_path / "m.json")
    assert code == 0 and str(tmp_path / "m.") in out
    assert (tmp_path / "m.png").exists() or (tmp_path / "m.mmd").exists()
    assert run("plot", files / "m.weights.h5")[0] == 2


# ---------------------------------------------------------------- diff


def test_diff_of_models(files, tmp_path, run, run_json):
    assert run("diff", files / "m.keras", files / "folder")[:2] == (0, "result  no differences\n")
    config = json.loads((files / "m.json").read_text())
    config["config"]["layers"][1]["config"]["activation"] = "tanh"
    (tmp_path / "other.json").write_text(json.dumps(config))
    code, found = run_json("diff", files / "m.json", tmp_path / "other.json", "--no-weights")
    assert code == 1 and found["compared"] == "models"
    assert found["differences"] == [
        {"path": "hidden", "aspect": "activation", "first": "'relu'", "second": "'tanh'"}
    ]


def test_diff_of_weights(files, tmp_path, run, run_json):
    for name in WEIGHTS[:2]:
        assert run("diff", files / "m.keras", files / name)[0] == 0
    model = build()
    model.layers[1].bias.assign([0.0, 1.0, 2.5])
    model.save_weights(tmp_path / "n.safetensors")
    code, found = run_json("diff", files / "m.safetensors", tmp_path / "n.safetensors")
    (difference,) = found["differences"]
    assert code == 1 and difference["path"].endswith("bias") and difference["aspect"] == "values"
    assert "1 differ, by up to 0.5" in difference["second"]
    tolerant = ("diff", files / "m.safetensors", tmp_path / "n.safetensors", "--tolerance", "0.6")
    assert run(*tolerant)[0] == 0
    code, _, err = run("diff", files / "m.safetensors", files / "m.weights.h5")
    assert code == 2 and "keras-fn convert" in err

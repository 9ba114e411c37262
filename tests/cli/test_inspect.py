"""`keras-fn inspect`: what is in a file of each format."""

import json
import shutil

import pytest

from keras_fn.cli.config_summary import find_custom_objects, known_names
from keras_fn.saving.archive import CONFIG, WEIGHTS, read_archive, write_archive
from tests.cli.conftest import MODELS, WEIGHTS as WEIGHT_FILES
from tests.saving.conftest import FIXTURES

KEYS = {
    "command", "schema", "file", "format", "bytes", "versions", "members", "model", "compile",
    "custom_objects", "parameters", "weights",
}  # fmt: skip
FORMATS = {"m.keras": "keras", "folder": "folder", "m.h5": "legacy.h5", "m.json": "json"} | {
    name: name.removeprefix("m.") for name in WEIGHT_FILES
}
LAMBDA = {"class_name": "__lambda__", "config": {"value": ["4wAA", None, None]}}


@pytest.mark.parametrize("name", [*MODELS, *WEIGHT_FILES])
def test_every_format(name, files, run, run_json):
    code, found = run_json("inspect", files / name)
    assert code == 0 and set(found) == KEYS and found["format"] == FORMATS[name]
    if name in MODELS:
        model = found["model"]
        assert (model["class_name"], model["name"]) == ("Functional", "net")
        assert [layer["name"] for layer in model["layers"]][:2] == ["x", "hidden"]
        assert model["layers"][1]["inputs"] == ["x"] and model["layers"][0]["shape"] == [None, 4]
        compiled = found["compile"]
        assert compiled["optimizer"] == "Adam"
        assert compiled["loss"] in ("mse", "mean_squared_error")
    else:
        assert found["model"] is None
    if name != "m.json":
        assert found["parameters"] == 23 and found["versions"].get("keras_fn")
        shapes = sorted(tuple(w["shape"]) for w in found["weights"] if w["role"] == "weight")
        assert shapes == [(2,), (3,), (3, 2), (4, 3)]
        assert sum(w["bytes"] for w in found["weights"] if w["role"] == "weight") == 92
    if name.endswith((".weights.json", ".index.json")):
        assert len(found["members"]) > 2
    code, out, _ = run("inspect", files / name)
    assert code == 0 and ("23 numbers in 4" in out or name == "m.json")
    assert ("Layers" in out) == (name in MODELS)


@pytest.mark.parametrize("name", ["mlp.keras", "ticket.h5", "lstm.weights.h5", "cnn_bn.keras"])
def test_files_of_keras(name, run_json):
    found = run_json("inspect", FIXTURES / name)[1]
    assert found["parameters"] > 1000 and found["custom_objects"] == []
    assert "keras_fn" not in found["versions"]


def test_parameters_of_layers_are_found_by_group_or_name(run, files, run_json):
    out = run("inspect", FIXTURES / "ticket.keras")[1]
    assert "department   Dense               148  concatenate" in out
    out = run("inspect", FIXTURES / "autoencoder_nested.keras")[1]
    assert "encoder                 Functional                 956  img" in out
    assert "  conv2d_1              Conv2D                     876  max_pooling2d" in out
    weights = run_json("inspect", files / "m.weights.h5")[1]["weights"]
    assert {w["layer"] for w in weights if w["role"] == "weight"} == {"hidden", "head"}


def test_custom_classes_are_named_and_not_imported(files, run, run_json):
    found = run_json("inspect", files / "custom.keras")[1]["custom_objects"]
    assert found == [{"name": "shop>Scale", "module": "tests.cli.conftest", "layers": ["scale"]}]
    assert "shop>Scale" in run("inspect", files / "custom.keras")[1]


def test_custom_objects_of_legacy_configs_are_those_that_keras_does_not_have():
    assert {"Dense", "GlorotUniform", "L2", "Adam", "relu", "MeanSquaredError"} <= known_names()
    initializer = {"class_name": "MyInitializer", "config": {}}
    layer = {"class_name": "Dense", "config": {"name": "d", "kernel_initializer": initializer}}
    config = {"class_name": "Sequential", "config": {"name": "s", "layers": [layer]}}
    assert [tuple(item) for item in find_custom_objects(config)] == [("MyInitializer", "", ("d",))]


def test_code_in_a_file_is_shown_as_data_and_refused_by_verify(files, run, run_json, tmp_path):
    path = tmp_path / "evil.keras"
    with open(files / "m.keras", "rb") as file:
        archive = read_archive(file)
        config = json.loads(archive.config)
        config["config"]["layers"][1]["config"]["activation"] = LAMBDA
        config["config"]["layers"][1]["name"] = "\x1b[31mred"
        with open(path, "wb") as out:
            members = {CONFIG: json.dumps(config).encode(), WEIGHTS: archive.weights.read()}
            write_archive(out, members)
    code, out, _ = run("inspect", path)
    assert code == 0 and "\x1b" not in out and "\\x1b[31mred" in out
    code, found = run_json("verify", path)
    problem = next(check for check in found["checks"] if not check["ok"])
    assert (code, problem["part"], problem["check"]) == (1, "config.json", "no_code")
    assert "holds code" in problem["problem"]["source"]


def test_other_files_are_refused(tmp_path, run, files):
    (tmp_path / "a.txt").write_text("hello")
    (tmp_path / "a.json").write_text('{"name": "x"}')
    (tmp_path / "empty").mkdir()
    for name in ("a.txt", "a.json", "empty"):
        code, _, err = run("inspect", tmp_path / name)
        assert code == 2 and "fix: " in err
    shutil.copy(files / "m.weights.json", tmp_path)
    code, _, err = run("inspect", tmp_path / "m.weights.json")
    assert code == 2 and "m_00000.weights.h5" in err

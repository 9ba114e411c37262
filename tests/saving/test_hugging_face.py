"""Paths of the Hugging Face Hub, with a server on this machine in its place."""

import json
import sys

import numpy as np
import pytest
from hub_server import COMMIT, HubServer, replace_hub
from torch_files import saved

import keras_fn as keras
from keras_fn.cli.main import main
from keras_fn.saving import load_model, load_state_dict
from keras_fn.saving.errors import ModelFileError

huggingface_hub = pytest.importorskip("huggingface_hub")
L = keras.layers


@pytest.fixture
def hub(tmp_path, monkeypatch):
    with HubServer() as server:
        replace_hub(server, monkeypatch, tmp_path / "cache")
        yield server
        huggingface_hub.close_session()


def model_of(units=2):
    return keras.Sequential([keras.Input((3,)), L.Dense(units, name="fc")])


def assert_same(a, b):
    for x, y in zip(a.get_weights(), b.get_weights(), strict=True):
        np.testing.assert_array_equal(x, y)


def test_a_model_is_saved_as_a_repository_and_comes_back(hub):
    model = model_of()
    model.save("hf://me/model")
    names = {"config.json", "metadata.json", "model.weights.h5", "README.md"}
    assert hub.repos["me/model"].keys() == names  # as Keras has them
    assert b'load_model("hf://me/model")' in hub.repos["me/model"]["README.md"]
    assert_same(load_model("hf://me/model"), model)
    assert_same(load_model("hf://me/model@main"), model)
    assert_same(load_model(f"hf://me/model@{COMMIT}"), model)
    other = model_of()
    other.load_weights("hf://me/model")
    assert_same(other, model)
    hub.repos["me/model"]["README.md"] = b"my own"
    model.save("hf://me/model", zipped=False)
    assert hub.repos["me/model"]["README.md"] == b"my own"
    hub.repos["me/model"]["other.bin"] = b"large"
    assert not any("other.bin" in line for line in hub.log)  # only the model is downloaded


def test_files_of_a_repository(hub):
    model, other = model_of(), model_of()
    model.save("hf://me/model/sub/m.keras")
    assert_same(load_model("hf://me/model/sub/m.keras"), model)
    for name in ("m.weights.h5", "m.safetensors"):
        model.save_weights(f"hf://me/model/{name}")
        other.load_weights(f"hf://me/model/{name}")
        assert_same(other, model)
    for name in ("s/m.safetensors.index.json", "s/m.weights.json"):
        model.save_weights(f"hf://me/model/{name}", max_shard_size=30 / 2**30)
        third = model_of()
        third.load_weights(f"hf://me/model/{name}")
        assert_same(third, model)
    state = load_state_dict(model_of(), "hf://me/model/m.safetensors")
    assert state.is_complete


def test_the_command_shows_files_and_models_of_the_hub(hub, capsys):
    model = model_of()
    model.save("hf://me/model")
    model.save_weights("hf://me/model/m.safetensors")
    for path, form in (("hf://me/model", "folder"), ("hf://me/model/m.safetensors", "safetensors")):
        assert main(["inspect", path, "--json"]) == 0
        shown = json.loads(capsys.readouterr().out)
        assert (shown["format"], shown["parameters"]) == (form, 8)


def test_shards_of_torch_save_are_downloaded_with_their_index(hub):
    state = {"weight": np.ones((2, 3), "float32"), "bias": np.zeros(2, "float32")}
    places = {name: f"pytorch_model-0000{i}-of-00002.bin" for i, name in enumerate(state, 1)}
    files = {places[name]: saved({name: array}) for name, array in state.items()}
    files["pytorch_model.bin.index.json"] = json.dumps({"weight_map": places}).encode()
    hub.repos["me/torch"] = files
    model = model_of()
    rename = {"weight": "fc.weight", "bias": "fc.bias"}
    load_state_dict(model, "hf://me/torch/pytorch_model.bin.index.json", rename=rename)
    np.testing.assert_array_equal(model.weights[0].numpy(), np.ones((3, 2)))


def test_a_sharded_checkpoint_is_not_saved_to_a_repository(hub):
    with pytest.raises(ModelFileError, match="not saved to a repository"):
        model_of().save_weights("hf://me/model/m.checkpoint")
    assert not hub.repos


def test_what_the_hub_does_not_have_or_deliver_is_an_error(hub, tmp_path):
    model = model_of()
    model.save("hf://me/model/m.keras")
    for path, said in (
        ("hf://me/none", "RepositoryNotFound"),
        ("hf://me/model/none.keras", "EntryNotFound"),
    ):
        with pytest.raises(ModelFileError, match=said) as error:
            load_model(path)
        assert path in str(error.value) and len(str(error.value)) < 2000
    with pytest.raises(ModelFileError, match="not a saved model of Keras"):
        load_model("hf://me/model")
    with pytest.raises(ModelFileError, match="a file already"):
        model.save("hf://me/model/m.keras", overwrite=False)
    whole = hub.repos["me/model"]["m.keras"]
    hub.stops_after = len(whole) // 20  # of each answer: six of them are less than the file
    with pytest.raises(ModelFileError, match="the download failed"):
        load_model("hf://me/model/m.keras")
    hub.stops_after = None
    hub.declares = 7
    hub.repos["me/model"]["other.keras"] = whole + b" "
    with pytest.raises(ModelFileError, match="the download failed"):
        load_model("hf://me/model/other.keras")
    hub.declares = -7
    hub.repos["me/model"]["third.keras"] = whole + b"  "
    with pytest.raises(ModelFileError, match=r"third\.keras"):
        load_model("hf://me/model/third.keras")
    hub.declares = 0
    assert_same(load_model("hf://me/model/m.keras"), model)  # the rest of it is downloaded


@pytest.mark.parametrize(
    "path", ["hf://model", "hf://me/model/", "hf://me/model/../m.keras", "hf://me/a//b", "hf://"]
)
def test_paths_of_another_form_are_errors_before_anything_is_sent(path, hub):
    for use in (load_model, model_of().save, model_of().load_weights):
        with pytest.raises(ModelFileError, match="hf://user/repo"):
            use(path)
    assert not hub.log


def test_a_repository_is_no_archive(hub):
    with pytest.raises(ModelFileError, match="a repository is a folder"):
        model_of().save("hf://me/model", zipped=True)
    with pytest.raises(ModelFileError, match="ends in"):
        model_of().save("hf://me/model/m.txt")
    assert not hub.repos


def test_without_the_library_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    for use in (load_model, model_of().save):
        with pytest.raises(ImportError, match="pip install 'huggingface_hub'"):
            use("hf://me/model")

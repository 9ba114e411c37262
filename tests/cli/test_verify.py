"""`keras-fn verify`: whole files of each format, and damaged ones."""

import json
import shutil
import struct

import pytest

from keras_fn.cli.verify_command import CHECKS
from tests.cli.conftest import MODELS, WEIGHTS
from tests.saving.conftest import FIXTURES


@pytest.mark.parametrize("name", [*MODELS, *WEIGHTS, "custom.keras"])
def test_whole_files(name, files, run, run_json):
    code, found = run_json("verify", files / name)
    assert code == 0 and found["ok"] and {c["check"] for c in found["checks"]} <= CHECKS.keys()
    assert all(set(c) == {"part", "check", "ok", "problem"} for c in found["checks"])
    code, out, _ = run("verify", files / name)
    assert code == 0 and "fault" not in out


@pytest.mark.parametrize("name", ["mlp.keras", "mlp.h5", "mlp.weights.h5"])
def test_files_of_keras(name, run):
    assert run("verify", FIXTURES / name)[0] == 0


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("m.keras", "model.weights.h5"), ("m.h5", "m.h5"), ("m.weights.h5", "m.weights.h5"),
        ("m.safetensors", "m.safetensors"), ("m.json", "m.json"),
    ],
)  # fmt: skip
def test_a_flipped_bit_is_found_and_its_part_named(name, part, files, tmp_path, run_json):
    path = tmp_path / name
    content = bytearray((files / name).read_bytes())
    needle = struct.pack("<3f", 3.0, 4.0, 5.0) if name != "m.json" else b'"class_name"'
    content[content.index(needle) + 2] ^= 0x80
    path.write_bytes(content)
    code, found = run_json("verify", path)
    faults = [check for check in found["checks"] if not check["ok"]]
    assert code == 1 and not found["ok"] and [fault["part"] for fault in faults] == [part]
    assert all(faults[0]["problem"][key] for key in ("source", "fix"))


@pytest.mark.parametrize("member", ["config.json", "metadata.json", "model.weights.h5"])
def test_damage_in_a_folder(member, files, tmp_path, run):
    shutil.copytree(files / "folder", tmp_path / "folder")
    path = tmp_path / "folder" / member
    path.write_bytes(path.read_bytes()[:-9])
    code, out, err = run("verify", tmp_path / "folder")
    assert code == 1 and member in out and err == ""


def test_a_truncated_archive_and_a_missing_shard(files, tmp_path, run):
    (tmp_path / "m.keras").write_bytes((files / "m.keras").read_bytes()[:-5])
    code, out, _ = run("verify", tmp_path / "m.keras")
    assert code == 1 and "end record" in out
    for file in files.glob("m*weights*"):
        shutil.copy(file, tmp_path)
    (tmp_path / "m_00001.weights.h5").unlink()
    code, _, err = run("verify", tmp_path / "m.weights.json")
    assert code == 2 and "m_00001.weights.h5" in err


def test_another_kind_of_file_is_a_fault_and_no_file_an_error(tmp_path, run):
    (tmp_path / "a.keras").write_text("hello")
    assert run("verify", tmp_path / "a.keras")[0] == 1
    assert run("verify", tmp_path / "b.keras")[0] == 2


def test_load_builds_the_model(files, tmp_path, run_json):
    assert run_json("verify", files / "m.keras", "--load")[1]["checks"][-1]["check"] == "load"
    config = json.loads((files / "m.json").read_text())
    config["config"]["layers"][1]["config"]["units"] = "many"
    (tmp_path / "m.json").write_text(json.dumps(config))
    assert run_json("verify", tmp_path / "m.json")[0] == 0  # data alone cannot tell
    code, found = run_json("verify", tmp_path / "m.json", "--load")
    assert code == 1 and not found["checks"][-1]["ok"]

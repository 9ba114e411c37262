"""Two processes on loopback: equal to one, and what is said when one of them fails."""

import os
import time
from pathlib import Path

import numpy as np
import pytest
from device_programs import HERE, run, run_whole
from process_model import load_data, make_model

import keras_fn as keras
from keras_fn.backend import backend

pytestmark = [
    pytest.mark.multi_device,
    pytest.mark.skipif(backend() not in ("jax", "torch"), reason="processes of JAX and PyTorch"),
]
PROGRAM = str(HERE / "process_program.py")


def launched(what: str, folder: Path, *options: str) -> list[str]:
    return ["-m", "keras_fn.launch", "-n", "2", *options, PROGRAM, what, str(folder)]


def test_two_processes_train_as_one(tmp_path):
    alone, two = tmp_path / "alone", tmp_path / "two"
    alone.mkdir()
    two.mkdir()
    run_whole(launched("train", two), 4)
    run_whole([PROGRAM, "train", str(alone)], 8)
    expected, first, second = (
        np.load(folder / f"process_{i}.npz") for folder, i in ((alone, 0), (two, 0), (two, 1))
    )
    assert set(expected.files) == set(first.files)
    for key in expected.files:
        np.testing.assert_array_equal(first[key], second[key])  # alike, bit by bit
        np.testing.assert_allclose(first[key], expected[key], atol=1e-6)
    model = keras.saving.load_model(two / "model_True.keras")
    names = [key for key in first.files if key.startswith("True")]
    for v, key in zip(model.variables, names, strict=False):
        np.testing.assert_array_equal(v.numpy(), first[key])
    model.set_weights([np.zeros(v.shape) for v in model.weights])
    model.load_weights(two / "model_True.checkpoint")
    for v, key in zip(model.variables, names, strict=False):
        np.testing.assert_array_equal(v.numpy(), first[key])
    files = sorted(path.name for path in (two / "backup_True/run.checkpoint").iterdir())
    assert files == ["index.json", *(f"process-0000{i}-of-00002.bin" for i in (0, 1))]
    # One process goes on with what two have written, and with what 8 devices have.
    resumed = [
        resume(folder / f"backup_{kind}") for kind in (True, False) for folder in (two, alone)
    ]
    for other in resumed[1:]:
        np.testing.assert_allclose(other, resumed[0], atol=1e-6)


def resume(backup: Path) -> np.ndarray:
    """Trains a third epoch, and returns the weights."""
    x, y = load_data()
    model = make_model()
    callback = keras.callbacks.BackupAndRestore(backup, delete_checkpoint=False)
    assert model.fit(x, y, 32, epochs=3, verbose=0, callbacks=[callback]).epoch == [0, 1, 2]
    return np.concatenate([v.numpy().ravel() for v in model.variables])


@pytest.mark.thorough
def test_a_killed_run_goes_on_bit_by_bit(tmp_path):
    found = []
    for what in ("uninterrupted", "resume"):
        folder = tmp_path / what
        folder.mkdir()
        output = run_whole(launched(what, folder, "--restarts", "1", "--grace", "4"), 2)
        assert ("all start again" in output) == (what == "resume")
        assert not (folder / "backup").exists()
        found.append(np.load(folder / "process_0.npz"))
    for key in found[0].files:
        np.testing.assert_array_equal(found[0][key], found[1][key])


def failure(what: str, tmp_path: Path, timeout: float = 30.0) -> tuple[float, str]:
    """Returns the seconds until process 0 knew, and the error that it had."""
    found = run(launched(what, tmp_path, "--grace", "8"), 1, TEST_TIMEOUT=str(timeout))
    assert found.returncode
    path = tmp_path / "error_0.txt"
    assert path.exists(), found.stdout[-3000:]
    seconds, _, text = path.read_text("utf-8").partition("\n")
    return float(seconds), text


@pytest.mark.thorough
def test_a_process_that_dies_is_named(tmp_path):
    seconds, text = failure("kill", tmp_path)
    assert "fit, process 0 of 2" in text and "process 1 has ended" in text
    assert seconds < 10  # 0.1 on a quiet machine


@pytest.mark.parametrize("victim", [1, pytest.param(0, marks=pytest.mark.thorough)])
def test_a_process_that_dies_is_named_where_the_other_is_stuck_in_the_framework(victim, tmp_path):
    options = launched("kill", tmp_path, "--grace", "60")
    found = run(options, 2, TEST_TIMEOUT="100", TEST_VICTIM=str(victim))
    took = time.time() - float((tmp_path / "struck").read_text())
    assert f"process {1 - victim} of 2" in found.stdout
    assert f"received: process {victim} has ended" in found.stdout
    assert f"process {victim} of 2 failed first, with signal 9" in found.stdout
    assert found.returncode == 128 + 9
    assert took < 20  # 1.5 on a quiet machine


def test_data_that_differs_is_an_error_before_training(tmp_path):
    _, text = failure("differ", tmp_path)
    assert text.startswith("SpecError") and "data 0: (101, 24)" in text


@pytest.mark.thorough
def test_a_process_that_raises_is_named(tmp_path):
    seconds, text = failure("raise", tmp_path)
    assert "process 1 has ended" in text and seconds < 10


@pytest.mark.thorough
def test_save_in_one_process_is_an_error(tmp_path):
    _, text = failure("save", tmp_path, timeout=8)
    assert "save" in text and "none in process 1" in text and "call it in all processes" in text


@pytest.mark.thorough
def test_a_process_that_stands_still_is_named(tmp_path):
    options = launched("stop", tmp_path, "--grace", "1")
    found = run(options, 1, TEST_TIMEOUT="8")
    took = time.time() - float((tmp_path / "struck").read_text())
    if backend() == "jax":  # its collectives wait for ever: a thread ends the process
        assert found.returncode == 70 and "none of process 1" in found.stdout
    else:
        assert "process 1 has ended or does not answer" in found.stdout
    assert took < 40 if os.environ.get("CI") else 20


def test_a_kill_leaves_the_last_whole_checkpoint(tmp_path):
    output = run_whole([str(HERE / "kill_program.py"), "40", str(tmp_path)], 1)
    assert output == "whole after 40 of 40 kills\n"

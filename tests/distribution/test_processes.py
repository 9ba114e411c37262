"""Two processes on loopback: equal to one, and what is said when one of them fails."""

import time
from pathlib import Path

import numpy as np
import pytest
from device_programs import HERE, run, run_whole, thorough_on_tensorflow
from process_model import load_data, load_own_data, make_model, read_batches

import keras_fn as keras
from keras_fn.backend import backend

pytestmark = pytest.mark.multi_device
PROGRAM = str(HERE / "process_program.py")


def launched(what: str, folder: Path, *options: str) -> list[str]:
    return ["-m", "keras_fn.launch", "-n", "2", *options, PROGRAM, what, str(folder)]


class Capture(keras.callbacks.Callback):
    """Notes the weights and the outputs after the second epoch."""

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        if epoch == 1:
            self.weights = self.model.get_weights()
            self.outputs = self.model.predict(load_data()[0], batch_size=101, verbose=0)


@thorough_on_tensorflow
def test_two_processes_train_as_one(tmp_path):
    run_whole(launched("train", tmp_path), 4)
    keras.utils.set_random_seed(5)
    model, capture = make_model(), Capture()
    losses = model.fit(*load_data(), 32, epochs=3, verbose=0, callbacks=[capture]).history["loss"]
    first, second = (np.load(tmp_path / f"process_{i}.npz") for i in (0, 1))
    for key in first.files:
        np.testing.assert_array_equal(first[key], second[key])  # alike, bit by bit
    for i, value in enumerate([*capture.weights, losses[:2], capture.outputs]):
        np.testing.assert_allclose(first[str(i)], value, atol=1e-6)
    check_files(tmp_path, first)
    # What two processes have written, one goes on with.
    keras.utils.set_random_seed(6)
    resumed = make_model()
    resumed.fit(*load_data(), 32, epochs=3, verbose=0, resume=tmp_path / "backup")
    for v, w in zip(resumed.weights, model.weights, strict=True):
        np.testing.assert_allclose(v.numpy(), w.numpy(), atol=1e-6)
    check_own_data([dict(np.load(tmp_path / f"own_{i}.npz")) for i in (0, 1)])


def check_files(folder: Path, found: dict[str, np.ndarray]) -> None:
    """Loads what two processes have written."""
    assert len((folder / "log.csv").read_text().splitlines()) == 3  # process 0 alone writes it
    files = sorted(path.name for path in (folder / "backup/run.checkpoint").iterdir())
    assert files == ["index.json", *(f"process-0000{i}-of-00002.bin" for i in (0, 1))]
    model = keras.saving.load_model(folder / "model.keras")
    for name in ("model.keras", "model.checkpoint"):
        model.set_weights([np.zeros(v.shape) for v in model.weights])
        model.load_weights(folder / name)
        for i, v in enumerate(model.weights):
            np.testing.assert_array_equal(v.numpy(), found[str(i)])


def check_own_data(found: list[dict[str, np.ndarray]]) -> None:
    """Compares processes that have read their own data with one that reads all."""
    parts = load_own_data()
    keras.utils.set_random_seed(5)
    model = make_model()
    losses = [
        model.fit(read_batches(parts, 16), verbose=0).history["loss"][0],
        model.fit(read_batches(parts, 16), verbose=0).history["loss"][0],
        model.evaluate(read_batches(parts, 16), verbose=0),
    ]
    for own, (x, _) in zip(found, parts, strict=True):
        np.testing.assert_allclose(own["losses"], losses, atol=1e-6)  # one epoch of three
        np.testing.assert_allclose(own["outputs"], model.predict(x, verbose=0), atol=1e-6)
        for i, v in enumerate(model.weights):
            np.testing.assert_allclose(own[f"weight {i}"], v.numpy(), atol=1e-6)


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


@thorough_on_tensorflow
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
    if backend() == "torch":  # its collectives have a timeout
        assert "process 1 has ended or does not answer" in found.stdout
    else:  # they wait for ever: a thread ends the process
        assert found.returncode == 70 and "none of process 1" in found.stdout
    assert took < 40  # 11 on a quiet machine


def test_a_kill_leaves_the_last_whole_checkpoint(tmp_path):
    output = run_whole([str(HERE / "kill_program.py"), "40", str(tmp_path)], 1)
    assert output == "whole after 40 of 40 kills\n"

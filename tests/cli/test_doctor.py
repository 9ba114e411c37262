"""`keras-fn doctor`: a sound installation, and the faults that it finds."""

import os

import pytest

from keras_fn import settings
from keras_fn.cli import doctor_command
from keras_fn.cli.doctor_command import examine

BACKEND = os.environ["KERAS_BACKEND"]


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    for name in ("KERAS_MAX_EPOCHS", "KERAS_MAX_STEPS_PER_EPOCH"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def find(subject, probes=False):
    return next(f for f in examine(probes) if f.subject == subject)


def test_a_sound_installation(home, run, run_json):
    code, found = run_json("doctor", "--fast")
    assert (code, found["ok"]) == (0, True)
    assert all(set(f) == {"subject", "state", "detail", "fix"} for f in found["findings"])
    assert all(f["fix"] == "" for f in found["findings"] if f["state"] == "ok")
    assert "What to do" not in run("doctor", "--fast")[1]


@pytest.mark.skipif(BACKEND not in settings.BUILTIN_BACKENDS, reason="a plug-in")
def test_the_backend_is_started_and_its_devices_listed(home):
    finding = find(f"backend {BACKEND}", probes=True)
    assert finding.state == "ok" and "devices cpu:0" in finding.detail


def test_a_backend_that_does_not_start_or_is_too_old(home, monkeypatch):
    finding = doctor_command._backend("jax", "numpy", "it does not start: ImportError: x")
    assert finding.state == "fault" and "reinstall" in finding.fix
    monkeypatch.setattr(doctor_command, "_version", lambda library: "0.1.0")
    finding = doctor_command._backend("torch", "torch", "")
    assert finding.state == "fault" and "pip install -U 'torch>=" in finding.fix


@pytest.mark.parametrize(
    ("installed", "chosen", "fix"),
    [
        ((), None, "pip install jax"),
        (("torch",), "jax", "set KERAS_BACKEND to torch"),
        (("torch",), "theano", "set KERAS_BACKEND to torch"),
    ],
)
def test_no_usable_backend(home, monkeypatch, installed, chosen, fix):
    monkeypatch.setattr(settings, "is_installed", lambda library: library in installed)
    monkeypatch.setattr(settings.settings, "backend", chosen)
    finding = find("backend in use")
    assert finding.state == "fault" and fix in finding.fix


@pytest.mark.parametrize("text", ["{", "[]", b"\xff"])
def test_a_broken_config_file(home, text, run):
    content = text if isinstance(text, bytes) else text.encode()
    (home / "keras.json").write_bytes(content)
    assert find("config file").state == "fault"
    code, out, _ = run("doctor", "--fast")
    assert code == 1 and "What to do" in out and str(home / "keras.json") in out


def test_settings_that_are_ignored(home, monkeypatch):
    monkeypatch.setenv("KERAS_MAX_EPOCHS", "many")
    finding = find("KERAS_MAX_EPOCHS")
    assert finding.state == "fault" and "positive integer" in finding.fix


def test_a_cache_that_cannot_be_written(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", "/proc/keras")
    finding = find("cache")
    assert finding.state == "fault" and "KERAS_HOME" in finding.fix
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(doctor_command, "_FREE_BYTES", 1 << 60)
    assert find("cache").state == "note"

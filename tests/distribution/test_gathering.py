"""Process 0 writes a file, while the others send what it reads: what happens after errors."""

import tempfile

import pytest

from keras_fn.distribution import processes as processes_module
from keras_fn.distribution.gathering import write_in_process_0


def test_an_error_before_process_0_writes_reaches_the_others(monkeypatch):
    sent = []

    def exchange(name: str, text: str, timeout: float) -> list[str]:
        sent.append((name.partition(" ")[0], text))
        return [text, ""]

    def fail(**options: object) -> None:
        raise OSError("no space")

    monkeypatch.setattr(processes_module.processes, "timeout", 1.0)
    monkeypatch.setattr(processes_module.processes, "count", 2)
    monkeypatch.setattr(processes_module, "_exchange", exchange)
    monkeypatch.setattr(tempfile, "TemporaryFile", fail)
    with pytest.raises(OSError, match="no space"):
        write_in_process_0(lambda: None, "save", list)
    assert sent == [("write", ""), ("gather", ""), ("agreement", "OSError: no space")]

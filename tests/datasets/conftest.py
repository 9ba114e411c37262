"""A server on 127.0.0.1 that offers small stand-ins for the published files."""

import hashlib
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from keras_fn.datasets import _files


class _QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None: ...


@pytest.fixture
def publish(tmp_path, monkeypatch) -> Iterator[Callable[..., None]]:
    """Returns a function that publishes a file, with the hash of its content or `of` another."""
    folder = tmp_path / "published"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_QuietHandler, directory=str(folder)))
    Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("KERAS_DATASETS_URL", f"http://127.0.0.1:{server.server_port}/")

    def publish(name: str, content: bytes, of: bytes | None = None) -> None:
        (folder / name).write_bytes(content)
        remote = _files.RemoteFile("", hashlib.sha256(of or content).hexdigest())
        monkeypatch.setitem(_files.FILES, name, remote)

    yield publish
    server.shutdown()
    server.server_close()


@pytest.fixture
def cached(tmp_path) -> Callable[[], set[str]]:
    """Returns a function that lists the files of the cache."""
    home: Path = tmp_path / "home"
    return lambda: {p.relative_to(home).as_posix() for p in home.rglob("*") if p.is_file()}

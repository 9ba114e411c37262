"""A server on 127.0.0.1 in place of the one with Keras's published files."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from keras_fn.applications import published_weights


class _QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None: ...


@pytest.fixture
def mirror(tmp_path, monkeypatch) -> Iterator[Path]:
    """Serves a folder as the mirror of all published files; the cache is empty."""
    folder = tmp_path / "published"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_QuietHandler, directory=str(folder)))
    Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("KERAS_APPLICATIONS_URL", f"http://127.0.0.1:{server.server_port}/")
    yield folder
    server.shutdown()
    server.server_close()


@pytest.fixture
def publish_weights(mirror, monkeypatch) -> Callable[..., Path]:
    """Returns a function that publishes a weights file under the name of an architecture's."""

    def publish(key: str, content: bytes, include_top: bool = False) -> Path:
        files = published_weights.PUBLISHED[key]
        which = "with_top" if include_top else "without_top"
        file_hash = hashlib.md5(content).hexdigest()
        file = replace(getattr(files, which), file_hash=file_hash)
        monkeypatch.setitem(published_weights.PUBLISHED, key, replace(files, **{which: file}))
        path = mirror / file.name
        path.write_bytes(content)
        return path

    return publish

"""Fixtures of the programs: a working directory, and a server with the data that they download."""

import dataclasses
import hashlib
import io
import pickle
import tarfile
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from keras_fn.datasets import _files

CIFAR_ROWS = 200  # images in each batch of the archive; the real one has 10,000


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None: ...


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A local web server: its address, and the folder that it serves."""
    folder = tmp_path_factory.mktemp("www")
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{httpd.server_port}", folder
    httpd.shutdown()
    httpd.server_close()


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: tuple[str, Path]) -> Path:
    """An empty working directory; datasets are downloaded from the local server."""
    address, folder = server
    for name, make in {"mnist.npz": _mnist, "cifar-10-python.tar.gz": _cifar10}.items():
        file = folder / name
        if not file.exists():
            file.write_bytes(make())
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        monkeypatch.setitem(_files.FILES, name, _files.RemoteFile(address, digest))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _classes(count: int, shape: tuple[int, ...], seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Images of ten classes, each a pattern with noise, so that they can be learned."""
    random = np.random.default_rng(seed)
    patterns = np.random.default_rng(0).integers(0, 200, (10, *shape))
    labels = random.integers(0, 10, count)
    images = patterns[labels] + random.integers(0, 56, (count, *shape))
    return images.astype("uint8"), labels.astype("uint8")


def _mnist() -> bytes:
    (x, y), (x_test, y_test) = _classes(60000, (28, 28), 1), _classes(10000, (28, 28), 2)
    buffer = io.BytesIO()
    np.savez(buffer, x_train=x, y_train=y, x_test=x_test, y_test=y_test)
    return buffer.getvalue()


def _cifar10() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for i, name in enumerate([*(f"data_batch_{k}" for k in range(1, 6)), "test_batch"]):
            images, labels = _classes(CIFAR_ROWS, (3, 32, 32), i)
            content = {b"data": images.reshape(CIFAR_ROWS, -1), b"labels": labels.tolist()}
            data = pickle.dumps(content, protocol=2)
            info = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


@pytest.fixture(scope="session")
def _vgg19_file(server: tuple[str, Path]) -> Path:
    """A weights file of VGG19 in the format of Keras, with random weights."""
    from keras_fn.applications import VGG19

    file = server[1] / "vgg19_weights_tf_dim_ordering_tf_kernels.h5"
    VGG19(weights=None).save(file, include_optimizer=False)
    return file


@pytest.fixture
def vgg19_weights(
    _vgg19_file: Path, server: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> Path:
    """VGG19 downloads its weights from the local server."""
    from keras_fn.applications import published_weights

    digest = hashlib.md5(_vgg19_file.read_bytes()).hexdigest()
    files = published_weights.PUBLISHED["vgg19"]
    file = dataclasses.replace(files.with_top, file_hash=digest)
    published = dataclasses.replace(files, with_top=file)
    monkeypatch.setitem(published_weights.PUBLISHED, "vgg19", published)
    monkeypatch.setenv("KERAS_APPLICATIONS_URL", server[0])
    return _vgg19_file

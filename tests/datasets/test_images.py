"""MNIST, Fashion-MNIST and CIFAR, from small files of the published form."""

import gzip
import io
import pickle
import tarfile

import numpy as np
import pytest

from keras_fn import settings
from keras_fn.datasets import cifar10, cifar100, fashion_mnist, mnist


def npz(**arrays) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def targz(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def images(count, seed, *shape):
    return np.random.default_rng(seed).integers(0, 256, (count, *shape), "uint8")


def cifar_batch(seed, **labels) -> bytes:
    data = images(4, seed, 3072)
    rows = {b"data": data} | {key.encode(): value for key, value in labels.items()}
    return pickle.dumps(rows, protocol=2)


MNIST = {
    "x_train": images(6, 0, 28, 28),
    "y_train": np.arange(6, dtype="uint8"),
    "x_test": images(2, 1, 28, 28),
    "y_test": np.arange(2, dtype="uint8"),
}


def test_mnist_is_downloaded_once_and_cached(publish, cached, monkeypatch):
    publish("mnist.npz", npz(**MNIST))
    (x_train, y_train), (x_test, y_test) = mnist.load_data()
    for name, array in zip(MNIST, (x_train, y_train, x_test, y_test), strict=True):
        np.testing.assert_array_equal(array, MNIST[name])
    assert x_train.flags.writeable
    assert cached() == {"datasets/mnist.npz"}
    monkeypatch.setenv("KERAS_DATASETS_URL", "http://127.0.0.1:1")
    mnist.load_data()


def test_the_cache_name_can_be_chosen(publish, cached):
    publish("mnist.npz", npz(**MNIST))
    mnist.load_data("mine.npz")
    assert cached() == {"datasets/mine.npz"}


def test_a_file_with_another_hash_raises_and_is_not_kept(publish, cached):
    publish("mnist.npz", npz(**MNIST), of=b"what was published")
    with pytest.raises(ValueError, match="sha256"):
        mnist.load_data()
    assert cached() == set()


def test_a_damaged_file_says_what_to_do(publish):
    publish("mnist.npz", b"no zip at all")
    with pytest.raises(ValueError, match=r"fix: +delete .*mnist\.npz"):
        mnist.load_data()


def test_a_missing_array_is_named(publish):
    publish("mnist.npz", npz(x_train=MNIST["x_train"]))
    with pytest.raises(ValueError, match="y_train"):
        mnist.load_data()


def test_fashion_mnist_shares_the_cache_of_keras(publish, cached):
    for part, count in (("train", 3), ("t10k", 2)):
        x, y = images(count, count, 28, 28), np.arange(count, dtype="uint8")
        publish(f"{part}-images-idx3-ubyte.gz", gzip.compress(bytes(16) + x.tobytes()))
        publish(f"{part}-labels-idx1-ubyte.gz", gzip.compress(bytes(8) + y.tobytes()))
    (x_train, y_train), (x_test, y_test) = fashion_mnist.load_data()
    np.testing.assert_array_equal(x_train, images(3, 3, 28, 28))
    np.testing.assert_array_equal(x_test, images(2, 2, 28, 28))
    assert y_train.tolist() == [0, 1, 2] and y_test.tolist() == [0, 1]
    assert "datasets/fashion-mnist/train-images-idx3-ubyte.gz" in cached()


def publish_cifar10(publish, test_batch=None):
    names = [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]
    batches = {
        f"cifar-10-batches-py/{name}": cifar_batch(i, labels=[i, 1, 2, 3])
        for i, name in enumerate(names)
    }
    if test_batch is not None:
        batches["cifar-10-batches-py/test_batch"] = test_batch
    publish("cifar-10-python.tar.gz", targz(batches))


def test_cifar10_joins_five_batches(publish, cached):
    publish_cifar10(publish)
    (x_train, y_train), (x_test, y_test) = cifar10.load_data()
    assert x_train.shape == (20, 32, 32, 3) and y_train.shape == (20, 1)
    assert x_test.shape == (4, 32, 32, 3) and y_test.shape == (4, 1)
    assert x_train.dtype == y_train.dtype == x_test.dtype == y_test.dtype == "uint8"
    assert y_train[::4, 0].tolist() == [0, 1, 2, 3, 4]
    expected = images(4, 5, 3072).reshape(4, 3, 32, 32)
    np.testing.assert_array_equal(x_test, expected.transpose(0, 2, 3, 1))
    assert cached() == {"datasets/cifar-10-batches-py-target_archive"}


def test_cifar10_with_channels_first(publish, monkeypatch):
    publish_cifar10(publish)
    monkeypatch.setattr(settings.settings, "image_data_format", "channels_first")
    (x_train, _), (x_test, _) = cifar10.load_data()
    assert x_train.shape == (20, 3, 32, 32)
    np.testing.assert_array_equal(x_test, images(4, 5, 3072).reshape(4, 3, 32, 32))


def test_a_pickle_that_calls_something_raises(publish, tmp_path):
    target = tmp_path / "touched"
    publish_cifar10(publish, test_batch=pickle.dumps(Call(target.touch), protocol=2))
    with pytest.raises(ValueError, match="is not data"):
        cifar10.load_data()
    assert not target.exists()


class Call:
    """Pickles as a call of `function`."""

    def __init__(self, function):
        self.function = function

    def __reduce__(self):
        return self.function, ()


def test_cifar100_has_two_kinds_of_labels(publish):
    fine, coarse = [10, 20, 30, 99], [1, 2, 3, 19]
    batch = cifar_batch(0, fine_labels=fine, coarse_labels=coarse)
    publish(
        "cifar-100-python.tar.gz",
        targz({"cifar-100-python/train": batch, "cifar-100-python/test": batch}),
    )
    (_, y_train), (x_test, _) = cifar100.load_data()
    assert y_train.tolist() == [[label] for label in fine] and x_test.shape == (4, 32, 32, 3)
    (_, y_train), _ = cifar100.load_data(label_mode="coarse")
    assert y_train.tolist() == [[label] for label in coarse]
    with pytest.raises(ValueError, match='"fine" or "coarse"'):
        cifar100.load_data(label_mode="medium")

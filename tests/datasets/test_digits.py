import socket

import numpy as np

from keras_fn.datasets import digits


def test_shapes_types_and_range():
    (x_train, y_train), (x_test, y_test) = digits.load_data()
    assert x_train.shape == (1437, 8, 8) and x_test.shape == (360, 8, 8)
    assert y_train.shape == (1437,) and y_test.shape == (360,)
    assert {a.dtype for a in (x_train, y_train, x_test, y_test)} == {np.dtype("uint8")}
    assert x_train.min() == 0 and x_train.max() == 16


def test_the_split_is_stratified():
    (_, y_train), (_, y_test) = digits.load_data()
    share = np.bincount(y_test) / (np.bincount(y_train) + np.bincount(y_test))
    assert np.all(abs(share - 360 / 1797) < 0.005)


def test_no_image_is_in_both_parts():
    (x_train, _), (x_test, _) = digits.load_data()
    assert not {x.tobytes() for x in x_train} & {x.tobytes() for x in x_test}


def test_parts_are_shuffled():
    (_, y_train), (_, y_test) = digits.load_data()
    for y in (y_train, y_test):
        assert np.mean(y[1:] == y[:-1]) < 0.2  # 1.0 if sorted, 0.1 if shuffled


def test_nearest_neighbor_classifies_the_digits():
    (x_train, y_train), (x_test, y_test) = digits.load_data()
    a, b = (x.reshape(len(x), 64).astype("float32") for x in (x_test, x_train))
    distances = (a**2).sum(1)[:, None] - 2 * a @ b.T + (b**2).sum(1)
    assert np.mean(y_train[distances.argmin(1)] == y_test) > 0.97


def test_needs_no_network(monkeypatch):
    monkeypatch.setattr(socket, "socket", None)
    digits.load_data()

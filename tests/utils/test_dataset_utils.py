"""`split_dataset` and `timeseries_dataset_from_array`."""

import random

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import ops, utils
from keras_fn.errors import SpecError
from keras_fn.utils import tf_dataset

FORMATS = ["keras", *(["tf"] if tf_dataset.is_available() else [])]
X, Y = np.arange(20).reshape(10, 2), np.arange(10)


def rows(data):
    return [tuple(map(np.asarray, x)) if isinstance(x, tuple) else np.asarray(x) for x in data]


def targets(data):
    return [int(y) for _, y in rows(data)]


@pytest.fixture
def without_tensorflow(monkeypatch):
    monkeypatch.setattr(tf_dataset, "is_available", lambda: False)


# ---------------------------------------------------------------- split_dataset


@pytest.mark.usefixtures("without_tensorflow")
@pytest.mark.parametrize("after", [lambda data: data, lambda data: data.map(lambda x: 1 * x)])
def test_batches_of_samples_of_many_lengths_are_made_again(after):
    samples = [np.full(n, n) for n in (3, 1, 2, 5, 4, 6)]
    left, _ = utils.split_dataset(after(utils.Dataset(samples).padded_batch(2)), 4, shuffle=True)
    assert [len(batch) for batch in left] == [2, 2]
    _, right = utils.split_dataset(after(utils.Dataset(samples).ragged_batch(2)), right_size=2)
    assert [x.tolist() for x in right[0]] == [[4] * 4, [6] * 6]


@pytest.mark.usefixtures("without_tensorflow")
def test_a_shuffled_split_of_batches_reads_each_sample_once():
    read = []
    data = utils.Dataset(range(40)).map(lambda i: read.append(i) or i).batch(8, drop_remainder=True)
    halves = utils.split_dataset(data.take(3), 0.5, shuffle=True, seed=1)
    assert sorted(int(x) for half in halves for batch in half for x in batch) == list(range(24))
    read.clear()
    halves = utils.split_dataset(data, 0.5, shuffle=True, seed=1)
    assert sorted(int(x) for half in halves for batch in half for x in batch) == list(range(40))
    assert len(read) == 40


@pytest.mark.usefixtures("without_tensorflow")
def test_arrays_are_split_to_data_sets():
    left, right = utils.split_dataset((X, Y), left_size=0.7)
    assert isinstance(left, utils.Dataset)
    assert targets(left) == list(range(7)) and targets(right) == [7, 8, 9]
    left, right = utils.split_dataset(X, right_size=2)
    assert (len(left), len(right)) == (8, 2)
    np.testing.assert_array_equal(right[0], X[8])
    left, right = utils.split_dataset(ops.convert_to_tensor(X), left_size=3, right_size=3)
    np.testing.assert_array_equal(np.stack(list(right)), X[7:])


@pytest.mark.usefixtures("without_tensorflow")
def test_samples_are_shuffled_by_the_seed():
    order = list(range(10))
    random.Random(3).shuffle(order)
    state = random.getstate()
    left, right = utils.split_dataset([X, Y], left_size=6, shuffle=True, seed=3)
    assert targets(left) + targets(right) == order and random.getstate() == state
    left, right = utils.split_dataset([X, Y], left_size=6, shuffle=True)
    assert sorted(targets(left) + targets(right)) == list(range(10))


def test_batches_are_split_by_samples_and_made_again():
    data = utils.Dataset((X, Y)).shuffle(seed=1).batch(4)
    left, right = utils.split_dataset(data, left_size=0.5)
    for _ in range(2):  # a sample stays in its part
        found = [np.concatenate([y for _, y in part]).tolist() for part in (left, right)]
        assert [len(part) for part in found] == [5, 5]
        assert sorted(np.ravel(found)) == list(range(10))
    assert rows(left)[0][0].shape == (4, 2)


@pytest.mark.parametrize(
    "sizes",
    [
        (None, None),
        (0, None),
        (10, None),
        (1.0, None),
        (0.01, None),
        (None, 0.99),
        (0.8, 0.4),
        (8, 8),
        ("3", None),
        (True, None),
    ],
)
def test_sizes_are_checked(sizes):
    with pytest.raises(SpecError):
        utils.split_dataset((X, Y), *sizes)


@pytest.mark.parametrize("data", [[], [X, Y[:3]], "text", [[1, 2]], iter([1]), X[:0], 3])
def test_data_are_checked(data):
    with pytest.raises(SpecError):
        utils.split_dataset(data, left_size=0.5)
    with pytest.raises(SpecError, match="preferred_backend"):
        utils.split_dataset(X, 0.5, preferred_backend="numpy")


@pytest.mark.skipif(len(FORMATS) < 2, reason="TensorFlow is not installed")
def test_data_sets_of_tensorflow():
    left, right = utils.split_dataset((X, Y), left_size=0.7, shuffle=True, seed=3)
    ours = utils.split_dataset(utils.Dataset((X, Y)), left_size=0.7, shuffle=True, seed=3)
    assert tf_dataset.is_tf_dataset(left)
    assert (targets(left), targets(right)) == (targets(ours[0]), targets(ours[1]))
    again = utils.split_dataset(left.batch(2), left_size=3)
    assert [len(y) for _, y in rows(again[0])] == [2, 1]
    half, _ = utils.split_dataset(
        utils.Dataset(X).batch(2), left_size=4, preferred_backend="tensorflow"
    )
    assert tf_dataset.is_tf_dataset(half) and rows(half)[0].shape == (2, 2)


def test_data_sets_of_pytorch():
    torch = pytest.importorskip("torch")
    data = torch.utils.data.TensorDataset(torch.from_numpy(X), torch.from_numpy(Y))
    left, right = utils.split_dataset(data, left_size=0.7)
    assert isinstance(left, torch.utils.data.Subset)
    assert targets(left) == list(range(7)) and targets(right) == [7, 8, 9]
    left, right = utils.split_dataset(data, right_size=2, shuffle=True, seed=5)
    theirs = torch.utils.data.random_split(data, [8, 2], torch.Generator().manual_seed(5))
    assert (targets(left), targets(right)) == tuple(map(targets, theirs))
    for arrays in (X, (X, Y), utils.Dataset((X, Y)).batch(3)):
        parts = utils.split_dataset(arrays, left_size=4, preferred_backend="torch")
        assert [len(part) for part in parts] == [4, 6]


# ---------------------------------------------------------------- time series


@pytest.mark.parametrize("fmt", FORMATS)
@pytest.mark.parametrize("stride", [1, 3])
@pytest.mark.parametrize("rate", [1, 2])
@pytest.mark.parametrize("span", [(None, None), (2, 17)])
def test_windows(fmt, stride, rate, span):
    series, labels = np.arange(40.0).reshape(20, 2), np.arange(100, 120)
    data = utils.timeseries_dataset_from_array(
        series,
        labels,
        4,
        sequence_stride=stride,
        sampling_rate=rate,
        batch_size=None,
        start_index=span[0],
        end_index=span[1],
        format=fmt,
    )
    first, end = span[0] or 0, span[1] or 20
    starts = range(first, end - 3 * rate, stride)
    found = rows(data)
    assert len(found) == len(starts)
    for (window, label), start in zip(found, starts, strict=True):
        np.testing.assert_array_equal(window, series[start : start + 4 * rate : rate])
        assert label == labels[start]


@pytest.mark.parametrize("fmt", FORMATS)
def test_batches_of_windows(fmt):
    make = utils.timeseries_dataset_from_array
    data = make(Y, None, 3, batch_size=5, format=fmt)
    assert [x.tolist() for x in rows(data)][1] == [[5, 6, 7], [6, 7, 8], [7, 8, 9]]
    few = make(Y, Y[:2], 3, format=fmt)
    assert rows(few)[0][1].tolist() == [0, 1]
    shuffled = [make(Y, Y, 3, batch_size=2, shuffle=True, seed=1, format=f) for f in FORMATS]
    orders = [
        [np.concatenate([y for _, y in rows(d)]).tolist() for _ in range(2)] for d in shuffled
    ]
    assert all(order == orders[0] for order in orders)
    assert sorted(orders[0][0]) == sorted(orders[0][1]) == list(range(8))
    assert orders[0][0] != orders[0][1]


def test_windows_feed_a_model():
    data = utils.timeseries_dataset_from_array(
        X.astype("float32"), Y.astype("float32"), 3, batch_size=4, format="keras"
    )
    model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(data, verbose=0)
    assert model.predict(data, verbose=0).shape == (8, 1)


def test_windows_of_grain():
    pytest.importorskip("grain")
    data = utils.timeseries_dataset_from_array(Y, Y, 3, batch_size=5, format="grain")
    assert [len(y) for _, y in data] == [5, 3]


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"sequence_length": 0}, "sequence_length"),
        ({"sequence_length": 11}, "11 time steps"),
        ({"sequence_stride": 0}, "sequence_stride"),
        ({"sampling_rate": 1.5}, "sampling_rate"),
        ({"sampling_rate": 9}, "time steps"),
        ({"batch_size": -1}, "batch_size"),
        ({"start_index": -1}, "start_index"),
        ({"start_index": 5, "end_index": 5}, "start_index"),
        ({"end_index": 11}, "end_index"),
        ({"format": "torch"}, "format"),
        ({"targets": Y[:0]}, "0 targets"),
    ],
)
def test_arguments_are_checked(options, text):
    arguments = {"data": Y, "targets": None, "sequence_length": 3} | options
    with pytest.raises(SpecError, match=text):
        utils.timeseries_dataset_from_array(**arguments)

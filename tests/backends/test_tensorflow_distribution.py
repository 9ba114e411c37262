"""TensorFlow's processes: the store by which they meet; strategies, which are refused."""

import os
import socket
from concurrent.futures import ThreadPoolExecutor
from queue import Queue

import numpy as np
import pytest

if os.environ.get("KERAS_BACKEND") != "tensorflow":
    pytest.skip("is about the TensorFlow backend", allow_module_level=True)

import tensorflow as tf

import keras_fn as keras
from keras_fn.core.replicas import GradientState, ReplicaBatch, ReplicaScope
from keras_fn_tensorflow import distribution as backend
from keras_fn_tensorflow.process_store import ProcessStore, ProcessStoreClient
from keras_fn_tensorflow.strategies import check_no_strategy

SECONDS = 10.0


@pytest.fixture
def clients():
    """The connections of three processes to a store."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    store = ProcessStore("127.0.0.1", port, 3)
    clients = [ProcessStoreClient("127.0.0.1", port, i) for i in range(3)]
    yield clients
    for client in clients:
        client.end()
    store.shutdown()
    store.server_close()


def test_texts_are_exchanged(clients):
    assert all(client.connect(SECONDS) for client in clients)
    assert clients[1].own_host == "127.0.0.1"
    with ThreadPoolExecutor(3) as threads:
        for turn in range(2):
            texts = [f"{turn} {i} \u00e9\n" for i in range(3)]
            calls = [
                threads.submit(client.exchange, f"name {turn}", text, SECONDS)
                for client, text in zip(clients, texts, strict=True)
            ]
            assert all(call.result() == texts for call in calls)


def test_a_text_that_does_not_come_is_none(clients):
    assert clients[1].exchange("alone", "mine", 0.05) == [None, "mine", None]
    assert clients[0].exchange("alone", "late", 0.05) == ["late", "mine", None]


def test_counts_are_returned_at_once(clients):
    assert clients[2].exchange_counts(5) == [0, 0, 5]
    assert clients[0].exchange_counts(7) == [7, 0, 5]


def test_the_end_of_a_process_is_reported(clients):
    reported: Queue[tuple[int, bool]] = Queue()
    for i, client in enumerate(clients):
        client.watch((lambda *end: reported.put(end)) if i == 1 else (lambda *_: None))
    clients[2]._watching.shutdown(socket.SHUT_RDWR)  # as when it is killed
    assert reported.get(timeout=SECONDS) == (2, True)
    clients[0].end()
    assert reported.get(timeout=SECONDS) == (0, False)
    # A process that has ended is not waited for.
    assert clients[1].exchange("after", "mine", SECONDS) == [None, "mine", None]


def test_process_0_that_does_not_start():
    assert not ProcessStoreClient("127.0.0.1", 9, 1).connect(0.1)


def test_alone_a_sum_is_the_tensor():
    assert backend.process_count() == 1 and backend.process_index() == 0
    x = tf.constant([1.0, 2.0])
    assert backend.all_reduce_sum([x])[0] is x


def test_parts_are_joined_in_their_order():
    x = np.arange(24.0).reshape(4, 6)
    parts = {(i, j): tf.constant(x[i : i + 2, j : j + 3]) for i in (2, 0) for j in (3, 0)}
    np.testing.assert_array_equal(backend._join(parts), x)


@pytest.mark.parametrize(("share", "sent", "found"), [(0.25, 0.5, 2.0), (0.0, 0.0, 0.0)])
def test_gradients_of_a_sum_are_weighted_by_rows_where_the_loss_is_not(
    share, sent, found, monkeypatch
):
    sums = []

    def collective(op, kind, x, **_):
        sums.append(x.numpy())
        return tf.identity(x)

    monkeypatch.setattr(backend, "_collective", collective)
    x = tf.ones(3)
    with ReplicaScope(ReplicaBatch(0, 1, 1, 4, share, GradientState())), tf.GradientTape() as tape:
        tape.watch(x)
        total = tf.reduce_sum(2 * backend._sum_flat(x))
        gradient = tape.gradient(total, x)
    np.testing.assert_array_equal(sums[1], [sent] * 3)
    np.testing.assert_array_equal(gradient, [found] * 3)


def test_sparse_gradients_of_a_replica_are_weighted_by_its_rows():
    weight = keras.Variable(np.ones((4, 2), "float32"))
    optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(1.0), initial_scale=2.0)
    optimizer.build([weight])
    gradient = tf.IndexedSlices(tf.ones((1, 2)), tf.constant([1]), tf.constant([4, 2]))
    with ReplicaScope(ReplicaBatch(0, 1, 1, 2, 0.5, GradientState())):
        with pytest.raises(ValueError, match="1 gradients, one for each variable"):
            optimizer.apply([gradient, gradient], [weight])
        optimizer.apply([gradient], [weight])
    np.testing.assert_allclose(weight, [[1.0] * 2, [0.75] * 2, [1.0] * 2, [1.0] * 2])


@pytest.mark.parametrize("shape", [(), (3,), (2, 2)])
@pytest.mark.parametrize("dtype", ["float16", "float64", "uint8", "int64", "complex64"])
def test_tensors_are_flattened_and_shaped_again(dtype, shape):
    x = tf.cast(tf.reshape(tf.range(np.prod(shape, dtype=int)), shape), dtype)
    flat = backend._flatten(x)
    assert flat.shape.rank == 1 and flat.dtype in backend._SUMMED
    again = backend._unflatten(flat, x)
    assert again.dtype == x.dtype
    np.testing.assert_array_equal(again, x)


@pytest.mark.parametrize("eager", [False, True])
def test_fit_under_a_strategy_is_refused(eager):
    with tf.distribute.MirroredStrategy(["CPU:0"]).scope():
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        model.compile("sgd", "mse", run_eagerly=eager)
    with pytest.raises(ValueError, match=r"MirroredStrategy(.|\n)*keras\.distribution"):
        model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)


def test_one_device_of_a_strategy_is_not_refused():
    with tf.distribute.OneDeviceStrategy("CPU:0").scope():
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        model.compile("sgd", "mse")
        model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)


def test_a_strategy_that_keeps_variables_elsewhere_is_refused():
    strategy = tf.distribute.experimental.CentralStorageStrategy(["CPU:0"])
    with strategy.scope(), pytest.raises(ValueError, match="CentralStorageStrategy"):
        check_no_strategy([])

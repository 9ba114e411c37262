"""Data that yields batches: their order, prefetching, threads, and exhausted sources."""

import threading
import time
import traceback
import warnings

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import layers, ops
from keras_fn.backend.loader import current
from keras_fn.data_adapters.iterable_adapter import IterableAdapter

X = np.arange(24, dtype="float32").reshape(12, 2) / 24
Y = X.sum(1, keepdims=True)


def linear(**compiled):
    model = keras.Sequential([keras.Input((2,)), layers.Dense(1)])
    model.compile("sgd", "mse", **compiled)
    return model


def batches(count=6, size=2):
    return [(X[i * size : (i + 1) * size], Y[i * size : (i + 1) * size]) for i in range(count)]


class Again:
    """A re-iterable source that counts the batches that were requested."""

    def __init__(self, items):
        self.items, self.asked, self.threads = items, 0, set()

    def __iter__(self):
        for item in self.items:
            self.asked += 1
            self.threads.add(threading.current_thread())
            yield item


class Seen(keras.callbacks.Callback):
    """The number of batches in each epoch, and its hooks."""

    def __init__(self, act=lambda batch: None):
        super().__init__()
        self.epochs, self.act = [], act

    def on_epoch_begin(self, epoch, logs=None):
        self.epochs.append(0)

    def on_train_batch_end(self, batch, logs=None):
        self.epochs[-1] += 1
        self.act(batch)


def numbers(data, epochs=1, first=0):
    """The first feature of each batch of each epoch, which identifies it."""
    found = []
    for epoch in range(first, first + epochs):
        got = [float(ops.convert_to_numpy(t[0][0]).ravel()[0]) for t, _ in data.epoch(epoch)]
        found.append(got)
    return found


def stream(source, steps=None, **options):
    return IterableAdapter(source, lambda b: ([b], None, None), steps, **options)


def ones(count):
    return [np.full((1, 1), i, "float32") for i in range(count)]


def ours():
    return [t for t in threading.enumerate() if "keras_fn" in t.name]


@pytest.fixture(autouse=True)
def no_thread_stays():
    wait_for_threads()  # those of the test before
    yield
    wait_for_threads()


def wait_for_threads():
    deadline = time.monotonic() + 5
    while ours() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not ours()


# ---------------------------------------------------------------- order and number


@pytest.mark.parametrize("background", [True, False])
def test_each_epoch_restarts_the_source(background):
    data = stream(Again(ones(3)), background=background)
    data.peek()
    assert numbers(data, 2) == [[0, 1, 2], [0, 1, 2]]


def test_with_steps_an_epoch_continues_and_restarts_the_source():
    data = stream(Again(ones(5)), steps=3)
    data.peek()
    assert numbers(data, 4) == [[0, 1, 2], [3, 4, 0], [1, 2, 3], [4, 0, 1]]


def test_a_generator_loses_no_batch_between_epochs_nor_between_runs():
    source = iter(ones(8))
    assert numbers(stream(source, steps=2), 2) == [[0, 1], [2, 3]]
    assert numbers(stream(source, steps=2), 2) == [[4, 5], [6, 7]]


def test_fewer_batches_than_steps_warn():
    data = stream(Again(ones(2)), steps=3)
    with pytest.warns(UserWarning, match="ran out of data after 2 batches; 3 steps were asked for"):
        assert numbers(data) == [[0, 1]]
    with pytest.warns(UserWarning, match="ran out of data after 2 batches"):
        assert numbers(data) == [[0, 1]]


def test_a_generator_that_ends_within_an_epoch_warns_then_yields_nothing():
    data = stream(iter(ones(3)), steps=2)
    with pytest.warns(UserWarning, match="ran out of data after 1 batches"):
        assert numbers(data, 2) == [[0, 1], [2]]
    with pytest.warns(UserWarning, match="ran out of data after 0 batches"):
        assert numbers(data) == [[]]


@pytest.mark.parametrize("source", [Again(ones(4)), iter(ones(4))])
def test_an_epoch_can_start_at_a_later_batch(source):
    data = stream(source)
    assert [float(ops.convert_to_numpy(t[0][0]).item()) for t, _ in data.epoch(0, 2)] == [2, 3]


def test_a_resumed_run_skips_the_batches_of_earlier_epochs():
    whole = numbers(stream(Again(ones(5)), steps=3), 4)
    resumed = stream(Again(ones(5)), steps=3)
    resumed.peek()
    resumed.start_epoch = 0
    got = [float(ops.convert_to_numpy(t[0][0]).item()) for t, _ in resumed.epoch(2, 1)]
    assert got == whole[2][1:]
    assert numbers(resumed, first=3) == whole[3:]


def test_the_length_is_known_after_the_first_epoch():
    data = stream(Again(ones(3)))
    assert len(data) == 0
    numbers(data)
    assert len(data) == 3
    assert len(stream(Again(ones(3)), steps=2)) == 2


# ---------------------------------------------------------------- fit, evaluate, predict


def test_all_loops_take_batches_of_a_generator():
    model, reference = linear(), linear()
    reference.set_weights(model.get_weights())
    assert model.evaluate(iter(batches()), verbose=0) == pytest.approx(
        reference.evaluate(X, Y, batch_size=2, verbose=0)
    )
    np.testing.assert_allclose(
        model.predict(iter([b[0] for b in batches()]), verbose=0),
        reference.predict(X, verbose=0),
        rtol=1e-5,
    )
    history = model.fit(
        Again(batches()),
        epochs=2,
        validation_data=Again(batches(2)),
        verbose=0,
        class_weight={0: 2.0},
    ).history
    assert len(history["val_loss"]) == 2


def test_class_weights_count_in_each_batch():
    model = keras.Sequential([keras.Input((2,)), layers.Dense(3, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    other = keras.models.clone_model(model)
    other.compile("sgd", "sparse_categorical_crossentropy")
    other.set_weights(model.get_weights())
    labels, weights = np.arange(12) % 3, {0: 1.0, 1: 0.0, 2: 5.0}
    model.fit(X, labels, batch_size=4, class_weight=weights, shuffle=False, verbose=0)
    parts = [(X[i : i + 4], ops.convert_to_tensor(labels[i : i + 4])) for i in (0, 4, 8)]
    other.fit(iter(parts), class_weight=weights, verbose=0)
    for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5)


def test_endless_data_with_steps_everywhere():
    def endless():
        while True:
            yield from batches()

    seen = Seen()
    linear().fit(
        endless(),
        steps_per_epoch=4,
        epochs=3,
        validation_data=endless(),
        validation_steps=2,
        callbacks=[seen],
        verbose=0,
    )
    assert seen.epochs == [4, 4, 4]
    assert linear().predict(endless(), steps=2, verbose=0).shape == (4, 1)


def test_a_generator_is_not_read_beyond_the_current_epoch():
    source = Again(batches() * 10)
    linear().fit(iter(source), steps_per_epoch=3, epochs=2, verbose=0)
    assert source.asked == 6


def test_a_source_may_reuse_its_arrays():
    buffer = np.zeros((2, 2), "float32")

    def reusing():
        for x, y in batches():
            buffer[:] = x
            yield buffer, y

    model, reference = linear(), linear()
    reference.set_weights(model.get_weights())
    model.fit(reusing(), verbose=0)
    reference.fit(X, Y, batch_size=2, shuffle=False, verbose=0)
    np.testing.assert_allclose(model.get_weights()[0], reference.get_weights()[0], rtol=1e-5)


# ---------------------------------------------------------------- prefetching


def test_two_batches_are_prefetched_while_the_step_runs():
    source, ahead = Again(batches(6)), []

    def wait(batch):
        deadline = time.monotonic() + 5
        wanted = min(batch + 3, 6)
        while source.asked < wanted and time.monotonic() < deadline:
            time.sleep(0.001)
        time.sleep(0.02)  # time to read further, if it did
        ahead.append(source.asked - batch - 1)

    linear().fit(source, callbacks=[Seen(wait)], verbose=0)
    assert ahead == [2, 2, 2, 2, 1, 0]
    (first, other) = sorted(source.threads, key=lambda t: t is not threading.main_thread())
    assert first is threading.main_thread() and "keras_fn" in other.name


def test_run_eagerly_loads_batches_in_the_main_thread():
    source = Again(batches())
    linear(run_eagerly=True).fit(source, verbose=0)
    assert source.threads == {threading.main_thread()}


def test_an_error_of_the_source_has_its_traceback():
    def broken():
        yield from batches(2)
        raise KeyError("the third file is missing")

    seen = Seen()
    with pytest.raises(KeyError, match="the third file") as error:
        linear().fit(broken(), callbacks=[seen], verbose=0)
    assert "in broken" in "".join(traceback.format_exception(error.value))
    assert seen.epochs == [2]


def test_a_batch_that_does_not_fit_raises_when_it_arrives():
    data = [*batches(2), (X[:2, :1], Y[:2])]
    with pytest.raises(ValueError, match="of shape"):
        linear().fit(iter(data), verbose=0)


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_the_thread_ends_when_the_run_fails_or_is_interrupted(error):
    def fail(batch):
        assert len(ours()) == 1
        raise error("enough")

    def endless():
        while True:
            yield batches(1)[0]

    with pytest.raises(error) as caught:
        linear().fit(endless(), steps_per_epoch=9, callbacks=[Seen(fail)], verbose=0)
    assert caught.value is not None and not ours()  # although its traceback is still held


def test_the_thread_ends_when_training_is_stopped():
    model = linear()

    def stop(batch):
        model.stop_training = True

    seen = Seen(stop)
    model.fit(Again(batches()), epochs=3, callbacks=[seen], verbose=0)
    assert seen.epochs == [1] and not ours()


def test_an_evaluation_within_fit_ends_only_its_thread():
    model, counts = linear(), []

    def evaluate(batch):
        model.evaluate(Again(batches(2)), verbose=0)
        counts.append(len(ours()))

    model.fit(Again(batches(8, 1)), callbacks=[Seen(evaluate)], verbose=0)
    assert counts[:3] == [1, 1, 1]


def test_a_blocked_source_does_not_delay_an_interruption_for_long():
    release = threading.Event()

    def stuck():
        yield from batches(2)
        release.wait(60)

    def interrupt(batch):
        if batch == 1:
            raise KeyboardInterrupt

    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        linear().fit(stuck(), callbacks=[Seen(interrupt)], verbose=0)
    assert time.monotonic() - began < 40
    release.set()


def test_prefetched_batches_use_the_device_of_the_scope(monkeypatch):
    scope, entered = current().device_scope, {}

    def noting(name):
        entered[threading.current_thread()] = name
        return scope(name)

    monkeypatch.setattr(current(), "device_scope", noting)
    with keras.device("cpu:0"):
        linear().fit(Again(batches()), verbose=0)
    assert len(entered) == 2 and set(entered.values()) == {"cpu:0"}
    linear().fit(Again(batches()), verbose=0)  # outside of a scope
    assert len(entered) == 2


# ---------------------------------------------------------------- other libraries


class Loader:
    """The protocol of torch.utils.data.DataLoader: a length, lists of tensors."""

    def __init__(self, tensors):
        self.tensors = tensors

    def __len__(self):
        return 6

    def __iter__(self):
        for x, y in batches():
            yield [self.tensors(x), self.tensors(y)]


def losses_agree(source):
    model, reference = linear(), linear()
    reference.set_weights(model.get_weights())
    for _ in range(2):  # it can be iterated over again
        model.fit(source, verbose=0)
        reference.fit(X, Y, batch_size=2, shuffle=False, verbose=0)
    for a, b in zip(model.get_weights(), reference.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4)


def test_a_loader_that_yields_lists():
    losses_agree(Loader(ops.convert_to_tensor))
    losses_agree(Loader(np.copy))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("workers", [0, 1])
def test_a_data_loader_of_pytorch(workers):
    torch = pytest.importorskip("torch")
    data = torch.utils.data.TensorDataset(torch.from_numpy(X), torch.from_numpy(Y))
    method = {"multiprocessing_context": "spawn"} if workers else {}
    losses_agree(torch.utils.data.DataLoader(data, batch_size=2, num_workers=workers, **method))


@pytest.mark.parametrize("options", [{}, {"dtype": "bfloat16"}, {"requires_grad": True}])
def test_tensors_of_pytorch_in_any_state(options):
    torch = pytest.importorskip("torch")
    x = torch.from_numpy(X)
    if "dtype" in options:
        x = x.to(torch.bfloat16)
    x.requires_grad_(options.get("requires_grad", False))
    assert linear().predict(x, verbose=0).shape == (12, 1)


def test_a_data_set_of_tensorflow():
    tf = pytest.importorskip("tensorflow")
    data = tf.data.Dataset.from_tensor_slices((X, Y))
    losses_agree(data.batch(2))
    losses_agree(data.batch(2).prefetch(1))
    model = linear()
    seen = Seen()
    model.fit(data.batch(2).repeat(), steps_per_epoch=3, epochs=2, callbacks=[seen], verbose=0)
    assert seen.epochs == [3, 3]


def test_tensors_of_jax():
    jax = pytest.importorskip("jax")
    assert linear().predict(jax.numpy.asarray(X), verbose=0).shape == (12, 1)


def test_grain():
    grain = pytest.importorskip("grain")
    samples = list(zip(X, Y, strict=True))
    dataset = grain.MapDataset.source(samples).batch(2)
    losses_agree(dataset)
    losses_agree(dataset.to_iter_dataset())


def test_an_ordinary_run_does_not_warn():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        linear().fit(Again(batches()), epochs=2, verbose=0)
    assert not [w for w in caught if "keras_fn" in w.filename]

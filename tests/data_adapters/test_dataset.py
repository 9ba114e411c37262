"""`keras.utils.Dataset`: transformations, workers, and use by models on every backend."""

import gc
import threading
import time
import warnings

import numpy as np
import pandas as pd
import pytest

import keras_fn as keras
from keras_fn import layers, ops
from keras_fn.data_adapters import transformations
from keras_fn.data_adapters.dataset import Dataset
from keras_fn.errors import SpecError

X = np.random.default_rng(0).normal(size=(22, 4)).astype("float32")
Y = X @ np.ones((4, 1), "float32")


def values(data):
    return [int(x) for x in data]


def batches(data):
    return [np.asarray(x).tolist() for x in data]


def make_model():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.05), "mse")
    return model


def square(x):
    return x * x


def wait_until(condition, seconds=5.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


class Slow:
    """Waits, the first item longest; notes which threads read it."""

    def __init__(self):
        self.threads = set()

    def __len__(self):
        return 6

    def __getitem__(self, index):
        self.threads.add(threading.get_ident())
        time.sleep(0.03 / (index + 1))
        return index


# ---------------------------------------------------------------- transformations


def test_elements_have_the_structure_of_the_source():
    assert values(Dataset([1, 2])) == [1, 2]
    assert values(Dataset(np.arange(3))) == [0, 1, 2]
    assert list(Dataset((["a", "b"], [1, 2]))) == [("a", 1), ("b", 2)]
    assert list(Dataset({"x": [3], "y": ([4], [5])})) == [{"x": 3, "y": (4, 5)}]
    assert list(Dataset([[1, 2], [3]])) == [[1, 2], [3]]


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (iter([1, 2]), "list_iterator"),
        (([1, 2], [1]), "list of 2, list of 1"),
        (5, "int"),
        ("text", "str"),
        ((), "nothing"),
        (([1], 3), "int"),
        (np.array(3), "ndarray"),
    ],
)
def test_a_source_without_items_or_of_different_lengths_is_refused(source, text):
    with pytest.raises(SpecError, match=text):
        Dataset(source)


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("batch", (0,)),
        ("batch", (2.0,)),
        ("take", (-2,)),
        ("skip", ("1",)),
        ("shuffle", (0,)),
        ("shuffle", (2, -1)),
        ("prefetch", (0,)),
        ("prefetch", (1, -1)),
        ("map", (3,)),
        ("filter", (3,)),
        ("repeat", (-2,)),
        ("repeat", (1.5,)),
        ("concatenate", ([3],)),
        ("zip", ()),
        ("zip", ([3],)),
    ],
)
def test_arguments_are_checked_when_a_method_is_called(method, arguments):
    with pytest.raises(SpecError):
        getattr(Dataset([1, 2]), method)(*arguments)


def test_a_method_leaves_the_data_set_as_it_is():
    data = Dataset([1, 2, 3], workers=2)
    assert values(data.map(square).skip(1)) == [4, 9]
    assert values(data) == [1, 2, 3] and data.map(square).workers == 2


def test_a_tuple_is_passed_as_several_arguments():
    data = Dataset((X, Y)).map(lambda x, y: {"sum": x.sum() + y[0]})
    np.testing.assert_allclose(data[3]["sum"], X[3].sum() + Y[3, 0])


@pytest.mark.parametrize("method", ["batch", "padded_batch", "ragged_batch"])
def test_parts_of_dicts_are_matched_by_their_keys(method):
    data = getattr(Dataset([{"a": 1, "b": 2}, {"b": 20, "a": 10}]), method)(2)
    assert data[0]["a"].tolist() == [1, 10] and data[0]["b"].tolist() == [2, 20]
    for other in ({"a": 1, "c": 2}, {"a": 1}):
        data = getattr(Dataset([{"a": 1, "b": 2}, other]), method)(2)
        with pytest.raises(SpecError, match="one structure"):
            next(iter(data))


def test_padding_is_that_of_tf_data():
    mono, stereo = np.ones((3, 1)), np.ones((2, 2))
    for samples in ([mono, stereo], [stereo, mono]):
        batch = Dataset(samples).padded_batch(2)[0]
        assert batch.shape == (2, 3, 2)
        assert batch.sum() == mono.sum() + stereo.sum()
    batch = Dataset([[], [3]]).padded_batch(2)[0]
    assert batch.tolist() == [[0], [3]] and batch.dtype.kind == "i"
    with pytest.raises(SpecError, match="one rank"):
        next(iter(Dataset([[1], [[1]]]).padded_batch(2)))


def test_rows_of_tables_are_found_by_their_position():
    series = pd.Series([10, 20, 30], index=[2, 1, 0])
    assert values(Dataset(series)) == [10, 20, 30]
    frame = pd.DataFrame({"a": [1, 2], "b": [3, 4]}, index=[7, 0])
    assert batches(Dataset(frame)) == [[1, 3], [2, 4]]


def test_batches():
    data = Dataset(np.arange(5)).batch(2)
    assert len(data) == 3 and batches(data) == [[0, 1], [2, 3], [4]]
    assert batches(Dataset(np.arange(5)).batch(2, drop_remainder=True)) == [[0, 1], [2, 3]]
    assert data[-1].tolist() == [4]
    with pytest.raises(IndexError):
        data[3]


def test_batches_of_numbers_text_tensors_and_structures():
    numbers = Dataset([1, 2]).batch(2)[0]
    assert numbers.dtype == np.asarray(1).dtype
    texts = Dataset(["a", "bc"]).batch(2)[0]
    assert texts.dtype == object and texts.tolist() == ["a", "bc"]
    tensors = Dataset(X).map(ops.convert_to_tensor).batch(3)[0]
    np.testing.assert_array_equal(tensors, X[:3])
    x, y = Dataset(({"a": X}, Y)).batch(22)[0]
    np.testing.assert_array_equal(x["a"], X)
    np.testing.assert_array_equal(y, Y)


def test_samples_of_several_lengths():
    samples = [np.ones((n, 2), "float32") for n in (1, 3)]
    with pytest.raises(SpecError, match=r"\(1, 2\), \(3, 2\)"):
        list(Dataset(samples).batch(2))
    padded = Dataset((samples, [1, 2])).padded_batch(2)[0]
    assert padded[0].shape == (2, 3, 2) and padded[0][0, 1:].sum() == 0 and padded[0][1].all()
    assert padded[1].tolist() == [1, 2]
    ragged = Dataset(samples).ragged_batch(2)[0]
    assert ragged.dtype == object and [s.shape for s in ragged] == [(1, 2), (3, 2)]
    assert Dataset(samples[:1]).ragged_batch(2)[0].shape == (1, 1, 2)


def test_take_and_skip():
    data = Dataset(np.arange(5))
    assert values(data.take(2)) == [0, 1] and values(data.skip(3)) == [3, 4]
    assert values(data.take(9)) == values(data.take(-1)) == [0, 1, 2, 3, 4]
    assert values(data.skip(9)) == values(data.skip(-1)) == []
    assert values(data.skip(1).take(3).skip(1)) == [2, 3]


def test_unbatch_gives_back_the_samples():
    data = Dataset(np.arange(10)).batch(3)
    assert values(data.unbatch()) == list(range(10)) and len(data.unbatch()) == 10
    assert values(data.skip(1).take(5).unbatch()) == list(range(3, 10))
    assert values(data.take(2).map(square).unbatch()) == [i * i for i in range(6)]
    assert len(Dataset(np.arange(9)).batch(3).shuffle(seed=1).unbatch()) == 9
    with pytest.raises(SpecError, match="before shuffle"):
        data.shuffle(seed=1).unbatch()
    with pytest.raises(SpecError, match="unbatch"):
        Dataset(np.arange(10)).unbatch()


def test_unbatch_computes_a_batch_once():
    calls = []
    data = Dataset(np.arange(8)).batch(4).map(lambda x: calls.append(1) or x).unbatch()
    data.workers = 3
    assert values(data) == list(range(8)) and len(calls) == 2


def test_each_pass_has_an_order_that_depends_on_the_seed():
    data, again = (Dataset(np.arange(20)).shuffle(8, seed=3) for _ in range(2))
    first, second = values(data), values(data)
    assert first != second and sorted(first) == sorted(second) == list(range(20))
    assert [values(again), values(again)] == [first, second]
    fixed = Dataset(np.arange(20)).shuffle(8, seed=3, reshuffle_each_iteration=False)
    assert values(fixed) == values(fixed)
    assert values(Dataset(np.arange(20)).shuffle()) != list(range(20))


def test_the_seed_of_the_process_changes_the_order():
    def order(seed):
        keras.utils.set_random_seed(seed)
        return values(Dataset(np.arange(20)).shuffle(seed=1)), values(Dataset(range(20)).shuffle())

    assert order(1) == order(1) != order(2)


def test_several_shuffles_and_parts_of_a_shuffled_data_set():
    data = Dataset(np.arange(12)).shuffle(4, seed=1).batch(3).shuffle(2, seed=2)
    for _ in range(2):
        assert sorted(np.concatenate(list(data)).tolist()) == list(range(12))
    left, right = data.take(2), data.skip(2)
    assert sorted(np.concatenate([*left, *right]).tolist()) == list(range(12))


def test_workers_compute_an_order_once_in_each_pass(monkeypatch):
    passes, compute = [], transformations.shuffle_order

    def slow_order(size, buffer_size, seeds, pass_index, reshuffle):
        passes.append(pass_index)
        time.sleep(0.02)
        return compute(size, buffer_size, seeds, pass_index, reshuffle)

    monkeypatch.setattr(transformations, "shuffle_order", slow_order)
    data = Dataset(range(8), workers=4).shuffle(seed=1)
    assert sorted(data) == sorted(data) == list(range(8)) and passes == [0, 1]


def test_cache_computes_each_element_once():
    calls = []
    data = Dataset(np.arange(6)).map(lambda x: calls.append(1) or x).cache().shuffle(seed=1)
    data = data.prefetch(2)
    assert sorted(values(data)) == sorted(values(data)) == list(range(6)) and len(calls) == 6
    frozen = Dataset(np.arange(20)).shuffle(seed=1).cache()
    assert values(frozen) == values(frozen)


# ---------------------------------------------------------------- filter, repeat, combinations


def is_even(x):
    return x % 2 == 0


@pytest.mark.parametrize("workers", [0, 3])
def test_filter_fills_batches_and_looks_at_each_element_once(workers):
    looked_at = []
    data = Dataset(np.arange(20), workers=workers).filter(lambda x: looked_at.append(x) or x % 3)
    with pytest.raises(SpecError, match="True or False"):
        list(data)
    looked_at.clear()
    data = Dataset(np.arange(20), workers=workers).map(lambda x: looked_at.append(x) or x)
    data = data.filter(lambda x: x % 3 > 0).batch(4)
    assert batches(data) == [[1, 2, 4, 5], [7, 8, 10, 11], [13, 14, 16, 17], [19]]
    assert looked_at == list(range(20))
    assert len(batches(data)) == 4 and data[3].tolist() == [19]


def test_a_filter_is_combined_with_every_method():
    even = Dataset(np.arange(10)).filter(is_even)
    assert values(even.repeat(2).skip(3).take(4)) == [6, 8, 0, 2]
    assert values(even.concatenate(even).filter(lambda x: x > 4)) == [6, 8, 6, 8]
    assert values(even.cache().map(square)) == values(even.map(square)) == [0, 4, 16, 36, 64]
    assert batches(even.batch(2, drop_remainder=True)) == [[0, 2], [4, 6]]
    assert values(even.batch(2).unbatch().repeat(2)) == [0, 2, 4, 6, 8] * 2
    assert (
        sorted(values(even.shuffle(seed=1)))
        == [0, 2, 4, 6, 8]
        == sorted(values(even.batch(2).unbatch().shuffle(3, seed=1)))
    )
    assert [(int(a), int(b)) for a, b in Dataset.zip(even, even.skip(1))] == [
        (0, 2), (2, 4), (4, 6), (6, 8)
    ]  # fmt: skip
    none = Dataset([1, 3]).filter(is_even)
    assert list(none.repeat()) == list(none.batch(2)) == list(none.shuffle(seed=1)) == []


def test_the_length_is_that_of_tf_data():
    data = Dataset(range(5))
    assert [len(d) for d in (data.repeat(3), data.concatenate(data), Dataset.zip(data, data))] == [
        15, 10, 5,
    ]  # fmt: skip
    assert len(Dataset.zip(data.repeat(), data)) == len(data.repeat().take(5)) == 5
    for unknown in (data.filter(is_even), data.repeat(), data.filter(is_even).repeat(2).take(9)):
        with pytest.raises(TypeError, match="number is known"):
            len(unknown)
        assert unknown and "whose elements" in repr(unknown)
        assert unknown[1] is not None
    for index in (5, -6):
        with pytest.raises(IndexError):
            data[index]
    with pytest.raises(IndexError):
        data.filter(is_even)[3]


def test_each_repetition_has_its_own_order():
    data = Dataset(np.arange(12)).shuffle(4, seed=1)
    endless = iter(data.repeat())
    first = [int(next(endless)) for _ in range(36)]
    repeated = data.repeat(3)
    assert values(repeated) == first
    orders = {tuple(first[i : i + 12]) for i in (0, 12, 24)} | {tuple(values(repeated)[:12])}
    assert len(orders) == 4 and all(sorted(order) == list(range(12)) for order in orders)
    for method in ("shuffle", "concatenate"):
        with pytest.raises(SpecError, match="that ends"):
            getattr(data.repeat(), method)(data)


def test_batches_of_repeated_and_joined_data_are_taken_apart_where_all_are_whole():
    whole, ragged = Dataset(np.arange(6)).batch(3), Dataset(np.arange(5)).batch(3)
    assert values(whole.repeat(2).unbatch()) == [*range(6)] * 2
    assert values(whole.concatenate(ragged).unbatch()) == [*range(6), *range(5)]
    for data in (ragged.repeat(2), ragged.concatenate(whole), whole.filter(lambda x: x.all())):
        with pytest.raises(SpecError, match="unbatch"):
            data.unbatch()


def test_zip_and_concatenate_keep_what_the_parts_know():
    parts = [Dataset([1, 2], workers=w) for w in (0, 2)]
    for part in parts:
        part.class_names, part.file_paths = ["a"], ["x", "y"]
    nested = Dataset.zip({"a": parts[0], "b": (parts[1], parts[0])})
    assert list(nested) == [{"a": 1, "b": (1, 1)}, {"a": 2, "b": (2, 2)}]
    joined = parts[0].concatenate(parts[1])
    assert joined.workers == nested.workers == 2 and joined.class_names == ["a"]
    assert joined.file_paths == ["x", "y"] * 2
    parts[1].class_names = ["b"]
    assert parts[0].concatenate(parts[1]).class_names is None


def test_late_passes_of_filtered_data_count_no_early_ones(monkeypatch):
    data = Dataset(np.arange(4)).filter(is_even).repeat()
    counted = []
    count = transformations.Transformation.count
    monkeypatch.setattr(
        transformations.Transformation, "count", lambda *a: counted.append(1) or count(*a)
    )
    elements = iter(data)
    assert [int(next(elements)) for _ in range(60)] == [0, 2] * 30
    assert len(counted) <= 60


def test_fit_takes_filtered_and_endless_data():
    data = Dataset((X, Y), workers=2).shuffle(seed=1).filter(lambda x, y: x[0] > 0).batch(4)
    assert len(make_model().fit(data, epochs=2, verbose=0).history["loss"]) == 2
    endless = data.repeat()
    model = make_model()
    model.fit(endless, epochs=2, steps_per_epoch=5, verbose=0)
    for call in (model.fit, model.evaluate, model.predict):
        with pytest.raises(SpecError, match="steps"):
            call(endless, verbose=0)


# ---------------------------------------------------------------- workers


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_workers_keep_the_order(workers):
    source = Slow()
    assert values(Dataset(source, workers=workers)) == list(range(6))
    assert (threading.get_ident() in source.threads) == (workers == 0)
    assert len(source.threads) <= max(workers, 1)


def test_no_more_elements_are_loaded_ahead_than_asked_for():
    loaded = []
    data = Dataset(np.arange(20)).map(lambda x: loaded.append(x) or x).prefetch(3, workers=2)
    iterator = iter(data)
    next(iterator)
    time.sleep(0.05)
    assert len(loaded) <= 3
    assert (data.prefetch(-1).max_queue_size, data.workers) == (3, 2)


def test_threads_end_with_the_data_set_and_errors_come_from_the_worker():
    def fail(x):
        if x == 3:
            raise ZeroDivisionError("in a worker")
        return x

    before = threading.active_count()
    data = Dataset(np.arange(6), workers=2).map(fail)
    with pytest.raises(ZeroDivisionError, match="in a worker"):
        list(data)
    for x in data:
        if x == 1:
            break
    del data, x
    gc.collect()
    wait_until(lambda: threading.active_count() <= before)


@pytest.mark.thorough
def test_worker_processes():
    data = Dataset(np.arange(6), workers=2, use_multiprocessing=True).map(np.square)
    data = data.shuffle(seed=1).batch(2)
    first = batches(data)
    assert sorted(np.ravel(first)) == [0, 1, 4, 9, 16, 25]
    assert first == batches(Dataset(np.arange(6)).map(square).shuffle(seed=1).batch(2))


# ---------------------------------------------------------------- models


def test_fit_evaluate_and_predict():
    arrays, model = make_model(), make_model()
    model.set_weights(arrays.get_weights())
    data = Dataset((X, Y), workers=2).batch(8)
    history = model.fit(data, epochs=2, validation_data=data, verbose=0)
    wanted = arrays.fit(X, Y, batch_size=8, epochs=2, shuffle=False, verbose=0)
    np.testing.assert_allclose(history.history["loss"], wanted.history["loss"], rtol=1e-4)
    np.testing.assert_allclose(
        model.evaluate(data, verbose=0), arrays.evaluate(X, Y, verbose=0), rtol=1e-4
    )
    inputs = data.map(lambda x, y: x)
    np.testing.assert_allclose(
        model.predict(inputs, verbose=0), arrays.predict(X, verbose=0), rtol=1e-4
    )
    wait_until(lambda: not any(t.name.startswith("keras_fn") for t in threading.enumerate()))


def test_steps_continue_over_epochs():
    data = Dataset((X, Y)).shuffle(seed=1).batch(8)
    history = make_model().fit(data, epochs=3, steps_per_epoch=2, verbose=0)
    assert len(history.history["loss"]) == 3


def test_layers_are_called_in_map_and_adapt_to_a_data_set():
    data = Dataset((X, Y)).batch(8)
    normalize = layers.Normalization()
    normalize.adapt(data.map(lambda x, y: x))
    normalized = np.concatenate(
        [np.asarray(x) for x, y in data.map(lambda x, y: (normalize(x), y))]
    )
    np.testing.assert_allclose(normalized.std(0), 1.0, rtol=1e-3)
    make_model().fit(data.map(lambda x, y: (normalize(x), y)).prefetch(2), verbose=0)


# ---------------------------------------------------------------- positions


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("taken", [0, 1, 3, 5])
def test_a_pass_continues_at_a_position(workers, taken):
    def make(seed):
        data = Dataset((X, Y), workers=workers).shuffle(8, seed=seed).batch(5)
        return data.map(lambda x, y: x)

    data, again = make(1), make(2)  # the seed is part of the position
    list(data)
    iterator = iter(data)
    for _ in range(taken):
        next(iterator)
    state = data.state_dict()
    rest = [*batches(iterator), *batches(data)]
    again.load_state_dict(state)
    assert [*batches(again), *batches(again)] == rest


@pytest.mark.parametrize("taken", [1, 9, 14])
def test_positions_in_filtered_repeated_and_combined_data(taken):
    def make(seed):
        data, other = (Dataset(np.arange(9)).shuffle(4, seed=seed + i) for i in (0, 7))
        data = Dataset.zip(data.repeat().filter(is_even).repeat(2), other.concatenate(data))
        return data.filter(lambda x, y: x != y)

    data, again = make(1), make(2)
    list(data)
    iterator = iter(data)
    for _ in range(taken):
        next(iterator)
    state = data.state_dict()
    assert len(state["seeds"]) == 3
    rest = [*iterator, *data]
    again.load_state_dict(state)
    assert [*again, *again] == rest


@pytest.mark.parametrize(
    "change",
    [
        {"pass": -1},
        {"pass": 1.0},
        {"pass": True},
        {"index": 23},
        {"index": "1"},
        {"index": None},
        {"seeds": [1]},
        {"seeds": [[1, -1]]},
        {"seeds": [[1, 2**64]]},
        {"seeds": None},
        {"seeds": []},
        {"length": 3},
        {"files": "x"},
        {"other": 1},
    ],
    ids=str,
)
def test_a_position_that_cannot_be_is_refused_before_anything_changes(change):
    data = Dataset(X).shuffle(seed=1)
    next(iter(data))
    before = data.state_dict()
    with pytest.raises(SpecError, match="load_state_dict"):
        data.load_state_dict(before | change)
    for other in (None, [], {name: value for name, value in before.items() if name != "pass"}):
        with pytest.raises(SpecError, match="a dict of"):
            data.load_state_dict(other)
    assert data.state_dict() == before
    data.load_state_dict(before | {"index": 22})
    assert list(data) == []


def test_a_position_in_other_data_is_refused():
    state = Dataset(X).shuffle(seed=1).state_dict()
    for other in (Dataset(X), Dataset(X).take(3).shuffle(), Dataset(X).shuffle().shuffle()):
        with pytest.raises(SpecError, match="the same"):
            other.load_state_dict(state)
    files = Dataset(X).shuffle()
    files.file_paths = ["a"]
    with pytest.raises(SpecError, match="same files"):
        files.load_state_dict(state)
    with pytest.raises(SpecError):
        files.load_state_dict({"at": 3})


class Killed(Exception):
    pass


class Kill(keras.callbacks.Callback):
    def __init__(self, batches):
        super().__init__()
        self.left = batches

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if not self.left:
            raise Killed


@pytest.mark.parametrize(("kill", "steps"), [(2, None), (7, None), (6, 2)])
def test_a_resumed_run_repeats_no_batch(tmp_path, kill, steps):
    loaded = []

    def run(folder, kill):
        data = Dataset((X, Y), workers=2).shuffle().batch(8)  # a random seed
        data = data.map(lambda x, y: (loaded.append(1) or x, y))
        keras.utils.set_random_seed(1)
        model = make_model()
        callbacks = [keras.callbacks.BackupAndRestore(folder, save_freq=1)]
        callbacks += [] if kill is None else [Kill(kill)]  # its count would be restored
        model.fit(data, epochs=3, steps_per_epoch=steps, verbose=0, callbacks=callbacks)
        return model.get_weights()

    keras.utils.set_random_seed(5)
    whole = run(tmp_path / "whole", 1000)
    keras.utils.set_random_seed(5)
    with pytest.raises(Killed):
        run(tmp_path / "killed", kill)
    loaded.clear()
    for a, b in zip(whole, run(tmp_path / "killed", None), strict=True):
        np.testing.assert_array_equal(a, b)
    rest = 3 * (steps or 3) - (kill - 1)
    assert rest <= len(loaded) <= rest + 1 + 2 * (4 + 2)  # what was prefetched, also by `peek`


def test_a_data_set_warns_of_nothing_when_it_is_complete():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert Dataset([1]).skipped_files == {} and values(Dataset([1])) == [1]


def test_batches_of_mixed_leaves():
    promoted = Dataset([np.ones(2, "int32"), np.ones(2, "float64"), np.ones(2, "int8")]).batch(3)[0]
    assert promoted.dtype == "float64" and promoted.shape == (3, 2)
    mixed = Dataset([np.ones(2, "float32"), [1.0, 2.0]]).batch(2)[0]
    assert mixed.tolist() == [[1, 1], [1, 2]]
    lists = Dataset([([1, 2], "a"), ([3, 4], "b")]).batch(2)[0]
    assert [x.tolist() for x in lists] == [[[1, 2], [3, 4]], ["a", "b"]]

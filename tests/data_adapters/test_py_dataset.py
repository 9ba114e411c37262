"""PyDataset: batches by index, loaded by threads and processes in a deterministic order."""

import gc
import os
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
import traceback
from pathlib import Path

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import layers, ops
from keras_fn.data_adapters.factory import make_stream_adapter
from keras_fn.data_adapters.worker_pool import WorkerPool

# Worker processes import it, so it stands in a module of its own.
SOURCE = '''
import os, signal, threading, time
import numpy as np
import keras_fn as keras

release = threading.Event()

class Numbers(keras.utils.PyDataset):
    """Batch i has two samples of i; the threads and processes that load it are recorded."""
    def __init__(self, count=6, act="", **options):
        super().__init__(**options)
        self.count, self.act, self.shift, self.calls = count, act, 0, []

    @property
    def num_batches(self):
        return self.count

    def __getitem__(self, i):
        if self.act == "slow first" and i == 0:
            time.sleep(0.2)
        if self.act == "slow third" and i == 2:
            open(self.note, "w").close()
            release.wait(60)
        if self.act == "raise" and i == 3:
            raise KeyError("the third file is missing")
        if self.act == "die" and i == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        if self.act == "who":
            return np.full((2, 1), os.getpid(), "int32")
        if self.act == "thread":
            self.calls.append(threading.current_thread())
        return np.full((2, 1), i + self.shift, "float32")

    def on_epoch_begin(self):
        self.calls.append("begin")

    def on_epoch_end(self):
        self.calls.append("end")
        self.shift += 100

class Pairs(Numbers):
    def __getitem__(self, i):
        x = super().__getitem__(i)
        return x, 2 * x

class Unborn(keras.utils.PyDataset):
    """Does not call the base constructor."""
    def __init__(self):
        pass
    def __len__(self):
        return 3
    def __getitem__(self, i):
        return np.full((2, 1), i, "float32")
'''


@pytest.fixture(scope="module")
def module(tmp_path_factory):
    folder = tmp_path_factory.mktemp("datasets")
    (folder / "numbered_batches.py").write_text(SOURCE, "utf-8")
    sys.path.insert(0, str(folder))
    try:
        yield __import__("numbered_batches")
    finally:
        sys.path.remove(str(folder))


def ours():
    return [t for t in threading.enumerate() if "keras_fn" in t.name or "Executor" in t.name]


@pytest.fixture(autouse=True)
def nothing_stays():
    yield
    deadline = time.monotonic() + 10
    while ours() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not ours()


def made(dataset, steps=None, shuffle=False, seed=7, background=True):
    bind = lambda batch: ([batch], None, None)  # noqa: E731
    return make_stream_adapter(dataset, bind, steps, shuffle, seed, background)


def numbers(data, epoch=0, start=0):
    return [int(ops.convert_to_numpy(t[0][0]).ravel()[0]) for t, _ in data.epoch(epoch, start)]


def linear():
    model = keras.Sequential([keras.Input((1,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


WAYS = {
    "none": dict(workers=0),
    "one thread": dict(),
    "threads": dict(workers=3),
    "few at a time": dict(workers=3, max_queue_size=1),
    "processes": dict(workers=2, use_multiprocessing=True),
}


@pytest.mark.parametrize("way", WAYS)
def test_batches_come_in_order_however_they_are_loaded(way, module):
    data = made(module.Numbers(act="slow first", **WAYS[way]))
    data.peek()
    assert numbers(data) == [0, 1, 2, 3, 4, 5]
    # The workers see the changes of on_epoch_end.
    assert numbers(data, 1) == [100, 101, 102, 103, 104, 105]
    data.close()


def test_hooks_frame_the_batches(module):
    dataset = module.Numbers(2, act="thread", workers=1)
    linear().predict(dataset, verbose=0)
    first, begin, *loaded, end = dataset.calls
    assert first is threading.main_thread()  # peek at a batch
    assert (begin, end) == ("begin", "end")
    assert len(loaded) == 2 and threading.main_thread() not in loaded


def test_without_workers_the_step_loads_itself(module):
    dataset = module.Numbers(2, act="thread", workers=0)
    linear().predict(dataset, verbose=0)
    assert {c for c in dataset.calls if isinstance(c, threading.Thread)} == {
        threading.main_thread()
    }


def test_processes_load_batches_and_exit(module):
    dataset = module.Numbers(8, act="who", workers=2, use_multiprocessing=True)
    data = made(dataset)
    found = {*numbers(data), *numbers(data, 1)}
    data.close()
    assert os.getpid() not in found and 1 <= len(found) <= 2
    deadline = time.monotonic() + 10
    while any(map(alive, found)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not any(map(alive, found))


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


# ---------------------------------------------------------------- order


def test_each_epoch_is_shuffled_differently_by_the_seed(module):
    first, second = (
        numbers(made(module.Unborn(), shuffle=True, seed=seed), epoch)
        for seed, epoch in ((1, 0), (1, 0))
    )
    assert first == second
    many = made(module.Numbers(50, workers=2), shuffle=True)
    orders = [[n % 100 for n in numbers(many, epoch)] for epoch in range(2)]
    many.close()
    assert orders[0] != orders[1] != sorted(orders[1])
    assert sorted(orders[0]) == sorted(orders[1]) == list(range(50))


@pytest.mark.parametrize("steps", [None, 4])
def test_an_epoch_can_start_at_a_later_batch(steps, module):
    def data():
        made_ = made(module.Numbers(6), steps, shuffle=True)
        made_.source.on_epoch_end = lambda: None
        return made_

    whole = [numbers(data(), epoch) for epoch in range(3)]
    assert all(len(numbers_) == (steps or 6) for numbers_ in whole)
    assert numbers(data(), 2, 3) == whole[2][3:]
    turns = [n for epoch in whole for n in epoch]
    assert sorted(turns[:6]) == sorted(turns[6:12]) == list(range(6))


def test_a_resumed_run_replays_the_epoch_hooks_of_the_data_set(module):
    data = made(module.Numbers(6), shuffle=True, seed=1)
    whole = [numbers(data, epoch) for epoch in range(3)]
    resumed = made(module.Numbers(6), shuffle=True, seed=2)
    resumed.set_state(data.get_state())
    assert numbers(resumed, 2, 3) == whole[2][3:] and min(whole[2]) == 200
    data.close()
    resumed.close()


def test_infinite_data_needs_steps_and_continues(module):
    with pytest.raises(ValueError, match="steps_per_epoch"):
        linear().fit(module.Pairs(None), verbose=0)
    data = made(module.Numbers(None, workers=2), 3, shuffle=True)
    assert numbers(data) == [0, 1, 2]
    assert numbers(data, 1) == [103, 104, 105]
    data.close()


def test_fit_shuffles_by_the_seed_and_evaluate_does_not(module):
    def order(shuffle):
        keras.utils.set_random_seed(3)
        seen, model = [], linear()
        dataset = module.Pairs(20, workers=2)

        class Watch(keras.callbacks.Callback):
            def on_train_batch_end(self, batch, logs=None):
                seen.append(logs["loss"])

        model.fit(dataset, callbacks=[Watch()], shuffle=shuffle, verbose=0)
        return seen, model.evaluate(dataset, verbose=0)

    assert order(True) == order(True)
    assert order(True)[0] != order(False)[0]


def test_a_subclass_need_not_call_the_constructor(module):
    assert linear().predict(module.Unborn(), verbose=0).shape == (6, 1)


@pytest.mark.parametrize("way", WAYS)
def test_all_loops_train_alike(way, module):
    model, other = linear(), linear()
    other.set_weights(model.get_weights())
    history = model.fit(
        module.Pairs(4, **WAYS[way]),
        epochs=2,
        validation_data=module.Pairs(2, **WAYS[way]),
        shuffle=False,
        verbose=0,
        class_weight=None,
    ).history
    plain = module.Pairs(4)
    for shift in (0, 100):
        plain.shift = shift
        pairs = [plain[i] for i in range(4)]
        x, y = (np.concatenate(part) for part in zip(*pairs, strict=True))
        other.fit(x, y, batch_size=2, shuffle=False, verbose=0)
    assert len(history["val_loss"]) == 2
    for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4)


# ---------------------------------------------------------------- what goes wrong


@pytest.mark.parametrize("way", WAYS)
def test_an_error_in_a_worker_has_its_traceback(way, module):
    dataset = module.Pairs(act="raise", **WAYS[way])
    with pytest.raises(KeyError, match="the third file") as error:
        linear().fit(dataset, shuffle=False, verbose=0)
    text = "".join(traceback.format_exception(error.value))
    assert "numbered_batches.py" in text and "in __getitem__" in text


def test_a_killed_worker_is_an_error_and_does_not_hang(module):
    dataset = module.Pairs(act="die", workers=2, use_multiprocessing=True)
    with pytest.raises(RuntimeError, match="worker process of Pairs ended") as error:
        linear().fit(dataset, shuffle=False, epochs=2, verbose=0)
    assert '__name__ == "__main__"' in str(error.value)


def test_unpicklable_data_sets_raise(module):
    dataset = module.Pairs(workers=1, use_multiprocessing=True)
    dataset.function = lambda: None
    with pytest.raises(TypeError, match=r"(?s)Pairs cannot be sent.*use_multiprocessing=False"):
        linear().fit(dataset, verbose=0)


def test_missing_methods_of_a_subclass_are_named():
    class Empty(keras.utils.PyDataset):
        pass

    with pytest.raises(NotImplementedError, match="Empty must define __len__"):
        linear().fit(Empty(), verbose=0)
    with pytest.raises(NotImplementedError, match="Empty must define __getitem__"):
        Empty()[0]


def test_an_empty_data_set_is_an_error(module):
    with pytest.raises(ValueError, match="yields no batch"):
        linear().predict(module.Numbers(0), verbose=0)


def test_more_steps_than_batches_warn(module):
    with pytest.warns(UserWarning, match="ran out of data after 2 batches"):
        assert linear().predict(module.Numbers(2), steps=3, verbose=0).shape == (4, 1)


def test_the_old_name():
    assert keras.utils.Sequence is keras.utils.PyDataset
    assert keras.utils.PyDataset().max_queue_size == 10


@pytest.fixture
def short_path():
    """A folder with a short path: socket paths of `multiprocessing` have at most 107 bytes."""
    with tempfile.TemporaryDirectory(dir="/tmp" if os.path.isdir("/tmp") else None) as folder:
        yield Path(folder)


def run(program, folder, timeout=120):
    """Runs a program whose temporary files are in the folder."""
    path = folder / "program.py"
    path.write_text(textwrap.dedent(program), "utf-8")
    return subprocess.run(
        [sys.executable, str(path)],
        capture_output=True,
        text=True,
        timeout=timeout,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "TMPDIR": str(folder)},
        check=False,
    )


PROGRAM = """
    import sys
    import numpy as np
    import keras_fn as keras

    class Data(keras.utils.PyDataset):
        def __len__(self):
            return 4
        def __getitem__(self, i):
            if i == STOP:
                raise SystemError("stop")
            x = np.full((2, 1), i, "float32")
            return x, x

    def main():
        model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        model.compile("sgd", "mse")
        model.fit(Data(workers=2, use_multiprocessing=True), epochs=2, verbose=0)
        print("done")
"""


@pytest.mark.parametrize(("stop", "code", "output"), [(9, 0, "done"), (2, 1, "SystemError: stop")])
def test_a_program_exits(stop, code, output, short_path):
    guarded = (
        PROGRAM.replace("STOP", str(stop))
        + """
    if __name__ == "__main__":
        main()
    """
    )
    ended = run(guarded, short_path)
    assert ended.returncode == code and output in ended.stdout + ended.stderr, ended.stderr


def test_a_program_without_its_main_guard_raises_and_exits(short_path):
    ended = run(PROGRAM.replace("STOP", "9") + "\n    main()\n", short_path)
    assert ended.returncode == 1
    assert not list(short_path.glob("keras_fn_dataset_*"))
    assert "fix: run the program under" in ended.stderr


def test_worker_processes_load_no_framework(short_path):
    program = """
        import sys
        import keras_fn.data_adapters.worker_pool
        import keras_fn as keras
        keras.utils.PyDataset
        print(sorted({"jax", "torch", "tensorflow"} & set(sys.modules)))
    """
    assert run(program, short_path).stdout.strip() == "[]"


def test_workers_end_with_a_program_that_is_killed(short_path):
    program = """
        import os, signal, time
        import numpy as np
        import keras_fn as keras
        from keras_fn.data_adapters.worker_pool import WorkerPool

        class Data(keras.utils.PyDataset):
            def __len__(self):
                return 2
            def __getitem__(self, i):
                time.sleep(0.1)
                return os.getpid()

        if __name__ == "__main__":
            dataset = Data(workers=2, use_multiprocessing=True)
            workers = WorkerPool(dataset, 2)  # kept alive: a collected pool stops its workers
            print(*workers.load(iter(range(6))), flush=True)
            os.kill(os.getpid(), signal.SIGKILL)
    """
    ended = run(program, short_path)
    pids = set(map(int, ended.stdout.split()))
    assert ended.returncode == -9 and pids
    deadline = time.monotonic() + 10
    while any(map(alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not any(map(alive, pids))
    assert not list(short_path.glob("keras_fn_dataset_*"))


@pytest.mark.parametrize("way", ["threads", "processes"])
def test_an_interruption_does_not_wait_for_a_blocked_batch(way, module, tmp_path):
    dataset = module.Pairs(act="slow third", **WAYS[way])
    dataset.note = str(tmp_path / "begun")

    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            deadline = time.monotonic() + 20
            while not os.path.exists(dataset.note) and time.monotonic() < deadline:
                time.sleep(0.01)
            raise KeyboardInterrupt

    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        linear().fit(dataset, shuffle=False, callbacks=[Stop()], verbose=0)
    assert time.monotonic() - began < 40
    module.release.set()  # a thread cannot be terminated, unlike a process


@pytest.mark.parametrize("way", ["threads", "processes"])
def test_workers_end_although_a_traceback_keeps_the_frames_of_the_run(way, module):
    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as error:
        linear().fit(module.Pairs(**WAYS[way]), epochs=2, callbacks=[Stop()], verbose=0)
    deadline = time.monotonic() + 10
    while ours() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert error.value.__traceback__ is not None and not ours()


def test_no_file_of_a_data_set_remains(module, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    files = set()
    dataset = module.Pairs(2, workers=1, use_multiprocessing=True)

    class Watch(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            files.add(len(list(tmp_path.glob("keras_fn_dataset_*"))))

    linear().fit(dataset, epochs=3, callbacks=[Watch()], verbose=0)
    assert files == {1} and not list(tmp_path.glob("keras_fn_dataset_*"))


def test_no_file_remains_after_a_failed_write(module, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def full(path, data):
        path.touch()
        raise OSError("no space left")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="no space left"):
        linear().fit(module.Pairs(2, workers=1, use_multiprocessing=True), verbose=0)
    assert not list(tmp_path.glob("keras_fn_dataset_*"))


def test_no_file_remains_of_an_unclosed_worker_pool(module, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    workers = WorkerPool(module.Pairs(2, use_multiprocessing=True), 1)
    list(workers.load(iter(range(2))))
    assert list(tmp_path.glob("keras_fn_dataset_*"))
    del workers
    gc.collect()
    assert not list(tmp_path.glob("keras_fn_dataset_*"))


def test_no_file_or_worker_remains_if_the_run_ends_while_they_start(module, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    workers = WorkerPool(module.Pairs(2), 1)
    workers.dataset.use_multiprocessing = True
    mkdir = Path.mkdir

    def closing(path, *args, **options):
        workers.close()  # as the main thread does while the prefetching thread starts workers
        return mkdir(path, *args, **options)

    monkeypatch.setattr(Path, "mkdir", closing)
    with pytest.raises(RuntimeError, match="The run has ended"):
        list(workers.load(iter(range(2))))
    assert not list(tmp_path.glob("keras_fn_dataset_*")) and workers._pool is None


def test_a_data_set_of_known_length_is_iterated_once():
    class Numbers(keras.utils.PyDataset):
        def __len__(self):
            return 3

        def __getitem__(self, index):
            return index * 10

    assert list(Numbers()) == list(Numbers()) == [0, 10, 20]

    class Endless(Numbers):
        num_batches = None

    assert [batch for batch, _ in zip(Endless(), range(5), strict=False)] == [0, 10, 20, 30, 40]


def test_iteration_over_a_data_set_that_says_nothing_of_its_length_is_an_error():
    with pytest.raises(NotImplementedError, match="must define __len__"):
        next(iter(keras.utils.PyDataset()))

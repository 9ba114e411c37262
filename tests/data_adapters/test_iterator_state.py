"""Iterator states: a resumed run sets the position of the data, and repeats no batch."""

import warnings

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import layers
from keras_fn.core.host_state import is_serializable
from keras_fn.data_adapters import iterator_state
from keras_fn.errors import SpecError
from keras_fn.training import backup_format

X = np.random.default_rng(5).normal(size=(22, 4)).astype("float32")
Y = X @ np.ones((4, 1), "float32")
BATCHES = [(X[i : i + 4], Y[i : i + 4]) for i in range(0, 22, 4)]
EPOCHS = 4
WHOLE = {}  # results of uninterrupted runs


class Killed(Exception):
    pass


class Kill(keras.callbacks.Callback):
    """Simulates a killed program after so many batches, the last of them not backed up."""

    def __init__(self, batches):
        super().__init__()
        self.batches, self.seen = batches, 0

    def on_train_batch_end(self, batch, logs=None):
        self.seen += 1
        if self.seen == self.batches:
            raise Killed


class Loader:
    """Shuffles in each epoch; the loader has a `state_dict`, as torchdata's does."""

    def __init__(self):
        self.random, self.at, self.order, self.produced = np.random.default_rng(3), 0, (), 0

    def __iter__(self):
        if not self.order:
            self.order = tuple(map(int, self.random.permutation(len(BATCHES))))
        while self.at < len(self.order):
            self.at += 1
            self.produced += 1
            yield BATCHES[self.order[self.at - 1]]
        self.at, self.order = 0, ()

    def state_dict(self):
        return {"at": self.at, "order": self.order, "random": self.random.bit_generator.state}

    def load_state_dict(self, state):
        self.at, self.order = state["at"], state["order"]
        self.random.bit_generator.state = state["random"]


class Stateful:
    """An iterator whose state is bytes, as with Grain."""

    def __init__(self, owner):
        self.owner, self.at = owner, 0

    def __iter__(self):
        return self

    def __next__(self):
        if self.at == len(BATCHES):
            raise StopIteration
        self.at += 1
        self.owner.produced += 1
        return BATCHES[self.at - 1]

    def get_state(self):
        return f"at {self.at}".encode()

    def set_state(self, state):
        self.at = int(state.decode().removeprefix("at "))


class ToldByIterators:
    def __init__(self):
        self.produced = 0

    def __iter__(self):
        return Stateful(self)


class Numbered(keras.utils.PyDataset):
    """A map-style data set that counts the batches it computes."""

    produced = 0

    def __len__(self):
        return len(BATCHES)

    def __getitem__(self, index):
        self.produced += 1
        return BATCHES[index]


def run(folder, data, kill=None, save_freq=1, **options):
    """Runs the program once; returns its result and the number of batches produced."""
    keras.utils.set_random_seed(1 if kill is None else 7)
    x = keras.Input((4,))
    model = keras.Model(x, layers.Dense(1)(layers.Dropout(0.4)(x)))
    model.compile(keras.optimizers.Adam(0.05), "mse")
    backup = keras.callbacks.BackupAndRestore(folder, save_freq)
    callbacks = [backup] if kill is None else [backup, Kill(kill)]
    history = model.fit(data, epochs=EPOCHS, verbose=0, callbacks=callbacks, **options)
    return [v.numpy() for v in (*model.variables, *model.optimizer.variables)], history.history


def resumed(tmp_path, source, kill, **options):
    """Checks a run that is killed and resumed; returns the batches of the resumed part."""
    key = source, *sorted(options.items())
    if key not in WHOLE:
        WHOLE[key] = run(tmp_path / "whole", source(), kill=10**6, **options)
    whole = WHOLE[key]
    with pytest.raises(Killed):
        run(tmp_path / "killed", source(), kill=kill, **options)
    rest = source()
    again = run(tmp_path / "killed", rest, **options)
    for a, b in zip(whole[0], again[0], strict=True):
        np.testing.assert_array_equal(a, b)
    assert whole[1] == again[1]
    return rest.produced


def left(kill, batches):
    return EPOCHS * batches - (kill - 1)


@pytest.mark.parametrize("source", [Loader, ToldByIterators])
@pytest.mark.parametrize(("kill", "steps"), [(2, None), (7, None), (10, None), (6, 4), (8, 4)])
def test_a_resumed_run_repeats_no_batch(tmp_path, source, kill, steps):
    produced = resumed(tmp_path, source, kill, steps_per_epoch=steps)
    # And the first batch: data is checked before anything is restored.
    assert produced == left(kill, steps or len(BATCHES)) + 1


@pytest.mark.parametrize("source", [Loader, ToldByIterators])
@pytest.mark.parametrize("steps", [None, 4])
def test_backups_after_epochs_and_after_several_batches(tmp_path, source, steps):
    resumed(tmp_path / "epochs", source, 15, save_freq="epoch", steps_per_epoch=steps)
    resumed(tmp_path / "batches", source, 15, save_freq=4, steps_per_epoch=steps)


def test_an_iterator_that_is_passed_itself(tmp_path):
    class Endless(Stateful):
        def __init__(self):
            self.produced = 0
            super().__init__(self)

        def __next__(self):
            self.at %= len(BATCHES)
            return super().__next__()

    assert resumed(tmp_path, Endless, 9, steps_per_epoch=5) == left(9, 5) + 1


def test_a_resumed_run_does_not_compute_skipped_batches_of_a_py_dataset(tmp_path):
    assert resumed(tmp_path, Numbered, 9) == left(9, len(BATCHES)) + 1


def test_a_run_without_backups_does_not_read_positions():
    class Silent(Loader):
        def state_dict(self):
            raise AssertionError

    model = keras.Sequential([keras.Input((4,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(Silent(), epochs=2, verbose=0)


class Unordered(Loader):
    """Yields the same in each epoch."""

    def __iter__(self):
        return iter(BATCHES)


class Broken(Unordered):
    def state_dict(self):
        return {"lock": object()}


class Raising(Unordered):
    def state_dict(self):
        raise NotImplementedError("not with these workers")


@pytest.mark.filterwarnings("ignore:The position in")
@pytest.mark.parametrize("source", [Broken, Raising])
def test_data_whose_position_cannot_be_saved_is_read_again(tmp_path, source):
    resumed(tmp_path, source, 9)


@pytest.mark.parametrize(("source", "cause"), [(Broken, "object"), (Raising, "these workers")])
def test_a_warning_says_why_a_position_cannot_be_saved(source, cause):
    with pytest.warns(UserWarning, match=cause):
        assert iterator_state.get_iterator_state(source(), None) is None


def test_loaders_that_restart_epochs_at_the_loaded_position_are_read_again():
    class Streaming(Loader):
        def set_epoch(self, epoch):
            pass

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert iterator_state.get_iterator_state(Streaming(), iter(Streaming())) is None


def test_data_that_cannot_restore_its_position_is_refused_and_changes_nothing(tmp_path):
    with pytest.raises(Killed):
        run(tmp_path, Loader(), kill=9)
    keras.utils.set_random_seed(0)
    x = keras.Input((4,))
    model = keras.Model(x, layers.Dense(1)(layers.Dropout(0.4)(x)))
    model.compile(keras.optimizers.Adam(0.05), "mse")
    before = model.get_weights()
    with pytest.raises(SpecError, match="support for its position"):
        model.fit(list_again(), epochs=EPOCHS, verbose=0, resume=tmp_path)
    np.testing.assert_array_equal(model.get_weights()[0], before[0])


def list_again():
    class Again:
        def __iter__(self):
            return iter(BATCHES)

    return Again()


def test_positions_are_saved_as_plain_data(tmp_path):
    state = {
        "of": "source",
        "state": {
            "seen": (1, [2, (3,)]),
            "bytes": b"\x00\xff",
            "none": b"",
            2: 2**127,
            "nan": np.nan,
        },
    }
    assert is_serializable(state)
    backup_format.write_backup(tmp_path / "f", {"format": backup_format.FORMAT, "data": state})
    found = backup_format.read_backup(tmp_path / "f")["data"]
    assert found["state"].pop("nan") != state["state"].pop("nan")
    assert found == state


# ---------------------------------------------------------------- of other libraries


def counting(produced):
    class Samples:
        def __len__(self):
            return len(X)

        def __getitem__(self, index):
            produced.append(index)
            return X[index], Y[index]

        def __repr__(self):  # Grain compares it to recognize the data
            return "Samples"

    return Samples()


@pytest.mark.parametrize("kind", ["map", "iterator", "loader"])
def test_grain(tmp_path, kind):
    grain = pytest.importorskip("grain")

    class Source:
        def __init__(self):
            self.indices = []
            samples = counting(self.indices)
            if kind == "loader":
                sampler = grain.samplers.IndexSampler(len(X), shuffle=True, seed=0, num_epochs=1)
                self.data = grain.DataLoader(
                    data_source=samples, sampler=sampler, operations=[grain.transforms.Batch(4)]
                )
            else:
                self.data = grain.MapDataset.source(samples).shuffle(seed=3).batch(4)
                if kind == "iterator":
                    self.data = self.data.to_iter_dataset()

        def __iter__(self):
            return iter(self.data)

        @property
        def produced(self):
            return len(self.indices)

    # It prefetches, so that the number is not exact.
    resumed(tmp_path, Source, 9)
    it = iter(Source().data)
    next(it)
    assert iterator_state.get_iterator_state(Source().data, it)["of"] == "iterator"


@pytest.mark.filterwarnings("ignore::UserWarning:torch", "ignore::DeprecationWarning")
@pytest.mark.parametrize("steps", [None, 4])
def test_a_stateful_data_loader_of_torchdata(tmp_path, steps):
    stateful = pytest.importorskip("torchdata.stateful_dataloader")
    torch = pytest.importorskip("torch")
    sampler = pytest.importorskip("torchdata.stateful_dataloader.sampler")

    class Source(stateful.StatefulDataLoader):
        def __init__(self):
            self.indices = []
            samples, random = counting(self.indices), torch.Generator().manual_seed(3)
            # With shuffle=True, the order of later epochs would differ after loading a state.
            order = sampler.RandomSampler(samples, generator=random)
            super().__init__(samples, batch_size=4, sampler=order)

        @property
        def produced(self):
            return len(self.indices)

    produced = resumed(tmp_path, Source, 9, steps_per_epoch=steps)
    assert produced <= (left(9, steps or len(BATCHES)) + 1) * 4

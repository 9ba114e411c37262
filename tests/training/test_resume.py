"""BackupAndRestore: an interrupted run ends bit-identical to an uninterrupted one."""

import threading
from contextlib import ExitStack

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import layers
from keras_fn.saving.checkpoint.checkpoint_reader import open_checkpoint
from keras_fn.saving.checkpoint.checkpoint_writer import write_whole
from keras_fn.training import backup_format

X = np.random.default_rng(5).normal(size=(22, 4)).astype("float32")
Y = X @ np.ones((4, 1), "float32")
EPOCHS = 4


class Killed(Exception):
    pass


class Kill(keras.callbacks.Callback):
    """Simulates a killed program after a step."""

    def __init__(self, epoch, batch):
        super().__init__()
        self.epoch, self.batch = epoch, batch

    def on_epoch_begin(self, epoch, logs=None):
        self.now = epoch

    def on_train_batch_end(self, batch, logs=None):
        if (self.now, batch) == (self.epoch, self.batch):
            raise Killed


def dropping(seed):
    keras.utils.set_random_seed(seed)
    x = keras.Input((4,))
    h = layers.BatchNormalization()(layers.Dense(5, activation="tanh")(x))
    model = keras.Model(x, layers.Dense(1)(layers.Dropout(0.4)(h)))
    model.compile(keras.optimizers.Adam(0.05), "mse", metrics=["mae"])
    return model


def others(folder):
    return [
        keras.callbacks.EarlyStopping("loss", patience=50, restore_best_weights=True),
        keras.callbacks.ReduceLROnPlateau("loss", patience=1, min_delta=10.0),
        keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.9),
        keras.callbacks.CSVLogger(folder / "log.csv"),
    ]


def run(folder, seed=1, kill=(), data=None, **options):
    """Runs the program once, with a new seed."""
    model = dropping(seed)
    options = {"validation_data": (X, Y), "epochs": EPOCHS, **options}
    backup = keras.callbacks.BackupAndRestore(folder / "backup", options.pop("save_freq", "epoch"))
    x, y = (X, Y) if data is None else (data, None)
    history = model.fit(
        x,
        y,
        batch_size=4 if data is None else None,
        verbose=0,
        callbacks=[backup, *others(folder), *kill],
        **options,
    )
    weights = [v.numpy() for v in (*model.variables, *model.optimizer.variables)]
    return weights, history.history, history.epoch, (folder / "log.csv").read_text()


@pytest.mark.parametrize("save_freq", ["epoch", 1, 4])
@pytest.mark.parametrize("moment", [(1, 0), (1, 5), (2, 3)])
def test_an_interrupted_run_ends_bit_identical(tmp_path, save_freq, moment):
    (tmp_path / "whole").mkdir()
    whole = run(tmp_path / "whole", seed=1, save_freq=save_freq)
    with pytest.raises(Killed):
        run(tmp_path, seed=1, save_freq=save_freq, kill=[Kill(*moment)])
    again = run(tmp_path, seed=2, save_freq=save_freq)  # other weights, until they are restored
    for a, b in zip(whole[0], again[0], strict=True):
        np.testing.assert_array_equal(a, b)
    assert whole[1:] == again[1:]
    assert not (tmp_path / "backup").exists()


def test_other_iterables_are_read_again_up_to_the_position(tmp_path):
    class Batches:
        def __iter__(self):
            return ((X[i : i + 4], Y[i : i + 4]) for i in range(0, 22, 4))

    (tmp_path / "whole").mkdir()
    whole = run(tmp_path / "whole", data=Batches())
    with pytest.raises(Killed):
        run(tmp_path, data=Batches(), save_freq=4, kill=[Kill(2, 3)])
    again = run(tmp_path, data=Batches(), save_freq=4)
    for a, b in zip(whole[0], again[0], strict=True):
        np.testing.assert_array_equal(a, b)
    assert whole[1:] == again[1:]


def test_fit_resumes_a_folder(tmp_path):
    def fit(**options):
        model = dropping(1)
        model.fit(X, Y, epochs=3, verbose=0, **options)
        return model.get_weights()

    whole = fit()
    with pytest.raises(Killed):
        fit(resume=tmp_path / "here", callbacks=[Kill(2, 0)])
    again = fit(resume=tmp_path / "here")
    for a, b in zip(whole, again, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_run_that_was_stopped_early_does_not_continue(tmp_path):
    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = epoch == 1

        def on_train_end(self, logs=None):
            raise Killed

    with pytest.raises(Killed):
        run(tmp_path, kill=[Stop()])
    *_, epochs, _ = run(tmp_path)
    assert epochs == [0, 1]


def test_another_model_or_other_data_are_refused_and_the_model_is_as_it_was(tmp_path):
    with pytest.raises(Killed):
        run(tmp_path, kill=[Kill(2, 3)])
    model = keras.Sequential([keras.Input((4,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    before = model.get_weights()
    with pytest.raises(ValueError, match="the model and optimizer that the backup was made of"):
        model.fit(X, Y, verbose=0, resume=tmp_path / "backup")
    np.testing.assert_array_equal(model.get_weights()[0], before[0])
    model = dropping(1)
    before = model.get_weights()
    with pytest.raises(ValueError, match="the data that the run started with"):
        model.fit(X[:8], Y[:8], batch_size=4, verbose=0, resume=tmp_path / "backup")
    np.testing.assert_array_equal(model.get_weights()[0], before[0])


def test_a_damaged_backup_is_reported_and_the_previous_one_used(tmp_path, capsys):
    def fit(**options):
        model = dropping(1)
        backup = keras.callbacks.BackupAndRestore(tmp_path / "b", double_checkpoint=True)
        model.fit(X, Y, epochs=4, verbose=0, callbacks=[backup, *options.get("kill", [])])
        return model

    with pytest.raises(Killed):
        fit(kill=[Kill(3, 0)])
    newest = tmp_path / "b" / "run.npz"
    newest.write_bytes(newest.read_bytes()[:200])
    model = fit()
    assert "is not a complete backup" in capsys.readouterr().out
    assert int(model.optimizer.iterations.numpy()) == 4
    with pytest.raises(Killed):
        fit(kill=[Kill(0, 0)])
    (tmp_path / "b").mkdir(exist_ok=True)
    newest.write_bytes(b"nonsense")
    with pytest.raises(ValueError, match="is not a complete backup of a run"):
        fit()


def test_backup_is_kept_on_request(tmp_path):
    model = dropping(1)
    backup = keras.callbacks.BackupAndRestore(tmp_path / "b", delete_checkpoint=False)
    model.fit(X, Y, epochs=2, verbose=0, callbacks=[backup])
    history = dropping(2).fit(X, Y, epochs=3, verbose=0, callbacks=[backup])
    assert history.epoch == [0, 1, 2]
    assert len(history.history["loss"]) == 3
    writers = [t for t in threading.enumerate() if t.name.startswith("keras_fn-backup")]
    for writer in writers:  # they end by themselves
        writer.join(timeout=10)
    assert not any(writer.is_alive() for writer in writers)


@pytest.mark.parametrize("wrong", [0, -1, "batch", 1.5, True])
def test_arguments_are_checked(wrong, tmp_path):
    with pytest.raises(ValueError, match="save_freq"):
        keras.callbacks.BackupAndRestore(tmp_path, save_freq=wrong)
    with pytest.raises(ValueError, match="backup_dir"):
        keras.callbacks.BackupAndRestore("")


def test_a_backup_file_round_trips(tmp_path):
    import ml_dtypes

    state = {
        "format": backup_format.FORMAT,
        "arrays": [np.arange(3), np.float32(2.5), np.ones((2, 0), "bool")],
        "half": np.array([1.5, -2], ml_dtypes.bfloat16),
        "scalar": np.array(3.0, "float64"),
        "nested": {"a": (1, "two", None, True), 5: float("inf")},
    }
    backup_format.write_backup(tmp_path / "f", state)
    found = backup_format.read_backup(tmp_path / "f")
    assert found["half"].dtype == ml_dtypes.bfloat16
    assert found["half"].tolist() == [1.5, -2]
    assert found["arrays"][0].tolist() == [0, 1, 2]
    assert found["arrays"][1] == 2.5
    assert found["arrays"][2].shape == (2, 0)
    assert found["scalar"].shape == ()
    assert found["nested"] == {"a": (1, "two", None, True), 5: float("inf")}


def test_the_state_of_a_random_generator_is_kept_in_a_sharded_backup(tmp_path):
    state = {"rng": np.random.default_rng(7).bit_generator.state, "least": -(2**200)}
    encoded, arrays = backup_format.encode_state(state)
    assert not arrays
    write_whole(tmp_path / "run.checkpoint", lambda: ({}, encoded), "test")
    with open_checkpoint(tmp_path / "run.checkpoint") as checkpoint:
        assert backup_format.decode_state(checkpoint.state, arrays.__getitem__) == state


POSITION = {"epoch": 1, "step": 0, "stopped": False, "logs": {}}
WRONG_BACKUPS = {
    "no position": {"callbacks": [], "data": {}},
    "part of a position": {"position": {"epoch": 1}, "callbacks": [], "data": {}},
    "negative": {"position": {**POSITION, "step": -1}, "callbacks": [], "data": {}},
    "callbacks": {"position": POSITION, "callbacks": [["CSVLogger"]], "data": {}},
    "no data": {"position": POSITION, "callbacks": []},
}


@pytest.mark.parametrize("name", WRONG_BACKUPS)
def test_a_backup_that_no_run_wrote_is_an_error(tmp_path, name):
    state = {"format": backup_format.FORMAT, **WRONG_BACKUPS[name]}
    backup_format.write_backup(tmp_path / "run.npz", state)
    with pytest.raises(ValueError, match="is not a complete backup"), ExitStack() as files:
        keras.callbacks.BackupAndRestore(tmp_path).load(files)


def test_a_state_of_too_many_levels_is_an_error(tmp_path):
    state = []
    for _ in range(500):
        state = [state]
    write_whole(tmp_path / "run.checkpoint", lambda: ({}, state), "test")
    with pytest.raises(ValueError, match="is not a"), ExitStack() as files:
        keras.callbacks.BackupAndRestore(tmp_path).load(files)


def test_a_file_of_objects_is_not_read(tmp_path):
    with open(tmp_path / "f", "wb") as file:
        np.savez(file, state=np.array([{"code": 1}], dtype=object))
    with pytest.raises(ValueError, match="is not a complete backup"):
        backup_format.read_backup(tmp_path / "f")


def test_infinite_data_continues_at_its_position(tmp_path):
    class Endless:
        def __iter__(self):
            i = 0
            while True:
                yield X[i : i + 4], Y[i : i + 4]
                i = (i + 3) % 18

    (tmp_path / "whole").mkdir()
    whole = run(tmp_path / "whole", data=Endless(), steps_per_epoch=5)
    with pytest.raises(Killed):
        run(tmp_path, data=Endless(), steps_per_epoch=5, save_freq=4, kill=[Kill(2, 3)])
    again = run(tmp_path, data=Endless(), steps_per_epoch=5, save_freq=4)
    for a, b in zip(whole[0], again[0], strict=True):
        np.testing.assert_array_equal(a, b)
    assert whole[1:] == again[1:]

"""Callbacks that say which batches matter to them: many steps in one call up to these."""

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import layers
from keras_fn.backend.loader import current
from keras_fn.callbacks.callback_list import CallbackList
from keras_fn.callbacks.step_counter import StepCounter
from keras_fn.training.epoch_runner import AutoStepsPerExecution, EpochRunner

X = np.random.default_rng(5).normal(size=(23, 4)).astype("float32")
Y = X @ np.ones((4, 1), "float32")
MANY = hasattr(current(), "compile_multi_step")  # else steps run one by one, whoever watches
BATCHES = 12  # an epoch: eleven of two samples, and one of one


@pytest.fixture
def calls(monkeypatch):
    """The numbers of steps of the calls of functions that run many; as many as are allowed go."""
    found = []
    loop = EpochRunner._run_multi_step

    def noting(self, tensors, batches, first, last):
        found.append(last - first)
        return loop(self, tensors, batches, first, last)

    monkeypatch.setattr(EpochRunner, "_run_multi_step", noting)
    monkeypatch.setattr(
        AutoStepsPerExecution, "steps", property(lambda self: 100, lambda self, n: None), False
    )
    return found


def built():
    keras.utils.set_random_seed(3)
    x = keras.Input((4,))
    model = keras.Model(x, layers.Dense(1)(layers.Dropout(0.4)(x)))
    model.compile(keras.optimizers.Adam(0.01), "mse")
    return model


def fitted(*callbacks, epochs=2, **options):
    model = built()
    model.fit(X, Y, batch_size=2, epochs=epochs, verbose=0, callbacks=list(callbacks), **options)
    return [v.numpy() for v in (*model.variables, *model.optimizer.variables)]


class Looking(keras.callbacks.Callback):
    """Looks at some batches of the epoch."""

    def __init__(self, *batches):
        super().__init__()
        self.batches, self.seen = batches, []

    def next_batch_due(self, batch):
        return next((b for b in self.batches if b >= batch), None)

    def on_train_batch_end(self, batch, logs=None):
        if batch in self.batches:
            self.seen.append((batch, logs["loss"]))


class LookingAtAll(Looking):
    """Writes a method of batches anew, and does not say which."""

    def on_train_batch_end(self, batch, logs=None):
        self.seen.append((batch, logs["loss"]))


def test_steps_run_in_one_call_up_to_the_batch_that_is_due(calls):
    some, every = Looking(2, 7), LookingAtAll(2, 7)
    weights = fitted(some)
    if MANY:
        assert calls == [3, 5, 3] * 2
    calls.clear()
    watched = fitted(every)
    if MANY:
        assert calls == [1] * 11 * 2
    assert [batch for batch, _ in every.seen] == [*range(BATCHES)] * 2
    assert some.seen == [s for s in every.seen if s[0] in (2, 7)]
    for a, b in zip(weights, watched, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_callback_without_scheduling_runs_all_steps_one_by_one(calls):
    fitted(Looking(2), LookingAtAll())
    assert calls == ([1] * 11 * 2 if MANY else [])
    lists = CallbackList([Looking(2), keras.callbacks.TerminateOnNaN()])
    assert lists.wants_each_train_batch
    assert not CallbackList([Looking(2)]).wants_each_train_batch
    assert CallbackList([Looking(5), Looking(3)]).next_batch_due(4) == 5
    assert CallbackList([Looking(5), Looking(3)]).next_batch_due(6) is None
    functions = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: None)
    assert CallbackList([functions]).wants_each_train_batch
    functions.next_batch_due = lambda batch: batch + 9
    assert not CallbackList([functions]).wants_each_train_batch


def test_steps_per_execution_is_respected(calls):
    class Few(Looking):
        pass

    few = Few(2, 7)
    model = built()
    model.compile("sgd", "mse", steps_per_execution=4)
    model.fit(X, Y, batch_size=2, epochs=1, verbose=0, callbacks=[few])
    assert calls == ([4, 4, 3] if MANY else [])
    model.compile("sgd", "mse", steps_per_execution="auto")
    model.fit(X, Y, batch_size=2, epochs=1, verbose=0, callbacks=[few])
    assert [batch for batch, _ in few.seen] == [7, 2, 7]  # 7 ends a group of four


def test_a_checkpoint_saves_after_the_same_batches(calls, tmp_path):
    def saved(folder, *others):
        checkpoint = keras.callbacks.ModelCheckpoint(
            tmp_path / folder / "{epoch}-{batch}.weights.h5", save_weights_only=True, save_freq=5
        )
        fitted(checkpoint, *others)
        model, found = built(), {}
        for path in sorted((tmp_path / folder).iterdir()):
            model.load_weights(path)
            found[path.name] = [w.tolist() for w in model.get_weights()]
        return found

    many = saved("many")
    assert calls == ([5, 5, 1, 3, 5, 3] if MANY else [])
    assert sorted(many) == [f"{name}.weights.h5" for name in ("1-10", "1-5", "2-3", "2-8")]
    assert many == saved("each", LookingAtAll())


def test_a_backup_is_made_after_the_same_batches(calls, tmp_path, monkeypatch):
    kept = []
    keep = keras.callbacks.BackupAndRestore._back_up

    def noting(self, position):
        kept.append((position.epoch, position.step))
        keep(self, position)

    monkeypatch.setattr(keras.callbacks.BackupAndRestore, "_back_up", noting)
    fitted(keras.callbacks.BackupAndRestore(tmp_path, save_freq=5))
    assert calls == ([5, 5, 1, 3, 5, 3] if MANY else [])
    assert kept == [(0, 5), (0, 10), (1, 3), (1, 8)]


def test_events_are_written_after_the_same_batches(calls, tmp_path):
    name = "tensorboard.backend.event_processing.event_accumulator"
    accumulator = pytest.importorskip(name)
    board = keras.callbacks.TensorBoard(tmp_path, update_freq=5, write_graph=False)
    fitted(board)
    assert calls == ([5, 5, 1, 3, 5, 3] if MANY else [])
    events = accumulator.EventAccumulator(str(tmp_path / "train")).Reload().Tensors("batch_loss")
    assert [event.step for event in events] == [5, 10, 15, 20]


def test_a_profile_begins_and_ends_at_its_batches(calls, tmp_path):
    pytest.importorskip("tensorboard")
    board = keras.callbacks.TensorBoard(tmp_path, profile_batch=(4, 6), write_graph=False)
    spans = []
    board._begin_profile, board._end_profile = (lambda *a: None), (lambda: None)
    board.on_train_batch_begin = lambda batch, logs=None: spans.append(batch)
    fitted(board, epochs=1)
    if MANY:
        assert calls == [3, 3, 5]
        assert spans == [0, 3, 6, 11]


def test_a_counter_counts_epochs_of_any_length():
    counter = StepCounter()
    counter.begin_epoch()
    assert counter.advance(2) == 3
    counter.begin_epoch()
    assert counter.advance(7) == 8  # in one call, and beyond where the last epoch ended
    assert counter.batch_at(8, total=20) == 16
    assert counter.batch_at(8, total=5) == 8

"""Callbacks, on a model that only notes what is done to it."""

import csv
import math

import numpy as np
import pytest

from keras_fn import optimizers
from keras_fn.callbacks.backup_and_restore import BackupAndRestore
from keras_fn.callbacks.callback import Callback, LazyLogs
from keras_fn.callbacks.callback_list import CallbackList
from keras_fn.callbacks.csv_logger import CSVLogger
from keras_fn.callbacks.early_stopping import EarlyStopping
from keras_fn.callbacks.history import History
from keras_fn.callbacks.lambda_callback import LambdaCallback
from keras_fn.callbacks.learning_rate_scheduler import LearningRateScheduler
from keras_fn.callbacks.model_checkpoint import ModelCheckpoint
from keras_fn.callbacks.reduce_lr_on_plateau import ReduceLROnPlateau
from keras_fn.callbacks.tensorboard import TensorBoard
from keras_fn.callbacks.terminate_on_nan import TerminateOnNaN


class Metric:
    def __init__(self, name, direction=None):
        self.name = name
        if direction:
            self._direction = direction


class Model:
    """What callbacks ask of a model."""

    def __init__(self, rate=0.5, metrics=()):
        self.optimizer = optimizers.SGD(rate)
        self.metrics = list(metrics)
        self.stop_training = False
        self.weights = [np.zeros(1)]
        self.saved = []

    def get_weights(self):
        return [w.copy() for w in self.weights]

    def set_weights(self, weights):
        self.weights = weights

    def save(self, filepath, overwrite):
        self.saved.append(str(filepath))

    def save_weights(self, filepath, overwrite):
        self.saved.append(f"weights of {filepath}")


def run(callbacks, values, model=None, name="loss"):
    """Trains: one epoch for each value, until someone stops it. Returns the model."""
    model = model or Model()
    callbacks = CallbackList(callbacks, model=model, epochs=len(values), verbose=0)
    callbacks.on_train_begin()
    for epoch, value in enumerate(values):
        callbacks.on_epoch_begin(epoch)
        model.weights = [np.full(1, float(epoch))]
        callbacks.on_epoch_end(epoch, {name: value})
        if model.stop_training:
            break
    callbacks.on_train_end()
    model.epochs_run = epoch + 1
    return model


def test_every_hook_reaches_every_callback_in_order():
    calls = []

    class Noting(Callback):
        def __init__(self, tag):
            super().__init__()
            self.tag = tag

    hooks = [n for n in vars(Callback) if n.startswith("on_")]
    for hook in hooks:
        setattr(Noting, hook, lambda self, *args, hook=hook: calls.append((self.tag, hook, args)))
    callbacks = CallbackList([Noting("a"), [Noting("b")]])
    for hook in hooks:
        calls.clear()
        counted = "batch" in hook or "epoch" in hook
        getattr(callbacks, hook)(*([3] if counted else []), {"x": 1})
        args = (3, {"x": 1}) if counted else ({"x": 1},)
        assert calls == [("a", hook, args), ("b", hook, args)]


def test_params_and_model_are_set_on_every_callback():
    one, two, model = Callback(), Callback(), Model()
    callbacks = CallbackList([one], model=model, epochs=3, verbose=2)
    callbacks.append(two)
    assert one.model is two.model is model
    assert one.params == two.params == {"epochs": 3, "verbose": 2}


def test_history_is_added_once_and_set_on_the_model():
    model, own = Model(), History()
    assert len(CallbackList([own], add_history=True, model=model).callbacks) == 1
    assert model.history is own
    assert isinstance(CallbackList(add_history=True).callbacks[0], History)


def test_invalid_callbacks_raise():
    with pytest.raises(TypeError, match="pass an instance of the class"):
        CallbackList([EarlyStopping])
    with pytest.raises(TypeError, match="instances of"):
        CallbackList([3])


class Plain(Callback):
    def on_epoch_end(self, epoch, logs=None):
        pass


class OldBatch(Callback):
    def on_batch_end(self, batch, logs=None):
        pass


class Evaluation(Callback):
    def on_test_batch_begin(self, batch, logs=None):
        pass


@pytest.mark.parametrize(
    ("callback", "wanted"),
    [
        (Plain(), ""),
        (OldBatch(), "train"),
        (Evaluation(), "test"),
        (LambdaCallback(on_train_batch_end=print), "train"),
        (LambdaCallback(on_predict_batch_end=print), "predict"),
        (LambdaCallback(on_epoch_end=print), ""),
        (ModelCheckpoint("x.keras"), ""),
        (ModelCheckpoint("x.keras", save_freq=3), "train"),
        (TerminateOnNaN(), "train"),
        (EarlyStopping(), ""),
        (History(), ""),
    ],
)
def test_the_list_knows_which_batch_hooks_are_overridden(callback, wanted):
    callbacks = CallbackList([callback])
    phases = [p for p in ("train", "test", "predict") if getattr(callbacks, f"wants_{p}_batches")]
    assert phases == wanted.split()


def test_the_old_names_of_batch_hooks_are_called():
    seen = []

    class Old(Callback):
        def on_batch_begin(self, batch, logs=None):
            seen.append(("begin", batch))

        def on_batch_end(self, batch, logs=None):
            seen.append(("end", batch))

    callbacks = CallbackList(Old())
    callbacks.on_train_batch_begin(4)
    callbacks.on_train_batch_end(4)
    assert seen == [("begin", 4), ("end", 4)]


def test_lazy_logs_are_read_once_at_first_access():
    reads = []

    def read():
        reads.append(1)
        return {"loss": 2.0, "mae": 1.0}

    logs = LazyLogs(read)
    CallbackList([OldBatch()]).on_train_batch_end(0, logs)
    assert not reads
    assert logs.get("loss") == 2.0
    logs["more"] = 3
    assert {**logs} == {"loss": 2.0, "mae": 1.0, "more": 3}
    assert logs.copy() == dict(logs.items())
    assert len(reads) == 1


def test_lambda_callback_calls_its_functions():
    seen = []
    callback = LambdaCallback(
        on_epoch_begin=lambda epoch, logs: seen.append(("epoch", epoch)),
        on_train_end=lambda logs: seen.append("end"),
        on_test_begin=lambda logs: seen.append("test"),
        marker=7,
    )
    callback.on_epoch_begin(2, {})
    callback.on_test_begin({})
    callback.on_train_end({})
    assert seen == [("epoch", 2), "test", "end"]
    assert callback.marker == 7


# Values noted from Keras 3.15.1: the epochs that ran, and the best epoch.
@pytest.mark.parametrize(
    ("options", "values", "epochs", "best"),
    [
        ({"patience": 0}, [3, 2, 2.5, 1], 3, 2),
        ({"patience": 2}, [3, 2, 2.5, 1, 1.5, 1.6, 0], 6, 1),
        ({"patience": 1, "min_delta": 0.5}, [3, 2.8, 2.0, 1.9, 1], 2, 3),
        ({"patience": 1, "mode": "max"}, [1, 2, 1.5, 3], 3, 2),
        ({"patience": 1, "baseline": 1.5}, [3, 2, 1.9, 1.0, 0.5], 5, 0.5),
        ({"patience": 0, "start_from_epoch": 2}, [1, 2, 3, 2, 2.5, 0], 5, 2),
        ({"patience": 0}, [float("nan"), 1.0, 2.0], 2, None),
    ],
)
def test_early_stopping(options, values, epochs, best):
    callback = EarlyStopping("loss", **options)
    model = run(callback, values)
    assert model.epochs_run == epochs
    assert callback.best == best or (best is None and math.isnan(callback.best))


def test_early_stopping_restores_the_best_weights(capsys):
    callback = EarlyStopping("loss", patience=1, restore_best_weights=True, verbose=1)
    model = run(callback, [3, 1, 2, 2])
    assert model.weights[0].tolist() == [1.0]
    assert capsys.readouterr().out.splitlines() == [
        "Epoch 3: early stopping",
        "Restoring the weights of the best epoch, 2.",
    ]


def test_early_stopping_restores_even_if_it_did_not_stop():
    model = run(EarlyStopping("loss", patience=9, restore_best_weights=True), [1, 2, 3])
    assert model.weights[0].tolist() == [0.0]


def test_early_stopping_can_be_used_again():
    callback = EarlyStopping("loss", patience=0)
    run(callback, [1, 2])
    assert run(callback, [5, 4, 3]).epochs_run == 3


def test_early_stopping_warns_of_a_missing_metric():
    with pytest.warns(UserWarning, match="'val_loss' is not available. Available are: loss"):
        run(EarlyStopping(), [1])


def test_auto_mode_uses_the_direction_of_the_metric():
    metrics = [Metric("auc", "up"), Metric("err", "down"), Metric("odd")]
    model = run(
        EarlyStopping("val_auc", patience=0), [0.1, 0.2, 0.3], Model(metrics=metrics), "val_auc"
    )
    assert model.epochs_run == 3
    model = run(EarlyStopping("err", patience=0), [0.1, 0.2], Model(metrics=metrics), "err")
    assert model.epochs_run == 2
    with pytest.raises(ValueError, match="mode='max'"):
        run(EarlyStopping("odd"), [1], Model(metrics=metrics), "odd")


def test_an_unknown_mode_falls_back_to_auto():
    with pytest.warns(UserWarning, match="'best' is unknown"):
        assert EarlyStopping(mode="best").mode == "auto"


@pytest.mark.parametrize(
    ("options", "values", "rates"),
    [
        ({"patience": 1}, [1, 1, 1], [0.5, 0.5, 0.25, 0.125]),
        ({"patience": 2}, [1, 1, 1, 1], [0.5, 0.5, 0.5, 0.25, 0.25]),
        ({"patience": 1, "cooldown": 2}, [1] * 6, [0.5, 0.5, 0.25, 0.25, 0.125, 0.125, 0.0625]),
        ({"patience": 1, "min_lr": 0.2}, [1] * 5, [0.5, 0.5, 0.25, 0.2, 0.2, 0.2]),
        ({"patience": 1, "min_delta": 0.5}, [1, 0.9, 0.3], [0.5, 0.5, 0.25, 0.25]),
        ({"patience": 1, "mode": "max"}, [1, 2, 1.5], [0.5, 0.5, 0.5, 0.25]),
    ],
)
def test_reduce_lr_on_plateau(options, values, rates):
    seen = []
    note = LambdaCallback(
        on_epoch_begin=lambda e, logs: seen.append(note.model.optimizer.learning_rate.numpy())
    )
    model = run([ReduceLROnPlateau("loss", factor=0.5, **options), note], values)
    seen.append(model.optimizer.learning_rate.numpy())
    np.testing.assert_allclose(seen, rates, rtol=1e-6)


def test_reduce_lr_needs_a_factor_below_one():
    with pytest.raises(ValueError, match=r"factor < 1\.0"):
        ReduceLROnPlateau(factor=1.0)


def test_learning_rate_scheduler_with_one_and_two_arguments(capsys):
    history = History()
    model = run([LearningRateScheduler(lambda e, lr: lr / 2, verbose=1), history], [1, 1])
    assert float(model.optimizer.learning_rate.numpy()) == 0.125
    assert history.history["learning_rate"] == [0.25, 0.125]
    assert "Epoch 2: the learning rate of" in capsys.readouterr().out
    model = run(LearningRateScheduler(lambda e: 1.0 / (e + 1)), [1, 1])
    assert float(model.optimizer.learning_rate.numpy()) == 0.5


def test_learning_rate_scheduler_rejects_a_non_float():
    with pytest.raises(TypeError, match="returns a float"):
        run(LearningRateScheduler(lambda e, lr: "fast"), [1])


def test_checkpoint_saves_each_epoch_under_its_name(tmp_path):
    model = run(ModelCheckpoint(tmp_path / "sub" / "{epoch:02d}-{loss:.1f}.keras"), [3, 2.25])
    folder = tmp_path / "sub"
    assert model.saved == [f"{folder}/01-3.0.keras", f"{folder}/02-2.2.keras"]
    assert folder.is_dir()


def test_checkpoint_saves_the_best_only(tmp_path, capsys):
    path = str(tmp_path / "best.weights.h5")
    callback = ModelCheckpoint(
        path, "loss", verbose=1, save_best_only=True, save_weights_only=True,
        initial_value_threshold=2.5,
    )  # fmt: skip
    model = run(callback, [3, 2, 2.5, 1])
    assert model.saved == [f"weights of {path}"] * 2
    assert "loss improved from 2.50000 to 2.00000" in capsys.readouterr().out


def test_checkpoint_counts_batches_over_epochs(tmp_path):
    callback = ModelCheckpoint(tmp_path / "{epoch}-{batch}.keras", save_freq=3)
    callbacks = CallbackList(callback, model=Model())
    for epoch in range(2):
        callbacks.on_epoch_begin(epoch)
        for batch in range(4):
            callbacks.on_train_batch_end(batch, {"loss": 1.0})
        callbacks.on_epoch_end(epoch, {"loss": 1.0})
    assert callback.model.saved == [f"{tmp_path}/1-3.keras", f"{tmp_path}/2-2.keras"]


def test_checkpoint_counts_steps_that_run_together(tmp_path):
    callback = ModelCheckpoint(tmp_path / "{batch}.keras", save_freq=4)
    callbacks = CallbackList(callback, model=Model())
    callbacks.on_epoch_begin(0)
    for batch in (2, 5, 8):
        callbacks.on_train_batch_end(batch, {})
    assert callback.model.saved == [f"{tmp_path}/6.keras"]


def test_checkpoint_rejects_invalid_arguments(tmp_path):
    with pytest.raises(ValueError, match="unrecognized save_freq"):
        ModelCheckpoint("x.keras", save_freq="batch")
    with pytest.raises(ValueError, match=r"must end in \.keras or \.h5"):
        ModelCheckpoint("x")
    with pytest.raises(ValueError, match=r"must end in \.weights\.h5"):
        ModelCheckpoint("x.keras", save_weights_only=True)
    with pytest.raises(KeyError, match="val_loss"):
        run(ModelCheckpoint(tmp_path / "{val_loss}.keras"), [1])
    (tmp_path / "folder.keras").mkdir()
    with pytest.raises(IsADirectoryError, match="is a folder"):
        run(ModelCheckpoint(tmp_path / "folder.keras"), [1])


def test_checkpoint_without_the_monitored_metric_saves_and_warns(tmp_path):
    callback = ModelCheckpoint(tmp_path / "x.keras", save_best_only=True)
    with pytest.warns(UserWarning, match="'val_loss' is not available"):
        model = run(callback, [1])
    assert len(model.saved) == 1


def read(path):
    with open(path, newline="") as file:
        return list(csv.reader(file))


def test_csv_logger_writes_a_row_per_epoch(tmp_path):
    path = tmp_path / "log.csv"
    run(CSVLogger(path), [3.0, np.float32(2.0)])
    # Without a validation in the first epoch there is room for a later one.
    assert read(path) == [["epoch", "loss", "val_loss"], ["0", "3.0", "NA"], ["1", "2.0", "NA"]]


def test_csv_logger_appends_without_a_second_header(tmp_path):
    path = tmp_path / "log.csv"
    logger = CSVLogger(path, separator=";", append=True)
    run(logger, [3.0])
    run(logger, [2.0])
    lines = [line.split(";")[:2] for line in path.read_text().splitlines()]
    assert lines == [["epoch", "loss"], ["0", "3.0"], ["0", "2.0"]]
    run(CSVLogger(path), [1.0])
    assert len(read(path)) == 2


@pytest.mark.parametrize("loss", [float("nan"), float("inf"), np.float32("nan")])
def test_terminate_on_nan(loss, capsys):
    callbacks = CallbackList(TerminateOnNaN(), model=Model())
    callbacks.on_train_batch_end(0, {"loss": 1.0})
    assert not callbacks.model.stop_training
    callbacks.on_train_batch_end(1, {"loss": loss})
    assert callbacks.model.stop_training
    assert "Batch 1: the loss is" in capsys.readouterr().out
    with pytest.raises(RuntimeError, match="Batch 0: the loss is"):
        TerminateOnNaN(raise_error=True).on_batch_end(0, {"loss": loss})


def test_history_keeps_values_and_epochs():
    history = History()
    model = run(history, [3, 2])
    assert history.history == {"loss": [3, 2]}
    assert history.epoch == [0, 1]
    assert model.history is history


def test_history_plots_a_panel_per_metric():
    pytest.importorskip("matplotlib")
    history = History()
    history.on_train_begin()
    for epoch in range(3):
        history.on_epoch_end(epoch, {"loss": 3 - epoch, "accuracy": epoch, "val_loss": 4 - epoch})
    figure = history.plot()
    assert [axes.get_title() for axes in figure.axes] == ["loss", "accuracy"]
    lines = figure.axes[0].get_lines()
    assert [line.get_label() for line in lines] == ["training", "validation"]
    assert lines[1].get_xydata().tolist() == [[1, 4], [2, 3], [3, 2]]
    with pytest.raises(ValueError, match="after fit"):
        History().plot()


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: EarlyStopping(3), "monitor"),
        (lambda: EarlyStopping(min_delta="a"), "min_delta"),
        (lambda: EarlyStopping(patience="2"), "patience"),
        (lambda: EarlyStopping(patience=-1), "patience"),
        (lambda: EarlyStopping(baseline="x"), "baseline"),
        (lambda: EarlyStopping(start_from_epoch=1.5), "start_from_epoch"),
        (lambda: ReduceLROnPlateau(factor="a"), "factor"),
        (lambda: ReduceLROnPlateau(patience=None), "patience"),
        (lambda: ReduceLROnPlateau(cooldown="1"), "cooldown"),
        (lambda: ModelCheckpoint(3), "filepath"),
        (lambda: ModelCheckpoint("m.keras", save_freq=0), "save_freq"),
        (lambda: CSVLogger(3), "filename"),
        (lambda: TensorBoard(3), "log_dir"),
        (lambda: BackupAndRestore(3), "backup_dir"),
        (lambda: LearningRateScheduler(0.1), "schedule"),
        (lambda: LambdaCallback(on_epoch_end=3), "on_epoch_end"),
    ],
)
def test_arguments_are_checked_by_the_callback_that_takes_them(make, name):
    with pytest.raises(ValueError, match=rf"expected: {name} as "):
        make()


def test_a_hook_that_does_not_exist_is_named_with_the_one_that_was_meant():
    with pytest.raises(TypeError, match="did you mean on_epoch_end="):
        LambdaCallback(on_epochs_end=print)
    assert LambdaCallback(on_test_end=print, tag=3).tag == 3

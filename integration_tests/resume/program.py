"""A training program that kills itself. Started again with the same folder, it resumes.

    python integration_tests/resume/program.py FOLDER [STEP SECONDS]

It sends itself SIGKILL some seconds after a step; at the end it writes its weights.
"""

import os
import signal
import sys
import threading
import time
from pathlib import Path

import numpy as np

import keras_fn as keras
from keras_fn import layers

EPOCHS, BATCH, SAMPLES = 12, 16, 200
STEPS = EPOCHS * -(-SAMPLES // BATCH)


class KillAfter(keras.callbacks.Callback):
    """Kills this process some time after a step of the whole run."""

    def __init__(self, step: int, seconds: float):
        super().__init__()
        self.step, self.seconds = step, seconds

    def on_train_batch_end(self, batch, logs=None):
        if int(self.model.optimizer.iterations.numpy()) == self.step:
            threading.Thread(target=self.kill).start()

    def kill(self):
        time.sleep(self.seconds)
        os.kill(os.getpid(), signal.SIGKILL)


def build():
    """Returns a model with all kinds of state; different in each process until it is restored."""
    x = keras.Input((64,))
    h = layers.Dense(24, activation="relu")(x)
    h = layers.Dropout(0.3)(layers.BatchNormalization()(h))
    model = keras.Model(x, layers.Dense(10, activation="softmax")(h))
    model.compile(
        keras.optimizers.Adam(0.01, use_ema=True, ema_momentum=0.9, ema_overwrite_frequency=7),
        "sparse_categorical_crossentropy", metrics=["accuracy"],
    )  # fmt: skip
    return model


def main(folder: Path, *kill: str) -> None:
    """Trains, and writes weights and history."""
    (x, y), _ = keras.datasets.digits.load_data()
    x, y = (x[:SAMPLES].reshape(-1, 64) / 16).astype("float32"), y[:SAMPLES]
    is_resumed = any((folder / "backup").glob("*.npz"))
    keras.utils.set_random_seed(os.getpid() if is_resumed else 1)
    model = build()
    callbacks = [
        keras.callbacks.BackupAndRestore(folder / "backup", save_freq=3, double_checkpoint=True),
        keras.callbacks.ReduceLROnPlateau("val_loss", factor=0.5, patience=1),
        keras.callbacks.CSVLogger(folder / "log.csv"),
    ]
    if kill:
        callbacks.append(KillAfter(int(kill[0]), float(kill[1])))
    history = model.fit(
        x, y, batch_size=BATCH, epochs=EPOCHS, validation_split=0.2, verbose=0, callbacks=callbacks
    )
    variables = [v.numpy() for v in (*model.variables, *model.optimizer.variables)]
    np.savez(folder / "end.npz", *variables, **history.history)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])

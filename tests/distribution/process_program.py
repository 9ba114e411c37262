"""A program that `keras_fn.launch` starts in two processes of four devices each.

`python process_program.py WHAT FOLDER`: `train` writes the weights of each process; the others do
something wrong in process 1, and write the error that process 0 has.
"""

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

import keras_fn as keras
from keras_fn import distribution, ops

sys.path.append(str(Path(__file__).parents[1] / "helpers"))
from process_model import load_data, load_own_data, make_model, read_batches

what, folder = sys.argv[1], Path(sys.argv[2])
distribution.initialize(timeout=float(os.environ.get("TEST_TIMEOUT", "60")))
process = int(os.environ.get("KERAS_DISTRIBUTION_PROCESS_ID", "0"))
victim = int(os.environ.get("TEST_VICTIM", "1"))


class Strike(keras.callbacks.Callback):
    """Ends one process, in one of several ways, in the middle of a training."""

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if batch == 1 and process == victim and self.model.optimizer.iterations.numpy() > 8:
            (folder / "struck").write_text(str(time.time()))
            if what == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            elif what == "stop":
                os.kill(os.getpid(), signal.SIGSTOP)
            elif what == "raise":
                raise RuntimeError("something of the program's own")


class KillOnce(keras.callbacks.Callback):
    """Kills process 1 in the middle of the third epoch, in the first run only."""

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        if epoch == 2 and process == 1 and not (folder / "killed").exists():
            (folder / "killed").touch()
            os.kill(os.getpid(), signal.SIGKILL)


def train_with_backups(x: np.ndarray, y: np.ndarray) -> None:
    keras.utils.set_random_seed(5)
    with distribution.DataParallel(shard_weights=True).scope():
        model = make_model()
        callbacks = [KillOnce()] if what == "resume" else []
        model.fit(x, y, 32, epochs=4, verbose=0, callbacks=callbacks, resume=folder / "backup")
    weights = [ops.convert_to_numpy(v.value) for v in model.variables]
    np.savez(folder / f"process_{process}.npz", *weights)


def train(x: np.ndarray, y: np.ndarray) -> None:
    """Trains with sharded weights, and writes all kinds of files."""
    keras.utils.set_random_seed(5)
    with distribution.DataParallel(shard_weights=True).scope():
        model = make_model()
        backup = keras.callbacks.BackupAndRestore(folder / "backup", delete_checkpoint=False)
        logger = keras.callbacks.CSVLogger(folder / "log.csv")
        history = model.fit(x, y, 32, epochs=2, verbose=0, callbacks=[backup, logger])
        outputs = model.predict(x, batch_size=101, verbose=0)
        keras.saving.save_model(model, folder / "model.keras")
        model.save_weights(folder / "model.checkpoint")
        values = [*model.get_weights(), np.array(history.history["loss"]), outputs]
    np.savez(folder / f"process_{process}.npz", **{str(i): v for i, v in enumerate(values)})


def train_on_own_data() -> dict[str, Any]:
    """Trains on data that each process has for itself, of unequal lengths."""
    own = load_own_data()[process]
    keras.utils.set_random_seed(5)
    with distribution.DataParallel(auto_shard_dataset=False).scope():
        model = make_model()
        arrays = model.fit(*own, 32, shuffle=False, verbose=0)
        stream = model.fit(
            read_batches([own], 16), epochs=3, verbose=0, callbacks=[StopInProcess1()]
        )
        evaluated = model.evaluate(*own, batch_size=32, verbose=0)
        outputs = model.predict(own[0], batch_size=32, verbose=0)
    losses = [*arrays.history["loss"], *stream.history["loss"], evaluated]
    weights = {f"weight {i}": v.numpy() for i, v in enumerate(model.weights)}
    return {"losses": np.array(losses), "outputs": outputs, **weights}


class StopInProcess1(keras.callbacks.Callback):
    """Stops the training, as a clock of this process would."""

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.model.stop_training = process == 1


def main() -> None:
    x, y = load_data()
    if what == "differ" and process == 1:
        x = x + 1
    if what == "train":
        train(x, y)
        np.savez(folder / f"own_{process}.npz", **train_on_own_data())
        return
    if what in ("resume", "uninterrupted"):
        train_with_backups(x, y)
        return
    with distribution.DataParallel(shard_weights=True).scope():
        model = make_model()
        if what == "save":
            model.fit(x, y, 32, verbose=0)
            if process == 0:
                model.save(folder / "model.keras")
            time.sleep(20)
        else:
            model.fit(x, y, 32, epochs=4000, verbose=0, callbacks=[Strike()])


try:
    main()
except Exception as error:
    started = folder / "struck"
    seconds = time.time() - float(started.read_text()) if started.exists() else 0
    text = f"{seconds:.1f}\n{type(error).__name__}\n{error}"
    (folder / f"error_{process}.txt").write_text(text)
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
    os._exit(3)  # JAX would wait for the other process

"""TensorBoard: logs training for the TensorBoard visualization tool."""

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from keras_fn import ops
from keras_fn._lazy import LazyModule
from keras_fn.backend.loader import current, supports
from keras_fn.callbacks.callback import Callback, Logs, get_last_batch
from keras_fn.callbacks.event_files import EventFileWriter, weight_to_images
from keras_fn.callbacks.learning_rate_scheduler import get_learning_rate, named_optimizers
from keras_fn.callbacks.step_counter import StepCounter
from keras_fn.core.argument_forms import PATH, check_arguments
from keras_fn.distribution.processes import is_primary
from keras_fn.errors import SpecError, UnsupportedError
from keras_fn.layers.core.embedding import Embedding
from keras_fn.types import PathLike

_projector = LazyModule("tensorboard.plugins.projector.projector_config_pb2")

_text_format = LazyModule("google.protobuf.text_format")


class TensorBoard(Callback):
    """TensorBoard logging: writes event files for `tensorboard --logdir logs`.

    Training events are in the subfolder `train`, validation events in `validation`. It requires
    TensorBoard's library (`pip install "keras-fn[tensorboard]"`), but not TensorFlow.

    Args:
        log_dir: Folder of the event files.
        histogram_freq: Number of epochs between histograms of all weights; 0 for no histograms.
        write_graph: Whether to write the graph of the model.
        write_images: Whether to write the weights as images too, together with the histograms.
        write_steps_per_second: Whether to log the training speed.
        update_freq: `"epoch"`, `"batch"`, or the number of batches between two logs of loss and
            metrics. Reading them waits for the device.
        profile_batch: The batch to profile, counted from 1, or a pair of the first and the last
            batch; 0 for no profile.
        embeddings_freq: Number of epochs between exports of the `Embedding` weights for the
            embedding projector; 0 for no export.
        embeddings_metadata: Path of a file with one line of metadata per row of the embedding; for
            several embeddings, a dict of such paths by layer name.

    Raises:
        ImportError: TensorBoard is not installed; raised at the start of training.
        ValueError: `update_freq` or `profile_batch` is invalid.
        UnsupportedError: `profile_batch` is set, and the backend has no profiler.

    Example:
        >>> import tempfile
        >>> folder = tempfile.mkdtemp()
        >>> x = keras.Input((2,))
        >>> model = keras.Model(x, keras.layers.Dense(1)(x))
        >>> model.compile("sgd", "mse")
        >>> callback = keras.callbacks.TensorBoard(folder, histogram_freq=1)
        >>> _ = model.fit(np.ones((4, 2)), np.ones(4), verbose=0, callbacks=[callback])
        >>> os.listdir(folder)
        ['train']
    """

    def __init__(
        self,
        log_dir: PathLike = "logs",
        histogram_freq: int = 0,
        write_graph: bool = True,
        write_images: bool = False,
        write_steps_per_second: bool = False,
        update_freq: str | int = "epoch",
        profile_batch: int | str | Sequence[int] = 0,
        embeddings_freq: int = 0,
        embeddings_metadata: PathLike | Mapping[str, PathLike] | None = None,
    ):
        super().__init__()
        check_arguments("TensorBoard", {"log_dir": PATH}, {"log_dir": log_dir})
        self.log_dir = os.fspath(log_dir)
        self.histogram_freq, self.write_graph = histogram_freq, write_graph
        self.write_images, self.write_steps_per_second = write_images, write_steps_per_second
        self.update_freq: Any = 1 if update_freq == "batch" else update_freq
        self.embeddings_freq, self.embeddings_metadata = embeddings_freq, embeddings_metadata
        if self.update_freq != "epoch" and not _is_int(self.update_freq, minimum=1):
            raise SpecError(
                "TensorBoard",
                expected='update_freq as "epoch", "batch" or a number of batches',
                received=f"{update_freq!r}",
                fix='pass update_freq="epoch"',
            )
        self._first, self._last = _parse_profile_batch(profile_batch)
        self._files: dict[str, EventFileWriter] = {}
        self._profile: Any = None  # a context manager that was entered
        self._is_profiled = False
        # Batch-level hooks only where they are needed: training is faster without.
        if self.update_freq != "epoch" or self._last:
            self.on_train_batch_end = self._end_batch
        if self._last:
            self.on_train_batch_begin = self._begin_profile

    def _file(self, run: str) -> EventFileWriter:
        if run not in self._files:
            self._files[run] = EventFileWriter(os.path.join(self.log_dir, run))
        return self._files[run]

    def _flush(self) -> None:
        for file in self._files.values():
            file.flush()

    def _iterations(self) -> int:
        optimizer = self.model.optimizer
        return 0 if optimizer is None else int(ops.convert_to_numpy(optimizer.iterations))

    # ---------------------------------------------------------------- training

    def on_train_begin(self, logs: Logs = None) -> None:
        """Opens new files, and writes the graph."""
        if self._last and not supports("profile"):
            raise UnsupportedError(
                f"The backend {current().name!r} has no profiler.", fix="pass profile_batch=0"
            )
        self._files = {}
        self._is_profiled = False
        self._counter, self._before = StepCounter(), self._iterations()
        self._written, self._written_at = 0, time.perf_counter()
        if self.write_graph:
            self._file("train").add_graph(self.model)
        if self.embeddings_freq:
            self._write_projector_config()

    def next_batch_due(self, batch: int) -> int | None:
        """Returns the next batch after which logs are written, or a profile starts or stops.

        Args:
            batch: Index of the next batch in the epoch, from 0.
        """
        totals = [] if self.update_freq == "epoch" else [self._written + self.update_freq]
        if self._last:
            totals += [n for n in (self._first - 1, self._last) if n > self._counter.total]
        return min((self._counter.batch_at(batch, n) for n in totals), default=None)

    def _end_batch(self, batch: int, logs: Logs = None) -> None:
        self._counter.advance(get_last_batch(batch, logs))
        done = self._counter.total
        if self._profile is not None and done >= self._last:
            list((logs or {}).values())  # waits for the device: its work is part of the batch
            self._end_profile()
        if self.update_freq == "epoch" or done - self._written < self.update_freq:
            return
        step, file = self._before + done, self._file("train")
        for name, value in _scalar_logs(logs):
            file.add_scalar(f"batch_{name}", value, step)
        if self.write_steps_per_second:
            now = time.perf_counter()
            speed = (done - self._written) / (now - self._written_at)
            file.add_scalar("batch_steps_per_second", speed, step)
            self._written_at = now
        self._written = done

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Starts the timer of the epoch."""
        self._counter.begin_epoch()
        self._epoch_start = time.perf_counter()
        self._epoch_iterations = self._iterations() if self.write_steps_per_second else 0

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Writes the logs, weights and embeddings of the epoch."""
        for name, value in _scalar_logs(logs):
            run = "validation" if name.startswith("val_") else "train"
            self._file(run).add_scalar(f"epoch_{name.removeprefix('val_')}", value, epoch)
        train = self._file("train")
        if self.model.optimizer is not None:
            for name, optimizer in named_optimizers(self.model).items():
                train.add_scalar(f"epoch_{name}", get_learning_rate(optimizer), epoch)
        if self.write_steps_per_second:
            steps = self._iterations() - self._epoch_iterations
            speed = steps / (time.perf_counter() - self._epoch_start)
            train.add_scalar("epoch_steps_per_second", speed, epoch)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            self._write_weights(train, epoch)
        if self.embeddings_freq and epoch % self.embeddings_freq == 0:
            self._write_embeddings()
        self._flush()

    def _write_weights(self, file: EventFileWriter, epoch: int) -> None:
        for path, weight in _named_weights(self.model):
            values = weight.numpy()
            file.add_histogram(f"{path}/histogram", values, epoch)
            if self.write_images and values.size:
                file.add_images(f"{path}/image", weight_to_images(values), epoch)

    def on_test_end(self, logs: Logs = None) -> None:
        """Writes the logs of a validation or of `evaluate`, at the current training step."""
        step, file = self._iterations(), self._file("validation")
        for name, value in _scalar_logs(logs):
            file.add_scalar(f"evaluation_{name}_vs_iterations", value, step)
        file.flush()

    def on_train_end(self, logs: Logs = None) -> None:
        """Stops the profile, and flushes the files."""
        self._end_profile()
        self._flush()

    # ---------------------------------------------------------------- profile

    def _begin_profile(self, batch: int, logs: Logs = None) -> None:
        if not self._is_profiled and self._counter.total + 1 >= self._first:
            self._is_profiled = True
            profile: Callable[[str], Any] = current().profile  # pyright: ignore[reportAttributeAccessIssue]
            self._profile = profile(os.path.join(self.log_dir, "train"))
            self._profile.__enter__()

    def _end_profile(self) -> None:
        if self._profile is not None:
            profile, self._profile = self._profile, None
            profile.__exit__(None, None, None)

    # ---------------------------------------------------------------- embeddings

    def _embeddings(self) -> dict[str, Any]:
        layers = self.model._flatten_layers()
        return {layer.name: layer for layer in layers if isinstance(layer, Embedding)}

    def _write_projector_config(self) -> None:
        """Writes the configuration of the projector: the files of weights and metadata."""
        names = list(self._embeddings())
        metadata: Any = self.embeddings_metadata or {}
        if len(names) == 1 and not isinstance(metadata, dict):
            metadata = {names[0]: metadata}
        if not isinstance(metadata, dict) or set(metadata) - set(names):
            raise SpecError(
                "TensorBoard",
                expected=f"embeddings_metadata by the names of Embedding layers: {names}",
                received=f"{self.embeddings_metadata!r}",
                fix="pass a dict of paths with these names as keys",
            )
        config = _projector.ProjectorConfig()
        for name in names:
            path = f"{name}.tsv"
            entry = config.embeddings.add(tensor_name=name, tensor_path=path)
            if name in metadata:
                entry.metadata_path = os.fspath(metadata[name])
        if not is_primary():
            return
        Path(self.log_dir).mkdir(parents=True, exist_ok=True)
        text = _text_format.MessageToString(config)
        Path(self.log_dir, "projector_config.pbtxt").write_text(text, "utf-8")

    def _write_embeddings(self) -> None:
        for name, layer in self._embeddings().items():
            path = Path(self.log_dir, f"{name}.tsv")
            values = np.asarray(layer.embeddings.numpy(), "float32")  # gathered from all processes
            if is_primary():
                np.savetxt(path, values, "%.7g", "\t")


def _scalar_logs(logs: Logs) -> list[tuple[str, Any]]:
    """Returns the scalars of the logs; a metric may have several values."""
    return [(name, value) for name, value in (logs or {}).items() if np.ndim(value) == 0]


def _is_int(x: Any, minimum: int) -> bool:
    return isinstance(x, int) and not isinstance(x, bool) and x >= minimum


def _parse_profile_batch(profile_batch: Any) -> tuple[int, int]:
    """Returns the first and the last batch to profile, or two zeros."""
    pair: Any = profile_batch
    if isinstance(pair, str):
        pair = [int(part) if part.strip().isdigit() else part for part in pair.split(",")]
    if isinstance(pair, int):
        pair = (pair, pair)
    is_pair = len(pair) == 2 and all(_is_int(n, minimum=0) for n in pair)
    if not is_pair or pair[0] > pair[1]:
        raise SpecError(
            "TensorBoard",
            expected="profile_batch as the number of a batch, or a pair of numbers",
            received=f"{profile_batch!r}",
            fix="for example profile_batch=(10, 20)",
        )
    return pair[0], pair[1]


def _named_weights(model: Any) -> Iterator[tuple[str, Any]]:
    """Yields the weights of a model with unique names."""
    occurrences: dict[str, int] = {}
    for weight in model.weights:
        count = occurrences[weight.path] = occurrences.get(weight.path, 0) + 1
        yield (weight.path if count == 1 else f"{weight.path}_{count - 1}"), weight

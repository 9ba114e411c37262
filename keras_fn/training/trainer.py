"""fit, evaluate, predict: the loops, written once over the steps that a backend compiles."""

from collections.abc import Callable
from typing import Any

import numpy as np

from keras_fn import ops
from keras_fn.callbacks.backup_and_restore import BackupAndRestore, ResumableRun
from keras_fn.callbacks.callback_list import CallbackList
from keras_fn.callbacks.history import History
from keras_fn.callbacks.progress_display import EpochDisplay
from keras_fn.core import tree
from keras_fn.core.cleanup import run
from keras_fn.core.operation import infer
from keras_fn.core.tracebacks import entrance
from keras_fn.data_adapters import binding
from keras_fn.data_adapters.data_adapter_utils import unpack_x_y_sample_weight
from keras_fn.training.epoch_runner import EpochRunner, concat_outputs
from keras_fn.training.train_step import TrainStepMixin, symbol


class Trainer(TrainStepMixin):
    """What makes a layer a model that can be trained. `Model` is a Trainer and a Layer."""

    @entrance
    @run
    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: dict[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: Any = 1,
        resume: Any = None,
    ) -> History:
        """Trains the model.

        Args:
            x: Inputs: arrays or tensors (a list or a dict of them for several inputs), or
                something that yields batches `(x, y)` or `(x, y, sample_weight)`.
            y: Targets, one array an output; not with data that yields batches.
            batch_size: Samples in a step; 32 by default.
            epochs: Index of the epoch at which to stop.
            verbose: 0 silent, 1 a progress line, 2 a line an epoch, `"auto"`.
            callbacks: Callbacks.
            validation_split: The last part of the arrays that is not trained on but evaluated.
            validation_data: What to evaluate after epochs: `(x, y)`, `(x, y, sample_weight)`, or
                data that yields batches.
            shuffle: Whether each epoch sees the samples in an order of its own.
            class_weight: What samples of each class count.
            sample_weight: What each sample counts.
            initial_epoch: Index of the first epoch.
            steps_per_epoch: Batches in an epoch; all by default.
            validation_steps: Batches in a validation; all by default.
            validation_batch_size: Samples in a validation step; `batch_size` by default.
            validation_freq: Every how many epochs to validate, or a list of epochs.
            resume: A folder for this run: if the program is killed and started again, training
                goes on where it was, as with `callbacks.BackupAndRestore(resume)`.

        Returns:
            The history: what was measured, epoch by epoch.

        Raises:
            ValueError: The data does not fit the model; nothing has changed then.
        """
        self._require_compiled("fit")
        data, held_out = binding.training_data(
            self,
            x,
            y,
            sample_weight,
            class_weight,
            batch_size,
            shuffle,
            steps_per_epoch,
            validation_split,
        )
        if validation_data is None:
            validation_data = held_out
        self._prepare(data.peek())
        binding.check_targets(self, data)
        validation = None
        if validation_data is not None:
            size = validation_batch_size or batch_size
            validation = binding.validation_data(self, validation_data, size, validation_steps)
        if resume is not None:
            callbacks = [callbacks or [], BackupAndRestore(resume)]
        watchers = (
            callbacks
            if isinstance(callbacks, CallbackList)
            else CallbackList(
                callbacks,
                add_history=True,
                model=self,
                epochs=epochs,
                verbose=verbose,
                steps=len(data) or None,
            )
        )
        self.stop_training = False
        begun = ResumableRun(self, data, watchers.callbacks, initial_epoch)
        training = EpochRunner(self, "train", data, watchers)

        def validate(epoch: int) -> dict[str, Any]:
            if validation is None or not _due(epoch, validation_freq):
                return {}
            return self._validate(validation, watchers)

        watchers.on_train_begin()
        begun.after_train_begin()
        logs = self._run_epochs(training, validate, watchers, begun, epochs, verbose)
        self._finalize()
        watchers.on_train_end(logs)
        self.history = next(c for c in watchers.callbacks if isinstance(c, History))
        return self.history

    def _run_epochs(
        self,
        training: EpochRunner,
        validate: Callable[[int], dict[str, Any]],
        watchers: CallbackList,
        begun: ResumableRun,
        epochs: int,
        verbose: Any,
    ) -> dict[str, Any]:
        """Runs the epochs that are left; returns the logs of the last."""
        logs: dict[str, Any] = {}
        total = len(training.data) or None
        for epoch in range(begun.start.epoch, epochs):
            step = begun.start.step if epoch == begun.start.epoch else 0
            if self.stop_training and not step:
                break  # the run that is resumed had come so far
            if not step:
                self.reset_metrics()
            watchers.on_epoch_begin(epoch)
            begun.after_epoch_begin()
            with EpochDisplay(total, epoch, epochs, verbose, self._read_metrics) as display:
                display.advance(step)
                last = training.last(epoch, display, step, begun.start.logs or None)
                shown = self._read(last) if isinstance(last, dict) else self._read_metrics()
                logs = dict(sorted(shown.items()))
                logs.update((f"val_{k}", v) for k, v in sorted(validate(epoch).items()))
                display.finish(logs)
            watchers.on_epoch_end(epoch, logs)
            if self.stop_training:
                break
        return logs

    def _finalize(self) -> None:
        if self.optimizer is not None and self.optimizer.built:
            self.optimizer.finalize_variable_values(self.trainable_variables)

    def _validate(self, data: Any, watchers: Any) -> dict[str, Any]:
        """Evaluates without disturbing what is being measured: it has been read already."""
        self.reset_metrics()
        watchers.on_test_begin()
        result = EpochRunner(self, "test", data, watchers).last(0)
        logs = self._read(result) if isinstance(result, dict) else self._read_metrics()
        watchers.on_test_end(logs)
        return logs

    @entrance
    @run
    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: Any = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Measures loss and metrics on data; arguments as in `fit`.

        Returns:
            The loss, or a list of the loss and the metrics in the order of `metrics_names`; with
            `return_dict`, a dict by name.
        """
        if kwargs:
            raise TypeError(f"evaluate does not take {', '.join(kwargs)}.")
        self._require_compiled("evaluate")
        data = binding.batches(self, x, y, sample_weight, batch_size or 32, False, steps)
        self._prepare(data.peek())
        binding.check_targets(self, data)
        watchers = (
            callbacks
            if isinstance(callbacks, CallbackList)
            else CallbackList(callbacks, model=self, steps=len(data) or None, verbose=verbose)
        )
        self.reset_metrics()
        watchers.on_test_begin()
        with EpochDisplay(len(data) or None, 0, 1, verbose, self._read_metrics) as display:
            last = EpochRunner(self, "test", data, watchers).last(0, display)
            logs = self._read(last) if isinstance(last, dict) else self._read_metrics()
            display.finish(dict(sorted(logs.items())))
        watchers.on_test_end(logs)
        if return_dict:
            return logs
        values = list(logs.values())
        return values[0] if len(values) == 1 else values

    @entrance
    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: Any = "auto",
        steps: int | None = None,
        callbacks: Any = None,
    ) -> Any:
        """Returns the outputs for the inputs, as NumPy arrays.

        Args:
            x: Inputs, as in `fit`.
            batch_size: Samples in a step; 32 by default.
            verbose: As in `fit`.
            steps: Batches, for data without an end.
            callbacks: Callbacks.

        Returns:
            Arrays nested like the model's outputs.
        """
        is_observed = verbose != 0 or callbacks is not None or steps is not None
        if not is_observed and _is_one_batch(x, batch_size or 32):
            return self._predict_array(x)
        return self._predict_batches(x, batch_size or 32, verbose, steps, callbacks)

    @run
    def _predict_batches(
        self, x: Any, batch_size: int, verbose: Any, steps: int | None, callbacks: Any
    ) -> Any:
        data = binding.batches(self, x, None, None, batch_size, False, steps, x_only=True)
        self._prepare_for_predict(data.peek())
        watchers = (
            callbacks
            if isinstance(callbacks, CallbackList)
            else CallbackList(callbacks, model=self, steps=len(data) or None, verbose=verbose)
        )
        watchers.on_predict_begin()
        with EpochDisplay(len(data) or None, 0, 1, verbose, dict) as display:
            results = list(EpochRunner(self, "predict", data, watchers).epoch(0, display))
            display.finish({})
        watchers.on_predict_end()
        if not results:
            raise ValueError(f"{self._label}: predict got no batch.")
        return concat_outputs(results)

    def _prepare_for_predict(self, rows: Any) -> None:
        if not self.built:
            x, _, _ = rows
            symbols = tree.map_structure(symbol, binding.arranged(self, x))
            infer(lambda x: self(x, training=False), (symbols,), {})

    # ---------------------------------------------------------------- single batches

    @entrance
    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: dict[int, float] | None = None,
        return_dict: bool = False,
    ) -> Any:
        """Trains on one batch; returns loss and metrics so far, as `evaluate` does."""
        self._require_compiled("train_on_batch")
        return self._on_batch("train", x, y, sample_weight, class_weight, return_dict)

    @entrance
    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """Evaluates one batch; returns loss and metrics so far, as `evaluate` does."""
        self._require_compiled("test_on_batch")
        return self._on_batch("test", x, y, sample_weight, None, return_dict)

    def _on_batch(
        self, kind: str, x: Any, y: Any, sample_weight: Any, class_weight: Any, return_dict: bool
    ) -> Any:
        rows = binding.rows(self, x, y, sample_weight, class_weight)
        self._prepare(rows)
        binding.check_rows(self, rows)
        result = self._get_step_function(kind)(binding.one_batch(rows), None)
        logs = self._read(result) if isinstance(result, dict) else self._read_metrics()
        if return_dict:
            return logs
        values = list(logs.values())
        return values[0] if len(values) == 1 else values

    def make_train_function(self, force: bool = False) -> Callable[[Any], dict[str, Any]]:
        """Sets and returns `train_function`: it trains on the next batch of an iterator.

        Args:
            force: Whether to make it anew.
        """
        return self._function_of_iterator("train", force)

    def make_test_function(self, force: bool = False) -> Callable[[Any], dict[str, Any]]:
        """Sets and returns `test_function`: it evaluates the next batch of an iterator.

        Args:
            force: Whether to make it anew.
        """
        return self._function_of_iterator("test", force)

    def make_predict_function(self, force: bool = False) -> Callable[[Any], Any]:
        """Sets and returns `predict_function`: it gives the outputs for an iterator's next batch.

        Args:
            force: Whether to make it anew.
        """
        return self._function_of_iterator("predict", force)

    def _function_of_iterator(self, kind: str, force: bool) -> Callable[[Any], Any]:
        if force:
            self._functions.clear()

        def run(iterator: Any) -> Any:
            batch = unpack_x_y_sample_weight(next(iterator))
            if kind == "predict":
                return self.predict_on_batch(batch[0])
            on_batch = {"train": self.train_on_batch, "test": self.test_on_batch}[kind]
            return on_batch(*batch, return_dict=True)

        setattr(self, f"{kind}_function", run)
        return run

    @entrance
    def predict_on_batch(self, x: Any) -> Any:
        """Returns the outputs for one batch, as NumPy arrays."""
        return self._predict_array(x)

    def _predict_array(self, x: Any) -> Any:
        """Returns the outputs for inputs that go through the model together."""
        rows = binding.rows(self, x, None, None, None)
        self._prepare_for_predict(rows)
        outputs = self._get_step_function("predict")(binding.one_batch(rows), None)
        return tree.map_structure(ops.convert_to_numpy, outputs)


def _is_one_batch(x: Any, batch_size: int) -> bool:
    return isinstance(x, np.ndarray) and x.ndim > 0 and 0 < len(x) <= batch_size


def _due(epoch: int, freq: Any) -> bool:
    return epoch + 1 in freq if isinstance(freq, (list, tuple, set)) else (epoch + 1) % freq == 0

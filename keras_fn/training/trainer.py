"""`fit`, `evaluate` and `predict`: the loops over the steps that a backend compiles."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Unpack, cast

import numpy as np

from keras_fn import ops
from keras_fn.callbacks.backup_and_restore import BackupAndRestore, ResumableRun
from keras_fn.callbacks.callback import Callback
from keras_fn.callbacks.callback_list import CallbackList
from keras_fn.callbacks.history import History
from keras_fn.callbacks.progress_display import EpochDisplay
from keras_fn.core import tree
from keras_fn.core.cleanup import with_cleanup
from keras_fn.core.tracebacks import filter_traceback
from keras_fn.data_adapters.array_data_adapter import ArrayDataAdapter
from keras_fn.data_adapters.data_adapter import DataAdapter
from keras_fn.data_adapters.data_adapter_utils import (
    FlatBatch,
    map_leaves,
    unpack_x_y_sample_weight,
)
from keras_fn.data_adapters.factory import (
    ValidationSplit,
    get_data_adapter,
    get_training_adapter,
    get_validation_adapter,
)
from keras_fn.data_adapters.host_rows import to_batch
from keras_fn.data_adapters.own_data_adapter import OwnDataAdapter, join_own_data
from keras_fn.errors import SpecError, unexpected_arguments
from keras_fn.settings import settings
from keras_fn.training.data_binding import DataBinder
from keras_fn.training.epoch_runner import EpochRunner, concat_outputs
from keras_fn.training.loop_arguments import check_loop_arguments, limit_epochs, limit_steps
from keras_fn.training.train_step import TrainStepMixin
from keras_fn.types import AnyModel, DataLike, Nested, NoArguments, PathLike, Verbosity

Callbacks = Callback | Sequence[Callback | Sequence[Callback]] | None


class Trainer(TrainStepMixin):
    """The training half of a `Model`: `fit`, `evaluate`, `predict` and single-batch methods."""

    @filter_traceback
    @with_cleanup
    def fit(
        self,
        x: DataLike | None = None,
        y: DataLike | None = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Verbosity = "auto",
        callbacks: Callbacks = None,
        validation_split: float = 0.0,
        validation_data: DataLike | ValidationSplit | None = None,
        shuffle: bool = True,
        class_weight: Mapping[int, float] | None = None,
        sample_weight: DataLike | None = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: int | Collection[int] = 1,
        resume: PathLike | None = None,
    ) -> History:
        """Trains the model for a number of epochs.

        Args:
            x: Inputs: arrays or tensors whose first axis is the samples (a list or a dict of them
                for several inputs), or an iterable or `PyDataset` that yields batches `(x, y)` or
                `(x, y, sample_weight)`.
            y: Targets, one array for each output; not with data that yields batches.
            batch_size: Number of samples in a step. Default 32.
            epochs: Index of the epoch at which to stop: the number of epochs if `initial_epoch`
                is 0.
            verbose: 0 for silent, 1 for a progress bar, 2 for one line per epoch, or `"auto"`.
            callbacks: A callback, or a list of callbacks.
            validation_split: Fraction of the arrays to evaluate on instead of training on them:
                the last samples.
            validation_data: Data to evaluate on after epochs: `(x, y)`, `(x, y, sample_weight)`, or
                data that yields batches.
            shuffle: Whether to shuffle the samples before each epoch.
            class_weight: Weight of each class index in the loss. Default 1.
            sample_weight: Weight of each sample in the loss, of shape (samples,), or of each of its
                values, of shape (samples, ...). Default 1.
            initial_epoch: Index of the first epoch.
            steps_per_epoch: Number of batches in an epoch. Default: all.
            validation_steps: Number of batches in a validation. Default: all.
            validation_batch_size: Number of samples in a validation step. Default `batch_size`.
            validation_freq: Number of epochs between validations, or the epochs (counted from 1) to
                validate after.
            resume: Folder for backups of this run: if the program is killed and started again,
                training continues where it was, as with `callbacks.BackupAndRestore(resume)`.

        Returns:
            A `History`: its `history` has the loss and the metrics of each epoch by name.

        Raises:
            ValueError: The model is not compiled, or the data does not fit it. Nothing has changed
                then.

        Example:
            >>> x = keras.Input((2,))
            >>> model = keras.Model(x, keras.layers.Dense(1)(x))
            >>> model.compile("sgd", "mse")
            >>> history = model.fit(np.ones((8, 2)), np.ones((8, 1)), epochs=3, verbose=0)
            >>> len(history.history["loss"])
            3
        """
        self._require_compiled("fit")
        check_loop_arguments(self._label, **locals())
        epochs = limit_epochs(epochs, initial_epoch)
        binder = DataBinder(self)
        data, split = get_training_adapter(
            binder,
            (x, y, sample_weight),
            class_weight=class_weight,
            batch_size=batch_size,
            steps=steps_per_epoch,
            shuffle=shuffle,
            validation_split=validation_split,
        )
        self._build_and_check(binder, data := join_own_data(data, batch_size))
        validation = self._get_validation_adapter(
            binder,
            validation_data if validation_data is not None else split,
            validation_batch_size or batch_size,
            validation_steps,
        )
        run_callbacks = callbacks if resume is None else [callbacks or [], BackupAndRestore(resume)]
        verbose = self._join_processes(data, verbose)
        params: dict[str, Any] = {"epochs": epochs, "verbose": verbose, "add_history": True}
        callback_list = self._make_callback_list(run_callbacks, data, **params)
        self.stop_training = False
        resumable_run = ResumableRun(cast(Any, self), data, callback_list.callbacks, initial_epoch)
        runner = EpochRunner(self, "train", data, callback_list)

        def validate(epoch: int) -> dict[str, Any]:
            if validation is not None and _should_validate(epoch, validation_freq):
                return self._validate(validation, callback_list)
            return {}

        callback_list.on_train_begin()
        resumable_run.after_train_begin()
        logs = self._run_epochs(runner, validate, callback_list, resumable_run, epochs, verbose)
        self._finalize_optimizer()
        callback_list.on_train_end(logs)
        self.history = next(c for c in callback_list.callbacks if isinstance(c, History))
        return self.history

    def _join_processes(self, data: DataAdapter, verbose: Verbosity) -> Verbosity:
        """Checks that all processes train the same; returns what this one of them shows."""
        distribution = settings.distribution
        if distribution is None:
            return verbose
        distribution.check_processes(f"{self._label}, fit", self._state("train"), data)
        return distribution.own_verbosity(verbose)

    def _build_and_check(self, binder: DataBinder, data: DataAdapter) -> None:
        """Builds the model for the data, and checks the targets: of all arrays, or of a batch."""
        limit_steps(data)
        self._build_for_training(data.peek(), binder)
        binder.check_targets(data.peek())

    def _get_validation_adapter(
        self, binder: DataBinder, data: Any, batch_size: int | None, steps: int | None
    ) -> DataAdapter | None:
        if data is None:
            return None
        adapter = get_validation_adapter(binder, data, batch_size, steps)
        limit_steps(adapter)
        if isinstance(adapter, ArrayDataAdapter):
            DataBinder(self).check_targets(adapter.peek())
        return join_own_data(adapter, batch_size)

    def _make_callback_list(self, callbacks: Any, data: DataAdapter, **params: Any) -> CallbackList:
        if isinstance(callbacks, CallbackList):
            if params.get("add_history") and not any(
                isinstance(c, History) for c in callbacks.callbacks
            ):
                callbacks.append(History())
            return callbacks
        steps = len(data) or None
        return CallbackList(callbacks, model=cast(AnyModel, self), steps=steps, **params)

    def _run_epochs(self, *arguments: Any) -> dict[str, Any]:
        """Runs the remaining epochs; an error says so if its cause is in another process."""
        try:
            return self._run_each_epoch(*arguments)
        except Exception as error:
            if settings.distribution is not None:
                settings.distribution.raise_failure(f"{self._label}, fit", error)
            raise

    def _run_each_epoch(
        self,
        runner: EpochRunner,
        validate: Callable[[int], dict[str, Any]],
        callback_list: CallbackList,
        resumable_run: ResumableRun,
        epochs: int,
        verbose: Verbosity,
    ) -> dict[str, Any]:
        """Runs the remaining epochs and returns the logs of the last one."""
        logs: dict[str, Any] = {}
        total, position = len(runner.data) or None, resumable_run.start
        for epoch in range(position.epoch, epochs):
            step = position.step if epoch == position.epoch else 0
            if self.stop_training and not step:
                break  # the run that is resumed had been stopped here
            if not step:
                self.reset_metrics()
            callback_list.on_epoch_begin(epoch)
            resumable_run.after_epoch_begin()
            with EpochDisplay(total, epoch, epochs, verbose, self._read_own_metrics) as display:
                display.advance(step)
                result = runner.run_epoch(epoch, display, step, position.logs or None)
                if not step and not runner.steps_done:
                    break  # the data has ended, and a warning says so
                logs = dict(sorted(self._read_results(result).items()))
                logs.update((f"val_{k}", v) for k, v in sorted(validate(epoch).items()))
                display.finish(logs)
            callback_list.on_epoch_end(epoch, logs)
            if settings.distribution is not None:  # one that decides by its clock stops all
                self.stop_training = settings.distribution.is_any(self.stop_training)
            if self.stop_training:
                break
        return logs

    def _finalize_optimizer(self) -> None:
        if self.optimizer is not None and self.optimizer.built:
            self.optimizer.finalize_variable_values(self.trainable_variables)

    def _read_results(self, result: Any) -> dict[str, Any]:
        """Returns a step's results on the host: its dict, or else the results of the metrics."""
        return self._read(result) if isinstance(result, dict) else self._read_metrics()

    def _validate(self, data: DataAdapter, callback_list: CallbackList) -> dict[str, Any]:
        """Evaluates within `fit`. The training metrics are reset: they have been read."""
        self.reset_metrics()
        self.stop_evaluating = False
        callback_list.on_test_begin()
        runner = EpochRunner(self, "test", data, callback_list)
        result = runner.run_epoch(0)
        logs = self._read_results(result) if runner.steps_done else {}  # the data has ended
        callback_list.on_test_end(logs)
        return logs

    @filter_traceback
    @with_cleanup
    def evaluate(
        self,
        x: DataLike | None = None,
        y: DataLike | None = None,
        batch_size: int | None = None,
        verbose: Verbosity = "auto",
        sample_weight: DataLike | None = None,
        steps: int | None = None,
        callbacks: Callbacks = None,
        return_dict: bool = False,
        **kwargs: Unpack[NoArguments],
    ) -> Any:
        """Computes the loss and the metrics on data.

        Args:
            x: Inputs: arrays, or data that yields batches, as in `fit`.
            y: Targets, one array for each output; not with data that yields batches.
            batch_size: Number of samples in a step. Default 32.
            verbose: 0 for silent, 1 for a progress bar, 2 for one line, or `"auto"`.
            sample_weight: Weight of each sample, of shape (samples,). Default 1.
            steps: Number of batches. Default: all.
            callbacks: A callback, or a list of callbacks.
            return_dict: Whether to return a dict.
            **kwargs: None are supported.

        Returns:
            The loss as a float, or a list of the loss and the metrics in the order of
            `metrics_names`; with `return_dict`, a dict by name.

        Raises:
            ValueError: The model is not compiled, or the data does not fit it.
            TypeError: An argument is unknown.
        """
        if kwargs:
            known = inspect.signature(self.evaluate).parameters
            raise unexpected_arguments("evaluate", kwargs, [k for k in known if k != "kwargs"])
        self._require_compiled("evaluate")
        check_loop_arguments(self._label, **locals())
        binder = DataBinder(self)
        data = get_data_adapter(binder, x, y, sample_weight, batch_size=batch_size, steps=steps)
        data = join_own_data(data, batch_size)
        self._build_and_check(binder, data)
        total = len(data) or None
        if settings.distribution is not None:
            verbose = settings.distribution.own_verbosity(verbose)
        callback_list = self._make_callback_list(callbacks, data, verbose=verbose)
        self.reset_metrics()
        self.stop_evaluating = False
        callback_list.on_test_begin()
        with EpochDisplay(total, 0, 1, verbose, self._read_own_metrics) as display:
            runner = EpochRunner(self, "test", data, callback_list)
            logs = self._read_results(runner.run_epoch(0, display))
            display.finish(dict(sorted(logs.items())))
        callback_list.on_test_end(logs)
        return logs if return_dict else _as_scalar_or_list(logs)

    @filter_traceback
    def predict(
        self,
        x: DataLike,
        batch_size: int | None = None,
        verbose: Verbosity = "auto",
        steps: int | None = None,
        callbacks: Callbacks = None,
    ) -> Any:
        """Computes the outputs of the model for inputs, in inference mode.

        Args:
            x: Inputs: arrays, or data that yields batches (whose targets are ignored), as in `fit`.
            batch_size: Number of samples in a step. Default 32.
            verbose: 0 for silent, 1 for a progress bar, 2 for one line, or `"auto"`.
            steps: Number of batches; needed for infinite data. Default: all.
            callbacks: A callback, or a list of callbacks.

        Returns:
            NumPy arrays whose first axis is the samples, nested like the outputs of the model.

        Raises:
            ValueError: The data does not fit the model, or yields no batch.
        """
        has_options = verbose != 0 or callbacks is not None or steps is not None
        if has_options or batch_size is not None:
            check_loop_arguments(self._label, **locals())
        if not has_options and _is_one_batch(x, batch_size or 32) and _is_same_data():
            return self._predict_array(x)
        return self._predict_batches(x, batch_size, verbose, steps, callbacks)

    @with_cleanup
    def _predict_batches(
        self, x: Any, batch_size: int | None, verbose: Any, steps: int | None, callbacks: Any
    ) -> Any:
        data = get_data_adapter(
            DataBinder(self), x, batch_size=batch_size, steps=steps, inputs_only=True
        )
        data = join_own_data(data, batch_size)
        limit_steps(data)
        self._build_for_prediction(data.peek())
        total = len(data) or None
        if settings.distribution is not None:
            verbose = settings.distribution.own_verbosity(verbose)
        callback_list = self._make_callback_list(callbacks, data, verbose=verbose)
        self.stop_predicting = False
        callback_list.on_predict_begin()
        with EpochDisplay(total, 0, 1, verbose, dict) as display:
            runner = EpochRunner(self, "predict", data, callback_list)
            outputs = list(runner.iterate_epoch(0, display))
            display.finish({})
        if isinstance(data, OwnDataAdapter):
            outputs = data.take_own(outputs)
        callback_list.on_predict_end()
        if not outputs:
            raise SpecError(
                self._label,
                expected="data of at least one batch",
                received="no batch to predict",
                fix="pass data that is not empty",
            )
        return concat_outputs(outputs)

    def _build_for_prediction(self, batch: FlatBatch) -> None:
        if not self.built:
            self._symbolic_build(batch[0], training=False)

    # ---------------------------------------------------------------- single batches

    @filter_traceback
    def train_on_batch(
        self,
        x: DataLike,
        y: DataLike | None = None,
        sample_weight: DataLike | None = None,
        class_weight: Mapping[int, float] | None = None,
        return_dict: bool = False,
    ) -> Any:
        """Trains on one batch. The metrics are reset before: they are those of this batch.

        Args:
            x: Inputs: arrays, a list or a dict of them.
            y: Targets, one array for each output.
            sample_weight: Weight of each sample, of shape (samples,). Default 1.
            class_weight: Weight of each class index in the loss. Default 1.
            return_dict: Whether to return a dict.

        Returns:
            The loss and the metrics of the batch: a float or a list in the order of
            `metrics_names`; with `return_dict`, a dict by name.

        Raises:
            ValueError: The model is not compiled, or the data does not fit it.
        """
        self._require_compiled("train_on_batch")
        return self._run_on_batch("train", x, y, sample_weight, class_weight, return_dict)

    @filter_traceback
    def test_on_batch(
        self,
        x: DataLike,
        y: DataLike | None = None,
        sample_weight: DataLike | None = None,
        return_dict: bool = False,
    ) -> Any:
        """Evaluates one batch. The metrics are reset before: they are those of this batch.

        Args:
            x: Inputs: arrays, a list or a dict of them.
            y: Targets, one array for each output.
            sample_weight: Weight of each sample, of shape (samples,). Default 1.
            return_dict: Whether to return a dict.

        Returns:
            The loss and the metrics of the batch: a float or a list in the order of
            `metrics_names`; with `return_dict`, a dict by name.

        Raises:
            ValueError: The model is not compiled, or the data does not fit it.
        """
        self._require_compiled("test_on_batch")
        return self._run_on_batch("test", x, y, sample_weight, None, return_dict)

    def _run_on_batch(
        self,
        kind: str,
        x: Any,
        y: Any,
        sample_weight: Any,
        class_weight: Any = None,
        return_dict: bool = True,
        reset: bool = True,
    ) -> Any:
        binder = DataBinder(self)
        batch = binder.bind(x, y, sample_weight, class_weight)
        self._build_for_training(batch, binder)
        binder.check_targets(batch)
        if reset:
            self.reset_metrics()
        logs = self._read_results(self._get_step_function(kind)(_to_device(batch), None))
        return logs if return_dict else _as_scalar_or_list(logs)

    @filter_traceback
    def predict_on_batch(self, x: DataLike) -> Any:
        """Computes the outputs of the model for one batch of inputs.

        Args:
            x: Inputs: arrays, a list or a dict of them.

        Returns:
            NumPy arrays, nested like the outputs of the model.
        """
        return self._predict_array(x)

    def _predict_array(self, x: Any) -> Any:
        batch = DataBinder(self).bind(x)
        self._build_for_prediction(batch)
        outputs = self._get_step_function("predict")(_to_device(batch), None)
        return tree.map_structure(ops.convert_to_numpy, outputs)

    def make_train_function(self, force: bool = False) -> Callable[[Any], dict[str, Any]]:
        """Sets and returns `train_function`, which trains on the next batch of an iterator.

        Args:
            force: Whether to drop the compiled steps first.

        Returns:
            A function of an iterator. It returns the results of the metrics by name, averaged since
            the last `reset_metrics`.
        """
        return self._make_iterator_function("train", force)

    def make_test_function(self, force: bool = False) -> Callable[[Any], dict[str, Any]]:
        """Sets and returns `test_function`, which evaluates the next batch of an iterator.

        Args:
            force: Whether to drop the compiled steps first.

        Returns:
            A function of an iterator. It returns the results of the metrics by name, averaged since
            the last `reset_metrics`.
        """
        return self._make_iterator_function("test", force)

    def make_predict_function(self, force: bool = False) -> Callable[[Any], Nested]:
        """Sets and returns `predict_function`: the outputs for the next batch of an iterator.

        Args:
            force: Whether to drop the compiled steps first.

        Returns:
            A function of an iterator. It returns the outputs as NumPy arrays.
        """
        return self._make_iterator_function("predict", force)

    def _make_iterator_function(self, kind: str, force: bool) -> Callable[[Any], Any]:
        if force:
            self._functions.clear()

        def run(iterator: Any) -> Any:
            batch = unpack_x_y_sample_weight(next(iterator))
            if kind == "predict":
                return self.predict_on_batch(batch[0])
            self._require_compiled(f"{kind}_function")
            return self._run_on_batch(kind, *batch, reset=False)

        setattr(self, f"{kind}_function", run)
        return run


def _is_same_data() -> bool:
    """Returns whether all processes pass the same data."""
    return settings.distribution is None or settings.distribution.auto_shard_dataset


def _is_one_batch(x: Any, batch_size: int) -> bool:
    return isinstance(x, np.ndarray) and x.ndim > 0 and 0 < len(x) <= batch_size


def _to_device(batch: FlatBatch) -> Any:
    return map_leaves(to_batch, batch)


def _as_scalar_or_list(logs: dict[str, Any]) -> Any:
    values = list(logs.values())
    return values[0] if len(values) == 1 else values


def _should_validate(epoch: int, freq: int | Collection[int]) -> bool:
    return epoch + 1 in freq if isinstance(freq, Collection) else (epoch + 1) % freq == 0

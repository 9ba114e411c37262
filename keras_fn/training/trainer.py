"""fit, evaluate, predict: written once. A backend compiles the steps."""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_fn import metrics as metrics_module
from keras_fn import ops, optimizers
from keras_fn.backend.loader import current
from keras_fn.core import tree
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.operation import infer
from keras_fn.core.serialization import deserialize_keras_object, serialize_keras_object
from keras_fn.random.seed import global_seed_generator
from keras_fn.training import intake
from keras_fn.training.callbacks import CallbackList, History
from keras_fn.training.data import unpack_x_y_sample_weight
from keras_fn.training.objectives import CompiledLoss, CompiledMetrics
from keras_fn.training.outputs import outputs_of
from keras_fn.training.progress import EpochDisplay


@dataclass(frozen=True)
class Holdings:
    """What a step needs of the model's tree of layers, found once and not at every step."""

    trainable: list[Any]  # variables
    regularized: list[Any]  # variables with a regularizer
    layers: list[Any]

    def added_losses(self) -> list[Any]:
        """The losses of `add_loss` and of regularizers."""
        found = [loss for layer in self.layers if layer._losses for loss in layer._losses]
        return found + [v.regularizer(v) for v in self.regularized]

    def clear_losses(self) -> None:
        """Forgets the losses of the last call."""
        for layer in self.layers:
            if layer._losses:
                layer._losses.clear()


class Trainer:
    """What makes a layer a model that can be trained. `Model` is a Trainer and a Layer."""

    optimizer: Any

    def _start_trainer(self) -> None:
        self.optimizer = None
        self.loss: Any = None
        self.stop_training = False
        self._compile_arguments: dict[str, Any] | None = None
        self._objective: CompiledLoss | None = None
        self._measures: CompiledMetrics | None = None
        self._loss_tracker: Any = None
        self._functions: dict[Any, Callable[..., Any]] = {}  # compiled steps
        self._holdings: Holdings | None = None  # while steps run
        self.history: Any = None

    # ---------------------------------------------------------------- compile

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: Any = "auto",
        auto_scale_loss: bool = True,
    ) -> None:
        """Says how the model is trained.

        Args:
            optimizer: An optimizer or its name.
            loss: A loss, its name or a function; for several outputs a list in their order, or a
                dict by name.
            loss_weights: What each output's loss counts, likewise.
            metrics: Metrics without sample weights; for several outputs a list of lists, or a
                dict by name.
            weighted_metrics: Metrics with sample weights, likewise.
            run_eagerly: Whether steps run as they are, to be looked into.
            steps_per_execution: Steps in one call of the backend, or `"auto"`.
            jit_compile: Whether steps are compiled, or options for the backend's compiler.
            auto_scale_loss: Whether float16 losses are scaled against underflow.
        """
        optimizer = optimizers.get(optimizer) if optimizer is not None else None
        if auto_scale_loss and optimizer is not None and self._computes_in_float16():
            optimizer = optimizers.LossScaleOptimizer(optimizer, name="loss_scale_optimizer")
        self._compile_arguments = {
            "optimizer": optimizer,
            "loss": loss,
            "loss_weights": loss_weights,
            "metrics": metrics,
            "weighted_metrics": weighted_metrics,
            "run_eagerly": run_eagerly,
            "steps_per_execution": steps_per_execution,
            "jit_compile": jit_compile,
        }
        self.optimizer, self.loss = optimizer, loss
        self.run_eagerly, self.jit_compile = run_eagerly, jit_compile
        self.steps_per_execution = steps_per_execution
        self.stop_training = False
        self._objective = self._measures = None
        self._loss_tracker = metrics_module.Mean(name="loss")
        self._functions = {}

    def _computes_in_float16(self) -> bool:
        policy = self.dtype_policy  # type: ignore[attr-defined]
        return policy.compute_dtype == "float16" != policy.variable_dtype

    @property
    def compiled(self) -> bool:
        """Whether `compile` was called."""
        return self._compile_arguments is not None

    def _need_compile(self, what: str) -> None:
        if not self.compiled:
            raise ValueError(
                f"{self._place} is not compiled, so {what} does not know what to do.\n"  # type: ignore[attr-defined]
                "  fix: call model.compile(optimizer=..., loss=...) first"
            )

    @property
    def metrics(self) -> list[Any]:
        """The metrics: the loss, those of `compile`, those that layers hold."""
        own = [self._loss_tracker] if self._loss_tracker is not None else []
        if self._objective is not None:
            own += self._objective.metrics
        if self._measures is not None:
            own += self._measures.metrics
        found = {id(m): m for m in [*own, *super().metrics]}  # type: ignore[misc]
        return list(found.values())

    @property
    def metrics_names(self) -> list[str]:
        """The names of what `evaluate` returns, in order."""
        return list(self._result_names())

    def _result_names(self) -> list[str]:
        return list(self.get_metrics_result())

    def reset_metrics(self) -> None:
        """Sets all metrics to their beginning."""
        for metric in self.metrics:
            metric.reset_state()

    def get_metrics_result(self) -> dict[str, Any]:
        """Returns what the metrics amount to now, by name."""
        results: dict[str, Any] = {}
        known: set[int] = set()
        if self._loss_tracker is not None:
            results["loss"] = self._loss_tracker.result()
            known.add(id(self._loss_tracker))
        if self._objective is not None:
            results.update((m.name, m.result()) for m in self._objective.metrics)
            known.update(map(id, self._objective.metrics))
        if self._measures is not None:
            results.update(self._measures.results())
            known.update(map(id, self._measures.metrics))
        for metric in self.metrics:
            if id(metric) not in known:
                value = metric.result()
                results.update(value if isinstance(value, dict) else {metric.name: value})
        return results

    # ---------------------------------------------------------------- what a user may override

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Returns the loss of a batch: of the outputs, and of `add_loss` and regularizers.

        Args:
            x: Inputs.
            y: Targets.
            y_pred: What the model gave.
            sample_weight: What each sample counts.
            training: Whether the model is being trained.
        """
        del x, training
        total = None
        self._loss_parts: list[Any] = []
        if self._objective is not None and self._compile_arguments["loss"] is not None:  # type: ignore[index]
            total, self._loss_parts = self._objective(y, y_pred, sample_weight)
        for loss in (self._holdings or self._hold()).added_losses():
            loss = ops.cast(ops.sum(loss), "float32")
            total = loss if total is None else ops.add(total, loss)
        if total is None:
            total = ops.zeros(())
        return total

    def compute_metrics(
        self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None
    ) -> dict[str, Any]:
        """Takes a batch into the metrics; returns the results by name."""
        self._update_metrics(x, y, y_pred, sample_weight)
        return self.get_metrics_result()

    def _update_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any) -> None:
        if type(self).compute_metrics is not Trainer.compute_metrics:
            self.compute_metrics(x, y, y_pred, sample_weight)
        elif self._measures is not None:
            self._measures.update(y, y_pred, sample_weight)

    def train_step(self, data: Any) -> dict[str, Any]:
        """Trains on a batch; returns what to show. Override it to train otherwise.

        Args:
            data: `(x, y, sample_weight)`, or the beginning of it.
        """
        self._train(data)
        return self.get_metrics_result()

    def _train(self, data: Any) -> None:
        """The step itself; nothing is read."""
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        holdings = self._holdings or self._hold()
        variables = holdings.trainable

        def forward() -> tuple[Any, Any]:
            holdings.clear_losses()
            y_pred = self(x, training=True)  # type: ignore[operator]
            loss = self.compute_loss(x, y, y_pred, sample_weight, training=True)
            scaled = self.optimizer.scale_loss(loss)
            return scaled, (loss, y_pred, [p for p in self._loss_parts if p is not None])

        (_, (loss, y_pred, parts)), grads = current().value_and_grad(forward, variables)()
        if variables:
            self.optimizer.apply(grads, variables)
        self._track(loss, parts, x)
        self._update_metrics(x, y, y_pred, sample_weight)
        holdings.clear_losses()

    def _hold(self) -> Holdings:
        variables = self.trainable_variables  # type: ignore[attr-defined]
        regularized = [v for v in variables if v.regularizer is not None]
        return Holdings(variables, regularized, self._flatten_layers())  # type: ignore[attr-defined]

    def _track(self, loss: Any, parts: list[Any], x: Any) -> None:
        count = ops.shape(tree.flatten(x)[0])[0]
        self._loss_tracker.update_state(loss, count)
        if self._objective is not None and self._objective.trackers:
            rest = iter(parts)
            every = [None if p is None else next(rest) for p in self._loss_parts]
            self._objective.track(every, count)

    def test_step(self, data: Any) -> dict[str, Any]:
        """Evaluates a batch; returns what to show. Override it to evaluate otherwise."""
        self._test(data)
        return self.get_metrics_result()

    def _test(self, data: Any) -> None:
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        holdings = self._holdings or self._hold()
        holdings.clear_losses()
        y_pred = self(x, training=False)  # type: ignore[operator]
        loss = self.compute_loss(x, y, y_pred, sample_weight, training=False)
        self._track(loss, [p for p in self._loss_parts if p is not None], x)
        self._update_metrics(x, y, y_pred, sample_weight)
        holdings.clear_losses()

    def predict_step(self, data: Any) -> Any:
        """Returns the outputs for a batch of inputs. Override it to predict otherwise."""
        x, _, _ = unpack_x_y_sample_weight(data)
        return self(x, training=False)  # type: ignore[operator]

    # ---------------------------------------------------------------- compiled steps

    def _prepare(self, batch: Any) -> None:
        """Builds what the first batch decides: weights, losses, metrics, the optimizer."""
        x, y, sample_weight = batch
        if self._objective is not None and self.built:  # type: ignore[attr-defined]
            return
        symbols = tree.map_structure(_symbol, intake.arranged(self, x))
        y_pred = infer(lambda x: self(x, training=True), (symbols,), {})  # type: ignore[operator]
        if not self.compiled:
            return
        outputs = outputs_of(self, y_pred)
        arguments = self._compile_arguments or {}
        self._objective = CompiledLoss(arguments["loss"], arguments["loss_weights"], outputs)
        targets = [_symbol(a) if a is not None else None for a in (y or [None] * len(outputs))]
        if y is not None:
            self._measures = CompiledMetrics(
                arguments["metrics"], arguments["weighted_metrics"], outputs, targets,
                tree.flatten(y_pred),
            )  # fmt: skip
            self._start_metrics(targets, y_pred)
        if self.optimizer is not None and not self.optimizer.built:
            self.optimizer.build(self.trainable_variables)  # type: ignore[attr-defined]
        del sample_weight

    def _start_metrics(self, targets: list[Any], y_pred: Any) -> None:
        """Lets metrics that make variables for the first batch see its shapes."""
        struct = targets if len(targets) > 1 else targets[0]
        infer(lambda a, b: self._measures.update(a, b, None), (struct, y_pred), {})  # type: ignore[union-attr]

    def _function(self, kind: str) -> Callable[..., Any]:
        """Returns the compiled step `kind`: a function of `(tensors, indices)`."""
        self._holdings = self._hold()
        trainable = tuple(v.trainable for v in self.variables)  # type: ignore[attr-defined]
        key = (kind, trainable)
        if key not in self._functions:
            step = {"train": self._train, "test": self._test, "predict": self.predict_step}[kind]
            public = {"train": "train_step", "test": "test_step", "predict": "predict_step"}[kind]
            if getattr(type(self), public) is not getattr(Trainer, public):
                step = getattr(self, public)
            if kind == "train" and len(inspect.signature(step).parameters) > 1:
                raise TypeError(
                    f"{self._place}: train_step takes (self, data) on every backend; use "  # type: ignore[attr-defined]
                    "keras_fn.value_and_grad for the gradients."
                )

            def run(tensors: Any, indices: Any) -> Any:
                return step(self._batch(tensors, indices))

            self._functions[key] = current().compile(run, self._state(kind), self._jit)
        return self._functions[key]

    @property
    def _jit(self) -> Any:
        arguments = self._compile_arguments or {}
        if arguments.get("run_eagerly"):
            return False
        jit = arguments.get("jit_compile", "auto")
        return True if jit in ("auto", True, False, None) else jit

    def _state(self, kind: str) -> list[Any]:
        """The variables that a step may read or assign."""
        state = [*self.variables, *global_seed_generator().variables]  # type: ignore[attr-defined]
        if kind != "predict":
            state += [v for metric in self.metrics for v in metric.variables]
        if kind == "train" and self.optimizer is not None:
            state += self.optimizer.variables
        return list({id(v): v for v in state}.values())

    def _batch(self, tensors: Any, indices: Any) -> Any:
        """Gathers the samples of a batch and nests them as the model wants them."""
        if indices is not None:
            tensors = tree.map_structure(
                lambda t: None if t is None else current().gather_rows(t, indices), tensors
            )
        x, y, sample_weight = tensors
        x = intake.arranged(self, x)
        y = _single(y)
        sample_weight = _single(sample_weight)
        if y is None and sample_weight is None:
            return (x,)
        return (x, y) if sample_weight is None else (x, y, sample_weight)

    def _read(self, results: dict[str, Any]) -> dict[str, Any]:
        """Brings results to the host."""
        return {name: _number(value) for name, value in results.items()}

    def _read_metrics(self) -> dict[str, Any]:
        return self._read(self.get_metrics_result())

    # ---------------------------------------------------------------- loops

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

        Returns:
            The history: what was measured, epoch by epoch.

        Raises:
            ValueError: The data does not fit the model; nothing has changed then.
        """
        self._need_compile("fit")
        data, held_out = intake.training_data(
            self, x, y, sample_weight, class_weight, batch_size, shuffle, steps_per_epoch,
            validation_split,
        )  # fmt: skip
        if validation_data is None:
            validation_data = held_out
        self._prepare(data.peek())
        intake.check_targets(self, data)
        validation = None
        if validation_data is not None:
            size = validation_batch_size or batch_size
            validation = intake.validation_data(self, validation_data, size, validation_steps)
        step = self._function("train")
        watchers = callbacks if isinstance(callbacks, CallbackList) else CallbackList(
            callbacks, add_history=True, model=self, epochs=epochs, verbose=verbose,
            steps=len(data) or None,
        )  # fmt: skip
        self.stop_training = False
        watchers.on_train_begin()
        logs: dict[str, Any] = {}
        for epoch in range(initial_epoch, epochs):
            self.reset_metrics()
            watchers.on_epoch_begin(epoch)
            read = self._read_metrics
            display = EpochDisplay(len(data) or None, epoch, epochs, verbose, read)
            with display:
                last = self._run_epoch(step, data.epoch(epoch), watchers, display, "train", data)
                logs = self._read(last) if isinstance(last, dict) else self._read_metrics()
                if validation is not None and _due(epoch, validation_freq):
                    logs.update((f"val_{k}", v) for k, v in self._validate(validation).items())
                logs = dict(sorted(logs.items()))
                display.finish(logs)
            watchers.on_epoch_end(epoch, logs)
            if self.stop_training:
                break
        self._finalize()
        watchers.on_train_end(logs)
        self.history = next(c for c in watchers.callbacks if isinstance(c, History))
        return self.history

    def _finalize(self) -> None:
        if self.optimizer is not None and self.optimizer.built:
            self.optimizer.finalize_variable_values(self.trainable_variables)  # type: ignore[attr-defined]

    def _run_epoch(
        self, step: Any, batches: Iterator[Any], watchers: Any, display: Any, kind: str, data: Any
    ) -> Any:
        """Runs the steps of an epoch; returns what the last one returned."""
        result = None
        if not getattr(watchers, f"wants_{kind}_batches", False):
            for tensors, indices in _limited(batches, data):
                result = step(tensors, indices)
                display.advance(1)
            return result
        begin = getattr(watchers, f"on_{kind}_batch_begin")
        end = getattr(watchers, f"on_{kind}_batch_end")
        for i, (tensors, indices) in enumerate(_limited(batches, data)):
            begin(i)
            result = step(tensors, indices)
            logs = result if isinstance(result, dict) else self.get_metrics_result()
            end(i, self._read(logs) if kind != "predict" else {"outputs": result})
            display.advance(1)
            if self.stop_training:
                break
        return result

    def _validate(self, data: Any) -> dict[str, Any]:
        """Evaluates without disturbing what is being measured: it has been read already."""
        self.reset_metrics()
        step, result = self._function("test"), None
        for tensors, indices in _limited(data.epoch(0), data):
            result = step(tensors, indices)
        return self._read(result) if isinstance(result, dict) else self._read_metrics()

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
        self._need_compile("evaluate")
        data = intake.batches(self, x, y, sample_weight, batch_size or 32, False, steps)
        self._prepare(data.peek())
        intake.check_targets(self, data)
        step = self._function("test")
        watchers = callbacks if isinstance(callbacks, CallbackList) else CallbackList(
            callbacks, model=self, steps=len(data) or None, verbose=verbose
        )  # fmt: skip
        self.reset_metrics()
        watchers.on_test_begin()
        with EpochDisplay(len(data) or None, 0, 1, verbose, self._read_metrics) as display:
            last = self._run_epoch(step, data.epoch(0), watchers, display, "test", data)
            logs = self._read(last) if isinstance(last, dict) else self._read_metrics()
            display.finish(dict(sorted(logs.items())))
        watchers.on_test_end(logs)
        if return_dict:
            return logs
        values = list(logs.values())
        return values[0] if len(values) == 1 else values

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
        data = intake.batches(self, x, None, None, batch_size or 32, False, steps, x_only=True)
        self._prepare_for_predict(data)
        step = self._function("predict")
        watchers = callbacks if isinstance(callbacks, CallbackList) else CallbackList(
            callbacks, model=self, steps=len(data) or None, verbose=verbose
        )  # fmt: skip
        watchers.on_predict_begin()
        results = []
        with EpochDisplay(len(data) or None, 0, 1, verbose, dict) as display:

            def keep(tensors: Any, indices: Any) -> Any:
                results.append(step(tensors, indices))
                return results[-1]

            self._run_epoch(keep, data.epoch(0), watchers, display, "predict", data)
            display.finish({})
        watchers.on_predict_end()
        if not results:
            raise ValueError(f"{self._place}: predict got no batch.")  # type: ignore[attr-defined]
        return tree.map_structure(_joined, *results)

    def _prepare_for_predict(self, data: Any) -> None:
        if not self.built:  # type: ignore[attr-defined]
            x, _, _ = data.peek()
            symbols = tree.map_structure(_symbol, intake.arranged(self, x))
            infer(lambda x: self(x, training=False), (symbols,), {})  # type: ignore[operator]

    # ---------------------------------------------------------------- single batches

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: dict[int, float] | None = None,
        return_dict: bool = False,
    ) -> Any:
        """Trains on one batch; returns loss and metrics so far, as `evaluate` does."""
        self._need_compile("train_on_batch")
        return self._on_batch("train", x, y, sample_weight, class_weight, return_dict)

    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """Evaluates one batch; returns loss and metrics so far, as `evaluate` does."""
        self._need_compile("test_on_batch")
        return self._on_batch("test", x, y, sample_weight, None, return_dict)

    def _on_batch(
        self, kind: str, x: Any, y: Any, sample_weight: Any, class_weight: Any, return_dict: bool
    ) -> Any:
        rows = intake.rows(self, x, y, sample_weight, class_weight)
        self._prepare(rows)
        intake.check_rows(self, rows)
        result = self._function(kind)(intake.tensors(rows), None)
        logs = self._read(result) if isinstance(result, dict) else self._read_metrics()
        if return_dict:
            return logs
        values = list(logs.values())
        return values[0] if len(values) == 1 else values

    def predict_on_batch(self, x: Any) -> Any:
        """Returns the outputs for one batch, as NumPy arrays."""
        rows = intake.rows(self, x, None, None, None)
        outputs = self._function("predict")(intake.tensors(rows), None)
        return tree.map_structure(ops.convert_to_numpy, outputs)

    # ---------------------------------------------------------------- config

    def get_compile_config(self) -> dict[str, Any] | None:
        """Returns what `compile` was told, as plain values; None if it was not called."""
        if not self.compiled:
            return None
        return {k: serialize_keras_object(v) for k, v in (self._compile_arguments or {}).items()}

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compiles the model as `get_compile_config` said."""
        arguments = deserialize_keras_object(config)
        self.compile(**arguments, auto_scale_loss=False)
        if self.built and self.optimizer is not None:  # type: ignore[attr-defined]
            self.optimizer.build(self.trainable_variables)  # type: ignore[attr-defined]


def _symbol(x: Any) -> Any:
    """The symbolic tensor of a batch like this, of any size."""
    if x is None:
        return None
    return KerasTensor((None, *x.shape[1:]), current().dtype_name(x), record_history=False)


def _single(values: Any) -> Any:
    """A list of one is that one."""
    return values[0] if isinstance(values, list) and len(values) == 1 else values


def _number(value: Any) -> Any:
    array = ops.convert_to_numpy(value)
    return float(array) if array.ndim == 0 else array


def _joined(*parts: Any) -> np.ndarray:
    arrays = [ops.convert_to_numpy(part) for part in parts]
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)


def _due(epoch: int, freq: Any) -> bool:
    return epoch + 1 in freq if isinstance(freq, (list, tuple, set)) else (epoch + 1) % freq == 0


def _limited(batches: Iterator[Any], data: Any) -> Iterator[Any]:
    """Stops after `data.limit` batches, where there is a limit."""
    limit = getattr(data, "limit", None)
    if limit is None:
        return batches
    return (batch for _, batch in zip(range(limit), batches, strict=False))

"""What a model is trained with, and the steps that a backend compiles."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from keras_fn import metrics as metrics_module, ops, optimizers
from keras_fn.backend.contract import SupportsMultiStep, SupportsAutogradRecording
from keras_fn.backend.loader import current, supports
from keras_fn.core import tree
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.operation import infer_spec
from keras_fn.core.serialization import deserialize_keras_object, serialize_keras_object
from keras_fn.data_adapters import binding as intake
from keras_fn.data_adapters.data_adapter_utils import unpack_x_y_sample_weight
from keras_fn.data_adapters.output_binding import make_output_binder
from keras_fn.random.seed_generator import global_seed_generator
from keras_fn.training.compile_utils import CompileLoss, CompileMetrics
from keras_fn.training.compiled_metrics import CompiledMetricOps, are_builtin
from keras_fn.training.epoch_runner import AutoStepsPerExecution
from keras_fn.training.stateless import (
    StatelessTraining,
    call_stateless,
    is_stateless_step,
    stateful_from_stateless,
)


@dataclass(frozen=True)
class TrainerState:
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


class TrainStepMixin(StatelessTraining):
    """What `compile` says, and the steps that follow from it."""

    optimizer: Any

    def _init_trainer(self) -> None:
        self.optimizer = None
        self.loss: Any = None
        self.stop_training = False
        self._compile_arguments: dict[str, Any] | None = None
        self._compile_loss: CompileLoss | None = None
        self._compile_metrics: CompileMetrics | None = None
        self._loss_tracker: Any = None
        self._functions: dict[Any, Any] = {}  # compiled steps; of many, with their pace
        self.trace_log: list[Any] = []  # for which batches that came one by one, and why
        self._trainer_state: TrainerState | None = None  # while steps run
        self._loss_parts: list[Any] | None = None  # of the outputs, while a step asks for the loss
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
        steps_per_execution: Any = 1,
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
            steps_per_execution: After how many steps callbacks that watch batches are called, or
                `"auto"` for about ten times a second. Where none watches, many steps go in one
                call of the backend by themselves, as far as it can do that.
            jit_compile: Whether steps are compiled, or options for the backend's compiler.
            auto_scale_loss: Whether float16 losses are scaled against underflow.

        Raises:
            ValueError: `steps_per_execution` is no number of steps.
        """
        if steps_per_execution != "auto" and (
            not isinstance(steps_per_execution, int) or steps_per_execution < 1
        ):
            raise ValueError(
                f"{self._label}: steps_per_execution must be a number of steps, 1 or more, or "
                f"'auto', not {steps_per_execution!r}."
            )
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
        self._compile_loss = self._compile_metrics = None
        self._loss_tracker = metrics_module.Mean(name="loss")
        self._functions, self.trace_log = {}, []

    def _computes_in_float16(self) -> bool:
        policy = self.dtype_policy
        return policy.compute_dtype == "float16" != policy.variable_dtype

    @property
    def compiled(self) -> bool:
        """Whether `compile` was called."""
        return self._compile_arguments is not None

    def _require_compiled(self, what: str) -> None:
        if not self.compiled:
            raise ValueError(
                f"{self._label} is not compiled, so {what} does not know what to do.\n"
                "  fix: call model.compile(optimizer=..., loss=...) first"
            )

    @property
    def metrics(self) -> list[Any]:
        """The metrics: the loss, those of `compile`, those that layers hold."""
        own = [self._loss_tracker] if self._loss_tracker is not None else []
        if self._compile_loss is not None:
            own += self._compile_loss.metrics
        if self._compile_metrics is not None:
            own += self._compile_metrics.metrics
        found = {id(m): m for m in [*own, *super().metrics]}
        return list(found.values())

    @property
    def metrics_names(self) -> list[str]:
        """The names of what `evaluate` returns, in order."""
        return list(self._result_names())

    def _result_names(self) -> list[str]:
        return list(self.get_metrics_result())

    def reset_metrics(self) -> None:
        """Sets all metrics to their beginning."""
        metrics = self.metrics
        self._run_metric_ops("reset", metrics, lambda: [metric.reset_state() for metric in metrics])

    def get_metrics_result(self) -> dict[str, Any]:
        """Returns what the metrics amount to now, by name."""
        results: dict[str, Any] = {}
        known: set[int] = set()
        if self._loss_tracker is not None:
            results["loss"] = self._loss_tracker.result()
            known.add(id(self._loss_tracker))
        if self._compile_loss is not None:
            results.update((m.name, m.result()) for m in self._compile_loss.metrics)
            known.update(map(id, self._compile_loss.metrics))
        if self._compile_metrics is not None:
            results.update(self._compile_metrics.results())
            known.update(map(id, self._compile_metrics.metrics))
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
        if self._compile_loss is not None and self._compile_arguments["loss"] is not None:  # type: ignore[index]
            total, parts = self._compile_loss(y, y_pred, sample_weight)
            if self._loss_parts is not None:
                self._loss_parts[:] = parts
        for loss in (self._trainer_state or self._collect_state()).added_losses():
            loss = ops.cast(ops.sum(loss), "float32")
            total = loss if total is None else ops.add(total, loss)
        if total is None:
            total = ops.zeros(())
        return total

    def _compute_loss_parts(
        self, x: Any, y: Any, y_pred: Any, sample_weight: Any, training: bool
    ) -> tuple[Any, list[Any]]:
        """Returns what `compute_loss`, which may be the user's, gives, and each output's loss."""
        self._loss_parts = parts = []
        try:
            loss = self.compute_loss(
                x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, training=training
            )
        finally:
            self._loss_parts = None  # a trace must not be outlived by what is part of it
        return loss, parts

    def compute_metrics(
        self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None
    ) -> dict[str, Any]:
        """Takes a batch into the metrics; returns the results by name."""
        del x
        if self._compile_metrics is not None:
            self._compile_metrics.update(y, y_pred, sample_weight)
        return self.get_metrics_result()

    @property
    def _needs_outputs(self) -> bool:
        own = type(self).compute_metrics is not TrainStepMixin.compute_metrics
        return own or bool(self._compile_metrics and self._compile_metrics.rows)

    def _update_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any) -> Any:
        """Returns what `compute_metrics` of the user returns; else reads nothing."""
        if type(self).compute_metrics is not TrainStepMixin.compute_metrics:
            return self.compute_metrics(x, y, y_pred, sample_weight)
        if self._compile_metrics is not None:
            self._compile_metrics.update(y, y_pred, sample_weight)
        return None

    def train_step(self, *data: Any) -> Any:
        """Trains on a batch; returns what to show. Override it to train otherwise.

        An override takes `(self, data)`: with `keras.value_and_grad`, or with the gradients of one
        framework. It may also be `(self, state, data)`, a pure function that returns `(logs,
        state)`, which Keras asks for on JAX.

        Args:
            *data: A batch: `(x, y, sample_weight)`, or the beginning of it. Or `state, data`, where
                `state` is a tuple of lists of values: of `trainable_variables`,
                `non_trainable_variables`, `optimizer_variables` and `metrics_variables`.
        """
        return self._step("train", self._train, data)

    def _step(self, kind: str, step: Callable[[Any], Any], data: tuple[Any, ...]) -> Any:
        """Runs the step that an override calls: on data, or on state and data."""

        def run(batch: Any) -> Any:
            results = step(batch)
            return self.get_metrics_result() if results is None else results

        return run(*data) if len(data) == 1 else call_stateless(self, kind, run, *data)

    def _train(self, data: Any) -> Any:
        """The step itself; nothing is read."""
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        holdings = self._trainer_state or self._collect_state()
        variables = holdings.trainable
        measured = self._needs_outputs  # else they are not kept while gradients are computed

        def forward() -> tuple[Any, Any]:
            holdings.clear_losses()
            y_pred = self(x, training=True)
            loss, parts = self._compute_loss_parts(x, y, y_pred, sample_weight, True)
            return self.optimizer.scale_loss(loss), (loss, y_pred if measured else None, parts)

        (_, (loss, y_pred, parts)), grads = current().value_and_grad(forward, variables)()
        if variables:
            self.optimizer.apply(grads, variables)
        self._track(loss, parts, x)
        results = self._update_metrics(x, y, y_pred, sample_weight)
        holdings.clear_losses()
        return results

    def _collect_state(self) -> TrainerState:
        variables = self.trainable_variables
        regularized = [v for v in variables if v.regularizer is not None]
        return TrainerState(variables, regularized, self._flatten_layers())

    def _track(self, loss: Any, parts: list[Any], x: Any) -> None:
        count = ops.shape(tree.flatten(x)[0])[0]
        self._loss_tracker.add_mean(loss, count)
        if self._compile_loss is not None and self._compile_loss.trackers:
            self._compile_loss.track(parts, count)

    def test_step(self, *data: Any) -> Any:
        """Evaluates a batch; returns what to show. Override it to evaluate otherwise.

        Args:
            *data: As in `train_step`; the state has no `optimizer_variables`.
        """
        return self._step("test", self._test, data)

    def _test(self, data: Any) -> Any:
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        holdings = self._trainer_state or self._collect_state()
        holdings.clear_losses()
        y_pred = self(x, training=False)
        loss, parts = self._compute_loss_parts(x, y, y_pred, sample_weight, False)
        self._track(loss, parts, x)
        results = self._update_metrics(x, y, y_pred, sample_weight)
        holdings.clear_losses()
        return results

    def predict_step(self, *data: Any) -> Any:
        """Returns the outputs for a batch of inputs. Override it to predict otherwise.

        Args:
            *data: A batch; or `state, data`, where the state is the values of
                `trainable_variables` and `non_trainable_variables`.
        """
        return self._step("predict", self._predict, data)

    def _predict(self, data: Any) -> Any:
        x, _, _ = unpack_x_y_sample_weight(data)
        return self(x, training=False)

    # ---------------------------------------------------------------- compiled steps

    def _prepare(self, batch: Any) -> None:
        """Builds what the first batch decides: weights, losses, metrics, the optimizer."""
        x, y, _ = batch
        known = self._compile_loss is not None and (y is None or self._compile_metrics is not None)
        if (known and self.built) or self._has_custom_train_step():
            return
        y_pred = self._symbolic_build(x)
        if self._compile_loss is None:
            return
        arguments, outputs = self._compile_arguments or {}, self._compile_loss.outputs
        intake.check_rows(self, batch)  # data that is refused decides nothing
        targets = [symbol(a) if a is not None else None for a in (y or [None] * len(outputs))]
        if y is not None:
            self._compile_metrics = CompileMetrics(
                arguments["metrics"],
                arguments["weighted_metrics"],
                outputs,
                targets,
                tree.flatten(y_pred),
            )
            self._build_metrics(targets, y_pred)
        if self.optimizer is not None and not self.optimizer.built:
            self.optimizer.build(self.trainable_variables)

    def _has_custom_train_step(self) -> bool:
        """Whether a step of the user's says all, and the model need not be called as a whole."""
        told = self._compile_arguments or {}
        if type(self).train_step is TrainStepMixin.train_step or any(
            told.get(name) for name in ("loss", "metrics", "weighted_metrics")
        ):
            return False
        inner = self._flatten_layers(include_self=False)
        if not inner or not all(layer.built for layer in inner):
            return False
        if self.optimizer is not None and not self.optimizer.built:
            self.optimizer.build(self.trainable_variables)
        return True

    def _symbolic_build(self, x: list[Any]) -> Any:
        """Builds the model for inputs like these; returns the specs of its outputs."""
        symbols = tree.map_structure(symbol, intake.arranged(self, x))
        y_pred = infer_spec(lambda x: self(x, training=True), (symbols,), {})
        if self.compiled:
            told = self._compile_arguments or {}
            self._compile_loss = CompileLoss(
                told["loss"], told["loss_weights"], make_output_binder(self, y_pred)
            )
        return y_pred

    def _build_metrics(self, targets: list[Any], y_pred: Any) -> None:
        """Lets metrics that make variables for the first batch see its shapes."""
        struct = targets if len(targets) > 1 else targets[0]
        infer_spec(lambda a, b: self._compile_metrics.update(a, b, None), (struct, y_pred), {})  # type: ignore[union-attr]

    def _get_step_function(self, kind: str) -> Callable[..., Any]:
        """Returns the compiled step `kind`: a function of `(tensors, indices)`."""
        if kind != "predict":
            self._trainer_state = self._collect_state()
        key = self._key(kind)
        if key not in self._functions:
            self._functions[key] = current().compile(
                self._step_of_batch(kind), self._state(kind), self._jit
            )
        return self._functions[key]

    def _many(self, kind: str, tensors: Any, batches: tuple[int, int]) -> Any:
        """Returns what runs many steps in one call, and its pace; None where it is no faster.

        Args:
            kind: `"train"` or `"test"`.
            tensors: The data, on the device.
            batches: Number of whole batches, and samples in each.
        """
        shapes = [None if t is None else (tuple(t.shape), t.dtype) for t in tree.flatten(tensors)]
        key = (*self._key(kind), batches, *shapes)
        if key not in self._functions:
            table = current().prepare_host_batch(np.zeros(batches, np.int32))
            backend = cast(SupportsMultiStep, current())
            run = backend.compile_multi_step(
                self._step_of_batch(kind),
                self._state(kind),
                tensors,
                table,
                self._results_of,
                self._jit,
            )
            self._functions[key] = run and (run, AutoStepsPerExecution())
            kept = [k for k in self._functions if k[0] == kind and len(k) > len(self._key(kind))]
            for other in kept[:-_KEPT_AT_MOST]:  # those of data sets of other sizes
                del self._functions[other]
        return self._functions[key]

    def _key(self, kind: str) -> tuple[Any, ...]:
        """What a compiled step depends on, beside the shapes of its arguments."""
        eager = bool(getattr(self, "run_eagerly", False))
        graph = intake.graph_of(self)
        if kind == "predict" and graph is not None and graph.is_pure:
            # A step that assigns nothing stays as it is.
            return kind, eager, graph, self._has_hooks, id(self._policy)
        return kind, eager, tuple(v.trainable for v in self.variables)

    def _is_graph(self, graph: Any) -> bool:
        """Whether a call of the model in inference is no more than a run through the graph."""
        return (
            type(self).predict_step is TrainStepMixin.predict_step
            and type(self).call.__module__.startswith("keras_fn.")
            and not (self._has_hooks or self._autocast_to or graph._autocast_to)
        )

    def _step_of_batch(self, kind: str) -> Callable[..., Any]:
        """Returns the step as a function of `(tensors, indices)`, not compiled."""
        step = {"train": self._train, "test": self._test, "predict": self._predict}[kind]
        public = f"{kind}_step"
        own = getattr(type(self), public) is not getattr(TrainStepMixin, public)
        if own:
            step = getattr(self, public)
            if is_stateless_step(step):
                step = stateful_from_stateless(self, kind, step)
        graph = intake.graph_of(self)
        if kind == "predict" and graph is not None and graph.is_pure and self._is_graph(graph):
            return lambda tensors, indices: graph.run_inference(_gathered(tensors, indices)[0])
        layers = self._flatten_layers()

        def run(tensors: Any, indices: Any) -> Any:
            try:
                return step(self._batch(tensors, indices))
            finally:  # nothing of a trace may outlive it
                for layer in layers:
                    layer._losses.clear()

        if own and kind == "train" and supports("record_gradients"):  # it may call loss.backward()
            return cast(SupportsAutogradRecording, current()).record_gradients(run)
        return run

    @property
    def _jit(self) -> Any:
        arguments = self._compile_arguments or {}
        if getattr(self, "run_eagerly", False):
            return None
        jit = arguments.get("jit_compile", "auto")
        return "auto" if jit is None else jit

    def _state(self, kind: str) -> list[Any]:
        """The variables that a step may read or assign."""
        state = [*self.variables, *global_seed_generator().variables]
        if kind != "predict":
            state += [v for metric in self.metrics for v in metric.variables]
        if kind == "train" and self.optimizer is not None:
            state += self.optimizer.variables
        return list({id(v): v for v in state}.values())

    def _batch(self, tensors: Any, indices: Any) -> Any:
        """Gathers the samples of a batch and nests them as the model wants them."""
        x, y, sample_weight = _gathered(tensors, indices)
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
        if self._uses_builtin_results and _compiles():
            return self._read(self._run_metric_ops("read", self.metrics, self.get_metrics_result))
        return self._read(self.get_metrics_result())

    @property
    def _uses_builtin_results(self) -> bool:
        return type(self).get_metrics_result is TrainStepMixin.get_metrics_result

    def _results_of(self, last: Any) -> Any:
        """What a call of many steps returns: the last step's results, or else the metrics'."""
        if last is None and self._uses_builtin_results and are_builtin(self.metrics):
            return self.get_metrics_result()
        return last

    def _run_metric_ops(self, what: str, metrics: list[Any], work: Callable[[], Any]) -> Any:
        if not self._jit or not _compiles():
            return work()
        return self._functions.setdefault((what,), CompiledMetricOps()).run(work, metrics)

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
        if self.built and self.optimizer is not None:
            self.optimizer.build(self.trainable_variables)


_KEPT_AT_MOST = 8  # compiled functions of many steps, of a kind: one a size of the data


def symbol(x: Any) -> Any:
    """The symbolic tensor of a batch like this, of any size."""
    if x is None:
        return None
    return KerasTensor((None, *x.shape[1:]), current().dtype_name(x), record_history=False)


def _compiles() -> bool:
    """Whether the backend makes one call of several ops."""
    return supports("compile_call")


def _gathered(tensors: Any, indices: Any) -> Any:
    """The samples of a batch, or all where there are no indices."""
    if indices is None:
        return tensors
    gather = current().gather_rows
    return tree.map_structure(lambda t: None if t is None else gather(t, indices), tensors)


def _single(values: Any) -> Any:
    """A list of one is that one."""
    return values[0] if isinstance(values, list) and len(values) == 1 else values


def _number(value: Any) -> Any:
    array = ops.convert_to_numpy(value)
    return float(array) if array.ndim == 0 else array

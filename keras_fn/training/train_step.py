"""The training, test and prediction steps of a model, and their compilation by the backend."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import numpy as np

from keras_fn import ops
from keras_fn.backend.contract import SupportsAutogradRecording, SupportsMultiStep
from keras_fn.backend.loader import current, supports
from keras_fn.core import tree
from keras_fn.core.graph_model import get_graph
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.operation import infer_spec
from keras_fn.core.ragged import PaddedBatch, attach_mask
from keras_fn.core.registry import is_builtin
from keras_fn.core.scopes import TrainingScope, context
from keras_fn.core.sparse import get_sparse_test
from keras_fn.data_adapters.data_adapter_utils import (
    FlatBatch,
    map_leaves,
    pack_x_y_sample_weight,
    unpack_x_y_sample_weight,
)
from keras_fn.data_adapters.host_inputs import HostInputs
from keras_fn.errors import SpecError
from keras_fn.random.seed_generator import global_seed_generator
from keras_fn.settings import settings
from keras_fn.training.compile import CompileMixin
from keras_fn.training.compile_utils import CompileLoss, CompileMetrics
from keras_fn.training.data_binding import DataBinder
from keras_fn.training.epoch_runner import AutoStepsPerExecution
from keras_fn.training.gradients import differentiate_replica
from keras_fn.training.output_binding import make_output_binder
from keras_fn.training.overrides import call_override
from keras_fn.training.program_key import share_program, step_roots
from keras_fn.training.stateless import (
    call_stateless,
    is_stateless_step,
    stateful_from_stateless,
)
from keras_fn.types import Nested, Tensor

_COMPUTE_METHODS = ("compute_loss", "compute_metrics")
_MAX_MULTI_STEP_FUNCTIONS = 8  # of a kind: one for each size of the data


@dataclass(frozen=True)
class TrainerState:
    """The variables and layers that a step needs: collected once, not at every step.

    Attributes:
        trainable: The trainable variables.
        regularized: Those with a regularizer.
        layers: The model and all layers in it.
    """

    trainable: list[Any]
    regularized: list[Any]
    layers: list[Any]

    def get_losses(self) -> list[Any]:
        """Returns the losses of `add_loss` and of regularizers."""
        added = [loss for layer in self.layers if layer._losses for loss in layer._losses]
        return added + [v.regularizer(v) for v in self.regularized]

    def clear_losses(self) -> None:
        """Drops the losses of the last call."""
        for layer in self.layers:
            if layer._losses:
                layer._losses.clear()


class TrainStepMixin(CompileMixin):
    """The steps of `fit`, `evaluate` and `predict`, which subclasses may override."""

    # ---------------------------------------------------------------- public steps

    def compute_loss(
        self,
        x: Nested = None,
        y: Nested = None,
        y_pred: Nested = None,
        sample_weight: Nested = None,
        training: bool = True,
    ) -> Tensor:
        """Computes the total loss of a batch: of the outputs, `add_loss` and regularizers.

        Override it to compute the loss in another way.

        Args:
            x: Inputs.
            y: Targets.
            y_pred: Outputs of the model.
            sample_weight: Sample weights, or None.
            training: Whether the model is being trained.

        Returns:
            A float32 scalar.
        """
        del x, training
        total = None
        arguments = self._compile_arguments
        if arguments is not None and arguments["loss"] is not None:
            if self._compile_loss is None:  # in a loop of the program, before `fit`
                self._bind_compile_loss(tree.map_structure(batch_spec, y_pred))
            total, parts = self._compile_loss(y, y_pred, sample_weight)  # type: ignore[misc]
            if self._output_losses is not None:
                self._output_losses[:] = parts
        for loss in (self._trainer_state or self._collect_state()).get_losses():
            loss = ops.cast(ops.sum(loss), "float32")
            total = loss if total is None else ops.add(total, loss)
        return ops.zeros(()) if total is None else total

    def compute_metrics(
        self, x: Nested, y: Nested, y_pred: Nested, sample_weight: Nested = None
    ) -> dict[str, Any]:
        """Updates the metrics with a batch. Override it to compute metrics in another way.

        Args:
            x: Inputs.
            y: Targets.
            y_pred: Outputs of the model.
            sample_weight: Sample weights, or None.

        Returns:
            The results of all metrics by name.
        """
        del x
        if self._compile_metrics is not None:
            self._compile_metrics.update(y, y_pred, sample_weight)
        return self.get_metrics_result()

    def train_step(self, *data: Nested) -> Any:
        """Trains on one batch. Override it for a custom training step.

        An override is `train_step(self, data)`: it may use `keras.value_and_grad`, or the gradients
        of one framework. It may also be `train_step(self, state, data)`, a pure function that
        returns `(logs, state)`, as Keras has it on JAX.

        Args:
            *data: A batch: `x` (in a tuple if it is a list or a tuple), `(x, y)` or
                `(x, y, sample_weight)`. Or `state, data`, where the state is a tuple of lists of
                values: of `trainable_variables`, `non_trainable_variables`, `optimizer_variables`
                and `metrics_variables`.

        Returns:
            The results of the metrics by name; with a state, these and the new state.
        """
        return self._call_step("train", self._train_step, data)

    def test_step(self, *data: Nested) -> Any:
        """Evaluates one batch. Override it for a custom evaluation step.

        Args:
            *data: A batch, or `state, data`, as in `train_step`; the state has no
                `optimizer_variables`.

        Returns:
            The results of the metrics by name; with a state, these and the new state.
        """
        return self._call_step("test", self._test_step, data)

    def predict_step(self, *data: Nested) -> Any:
        """Computes the outputs for one batch. Override it for a custom prediction step.

        Args:
            *data: A batch, or `state, data`, where the state is a tuple of lists of values: of
                `trainable_variables` and `non_trainable_variables`.

        Returns:
            The outputs; with a state, these and the new values of the non-trainable variables.
        """
        return self._call_step("predict", self._predict_step, data)

    def _call_step(self, kind: str, step: Callable[..., Any], data: tuple[Any, ...]) -> Any:
        """Runs a built-in step for an override that calls it with data, or with state and data."""

        def run(batch: Any) -> Any:
            results = step(*unpack_x_y_sample_weight(batch))
            return self.get_metrics_result() if results is None else results

        return run(*data) if len(data) == 1 else call_stateless(self, kind, run, *data)

    # ---------------------------------------------------------------- built-in steps

    def _train_step(self, x: Any, y: Any, sample_weight: Any, call: Any = None) -> Any:
        """Trains on a batch. It does not read the metrics: this would cost time at each step."""
        call = call or self
        state = self._trainer_state or self._collect_state()
        variables = state.trainable
        keeps_outputs = self._needs_outputs  # else they are freed while gradients are computed

        def forward() -> tuple[Any, Any]:
            state.clear_losses()
            y_pred = call(x, training=True)
            loss, parts = self._compute_output_losses(x, y, y_pred, sample_weight, True)
            aux = (loss, y_pred if keeps_outputs else None, parts)
            return self.optimizer.scale_loss(loss), aux

        has_replicas = context.current.replica is not None
        differentiate = differentiate_replica if has_replicas else current().value_and_grad
        (_, (loss, y_pred, parts)), grads = differentiate(forward, variables)()
        if variables:
            self.optimizer.apply(grads, variables)
        self._track_loss(loss, parts, x)
        results = self._update_metrics(x, y, y_pred, sample_weight)
        state.clear_losses()
        return results

    def _test_step(self, x: Any, y: Any, sample_weight: Any, call: Any = None) -> Any:
        call = call or self
        state = self._trainer_state or self._collect_state()
        state.clear_losses()
        y_pred = call(x, training=False)
        loss, parts = self._compute_output_losses(x, y, y_pred, sample_weight, False)
        self._track_loss(loss, parts, x)
        results = self._update_metrics(x, y, y_pred, sample_weight)
        state.clear_losses()
        return results

    def _predict_step(self, x: Any, y: Any, sample_weight: Any, call: Any = None) -> Any:
        del y, sample_weight
        return (call or self)(x, training=False)

    def _collect_state(self) -> TrainerState:
        variables = self.trainable_variables
        regularized = [v for v in variables if v.regularizer is not None]
        return TrainerState(variables, regularized, self._flatten_layers())

    def _compute_output_losses(
        self, x: Any, y: Any, y_pred: Any, sample_weight: Any, training: bool
    ) -> tuple[Any, list[Any]]:
        """Returns the result of `compute_loss`, which may be overridden, and each output's loss."""
        self._output_losses = parts = []
        try:
            loss = self._call_compute_loss(x, y, y_pred, sample_weight, training)
        finally:
            self._output_losses = None  # drop traced tensors before the trace ends: they would leak
        return loss, parts

    def _call_compute_loss(
        self, x: Any, y: Any, y_pred: Any, sample_weight: Any, training: bool
    ) -> Any:
        """Returns the result of `compute_loss`; an override may take fewer arguments."""
        if not self._overrides("compute_loss"):
            return self.compute_loss(x, y, y_pred, sample_weight, training)
        arguments = {"x": x, "y": y, "y_pred": y_pred, "sample_weight": sample_weight}
        return call_override(self.compute_loss, {**arguments, "training": training})

    @property
    def _keeps_target_structure(self) -> bool:
        """Whether targets are nested as they were passed: the program may look into them.

        Else they are a flat list in the order of the outputs.
        """
        return any(map(self._overrides, ("train_step", "test_step", *_COMPUTE_METHODS)))

    def _track_loss(self, loss: Any, parts: list[Any], x: Any) -> None:
        count = ops.shape(tree.flatten(x)[0])[0]
        self._loss_tracker.add_mean(loss, count)
        if self._compile_loss is not None and self._compile_loss.metrics:
            self._compile_loss.track(parts, count)

    @property
    def _has_custom_metrics(self) -> bool:
        return self._overrides("compute_metrics")

    @property
    def _needs_outputs(self) -> bool:
        metrics = self._compile_metrics
        return (metrics is not None and bool(metrics.rows)) or self._has_custom_metrics

    def _update_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any) -> Any:
        """Updates the metrics. Returns the result of an overridden `compute_metrics`, else None."""
        if self._has_custom_metrics:
            arguments = {"x": x, "y": y, "y_pred": y_pred, "sample_weight": sample_weight}
            return call_override(self.compute_metrics, arguments)
        if self._compile_metrics is not None:
            self._compile_metrics.update(y, y_pred, sample_weight)
        return None

    # ---------------------------------------------------------------- building

    def _build_for_training(self, batch: FlatBatch, binder: DataBinder | None = None) -> None:
        """Builds weights, losses, metrics and the optimizer for the first batch."""
        x, y, weights = batch
        has_metrics = self._compile_metrics is not None
        has_metrics = has_metrics or (y is None and not self._overrides("train_step"))
        is_complete = self.built and self._compile_loss is not None and has_metrics
        if is_complete or self._has_custom_train_step():
            return
        y_pred = self._symbolic_build(x)
        if self._compile_loss is None:
            return
        # Before metrics and the optimizer are built: data that is refused changes nothing.
        (binder or DataBinder(self)).check_targets(batch)
        if not has_metrics:
            self._build_metrics(y, weights, y_pred)
        if self.optimizer is not None and not self.optimizer.built:
            self.optimizer.build(self.trainable_variables)

    def _has_custom_train_step(self) -> bool:
        """Whether an overridden `train_step` does everything, and the layers are built.

        Then the model need not be callable as a whole. The optimizer is built on the way.
        """
        arguments = self._compile_arguments or {}
        if type(self).train_step is TrainStepMixin.train_step or any(
            arguments.get(name) for name in ("loss", "metrics", "weighted_metrics")
        ):
            return False
        layers = self._flatten_layers(include_self=False)
        if not layers or not all(layer.built for layer in layers):
            return False
        if self.optimizer is not None and not self.optimizer.built:
            self.optimizer.build(self.trainable_variables)
        return True

    def _symbolic_build(self, x: list[Any], training: bool = True) -> Any:
        """Builds the model by a call on the specs of flat inputs; returns the output specs."""
        is_host = len(x) == 1 and type(x[0]) is HostInputs
        inputs = self._pack_inputs(x[0].specs if is_host else [batch_spec(a) for a in x])
        y_pred = infer_spec(lambda x: self(x, training=training), (inputs,), {})
        if training and self.compiled:
            self._bind_compile_loss(y_pred)
        return y_pred

    def _bind_compile_loss(self, y_pred: Any) -> None:
        """Binds the losses of `compile` to the outputs."""
        arguments = self._compile_arguments or {}
        loss, weights = arguments["loss"], arguments["loss_weights"]
        outputs = make_output_binder(self, y_pred)
        try:
            self._compile_loss = CompileLoss(loss, weights, outputs)
        except SpecError as error:
            if not self._keeps_target_structure:
                raise
            self._compile_loss = CompileLoss(None, None, outputs)  # its losses are its own affair
            self._compile_loss.error = error

    def _build_metrics(self, y: list[Any] | None, weights: list[Any] | None, y_pred: Any) -> None:
        """Binds metrics to the outputs, and updates them with specs of the first batch.

        Some create their variables in the first batch.
        """
        arguments = self._compile_arguments or {}
        outputs = cast(CompileLoss, self._compile_loss).outputs
        received = arguments["metrics"], arguments["weighted_metrics"]
        targets: list[Any] = [None] * len(outputs)
        is_bound = y is not None and any(received)
        if is_bound:
            try:
                targets = outputs.bind(self._pack_targets(y, "targets"), "targets", fill=True)
            except SpecError:
                if not self._keeps_target_structure:
                    raise
                is_bound = False  # the program's own step decides what the metrics get
        targets = [batch_spec(a) for a in targets]
        try:
            metrics = CompileMetrics(*received, outputs, targets, tree.flatten(y_pred))
        except SpecError:
            if not self._keeps_target_structure:
                raise
            metrics, is_bound = CompileMetrics(None, None, outputs, targets, []), False
        if is_bound:
            packed = self._pack_targets(weights, "sample weights")
            specs = tree.map_structure(batch_spec, packed)
            infer_spec(metrics.update, (targets, y_pred, specs), {})
        self._compile_metrics = metrics

    # ---------------------------------------------------------------- compiled steps

    def _get_step_function(self, kind: str) -> Callable[..., Any]:
        """Returns the compiled step: a function of `(tensors, indices)`.

        Args:
            kind: `"train"`, `"test"` or `"predict"`.
        """
        if kind != "predict":
            self._trainer_state = self._collect_state()
        distribution = settings.distribution
        if distribution is not None:
            distribution.adopt(self._state(kind), self._flatten_layers())
        key = self._step_key(kind)
        if key not in self._functions:
            if distribution is not None:
                distribution.check_rules(self._label)
            self._depend_on(self._flatten_layers(include_self=False))
            graph = get_graph(self)
            host = None if graph is None else graph.host_preprocessing
            step = self._make_step(kind)
            if host is None or not host.is_whole:
                state = self._state(kind)
                options = {} if host else self._share_program(kind, state)
                step = current().compile(step, state, self._jit, kind == "train", **options)
            self._functions[key] = step
        return self._functions[key]

    def _get_multi_step_function(self, kind: str, tensors: Any, batches: tuple[int, int]) -> Any:
        """Returns the compiled loop over many steps, and the tuner of their number.

        Args:
            kind: `"train"` or `"test"`.
            tensors: The data, on the device.
            batches: Number of full batches, and samples in each.

        Returns:
            `(function, AutoStepsPerExecution)`, or None where single steps are as fast.
        """
        leaves = [t for group in tensors for t in group or (None,)]
        shapes = [None if t is None else (tuple(t.shape), t.dtype) for t in leaves]
        step_key = self._step_key(kind)
        key = (*step_key, batches, *shapes)
        if key not in self._functions:
            backend, state = cast(SupportsMultiStep, current()), self._state(kind)
            function = backend.compile_multi_step(
                self._make_step(kind),
                state,
                tensors,
                current().prepare_host_batch(np.zeros(batches, np.int32)),
                self._finish_multi_step,
                self._jit,
                **self._share_program(kind, state, (batches, *map(str, shapes))),
            )
            self._functions[key] = function and (function, AutoStepsPerExecution())
            same_kind = [k for k in self._functions if k[0] == kind and len(k) > len(step_key)]
            for oldest in same_kind[:-_MAX_MULTI_STEP_FUNCTIONS]:
                del self._functions[oldest]
        return self._functions[key]

    def _share_program(self, kind: str, state: list[Any], options: Any = None) -> Any:
        """Returns the argument `share` for the backend; empty if the step compiles for itself."""
        roots = partial(step_roots, self, kind)
        return share_program(kind, state, roots, (self._jit, options)) if self._jit else {}

    def _step_key(self, kind: str) -> tuple[Any, ...]:
        """Returns the key of a compiled step in `_functions`."""
        eager = bool(getattr(self, "run_eagerly", False))
        graph = get_graph(self)
        if kind == "predict" and graph is not None and graph.is_pure:
            # A step that assigns no variable does not depend on which are trainable.
            policy = id(self._policy)
            return kind, eager, settings.distribution, graph, self._has_hooks, policy
        return kind, eager, settings.distribution, tuple(v.trainable for v in self.variables)

    def _make_step(self, kind: str) -> Callable[..., Any]:
        """Returns the step as a function of `(tensors, indices)`, not compiled."""
        step, distribution = self._make_own_step(kind), settings.distribution
        return step if distribution is None else distribution.distribute_step(step, kind, self)

    def _make_own_step(self, kind: str) -> Callable[..., Any]:
        name = f"{kind}_step"
        is_custom = getattr(type(self), name) is not getattr(TrainStepMixin, name)
        graph: Any = None if is_custom else get_graph(self)
        if kind == "predict" and graph and graph.is_pure and self._is_plain_graph(graph):
            if graph.host_preprocessing is not None:
                graph = graph.host_preprocessing.device_graph
            return lambda tensors, indices: graph.run_inference(
                _unpack_masks(_gather_batch(tensors, indices)[0])
            )
        step = (
            self._make_custom_step(kind)
            if is_custom
            else partial(getattr(self, f"_{name}"), call=self._call_checked)
        )
        layers = self._flatten_layers()
        keeps_structure = self._keeps_target_structure

        def run(tensors: Any, indices: Any) -> Any:
            x, y, sample_weight = _gather_batch(tensors, indices)
            x = _unpack_masks(x)
            try:
                if keeps_structure:
                    y = self._pack_targets(y, "targets")
                    sample_weight = self._pack_targets(sample_weight, "sample weights")
                else:
                    y, sample_weight = _unwrap_single(y), _unwrap_single(sample_weight)
                return step(self._pack_inputs(x), y, sample_weight)
            finally:  # drop traced tensors before the trace ends: they would leak
                for layer in layers:
                    layer._losses.clear()

        # A custom step may call `loss.backward()` of PyTorch.
        if is_custom and kind == "train" and supports("record_gradients"):
            return cast(SupportsAutogradRecording, current()).record_gradients(run)
        return run

    def _make_custom_step(self, kind: str) -> Callable[..., Any]:
        """Returns an overridden step as a function of `(x, y, sample_weight)`."""
        step = getattr(self, f"{kind}_step")
        if is_stateless_step(step):
            step = stateful_from_stateless(self, kind, step)

        def run(x: Any, y: Any, sample_weight: Any) -> Any:
            if y is None and sample_weight is not None:
                return step((x, None, sample_weight))
            return step(pack_x_y_sample_weight(x, y, sample_weight))

        return run

    def _call_checked(self, x: Any, training: bool) -> Any:
        """Calls the model on inputs that `DataBinder` has checked, and so checks nothing again."""
        graph: Any = get_graph(self)
        if graph is None or not self._can_call_plan(graph):
            return self(x, training=training)
        run = graph.run_in_parts if graph.is_long else graph.execution_plan.run
        with TrainingScope(training):
            return graph.pack_outputs(run([x], training))

    def _can_call_plan(self, graph: Any) -> bool:
        """Whether a call of the model is a run of its graph, and nothing that `__call__` adds."""
        if graph.host_preprocessing is not None:
            return False
        if not graph.input_binder.single or self._may_add_losses():
            return False
        dtype = graph.input_binder.tensors[0].dtype
        return (
            self._is_plain_graph(graph)
            and not graph.execution_plan.masked
            and (dtype == self.compute_dtype or "float" not in dtype)
        )

    def _is_plain_graph(self, graph: Any) -> bool:
        """Whether a call of the model is a call of the graph, in its own dtypes."""
        has_own_call = "call" in vars(self) or not is_builtin(type(self).call)
        return not (has_own_call or self._has_hooks or self._autocast_to or graph._autocast_to)

    def _state(self, kind: str) -> list[Any]:
        """Returns the variables that a step may read or assign, each once."""
        graph = get_graph(self)
        host = None if graph is None else graph.host_preprocessing
        # A thread runs the host part while a step holds its variables.
        own = self.variables if host is None else host.device_graph.variables
        state = [*own, *global_seed_generator().variables]
        if kind != "predict":
            state += [v for metric in self.metrics for v in metric.variables]
        if kind == "train" and self.optimizer is not None:
            state += self.optimizer.variables
        return list({id(v): v for v in state}.values())

    def _pack_inputs(self, x: list[Any]) -> Any:
        """Nests flat inputs as the model's call takes them."""
        structure = DataBinder(self).input_structure
        if not tree.is_nested(structure):
            return _unwrap_single(x)
        return tree.unflatten(structure, x)

    def _pack_targets(self, values: list[Any] | None, kind: str) -> Any:
        """Nests flat targets or sample weights as they were passed, for a program's own methods."""
        structure = self._target_structures.get(kind) if self._keeps_target_structure else None
        if values is None or structure is None:
            return _unwrap_single(values)
        return tree.unflatten(structure, values)


def batch_spec(x: Any) -> KerasTensor | None:
    """Returns the spec of batches like `x`, of any number of samples; None for None."""
    if x is None:
        return None
    sparse = x.sparse if hasattr(x, "sparse") else get_sparse_test()(x)
    dtype = current().dtype_name(x)
    return KerasTensor((None, *x.shape[1:]), dtype, sparse, record_history=False)


def _unpack_masks(x: list[Any]) -> list[Any]:
    """Returns the inputs of a step; those of unequal lengths carry their masks."""
    return [attach_mask(a) if type(a) is PaddedBatch else a for a in x]


def _gather_batch(tensors: Any, indices: Any) -> Any:
    """Gathers the samples of a batch; without indices, the tensors are the batch.

    This is the one place where a batch is made: here it is sharded over devices.
    """
    if indices is not None:
        gather = current().gather_rows
        tensors = [
            None if group is None else [None if t is None else gather(t, indices) for t in group]
            for group in tensors
        ]
    distribution = settings.distribution
    return tensors if distribution is None else map_leaves(distribution.shard_batch, tensors)


def _unwrap_single(values: Any) -> Any:
    """Returns the element of a list of one, and anything else as it is."""
    return values[0] if isinstance(values, list) and len(values) == 1 else values

"""`compile`: the optimizer, losses and metrics of a model, and how its steps run."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from keras_fn import metrics as metrics_module, ops, optimizers
from keras_fn.backend.loader import supports
from keras_fn.core import tree
from keras_fn.core.construction import SetByInit
from keras_fn.core.graph_model import get_graph
from keras_fn.core.registry import is_builtin
from keras_fn.core.serialization import deserialize_keras_object, serialize_keras_object
from keras_fn.core.tracebacks import filter_traceback
from keras_fn.errors import SpecError
from keras_fn.settings import settings
from keras_fn.training.compile_utils import (
    CompileLoss,
    CompileMetrics,
    check_names,
    list_metrics,
)
from keras_fn.training.compiled_metrics import CompiledMetricOps, are_builtin
from keras_fn.training.output_binding import OutputBinder, make_output_binder
from keras_fn.training.stateless import StatelessTraining
from keras_fn.types import LossLike, MetricLike, OptimizerLike

if TYPE_CHECKING:
    from keras_fn.callbacks.history import History


class CompileMixin(StatelessTraining):
    """`compile`, and the metrics of a compiled model.

    Attributes:
        optimizer: The optimizer, or None.
        loss: The argument `loss` of `compile`.
        run_eagerly: Whether steps run uncompiled: of `compile`, and can be set afterwards.
        stop_training: Set it to True to stop `fit` after the current step.
        stop_evaluating: Set it to True to stop `evaluate`, or a validation, after the current step.
        stop_predicting: Set it to True to stop `predict` after the current step.
        trace_log: A record of each shape of batch for which a step was compiled, if batches come
            one by one.
        history: The result of the last `fit`, or None.
    """

    optimizer: Any
    run_eagerly: bool = False
    _needs_targets = True  # for a loss of `compile`
    _compile_arguments: Any = SetByInit()  # a dict, or None

    def _init_trainer(self) -> None:
        self.optimizer = None
        self.loss: Any = None
        self.stop_training = self.stop_evaluating = self.stop_predicting = False
        self._compile_arguments = None
        self._compile_loss: CompileLoss | None = None
        self._compile_metrics: CompileMetrics | None = None
        self._loss_tracker: Any = None
        self._functions: dict[Any, Any] = {}  # compiled steps; multi-step functions with their rate
        self._jit_compile: Any = "auto"
        self.trace_log: list[Any] = []
        self._trainer_state: Any = None  # while steps run
        self._output_losses: list[Any] | None = None  # while a step computes the loss
        self._input_structure: Any = None  # of a subclassed model, from its first batch
        self._target_structures: dict[str, Any] = {}  # of targets and weights, for own methods
        self.history: History | None = None

    @filter_traceback
    def compile(
        self,
        optimizer: OptimizerLike | None = "rmsprop",
        loss: LossLike | Sequence[Any] | None = None,
        loss_weights: float | Sequence[float | None] | Mapping[str, float] | None = None,
        metrics: MetricLike | Sequence[Any] | None = None,
        weighted_metrics: MetricLike | Sequence[Any] | None = None,
        run_eagerly: bool = False,
        steps_per_execution: int | str = 1,
        jit_compile: bool | str | Mapping[str, Any] | None = "auto",
        auto_scale_loss: bool = True,
    ) -> None:
        """Configures the model for training.

        Args:
            optimizer: An optimizer or its name. Default RMSprop.
            loss: A loss, its name or a function `f(y_true, y_pred)`; for several outputs a list in
                their order, a dict by name, or losses nested like the outputs. An output may have a
                list of losses. `"crossentropy"` is the one that fits the targets.
            loss_weights: Factor of each output's loss in the total loss, in the same forms.
                Default 1.
            metrics: Metrics that ignore sample weights; for several outputs a list of lists, a dict
                by name, or nested like the outputs. `"accuracy"` and `"crossentropy"` are those
                that fit the targets.
            weighted_metrics: Metrics that use sample weights, in the same forms.
            run_eagerly: Whether steps run uncompiled, for debugging.
            steps_per_execution: Number of steps between two calls of the callbacks' batch hooks,
                or `"auto"` for about ten calls a second. Without batch hooks, many steps run in one
                compiled call anyway, where the backend supports it.
            jit_compile: Whether to compile steps with XLA or `torch.compile`, or a dict of options
                of the compiler. `"auto"` chooses the fastest.
            auto_scale_loss: Whether to scale float16 losses, so that gradients do not underflow.

        Raises:
            ValueError: `steps_per_execution` is not a positive integer or `"auto"`, a loss or a
                metric is unknown, or they do not match the outputs of the model.

        Example:
            >>> x = keras.Input((2,))
            >>> model = keras.Model(x, keras.layers.Dense(1)(x))
            >>> model.compile("adam", "mse", metrics=["mae"])
            >>> model.compiled
            True
        """
        if steps_per_execution != "auto" and (
            not isinstance(steps_per_execution, int) or steps_per_execution < 1
        ):
            raise SpecError(
                self._label,
                expected="steps_per_execution as a positive integer or 'auto'",
                received=f"{steps_per_execution!r}",
                fix="for example steps_per_execution=16",
            )
        self._check_losses_and_metrics(loss, loss_weights, metrics, weighted_metrics)
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

    def _check_losses_and_metrics(
        self, loss: Any, loss_weights: Any, metrics: Any, weighted_metrics: Any
    ) -> None:
        """Checks names, and, where the outputs are known, that losses and metrics match them."""
        check_names(self._label, loss=loss, metrics=metrics, weighted_metrics=weighted_metrics)
        graph = get_graph(self)
        own = map(self._overrides, ("train_step", "compute_loss", "compute_metrics"))
        if graph is None or any(own):
            return
        outputs = make_output_binder(self, graph.output_structure)
        CompileLoss(loss, loss_weights, outputs)
        list_metrics(metrics, weighted_metrics, outputs)

    def _overrides(self, name: str) -> bool:
        """Whether the program defines a method of the model anew."""
        return name in vars(self) or not is_builtin(getattr(type(self), name))

    def _computes_in_float16(self) -> bool:
        policy = self.dtype_policy
        return policy.compute_dtype == "float16" != policy.variable_dtype

    @property
    def compiled(self) -> bool:
        """Whether `compile` was called."""
        return self._compile_arguments is not None

    def _require_compiled(self, method: str) -> None:
        if not self.compiled:
            raise SpecError(
                f"{self._label}, in {method}",
                expected="a compiled model",
                received="a model that is not compiled",
                fix="call model.compile(optimizer=..., loss=...) first",
            )

    @property
    def _jit(self) -> Any:
        """Compiler options for the backend: None for uncompiled steps."""
        if self.run_eagerly:
            return None
        return "auto" if self._jit_compile is None else self._jit_compile

    @property
    def jit_compile(self) -> Any:
        """How steps are compiled: of `compile`, and can be set afterwards."""
        return self._jit_compile

    @jit_compile.setter
    def jit_compile(self, value: bool | str | Mapping[str, Any] | None) -> None:
        self._jit_compile, self._functions = value, {}

    def get_compile_config(self) -> dict[str, Any] | None:
        """Returns the arguments of `compile` as plain values, or None if it was not called."""
        if not self.compiled:
            return None
        config = {}
        for name, value in (self._compile_arguments or {}).items():
            try:
                config[name] = serialize_keras_object(value)
            except SpecError as error:
                raise error.with_context(f"compile, {name}=") from None
        return config

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compiles the model with the arguments in a config.

        A class whose own `compile` does not take them is left uncompiled, with a warning.

        Args:
            config: The result of `get_compile_config`.
        """
        self._compile_with(deserialize_keras_object(config))

    def _compile_with(self, arguments: dict[str, Any]) -> None:
        """Compiles the model with the arguments of another one."""
        arguments = {**arguments, "auto_scale_loss": False}
        try:
            inspect.signature(self.compile).bind(**arguments)
        except TypeError:
            warnings.warn(
                f"{self._label} is not compiled as it was: its class has a compile() "
                "of its own. Call compile(), or define get_compile_config() and "
                "compile_from_config() in the class.",
                stacklevel=2,
            )
            return
        self.compile(**arguments)
        if self.built and self.optimizer is not None:
            self.optimizer.build(self.trainable_variables)

    # ---------------------------------------------------------------- metrics

    @property
    def metrics(self) -> list[Any]:
        """The metrics: the mean loss, those passed to `compile`, those in layers."""
        own = [self._loss_tracker] if self._loss_tracker is not None else []
        if self._compile_loss is not None:
            own += self._compile_loss.metrics
        if self._compile_metrics is not None:
            own += self._compile_metrics.metrics
        return list({id(metric): metric for metric in [*own, *super().metrics]}.values())

    @property
    def metrics_names(self) -> list[str]:
        """The names of the values that `evaluate` returns, in order."""
        names = list(self.get_metrics_result())
        arguments = self._compile_arguments
        if arguments is not None and self._compile_metrics is None:  # before the first batch
            received = tree.flatten([arguments["metrics"], arguments["weighted_metrics"]])
            own = {m.name for m in received if isinstance(m, metrics_module.Metric)}
            names[1:] = self._list_compiled_names() + [n for n in names[1:] if n not in own]
        return list(dict.fromkeys(names))

    def _list_compiled_names(self) -> list[str]:
        """Returns the names that the losses and metrics of `compile` will have."""
        graph, arguments = get_graph(self), self._compile_arguments or {}
        if self._compile_loss is not None:
            outputs = self._compile_loss.outputs
        elif graph is not None:
            outputs = make_output_binder(self, graph.output_structure)
        else:  # as far as one can know: one output
            outputs = OutputBinder(self._label, ["output"], ["output"], None)
        metrics = arguments["metrics"], arguments["weighted_metrics"]
        try:
            losses = CompileLoss(arguments["loss"], arguments["loss_weights"], outputs).metrics
            return [m.name for m in losses] + [row[1] for row in list_metrics(*metrics, outputs)]
        except SpecError:
            return []  # for outputs that are not known yet

    def reset_metrics(self) -> None:
        """Resets the state of all metrics, as `fit` does before each epoch."""
        metrics = self.metrics
        self._run_metric_ops("reset", metrics, lambda: [metric.reset_state() for metric in metrics])

    def get_metrics_result(self) -> dict[str, Any]:
        """Returns the current results of the metrics as a dict by name. Override it to add some."""
        results: dict[str, Any] = {}
        done: set[int] = set()
        if self._loss_tracker is not None:
            results["loss"] = self._loss_tracker.result()
            done.add(id(self._loss_tracker))
        if self._compile_loss is not None:
            results.update((m.name, m.result()) for m in self._compile_loss.metrics)
            done.update(map(id, self._compile_loss.metrics))
        if self._compile_metrics is not None:
            results.update(self._compile_metrics.results())
            done.update(map(id, self._compile_metrics.metrics))
        for metric in self.metrics:
            if id(metric) not in done:
                value = metric.result()
                results.update(value if isinstance(value, dict) else {metric.name: value})
        return results

    @property
    def _has_builtin_results(self) -> bool:
        has_own = "get_metrics_result" in vars(self)
        return not has_own and type(self).get_metrics_result is CompileMixin.get_metrics_result

    def _read_metrics(self) -> dict[str, Any]:
        """Returns the results of the metrics as numbers on the host: those of all processes."""
        if settings.distribution is None:
            return self._read_own_metrics()
        return settings.distribution.read_metrics(self, self._read_own_metrics)

    def _read_own_metrics(self) -> dict[str, Any]:
        """Returns the results of the metrics in this process."""
        if self._has_builtin_results and supports("compile_call"):
            return self._read(self._run_metric_ops("read", self.metrics, self.get_metrics_result))
        return self._read(self.get_metrics_result())

    def _read(self, results: dict[str, Any]) -> dict[str, Any]:
        """Copies results to the host, as numbers or arrays."""
        return {name: _to_number(value) for name, value in results.items()}

    def _finish_multi_step(self, last: Any) -> Any:
        """Returns the result of many steps: the result of the last one, or else the metrics."""
        if settings.distribution is not None and not settings.distribution.reads_metrics_in_step:
            return last
        if last is None and self._has_builtin_results and are_builtin(self.metrics):
            return self.get_metrics_result()
        return last

    def _run_metric_ops(self, key: str, metrics: list[Any], function: Callable[[], Any]) -> Any:
        if not self._jit or not supports("compile_call"):
            return function()
        owners = type(self), self._loss_tracker, self._compile_loss, self._compile_metrics
        compiled = self._functions.setdefault((key,), CompiledMetricOps())
        return compiled.run(function, metrics, key, owners)


def _to_number(value: Any) -> Any:
    array = ops.convert_to_numpy(value)
    return float(array) if array.ndim == 0 else array

"""The losses and metrics of `compile`, bound to the outputs of the model."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from keras_fn import losses as losses_module, metrics as metrics_module, ops
from keras_fn.core import tree
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.naming import to_snake_case
from keras_fn.core.operation import infer_spec
from keras_fn.core.serialization import check_identifier
from keras_fn.errors import SpecError
from keras_fn.losses import target_validation
from keras_fn.losses.loss import LossFunctionWrapper
from keras_fn.training.output_binding import OutputBinder

_BY_SHAPE = {
    "accuracy": "accuracy",
    "acc": "accuracy",
    "crossentropy": "crossentropy",
    "ce": "crossentropy",
}
"""Names that stand for one of three functions, which the shape of the targets decides."""


@dataclass
class OutputLoss:
    """The losses of an output, or of a part of nested outputs as a whole.

    Attributes:
        part: The index of the output, or the nested indices.
        functions: The losses; `"crossentropy"` until the shape of the targets is known.
        factors: The weight of each in the total loss, or None.
        tracker: The mean that is reported, if there are several losses.
    """

    part: Any
    functions: list[Any] = field(default_factory=list)
    factors: list[float | None] = field(default_factory=list)
    tracker: Any = None

    def select(self, values: Sequence[Any]) -> Any:
        """Returns the values of its outputs, nested as they are."""
        if isinstance(self.part, int):
            return values[self.part]
        return tree.map_structure(lambda i: values[i], self.part)

    @property
    def indices(self) -> list[int]:
        """The indices of its outputs."""
        return tree.flatten(self.part)

    def resolve(self, y_true: Any, y_pred: Any) -> list[Any]:
        """Returns the losses, after choosing the crossentropy for the targets."""
        for k, fn in enumerate(self.functions):
            if isinstance(fn, str):
                self.functions[k] = get_loss(_choose_by_shape(fn, y_true, y_pred))
        return self.functions


class CompileLoss:
    """The losses of the outputs, and their weighted sum.

    Args:
        loss: One loss for all outputs, a list in their order, a dict by name, or losses nested like
            the outputs; an output may have a list of losses.
        loss_weights: Factors of the losses, in the same forms.
        outputs: Binds them to the outputs.

    Raises:
        SpecError: They do not match the outputs.
    """

    def __init__(self, loss: Any, loss_weights: Any, outputs: OutputBinder):
        self.outputs = outputs
        self.losses: list[OutputLoss] = self._bind_losses(loss)
        self._bind_weights(loss_weights)
        # Several losses are reported in addition to their sum.
        if sum(len(x.functions) for x in self.losses) > 1:
            for x in self.losses:
                x.tracker = metrics_module.Mean(name=f"{outputs.label(x.part)}_loss")
        self.error: SpecError | None = None  # why the losses could not be bound
        self._checked: set[Any] = set()

    def _bind_losses(self, loss: Any) -> list[OutputLoss]:
        found: dict[Any, OutputLoss] = {}
        for part, identifier in self.outputs.match(loss, "losses", several=True):
            if identifier is None:
                continue
            fn = get_loss(identifier)
            # A loss of the program may take several outputs as a whole, but not implicitly.
            is_whole = part is not self.outputs.indices and not _is_of_one_output(fn)
            for inner in [part] if is_whole else tree.flatten(part):
                key = tuple(tree.flatten(inner))
                found.setdefault(key, OutputLoss(inner)).functions.append(fn)
        return list(found.values())

    def _bind_weights(self, loss_weights: Any) -> None:
        if isinstance(loss_weights, np.ndarray):
            loss_weights = loss_weights.tolist()
        weights: dict[tuple[int, ...], list[float | None]] = {}
        for part, value in self.outputs.match(loss_weights, "loss_weights", several=True):
            indices = tuple(tree.flatten(part))
            weights.setdefault(indices, []).append(self._check_weight(value))
        for x in self.losses:
            inside = [w for part, all_ in weights.items() if x.indices[0] in part for w in all_]
            factors = weights.get(tuple(x.indices)) or inside or [None]
            if len(factors) == 1:
                factors = factors * len(x.functions)
            if len(factors) != len(x.functions):
                raise SpecError(
                    self.outputs.source,
                    expected=f"loss_weights for the {len(x.functions)} losses of the output "
                    f"{self.outputs.label(x.part)!r}",
                    received=f"{len(factors)} weights",
                    fix="pass a number for the output, or one for each of its losses",
                )
            x.factors = factors

    def _check_weight(self, value: Any) -> float | None:
        try:
            return None if value is None else float(value)
        except (TypeError, ValueError):
            raise SpecError(
                self.outputs.source,
                expected="loss_weights as numbers: one, a list, or a dict by name",
                received=f"{value!r}",
                fix="for example loss_weights=[1.0, 0.5]",
            ) from None

    @property
    def metrics(self) -> list[Any]:
        """The means of the losses, if there are several."""
        return [x.tracker for x in self.losses if x.tracker is not None]

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Computes the loss of a batch.

        Args:
            y_true: Targets, for each output.
            y_pred: Outputs of the model.
            sample_weight: Sample weights, for each output, or None.

        Returns:
            The weighted sum, and the list of the losses of each output, or part of the outputs,
            that has one (None where the target is missing): float32 scalars.
        """
        if self.error is not None:
            raise self.error
        targets = self.outputs.bind(y_true, "targets", fill=True)
        weights = self.outputs.bind(sample_weight, "sample weights", fill=True)
        predictions = tree.flatten(y_pred)
        total, parts = None, []
        for x in self.losses:
            target, prediction = x.select(targets), x.select(predictions)
            if all(targets[i] is None for i in x.indices):
                parts.append(None)
                continue
            part: Any = None
            for fn, factor in zip(x.resolve(target, prediction), x.factors, strict=True):
                value = fn(target, prediction, weights[x.indices[0]])
                value = ops.cast(value, "float32") if ops.dtype(value) in _HALF else value
                part = value if part is None else ops.add(part, value)
                if factor is not None:
                    value = ops.multiply(value, factor)
                total = value if total is None else ops.add(total, value)
            parts.append(part)
        return total, parts

    def track(self, parts: Sequence[Any], count: Any) -> None:
        """Updates the means of the losses.

        Args:
            parts: The losses of a batch, from a call. None at all if a `compute_loss` of the
                program made no call: then nothing is reported.
            count: Number of samples in the batch.
        """
        if not parts:
            for x in self.losses:
                x.tracker = None
        for x, part in zip(self.losses, parts, strict=False):
            if x.tracker is not None and part is not None:
                x.tracker.add_mean(part, count)

    def check(
        self,
        targets: Sequence[Any],
        weights: Sequence[Any] | None = None,
        weight_name: str = "sample_weight",
    ) -> None:
        """Checks targets and sample weights against the losses.

        Args:
            targets: Host arrays, or None for outputs without a target.
            weights: Sample weights, for each output, or None.
            weight_name: The argument that the weights come from, for errors.

        Raises:
            SpecError: A loss refuses its targets or its weights.
        """
        specs = tree.flatten(self.outputs.structure)
        for x in self.losses:
            i = x.indices[0]
            if tree.is_nested(x.part) or targets[i] is None:
                continue
            name, shape = self.outputs.names[i], tuple(specs[i].shape)
            source = f"{self.outputs.source}, output {name!r}"
            for fn in x.resolve(targets[i], specs[i]):
                fn.check_targets(targets[i], shape, source)
                if _is_of_one_output(fn):
                    self._warn_of_broadcasting(fn, targets[i], shape, name)
                    if weights is not None and weights[i] is not None:
                        self._check_weights(fn, targets[i], specs[i], weights[i], weight_name)

    def _warn_of_broadcasting(self, fn: Any, target: np.ndarray, shape: Any, name: str) -> None:
        """Warns once of targets that fit the predictions only because they are repeated."""
        check = fn._builtin_loss.target_check
        is_lenient = check is target_validation.check_broadcastable
        if (
            name in self._checked
            or not is_lenient
            or not target_validation.repeats_targets(target, shape)
        ):
            return
        self._checked.add(name)
        warnings.warn(
            f"{self.outputs.source}, output {name!r}: targets of shape {tuple(target.shape)} are "
            f"broadcast to the predictions of shape {shape} in the loss {fn.name!r}: each number "
            "is compared with several. Reshape the targets, or check the size of the output.",
            stacklevel=2,
        )

    def _check_weights(
        self, fn: Any, target: np.ndarray, y_pred: Any, weight: Any, weight_name: str
    ) -> None:
        key = (id(fn), target.shape[1:], tuple(weight.shape)[1:])
        if key in self._checked:
            return
        y_true = KerasTensor((None, *target.shape[1:]), str(target.dtype), record_history=False)
        spec = KerasTensor((None, *weight.shape[1:]), "float32", record_history=False)
        try:
            infer_spec(fn, (y_true, y_pred, spec), {})
        except SpecError as error:
            raise SpecError(
                f"{self.outputs.source}, in {error.source}",
                expected=str(error.expected).replace("sample_weight", weight_name),
                received=f"{weight_name} of shape {tuple(weight.shape)}",
                fix=error.fix,
            ) from None
        self._checked.add(key)


_HALF = ("float16", "bfloat16")


def get_loss(identifier: Any) -> Any:
    """Returns the `Loss` for an identifier, or `"crossentropy"`, which the targets decide."""
    if isinstance(identifier, str) and _BY_SHAPE.get(identifier.lower()) == "crossentropy":
        return "crossentropy"
    fn = losses_module.get(identifier)
    if isinstance(fn, losses_module.Loss):
        return fn
    return LossFunctionWrapper(fn, name=_report_name(fn))


def _is_of_one_output(fn: Any) -> bool:
    """Whether a loss is a built-in one, which takes a tensor of targets and one of predictions."""
    return isinstance(fn, str) or getattr(fn, "_builtin_loss", None) is not None


def _report_name(fn: Any) -> str:
    """Returns the name of a loss, metric or function, in snake_case: `lambda` for a lambda."""
    name = getattr(fn, "name", None)
    if isinstance(name, str):
        return name
    return to_snake_case(getattr(fn, "__name__", type(fn).__name__))


class CompileMetrics:
    """The metrics of the outputs, with the names under which they are reported.

    Args:
        metrics: Metrics that ignore sample weights: one, a list, a list of lists, a dict by name,
            or nested like the outputs.
        weighted: Metrics that use sample weights, in the same forms.
        outputs: Binds them to the outputs.
        y_true: Specs of the targets, bound to the outputs.
        y_pred: Specs of the predictions, flat.
    """

    def __init__(
        self, metrics: Any, weighted: Any, outputs: OutputBinder, y_true: Any, y_pred: Sequence[Any]
    ):
        self.outputs = outputs
        rows = list_metrics(metrics, weighted, outputs)
        self.rows: list[tuple[int, str, Any, bool]] = [  # output, name, metric, is weighted
            (i, name, _get_metric(identifier, y_true[i], y_pred[i]), is_weighted)
            for i, name, identifier, is_weighted in rows
        ]

    @property
    def metrics(self) -> list[Any]:
        """The metric objects."""
        return [metric for _, _, metric, _ in self.rows]

    @property
    def by_name(self) -> dict[str, Any]:
        """The metric objects by the names under which they are reported."""
        return {name: metric for _, name, metric, _ in self.rows}

    def update(self, y_true: Any, y_pred: Any, sample_weight: Any) -> None:
        """Updates all metrics with a batch.

        Args:
            y_true: Targets, for each output.
            y_pred: Outputs of the model.
            sample_weight: Sample weights, for each output, or None.
        """
        if not self.rows:
            return
        targets = self.outputs.bind(y_true, "targets", fill=True)
        weights = self.outputs.bind(sample_weight, "sample weights", fill=True)
        predictions = tree.flatten(y_pred)
        for i, _, metric, weighted in self.rows:
            if targets[i] is not None:
                weight = weights[i] if weighted else None
                if weight is None:
                    metric.update_state(targets[i], predictions[i])
                else:
                    metric.update_state(targets[i], predictions[i], sample_weight=weight)

    def results(self) -> dict[str, Any]:
        """Returns the current results by name."""
        results: dict[str, Any] = {}
        for _, name, metric, _ in self.rows:
            value = metric.result()
            results.update(value if isinstance(value, dict) else {name: value})
        return results


def list_metrics(
    metrics: Any, weighted: Any, outputs: OutputBinder
) -> list[tuple[int, str, Any, bool]]:
    """Returns metrics with their outputs, the names under which they are reported, and the weights.

    Of equal names of one output the later ones have a number; a weighted metric with the name of
    one without weights is called `weighted_...`.

    Args:
        metrics: Metrics that ignore sample weights.
        weighted: Metrics that use them.
        outputs: Binds them to the outputs.

    Returns:
        A list of `(output, name, identifier, is_weighted)`.

    Raises:
        SpecError: They do not match the outputs.
    """
    rows: list[tuple[int, str, Any, bool]] = []
    counts: dict[str, int] = {}
    for received, is_weighted in ((metrics, False), (weighted, True)):
        for part, identifier in outputs.match(received, "metrics", several=True):
            for i in tree.flatten(part) if identifier is not None else ():
                prefix = f"{outputs.names[i]}_" if len(outputs) > 1 else ""
                base = identifier if isinstance(identifier, str) else _metric_name(identifier)
                name = prefix + base
                if is_weighted and name in counts:
                    name = f"{prefix}weighted_{base}"
                number = counts[name] = counts.get(name, -1) + 1
                rows.append((i, f"{name}_{number}" if number else name, identifier, is_weighted))
    return rows


def _metric_name(identifier: Any) -> str:
    is_named = isinstance(identifier, (type, dict))  # the object has the name
    return _report_name(metrics_module.get(identifier) if is_named else identifier)


def _get_metric(identifier: Any, y_true: Any, y_pred: Any) -> Any:
    if isinstance(identifier, str) and identifier.lower() in _BY_SHAPE:
        kind = _BY_SHAPE[identifier.lower()]
        return metrics_module.get(_choose_by_shape(kind, y_true, y_pred))
    metric = metrics_module.get(identifier)
    if isinstance(metric, metrics_module.Metric):
        return metric
    return metrics_module.MeanMetricWrapper(metric, name=_report_name(metric))


def _choose_by_shape(kind: str, y_true: Any, y_pred: Any) -> str:
    """Returns the accuracy or crossentropy for the targets: binary, one-hot, or integer labels."""
    shape, expected = (y_pred if y_true is None else y_true).shape, y_pred.shape
    classes = expected[-1] if expected else 1
    if classes == 1:
        return f"binary_{kind}"
    is_sparse = len(shape) < len(expected) or shape[-1] == 1
    return f"sparse_categorical_{kind}" if is_sparse else f"categorical_{kind}"


def check_names(source: str, **arguments: Any) -> None:
    """Checks that each name among losses and metrics is known.

    Args:
        source: The model, for errors.
        **arguments: `loss`, `metrics` and `weighted_metrics`, as `compile` takes them.

    Raises:
        SpecError: A name is unknown, or something is neither a loss nor a metric. The error lists
            the names.
    """
    for argument, values in arguments.items():
        kind = "loss" if argument == "loss" else "metric"
        aliases = () if kind == "loss" else metrics_module._CLASS_ALIASES
        for value in tree.flatten(values, is_leaf=_is_config):
            if value is None or (isinstance(value, str) and value.lower() in _BY_SHAPE):
                continue
            try:
                check_identifier(kind, value, aliases)
            except SpecError as error:
                raise error.with_context(f"{source}, {argument}=") from None


def _is_config(value: Any) -> bool:
    return isinstance(value, dict) and "class_name" in value

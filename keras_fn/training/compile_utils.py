"""The losses and metrics of `compile`, bound to the outputs of the model."""

from collections.abc import Sequence
from typing import Any

from keras_fn import losses as losses_module, metrics as metrics_module, ops
from keras_fn.core import tree
from keras_fn.errors import SpecError
from keras_fn.losses.loss import LossFunctionWrapper
from keras_fn.training.output_binding import OutputBinder


class CompileLoss:
    """The losses of the outputs, and their weighted sum.

    Args:
        loss: One loss, a list in the order of the outputs, or a dict by name.
        loss_weights: Factors of the losses, in the same forms.
        outputs: Binds them to the outputs.
    """

    def __init__(self, loss: Any, loss_weights: Any, outputs: OutputBinder):
        self.outputs = outputs
        self.losses = [_get_loss(x) for x in outputs.bind(loss, "losses", fill=True)]
        weights = outputs.bind(loss_weights, "loss_weights", fill=True)
        self.weights = [None if w is None else float(w) for w in weights]
        # With several outputs, each loss is reported in addition to their sum.
        self.trackers: list[Any] = []
        if sum(x is not None for x in self.losses) > 1:
            self.trackers = [
                None if fn is None else metrics_module.Mean(name=f"{name}_loss")
                for name, fn in zip(outputs.names, self.losses, strict=True)
            ]

    @property
    def metrics(self) -> list[Any]:
        """The means of the losses of several outputs; empty for a single output."""
        return [tracker for tracker in self.trackers if tracker is not None]

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Computes the loss of a batch.

        Args:
            y_true: Targets, for each output.
            y_pred: Outputs of the model.
            sample_weight: Sample weights, for each output, or None.

        Returns:
            The weighted sum, and the list of the outputs' losses (None for outputs without one):
            float32 scalars.
        """
        targets = self.outputs.bind(y_true, "targets", fill=True)
        weights = self.outputs.bind(sample_weight, "sample weights", fill=True)
        predictions = tree.flatten(y_pred)
        total, parts = None, []
        rows = zip(self.losses, self.weights, targets, predictions, weights, strict=True)
        for fn, factor, target, prediction, weight in rows:
            if fn is None or target is None:
                parts.append(None)
                continue
            value = fn(target, prediction, weight)
            value = ops.cast(value, "float32") if ops.dtype(value) in _HALF else value
            parts.append(value)
            if factor is not None:
                value = ops.multiply(value, factor)
            total = value if total is None else ops.add(total, value)
        return total, parts

    def track(self, parts: Sequence[Any], count: Any) -> None:
        """Updates the means of the outputs' losses.

        Args:
            parts: The losses of a batch, from a call.
            count: Number of samples in the batch.
        """
        for tracker, part in zip(self.trackers, parts, strict=False):
            if tracker is not None and part is not None:
                tracker.add_mean(part, count)

    def check(self, targets: Sequence[Any], shapes: Sequence[Any]) -> None:
        """Checks targets against their losses.

        Args:
            targets: Host arrays, or None for outputs without a target.
            shapes: Shapes of the outputs.

        Raises:
            SpecError: A loss refuses its targets.
        """
        rows = zip(self.losses, targets, shapes, self.outputs.names, strict=True)
        for fn, target, shape, name in rows:
            if hasattr(fn, "check_targets") and target is not None:
                fn.check_targets(target, shape, f"{self.outputs.source}, output {name!r}")


_HALF = ("float16", "bfloat16")


def _get_loss(identifier: Any) -> Any:
    if identifier is None:
        return None
    fn = losses_module.get(identifier)
    if isinstance(fn, losses_module.Loss):
        return fn
    name = getattr(fn, "__name__", type(fn).__name__)
    return LossFunctionWrapper(fn, name=name)


class CompileMetrics:
    """The metrics of the outputs, with the names under which they are reported.

    Args:
        metrics: Metrics that ignore sample weights: one, a list, a list of lists, or a dict by
            name.
        weighted: Metrics that use sample weights, in the same forms.
        outputs: Binds them to the outputs.
        y_true: Specs of the targets, bound to the outputs.
        y_pred: Specs of the predictions, flat.
    """

    def __init__(
        self, metrics: Any, weighted: Any, outputs: OutputBinder, y_true: Any, y_pred: Sequence[Any]
    ):
        self.outputs = outputs
        self.rows: list[tuple[int, str, Any, bool]] = []  # output, name, metric, is weighted
        for received, is_weighted in ((metrics, False), (weighted, True)):
            for i, group in enumerate(_group_by_output(received, outputs)):
                for identifier in group:
                    metric = _get_metric(identifier, y_true[i], y_pred[i])
                    self.rows.append(
                        (i, self._unique_name(i, identifier, metric), metric, is_weighted)
                    )

    def _unique_name(self, i: int, identifier: Any, metric: Any) -> str:
        name = identifier if isinstance(identifier, str) else metric.name
        name = name if len(self.outputs) == 1 else f"{self.outputs.names[i]}_{name}"
        taken = {row[1] for row in self.rows}
        while name in taken:
            name = f"weighted_{name}" if f"weighted_{name}" not in taken else f"{name}_1"
        return name

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


def _group_by_output(metrics: Any, outputs: OutputBinder) -> list[list[Any]]:
    """Returns a list of metrics for each output."""
    if metrics is None:
        return [[] for _ in outputs.names]
    if isinstance(metrics, dict):
        groups = outputs.bind(metrics, "metrics", fill=True)
    elif isinstance(metrics, (list, tuple)) and len(outputs) > 1:
        nested = any(isinstance(x, (list, tuple)) for x in metrics)
        if not nested and len(metrics) != len(outputs):
            raise SpecError(
                outputs.source,
                expected=f"metrics for {len(outputs)} outputs",
                received=f"a list of {len(metrics)}",
                fix="give a list for each output, or a dict by name",
            )
        groups = outputs.bind(list(metrics), "metrics")
    else:
        groups = [metrics] * len(outputs)
    return [
        []
        if g is None
        else [x for x in tree.flatten(g) if x is not None]
        if isinstance(g, (list, tuple))
        else [g]
        for g in groups
    ]


def _get_metric(identifier: Any, y_true: Any, y_pred: Any) -> Any:
    if identifier in ("accuracy", "acc", "crossentropy", "ce"):
        kind = "accuracy" if identifier in ("accuracy", "acc") else "crossentropy"
        return metrics_module.get(_choose_by_shape(kind, y_true, y_pred))
    metric = metrics_module.get(identifier)
    if isinstance(metric, metrics_module.Metric):
        return metric
    name = getattr(metric, "__name__", None) or getattr(metric, "name", type(metric).__name__)
    return metrics_module.MeanMetricWrapper(metric, name=name)


def _choose_by_shape(kind: str, y_true: Any, y_pred: Any) -> str:
    """Returns the accuracy or crossentropy for the targets: binary, one-hot, or integer labels."""
    classes = y_pred.shape[-1] if y_pred.shape else 1
    if classes == 1:
        return f"binary_{kind}"
    is_sparse = len(y_true.shape) < len(y_pred.shape) or y_true.shape[-1] == 1
    return f"sparse_categorical_{kind}" if is_sparse else f"categorical_{kind}"

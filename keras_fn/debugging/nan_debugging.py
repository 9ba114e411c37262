"""NaN debugging: finds the source of the first NaN or infinity of a training step."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_fn.backend.loader import current
from keras_fn.core import tree
from keras_fn.core.tracebacks import filter_traceback
from keras_fn.debugging.layer_hooks import hook_layers
from keras_fn.ops._op import class_name
from keras_fn.training.snapshot import restore_on_exit
from keras_fn.types import AnyModel, DataLike, TensorLike


@dataclass(frozen=True)
class TensorStats:
    """Summary statistics of a tensor.

    Attributes:
        name: Name of the tensor, such as `"output"` or `"kernel"`.
        shape: Shape of the tensor.
        num_nans: Number of NaN elements.
        num_infs: Number of infinite elements.
        min: Minimum of the finite elements; NaN if there are none.
        max: Maximum of the finite elements; NaN if there are none.
        mean: Mean of the finite elements; NaN if there are none.

    Example:
        >>> stats = keras.debugging.TensorStats.from_tensor("output", np.array([1.0, np.inf, 3.0]))
        >>> print(stats)
        output (3,): 0 NaN, 1 infinite; from 1 to 3, mean 2
        >>> stats.is_finite
        False
    """

    name: str
    shape: tuple[int, ...]
    num_nans: int
    num_infs: int
    min: float
    max: float
    mean: float

    @property
    def is_finite(self) -> bool:
        """Whether all elements are finite."""
        return not (self.num_nans or self.num_infs)

    def __str__(self) -> str:
        text = f"{self.name} {self.shape}: {self.num_nans} NaN, {self.num_infs} infinite"
        return f"{text}; from {self.min:.4g} to {self.max:.4g}, mean {self.mean:.4g}"

    @classmethod
    def from_tensor(cls, name: str, x: TensorLike) -> TensorStats:
        """Computes the statistics of a tensor or array.

        Args:
            name: Name of the tensor.
            x: Tensor or array of any shape and numeric dtype; of complex values, the magnitudes.
        """
        array = current().convert_to_numpy(x) if current().is_tensor(x) else np.asarray(x)
        values = array.astype("float64") if array.dtype.kind != "c" else np.abs(array)
        finite = values[np.isfinite(values)]
        num_nans = int(np.isnan(values).sum())
        num_infs = int(values.size - finite.size - num_nans)
        stats = [float(f(finite)) if finite.size else np.nan for f in (np.min, np.max, np.mean)]
        return cls(name, array.shape, num_nans, num_infs, *stats)


@dataclass(frozen=True)
class NonFinite:
    """Report of `find_non_finite`: the source of the first NaN or infinity.

    Attributes:
        source: `"data"`, `"weight"`, `"output"`, `"loss"` or `"gradient"`.
        layer: Path of the layer or op; for a gradient, the layer of the weight, the one nearest to
            the loss. Empty for data and the loss.
        class_name: Class of the layer or op; empty for data and the loss.
        tensors: Statistics of the tensors involved.

    Example:
        >>> stats = keras.debugging.TensorStats.from_tensor("kernel", np.array([1.0, np.nan]))
        >>> print(keras.debugging.NonFinite("weight", "dense", "Dense", (stats,)))
        The first non-finite value is in the weight of Dense 'dense'.
          kernel (2,): 1 NaN, 0 infinite; from 1 to 1, mean 1
    """

    source: str
    layer: str
    class_name: str
    tensors: tuple[TensorStats, ...]

    def __str__(self) -> str:
        label = f" of {self.class_name} {self.layer!r}" if self.layer else ""
        title = f"The first non-finite value is in the {self.source}{label}."
        return "\n".join([title, *(f"  {stats}" for stats in self.tensors)])


@filter_traceback
def find_non_finite(
    model: AnyModel,
    x: DataLike | None = None,
    y: DataLike | None = None,
    *,
    sample_weight: TensorLike | None = None,
) -> NonFinite | None:
    """Finds the source of the first NaN or infinity in a training step, layer by layer.

    It checks, in this order, the data, the weights and the output of each layer as it runs, the
    loss, and the gradients from the loss backward. The model is restored afterward.

    Args:
        model: A built model; compiled if `y` is given.
        x: Inputs of one batch. Without them, only weights are checked.
        y: Targets; without them, loss and gradients are not checked.
        sample_weight: Weight of each sample in the loss, shape `(batch_size,)`.

    Returns:
        A report that prints as a short text; None if all values are finite.

    Example:
        >>> x = keras.Input((2,), name="x")
        >>> y = ops.log(keras.layers.Dense(2, kernel_initializer="zeros", name="zero")(x))
        >>> model = keras.Model(x, keras.layers.Dense(1, name="out")(y))
        >>> print(keras.debugging.find_non_finite(model, np.ones((1, 2))))
        The first non-finite value is in the output of Log 'log'.
          input (1, 2): 0 NaN, 0 infinite; from 0 to 0, mean 0
          output (1, 2): 0 NaN, 2 infinite; from nan to nan, mean nan
    """
    if x is None:
        return _first(_check_weights(layer, layer.name) for layer in model._flatten_layers())
    named = {"x": x, "y": y, "sample_weight": sample_weight}
    arrays = [(k, a) for k, v in named.items() if v is not None for a in tree.flatten(v)]
    report = _check_tensors("data", "", None, arrays)
    if report is not None:
        return report
    with restore_on_exit(model):
        report = _check_layers(model, x)
        if report is None and y is not None:
            report = _check_step(model, x, y, sample_weight)
    return report


def _first(results: Iterable[NonFinite | None]) -> NonFinite | None:
    return next((result for result in results if result is not None), None)


def _check_tensors(
    source: str, path: str, layer: Any, tensors: list[tuple[str, Any]], context: Any = ()
) -> NonFinite | None:
    """Returns a report if one of the tensors has a non-finite element.

    Args:
        source: The kind of tensors, for the report.
        path: The path of the layer.
        layer: The layer, or None.
        tensors: Tensors with their names.
        context: Further tensors with their names, for the report; finite ones.
    """
    stats = [TensorStats.from_tensor(name, x) for name, x in tensors if _may_be_non_finite(x)]
    if all(s.is_finite for s in stats):
        return None
    extra = [TensorStats.from_tensor(name, x) for name, x in context if _may_be_non_finite(x)]
    return NonFinite(source, path, class_name(layer) if path else "", (*extra, *stats))


def _may_be_non_finite(x: Any) -> bool:
    """Whether it is a tensor or array of a dtype that has NaN."""
    if current().is_tensor(x):
        return "float" in current().dtype_name(x) or "complex" in current().dtype_name(x)
    return not isinstance(x, (str, bytes, type(None))) and np.asarray(x).dtype.kind in "fcV"


def _check_weights(layer: Any, path: str) -> NonFinite | None:
    list_variables: Callable[[], list[Any]] = getattr(layer, "_own_variables", list)  # not of ops
    tensors = [(v.name, v.value) for v in list_variables()]
    non_finite = [t for t in tensors if not TensorStats.from_tensor(*t).is_finite]
    return _check_tensors("weight", path, layer, non_finite)


class _FoundNonFinite(Exception):
    def __init__(self, report: NonFinite):
        self.report = report


def _check_layers(model: Any, x: Any) -> NonFinite | None:
    """Runs the forward pass until the output of a layer is not finite."""

    def hook(path: str, layer: Any, args: tuple, kwargs: dict[str, Any]) -> Any:
        sublayers = getattr(layer, "_flatten_layers", lambda: [layer])()
        outputs = None
        report = _first(_check_weights(sublayer, path) for sublayer in sublayers)
        if report is None:
            outputs = layer(*args, **kwargs)
            inputs = [("input", a) for a in tree.flatten([args, kwargs]) if current().is_tensor(a)]
            results = [("output", a) for a in tree.flatten(outputs)]
            report = _check_tensors("output", path, layer, results, context=inputs)
        if report is not None:
            raise _FoundNonFinite(report)
        return outputs

    try:
        with hook_layers(model, hook) as call:
            call(x, training=True)
    except _FoundNonFinite as stop:
        return stop.report
    return None


def _check_step(model: Any, x: Any, y: Any, sample_weight: Any) -> NonFinite | None:
    """Runs one training step, in which the optimizer only records the gradients."""
    recorded: list[tuple[Any, Any]] = []
    optimizer = model.optimizer
    # `restore_on_exit` of the caller removes these attributes again.
    model.run_eagerly = True
    optimizer.scale_loss = lambda loss: loss  # an overflow of the loss scale is not an error
    optimizer.apply = lambda grads, variables=None: recorded.extend(
        zip(grads, variables or model.trainable_variables, strict=True)
    )
    model.reset_metrics()
    loss = model.train_on_batch(x, y, sample_weight, return_dict=True)["loss"]
    report = _check_tensors("loss", "", None, [("loss", loss)])
    if report is not None:
        return report
    owners = {
        id(v): (layer.name, layer)
        for layer in model._flatten_layers()
        for v in layer._own_variables()
    }
    return _first(
        _check_tensors("gradient", *owners.get(id(v), ("", None)), [(v.name, g)])
        for g, v in reversed(recorded)
    )

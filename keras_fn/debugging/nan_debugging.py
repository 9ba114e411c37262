"""Where the first NaN or infinity comes from."""

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


@dataclass(frozen=True)
class TensorStats:
    """A tensor in numbers; those about values leave out what is not finite.

    Attributes:
        name: What it is, such as `"output"` or `"kernel"`.
        shape: Its shape.
        nans: How many elements are NaN.
        infinities: How many are infinite.
        least: The least finite value; NaN if there is none.
        greatest: The greatest one.
        mean: Their mean.
    """

    name: str
    shape: tuple[int, ...]
    nans: int
    infinities: int
    least: float
    greatest: float
    mean: float

    @property
    def is_finite(self) -> bool:
        """Whether all elements are finite."""
        return not (self.nans or self.infinities)

    def __str__(self) -> str:
        text = f"{self.name} {self.shape}: {self.nans} NaN, {self.infinities} infinite"
        return f"{text}; from {self.least:.4g} to {self.greatest:.4g}, mean {self.mean:.4g}"

    @classmethod
    def of(cls, name: str, x: Any) -> "TensorStats":
        """Returns the numbers of a tensor or array."""
        x = current().convert_to_numpy(x) if current().is_tensor(x) else np.asarray(x)
        values = x.astype("float64") if x.dtype.kind != "c" else np.abs(x)
        finite = values[np.isfinite(values)]
        nans = int(np.isnan(values).sum())
        numbers = [float(f(finite)) if finite.size else np.nan for f in (np.min, np.max, np.mean)]
        return cls(name, x.shape, nans, int(values.size - finite.size - nans), *numbers)


@dataclass(frozen=True)
class NonFinite:
    """What `find_non_finite` has found.

    Attributes:
        what: `"data"`, `"weight"`, `"output"`, `"loss"` or `"gradient"`.
        layer: The path of the layer or op; of a gradient, of the layer whose weight it belongs to,
            the one nearest to the loss. Empty for data and the loss.
        kind: The class of the layer.
        tensors: What is known of the tensors there.
    """

    what: str
    layer: str
    kind: str
    tensors: tuple[TensorStats, ...]

    def __str__(self) -> str:
        place = f" of {self.kind} {self.layer!r}" if self.layer else ""
        title = f"The first that is not finite is the {self.what}{place}."
        return "\n".join([title, *(f"  {stats}" for stats in self.tensors)])


@filter_traceback
def find_non_finite(
    model: Any, x: Any = None, y: Any = None, *, sample_weight: Any = None
) -> NonFinite | None:
    """Looks for the first NaN or infinity in one step of training, layer by layer.

    In this order: the data, the weights and the output of each layer as it runs, the loss, and the
    gradients, from the loss backwards. The model is then as it was before.

    Args:
        model: A built model; a compiled one, if there are targets.
        x: Inputs of one batch. Without them, weights alone are looked at.
        y: Targets; without them, neither loss nor gradients are looked at.
        sample_weight: What each sample counts.

    Returns:
        The place and what was there, which prints as a short report; None if all is finite.

    Example:
        >>> x = keras.Input((2,), name="x")
        >>> y = ops.log(keras.layers.Dense(2, kernel_initializer="zeros", name="zero")(x))
        >>> model = keras.Model(x, keras.layers.Dense(1, name="out")(y))
        >>> print(keras.debugging.find_non_finite(model, np.ones((1, 2))))
        The first that is not finite is the output of Log 'log'.
          input (1, 2): 0 NaN, 0 infinite; from 0 to 0, mean 0
          output (1, 2): 0 NaN, 2 infinite; from nan to nan, mean nan
    """
    if x is None:
        return _first(_in_weights(layer, layer.name) for layer in model._flatten_layers())
    named = {"x": x, "y": y, "sample_weight": sample_weight}
    arrays = [(k, a) for k, v in named.items() if v is not None for a in tree.flatten(v)]
    found = _not_finite("data", "", None, arrays)
    if found is not None:
        return found
    with restore_on_exit(model):
        return _in_layers(model, x) or (None if y is None else _in_step(model, x, y, sample_weight))


def _first(results: Iterable[NonFinite | None]) -> NonFinite | None:
    return next((result for result in results if result is not None), None)


def _not_finite(
    what: str, path: str, layer: Any, tensors: list[tuple[str, Any]], also: Any = ()
) -> NonFinite | None:
    """Returns what to report if one of some tensors is not finite.

    Args:
        what: What they are.
        path: The path of the layer.
        layer: The layer, or None.
        tensors: Tensors with their names.
        also: More of them, which are reported, but finite.
    """
    stats = [TensorStats.of(name, x) for name, x in tensors if _has_numbers(x)]
    if all(s.is_finite for s in stats):
        return None
    told = [TensorStats.of(name, x) for name, x in also if _has_numbers(x)]
    return NonFinite(what, path, class_name(layer) if path else "", (*told, *stats))


def _has_numbers(x: Any) -> bool:
    """Whether it is a tensor, or data, of a dtype that knows NaN."""
    if current().is_tensor(x):
        return "float" in current().dtype_name(x) or "complex" in current().dtype_name(x)
    return not isinstance(x, (str, bytes, type(None))) and np.asarray(x).dtype.kind in "fcV"


def _in_weights(layer: Any, path: str) -> NonFinite | None:
    own: Callable[[], list[Any]] = getattr(layer, "_own_variables", list)  # an op has none
    tensors = [(v.name, v.value) for v in own()]
    bad = [t for t in tensors if not TensorStats.of(*t).is_finite]
    return _not_finite("weight", path, layer, bad)


class _Stop(Exception):
    def __init__(self, found: NonFinite):
        self.found = found


def _in_layers(model: Any, x: Any) -> NonFinite | None:
    """Runs the model until a layer gives something that is not finite."""

    def hook(path: str, layer: Any, args: tuple, kwargs: dict[str, Any]) -> Any:
        inner = getattr(layer, "_flatten_layers", lambda: [layer])()
        outputs = None
        found = _first(_in_weights(part, path) for part in inner)
        if found is None:
            outputs = layer(*args, **kwargs)
            inputs = [("input", a) for a in tree.flatten([args, kwargs]) if current().is_tensor(a)]
            results = [("output", a) for a in tree.flatten(outputs)]
            found = _not_finite("output", path, layer, results, also=inputs)
        if found is not None:
            raise _Stop(found)
        return outputs

    try:
        with hook_layers(model, hook) as call:
            call(x, training=True)
    except _Stop as stop:
        return stop.found
    return None


def _in_step(model: Any, x: Any, y: Any, sample_weight: Any) -> NonFinite | None:
    """Runs one step, in which the optimizer only takes the gradients."""
    taken: list[tuple[Any, Any]] = []
    optimizer = model.optimizer
    # These stand in the attributes of the model and the optimizer until `untouched` ends.
    model.run_eagerly = True
    optimizer.scale_loss = lambda loss: loss  # an overflow of the scale is no fault
    optimizer.apply = lambda grads, variables=None: taken.extend(
        zip(grads, variables or model.trainable_variables, strict=True)
    )
    model.reset_metrics()
    loss = model.train_on_batch(x, y, sample_weight, return_dict=True)["loss"]
    found = _not_finite("loss", "", None, [("loss", loss)])
    if found is not None:
        return found
    owners = {
        id(v): (layer.name, layer)
        for layer in model._flatten_layers()
        for v in layer._own_variables()
    }
    return _first(
        _not_finite("gradient", *owners.get(id(v), ("", None)), [(v.name, g)])
        for g, v in reversed(taken)
    )

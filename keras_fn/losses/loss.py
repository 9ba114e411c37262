"""The bases of the losses: `Loss`, and the loss that wraps a function."""

from collections.abc import Callable
from typing import Any

import numpy as np

from keras_fn import ops
from keras_fn.core import tree
from keras_fn.core.keras_tensor import Shape
from keras_fn.core.masking import get_mask
from keras_fn.core.naming import auto_name
from keras_fn.core.serialization import (
    deserialize_keras_object as from_plain,
    serialize_keras_object as to_plain,
)
from keras_fn.losses.reduction import (
    check_reduction,
    reduce_weighted_values,
    resolve_compute_dtype,
    squeeze_or_expand_to_same_rank,
)

Tensor = Any


class Loss:
    """Base class of losses: a function of targets and predictions, weighted and reduced.

    A subclass writes `call`.

    Args:
        name: A name; automatic by default.
        reduction: How the losses of the elements become one number. `"sum_over_batch_size"` and
            `"mean"`: their mean; `"sum"`: their sum; `"mean_with_sample_weight"`: their sum
            divided by that of the weights; `"none"` or None: they stay as they are.
        dtype: The dtype of the computation, or a dtype policy; `floatx()` by default.

    Raises:
        ValueError: `reduction` is none of these.

    Example:
        >>> class Distance(keras.losses.Loss):
        ...     def call(self, y_true, y_pred):
        ...         return ops.mean(ops.abs(y_true - y_pred), axis=-1)
        >>> float(Distance()([[0.0, 1.0]], [[1.0, 3.0]]))
        1.5
    """

    # Class numbers beyond the integers that a float holds would change if they were cast.
    _casts_targets = True

    def __init__(
        self,
        name: str | None = None,
        reduction: str | None = "sum_over_batch_size",
        dtype: Any = None,
    ):
        self.name = name or auto_name(type(self).__name__)
        self.reduction = check_reduction(reduction, f"{type(self).__name__} {self.name!r}")
        self.dtype = resolve_compute_dtype(dtype)
        self._has_own_dtype = dtype is not None

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Tensor:
        """Returns the reduced loss.

        Args:
            y_true: Targets: a tensor, or nested ones.
            y_pred: Predictions, likewise. A mask that travels with them is applied.
            sample_weight: Weights that broadcast to the losses of the elements, or None.
        """
        dtype, mask = self.dtype, get_mask(y_pred)

        def convert(x: Any) -> Tensor:
            return ops.convert_to_tensor(x, dtype=dtype)

        y_pred = _map_tensors(convert, y_pred)
        y_true = _map_tensors(convert if self._casts_targets else ops.convert_to_tensor, y_true)
        values = self.call(y_true, y_pred)
        own_mask = get_mask(values)
        if mask is not None and own_mask is not None:
            mask = ops.logical_and(mask, own_mask)
        elif own_mask is not None:
            mask = own_mask
        return reduce_weighted_values(convert(values), sample_weight, mask, self.reduction)

    def call(self, y_true: Any, y_pred: Any) -> Tensor:
        """Returns the loss of each element. Subclasses write it."""
        raise TypeError(f"{type(self).__name__} has no call() method.")

    def check_targets(self, y_true: np.ndarray, y_pred_shape: Shape, name: str) -> None:
        """Refuses targets that this loss cannot take, before a step is run.

        A loss with a `call` of its own decides itself what it takes: nothing is checked here.

        Args:
            y_true: The targets, on the host.
            y_pred_shape: Shape of the predictions; None where a size is not known.
            name: What the targets belong to, for the message.

        Raises:
            SpecError: They do not fit.
        """

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments, as plain values."""
        config: dict[str, Any] = {"name": self.name, "reduction": self.reduction}
        if self._has_own_dtype:  # Keras writes none: a file without one stays without
            config["dtype"] = self.dtype
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Loss":
        """Returns a loss made from what `get_config` gave."""
        return cls(**config)


def _map_tensors(convert: Callable[[Any], Tensor], structure: Any) -> Any:
    """Converts each tensor of a structure. Nested lists of numbers are one tensor."""
    if not tree.is_nested(structure):
        return convert(structure)
    if isinstance(structure, (list, tuple)) and all(
        isinstance(x, (bool, int, float)) for x in tree.flatten(structure)
    ):
        return convert(structure)
    return tree.map_structure(convert, structure)


class LossFunctionWrapper(Loss):
    """A loss made of a function `fn(y_true, y_pred, **options)`.

    Args:
        fn: Returns the loss of each element.
        reduction: As in `Loss`.
        name: As in `Loss`.
        dtype: As in `Loss`.
        **options: Further arguments of `fn`; attributes of the loss, too.
    """

    def __init__(
        self,
        fn: Callable[..., Tensor],
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
        **options: Any,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.fn = fn
        self._options = options
        self._built_in = _built_in.get(id(fn))
        if self._built_in is not None:
            self._casts_targets = self._built_in._casts_targets

    def call(self, y_true: Any, y_pred: Any) -> Tensor:
        """Returns `fn` of targets and predictions, which are given one rank where they can be."""
        if not tree.is_nested(y_pred):
            return self.fn(*squeeze_or_expand_to_same_rank(y_true, y_pred), **self._options)
        pairs = [
            squeeze_or_expand_to_same_rank(true, pred)
            for true, pred in zip(tree.flatten(y_true), tree.flatten(y_pred), strict=True)
        ]
        y_true = tree.unflatten(y_true, [true for true, _ in pairs])
        y_pred = tree.unflatten(y_pred, [pred for _, pred in pairs])
        return self.fn(y_true, y_pred, **self._options)

    def check_targets(self, y_true: np.ndarray, y_pred_shape: Shape, name: str) -> None:
        """Refuses targets that do not fit the predictions, before a step is run.

        Of functions other than those of this package nothing is known, nor checked.

        Args:
            y_true: The targets, on the host.
            y_pred_shape: Shape of the predictions; None where a size is not known.
            name: What the targets belong to, for the message.

        Raises:
            SpecError: They do not fit.
        """
        if self._built_in is not None:
            source = f"{type(self).__name__} {self.name!r}, targets of {name!r}"
            self._built_in.targets(y_true, y_pred_shape, source, **self._options)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments, the function and its options written down."""
        return {**super().get_config(), **to_plain({"fn": self.fn, **self._options})}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Loss":
        """Returns a loss made from what `get_config` gave."""
        return cls(**{k: from_plain(v) for k, v in config.items()})

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r} {self._options}>"


_built_in: dict[int, type["BuiltInLoss"]] = {}
"""The class of each function of this package, by the function's identity."""


class BuiltInLoss(LossFunctionWrapper):
    """A loss of a function of this package, whose options are attributes and config.

    Attributes:
        function: The function.
        targets: `(y_true, y_pred_shape, who, options)` raises where they do not fit.
    """

    function: Callable[..., Tensor]
    targets: Callable[..., None]

    def __init_subclass__(cls) -> None:
        if "function" in vars(cls):
            _built_in[id(cls.function)] = cls

    def __init__(self, reduction: str | None, name: str | None, dtype: Any, **options: Any):
        super().__init__(type(self).function, reduction, name, dtype, **options)
        vars(self).update(options)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments, as plain values."""
        return {**Loss.get_config(self), **self._options}

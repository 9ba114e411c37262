"""Base classes of losses: `Loss`, and `LossFunctionWrapper` for functions."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from keras_fn import ops
from keras_fn.core import tree
from keras_fn.core.construction import SetByInit
from keras_fn.core.keras_tensor import Shape
from keras_fn.core.masking import get_mask
from keras_fn.core.naming import auto_name
from keras_fn.core.scopes import context
from keras_fn.core.serialization import (
    deserialize_keras_object,
    serialize_keras_object,
)
from keras_fn.errors import missing_method
from keras_fn.losses.reduction import (
    check_reduction,
    keep_weighted_axis,
    reduce_weighted_values,
    resolve_compute_dtype,
    squeeze_or_expand_to_same_rank,
)
from keras_fn.losses.whole_batch import call_with_whole_batch
from keras_fn.types import DTypeLike, Nested, Tensor, TensorLike


class Loss:
    """Base class of losses: a function of ground truth and predictions, weighted and reduced.

    Subclasses implement `call`.

    Args:
        name: Name of the loss. Default: from the class name.
        reduction: How the per-sample losses become one number. `"sum_over_batch_size"` (default)
            and `"mean"`: their mean; `"sum"`: their sum; `"mean_with_sample_weight"`: their sum
            divided by the sum of the weights; `"none"` or None: no reduction.
        dtype: Dtype of the computation, or a dtype policy. Default `floatx()`.

    Raises:
        ValueError: `reduction` is unknown.

    Example:
        >>> class Distance(keras.losses.Loss):
        ...     def call(self, y_true, y_pred):
        ...         return ops.mean(ops.abs(y_true - y_pred), axis=-1)
        >>> float(Distance()([[0.0, 1.0]], [[1.0, 3.0]]))
        1.5
    """

    # Class indices above the largest exact integer of a float would change if they were cast.
    _casts_targets = True
    # Whether a loss is the mean over the last axis, so that an axis of size 1 changes no number.
    _averages_last_axis = False
    # Whether the loss of a sample depends on the other samples of its batch.
    _compares_samples: Any = False
    dtype: Any = SetByInit()

    def __init__(
        self,
        name: str | None = None,
        reduction: str | None = "sum_over_batch_size",
        dtype: DTypeLike | None = None,
    ):
        self.name = name or auto_name(type(self).__name__)
        self.reduction = check_reduction(reduction, f"{type(self).__name__} {self.name!r}")
        self.dtype = resolve_compute_dtype(dtype)
        self._has_explicit_dtype = dtype is not None

    def __call__(
        self, y_true: Nested, y_pred: Nested, sample_weight: TensorLike | None = None
    ) -> Tensor:
        """Returns the weighted and reduced loss.

        Args:
            y_true: Ground truth: a tensor, or a nest of tensors.
            y_pred: Predictions, in the structure of `y_true`. Their masks are applied.
            sample_weight: Weights for the first axes of the per-sample losses: of shape `(batch,)`,
                one for each sample. Default None.

        Returns:
            A scalar tensor; without reduction, a tensor of the shape of the per-sample losses.

        Raises:
            SpecError: The weights do not fit the first axes of the per-sample losses.
        """
        replica = context.current.replica
        if replica is not None and self._compares_samples:
            return call_with_whole_batch(self, y_true, y_pred, sample_weight, replica)
        dtype, mask = self.dtype, get_mask(y_pred)

        def convert(x: Any) -> Tensor:
            return ops.convert_to_tensor(x, dtype=dtype)

        y_pred = _map_tensors(convert, y_pred)
        y_true = _map_tensors(convert if self._casts_targets else ops.convert_to_tensor, y_true)
        if sample_weight is not None or mask is not None:
            sample_weight = None if sample_weight is None else convert(sample_weight)
            if self._averages_last_axis:
                y_true, y_pred = keep_weighted_axis(y_true, y_pred, sample_weight, mask)
        values = self.call(y_true, y_pred)
        values_mask = get_mask(values)
        if mask is not None and values_mask is not None:
            mask = ops.logical_and(mask, values_mask)
        elif values_mask is not None:
            mask = values_mask
        return reduce_weighted_values(convert(values), sample_weight, mask, self.reduction, self)

    def call(self, y_true: Nested, y_pred: Nested) -> Tensor:
        """Returns the per-sample losses. Implemented by subclasses.

        Args:
            y_true: Ground truth, as tensors.
            y_pred: Predictions, as tensors.

        Returns:
            A tensor of shape `(batch, ...)`.
        """
        raise missing_method(self, "call()")

    def check_targets(self, y_true: np.ndarray, y_pred_shape: Shape, name: str) -> None:
        """Rejects ground truth that this loss cannot take, before a step runs.

        A loss with a custom `call` decides by itself: nothing is checked here.

        Args:
            y_true: Ground truth, on the host.
            y_pred_shape: Shape of the predictions; None for an unknown size.
            name: Name of the output, for the error message.

        Raises:
            SpecError: Ground truth and predictions do not match.
        """

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments as a JSON-serializable dict."""
        config: dict[str, Any] = {"name": self.name, "reduction": self.reduction}
        if self._has_explicit_dtype:  # as Keras: the default is not written
            config["dtype"] = self.dtype
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Loss":
        """Creates a loss from the dict that `get_config` returned."""
        return cls(**config)


def _map_tensors(convert: Callable[[Any], Tensor], structure: Nested) -> Nested:
    """Converts each tensor of a nest. Nested lists of numbers are one tensor."""
    if not tree.is_nested(structure):
        return convert(structure)
    if isinstance(structure, (list, tuple)) and all(
        isinstance(x, (bool, int, float)) for x in tree.flatten(structure)
    ):
        return convert(structure)
    return tree.map_structure(convert, structure)


class LossFunctionWrapper(Loss):
    """Wraps a function `fn(y_true, y_pred, **kwargs)` as a `Loss`.

    Args:
        fn: Function that returns the per-sample losses.
        reduction: How the per-sample losses become one number: `"sum_over_batch_size"` (default) or
            `"mean"`, `"sum"`, `"mean_with_sample_weight"`, `"none"` or None. See `Loss`.
        name: Name of the loss.
        dtype: Dtype of the computation, or a dtype policy. Default `floatx()`.
        **options: Further arguments of `fn`.
    """

    def __init__(
        self,
        fn: Callable[..., Tensor],
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: DTypeLike | None = None,
        **options: Any,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.fn = fn
        self._options = options
        self._builtin_loss = _builtin_losses.get(id(fn))
        if self._builtin_loss is not None:
            self._casts_targets = self._builtin_loss._casts_targets
            self._averages_last_axis = averages_last_axis(fn, options)

    def call(self, y_true: Nested, y_pred: Nested) -> Tensor:
        """Returns `fn` of ground truth and predictions, whose ranks are matched first.

        Args:
            y_true: Ground truth, as tensors.
            y_pred: Predictions, as tensors.

        Returns:
            A tensor of shape `(batch, ...)`.
        """
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
        """Rejects ground truth that does not match the predictions, before a step runs.

        Only built-in functions are checked.

        Args:
            y_true: Ground truth, on the host.
            y_pred_shape: Shape of the predictions; None for an unknown size.
            name: Name of the output, for the error message.

        Raises:
            SpecError: Ground truth and predictions do not match.
        """
        if self._builtin_loss is not None:
            source = f"{type(self).__name__} {self.name!r}, targets of {name!r}"
            self._builtin_loss.target_check(y_true, y_pred_shape, source, **self._options)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments, with the serialized function, as a dict."""
        return {**super().get_config(), **serialize_keras_object({"fn": self.fn, **self._options})}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Loss":
        """Creates a loss from the dict that `get_config` returned."""
        return cls(**{k: deserialize_keras_object(v) for k, v in config.items()})

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r} {self._options}>"


_builtin_losses: dict[int, type["BuiltInLoss"]] = {}
"""The class of each built-in function, by the identity of the function."""


def averages_last_axis(fn: Callable[..., Tensor], options: Mapping[str, Any]) -> bool:
    """Whether a function is a built-in one that returns the mean over the last axis."""
    builtin = _builtin_losses.get(id(fn))
    return builtin is not None and builtin._averages_last_axis and options.get("axis", -1) == -1


class BuiltInLoss(LossFunctionWrapper):
    """A loss of a built-in function, whose options are attributes and in the config.

    Attributes:
        function: The function.
        target_check: Raises where `(y_true, y_pred_shape, source, **options)` do not match.
    """

    function: Callable[..., Tensor]
    target_check: Callable[..., None]

    def __init_subclass__(cls) -> None:
        if "function" in vars(cls):
            _builtin_losses[id(cls.function)] = cls

    def __init__(
        self, reduction: str | None, name: str | None, dtype: DTypeLike | None, **options: Any
    ):
        super().__init__(type(self).function, reduction, name, dtype, **options)
        vars(self).update(options)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments as a JSON-serializable dict."""
        return {**Loss.get_config(self), **self._options}

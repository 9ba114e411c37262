"""Types of arguments and results that the public API shares. They exist for editors and readers.

What a backend computes with is its own class (`jax.Array`, `torch.Tensor`, `tf.Tensor`), which this
package cannot name without importing it. `Tensor` is the protocol that all of them satisfy.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import EllipsisType
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeAlias, TypedDict, Union

import numpy as np

if TYPE_CHECKING:
    from keras_fn.constraints import Constraint
    from keras_fn.data_adapters.py_dataset import PyDataset
    from keras_fn.dtype_policies import DTypePolicy
    from keras_fn.initializers import Initializer
    from keras_fn.losses import Loss
    from keras_fn.metrics import Metric
    from keras_fn.models import Model
    from keras_fn.optimizers import Optimizer
    from keras_fn.optimizers.schedules import LearningRateSchedule
    from keras_fn.random import SeedGenerator
    from keras_fn.regularizers import Regularizer


class Tensor(Protocol):
    """A tensor: of the active backend, or symbolic (`KerasTensor`).

    Whatever the backend, a tensor has a shape, a dtype and Python's operators; everything else is
    a function in `keras.ops`.
    """

    @property
    def shape(self) -> Any:
        """The sizes of the axes; None for one that is unknown."""
        ...

    @property
    def dtype(self) -> Any:
        """The data type: a name for a `KerasTensor`, else the backend's own object."""
        ...

    @property
    def ndim(self) -> int:
        """The number of axes."""
        ...

    # `Self`, not `Tensor`: a type checker would compare the result of every overload of NumPy's
    # operators with this protocol again, which takes minutes.
    def __add__(self, other: Any, /) -> Self: ...
    def __radd__(self, other: Any, /) -> Self: ...
    def __sub__(self, other: Any, /) -> Self: ...
    def __rsub__(self, other: Any, /) -> Self: ...
    def __mul__(self, other: Any, /) -> Self: ...
    def __rmul__(self, other: Any, /) -> Self: ...
    def __truediv__(self, other: Any, /) -> Self: ...
    def __rtruediv__(self, other: Any, /) -> Self: ...
    def __floordiv__(self, other: Any, /) -> Self: ...
    def __mod__(self, other: Any, /) -> Self: ...
    def __pow__(self, other: Any, /) -> Self: ...
    def __rpow__(self, other: Any, /) -> Self: ...
    def __matmul__(self, other: Any, /) -> Self: ...
    def __rmatmul__(self, other: Any, /) -> Self: ...
    def __neg__(self) -> Self: ...
    def __abs__(self) -> Self: ...
    def __lt__(self, other: Any, /) -> Self: ...
    def __le__(self, other: Any, /) -> Self: ...
    def __gt__(self, other: Any, /) -> Self: ...
    def __ge__(self, other: Any, /) -> Self: ...
    def __and__(self, other: Any, /) -> Self: ...
    def __or__(self, other: Any, /) -> Self: ...
    def __invert__(self) -> Self: ...
    def __getitem__(self, key: Any, /) -> Self: ...
    def __iter__(self) -> Iterator[Self]: ...
    def __len__(self) -> int: ...
    def __bool__(self) -> bool: ...
    def __float__(self) -> float: ...
    def __int__(self) -> int: ...
    def __index__(self) -> int: ...


Scalar: TypeAlias = bool | int | float | complex
"""A Python number."""

TensorLike: TypeAlias = Union["Tensor", np.ndarray, np.generic, Scalar, Sequence[Any]]
"""What `ops.convert_to_tensor` accepts: a tensor, an array, a number, nested lists of numbers."""

ArrayLike: TypeAlias = TensorLike
"""Same as `TensorLike`, for arguments that an op does not convert and promote."""

IndexLike: TypeAlias = "int | slice | EllipsisType | ArrayLike | tuple[Any, ...] | None"
"""An index of a tensor, as in `x[key]`: an integer, a slice, `...`, None, a tensor, or a tuple of
them."""

Nested: TypeAlias = Any
"""A pytree: tensors, arrays or specs in any nesting of lists, tuples and dicts, or a single one."""

Shape: TypeAlias = tuple[int | None, ...]
"""The sizes of the axes of a tensor; None for one that is unknown."""

ShapeLike: TypeAlias = int | Sequence[Union[int, "Tensor", None]]
"""A shape, or the size of its only axis. A size can be a tensor, as `ops.shape` returns it."""

NamedShapeLike: TypeAlias = int | Sequence[Union[int, str, "Tensor", None]]
"""A shape whose unknown sizes can have names."""

Axis: TypeAlias = int | Sequence[int] | None
"""One axis, several, or None for all of them. Negative axes count from the end."""

DTypeLike: TypeAlias = Union[str, type, np.dtype, "DTypePolicy"]
"""A dtype by name (`"float32"`), by Python type (`float`), or NumPy's or the backend's object."""

SeedLike: TypeAlias = Union[int, "SeedGenerator", None]
"""None, an integer, or a `keras.random.SeedGenerator`."""

InitializerLike: TypeAlias = Union[str, "Initializer", Callable[..., Any], Mapping[str, Any]]
"""An initializer: by name (`"glorot_uniform"`), as an instance, as a callable `f(shape, dtype)`, or
as a config (see `keras.initializers.serialize`)."""

RegularizerLike: TypeAlias = Union[str, "Regularizer", Callable[..., Any], Mapping[str, Any]]
"""A regularizer: by name (`"l2"`), as an instance, as a callable of the tensor, or as a config."""

ConstraintLike: TypeAlias = Union[str, "Constraint", Callable[..., Any], Mapping[str, Any]]
"""A constraint: by name (`"non_neg"`), as an instance, as a callable of the weight, or as a
config."""

ActivationLike: TypeAlias = str | Callable[..., Any] | Mapping[str, Any]
"""An activation: by name (`"relu"`), as a function of a tensor, a layer, or a config."""

LossLike: TypeAlias = Union[str, "Loss", Callable[..., Any], Mapping[str, Any]]
"""A loss: by name (`"mse"`), as an instance, as a function `f(y_true, y_pred)`, or as a config."""

MetricLike: TypeAlias = Union[str, "Metric", Callable[..., Any], Mapping[str, Any]]
"""A metric: by name (`"accuracy"`), as an instance, as a function `f(y_true, y_pred)`, or as a
config."""

LearningRateLike: TypeAlias = Union[float, "LearningRateSchedule", Callable[[], Any]]
"""A learning rate: a number, a schedule, or a callable without arguments that returns it."""

OptimizerLike: TypeAlias = Union[str, "Optimizer", Mapping[str, Any]]
"""An optimizer: by name (`"adam"`), as an instance, or as a config."""

DataFormat: TypeAlias = str
"""`"channels_last"` or `"channels_first"`."""

PathLike: TypeAlias = str | os.PathLike[str]
"""The path of a file or folder."""

if TYPE_CHECKING:
    AnyModel: TypeAlias = Model
else:
    AnyModel = Any
"""A `keras.Model`, for modules on the levels below `keras.models`."""

Verbosity: TypeAlias = str | int
"""How much is printed: 0 is silent, 1 a live progress bar, 2 one line per epoch, `"auto"` mostly
1."""

DataLike: TypeAlias = "TensorLike | Iterable[Any] | PyDataset"
"""Data for `fit`, `evaluate` and `predict`: an array, a tensor or a table; a list, tuple or dict of
them for several inputs or outputs; or an iterable or a `PyDataset` that yields batches."""


class NoArguments(TypedDict):
    """Type of `**kwargs` without any valid keyword: type checkers reject misspelled ones."""


class RaggedOptions(TypedDict, total=False):
    """Keyword arguments of `KerasTensor` for ragged tensors."""

    ragged_rank: int | None
    row_splits_dtype: Any


class QuantizeOptions(TypedDict, total=False):
    """Keyword arguments of `Model.quantize`."""

    type_check: bool


class SaveOptions(TypedDict, total=False):
    """Keyword arguments of `save`."""

    include_optimizer: bool
    save_format: str | None


class SaveWeightsOptions(TypedDict, total=False):
    """Keyword arguments of `save_weights`."""

    objects_to_skip: Iterable[Any] | None


class LoadWeightsOptions(SaveWeightsOptions, total=False):
    """Keyword arguments of `load_weights`."""

    by_name: bool


class EndpointOptions(TypedDict, total=False):
    """Keyword arguments of `ExportArchive.add_endpoint`, for JAX."""

    is_static: bool
    jax2tf_kwargs: Mapping[str, Any] | None


class ExportOptions(EndpointOptions, total=False):
    """Keyword arguments of `Model.export`: each format takes some of them."""

    opset_version: int | None
    strict: bool
    dynamic_shapes: Any
    prefer_deferred_runtime_asserts_over_guards: bool
    preserve_module_call_signature: tuple[str, ...]
    platforms: Sequence[str]
    vjp_order: int
    optimizations: Sequence[Any]
    representative_dataset: Any
    allow_custom_ops: bool
    experimental_new_quantizer: bool
    target_spec: Any

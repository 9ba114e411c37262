"""Private helpers of Keras that libraries take from `keras.src`, made of parts of keras_fn."""

import functools
import importlib
import inspect
import operator
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from keras_fn import ops, settings
from keras_fn._lazy import LazyModule as _LazyModule
from keras_fn.core import tree
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.operation import infer_spec
from keras_fn.core.scopes import StatelessScope, context
from keras_fn.data_adapters import data_adapter_utils
from keras_fn.errors import SpecError, check_choice
from keras_fn.layers._tracking import AttributeTrackingMixin
from keras_fn.ops import _conv_shapes
from keras_fn.ops._op import TensorSpec
from keras_fn.regularizers.regularizers import check_factor
from keras_fn.types import Nested, Shape, TensorLike

T = TypeVar("T")
Function = TypeVar("Function", bound=Callable[..., Any])

FLOAT_TYPES = ("bfloat16", "float16", "float32", "float64")
"""The dtypes of floats of 16 bits or more."""


def any_symbolic_tensors(
    args: Iterable[Nested] | None = None, kwargs: Mapping[str, Nested] | None = None
) -> bool:
    """Returns whether there is a KerasTensor among arguments, nested or not."""
    return any(isinstance(x, KerasTensor) for x in tree.flatten([args or (), kwargs or {}]))


def compute_output_spec(fn: Callable[..., Any], *args: Nested, **kwargs: Nested) -> Any:
    """Returns KerasTensors with the shapes and dtypes of a function's results."""
    return infer_spec(fn, args, kwargs)


def standardize_tuple(
    value: int | Iterable[int], n: int, name: str, allow_zero: bool = False
) -> tuple[int, ...]:
    """Returns an integer, or as many as `n`, as a tuple of `n` integers.

    Args:
        value: An integer for all axes, or one for each.
        n: How many there are.
        name: The name of the argument, for the error.
        allow_zero: Whether 0 is valid.

    Raises:
        SpecError: The value is not that.
    """
    least = 0 if allow_zero else 1
    try:
        sizes = (operator.index(value),) * n if not isinstance(value, Iterable) else tuple(value)
        if len(sizes) == n and all(operator.index(size) >= least for size in sizes):
            return sizes
    except TypeError:
        pass
    raise SpecError(
        f"The argument {name}",
        expected=f"an integer of at least {least}, or a tuple of {n}",
        received=f"{name}={value!r}",
        fix=f"for example {name}={(least + 1,) * n}",
    )


def standardize_padding(value: Any, allow_causal: bool = False) -> Any:
    """Returns the name of a padding in lower case, checked; lists and tuples as they are."""
    if isinstance(value, list | tuple):
        return value
    choices = ("valid", "same", "causal") if allow_causal else ("valid", "same")
    return check_choice("padding", "padding", str(value).lower(), choices)


def canonicalize_axis(axis: int, num_dims: int) -> int:
    """Returns an axis, which may count from the end, as an index from 0.

    Raises:
        SpecError: There is no such axis.
    """
    if -num_dims <= operator.index(axis) < num_dims:
        return axis % num_dims
    raise SpecError(
        "The argument axis",
        expected=f"an axis of a tensor of rank {num_dims}, from {-num_dims} to {num_dims - 1}",
        received=f"axis={axis}",
        fix="pass an axis that the tensor has",
    )


def compute_conv_transpose_output_shape(
    input_shape: Shape,
    kernel_size: Sequence[int],
    filters: int,
    strides: int | Sequence[int],
    padding: str,
    output_padding: int | Sequence[int] | None = None,
    data_format: str = "channels_last",
    dilation_rate: int | Sequence[int] = 1,
) -> list[int | None]:
    """Returns the shape of the output of a transposed convolution.

    Args:
        input_shape: Shape of the input, with batch and channels.
        kernel_size: Sizes of the kernel along the spatial axes; the shape of a kernel begins so.
        filters: Number of channels of the output.
        strides: Strides along the spatial axes; an integer for all.
        padding: `"valid"` or `"same"`.
        output_padding: Sizes that are added to the output; None for what the padding implies.
        data_format: Where the channels are.
        dilation_rate: Distances of the elements of the kernel.
    """
    spec = _conv_shapes.conv_transpose(
        TensorSpec(tuple(input_shape), "float32"),
        TensorSpec((*kernel_size[: len(input_shape) - 2], filters, None), "float32"),
        strides,
        padding,
        output_padding,
        data_format,
        dilation_rate,
    )
    return list(spec.shape)


def validate_float_arg(value: Any, name: str) -> float:
    """Returns a finite number of 0 or more as a float.

    Raises:
        SpecError: The value is not that.
    """
    return check_factor(name, value)


def get_stateless_scope() -> StatelessScope | None:
    """Returns the innermost active `StatelessScope`, or None."""
    return context.current.stateless


def in_symbolic_scope() -> bool:
    """Returns whether calls only infer shapes and dtypes."""
    return context.current.symbolic


def class_weight_to_sample_weights(y: TensorLike, class_weight: Mapping[int, float]) -> np.ndarray:
    """Returns the weight of each sample's class, an array of shape `(batch,)`.

    Args:
        y: Class indices of shape `(batch,)` or `(batch, 1)`, or one-hot vectors.
        class_weight: Weight of each class index; 1 for classes that are not listed.
    """
    (weights,) = data_adapter_utils.class_weight_to_sample_weights(
        [ops.convert_to_numpy(y)], None, class_weight, "class_weight_to_sample_weights"
    )
    return weights.reshape(len(weights), -1)[:, 0].astype(settings.floatx())


def list_to_tuple(maybe_list: Any) -> Any:
    """Returns a list as a tuple, with the same elements; anything else as it is."""
    return tuple(maybe_list) if isinstance(maybe_list, list) else maybe_list


def in_tf_graph() -> bool:
    """Returns whether TensorFlow builds a graph, of a `tf.data` pipeline for example."""
    tensorflow = sys.modules.get("tensorflow")
    return tensorflow is not None and not tensorflow.executing_eagerly()


def in_grain_data_pipeline() -> bool:
    """Returns whether Grain called, directly or not."""
    frame = inspect.currentframe() if "grain" in sys.modules else None
    folder = os.path.join("grain", "_src", "python")
    while frame is not None:
        if folder in frame.f_code.co_filename:
            return True
        frame = frame.f_back
    return False


class LazyModule(_LazyModule):
    """A module that is imported when an attribute of it is first used.

    Args:
        name: The name of the module.
        pip_name: The argument of `pip install` that provides it. Default: the name.
        import_error_msg: The text of the error where it is not installed.
    """

    def __init__(self, name: str, pip_name: str | None = None, import_error_msg: str | None = None):
        super().__init__(name, pip_name or name)
        self._message = import_error_msg

    @property
    def available(self) -> bool:
        """Whether it can be imported."""
        try:
            importlib.import_module(self._name)
        except ImportError:
            return False
        return True

    def __getattr__(self, attribute: str) -> Any:
        if self._message is None or attribute.startswith("__") or self.available:
            return super().__getattr__(attribute)
        raise ImportError(self._message)


def no_automatic_dependency_tracking(fn: Function) -> Function:
    """Decorator for methods of layers: what they set as attributes is not part of the layer.

    Variables and layers in such attributes are not among its weights, and are not trained with it.
    Files hold them nevertheless, as those of Keras do. What is assigned to them later, elsewhere,
    is part of the layer. A function that is not a method of a layer is called unchanged.
    """

    @functools.wraps(fn)
    def call(*args: Any, **kwargs: Any) -> Any:
        if not (args and isinstance(args[0], AttributeTrackingMixin)):
            return fn(*args, **kwargs)
        attributes = vars(args[0])
        before = dict(attributes)
        try:
            return fn(*args, **kwargs)
        finally:
            changed = {
                name: value
                for name, value in attributes.items()
                if name != "_untracked" and (name not in before or before[name] is not value)
            }
            attributes["_untracked"] = attributes.get("_untracked", {}) | changed

    return call  # type: ignore[return-value]


class keras_export:
    """Decorator that marks what Keras exports; it changes nothing.

    Args:
        path: The public name, or several.
    """

    def __init__(self, path: str | Iterable[str]):
        self.path = path

    def __call__(self, symbol: T) -> T:
        return symbol


def default(method: Function) -> Function:
    """Decorator that marks a method which a subclass may replace: see `is_default`."""
    method._is_default = True  # type: ignore[attr-defined]
    return method


def is_default(method: Callable[..., Any]) -> bool:
    """Returns whether a method is one that `default` marked."""
    return getattr(method, "_is_default", False)


def to_list(x: Any) -> list[Any]:
    """Returns a list as it is, anything else as the only element of a list."""
    return x if isinstance(x, list) else [x]


def pythonify_logs(logs: Mapping[str, Any] | None) -> dict[str, Any]:
    """Returns logs with numbers in place of tensors; nested dicts become part of the outer one."""
    result: dict[str, Any] = {}
    for key, value in sorted((logs or {}).items()):
        if isinstance(value, Mapping):
            result |= pythonify_logs(value)
            continue
        try:
            result[key] = float(value)
        except (TypeError, ValueError):
            result[key] = value
    return result


def print_msg(message: object, line_break: bool = True) -> None:
    """Prints a message, at once."""
    print(message, end="\n" if line_break else "", flush=True)

"""Images and predictions of models that are trained on ImageNet."""

from __future__ import annotations

import json
from functools import partial
from types import ModuleType
from typing import Any, Protocol, TypeVar

import numpy as np

from keras_fn import ops
from keras_fn.applications import published_weights
from keras_fn.backend.loader import current
from keras_fn.core import dtypes, foreign_tensors
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.errors import SpecError, check_choice
from keras_fn.settings import floatx, standardize_data_format
from keras_fn.types import DataFormat, TensorLike

__all__ = ["decode_predictions", "preprocess_input"]

MEAN = (0.485, 0.456, 0.406)
"""Mean of the channels of ImageNet's images, with values from 0 to 1."""

STANDARD_DEVIATION = (0.229, 0.224, 0.225)
"""Standard deviation of the channels of ImageNet's images, with values from 0 to 1."""

_T = TypeVar("_T")
_CLASSES = 1000
# By mode: divisor of all values, then mean and standard deviation of the channels.
_STATISTICS: dict[str, tuple[float, tuple[float, ...], tuple[float, ...] | None]] = {
    "caffe": (1.0, (103.939, 116.779, 123.68), None),
    "torch": (255.0, MEAN, STANDARD_DEVIATION),
}


def preprocess_input(x: _T, data_format: DataFormat | None = None, mode: str = "caffe") -> _T:
    """Scales images as the models that were trained on ImageNet expect them.

    Args:
        x: RGB images with values from 0 to 255, of shape `(batch, height, width, channels)`, or
            one without the batch axis: an array, or a tensor, also a symbolic one.
        data_format: `"channels_last"` or `"channels_first"`; by default the configured one.
        mode: `"caffe"` reverses the channels to BGR and subtracts their means in ImageNet; `"tf"`
            scales values to the range from -1 to 1; `"torch"` scales them to the range from 0 to 1
            and standardizes each channel with its mean and standard deviation in ImageNet.

    Returns:
        New images of the same kind: integers become the configured float dtype. `x` is unchanged.

    Raises:
        ValueError: An argument is invalid, or the images do not have three channels (in the mode
            `"tf"`, they may).

    Example:
        >>> x = np.full((1, 2, 2, 3), 255, "uint8")
        >>> keras.applications.imagenet_utils.preprocess_input(x, mode="tf")[0, 0, 0].tolist()
        [1.0, 1.0, 1.0]
    """
    check_choice("preprocess_input", "mode", mode, ("caffe", "tf", "torch"))
    axis = -3 if standardize_data_format(data_format) == "channels_first" else -1
    image: Any = x
    if isinstance(image, np.ndarray):
        return _scale(image, np, axis, mode)
    framework = foreign_tensors.framework_of(image)
    if framework is not None and framework != current().name:
        return _scale_foreign(image, axis, mode)
    if not isinstance(image, KerasTensor):
        image = ops.convert_to_tensor(image)
    return _scale(image, ops, axis, mode)


def _scale(x: Any, namespace: ModuleType, axis: int, mode: str) -> Any:
    """Scales an array or a tensor, with the functions of NumPy or of `keras.ops`."""
    dtype = _float_dtype(x.dtype)
    x = x.astype(dtype) if namespace is np else ops.cast(x, dtype)
    if mode == "tf":
        return x / 127.5 - 1.0
    if len(x.shape) < 3 or x.shape[axis] not in (3, None):
        raise SpecError(
            "preprocess_input",
            expected=f"images with 3 channels on axis {axis}, in the mode {mode!r}",
            received=f"shape {tuple(x.shape)}",
            fix="pass data_format, or repeat the channel of gray images three times",
        )
    divisor, mean, deviation = _STATISTICS[mode]
    x = namespace.flip(x, axis) if mode == "caffe" else x / divisor
    x = x - _per_channel(mean, namespace, axis, dtype)
    return x if deviation is None else x / _per_channel(deviation, namespace, axis, dtype)


def _per_channel(values: tuple[float, ...], namespace: ModuleType, axis: int, dtype: str) -> Any:
    """Returns a value for each channel, of a shape that broadcasts to images."""
    array = np.reshape(values, (3,) + (1,) * (-1 - axis)).astype(dtype)
    return array if namespace is np else ops.convert_to_tensor(array)


def _float_dtype(dtype: Any) -> str:
    """Returns the dtype of scaled images: the same one if it is a float dtype."""
    name = dtypes.standardize_dtype(dtype)
    return name if dtypes.is_float(name) else floatx()


def _scale_foreign(x: Any, axis: int, mode: str) -> Any:
    """Scales a tensor of another framework than the backend's, as data pipelines have them."""
    scale = partial(_scale, namespace=np, axis=axis, mode=mode)
    if not foreign_tensors.is_in_graph(x):
        return foreign_tensors.to_framework(scale(foreign_tensors.to_numpy(x)), like=x)
    spec = foreign_tensors.graph_spec(x, "preprocess_input")
    result = KerasTensor(spec.shape, _float_dtype(spec.dtype), record_history=False)
    return foreign_tensors.call_in_graph(scale, x, result)


def decode_predictions(
    preds: TensorLike, top: int = 5
) -> list[list[tuple[str, str, np.floating[Any]]]]:
    """Names the most probable classes of ImageNet.

    The names of the classes are downloaded once.

    Args:
        preds: Probabilities or logits of shape `(batch, 1000)`.
        top: Number of classes.

    Returns:
        For each image, the most probable class first, tuples of the WordNet identifier of a class,
        its name, and its value in `preds`.

    Raises:
        ValueError: `preds` has another shape, or `top` is not a positive integer.
        OSError: The names cannot be downloaded.

    Example:
        >>> decode_predictions(np.ones((2, 10)))  # of a model with another classifier
        Traceback (most recent call last):
          ...
        keras_fn.errors.SpecError: decode_predictions
          expected: predictions of shape (batch, 1000)
          received: shape (2, 10)
          fix:      pass what a model with include_top=True and 1,000 classes predicts
    """
    array = ops.convert_to_numpy(preds)
    if array.ndim != 2 or array.shape[1] != _CLASSES:
        raise SpecError(
            "decode_predictions",
            expected=f"predictions of shape (batch, {_CLASSES})",
            received=f"shape {array.shape}",
            fix="pass what a model with include_top=True and 1,000 classes predicts",
        )
    if not isinstance(top, (int, np.integer)) or top is True or not 1 <= top <= _CLASSES:
        raise SpecError(
            "decode_predictions",
            expected=f"top: an integer from 1 to {_CLASSES}",
            received=f"top={top!r}",
            fix="for example top=5",
        )
    index = json.loads(published_weights.fetch(published_weights.CLASS_INDEX).read_text("utf-8"))
    return [[(*index[str(i)], row[i]) for i in np.argsort(row)[: -top - 1 : -1]] for row in array]


class PreprocessInput(Protocol):
    """The `preprocess_input` of an architecture."""

    def __call__(self, x: _T, data_format: DataFormat | None = None) -> _T: ...


_DOC = """Scales images as the models of this module expect them.

Args:
    x: RGB images with values from 0 to 255, of shape `(batch, height, width, channels)`, or one
        without the batch axis: an array, or a tensor, also a symbolic one.
    data_format: `"channels_last"` or `"channels_first"`; by default the configured one.

Returns:
    {result}

Raises:
    ValueError: An argument is invalid{channels}.

Example:
    >>> x = np.full((1, 2, 2, 3), 255.0)
    >>> keras.applications.{module}.preprocess_input(x)[0, 0, 0].round(3).tolist()
    {example}
"""
_RESULTS = {
    "caffe": (
        "New images: the channels reversed to BGR, minus their means in ImageNet.",
        [151.061, 138.221, 131.32],
    ),
    "tf": ("New images: values scaled to the range from -1 to 1.", [1.0, 1.0, 1.0]),
    "torch": (
        "New images: values scaled to the range from 0 to 1, and each channel standardized with\n"
        "    its mean and standard deviation in ImageNet.",
        [2.249, 2.429, 2.64],
    ),
    None: ("`x`, since the models scale images themselves.", [255.0, 255.0, 255.0]),
}


def define_preprocess_input(mode: str | None, module: str) -> PreprocessInput:
    """Returns the `preprocess_input` of an architecture.

    Args:
        mode: The mode of `preprocess_input`; None for models that scale images themselves.
        module: The `__name__` of the module that defines it.
    """

    def preprocess(x: _T, data_format: DataFormat | None = None) -> _T:
        if mode is not None:
            return preprocess_input(x, data_format, mode)
        standardize_data_format(data_format)
        return x

    result, example = _RESULTS[mode]
    preprocess.__name__ = preprocess.__qualname__ = "preprocess_input"
    preprocess.__module__ = module
    preprocess.__doc__ = _DOC.format(
        result=result,
        channels=", or the images do not have three channels" if mode in _STATISTICS else "",
        module=module.rpartition(".")[2],
        example=example,
    )
    return preprocess


def __dir__() -> list[str]:
    return __all__

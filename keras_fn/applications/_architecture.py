"""What all architectures share: their arguments, pretrained weights, and the model around them.

An architecture is its layers, `features`, and an ending with and without the classifier. The
functions of the public namespace are made by `define_application`, or have arguments of their own
and call `build_model`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from numbers import Integral, Real
from os import PathLike as OsPath
from pathlib import Path
from typing import Protocol, TypeGuard

from keras_fn import activations, layers
from keras_fn.applications import published_weights
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.errors import DTypeError, SpecError, check_choice
from keras_fn.models import Model
from keras_fn.settings import image_data_format
from keras_fn.types import ActivationLike, PathLike, Shape, Tensor
from keras_fn.utils.model_utils import get_source_inputs


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """The arguments that the functions of all architectures have; their docstrings explain them."""

    include_top: bool
    weights: PathLike | None
    input_tensor: KerasTensor | None
    input_shape: Shape | None
    pooling: str | None
    classes: int
    classifier_activation: ActivationLike | None
    name: str
    include_preprocessing: bool = True  # of those that scale images themselves

    @property
    def is_imagenet(self) -> bool:
        """Whether the weights are those that Keras publishes."""
        return self.weights == "imagenet"


def pool(x: Tensor, pooling: str | None, is_named: bool = True) -> Tensor:
    """Applies the global pooling that a model without its classifier ends with.

    Args:
        x: Features of shape `(batch, height, width, channels)`, or with channels first.
        pooling: None, `"avg"` or `"max"`.
        is_named: Whether the layer has the name `avg_pool` or `max_pool`.
    """
    if pooling is None:
        return x
    cls = layers.GlobalAveragePooling2D if pooling == "avg" else layers.GlobalMaxPooling2D
    return cls(name=f"{pooling}_pool" if is_named else None)(x)


def pool_unnamed(x: Tensor, pooling: str | None) -> Tensor:
    """Same as `pool`, with the default name of the layer."""
    return pool(x, pooling, is_named=False)


def classify(x: Tensor, arguments: Arguments) -> Tensor:
    """Applies the classifier that most models end with: average pooling and a dense layer."""
    x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
    return predict_classes(x, arguments)


def predict_classes(x: Tensor, arguments: Arguments) -> Tensor:
    """Applies the dense layer "predictions"."""
    return layers.Dense(
        arguments.classes, activation=arguments.classifier_activation, name="predictions"
    )(x)


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """An architecture, without the arguments of a call.

    Attributes:
        title: Name of its function, for errors.
        features: Function of the input image and the arguments that applies the layers up to the
            ending.
        published: Key of its weight files in `published_weights.PUBLISHED`.
        size: Height and width of the images by default.
        min_size: Minimum height and width.
        takes_any_size: Whether images may have any size also with the classifier.
        is_sized: Whether images have the default size also without the classifier.
        classifier: Function of the features and the arguments that applies the classifier.
        pooling: Function of the features and `pooling`: the ending of a model without classifier.
    """

    title: str
    features: Callable[[Tensor, Arguments], Tensor]
    published: str
    size: int = 224
    min_size: int = 32
    takes_any_size: bool = False
    is_sized: bool = False
    classifier: Callable[[Tensor, Arguments], Tensor] = classify
    pooling: Callable[[Tensor, str | None], Tensor] = pool


def build_model(architecture: Architecture, arguments: Arguments) -> Model:
    """Returns the model of an architecture, with its weights loaded.

    Args:
        architecture: The architecture.
        arguments: The arguments of its function.

    Raises:
        ValueError: Arguments are inconsistent, or the weights file does not exist.
    """
    _check_arguments(architecture, arguments)
    arguments = replace(arguments, classes=int(arguments.classes))
    tensor = arguments.input_tensor
    shape = _input_shape(architecture, arguments)
    file = _weights_path(architecture, arguments)  # before time is spent on building
    inputs = layers.Input(shape=shape) if tensor is None else tensor
    x = architecture.features(inputs, arguments)
    if arguments.include_top:
        x = architecture.classifier(x, arguments)
    else:
        x = architecture.pooling(x, arguments.pooling)
    sources = inputs if tensor is None else get_source_inputs(tensor)
    model = Model(sources, x, name=arguments.name)
    if file is not None:
        model.load_weights(file)
    return model


def channel_axis(last: int = -1) -> int:
    """Returns the axis of channels of a batch of images in the configured data format.

    Args:
        last: What `"channels_last"` gives: -1 or 3.
    """
    return 1 if image_data_format() == "channels_first" else last


def pad_for_strides(x: Tensor, kernel_size: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Returns the padding before a convolution with strides of 2, as its published weights expect.

    Args:
        x: The images: an even size is padded by one less before it than after it.
        kernel_size: Height and width of the kernel.
    """
    first = 2 if image_data_format() == "channels_first" else 1
    height, width = x.shape[first : first + 2]
    half = kernel_size // 2
    # An unknown height counts as even, and so does the width then.
    odd = (0, 0) if height is None else (height % 2, (width or 0) % 2)
    return (half - 1 + odd[0], half), (half - 1 + odd[1], half)


def round_channels(channels: float, divisor: int = 8) -> int:
    """Returns the multiple of a divisor that is nearest to a number of channels.

    It is at least the divisor, and not less than 90 % of the number.

    Args:
        channels: The number, often a fraction after a multiplication.
        divisor: The divisor.

    Example:
        >>> round_channels(32 * 0.35), round_channels(10)
        (16, 16)
    """
    rounded = max(divisor, int(channels + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * channels else rounded


def published_size(
    arguments: Arguments, sizes: tuple[int, ...], shape: Shape | None
) -> tuple[int, int | None]:
    """Returns for which size of images published weights fit, and the size in the model's name.

    Args:
        arguments: The arguments of the function of an architecture.
        sizes: The sizes for which there are weights.
        shape: The shape of an image. Weights for 224 x 224 are used if there are none for it.
    """
    height, width = image_size(shape)
    size = height if height == width and height in sizes else 224
    is_default = arguments.input_shape is None and arguments.include_top
    return size, size if arguments.is_imagenet or is_default else height


def image_size(shape: Shape | None) -> tuple[int | None, int | None]:
    """Returns the height and width of an image; None for what is unknown.

    Args:
        shape: Its shape in the configured data format.
    """
    if not isinstance(shape, (tuple, list)) or len(shape) != 3:
        return None, None  # another shape is refused when the model is built
    return shape[1:] if image_data_format() == "channels_first" else shape[:2]


def check_alpha(title: str, alpha: float, arguments: Arguments, published: Iterable[float]) -> None:
    """Raises a ValueError if a width multiplier is invalid, or has no published weights.

    Args:
        title: Name of the function.
        alpha: The width multiplier.
        arguments: The other arguments.
        published: The multipliers for which there are weights.
    """
    choices = " or ".join(f"{x:g}" for x in published)
    if not isinstance(alpha, Real) or isinstance(alpha, bool) or not 0 < alpha < float("inf"):
        expected = "alpha: a positive number"
    elif arguments.is_imagenet and alpha not in published:
        expected = f"alpha: {choices}, with the weights 'imagenet'"
    else:
        return
    raise SpecError(
        title,
        expected=expected,
        received=f"alpha={alpha!r}",
        fix="pass one of these, or weights=None for another width",
    )


def _is_integer(value: object) -> TypeGuard[int]:
    """Returns whether a value is an integer, NumPy's included, and not a boolean."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def _check_arguments(architecture: Architecture, arguments: Arguments) -> None:
    """Raises a ValueError for arguments that are invalid or do not fit together."""
    title = architecture.title
    for flag in ("include_top", "include_preprocessing"):
        check_choice(title, flag, getattr(arguments, flag), (True, False))
    check_choice(title, "pooling", arguments.pooling, (None, "avg", "max"))
    classes, weights = arguments.classes, arguments.weights
    if not _is_integer(classes) or classes < 1:
        raise SpecError(
            title,
            expected="classes: a positive integer",
            received=f"classes={classes!r}",
            fix="for example classes=10",
        )
    is_path = isinstance(weights, (str, OsPath))
    if weights not in (None, "imagenet") and not (is_path and Path(weights).is_file()):
        raise SpecError(
            title,
            expected="weights: None, 'imagenet' or the path of a weights file",
            received=f"{str(weights) if is_path else weights!r}, which is not a file",
            fix="check the path",
        )
    if arguments.is_imagenet and arguments.include_top:
        _check_classifier(title, arguments)
    if arguments.input_tensor is not None:
        _check_input_tensor(title, arguments)


def _check_classifier(title: str, arguments: Arguments) -> None:
    """Raises a ValueError if the classifier is not the one of ImageNet."""
    if arguments.classes != 1000:
        raise SpecError(
            title,
            expected="classes=1000, which the classifier of 'imagenet' has",
            received=f"classes={arguments.classes}",
            fix="pass include_top=False and add a classifier, or pass weights=None",
        )
    activation = activations.get(arguments.classifier_activation)
    if activation not in (activations.get("softmax"), activations.get(None)):
        raise SpecError(
            title,
            expected="classifier_activation: 'softmax' or None, with the weights 'imagenet'",
            received=f"classifier_activation={arguments.classifier_activation!r}",
            fix="pass None for logits, and apply another activation to them",
        )


def _check_input_tensor(title: str, arguments: Arguments) -> None:
    """Raises an error if the input is not a batch of images, or `input_shape` is another one."""
    tensor, shape = arguments.input_tensor, arguments.input_shape
    if not isinstance(tensor, KerasTensor):
        raise DTypeError(
            title,
            expected="input_tensor: a KerasTensor",
            received=f"input_tensor={tensor!r}",
            fix="pass keras.Input((224, 224, 3)), or what a layer made of one",
        )
    if tensor.ndim != 4:
        raise SpecError(
            title,
            expected="input_tensor: images of shape (batch, height, width, channels)",
            received=f"shape {tensor.shape}",
            fix="give it four axes",
        )
    pairs = [] if shape is None else list(zip(shape, tensor.shape[1:], strict=False))
    if any(a != b for a, b in pairs if a is not None and b is not None):
        raise SpecError(
            title,
            expected=f"input_shape: that of input_tensor, {tuple(tensor.shape[1:])}",
            received=f"input_shape={tuple(shape or ())}",
            fix="pass one of them",
        )


def _input_shape(architecture: Architecture, arguments: Arguments) -> Shape:
    """Returns the shape of an image for a new `Input`.

    Raises:
        ValueError: The shape does not have three axes, is too small, or does not fit the weights.
    """
    size = architecture.size
    needs_size = arguments.include_top and not architecture.takes_any_size
    if arguments.input_shape is None:
        return _image_shape(size if needs_size or architecture.is_sized else None)
    if not isinstance(arguments.input_shape, (tuple, list)):
        raise _shape_error(architecture, arguments, "a tuple of three sizes")
    given = arguments.input_shape
    is_first = image_data_format() == "channels_first"
    if len(given) != 3 or not all(n is None or _is_integer(n) for n in given):
        raise _shape_error(architecture, arguments, "three sizes")
    shape = tuple(None if n is None else int(n) for n in given)
    channels, sizes = (shape[0], shape[1:]) if is_first else (shape[-1], shape[:-1])
    if any(n is not None and n < architecture.min_size for n in sizes):
        raise _shape_error(architecture, arguments, f"sizes of at least {architecture.min_size}")
    if arguments.is_imagenet and channels != 3:
        raise _shape_error(architecture, arguments, "3 channels, with the weights 'imagenet'")
    if channels is None or channels < 1:
        raise _shape_error(architecture, arguments, "a number of channels")
    if needs_size and None in sizes:
        raise _shape_error(architecture, arguments, "fixed sizes, with include_top=True")
    if needs_size and arguments.is_imagenet and shape != _image_shape(size):
        what = f"{_image_shape(size)}, with include_top=True and the weights 'imagenet'"
        raise _shape_error(architecture, arguments, what)
    return shape


def _image_shape(size: int | None) -> Shape:
    return (3, size, size) if image_data_format() == "channels_first" else (size, size, 3)


def _shape_error(architecture: Architecture, arguments: Arguments, expected: str) -> SpecError:
    return SpecError(
        architecture.title,
        expected=f"input_shape: {expected}",
        received=f"input_shape={arguments.input_shape!r}, data format {image_data_format()!r}",
        fix=f"for example input_shape={_image_shape(architecture.size)}",
    )


def _weights_path(architecture: Architecture, arguments: Arguments) -> PathLike | None:
    """Returns the path of the weights file, downloaded if it is a published one."""
    if not arguments.is_imagenet:
        return arguments.weights
    files = published_weights.PUBLISHED[architecture.published]
    return published_weights.fetch(files.with_top if arguments.include_top else files.without_top)


class Application(Protocol):
    """The function of an architecture that has only the arguments which all of them have."""

    def __call__(
        self,
        include_top: bool = True,
        weights: PathLike | None = "imagenet",
        input_tensor: KerasTensor | None = None,
        input_shape: Shape | None = None,
        pooling: str | None = None,
        classes: int = 1000,
        classifier_activation: ActivationLike | None = "softmax",
        name: str = ...,
    ) -> Model: ...


def define_application(
    architecture: Architecture, default_name: str, doc: str, module: str
) -> Application:
    """Returns the function of an architecture.

    Args:
        architecture: The architecture.
        default_name: Name of its models.
        doc: Its docstring, as `describe` returns it.
        module: The `__name__` of the module that defines it.
    """

    def application(
        include_top: bool = True,
        weights: PathLike | None = "imagenet",
        input_tensor: KerasTensor | None = None,
        input_shape: Shape | None = None,
        pooling: str | None = None,
        classes: int = 1000,
        classifier_activation: ActivationLike | None = "softmax",
        name: str = default_name,
    ) -> Model:
        arguments = Arguments(
            include_top=include_top,
            weights=weights,
            input_tensor=input_tensor,
            input_shape=input_shape,
            pooling=pooling,
            classes=classes,
            classifier_activation=classifier_activation,
            name=name,
        )
        return build_model(architecture, arguments)

    application.__name__ = application.__qualname__ = architecture.title
    application.__module__, application.__doc__ = module, doc
    return application


_DOC = """{title} image classification model: {summary}.

Args:{first_args}
    include_top: Whether to include the classifier at the top.
    weights: `"imagenet"` for pretrained weights (downloaded once), None for random initialization,
        or the path of a weights file.
    input_tensor: KerasTensor to use as the input of the model, of shape `(batch, height, width,
        channels)` or with channels first; None for a new `Input`.
    input_shape: Shape of an image without the batch axis, height and width at least {min_size}; by
        default {size}.
    pooling: Global pooling of the output with `include_top=False`: None, `"avg"` or `"max"`.
    classes: Number of classes, with `include_top=True`.
    classifier_activation: Activation of the classifier; None for logits.
    name: Name of the model.{last_args}

Returns:
    A `keras.Model`, from images to probabilities of shape `(batch, classes)`, or to features.
    {images}

Raises:
    ValueError: Arguments are inconsistent, or the weights file does not exist.

Example:
    >>> keras.applications.{example}.count_params()
    {count}

References:
    {paper}
"""

_IMAGES = {
    "tf": 'The weights `"imagenet"` expect images with values from -1 to 1:\n'
    "    `keras.applications.{module}.preprocess_input` scales them.",
    "torch": 'The weights `"imagenet"` expect standardized images:\n'
    "    `keras.applications.{module}.preprocess_input` standardizes their channels.",
    "caffe": 'The weights `"imagenet"` expect images in BGR channel order without their mean:\n'
    "    `keras.applications.{module}.preprocess_input` makes them from RGB images.",
    None: "Images have values from 0 to 255; the model scales them itself.",
}


def describe(
    architecture: Architecture,
    summary: str,
    *,
    module: str,
    mode: str | None,
    paper: str,
    count: int,
    example: str = "",
    first_args: str = "",
    last_args: str = "",
) -> str:
    """Returns the docstring of the function of an architecture.

    Args:
        architecture: The architecture.
        summary: What it is, after "image classification model: ".
        module: Name of its module in `keras.applications`.
        mode: Mode of its `preprocess_input`; None if the model scales the images itself.
        paper: Authors, title, year and URL.
        count: Number of parameters of the example.
        example: The call of the example; by default without weights and classifier.
        first_args: Docstring lines of arguments that come before the shared ones.
        last_args: Docstring lines of arguments that come after them.
    """
    title, size = architecture.title, architecture.size
    default = f"{size} x {size} with three channels"
    if not architecture.is_sized:
        default += ", and any size without classifier"
    return _DOC.format(
        title=title,
        summary=summary,
        images=_IMAGES[mode].format(module=module),
        paper=paper,
        count=count,
        example=example or f"{title}(weights=None, include_top=False)",
        size="any size, with three channels" if architecture.takes_any_size else default,
        min_size=architecture.min_size,
        first_args=first_args,
        last_args=last_args,
    )

"""VGG16 and VGG19: stacks of 3x3 convolutions.

Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image
Recognition", 2014. https://arxiv.org/abs/1409.1556
"""

from __future__ import annotations

from keras_fn import layers
from keras_fn.applications import weights as weights_files
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.errors import check_choice
from keras_fn.models import Model
from keras_fn.settings import image_data_format
from keras_fn.types import ActivationLike, PathLike, Shape
from keras_fn.utils.model_utils import get_source_inputs

_FILTERS = (64, 128, 256, 512, 512)
_DOC = """{title} image classification model, with {depth} weight layers.

Args:
    include_top: Whether to include the classifier, the three dense layers at the top.
    weights: `"imagenet"` for pretrained weights (downloaded once), None for random initialization,
        or the path of a weights file.
    input_tensor: KerasTensor to use as the input of the model; None for a new `Input`.
    input_shape: Shape of an image without the batch axis, each size at least 32; by default
        224 x 224 with three channels. Only with `include_top=False`.
    pooling: Global pooling of the output with `include_top=False`: None, `"avg"` or `"max"`.
    classes: Number of classes, the units of the last layer.
    classifier_activation: Activation of the last layer; None for logits.
    name: Name of the model.

Returns:
    A `keras.Model`. The weights `"imagenet"` expect images in BGR channel order, with the means
    103.939, 116.779 and 123.68 subtracted.

Raises:
    ValueError: Arguments are inconsistent, or the weights file does not exist.

Example:
    >>> keras.applications.{title}(weights=None, include_top=False).count_params()
    {count}

References:
    Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition",
    2014. https://arxiv.org/abs/1409.1556
"""


def _vgg(
    blocks: tuple[int, ...],
    include_top: bool,
    weights: PathLike | None,
    input_tensor: KerasTensor | None,
    input_shape: Shape | None,
    pooling: str | None,
    classes: int,
    classifier_activation: ActivationLike | None,
    name: str,
) -> Model:
    """Returns a VGG model; `blocks` are the numbers of convolutions in its five blocks."""
    architecture = f"VGG{sum(blocks) + 3}"
    check_choice(architecture, "pooling", pooling, (None, "avg", "max"))
    weights_files.check_arguments(weights, include_top, classes, architecture)
    shape = weights_files.obtain_input_shape(
        input_shape, 224, 32, include_top, weights, image_data_format()
    )
    inputs = layers.Input(shape=shape) if input_tensor is None else input_tensor
    x = inputs
    for block, (depth, filters) in enumerate(zip(blocks, _FILTERS, strict=True), 1):
        for i in range(1, depth + 1):
            x = layers.Conv2D(
                filters, 3, padding="same", activation="relu", name=f"block{block}_conv{i}"
            )(x)
        x = layers.MaxPooling2D(2, strides=2, name=f"block{block}_pool")(x)
    if include_top:
        x = layers.Flatten(name="flatten")(x)
        x = layers.Dense(4096, activation="relu", name="fc1")(x)
        x = layers.Dense(4096, activation="relu", name="fc2")(x)
        x = layers.Dense(classes, activation=classifier_activation, name="predictions")(x)
    elif pooling == "avg":
        x = layers.GlobalAveragePooling2D()(x)
    elif pooling == "max":
        x = layers.GlobalMaxPooling2D()(x)
    sources = get_source_inputs(input_tensor) if input_tensor is not None else inputs
    model = Model(sources, x, name=name)
    file = f"vgg{sum(blocks) + 3}_weights_tf_dim_ordering_tf_kernels"
    weights_files.load_pretrained(model, weights, file, include_top)
    return model


def VGG16(
    include_top: bool = True,
    weights: PathLike | None = "imagenet",
    input_tensor: KerasTensor | None = None,
    input_shape: Shape | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: ActivationLike | None = "softmax",
    name: str = "vgg16",
) -> Model:
    return _vgg(
        (2, 2, 3, 3, 3),
        include_top,
        weights,
        input_tensor,
        input_shape,
        pooling,
        classes,
        classifier_activation,
        name,
    )


def VGG19(
    include_top: bool = True,
    weights: PathLike | None = "imagenet",
    input_tensor: KerasTensor | None = None,
    input_shape: Shape | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: ActivationLike | None = "softmax",
    name: str = "vgg19",
) -> Model:
    return _vgg(
        (2, 2, 4, 4, 4),
        include_top,
        weights,
        input_tensor,
        input_shape,
        pooling,
        classes,
        classifier_activation,
        name,
    )


VGG16.__doc__ = _DOC.format(title="VGG16", depth=16, count=14714688)
VGG19.__doc__ = _DOC.format(title="VGG19", depth=19, count=20024384)

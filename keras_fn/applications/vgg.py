"""VGG16 and VGG19: stacks of 3x3 convolutions.

Source: Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image
Recognition", 2014. https://arxiv.org/abs/1409.1556
"""

from typing import Any

from keras_fn import layers
from keras_fn.applications import weights as weights_files
from keras_fn.models import Model
from keras_fn.settings import image_data_format
from keras_fn.utils.model_utils import get_source_inputs

_FILTERS = (64, 128, 256, 512, 512)
_DOC = """{title}: 16 or 19 layers with weights, for images of 224 x 224.

Args:
    include_top: Whether the three dense layers at the end are part of the model.
    weights: `"imagenet"` (downloaded once), None for new ones, or the path of a file.
    input_tensor: A KerasTensor to take as the input.
    input_shape: Shape of an image, without the batch axis; sizes of at least 32. Only without
        the top.
    pooling: What is done with the last convolution's output, without the top: None, `"avg"` or
        `"max"`.
    classes: Number of classes.
    classifier_activation: Activation of the last layer; None for logits.
    name: Name of the model.

Returns:
    A model. The weights of "imagenet" expect images in the order blue, green, red, with the means
    103.939, 116.779 and 123.68 subtracted.

Raises:
    ValueError: Arguments that do not fit one another.

Example:
    >>> keras.applications.{title}(weights=None, include_top=False).count_params()
    {count}
"""


def _vgg(
    blocks: tuple[int, ...],
    include_top: bool,
    weights: Any,
    input_tensor: Any,
    input_shape: Any,
    pooling: str | None,
    classes: int,
    classifier_activation: Any,
    name: str,
) -> Any:
    """Returns a VGG with so many convolutions in its five blocks."""
    kind = f"VGG{sum(blocks) + 3}"
    weights_files.check_arguments(weights, include_top, classes, kind)
    shape = weights_files.image_shape(
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
    elif pooling is not None:
        raise ValueError(f"{kind}: pooling must be None, 'avg' or 'max', not {pooling!r}.")
    sources = get_source_inputs(input_tensor) if input_tensor is not None else inputs
    model = Model(sources, x, name=name)
    file = f"vgg{sum(blocks) + 3}_weights_tf_dim_ordering_tf_kernels"
    weights_files.load(model, weights, file, include_top)
    return model


def VGG16(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "vgg16",
) -> Any:
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
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "vgg19",
) -> Any:
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


VGG16.__doc__ = _DOC.format(title="VGG16", count=14714688)
VGG19.__doc__ = _DOC.format(title="VGG19", count=20024384)

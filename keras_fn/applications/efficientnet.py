"""EfficientNet: networks whose depth, width and image size grow together.

Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", 2019.
https://arxiv.org/abs/1905.11946
"""

from __future__ import annotations

import math
from functools import partial

from keras_fn import layers
from keras_fn.applications._architecture import (
    Application,
    Architecture,
    Arguments,
    channel_axis,
    define_application,
    describe,
    round_channels,
)
from keras_fn.applications._efficientnet import (
    Network,
    Stage,
    apply_network,
    classify,
)
from keras_fn.applications.imagenet_utils import (
    STANDARD_DEVIATION,
    decode_predictions,
    define_preprocess_input,
)
from keras_fn.types import Tensor

__all__ = [
    "EfficientNetB0",
    "EfficientNetB1",
    "EfficientNetB2",
    "EfficientNetB3",
    "EfficientNetB4",
    "EfficientNetB5",
    "EfficientNetB6",
    "EfficientNetB7",
    "decode_predictions",
    "preprocess_input",
]

_STAGES = (  # kernel size, blocks, channels, expansion, strides
    Stage(3, 1, 16, 1, 1),
    Stage(3, 2, 24, 6, 2),
    Stage(5, 2, 40, 6, 2),
    Stage(3, 3, 80, 6, 2),
    Stage(5, 3, 112, 6, 1),
    Stage(5, 4, 192, 6, 2),
    Stage(3, 1, 320, 6, 1),
)


def _features(x: Tensor, arguments: Arguments, network: Network) -> Tensor:
    """Applies the scaling of the images and the layers up to the classifier."""
    x = layers.Rescaling(1 / 255)(x)
    x = layers.Normalization(axis=channel_axis(3))(x)
    if arguments.is_imagenet:  # the published statistics divide by the root of the deviation only
        x = layers.Rescaling([1 / math.sqrt(deviation) for deviation in STANDARD_DEVIATION])(x)
    return apply_network(x, network)


def _define(
    variant: str, width: float, depth: float, size: int, dropout: float, count: int
) -> Application:
    """Returns the function of a variant; `count` is its number of parameters without classifier."""
    network = Network(
        stages=_STAGES,
        stem_channels=32,
        width=width,
        depth=depth,
        round_channels=round_channels,
        momentum=0.99,
        pads_strides=True,
        scales_drop_rate=True,
        depthwise_name="dwconv",
    )
    architecture = Architecture(
        title=f"EfficientNet{variant}",
        features=partial(_features, network=network),
        classifier=partial(classify, dropout=dropout),
        published=f"efficientnet{variant.lower()}",
        size=size,
    )
    doc = describe(
        architecture,
        "inverted residual blocks with attention to channels, scaled in depth, width and size",
        module="efficientnet",
        mode=None,
        paper='Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural '
        'Networks", 2019.\n    https://arxiv.org/abs/1905.11946',
        count=count,
    )
    return define_application(architecture, architecture.published, doc, __name__)


EfficientNetB0 = _define("B0", 1.0, 1.0, 224, 0.2, 4049571)
EfficientNetB1 = _define("B1", 1.0, 1.1, 240, 0.2, 6575239)
EfficientNetB2 = _define("B2", 1.1, 1.2, 260, 0.3, 7768569)
EfficientNetB3 = _define("B3", 1.2, 1.4, 300, 0.3, 10783535)
EfficientNetB4 = _define("B4", 1.4, 1.8, 380, 0.4, 17673823)
EfficientNetB5 = _define("B5", 1.6, 2.2, 456, 0.4, 28513527)
EfficientNetB6 = _define("B6", 1.8, 2.6, 528, 0.5, 40960143)
EfficientNetB7 = _define("B7", 2.0, 3.1, 600, 0.5, 64097687)
preprocess_input = define_preprocess_input(None, __name__)


def __dir__() -> list[str]:
    return __all__

"""ConvNeXt: the public namespace `keras.applications.convnext`."""

from __future__ import annotations

from functools import partial
from typing import Protocol

from keras_fn import layers
from keras_fn.applications._architecture import (
    Architecture,
    Arguments,
    build_model,
    describe,
    pool_unnamed,
)
from keras_fn.applications.imagenet_utils import (
    MEAN,
    STANDARD_DEVIATION,
    decode_predictions,
    define_preprocess_input,
)
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.errors import SpecError
from keras_fn.layers.core.layer_scale import LayerScale
from keras_fn.models import Model, Sequential
from keras_fn.settings import image_data_format
from keras_fn.types import ActivationLike, PathLike, Shape, Tensor

__all__ = [
    "ConvNeXtTiny",
    "ConvNeXtSmall",
    "ConvNeXtBase",
    "ConvNeXtLarge",
    "ConvNeXtXLarge",
    "decode_predictions",
    "preprocess_input",
]

_EPSILON = 1e-6  # of the normalizations
_LAYER_SCALE = 1e-6  # first value of the factors
_LAST_ARGS = """
    include_preprocessing: Whether the model standardizes the images itself. Without it, it expects
        the values that its own standardization results in."""


class _Application(Protocol):
    """The function of a variant of ConvNeXt."""

    def __call__(
        self,
        include_top: bool = True,
        include_preprocessing: bool = True,
        weights: PathLike | None = "imagenet",
        input_tensor: KerasTensor | None = None,
        input_shape: Shape | None = None,
        pooling: str | None = None,
        classes: int = 1000,
        classifier_activation: ActivationLike | None = "softmax",
        name: str = ...,
    ) -> Model: ...


def _features(
    x: Tensor, arguments: Arguments, depths: tuple[int, ...], channels: tuple[int, ...]
) -> Tensor:
    name = arguments.name
    if arguments.include_preprocessing and x.shape[-1] == 3:
        mean = [255 * value for value in MEAN]
        variance = [(255 * value) ** 2 for value in STANDARD_DEVIATION]
        normalization = f"{name}_prestem_normalization"
        x = layers.Normalization(mean=mean, variance=variance, name=normalization)(x)
    for stage, (depth, count) in enumerate(zip(depths, channels, strict=True)):
        x = _downsampling(stage, count, name)(x)
        for i in range(depth):
            x = _block(x, count, f"{name}_stage_{stage}_block_{i}")
    return x


def _downsampling(stage: int, channels: int, name: str) -> Sequential:
    """Returns the layers before a stage: patches of 4 x 4 before the first one, then 2 x 2."""
    if stage == 0:
        conv = layers.Conv2D(channels, 4, strides=4, name=f"{name}_stem_conv")
        return Sequential([conv, _normalization(f"{name}_stem_layernorm")], name=f"{name}_stem")
    part = f"{name}_downsampling"
    conv = layers.Conv2D(channels, 2, strides=2, name=f"{part}_conv_{stage - 1}")
    normalization = _normalization(f"{part}_layernorm_{stage - 1}")
    return Sequential([normalization, conv], name=f"{part}_block_{stage - 1}")


def _block(inputs: Tensor, channels: int, name: str) -> Tensor:
    """Applies a residual branch: a depthwise convolution, a wide and a narrow dense layer."""
    conv = f"{name}_depthwise_conv"
    x = layers.Conv2D(channels, 7, padding="same", groups=channels, name=conv)(inputs)
    x = _normalization(f"{name}_layernorm")(x)
    x = layers.Dense(4 * channels, name=f"{name}_pointwise_conv_1")(x)
    x = layers.Activation("gelu", name=f"{name}_gelu")(x)
    x = layers.Dense(channels, name=f"{name}_pointwise_conv_2")(x)
    x = LayerScale(_LAYER_SCALE, channels, name=f"{name}_layer_scale")(x)
    x = layers.Activation("linear", name=f"{name}_identity")(x)
    return inputs + x


def _classify(x: Tensor, arguments: Arguments) -> Tensor:
    name = f"{arguments.name}_head"
    x = layers.GlobalAveragePooling2D(name=f"{name}_gap")(x)
    x = _normalization(f"{name}_layernorm")(x)
    return layers.Dense(
        arguments.classes, activation=arguments.classifier_activation, name=f"{name}_dense"
    )(x)


def _pool(x: Tensor, pooling: str | None) -> Tensor:
    return _normalization(None)(pool_unnamed(x, pooling))


def _normalization(name: str | None) -> layers.LayerNormalization:
    return layers.LayerNormalization(epsilon=_EPSILON, name=name)


def _check_data_format(title: str) -> None:
    """Raises a ValueError for channels first: the dense layers run over the last axis."""
    if image_data_format() != "channels_last":
        raise SpecError(
            title,
            expected="the data format 'channels_last'",
            received=f"{image_data_format()!r}",
            fix="call keras.config.set_image_data_format('channels_last'), and put "
            "keras.layers.Permute((2, 3, 1)) before the model for images with channels first",
        )


def _define(
    variant: str, depths: tuple[int, ...], channels: tuple[int, ...], count: int
) -> _Application:
    """Returns the function of a variant; `count` is its number of parameters without classifier."""
    architecture = Architecture(
        title=f"ConvNeXt{variant}",
        features=partial(_features, depths=depths, channels=channels),
        classifier=_classify,
        pooling=_pool,
        published=f"convnext_{variant.lower()}",
    )

    def application(
        include_top: bool = True,
        include_preprocessing: bool = True,
        weights: PathLike | None = "imagenet",
        input_tensor: KerasTensor | None = None,
        input_shape: Shape | None = None,
        pooling: str | None = None,
        classes: int = 1000,
        classifier_activation: ActivationLike | None = "softmax",
        name: str = architecture.published,
    ) -> Model:
        _check_data_format(architecture.title)
        arguments = Arguments(
            include_top=include_top,
            include_preprocessing=include_preprocessing,
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
    application.__doc__ = describe(
        architecture,
        "a convolutional network with the design of vision transformers",
        module="convnext",
        mode=None,
        paper='Liu et al., "A ConvNet for the 2020s", 2022. https://arxiv.org/abs/2201.03545',
        count=count,
        last_args=_LAST_ARGS,
    )
    return application


_DEEP = (3, 3, 27, 3)
ConvNeXtTiny = _define("Tiny", (3, 3, 9, 3), (96, 192, 384, 768), 27_820_128)
ConvNeXtSmall = _define("Small", _DEEP, (96, 192, 384, 768), 49_454_688)
ConvNeXtBase = _define("Base", _DEEP, (128, 256, 512, 1024), 87_566_464)
ConvNeXtLarge = _define("Large", _DEEP, (192, 384, 768, 1536), 196_230_336)
ConvNeXtXLarge = _define("XLarge", _DEEP, (256, 512, 1024, 2048), 348_147_968)
preprocess_input = define_preprocess_input(None, __name__)


def __dir__() -> list[str]:
    return __all__

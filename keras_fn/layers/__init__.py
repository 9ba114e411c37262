"""Layers: the public namespace `keras.layers`."""

from collections.abc import Mapping
from typing import Any

from keras_fn import errors
from keras_fn.core import namespaces, registry, serialization
from keras_fn.core.input_spec import InputSpec as InputSpec
from keras_fn.layers import _constructor
from keras_fn.layers.activations import (
    ELU as ELU,
    LeakyReLU as LeakyReLU,
    PReLU as PReLU,
    ReLU as ReLU,
    Softmax as Softmax,
)
from keras_fn.layers.attention.additive_attention import AdditiveAttention as AdditiveAttention
from keras_fn.layers.attention.attention import Attention as Attention
from keras_fn.layers.attention.grouped_query_attention import (
    GroupedQueryAttention as GroupQueryAttention,
)
from keras_fn.layers.attention.multi_head_attention import MultiHeadAttention as MultiHeadAttention
from keras_fn.layers.convolutional import (
    Conv1D as Conv1D,
    Conv1DTranspose as Conv1DTranspose,
    Conv2D as Conv2D,
    Conv2DTranspose as Conv2DTranspose,
    Conv3D as Conv3D,
    Conv3DTranspose as Conv3DTranspose,
    DepthwiseConv1D as DepthwiseConv1D,
    DepthwiseConv2D as DepthwiseConv2D,
    SeparableConv1D as SeparableConv1D,
    SeparableConv2D as SeparableConv2D,
)
from keras_fn.layers.core.activation import Activation as Activation
from keras_fn.layers.core.dense import Dense as Dense
from keras_fn.layers.core.einsum_dense import EinsumDense as EinsumDense
from keras_fn.layers.core.embedding import Embedding as Embedding
from keras_fn.layers.core.identity import Identity as Identity
from keras_fn.layers.core.input_layer import Input as Input, InputLayer as InputLayer
from keras_fn.layers.core.lambda_layer import Lambda as Lambda
from keras_fn.layers.core.masking import Masking as Masking
from keras_fn.layers.core.reversible_embedding import ReversibleEmbedding as ReversibleEmbedding
from keras_fn.layers.core.wrapper import Wrapper as Wrapper
from keras_fn.layers.interop.flax_layer import FlaxLayer as FlaxLayer
from keras_fn.layers.interop.jax_layer import JaxLayer as JaxLayer
from keras_fn.layers.interop.tfsm_layer import TFSMLayer as TFSMLayer
from keras_fn.layers.interop.torch_module_wrapper import TorchModuleWrapper as TorchModuleWrapper
from keras_fn.layers.layer import Layer as Layer
from keras_fn.layers.merging import (
    Add as Add,
    Average as Average,
    Concatenate as Concatenate,
    Dot as Dot,
    Maximum as Maximum,
    Minimum as Minimum,
    Multiply as Multiply,
    Subtract as Subtract,
    add as add,
    average as average,
    concatenate as concatenate,
    dot as dot,
    maximum as maximum,
    minimum as minimum,
    multiply as multiply,
    subtract as subtract,
)
from keras_fn.layers.normalization import (
    BatchNormalization as BatchNormalization,
    GroupNormalization as GroupNormalization,
    LayerNormalization as LayerNormalization,
    RMSNormalization as RMSNormalization,
    UnitNormalization as UnitNormalization,
)
from keras_fn.layers.normalization.spectral_normalization import (
    SpectralNormalization as SpectralNormalization,
)
from keras_fn.layers.pooling import (
    AveragePooling1D as AveragePooling1D,
    AveragePooling2D as AveragePooling2D,
    AveragePooling3D as AveragePooling3D,
    GlobalAveragePooling1D as GlobalAveragePooling1D,
    GlobalAveragePooling2D as GlobalAveragePooling2D,
    GlobalAveragePooling3D as GlobalAveragePooling3D,
    GlobalMaxPooling1D as GlobalMaxPooling1D,
    GlobalMaxPooling2D as GlobalMaxPooling2D,
    GlobalMaxPooling3D as GlobalMaxPooling3D,
    MaxPooling1D as MaxPooling1D,
    MaxPooling2D as MaxPooling2D,
    MaxPooling3D as MaxPooling3D,
)
from keras_fn.layers.pooling.adaptive_average_pooling import (
    AdaptiveAveragePooling1D as AdaptiveAveragePooling1D,
    AdaptiveAveragePooling2D as AdaptiveAveragePooling2D,
    AdaptiveAveragePooling3D as AdaptiveAveragePooling3D,
)
from keras_fn.layers.pooling.adaptive_max_pooling import (
    AdaptiveMaxPooling1D as AdaptiveMaxPooling1D,
    AdaptiveMaxPooling2D as AdaptiveMaxPooling2D,
    AdaptiveMaxPooling3D as AdaptiveMaxPooling3D,
)
from keras_fn.layers.preprocessing.category_encoding import CategoryEncoding as CategoryEncoding
from keras_fn.layers.preprocessing.discretization import Discretization as Discretization
from keras_fn.layers.preprocessing.hashed_crossing import HashedCrossing as HashedCrossing
from keras_fn.layers.preprocessing.hashing import Hashing as Hashing
from keras_fn.layers.preprocessing.image.aug_mix import AugMix as AugMix
from keras_fn.layers.preprocessing.image.auto_contrast import AutoContrast as AutoContrast
from keras_fn.layers.preprocessing.image.center_crop import CenterCrop as CenterCrop
from keras_fn.layers.preprocessing.image.contrast_limited_adaptive_histogram_equalization import (
    ContrastLimitedAdaptiveHistogramEqualization as ContrastLimitedAdaptiveHistogramEqualization,
)
from keras_fn.layers.preprocessing.image.cut_mix import CutMix as CutMix
from keras_fn.layers.preprocessing.image.equalization import Equalization as Equalization
from keras_fn.layers.preprocessing.image.max_num_bounding_boxes import (
    MaxNumBoundingBoxes as MaxNumBoundingBoxes,
)
from keras_fn.layers.preprocessing.image.mix_up import MixUp as MixUp
from keras_fn.layers.preprocessing.image.rand_augment import RandAugment as RandAugment
from keras_fn.layers.preprocessing.image.random_brightness import (
    RandomBrightness as RandomBrightness,
)
from keras_fn.layers.preprocessing.image.random_color_degeneration import (
    RandomColorDegeneration as RandomColorDegeneration,
)
from keras_fn.layers.preprocessing.image.random_color_jitter import (
    RandomColorJitter as RandomColorJitter,
)
from keras_fn.layers.preprocessing.image.random_contrast import RandomContrast as RandomContrast
from keras_fn.layers.preprocessing.image.random_crop import RandomCrop as RandomCrop
from keras_fn.layers.preprocessing.image.random_elastic_transform import (
    RandomElasticTransform as RandomElasticTransform,
)
from keras_fn.layers.preprocessing.image.random_erasing import RandomErasing as RandomErasing
from keras_fn.layers.preprocessing.image.random_flip import RandomFlip as RandomFlip
from keras_fn.layers.preprocessing.image.random_gaussian_blur import (
    RandomGaussianBlur as RandomGaussianBlur,
)
from keras_fn.layers.preprocessing.image.random_grayscale import RandomGrayscale as RandomGrayscale
from keras_fn.layers.preprocessing.image.random_hue import RandomHue as RandomHue
from keras_fn.layers.preprocessing.image.random_invert import RandomInvert as RandomInvert
from keras_fn.layers.preprocessing.image.random_perspective import (
    RandomPerspective as RandomPerspective,
)
from keras_fn.layers.preprocessing.image.random_posterization import (
    RandomPosterization as RandomPosterization,
)
from keras_fn.layers.preprocessing.image.random_rotation import RandomRotation as RandomRotation
from keras_fn.layers.preprocessing.image.random_saturation import (
    RandomSaturation as RandomSaturation,
)
from keras_fn.layers.preprocessing.image.random_sharpness import RandomSharpness as RandomSharpness
from keras_fn.layers.preprocessing.image.random_shear import RandomShear as RandomShear
from keras_fn.layers.preprocessing.image.random_translation import (
    RandomTranslation as RandomTranslation,
)
from keras_fn.layers.preprocessing.image.random_zoom import RandomZoom as RandomZoom
from keras_fn.layers.preprocessing.image.resizing import Resizing as Resizing
from keras_fn.layers.preprocessing.image.solarization import Solarization as Solarization
from keras_fn.layers.preprocessing.integer_lookup import IntegerLookup as IntegerLookup
from keras_fn.layers.preprocessing.mel_spectrogram import MelSpectrogram as MelSpectrogram
from keras_fn.layers.preprocessing.normalization import Normalization as Normalization
from keras_fn.layers.preprocessing.pipeline import Pipeline as Pipeline
from keras_fn.layers.preprocessing.rescaling import Rescaling as Rescaling
from keras_fn.layers.preprocessing.stft_spectrogram import STFTSpectrogram as STFTSpectrogram
from keras_fn.layers.preprocessing.string_lookup import StringLookup as StringLookup
from keras_fn.layers.preprocessing.text_vectorization import TextVectorization as TextVectorization
from keras_fn.layers.regularization import (
    ActivityRegularization as ActivityRegularization,
    AlphaDropout as AlphaDropout,
    Dropout as Dropout,
    GaussianDropout as GaussianDropout,
    GaussianNoise as GaussianNoise,
    SpatialDropout1D as SpatialDropout1D,
    SpatialDropout2D as SpatialDropout2D,
    SpatialDropout3D as SpatialDropout3D,
)
from keras_fn.layers.reshaping import (
    Cropping1D as Cropping1D,
    Cropping2D as Cropping2D,
    Cropping3D as Cropping3D,
    Flatten as Flatten,
    Permute as Permute,
    RepeatVector as RepeatVector,
    Reshape as Reshape,
    UpSampling1D as UpSampling1D,
    UpSampling2D as UpSampling2D,
    UpSampling3D as UpSampling3D,
    ZeroPadding1D as ZeroPadding1D,
    ZeroPadding2D as ZeroPadding2D,
    ZeroPadding3D as ZeroPadding3D,
)
from keras_fn.layers.rnn import (
    GRU as GRU,
    LSTM as LSTM,
    RNN as RNN,
    Bidirectional as Bidirectional,
    GRUCell as GRUCell,
    LSTMCell as LSTMCell,
    SimpleRNN as SimpleRNN,
    SimpleRNNCell as SimpleRNNCell,
    StackedRNNCells as StackedRNNCells,
    TimeDistributed as TimeDistributed,
)
from keras_fn.layers.rnn.conv_lstm import (
    ConvLSTM1D as ConvLSTM1D,
    ConvLSTM2D as ConvLSTM2D,
    ConvLSTM3D as ConvLSTM3D,
)

_LAYERS = {
    name: value
    for name, value in vars().items()
    if isinstance(value, type) and issubclass(value, Layer)
}
registry.register("layer", "keras.layers", (), **_LAYERS)
_constructor.check_constructors(_LAYERS.values())

# Other names of the same layers.
Convolution1D = Conv1D
Convolution1DTranspose = Conv1DTranspose
MaxPool1D = MaxPooling1D
AvgPool1D = AveragePooling1D
GlobalMaxPool1D = GlobalMaxPooling1D
GlobalAvgPool1D = GlobalAveragePooling1D
Convolution2D = Conv2D
Convolution2DTranspose = Conv2DTranspose
MaxPool2D = MaxPooling2D
AvgPool2D = AveragePooling2D
GlobalMaxPool2D = GlobalMaxPooling2D
GlobalAvgPool2D = GlobalAveragePooling2D
Convolution3D = Conv3D
Convolution3DTranspose = Conv3DTranspose
MaxPool3D = MaxPooling3D
AvgPool3D = AveragePooling3D
GlobalMaxPool3D = GlobalMaxPooling3D
GlobalAvgPool3D = GlobalAveragePooling3D
SeparableConvolution1D = SeparableConv1D
SeparableConvolution2D = SeparableConv2D
_OTHER_NAMES = {
    name: cls for name, cls in vars().items() if isinstance(cls, type) and name != cls.__name__
}
registry.register("layer", "keras.layers", (), **_OTHER_NAMES)


def serialize(layer: Layer) -> dict[str, Any]:
    """Serializes a layer to a config, for `deserialize`. A model is a layer, too.

    Args:
        layer: A layer.

    Returns:
        The config, a dict of plain values that can be written as JSON. It holds no weights.

    Raises:
        TypeError: It has no `get_config()`.

    Example:
        >>> keras.layers.serialize(keras.layers.Dense(2))["class_name"]
        'Dense'
    """
    return serialization.serialize_keras_object(layer)


def deserialize(
    config: str | Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
) -> Layer:
    """Deserializes a layer from a config.

    Args:
        config: A config, as `serialize` returns it.
        custom_objects: Custom classes and functions that the config may use, by name.

    Returns:
        The layer, with new weights.

    Raises:
        ValueError: The config is malformed, holds code, or describes another kind of object.
        TypeError: A name is unknown, or the class does not accept the config.

    Example:
        >>> config = keras.layers.serialize(keras.layers.Dense(2))
        >>> keras.layers.deserialize(config).units
        2
    """
    layer = serialization.deserialize_as("layer", config, custom_objects)
    if not isinstance(layer, Layer):
        raise errors.SpecError(
            "layers.deserialize",
            expected="the config of a layer",
            received=f"{config!r}"[:200],
            fix="pass what keras_fn.layers.serialize(layer) returns",
        )
    return layer


def __dir__() -> list[str]:
    return namespaces.list_public_names(globals())

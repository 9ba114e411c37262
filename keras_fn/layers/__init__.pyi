"""The public names of `keras.layers`."""

from keras_fn.core.input_spec import InputSpec as InputSpec
from keras_fn.layers._serialization import deserialize as deserialize, serialize as serialize
from keras_fn.layers.activations.elu import ELU as ELU
from keras_fn.layers.activations.leaky_relu import LeakyReLU as LeakyReLU
from keras_fn.layers.activations.prelu import PReLU as PReLU
from keras_fn.layers.activations.relu import ReLU as ReLU
from keras_fn.layers.activations.softmax import Softmax as Softmax
from keras_fn.layers.attention.additive_attention import AdditiveAttention as AdditiveAttention
from keras_fn.layers.attention.attention import Attention as Attention
from keras_fn.layers.attention.grouped_query_attention import (
    GroupedQueryAttention as _GroupedQueryAttention,
)
from keras_fn.layers.attention.multi_head_attention import MultiHeadAttention as MultiHeadAttention
from keras_fn.layers.convolutional.conv import Conv1D as Conv1D, Conv2D as Conv2D, Conv3D as Conv3D
from keras_fn.layers.convolutional.conv_transpose import (
    Conv1DTranspose as Conv1DTranspose,
    Conv2DTranspose as Conv2DTranspose,
    Conv3DTranspose as Conv3DTranspose,
)
from keras_fn.layers.convolutional.depthwise_conv import (
    DepthwiseConv1D as DepthwiseConv1D,
    DepthwiseConv2D as DepthwiseConv2D,
)
from keras_fn.layers.convolutional.separable_conv import (
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
from keras_fn.layers.merging.add import Add as Add, add as add
from keras_fn.layers.merging.average import Average as Average, average as average
from keras_fn.layers.merging.concatenate import (
    Concatenate as Concatenate,
    concatenate as concatenate,
)
from keras_fn.layers.merging.dot import Dot as Dot, dot as dot
from keras_fn.layers.merging.maximum import Maximum as Maximum, maximum as maximum
from keras_fn.layers.merging.minimum import Minimum as Minimum, minimum as minimum
from keras_fn.layers.merging.multiply import Multiply as Multiply, multiply as multiply
from keras_fn.layers.merging.subtract import Subtract as Subtract, subtract as subtract
from keras_fn.layers.normalization.batch_normalization import (
    BatchNormalization as BatchNormalization,
)
from keras_fn.layers.normalization.group_normalization import (
    GroupNormalization as GroupNormalization,
)
from keras_fn.layers.normalization.layer_normalization import (
    LayerNormalization as LayerNormalization,
)
from keras_fn.layers.normalization.rms_normalization import RMSNormalization as RMSNormalization
from keras_fn.layers.normalization.spectral_normalization import (
    SpectralNormalization as SpectralNormalization,
)
from keras_fn.layers.normalization.unit_normalization import UnitNormalization as UnitNormalization
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
from keras_fn.layers.pooling.average_pooling import (
    AveragePooling1D as AveragePooling1D,
    AveragePooling2D as AveragePooling2D,
    AveragePooling3D as AveragePooling3D,
)
from keras_fn.layers.pooling.global_average_pooling import (
    GlobalAveragePooling1D as GlobalAveragePooling1D,
    GlobalAveragePooling2D as GlobalAveragePooling2D,
    GlobalAveragePooling3D as GlobalAveragePooling3D,
)
from keras_fn.layers.pooling.global_max_pooling import (
    GlobalMaxPooling1D as GlobalMaxPooling1D,
    GlobalMaxPooling2D as GlobalMaxPooling2D,
    GlobalMaxPooling3D as GlobalMaxPooling3D,
)
from keras_fn.layers.pooling.max_pooling import (
    MaxPooling1D as MaxPooling1D,
    MaxPooling2D as MaxPooling2D,
    MaxPooling3D as MaxPooling3D,
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
from keras_fn.layers.regularization.activity_regularization import (
    ActivityRegularization as ActivityRegularization,
)
from keras_fn.layers.regularization.alpha_dropout import AlphaDropout as AlphaDropout
from keras_fn.layers.regularization.dropout import Dropout as Dropout
from keras_fn.layers.regularization.gaussian_dropout import GaussianDropout as GaussianDropout
from keras_fn.layers.regularization.gaussian_noise import GaussianNoise as GaussianNoise
from keras_fn.layers.regularization.spatial_dropout import (
    SpatialDropout1D as SpatialDropout1D,
    SpatialDropout2D as SpatialDropout2D,
    SpatialDropout3D as SpatialDropout3D,
)
from keras_fn.layers.reshaping.cropping import (
    Cropping1D as Cropping1D,
    Cropping2D as Cropping2D,
    Cropping3D as Cropping3D,
)
from keras_fn.layers.reshaping.flatten import Flatten as Flatten
from keras_fn.layers.reshaping.permute import Permute as Permute
from keras_fn.layers.reshaping.repeat_vector import RepeatVector as RepeatVector
from keras_fn.layers.reshaping.reshape import Reshape as Reshape
from keras_fn.layers.reshaping.up_sampling import (
    UpSampling1D as UpSampling1D,
    UpSampling2D as UpSampling2D,
    UpSampling3D as UpSampling3D,
)
from keras_fn.layers.reshaping.zero_padding import (
    ZeroPadding1D as ZeroPadding1D,
    ZeroPadding2D as ZeroPadding2D,
    ZeroPadding3D as ZeroPadding3D,
)
from keras_fn.layers.rnn.bidirectional import Bidirectional as Bidirectional
from keras_fn.layers.rnn.conv_lstm import (
    ConvLSTM1D as ConvLSTM1D,
    ConvLSTM2D as ConvLSTM2D,
    ConvLSTM3D as ConvLSTM3D,
)
from keras_fn.layers.rnn.gru import GRU as GRU, GRUCell as GRUCell
from keras_fn.layers.rnn.lstm import LSTM as LSTM, LSTMCell as LSTMCell
from keras_fn.layers.rnn.rnn import RNN as RNN
from keras_fn.layers.rnn.simple_rnn import SimpleRNN as SimpleRNN, SimpleRNNCell as SimpleRNNCell
from keras_fn.layers.rnn.stacked_rnn_cells import StackedRNNCells as StackedRNNCells
from keras_fn.layers.rnn.time_distributed import TimeDistributed as TimeDistributed

# Other names of the same layers.
AvgPool1D = AveragePooling1D
AvgPool2D = AveragePooling2D
AvgPool3D = AveragePooling3D
Convolution1D = Conv1D
Convolution1DTranspose = Conv1DTranspose
Convolution2D = Conv2D
Convolution2DTranspose = Conv2DTranspose
Convolution3D = Conv3D
Convolution3DTranspose = Conv3DTranspose
GlobalAvgPool1D = GlobalAveragePooling1D
GlobalAvgPool2D = GlobalAveragePooling2D
GlobalAvgPool3D = GlobalAveragePooling3D
GlobalMaxPool1D = GlobalMaxPooling1D
GlobalMaxPool2D = GlobalMaxPooling2D
GlobalMaxPool3D = GlobalMaxPooling3D
GroupQueryAttention = _GroupedQueryAttention
MaxPool1D = MaxPooling1D
MaxPool2D = MaxPooling2D
MaxPool3D = MaxPooling3D
SeparableConvolution1D = SeparableConv1D
SeparableConvolution2D = SeparableConv2D

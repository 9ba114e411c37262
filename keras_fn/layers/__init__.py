"""Floor 4: the layers. `keras_fn.layers` is the public namespace."""

from keras_fn.core.input_spec import InputSpec as InputSpec
from keras_fn.core.registry import register
from keras_fn.layers.activations import ELU as ELU
from keras_fn.layers.activations import LeakyReLU as LeakyReLU
from keras_fn.layers.activations import PReLU as PReLU
from keras_fn.layers.activations import ReLU as ReLU
from keras_fn.layers.activations import Softmax as Softmax
from keras_fn.layers.convolutional import Conv1D as Conv1D
from keras_fn.layers.convolutional import Conv1DTranspose as Conv1DTranspose
from keras_fn.layers.convolutional import Conv2D as Conv2D
from keras_fn.layers.convolutional import Conv2DTranspose as Conv2DTranspose
from keras_fn.layers.convolutional import Conv3D as Conv3D
from keras_fn.layers.convolutional import Conv3DTranspose as Conv3DTranspose
from keras_fn.layers.convolutional import DepthwiseConv1D as DepthwiseConv1D
from keras_fn.layers.convolutional import DepthwiseConv2D as DepthwiseConv2D
from keras_fn.layers.convolutional import SeparableConv1D as SeparableConv1D
from keras_fn.layers.convolutional import SeparableConv2D as SeparableConv2D
from keras_fn.layers.core.activation import Activation as Activation
from keras_fn.layers.core.dense import Dense as Dense
from keras_fn.layers.core.embedding import Embedding as Embedding
from keras_fn.layers.core.identity import Identity as Identity
from keras_fn.layers.core.input_layer import Input as Input
from keras_fn.layers.core.input_layer import InputLayer as InputLayer
from keras_fn.layers.core.lambda_layer import Lambda as Lambda
from keras_fn.layers.core.masking import Masking as Masking
from keras_fn.layers.core.wrapper import Wrapper as Wrapper
from keras_fn.layers.layer import Layer as Layer
from keras_fn.layers.merging import Add as Add
from keras_fn.layers.merging import Average as Average
from keras_fn.layers.merging import Concatenate as Concatenate
from keras_fn.layers.merging import Dot as Dot
from keras_fn.layers.merging import Maximum as Maximum
from keras_fn.layers.merging import Minimum as Minimum
from keras_fn.layers.merging import Multiply as Multiply
from keras_fn.layers.merging import Subtract as Subtract
from keras_fn.layers.merging import add as add
from keras_fn.layers.merging import average as average
from keras_fn.layers.merging import concatenate as concatenate
from keras_fn.layers.merging import dot as dot
from keras_fn.layers.merging import maximum as maximum
from keras_fn.layers.merging import minimum as minimum
from keras_fn.layers.merging import multiply as multiply
from keras_fn.layers.merging import subtract as subtract
from keras_fn.layers.normalization import BatchNormalization as BatchNormalization
from keras_fn.layers.normalization import GroupNormalization as GroupNormalization
from keras_fn.layers.normalization import LayerNormalization as LayerNormalization
from keras_fn.layers.normalization import RMSNormalization as RMSNormalization
from keras_fn.layers.normalization import UnitNormalization as UnitNormalization
from keras_fn.layers.pooling import AveragePooling1D as AveragePooling1D
from keras_fn.layers.pooling import AveragePooling2D as AveragePooling2D
from keras_fn.layers.pooling import AveragePooling3D as AveragePooling3D
from keras_fn.layers.pooling import GlobalAveragePooling1D as GlobalAveragePooling1D
from keras_fn.layers.pooling import GlobalAveragePooling2D as GlobalAveragePooling2D
from keras_fn.layers.pooling import GlobalAveragePooling3D as GlobalAveragePooling3D
from keras_fn.layers.pooling import GlobalMaxPooling1D as GlobalMaxPooling1D
from keras_fn.layers.pooling import GlobalMaxPooling2D as GlobalMaxPooling2D
from keras_fn.layers.pooling import GlobalMaxPooling3D as GlobalMaxPooling3D
from keras_fn.layers.pooling import MaxPooling1D as MaxPooling1D
from keras_fn.layers.pooling import MaxPooling2D as MaxPooling2D
from keras_fn.layers.pooling import MaxPooling3D as MaxPooling3D
from keras_fn.layers.preprocessing import Rescaling as Rescaling
from keras_fn.layers.regularization import ActivityRegularization as ActivityRegularization
from keras_fn.layers.regularization import AlphaDropout as AlphaDropout
from keras_fn.layers.regularization import Dropout as Dropout
from keras_fn.layers.regularization import GaussianDropout as GaussianDropout
from keras_fn.layers.regularization import GaussianNoise as GaussianNoise
from keras_fn.layers.regularization import SpatialDropout1D as SpatialDropout1D
from keras_fn.layers.regularization import SpatialDropout2D as SpatialDropout2D
from keras_fn.layers.regularization import SpatialDropout3D as SpatialDropout3D
from keras_fn.layers.reshaping import Cropping1D as Cropping1D
from keras_fn.layers.reshaping import Cropping2D as Cropping2D
from keras_fn.layers.reshaping import Cropping3D as Cropping3D
from keras_fn.layers.reshaping import Flatten as Flatten
from keras_fn.layers.reshaping import Permute as Permute
from keras_fn.layers.reshaping import RepeatVector as RepeatVector
from keras_fn.layers.reshaping import Reshape as Reshape
from keras_fn.layers.reshaping import UpSampling1D as UpSampling1D
from keras_fn.layers.reshaping import UpSampling2D as UpSampling2D
from keras_fn.layers.reshaping import UpSampling3D as UpSampling3D
from keras_fn.layers.reshaping import ZeroPadding1D as ZeroPadding1D
from keras_fn.layers.reshaping import ZeroPadding2D as ZeroPadding2D
from keras_fn.layers.reshaping import ZeroPadding3D as ZeroPadding3D
from keras_fn.layers.rnn import GRU as GRU
from keras_fn.layers.rnn import LSTM as LSTM
from keras_fn.layers.rnn import RNN as RNN
from keras_fn.layers.rnn import Bidirectional as Bidirectional
from keras_fn.layers.rnn import GRUCell as GRUCell
from keras_fn.layers.rnn import LSTMCell as LSTMCell
from keras_fn.layers.rnn import SimpleRNN as SimpleRNN
from keras_fn.layers.rnn import SimpleRNNCell as SimpleRNNCell
from keras_fn.layers.rnn import StackedRNNCells as StackedRNNCells
from keras_fn.layers.rnn import TimeDistributed as TimeDistributed

register("layer", "keras.layers", [Layer, Dense, InputLayer])

register(
    "layer",
    "keras.layers",
    (
        Conv1D,
        Conv2D,
        Conv3D,
        Conv1DTranspose,
        Conv2DTranspose,
        Conv3DTranspose,
        DepthwiseConv1D,
        DepthwiseConv2D,
        SeparableConv1D,
        SeparableConv2D,
        MaxPooling1D,
        MaxPooling2D,
        MaxPooling3D,
        AveragePooling1D,
        AveragePooling2D,
        AveragePooling3D,
        GlobalMaxPooling1D,
        GlobalMaxPooling2D,
        GlobalMaxPooling3D,
        GlobalAveragePooling1D,
        GlobalAveragePooling2D,
        GlobalAveragePooling3D,
        Reshape,
        Flatten,
        Permute,
        RepeatVector,
        ZeroPadding1D,
        ZeroPadding2D,
        ZeroPadding3D,
        Cropping1D,
        Cropping2D,
        Cropping3D,
        UpSampling1D,
        UpSampling2D,
        UpSampling3D,
        Dropout,
        SpatialDropout1D,
        SpatialDropout2D,
        SpatialDropout3D,
        AlphaDropout,
        GaussianNoise,
        GaussianDropout,
        ActivityRegularization,
        BatchNormalization,
        LayerNormalization,
        RMSNormalization,
        UnitNormalization,
        GroupNormalization,
        Add,
        Subtract,
        Multiply,
        Average,
        Maximum,
        Minimum,
        Concatenate,
        Dot,
        ReLU,
        LeakyReLU,
        ELU,
        Softmax,
        PReLU,
        Rescaling,
        Activation,
        Identity,
        Embedding,
        Lambda,
        Masking,
        Bidirectional,
        GRU,
        GRUCell,
        LSTM,
        LSTMCell,
        RNN,
        SimpleRNN,
        SimpleRNNCell,
        StackedRNNCells,
        TimeDistributed,
        Wrapper,
    ),
)

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
register("layer", "keras.layers", (), **_OTHER_NAMES)

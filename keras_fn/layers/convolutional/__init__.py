"""Convolution layers: plain, transposed, depthwise and separable."""

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

"""Activations with arguments, as layers."""

from keras_fn.layers.activations.activations import ELU as ELU
from keras_fn.layers.activations.activations import LeakyReLU as LeakyReLU
from keras_fn.layers.activations.activations import ReLU as ReLU
from keras_fn.layers.activations.activations import Softmax as Softmax
from keras_fn.layers.activations.prelu import PReLU as PReLU

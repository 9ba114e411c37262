"""Activation layers with arguments."""

from keras_fn.layers.activations.elu import ELU as ELU
from keras_fn.layers.activations.leaky_relu import LeakyReLU as LeakyReLU
from keras_fn.layers.activations.prelu import PReLU as PReLU
from keras_fn.layers.activations.relu import ReLU as ReLU
from keras_fn.layers.activations.softmax import Softmax as Softmax

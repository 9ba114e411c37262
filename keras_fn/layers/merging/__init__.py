"""Merging layers: several tensors to one."""

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

"""Layers that make one tensor of several."""

from keras_fn.layers.merging.add import Add as Add
from keras_fn.layers.merging.add import add as add
from keras_fn.layers.merging.average import Average as Average
from keras_fn.layers.merging.average import average as average
from keras_fn.layers.merging.concatenate import Concatenate as Concatenate
from keras_fn.layers.merging.concatenate import concatenate as concatenate
from keras_fn.layers.merging.dot import Dot as Dot
from keras_fn.layers.merging.dot import dot as dot
from keras_fn.layers.merging.maximum import Maximum as Maximum
from keras_fn.layers.merging.maximum import maximum as maximum
from keras_fn.layers.merging.minimum import Minimum as Minimum
from keras_fn.layers.merging.minimum import minimum as minimum
from keras_fn.layers.merging.multiply import Multiply as Multiply
from keras_fn.layers.merging.multiply import multiply as multiply
from keras_fn.layers.merging.subtract import Subtract as Subtract
from keras_fn.layers.merging.subtract import subtract as subtract

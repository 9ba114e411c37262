"""Layers that make one tensor of several."""

from keras_fn.layers.merging.concatenate import Concatenate as Concatenate
from keras_fn.layers.merging.concatenate import Dot as Dot
from keras_fn.layers.merging.functions import add as add
from keras_fn.layers.merging.functions import average as average
from keras_fn.layers.merging.functions import concatenate as concatenate
from keras_fn.layers.merging.functions import dot as dot
from keras_fn.layers.merging.functions import maximum as maximum
from keras_fn.layers.merging.functions import minimum as minimum
from keras_fn.layers.merging.functions import multiply as multiply
from keras_fn.layers.merging.functions import subtract as subtract
from keras_fn.layers.merging.merge import Add as Add
from keras_fn.layers.merging.merge import Average as Average
from keras_fn.layers.merging.merge import Maximum as Maximum
from keras_fn.layers.merging.merge import Minimum as Minimum
from keras_fn.layers.merging.merge import Multiply as Multiply
from keras_fn.layers.merging.merge import Subtract as Subtract

"""Floor 4: the layers. `keras_fn.layers` is the public namespace."""

from keras_fn.core.input_spec import InputSpec as InputSpec
from keras_fn.core.registry import register
from keras_fn.layers.core.dense import Dense as Dense
from keras_fn.layers.core.input_layer import Input as Input
from keras_fn.layers.core.input_layer import InputLayer as InputLayer
from keras_fn.layers.layer import Layer as Layer

register("layer", "keras.layers", [Layer, Dense, InputLayer])

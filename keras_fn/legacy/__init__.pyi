"""The public names of `keras.legacy`."""

from keras_fn.legacy import saving as saving

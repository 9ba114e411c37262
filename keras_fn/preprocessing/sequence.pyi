"""The public names of `keras.preprocessing.sequence`."""

from keras_fn.utils.sequence_utils import pad_sequences as pad_sequences

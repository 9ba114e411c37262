"""The public names of `keras.legacy.saving`."""

from keras_fn.saving.legacy.legacy_serialization import (
    deserialize_keras_object as deserialize_keras_object,
    serialize_keras_object as serialize_keras_object,
)

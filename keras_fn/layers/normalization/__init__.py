"""Normalization layers."""

from keras_fn.layers.normalization.batch_normalization import (
    BatchNormalization as BatchNormalization,
)
from keras_fn.layers.normalization.group_normalization import (
    GroupNormalization as GroupNormalization,
)
from keras_fn.layers.normalization.layer_normalization import (
    LayerNormalization as LayerNormalization,
)
from keras_fn.layers.normalization.rms_normalization import RMSNormalization as RMSNormalization
from keras_fn.layers.normalization.unit_normalization import UnitNormalization as UnitNormalization

"""Mixed precision: the public namespace `keras.mixed_precision`, with the names of Keras 2."""

from keras_fn.config import (
    dtype_policy as dtype_policy,
    dtype_policy as global_policy,
    set_dtype_policy as set_dtype_policy,
    set_dtype_policy as set_global_policy,
)
from keras_fn.dtype_policies import DTypePolicy as DTypePolicy, DTypePolicy as Policy
from keras_fn.optimizers import LossScaleOptimizer as LossScaleOptimizer

"""The public names of `keras.debugging`."""

from keras_fn.debugging.nan_debugging import (
    NonFinite as NonFinite,
    TensorStats as TensorStats,
    find_non_finite as find_non_finite,
)
from keras_fn.debugging.profiling import (
    LayerTime as LayerTime,
    StepProfile as StepProfile,
    profile_step as profile_step,
)
from keras_fn.debugging.tuning import (
    LearningRateFinderResult as LearningRateFinderResult,
    fast_dev_run as fast_dev_run,
    find_batch_size as find_batch_size,
    find_learning_rate as find_learning_rate,
)

"""Tools to debug, profile and tune a training run: the namespace `keras.debugging`."""

from typing import TYPE_CHECKING

from keras_fn._lazy import attach

if TYPE_CHECKING:
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

_EXPORTS = {
    "LayerTime": "keras_fn.debugging.profiling",
    "LearningRateFinderResult": "keras_fn.debugging.tuning",
    "NonFinite": "keras_fn.debugging.nan_debugging",
    "StepProfile": "keras_fn.debugging.profiling",
    "TensorStats": "keras_fn.debugging.nan_debugging",
    "fast_dev_run": "keras_fn.debugging.tuning",
    "find_batch_size": "keras_fn.debugging.tuning",
    "find_learning_rate": "keras_fn.debugging.tuning",
    "find_non_finite": "keras_fn.debugging.nan_debugging",
    "profile_step": "keras_fn.debugging.profiling",
}

__getattr__, __dir__, __all__ = attach(__name__, _EXPORTS)

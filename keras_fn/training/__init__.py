"""Floor 5: fit, evaluate and predict, and what they are made of; tools for one's own training."""

from typing import TYPE_CHECKING

from keras_fn._lazy import attach

if TYPE_CHECKING:
    from keras_fn.training.non_finite import NonFinite as NonFinite
    from keras_fn.training.non_finite import TensorStats as TensorStats
    from keras_fn.training.non_finite import find_non_finite as find_non_finite
    from keras_fn.training.profiling import LayerTime as LayerTime
    from keras_fn.training.profiling import StepProfile as StepProfile
    from keras_fn.training.profiling import profile_step as profile_step
    from keras_fn.training.trials import LearningRateTest as LearningRateTest
    from keras_fn.training.trials import dry_run as dry_run
    from keras_fn.training.trials import find_batch_size as find_batch_size
    from keras_fn.training.trials import find_learning_rate as find_learning_rate

_HOMES = {
    "LayerTime": "keras_fn.training.profiling",
    "LearningRateTest": "keras_fn.training.trials",
    "NonFinite": "keras_fn.training.non_finite",
    "StepProfile": "keras_fn.training.profiling",
    "TensorStats": "keras_fn.training.non_finite",
    "dry_run": "keras_fn.training.trials",
    "find_batch_size": "keras_fn.training.trials",
    "find_learning_rate": "keras_fn.training.trials",
    "find_non_finite": "keras_fn.training.non_finite",
    "profile_step": "keras_fn.training.profiling",
}

__getattr__, __dir__, __all__ = attach(__name__, _HOMES)

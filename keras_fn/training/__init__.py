"""Floor 5: fit, evaluate and predict, and what they are made of; tools for one's own training."""

from typing import TYPE_CHECKING

from keras_fn._lazy import attach

if TYPE_CHECKING:
    from keras_fn.training.trials import LearningRateTest as LearningRateTest
    from keras_fn.training.trials import dry_run as dry_run
    from keras_fn.training.trials import find_batch_size as find_batch_size
    from keras_fn.training.trials import find_learning_rate as find_learning_rate

_HOMES = {
    "LearningRateTest": "keras_fn.training.trials",
    "dry_run": "keras_fn.training.trials",
    "find_batch_size": "keras_fn.training.trials",
    "find_learning_rate": "keras_fn.training.trials",
}

__getattr__, __dir__, __all__ = attach(__name__, _HOMES)

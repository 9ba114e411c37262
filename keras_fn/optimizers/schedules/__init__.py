"""Learning rate schedules: the public namespace `optimizers.schedules`."""

from keras_fn.core.object_lookup import ObjectLookup
from keras_fn.core.registry import register
from keras_fn.optimizers.schedules.cosine import (
    CosineDecay as CosineDecay,
    CosineDecayRestarts as CosineDecayRestarts,
)
from keras_fn.optimizers.schedules.decays import (
    ExponentialDecay as ExponentialDecay,
    InverseTimeDecay as InverseTimeDecay,
    PiecewiseConstantDecay as PiecewiseConstantDecay,
    PolynomialDecay as PolynomialDecay,
)
from keras_fn.optimizers.schedules.schedule import LearningRateSchedule as LearningRateSchedule

register(
    "schedule",
    "keras.optimizers.schedules",
    (
        CosineDecay,
        CosineDecayRestarts,
        ExponentialDecay,
        InverseTimeDecay,
        PiecewiseConstantDecay,
        PolynomialDecay,
    ),
)


serialize, deserialize, _ = ObjectLookup[LearningRateSchedule, LearningRateSchedule](
    "schedule"
).functions(
    __name__,
    examples=(
        """>>> schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)
>>> keras.optimizers.schedules.serialize(schedule)["class_name"]
'ExponentialDecay'""",
        """>>> schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)
>>> config = keras.optimizers.schedules.serialize(schedule)
>>> keras.optimizers.schedules.deserialize(config).decay_steps
10""",
        "",
    ),
    object_parameter="learning_rate_schedule",
)
__test__ = {"serialize": serialize, "deserialize": deserialize}  # doctests

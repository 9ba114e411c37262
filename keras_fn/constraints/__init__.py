"""Weight constraints: the public namespace `keras.constraints`."""

from keras_fn.constraints.constraints import (
    Constraint as Constraint,
    MaxNorm as MaxNorm,
    MinMaxNorm as MinMaxNorm,
    NonNeg as NonNeg,
    UnitNorm as UnitNorm,
)
from keras_fn.core.object_lookup import ObjectLookup
from keras_fn.core.registry import register
from keras_fn.types import ConstraintLike

max_norm, min_max_norm, non_neg, unit_norm = MaxNorm, MinMaxNorm, NonNeg, UnitNorm

register("constraint", "keras.constraints", [Constraint])
register(
    "constraint",
    "keras.constraints",
    (MaxNorm, MinMaxNorm, NonNeg, UnitNorm),
    max_norm=MaxNorm,
    min_max_norm=MinMaxNorm,
    non_neg=NonNeg,
    unit_norm=UnitNorm,
)


serialize, deserialize, get = ObjectLookup[ConstraintLike, Constraint](
    "constraint",
    accepts="A name, a config, a constraint or its class, a function of a weight, or None.",
).functions(
    __name__,
    examples=(
        """>>> keras.constraints.serialize(keras.constraints.NonNeg())["class_name"]
'NonNeg'""",
        """>>> keras.constraints.deserialize("unit_norm").get_config()
{'axis': 0}""",
        """>>> keras.constraints.get("unit_norm").get_config()
{'axis': 0}""",
    ),
)
__test__ = {"serialize": serialize, "deserialize": deserialize, "get": get}  # doctests

"""Weight regularizers: the public namespace `keras.regularizers`."""

from keras_fn.core.object_lookup import ObjectLookup
from keras_fn.core.registry import register
from keras_fn.regularizers.regularizers import (
    L1 as L1,
    L1L2 as L1L2,
    L2 as L2,
    OrthogonalRegularizer as OrthogonalRegularizer,
    Regularizer as Regularizer,
)
from keras_fn.types import RegularizerLike

l1, l2, l1_l2 = L1, L2, L1L2
orthogonal_regularizer = OrthogonalRegularizer

register("regularizer", "keras", [Regularizer])
register(
    "regularizer",
    "keras.regularizers",
    (L1, L2, L1L2, OrthogonalRegularizer),
    l1=L1,
    l2=L2,
    l1l2=L1L2,
    l1_l2=L1L2,
    orthogonal_regularizer=OrthogonalRegularizer,
)


serialize, deserialize, get = ObjectLookup[RegularizerLike, Regularizer](
    "regularizer",
    accepts="A name, a config, a regularizer or its class, a function of a weight, or None.",
).functions(
    __name__,
    examples=(
        """>>> keras.regularizers.serialize(keras.regularizers.L2())["class_name"]
'L2'""",
        """>>> keras.regularizers.deserialize("l2").get_config()
{'l2': 0.01}""",
        """>>> keras.regularizers.get("l2").get_config()
{'l2': 0.01}""",
    ),
)
__test__ = {"serialize": serialize, "deserialize": deserialize, "get": get}  # doctests

"""Weight initializers: the public namespace `keras.initializers`."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_fn.backend.loader import current
from keras_fn.core.dtypes import standardize_dtype
from keras_fn.core.naming import to_snake_case
from keras_fn.core.object_lookup import ObjectLookup
from keras_fn.core.registry import register
from keras_fn.errors import SpecError
from keras_fn.initializers.constant import (
    STFT as STFT,
    Constant as Constant,
    Identity as Identity,
    Ones as Ones,
    Zeros as Zeros,
)
from keras_fn.initializers.initializer import Initializer as Initializer
from keras_fn.initializers.random import (
    GlorotNormal as GlorotNormal,
    GlorotUniform as GlorotUniform,
    HeNormal as HeNormal,
    HeUniform as HeUniform,
    LecunNormal as LecunNormal,
    LecunUniform as LecunUniform,
    Orthogonal as Orthogonal,
    RandomNormal as RandomNormal,
    RandomUniform as RandomUniform,
    TruncatedNormal as TruncatedNormal,
    VarianceScaling as VarianceScaling,
)
from keras_fn.types import DTypeLike, InitializerLike, Tensor

IdentityInitializer = identity = Identity
OrthogonalInitializer = orthogonal = Orthogonal
STFTInitializer = stft = STFT
constant, ones, zeros = Constant, Ones, Zeros
glorot_normal, glorot_uniform = GlorotNormal, GlorotUniform
he_normal, he_uniform = HeNormal, HeUniform
lecun_normal, lecun_uniform = LecunNormal, LecunUniform
random_normal, random_uniform = RandomNormal, RandomUniform
truncated_normal, variance_scaling = TruncatedNormal, VarianceScaling

_CLASSES = (
    Constant,
    Identity,
    Ones,
    STFT,
    Zeros,
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
    Orthogonal,
    RandomNormal,
    RandomUniform,
    TruncatedNormal,
    VarianceScaling,
)
register("initializer", "keras", [Initializer])
register(
    "initializer",
    "keras.initializers",
    _CLASSES,
    **{to_snake_case(cls.__name__): cls for cls in _CLASSES},
    IdentityInitializer=Identity,
    OrthogonalInitializer=Orthogonal,
    STFTInitializer=STFT,
    normal=RandomNormal,
    uniform=RandomUniform,
    one=Ones,
    zero=Zeros,
)


class _InitializerLookup(ObjectLookup[InitializerLike, Initializer]):
    """Initializers, and arrays that stand for themselves."""

    def get(self, identifier: Any) -> Any:
        """Returns an initializer for any of the forms that an argument accepts."""
        if not callable(identifier) and _is_array(identifier):
            return _FromArray(identifier)
        return super().get(identifier)


def _is_array(x: Any) -> bool:
    if isinstance(x, (str, dict, type(None))):
        return False
    return isinstance(x, (np.generic, np.ndarray)) or current().is_tensor(x)


class _FromArray:
    """An initializer that returns an existing array."""

    def __init__(self, value: Any):
        self.value = value

    def __call__(self, shape: Sequence[int], dtype: DTypeLike | None = None) -> Tensor:
        if tuple(shape) != tuple(self.value.shape):
            raise SpecError(
                "initializer",
                expected=f"a weight of shape {tuple(self.value.shape)}, the shape of the array",
                received=f"shape {tuple(shape)}",
                fix="pass an array of the weight's shape",
            )
        return current().convert_to_tensor(self.value, standardize_dtype(dtype))


serialize, deserialize, get = _InitializerLookup(
    "initializer",
    "an",
    accepts="A name, a config, an initializer or its class, a function of a shape and a dtype, an\n"
    "        array or tensor (the values themselves), or None.",
).functions(
    __name__,
    examples=(
        """>>> keras.initializers.serialize(keras.initializers.Zeros())["class_name"]
'Zeros'""",
        """>>> keras.initializers.deserialize("glorot_uniform").mode
'fan_avg'""",
        """>>> keras.initializers.get("zeros").get_config()
{}""",
    ),
)
__test__ = {"serialize": serialize, "deserialize": deserialize, "get": get}  # doctests

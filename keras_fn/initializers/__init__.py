"""Initial values of weights."""

from typing import Any

import numpy as np

from keras_fn.backend.loader import current
from keras_fn.core.dtypes import standardize_dtype
from keras_fn.core.naming import to_snake_case
from keras_fn.core.registry import register
from keras_fn.core.serialization import deserialize_as, get_object, serialize_keras_object
from keras_fn.errors import SpecError
from keras_fn.initializers.constant import STFT as STFT
from keras_fn.initializers.constant import Constant as Constant
from keras_fn.initializers.constant import Identity as Identity
from keras_fn.initializers.constant import Ones as Ones
from keras_fn.initializers.constant import Zeros as Zeros
from keras_fn.initializers.initializer import Initializer as Initializer
from keras_fn.initializers.random import GlorotNormal as GlorotNormal
from keras_fn.initializers.random import GlorotUniform as GlorotUniform
from keras_fn.initializers.random import HeNormal as HeNormal
from keras_fn.initializers.random import HeUniform as HeUniform
from keras_fn.initializers.random import LecunNormal as LecunNormal
from keras_fn.initializers.random import LecunUniform as LecunUniform
from keras_fn.initializers.random import Orthogonal as Orthogonal
from keras_fn.initializers.random import RandomNormal as RandomNormal
from keras_fn.initializers.random import RandomUniform as RandomUniform
from keras_fn.initializers.random import TruncatedNormal as TruncatedNormal
from keras_fn.initializers.random import VarianceScaling as VarianceScaling

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


def serialize(initializer: Any) -> Any:
    """Returns the config of an initializer.

    Example:
        >>> keras.initializers.serialize(keras.initializers.Zeros())["class_name"]
        'Zeros'
    """
    return serialize_keras_object(initializer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Returns the initializer that a config or a name stands for.

    Args:
        config: What `serialize` gave, or a name.
        custom_objects: Names of classes and functions of your own.

    Raises:
        ValueError: The name is unknown, or not an initializer's.

    Example:
        >>> keras.initializers.deserialize("glorot_uniform").mode
        'fan_avg'
    """
    return deserialize_as("initializer", config, custom_objects)


def get(identifier: Any) -> Any:
    """Returns an initializer for whatever stands for one.

    Args:
        identifier: A name, a config, an initializer or a class of one, a function of a shape and
            a dtype, an array or tensor (the values themselves), or None.

    Returns:
        A callable; None for None.

    Raises:
        ValueError: It stands for none.

    Example:
        >>> keras.initializers.get("zeros").get_config()
        {}
    """
    if not callable(identifier) and _is_array(identifier):
        return _Given(identifier)
    return get_object("initializer", identifier)


def _is_array(x: Any) -> bool:
    if isinstance(x, (str, dict, type(None))):
        return False
    return isinstance(x, (np.generic, np.ndarray)) or current().is_tensor(x)


class _Given:
    """Values that are there already."""

    def __init__(self, value: Any):
        self.value = value

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        if tuple(shape) != tuple(self.value.shape):
            raise SpecError(
                "initializer",
                expected=f"a weight of shape {tuple(self.value.shape)}, that of the values given",
                received=f"shape {tuple(shape)}",
                fix="give values of the weight's shape",
            )
        return current().convert_to_tensor(self.value, standardize_dtype(dtype))

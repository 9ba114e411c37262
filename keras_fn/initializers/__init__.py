"""Weight initializers: the public namespace `keras.initializers`."""

from collections.abc import Callable, Mapping
from typing import Any, overload

from keras_fn.core import namespaces, naming, registry, serialization
from keras_fn.initializers import _array
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
from keras_fn.types import InitializerLike, Tensor

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
registry.register("initializer", "keras", [Initializer])
registry.register(
    "initializer",
    "keras.initializers",
    _CLASSES,
    **{naming.to_snake_case(cls.__name__): cls for cls in _CLASSES},
    IdentityInitializer=Identity,
    OrthogonalInitializer=Orthogonal,
    STFTInitializer=STFT,
    normal=RandomNormal,
    uniform=RandomUniform,
    one=Ones,
    zero=Zeros,
)


@overload
def serialize(initializer: None) -> None: ...
@overload
def serialize(initializer: Initializer | Callable[..., Any]) -> dict[str, Any]: ...
def serialize(initializer: Initializer | Callable[..., Any] | None) -> dict[str, Any] | None:
    """Serializes an initializer to a config, for `deserialize`.

    Args:
        initializer: An initializer, a function with a name, or None.

    Returns:
        The config, a dict of plain values that can be written as JSON; None for None.

    Raises:
        ValueError: It is a lambda, or holds one: a lambda has no name to write.
        TypeError: It is neither a named function nor an object with `get_config()`.

    Example:
        >>> keras.initializers.serialize(keras.initializers.Zeros())["class_name"]
        'Zeros'
    """
    return serialization.serialize_keras_object(initializer)


def deserialize(
    config: str | Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
) -> Initializer:
    """Deserializes an initializer from a config or a name.

    Args:
        config: A config, as `serialize` returns it, or a name.
        custom_objects: Custom classes and functions that the config may use, by name.

    Returns:
        The initializer.

    Raises:
        ValueError: The config is malformed, holds code, or describes another kind of object.
        TypeError: A name is unknown, or the class does not accept the config.

    Example:
        >>> keras.initializers.deserialize("glorot_uniform").mode
        'fan_avg'
    """
    return serialization.deserialize_as("initializer", config, custom_objects)


@overload
def get(identifier: None) -> None: ...
@overload
def get(identifier: InitializerLike | _array.Array) -> Initializer: ...
def get(
    identifier: InitializerLike | _array.Array | None,
) -> Initializer | Callable[..., Tensor] | None:
    """Returns an initializer for any of the forms in which one can be passed.

    Args:
        identifier: A name, a config, an initializer or its class, a function of a shape and a
            dtype, an array or tensor (the initial values themselves), or None.

    Returns:
        The initializer, as it is if it is an instance or a function; None for None.

    Raises:
        ValueError: `identifier` has none of these forms, or describes another kind of object.
        TypeError: The name is unknown.

    Example:
        >>> keras.initializers.get("zeros").get_config()
        {}
    """
    if _array.is_array(identifier):
        return _array.ArrayInitializer(identifier)
    return serialization.get_object("initializer", identifier)


def __dir__() -> list[str]:
    return namespaces.list_public_names(globals())

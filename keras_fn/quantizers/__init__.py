"""Quantizers and quantization configs: the public namespace `keras.quantizers`."""

from collections.abc import Callable, Mapping
from typing import Any, overload

from keras_fn.core import namespaces, naming, registry, serialization
from keras_fn.errors import unexpected_arguments as _unexpected_arguments
from keras_fn.quantizers.abs_max import (
    abs_max_quantize as abs_max_quantize,
    abs_max_quantize_grouped_with_zero_point as abs_max_quantize_grouped_with_zero_point,
)
from keras_fn.quantizers.awq_config import AWQConfig as AWQConfig
from keras_fn.quantizers.fake_quantization import (
    fake_quant_with_min_max_vars as fake_quant_with_min_max_vars,
)
from keras_fn.quantizers.float8 import (
    compute_float8_amax_history as compute_float8_amax_history,
    compute_float8_scale as compute_float8_scale,
    quantize_and_dequantize as quantize_and_dequantize,
)
from keras_fn.quantizers.gptq_config import GPTQConfig as GPTQConfig
from keras_fn.quantizers.int4 import pack_int4 as pack_int4, unpack_int4 as unpack_int4
from keras_fn.quantizers.quantization_config import (
    Float8QuantizationConfig as Float8QuantizationConfig,
    Int4QuantizationConfig as Int4QuantizationConfig,
    Int8QuantizationConfig as Int8QuantizationConfig,
    QuantizationConfig as QuantizationConfig,
)
from keras_fn.quantizers.quantizer import AbsMaxQuantizer as AbsMaxQuantizer, Quantizer as Quantizer

_CLASSES = (
    Quantizer,
    AbsMaxQuantizer,
    QuantizationConfig,
    Int8QuantizationConfig,
    Int4QuantizationConfig,
    Float8QuantizationConfig,
    GPTQConfig,
    AWQConfig,
)
registry.register("quantizer", "keras", [Quantizer])
registry.register(
    "quantizer",
    "keras.quantizers",
    _CLASSES,
    **{naming.to_snake_case(cls.__name__): cls for cls in _CLASSES},
)


@overload
def serialize(initializer: None) -> None: ...
@overload
def serialize(
    initializer: Quantizer | QuantizationConfig | Callable[..., Any],
) -> dict[str, Any]: ...
def serialize(
    initializer: Quantizer | QuantizationConfig | Callable[..., Any] | None,
) -> dict[str, Any] | None:
    """Serializes a quantizer or quantization config to a config, for `deserialize`.

    Args:
        initializer: A quantizer, a quantization config, a function with a name, or None.

    Returns:
        The config, a dict of plain values that can be written as JSON; None for None.

    Raises:
        ValueError: It is a lambda, or holds one: a lambda has no name to write.
        TypeError: It is neither a named function nor an object with `get_config()`.

    Example:
        >>> keras.quantizers.serialize(keras.quantizers.Int4QuantizationConfig())["class_name"]
        'Int4QuantizationConfig'
    """
    return serialization.serialize_keras_object(initializer)


def deserialize(
    config: str | Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
) -> Quantizer | QuantizationConfig:
    """Deserializes a quantizer or quantization config from a config or a name.

    Args:
        config: A config, as `serialize` returns it, or a name.
        custom_objects: Custom classes and functions that the config may use, by name.

    Returns:
        The quantizer or quantization config.

    Raises:
        ValueError: The config is malformed, holds code, or describes another kind of object.
        TypeError: A name is unknown, or the class does not accept the config.

    Example:
        >>> keras.quantizers.deserialize("abs_max_quantizer").value_range
        (-127, 127)
    """
    return serialization.deserialize_as("quantizer", config, custom_objects)


@overload
def get(identifier: None) -> None: ...
@overload
def get(
    identifier: str | Mapping[str, Any] | Callable[..., Any], **kwargs: Any
) -> Callable[..., Any]: ...
def get(
    identifier: str | Mapping[str, Any] | Callable[..., Any] | None, **kwargs: Any
) -> Callable[..., Any] | None:
    """Returns a quantizer for any of the forms in which one can be passed.

    Args:
        identifier: A name, a config, a quantizer or its class, a function of a tensor, or None.
        **kwargs: Arguments of the constructor, for a name or a class.

    Returns:
        The quantizer, as it is if it is an instance or a function; None for None.

    Raises:
        ValueError: `identifier` has none of these forms, or describes another kind of object.
        TypeError: The name is unknown, or the class does not take the arguments.

    Example:
        >>> keras.quantizers.get("abs_max_quantizer", axis=0).axis
        (0,)
    """
    if kwargs and isinstance(identifier, str):
        identifier = registry.lookup(identifier, "quantizer") or identifier
    if kwargs and isinstance(identifier, type):
        return identifier(**kwargs)
    if kwargs:
        raise _unexpected_arguments("quantizers.get", kwargs, ("identifier",))
    return serialization.get_object("quantizer", identifier)


def __dir__() -> list[str]:
    return namespaces.list_public_names(globals())

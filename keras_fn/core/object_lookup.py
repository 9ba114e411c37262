"""`serialize`, `deserialize` and `get` of one kind of objects, for all kinds that have them.

`keras.initializers.get`, `keras.losses.deserialize` and so on are made here, with the names, the
parameters and the docstrings that each public namespace has.
"""

from collections.abc import Callable, Mapping
from types import FunctionType
from typing import Any, Generic, Protocol, TypeVar, cast, overload

from keras_fn.core.serialization import deserialize_as, get_object, serialize_keras_object

Object = TypeVar("Object")
Obj_co = TypeVar("Obj_co", covariant=True)
Obj_contra = TypeVar("Obj_contra", contravariant=True)
Identifier_contra = TypeVar("Identifier_contra", contravariant=True)
Identifier = TypeVar("Identifier")

_SERIALIZE = """Returns the config of {an_object}, from which `deserialize` makes an equal one.

Args:
    {object_parameter}: {An_object}.

Returns:
    {config}.

Raises:
    ValueError: It is a Python lambda, or holds one: code is never written.

Example:
{example}
"""

_DESERIALIZE = """Returns {an_object} from its config or its name.

Args:
    {config_parameter}: A config, as `serialize` returns it, or a name.
    custom_objects: Custom classes and functions that the config may name, by their names.

Returns:
    {An_object}.

Raises:
    ValueError: The config is malformed, or names an object of another kind.
    TypeError: The name is unknown.

Example:
{example}
"""

_GET = """Returns {an_object} for any of the forms that an argument accepts.

Args:
    identifier: {accepts}

Returns:
    {returns}

Raises:
    ValueError: `identifier` has none of these forms.
    TypeError: The name is unknown.

Example:
{example}
"""


class Serialize(Protocol[Obj_contra]):
    """The type of `keras.initializers.serialize` and its counterparts for other kinds."""

    def __call__(self, obj: Obj_contra, /) -> Any:
        """Returns the config: plain values, from which `deserialize` makes an equal object."""
        ...


class Deserialize(Protocol[Obj_co]):
    """The type of `keras.initializers.deserialize` and its counterparts for other kinds."""

    def __call__(self, config: Any, /, custom_objects: Mapping[str, Any] | None = None) -> Obj_co:
        """Returns the object for a config or a name, which may be one of `custom_objects`."""
        ...


class Get(Protocol[Identifier_contra, Obj_co]):
    """The type of `keras.initializers.get` and its counterparts for other kinds."""

    @overload
    def __call__(self, identifier: None) -> None: ...
    @overload
    def __call__(self, identifier: Identifier_contra) -> Obj_co: ...
    def __call__(self, identifier: Any) -> Any:
        """Returns the object for a name, a config or the object itself; None for None."""
        ...


class ObjectLookup(Generic[Identifier, Object]):
    """Objects of one kind: to configs and back, and by name.

    A kind with forms of its own overrides `serialize`, `deserialize` or `get`.

    Args:
        kind: The kind in `keras_fn.core.registry`, for example `"initializer"`.
        article: `"a"` or `"an"`.
        accepts: The forms that `get` accepts, as a sentence.
        returns: The result of `get`, as a sentence.
        config: The result of `serialize`, without a period.

    Example:
        >>> from keras_fn.core.object_lookup import ObjectLookup
        >>> serialize, deserialize, get = ObjectLookup("constraint").functions(__name__)
        >>> get("non_neg") == deserialize(serialize(keras.constraints.NonNeg()))
        False
        >>> type(get("non_neg")) is type(deserialize(serialize(keras.constraints.NonNeg())))
        True
    """

    def __init__(
        self,
        kind: str,
        article: str = "a",
        accepts: str = "A name, a config, an object or a class of this kind, a callable, or None.",
        returns: str = "A callable; None for None.",
        config: str = "A dict of plain values",
    ):
        self.kind = kind
        noun = kind.replace("dtype_policy", "dtype policy")
        an_object = f"{article} {noun}"
        self._texts = {
            "an_object": an_object,
            "An_object": an_object[0].upper() + an_object[1:],
            "accepts": accepts,
            "returns": returns,
            "config": config,
        }

    def serialize(self, obj: Any) -> Any:
        """Returns the config of an object."""
        return serialize_keras_object(obj)

    def deserialize(self, config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
        """Returns the object for a config or a name."""
        return deserialize_as(self.kind, config, custom_objects)

    def get(self, identifier: Any) -> Any:
        """Returns the object for any of the forms that an argument accepts."""
        return get_object(self.kind, identifier)

    def functions(
        self,
        module: str,
        examples: tuple[str, str, str] = ("", "", ""),
        object_parameter: str | None = None,
        config_parameter: str = "config",
    ) -> tuple[Serialize[Object], Deserialize[Object], Get[Identifier, Object]]:
        """Makes the public functions.

        Args:
            module: The module that defines them, as `__name__`.
            examples: A doctest for each, without indentation.
            object_parameter: The name of the parameter of `serialize`; by default the kind.
            config_parameter: The name of the first parameter of `deserialize`.

        Returns:
            `serialize`, `deserialize` and `get`.
        """
        object_parameter = object_parameter or self.kind

        def serialize(obj: Any) -> Any:
            return self.serialize(obj)

        def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
            return self.deserialize(config, custom_objects)

        def get(identifier: Any) -> Any:
            return self.get(identifier)

        texts = {
            **self._texts,
            "object_parameter": object_parameter,
            "config_parameter": config_parameter,
        }
        templates = (_SERIALIZE, _DESERIALIZE, _GET)
        for function, text, example in zip(
            (serialize, deserialize, get), templates, examples, strict=True
        ):
            indented = "\n".join(f"    {line}" for line in example.splitlines())
            _publish(function, module, text.format(**texts, example=indented))
        _rename_parameter(serialize, "obj", object_parameter)
        _rename_parameter(deserialize, "config", config_parameter)
        return cast("Any", (serialize, deserialize, get))


def _publish(function: Callable[..., Any], module: str, doc: str) -> None:
    """Lets a function appear as defined in `module`."""
    function.__module__ = module
    function.__qualname__ = function.__name__
    function.__doc__ = doc


def _rename_parameter(function: FunctionType, old: str, new: str) -> None:
    """Renames a parameter: Keras names the first one after the kind."""
    code = function.__code__
    names = tuple(new if name == old else name for name in code.co_varnames)
    function.__code__ = code.replace(co_varnames=names)
    function.__annotations__ = {
        new if name == old else name: kind for name, kind in function.__annotations__.items()
    }

"""Signatures of `call` and `build`, inspected once for each class."""

import inspect
from collections.abc import Callable
from typing import Any, cast

from keras_fn.core import tree
from keras_fn.core.memoize import memoize
from keras_fn.errors import DTypeError, SpecError


class CallSignature:
    """The parameters of a layer's `call`.

    Attributes:
        names: The parameters that are passed by position or name, in order.
        has_training: Whether `training` is among them.
        default_training: Its default.
        mask_arguments: For tensor parameters, the parameter that receives their mask.
    """

    def __init__(self, call: Callable[..., Any]):
        self.signature = inspect.signature(call)
        parameters = list(self.signature.parameters.values())[1:]  # without self
        self.names = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
        keyword_only = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY]
        self.has_variadic = any(p.kind is p.VAR_POSITIONAL for p in parameters)
        self.takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters)
        known = {*self.names, *keyword_only}
        self.has_training = "training" in known
        default = self.signature.parameters["training"].default if self.has_training else None
        self.default_training = default if isinstance(default, bool) else False
        self.mask_arguments = {n: f"{n}_mask" for n in self.names if f"{n}_mask" in known}
        if "mask" in known and self.names:
            self.mask_arguments.setdefault(self.names[0], "mask")
        self._known = known

    def bind(self, layer: Any, args: tuple, kwargs: dict[str, Any]) -> dict[str, Any]:
        """Returns the arguments of a call by name, without defaults."""
        if not args and not (kwargs.keys() - {"training", "mask"}):
            raise SpecError(
                f"{type(layer).__name__} layer {layer.name!r}",
                expected="inputs: KerasTensors, tensors or arrays",
                received="a call without arguments",
                fix=f"call it on a tensor, for example layer({layer.name}_inputs)",
            )
        extra = args[len(self.names) :]
        if extra and not self.has_variadic:
            raise DTypeError(
                f"{type(layer).__name__} layer {layer.name!r}",
                expected=f"at most {len(self.names)} arguments ({', '.join(self.names)})",
                received=f"{len(args)} arguments",
                fix="pass several inputs of one layer as a list: layer([a, b])",
            )
        arguments = dict(zip(self.names, args, strict=False))
        if extra:
            arguments["*"] = extra
        for name, value in kwargs.items():
            if name in arguments:
                raise DTypeError(
                    f"{type(layer).__name__} layer {layer.name!r}",
                    expected=f"one value for the argument {name!r}",
                    received="two: the argument is passed twice, by position and by name",
                    fix="pass it once",
                )
            if name in self._known or self.takes_any:
                arguments[name] = value
            elif name not in ("training", "mask"):  # these reach the layers inside that take them
                raise DTypeError(
                    f"{type(layer).__name__} layer {layer.name!r}",
                    expected=f"arguments of call: {', '.join(self.names)}",
                    received=f"{name}=",
                    fix=f"remove it, or add {name} to the parameters of call",
                )
        return arguments

    def unbind(self, arguments: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        """Returns positional and keyword arguments for `call`."""
        args = []
        kwargs = dict(arguments)
        for name in self.names:
            if name not in kwargs:
                break
            args.append(kwargs.pop(name))
        args += kwargs.pop("*", ())
        return args, kwargs

    @staticmethod
    def drop_none(args: tuple, kwargs: dict[str, Any]) -> tuple[tuple, dict[str, Any]]:
        """Returns the arguments of a call without keywords that are None: a graph keeps none."""
        return args, {k: v for k, v in kwargs.items() if v is not None}


@memoize
def signature_of(cls: type) -> CallSignature:
    """Returns the signature of the class's `call`."""
    return CallSignature(cls.call)


@memoize
def _build_names(build: Callable[..., Any]) -> tuple[list[str], bool]:
    parameters = list(inspect.signature(build).parameters.values())
    named = [p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    names = [p.name for p in named if p.name != "self"]
    return names, any(p.kind is p.VAR_KEYWORD for p in parameters)


def build_arguments(
    layer: Any, arguments: dict[str, Any], function: Callable[..., Any] | None = None
) -> dict[str, Any]:
    """Returns the shapes that `build` takes: of the first argument, or of each by name."""
    function = function or layer.build
    names, _ = _build_names(cast("Callable[..., Any]", getattr(function, "__func__", function)))
    tensors = {
        name: value
        for name, value in arguments.items()
        if any(hasattr(x, "shape") for x in tree.flatten(value)) and not name.endswith("mask")
    }
    if not tensors:
        return {}
    by_name = [n for n in names if n.removesuffix("_shape") in tensors and n.endswith("_shape")]
    if by_name and (len(names) > 1 or by_name == names):
        return {n: shape_of(tensors[n.removesuffix("_shape")]) for n in by_name}
    return {names[0]: shape_of(next(iter(tensors.values())))} if names else {}


def shape_of(value: Any) -> Any:
    """Returns the shapes of nested tensors, nested like them."""
    if isinstance(value, dict):
        return {key: shape_of(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [shape_of(item) for item in value]
    return tuple(value.shape) if hasattr(value, "shape") else None

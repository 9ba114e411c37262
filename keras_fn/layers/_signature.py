"""Signatures of `call` and `build`, inspected once for each class."""

import inspect
from collections.abc import Callable
from typing import Any, TypeVar, cast

from keras_fn.core import tree
from keras_fn.core.memoize import memoize
from keras_fn.core.registry import is_builtin
from keras_fn.errors import DTypeError, SpecError

Method = TypeVar("Method", bound=Callable[..., Any])


def ignores_training(call: Callable[..., Any]) -> Callable[..., Any]:
    """Marks a `call` that takes `training` for subclasses that pass it on, and does not use it."""
    call.ignores_training = True  # type: ignore[attr-defined]
    return call


def follows_call(method: Method) -> Method:
    """Marks a built-in `compute_output_shape` or `compute_output_spec` that says what `call` does.

    Symbolic calls run `call`, which also checks the arguments.
    """
    method.follows_call = True  # type: ignore[attr-defined]
    return method


class CallSignature:
    """The parameters of a layer's `call`.

    Attributes:
        names: The parameters that are passed by position or name, in order.
        has_training: Whether `training` is among them, and makes a difference.
        default_training: Its default.
        mask_arguments: For tensor parameters, the parameter that receives their mask.
    """

    def __init__(self, call: Callable[..., Any]):
        # The signature itself is not kept: annotations can be objects that do not pickle.
        signature = inspect.signature(call).parameters
        parameters = list(signature.values())[1:]  # without self
        self.names = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
        keyword_only = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY]
        self.has_variadic = any(p.kind is p.VAR_POSITIONAL for p in parameters)
        self.takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters)
        known = {*self.names, *keyword_only}
        self.has_training = "training" in known and not hasattr(call, "ignores_training")
        default = signature["training"].default if self.has_training else None
        self.default_training = default if isinstance(default, bool) else False
        self.mask_arguments = {n: f"{n}_mask" for n in self.names if f"{n}_mask" in known}
        if "mask" in known and self.names:
            self.mask_arguments.setdefault(self.names[0], "mask")
        self._known = known

    def takes(self, name: str) -> bool:
        """Returns whether `call` has a parameter of this name, or takes any keyword."""
        return name in self._known or self.takes_any

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

    def unbind(
        self, arguments: dict[str, Any], by_name: tuple[str, ...] = ()
    ) -> tuple[list[Any], dict[str, Any]]:
        """Returns positional and keyword arguments for `call`.

        Args:
            arguments: The arguments by name.
            by_name: Names of arguments that are not passed by position.
        """
        args = []
        kwargs = dict(arguments)
        for name in self.names:
            if name not in kwargs or name in by_name:
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
def _parameters(function: Callable[..., Any]) -> tuple[list[inspect.Parameter], bool]:
    """The named parameters of a method without `self`, and whether it takes any keyword."""
    parameters = list(inspect.signature(function).parameters.values())[1:]
    named = [p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    return named, any(p.kind is p.VAR_KEYWORD for p in parameters)


def drop_unknown_options(method: Callable[..., Any], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Returns keyword arguments without `training` and `mask` where an override lacks them."""
    named, takes_any = _parameters(cast("Callable[..., Any]", getattr(method, "__func__", method)))
    known = {p.name for p in named}
    return {
        name: value
        for name, value in kwargs.items()
        if takes_any or name in known or name not in ("training", "mask")
    }


def build_arguments(
    layer: Any, arguments: dict[str, Any], method: Callable[..., Any] | None = None
) -> dict[str, Any]:
    """Returns the shapes that `build` takes: of the first argument, or of each by name.

    Args:
        layer: The layer.
        arguments: The arguments of the call, by name.
        method: Another method that takes shapes; `build` by default.

    Raises:
        SpecError: One of several parameters is not named after an argument of the call.
    """
    build: Callable[..., Any] = method or layer.build
    named, _ = _parameters(cast("Callable[..., Any]", getattr(build, "__func__", build)))
    tensors = {
        name: value
        for name, value in arguments.items()
        if hasattr(value, "shape") or any(hasattr(x, "shape") for x in tree.flatten(value))
    }
    first = next(iter([v for name, v in tensors.items() if not name.endswith("mask")]), None)
    if not tensors or not named:
        return {}
    if len(named) == 1:
        name = named[0].name
        argument = name.removesuffix("_shape")
        value = first if argument == name else tensors.get(argument, first)
        return {} if value is None else {name: shape_of(value)}
    shapes = {}
    for i, parameter in enumerate(named):
        name, argument = parameter.name, parameter.name.removesuffix("_shape")
        if argument != name and argument in tensors:
            shapes[name] = shape_of(tensors[argument])
        elif i == 0 and name == "input_shape" and first is not None:
            shapes[name] = shape_of(first)
        elif argument == name or not layer._signature.takes(argument):
            has_default = parameter.default is not parameter.empty
            if has_default and (argument == name or is_builtin(build)):
                continue  # not a shape; or an argument that an override dropped
            raise _unknown_shape_error(layer, build, name)
        elif parameter.default is parameter.empty:
            shapes[name] = None  # the argument is missing, or no tensor
    return shapes


def _unknown_shape_error(layer: Any, method: Callable[..., Any], name: str) -> SpecError:
    names = ", ".join(f"{argument}_shape" for argument in layer._signature.names)
    return SpecError(
        f"{type(layer).__name__} layer {layer.name!r}, {method.__name__}",
        expected=f"parameters named after the arguments of call: {names}",
        received=f"{name}",
        fix="rename the parameter, or take a single one, the shape of the first argument",
    )


def shape_of(value: Any) -> Any:
    """Returns the shapes of nested tensors, nested like them."""
    if isinstance(value, dict):
        return {key: shape_of(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [shape_of(item) for item in value]
    return tuple(value.shape) if hasattr(value, "shape") else None

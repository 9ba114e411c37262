"""Checks the types of the arguments of layers' constructors, by their annotations."""

import inspect
from collections.abc import Callable
from functools import partial, wraps
from numbers import Integral, Real
from typing import Any

import numpy as np

from keras_fn import activations, constraints, initializers, regularizers
from keras_fn.core import tree
from keras_fn.core.memoize import memoize
from keras_fn.errors import SpecError
from keras_fn.layers._arguments import argument_error
from keras_fn.types import TensorLike


def check_arguments(init: Callable[..., None]) -> Callable[..., None]:
    """Wraps a constructor: arguments of other types than their annotations say are refused.

    The checks of the constructor itself come first, because they say more. An error of something
    that it calls gets the name of the layer, and that of the argument if it is known. NumPy numbers
    become Python's. Plain values of types that have passed before are not checked again.
    """
    known: set[Any] = set()

    @wraps(init)
    def run(self: Any, *args: Any, **kwargs: Any) -> None:
        is_plain = _PLAIN.issuperset(map(type, args)) and _PLAIN.issuperset(
            map(type, kwargs.values())
        )
        if not is_plain:
            args, kwargs = _to_python(args), {k: _to_python(v) for k, v in kwargs.items()}
        try:
            init(self, *args, **kwargs)
        except Exception as error:
            cls = type(self).__name__
            if isinstance(error, SpecError) and cls in error.source.replace(",", "").split():
                raise
            _check(self, init, args, kwargs, failed=True)
            if isinstance(error, SpecError):
                raise error.with_context(cls) from None
            raise
        if not is_plain:
            _check(self, init, args, kwargs)
            return
        key = (*map(_form_of, args), *kwargs, *map(_form_of, kwargs.values()))
        if key not in known:
            _check(self, init, args, kwargs)
            known.add(key)

    return run


def check_constructor(cls: type) -> None:
    """Lets the constructor of a class check its arguments, also if it inherits the constructor.

    Args:
        cls: A layer of this package. The constructor of a custom layer is its own.
    """
    if not hasattr(cls.__init__, "__wrapped__"):
        cls.__init__ = check_arguments(cls.__init__)


_PLAIN = frozenset((bool, int, float, str, type(None)))


def _form_of(x: Any) -> Any:
    """Returns what the check of a plain value depends on: its type; 0 and 1 are flags as well."""
    return (int, x in (0, 1)) if type(x) is int else type(x)


def _to_python(x: Any) -> Any:
    """Returns NumPy numbers as Python's, also in lists and tuples."""
    if isinstance(x, (np.number, np.bool_)):
        return x.item()
    if type(x) in (list, tuple) and any(isinstance(i, (np.number, list, tuple)) for i in x):
        return type(x)(map(_to_python, x))
    return x


def _check(
    layer: Any,
    init: Callable[..., None],
    args: tuple,
    kwargs: dict[str, Any],
    failed: bool = False,
) -> None:
    """Checks arguments; initializers and the like only if a constructor has failed to get them."""
    checks = _checks(init)
    for name, value in (*zip(checks, args, strict=False), *kwargs.items()):
        if (get := _get_function(name)) is not None:
            if failed:
                _check_gettable(get, layer, name, value)
        elif (check := checks.get(name)) is not None:
            check(layer, name, value)


@memoize
def _checks(init: Callable[..., None]) -> dict[str, Callable[[Any, str, Any], None] | None]:
    """Returns the check of each parameter, or None, by name and in order."""
    parameters = list(inspect.signature(init).parameters.values())[1:]
    named = [p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    return {p.name: _check_for(p) for p in named}


def _check_for(parameter: inspect.Parameter) -> Callable[[Any, str, Any], None] | None:
    annotation = parameter.annotation
    kinds = ["TensorLike"] if annotation is TensorLike else _kinds_of(annotation)
    if parameter.name in _KINDS and not (kinds and all(kind in _KINDS for kind in kinds)):
        kinds = [parameter.name]
    if parameter.name in _NOT_CHECKED or not all(kind in _KINDS for kind in kinds):
        return None
    return partial(_check_kinds, kinds)


def _kinds_of(annotation: Any) -> list[str]:
    """Returns the alternatives of an annotation: `int | None` is `["int", "None"]`."""
    text = annotation.__name__ if isinstance(annotation, type) else str(annotation)
    text = text.replace("collections.abc.", "").replace("typing.", "")
    return [] if text == "_empty" else _split(text)


def _split(text: str) -> list[str]:
    """Splits a union at the bars outside of brackets."""
    parts, depth = [""], 0
    for character in text:
        depth += (character == "[") - (character == "]")
        if character == "|" and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts]


def _check_kinds(kinds: list[str], layer: Any, name: str, value: Any) -> None:
    if any(_KINDS[kind][1](value) for kind in kinds):
        return
    expected = " or ".join(_KINDS[kind][0] for kind in kinds)
    raise argument_error(layer, name, expected, value, f"pass another {name}=")


def _get_function(name: str) -> Callable[[Any], Any] | None:
    """Returns the function that gets an initializer, an activation … for a parameter, or None."""
    return _GETTERS.get(name.rpartition("_")[2])


def _check_gettable(get: Callable[[Any], Any], layer: Any, name: str, value: Any) -> None:
    try:
        get(value)
    except SpecError as error:
        raise argument_error(layer, name, error.expected, value, error.fix) from None
    except Exception:
        return  # the constructor's own error says more


def _is_int(x: Any) -> bool:
    return isinstance(x, Integral) and not isinstance(x, bool)


def _is_sequence_of(is_item: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda x: isinstance(x, (list, tuple)) and all(map(is_item, x))


def _is_numeric(x: Any) -> bool:
    if hasattr(x, "dtype") or isinstance(x, dict):  # a tensor, or the config of an array
        return True
    leaves = tree.flatten(x)
    return all(isinstance(leaf, (int, float, complex)) or hasattr(leaf, "dtype") for leaf in leaves)


def _is_list(x: Any) -> bool:
    return isinstance(x, (list, tuple))


def _are_sizes(x: Any) -> bool:
    return all(leaf is None or _is_int(leaf) for leaf in tree.flatten(x))


_GETTERS: dict[str, Callable[[Any], Any]] = {
    "activation": activations.get,
    "constraint": constraints.get,
    "initializer": initializers.get,
    "regularizer": regularizers.get,
}  # by the last word of the parameter
_NOT_CHECKED = frozenset({"seed", "name"})  # checked where they are used
_KINDS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "None": ("None", lambda x: x is None),
    "bool": ("True or False", lambda x: isinstance(x, (bool, int)) and x in (0, 1)),
    "int": ("an integer", _is_int),
    "float": ("a number", lambda x: isinstance(x, Real) and not isinstance(x, bool)),
    "str": ("a word", lambda x: isinstance(x, str)),
    "dict[str, Any]": ("a dict", lambda x: isinstance(x, dict)),
    "dict[str, float]": ("a dict", lambda x: isinstance(x, dict)),
    "Sequence[int]": ("a list of integers", _is_sequence_of(_is_int)),
    "Sequence[int | None]": (
        "a list of integers and None",
        _is_sequence_of(lambda x: x is None or _is_int(x)),
    ),
    "Sequence[int | Sequence[int]]": (
        "a list of integers or pairs",
        _is_sequence_of(lambda x: _is_int(x) or _is_sequence_of(_is_int)(x)),
    ),
    "Callable[..., Any]": ("a function", callable),
    "keras_fn.types.Tensor": ("a tensor", lambda x: hasattr(x, "shape")),
    "TensorLike": ("a number or an array", _is_numeric),
    # By the name of a parameter:
    "shape": ("a tuple of sizes", lambda x: not isinstance(x, (bytes, dict))),
    "batch_shape": ("a tuple of sizes", lambda x: not isinstance(x, (bytes, dict))),
    "output_shape": (
        "a shape, or a function that returns one",
        lambda x: x is None or callable(x) or (tree.is_nested(x) and _are_sizes(x)),
    ),
    "weights": (
        "a list of arrays",
        lambda x: x is None or ((hasattr(x, "shape") or _is_list(x)) and _is_numeric(x)),
    ),
}  # by the word of an annotation: how an error says it, and what fits

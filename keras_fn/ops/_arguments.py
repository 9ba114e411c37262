"""The arguments of ops that are not operands: axes, sizes, words. Checked by their annotations."""

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from numbers import Integral, Real
from typing import Any

import numpy as np

from keras_fn.core.dtypes import standardize_dtype
from keras_fn.errors import DTypeError, SpecError


def standardize_option(x: Any, annotation: Any = None) -> Any:
    """Returns a NumPy number as Python's, also in a list or tuple; other arguments as they are.

    Where the annotation is `bool`, an integer becomes one, and a dtype becomes its name.
    """
    if annotation == "bool" and type(x) is int:
        return bool(x)
    if x is not None and str(annotation).startswith("DTypeLike") and _is_dtype(x):
        return standardize_dtype(getattr(x, "compute_dtype", x))
    if isinstance(x, (np.generic, np.ndarray)):
        return x.item() if not x.ndim and x.dtype.kind in "biufc" else x
    items: Any = x
    if type(x) in (list, tuple) and any(isinstance(item, np.generic) for item in items):
        return type(items)(map(standardize_option, items))
    return x


def check_option(source: str, function: Callable[..., Any], name: str, value: Any) -> None:
    """Checks the type of an argument that is not an operand.

    Args:
        source: The name of the op, for errors.
        function: Its definition, whose annotations are strings.
        name: The name of the argument.
        value: Its value.

    Raises:
        TypeError: It has another type than its annotation says.
    """
    annotation = str(function.__annotations__.get(name, "Any"))
    words = _words(annotation)
    if not any(word not in _ACCEPTS or _ACCEPTS[word](value) for word in words):
        raise DTypeError(
            source,
            expected=f"{name}: {' or '.join(_FORMS.get(word, word) for word in words)}",
            received=f"{name}={value!r:.200} of type {type(value).__name__}",
            fix=f"pass another {name}=",
        )


def _is_integer(x: Any) -> bool:
    return isinstance(x, Integral) or _is_tensor(x)


def _is_tensor(x: Any) -> bool:
    """Returns whether `x` may be a size or a number that is only known at run time."""
    if hasattr(x, "dtype") and hasattr(x, "shape"):
        return True
    return hasattr(x, "__jax_array__")  # a symbolic size, in a program that JAX exports


def _is_list_of(is_item: Callable[[Any], bool]) -> Callable[[Any], bool]:
    def fits(x: Any) -> bool:
        if isinstance(x, (str, bytes, Mapping)) or not isinstance(x, Iterable):
            return _is_tensor(x)
        return _is_tensor(x) or all(map(is_item, x))

    return fits


def _is_dtype(x: Any) -> bool:
    try:
        standardize_dtype(getattr(x, "compute_dtype", x))
    except (SpecError, TypeError):
        return False
    return True


_is_size = _is_list_of(lambda x: x is None or _is_integer(x))


def _is_pair_of_numbers(x: Any) -> bool:
    return isinstance(x, (list, tuple)) and len(x) == 2 and all(map(_is_number, x))


def _is_number(x: Any) -> bool:
    return isinstance(x, Real) or _is_tensor(x)


# By the word of an annotation. A word that is not here accepts everything.
_ACCEPTS: dict[str, Callable[[Any], bool]] = {
    "None": lambda x: x is None,
    "bool": lambda x: isinstance(x, (bool, np.bool_, Integral)) or _is_tensor(x),
    "int": _is_integer,
    "float": _is_number,
    "str": lambda x: isinstance(x, str),
    "Axis": lambda x: x is None or _is_integer(x) or _is_list_of(_is_integer)(x),
    "Sizes": lambda x: _is_integer(x) or _is_list_of(_is_integer)(x),
    "ShapeLike": lambda x: _is_integer(x) or _is_size(x),
    "Sequence[int]": _is_list_of(_is_integer),
    "Sequence[int | None]": _is_size,
    "Sequence[int | Sequence[int]]": _is_list_of(
        lambda x: _is_integer(x) or _is_list_of(_is_integer)(x)
    ),
    "tuple[float, float]": _is_pair_of_numbers,
    "DTypeLike": _is_dtype,
}

_FORMS = {
    "None": "None",
    "bool": "True or False",
    "int": "an integer",
    "float": "a number",
    "str": "a word",
    "Axis": "an axis, a tuple of axes, or None",
    "Sizes": "an integer, or one for each spatial axis",
    "ShapeLike": "a tuple of sizes",
    "Sequence[int]": "a sequence of integers",
    "Sequence[int | None]": "a sequence of sizes",
    "Sequence[int | Sequence[int]]": "a sequence of integers, or of sequences of integers",
    "tuple[float, float]": "two numbers",
    "DTypeLike": "a dtype",
}


@cache
def _words(annotation: str) -> tuple[str, ...]:
    """Returns the alternatives of an annotation: `"int | None"` is `("int", "None")`."""
    return tuple(re.findall(r"(?:[^|\[\]\s]+(?:\[(?:[^\[\]]|\[[^\]]*\])*\])?)", annotation))

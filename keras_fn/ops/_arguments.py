"""The arguments of ops that are not operands: axes, sizes, words. Checked by their annotations."""

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from numbers import Integral, Real
from typing import Any

import numpy as np

from keras_fn.core.dtypes import standardize_dtype
from keras_fn.errors import DTypeError, SpecError


def standardize_option(x: Any) -> Any:
    """Returns a NumPy number as Python's, also in a list or tuple; other arguments as they are."""
    if isinstance(x, np.generic):
        return x.item() if isinstance(x, (np.number, np.bool_)) else x
    if type(x) in (list, tuple) and any(isinstance(item, np.generic) for item in x):
        return type(x)(map(standardize_option, x))
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


def refusal(source: str, error: Exception, arguments: Mapping[str, Any], backend: str) -> DTypeError:
    """Returns the error for arguments that the framework refuses and the op's rule does not.

    Args:
        source: The name of the op.
        error: The framework's error.
        arguments: The arguments of the call, by name.
        backend: What refuses them.
    """
    first_line = (str(error).strip() or type(error).__name__).splitlines()[0]
    return DTypeError(
        source,
        expected=f"arguments and dtypes that the op supports on {backend}",
        received=", ".join(f"{key}={_summarize(value)}" for key, value in arguments.items()),
        fix=f"change what {backend} refuses: {first_line:.300}",
    )


def _summarize(x: Any) -> str:
    """Returns a short text for an argument: a tensor's dtype and shape."""
    if hasattr(x, "shape") and hasattr(x, "dtype"):
        return f"{str(x.dtype).removeprefix('torch.')}{list(x.shape)}"
    if isinstance(x, (list, tuple)) and any(hasattr(item, "shape") for item in x):
        return f"[{', '.join(map(_summarize, x))}]"
    return f"{x!r:.100}"


def _is_integer(x: Any) -> bool:
    return isinstance(x, Integral) or _is_tensor(x)


def _is_tensor(x: Any) -> bool:
    """Returns whether `x` may be a size or a number that is only known at run time."""
    return hasattr(x, "dtype") and hasattr(x, "shape")


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

# By the word of an annotation. A word that is not here accepts everything.
_ACCEPTS: dict[str, Callable[[Any], bool]] = {
    "None": lambda x: x is None,
    "bool": lambda x: isinstance(x, (bool, np.bool_, Integral)) or _is_tensor(x),
    "int": _is_integer,
    "float": lambda x: isinstance(x, Real) or _is_tensor(x),
    "str": lambda x: isinstance(x, str),
    "Axis": lambda x: x is None or _is_integer(x) or _is_list_of(_is_integer)(x),
    "Sizes": lambda x: _is_integer(x) or _is_list_of(_is_integer)(x),
    "ShapeLike": lambda x: _is_integer(x) or _is_size(x),
    "Sequence[int]": _is_list_of(_is_integer),
    "Sequence[int | None]": _is_size,
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
    "DTypeLike": "a dtype",
}


@cache
def _words(annotation: str) -> tuple[str, ...]:
    """Returns the alternatives of an annotation: `"int | None"` is `("int", "None")`."""
    return tuple(re.findall(r"(?:[^|\[\]\s]+(?:\[(?:[^\[\]]|\[[^\]]*\])*\])?)", annotation))


def bind(function: Callable[..., Any], args: tuple, kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the arguments of a call by name.

    Raises:
        TypeError: An argument is missing or unknown.
    """
    try:
        return inspect.signature(function).bind(*args, **kwargs).arguments
    except TypeError as error:
        raise TypeError(f"{function.__name__}() {error}") from None

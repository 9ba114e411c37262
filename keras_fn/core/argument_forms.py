"""Checks of arguments against their forms: types, range, and what would fit, for the error."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np

from keras_fn.errors import DTypeError, SpecError


@dataclass(frozen=True)
class ArgumentForm:
    """What an argument may be.

    Attributes:
        types: Its types; before an abstract one the usual ones, which are found faster. A bool
            counts as an integer only if `bool` is among them.
        expected: The form in words.
        example: A value that fits, as code.
        accepts: Whether a value of these types is in range; None if each is.
    """

    types: tuple[type, ...]
    expected: str
    example: str
    accepts: Callable[[Any], bool] | None = None


def is_count(value: Any) -> bool:
    """Whether a value is a positive integer."""
    is_int = isinstance(value, (int, Integral)) and not isinstance(value, bool)
    return is_int and int(value) >= 1


COUNT = ArgumentForm((int, Integral), "a positive integer", "32", is_count)
OPTIONAL_COUNT = ArgumentForm(
    (type(None), int, Integral), "a positive integer", "32", lambda n: n is None or is_count(n)
)
INDEX = ArgumentForm((int, Integral), "an integer of 0 or more", "10", lambda n: n >= 0)
FLAG = ArgumentForm((bool, np.bool_, int, Integral), "True or False", "True")
NUMBER = ArgumentForm((float, int, Real), "a number", "0.1")
NOT_NEGATIVE = ArgumentForm((float, int, Real), "a number of 0 or more", "1", lambda x: x >= 0)
OPTIONAL_NUMBER = ArgumentForm((type(None), float, int, Real), "a number or None", "0.1")
AXES = ArgumentForm(
    (type(None), list, tuple, Integral),
    "an axis or a list of axes",
    "0",
    lambda x: not isinstance(x, (list, tuple)) or all(isinstance(i, Integral) for i in x),
)
TEXT = ArgumentForm((str,), "text", "'val_loss'")
PATH = ArgumentForm((str, os.PathLike), "the path of a file or folder", "'results'")
FUNCTION = ArgumentForm((Callable,), "a function", "lambda epoch, logs: None")  # type: ignore[arg-type]


def check_arguments(
    source: str, forms: Mapping[str, ArgumentForm], arguments: Mapping[str, Any]
) -> None:
    """Checks arguments, each by its name.

    Args:
        source: What takes the arguments, for errors.
        forms: The forms by name.
        arguments: The arguments by name. Those without a form are skipped.

    Raises:
        DTypeError: One has another type.
        SpecError: One is out of range.
    """
    for name, value in arguments.items():
        form = forms.get(name)
        if form is None:
            continue
        is_flag = isinstance(value, bool)
        has_type = isinstance(value, form.types) and (not is_flag or bool in form.types)
        if has_type and (form.accepts is None or form.accepts(value)):
            continue
        is_whole = isinstance(value, (float, np.floating)) and float(value).is_integer()
        example = str(int(value)) if is_whole and Integral in form.types else form.example
        raise (SpecError if has_type else DTypeError)(
            source,
            expected=f"{name} as {form.expected}",
            received=f"{name}={value!r}",
            fix=f"for example {name}={example}",
        )

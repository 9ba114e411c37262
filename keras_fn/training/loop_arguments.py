"""Checks of the arguments of `fit`, `evaluate` and `predict`, and the limits that settings put."""

import warnings
from collections.abc import Callable, Collection
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np

from keras_fn.data_adapters.data_adapter import DataAdapter
from keras_fn.errors import DTypeError, SpecError
from keras_fn.settings import settings


@dataclass(frozen=True)
class _Form:
    """What an argument may be.

    Attributes:
        types: Its types.
        accepts: Whether a value of these types is in range.
        expected: The form in words.
        example: A value that fits.
    """

    types: tuple[type, ...]
    accepts: Callable[[Any], bool]
    expected: str
    example: str


def _is_count(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool) and value >= 1


def _is_fraction(value: Any) -> bool:
    return 0 <= value < 1


def _is_index(value: Any) -> bool:
    return value >= 0


def _is_verbosity(value: Any) -> bool:
    return value == "auto" or not isinstance(value, str)


def _is_frequency(value: Any) -> bool:
    return all(map(_is_count, value)) if isinstance(value, Collection) else _is_count(value)


_COUNT = _Form((Integral, type(None)), lambda n: n is None or n >= 1, "a positive integer", "32")
_INDEX = _Form((Integral,), _is_index, "an integer of 0 or more", "10")
_FLAG = _Form((bool, np.bool_, Integral), lambda _: True, "True or False", "True")

_FORMS = {
    "batch_size": _COUNT,
    "steps": _COUNT,
    "steps_per_epoch": _COUNT,
    "validation_steps": _COUNT,
    "validation_batch_size": _COUNT,
    "epochs": _INDEX,
    "initial_epoch": _INDEX,
    "validation_split": _Form((Real,), _is_fraction, "a fraction between 0 and 1", "0.2"),
    "validation_freq": _Form(
        (Integral, Collection), _is_frequency, "a number of epochs, or a list of epochs", "1"
    ),
    "verbose": _Form(
        (bool, np.bool_, Integral, str, type(None)), _is_verbosity, "0, 1, 2 or 'auto'", "0"
    ),
    "shuffle": _FLAG,
    "return_dict": _FLAG,
}


def check_loop_arguments(source: str, **arguments: Any) -> None:
    """Checks arguments of the loops, each by its name.

    Args:
        source: The model, for errors.
        **arguments: The arguments.

    Raises:
        DTypeError: One has another type.
        SpecError: One is out of range.
    """
    for name, value in arguments.items():
        form = _FORMS[name]
        has_type = isinstance(value, form.types) and (
            not isinstance(value, bool) or bool in form.types
        )
        if has_type and form.accepts(value):
            continue
        is_whole = isinstance(value, (float, np.floating)) and float(value).is_integer()
        example = str(int(value)) if is_whole and Integral in form.types else form.example
        raise (SpecError if has_type else DTypeError)(
            source,
            expected=f"{name} as {form.expected}",
            received=f"{name}={value!r}",
            fix=f"for example {name}={example}",
        )


def limit_epochs(epochs: int, initial_epoch: int) -> int:
    """Returns the index of the epoch at which to stop, with the limit of `config.set_max_epochs`.

    Args:
        epochs: The index that was asked for.
        initial_epoch: Index of the first epoch.
    """
    limit = settings.max_epochs
    if limit is None or epochs - initial_epoch <= limit:
        return epochs
    warnings.warn(
        f"fit runs {limit} epochs, not {epochs - initial_epoch}: config.max_epochs() is {limit}.",
        stacklevel=4,
    )
    return initial_epoch + limit


def limit_steps(data: DataAdapter | None) -> None:
    """Limits the number of batches in an epoch to that of `config.set_max_steps_per_epoch`.

    Args:
        data: The data adapter, or None.
    """
    limit = settings.max_steps_per_epoch
    if data is None or limit is None or 0 < len(data) <= limit:
        return
    data.limit_steps(limit)
    warnings.warn(
        f"There are {limit} steps in an epoch, as config.max_steps_per_epoch() is {limit}.",
        stacklevel=4,
    )

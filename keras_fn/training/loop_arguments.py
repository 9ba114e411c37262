"""Checks of the arguments of `fit`, `evaluate` and `predict`, and the limits that settings put."""

import warnings
from collections.abc import Collection
from numbers import Integral, Real
from typing import Any

import numpy as np

from keras_fn.core.argument_forms import (
    FLAG,
    INDEX,
    OPTIONAL_COUNT,
    ArgumentForm,
    check_arguments,
    is_count,
)
from keras_fn.data_adapters.data_adapter import DataAdapter
from keras_fn.settings import settings


def _is_verbosity(value: Any) -> bool:
    return value == "auto" or not isinstance(value, str)


def _is_frequency(value: Any) -> bool:
    return all(map(is_count, value)) if isinstance(value, Collection) else is_count(value)


_FORMS = {
    "batch_size": OPTIONAL_COUNT,
    "steps": OPTIONAL_COUNT,
    "steps_per_epoch": OPTIONAL_COUNT,
    "validation_steps": OPTIONAL_COUNT,
    "validation_batch_size": OPTIONAL_COUNT,
    "epochs": INDEX,
    "initial_epoch": INDEX,
    "validation_split": ArgumentForm(
        (Real,), "a fraction between 0 and 1", "0.2", lambda x: 0 <= x < 1
    ),
    "validation_freq": ArgumentForm(
        (Integral, Collection), "a number of epochs, or a list of epochs", "1", _is_frequency
    ),
    "verbose": ArgumentForm(
        (int, str, type(None), bool, np.bool_, Integral), "0, 1, 2 or 'auto'", "0", _is_verbosity
    ),
    "shuffle": FLAG,
    "return_dict": FLAG,
}


def check_loop_arguments(source: str, **arguments: Any) -> None:
    """Checks arguments of the loops, each by its name.

    Args:
        source: The model, for errors.
        **arguments: The arguments by name, for example the `locals()` of `fit`. Names that are not
            checked here are skipped.

    Raises:
        DTypeError: One has another type.
        SpecError: One is out of range.
    """
    check_arguments(source, _FORMS, {k: v for k, v in arguments.items() if k in _FORMS})


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

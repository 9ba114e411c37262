"""Text and other data of layers that compute on the host, as NumPy arrays.

Text is an array of str or bytes objects (dtype `object`), or of one of NumPy's own dtypes of text:
`U`, `S` and `StringDType`. Backends but TensorFlow have no tensors of it.
"""

from itertools import chain
from typing import Any

import numpy as np

from keras_fn.backend.loader import current
from keras_fn.core import tree
from keras_fn.core.foreign_tensors import framework_of, to_numpy

_TEXT = (str, bytes)
_LISTS = (list, tuple)

TEXT_FIX = "turn text into numbers first, with StringLookup, TextVectorization or Hashing"
"""The last part of errors about text where there should be numbers."""


def is_text_array(x: object) -> bool:
    """Returns whether `x` is a NumPy array of text.

    Args:
        x: Any object.

    Example:
        >>> is_text_array(np.array(["a", "b"])), is_text_array(np.ones(2))
        (True, False)
    """
    if not isinstance(x, (np.ndarray, np.generic)):
        return False
    kind = x.dtype.kind
    if kind != "O":
        return kind in "UST"
    return isinstance(x, np.ndarray) and x.size > 0 and isinstance(x.flat[0], _TEXT)


def holds_only_text(array: np.ndarray) -> bool:
    """Returns whether every element of an array is text: none is None or NaN, for example.

    Args:
        array: The array.

    Example:
        >>> holds_only_text(np.array(["a", None], object))
        False
    """
    if array.dtype.kind != "O":
        return is_text_array(array) or not array.size
    return all(issubclass(cls, _TEXT) for cls in set(map(type, array.ravel().tolist())))


def is_text(x: object) -> bool:
    """Returns whether `x` is text: a string, nested lists of strings, or an array of them.

    A list of arrays is not: it is a list of inputs.

    Args:
        x: Any object.
    """
    if isinstance(x, (list, tuple)):
        return bool(x) and all(isinstance(v, (*_TEXT, *_LISTS)) and is_text(v) for v in x)
    return isinstance(x, _TEXT) or is_text_array(x)


def has_text(x: object) -> bool:
    """Returns whether there is text among nested values: a string or an array of them.

    Args:
        x: Any object.
    """
    return any(isinstance(leaf, _TEXT) or is_text_array(leaf) for leaf in tree.flatten(x))


def to_host_values(x: Any) -> Any:
    """Returns data as a NumPy array; lists of unequal lengths stay lists.

    Args:
        x: An array, a tensor of any framework with values, a pandas column or table, a number, a
            string, or nested lists of numbers or strings.

    Returns:
        An array. Lists of strings become an array of objects, so that a long one does not widen
        all others; arrays of text stay as they are.
    """
    if isinstance(x, np.ndarray):
        return x
    if current().is_tensor(x):
        return current().convert_to_numpy(x)
    if framework_of(x) is not None:
        return to_numpy(x)
    if hasattr(x, "iloc"):
        array = x.to_numpy()
        return array if array.dtype.kind in "biufc" else array.astype(object)
    if isinstance(x, (list, tuple)):
        if (array := list_to_array(x)) is not None:
            return array
        try:
            return x if is_text(x) else np.asarray(x)
        except ValueError:
            return x  # lists of unequal lengths, as those of text are here
    return np.array(x, object) if isinstance(x, _TEXT) else np.asarray(x)


def list_to_array(x: Any) -> np.ndarray | None:
    """Returns nested lists of strings as an array of objects; None for anything else.

    It looks at each string for some nanoseconds only: there can be millions.

    Args:
        x: Any object.

    Example:
        >>> list_to_array([["a", "b"], ["c", "d"]]).shape
        (2, 2)
    """
    if not isinstance(x, _LISTS) or not x:
        return None
    types = set(map(type, x))
    if all(issubclass(cls, _TEXT) for cls in types):
        array = np.empty(len(x), object)
        array[:] = x
        return array
    if not all(issubclass(cls, _LISTS) for cls in types) or len(set(map(len, x))) > 1:
        return None
    inner = list_to_array(list(chain.from_iterable(x)))
    return None if inner is None else inner.reshape(len(x), len(x[0]), *inner.shape[1:])


def match_rank(array: np.ndarray, shape: tuple[int | None, ...]) -> np.ndarray:
    """Returns an array of text with a last axis of size 1 added or removed, to fit a shape.

    Args:
        array: The array.
        shape: The shape of an input, with the batch axis. If the ranks cannot be made equal, the
            array is returned as it is.
    """
    if array.ndim == len(shape) - 1 and array.ndim and shape[-1] in (1, None):
        return array[..., None]
    if array.ndim == len(shape) + 1 and array.shape[-1] == 1:
        return array[..., 0]
    return array

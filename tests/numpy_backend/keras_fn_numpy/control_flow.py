"""Scans. Branches and loops are Python's."""

from collections.abc import Callable
from operator import itemgetter
from typing import Any

import numpy as np

from keras_fn.core import tree
from keras_fn.core.scopes import StatelessScope
from keras_fn_numpy.tensors import convert_to_tensor


def scan(
    function: Callable[[Any, Any], tuple[Any, Any]],
    init: Any,
    xs: Any,
    length: int | None = None,
    reverse: bool = False,
    unroll: int = 1,
) -> tuple[Any, Any]:
    """A Python loop; None among the carries, slices and outputs stays None."""
    del unroll

    def each(f: Callable[..., Any], *structures: Any) -> Any:
        return tree.map_structure(lambda *x: None if x[0] is None else f(*x), *structures)

    carry = each(convert_to_tensor, init)
    xs = each(convert_to_tensor, xs)
    sizes = [len(x) for x in tree.flatten(xs) if x is not None]
    outputs: list[Any] = [None] * (sizes[0] if sizes else length or 0)
    for i in range(len(outputs))[:: -1 if reverse else 1]:
        carry, outputs[i] = function(carry, each(itemgetter(i), xs))
    if outputs:
        return carry, each(lambda *ys: convert_to_tensor(np.stack(ys)), *outputs)
    with StatelessScope():  # for the shape and dtype of an output
        _, y = function(carry, each(lambda x: np.zeros_like(x, shape=x.shape[1:]), xs))
    return carry, each(lambda t: np.zeros_like(t, shape=(0, *t.shape)), y)

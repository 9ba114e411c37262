"""Abstract evaluation with substitute sizes, for frameworks that cannot represent unknown ones."""

from collections.abc import Callable
from typing import Any

from keras_fn.core import tree
from keras_fn.core.keras_tensor import KerasTensor

SUBSTITUTE_SIZES = (83, 89)  # primes that are unlikely to be real sizes


def eval_with_two_sizes(
    function: Callable[[tuple, dict[str, Any]], Any],
    args: tuple,
    kwargs: dict[str, Any],
    make_tensor: Callable[[tuple[int, ...], str], Any],
    dtype_of: Callable[[Any], str | None],
) -> Any:
    """Infers specs from two calls, which differ in the sizes that stand for unknown ones.

    Sizes of the results that differ between the calls depend on an unknown size: they become None.

    Args:
        function: Takes `args` and `kwargs`, with tensors in place of KerasTensors; returns nested
            results.
        args: Nested values, KerasTensors among them.
        kwargs: As `args`, by name.
        make_tensor: Returns a tensor, which needs no values, for a shape and the name of a dtype.
        dtype_of: Returns the name of a result's dtype; None if the result is not a tensor.

    Returns:
        KerasTensors, nested as the results; results that are not tensors are kept.

    Example:
        >>> import numpy as np
        >>> x = KerasTensor((None, 3))
        >>> eval_with_two_sizes(
        ...     lambda args, kwargs: args[0].T, (x,), {}, np.zeros, lambda x: x.dtype.name
        ... ).shape
        (3, None)
    """

    def call(size: int) -> Any:
        def substitute(x: Any) -> Any:
            if not isinstance(x, KerasTensor):
                return x
            return make_tensor(tuple(size if n is None else n for n in x.shape), x.dtype)

        return function(*tree.map_structure(substitute, [args, kwargs]))

    def merge(a: Any, b: Any) -> Any:
        dtype = dtype_of(a)
        if dtype is None:
            return a
        sizes = [m if m == n else None for m, n in zip(a.shape, b.shape, strict=True)]
        return KerasTensor(sizes, dtype, record_history=False)

    first, second = map(call, SUBSTITUTE_SIZES)
    return tree.map_structure(merge, first, second)

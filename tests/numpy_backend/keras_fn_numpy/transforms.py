"""Function transforms: abstract evaluation, gradients, compilation."""

from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import numpy as np

from keras_fn.core import tree
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.scopes import StatelessScope
from keras_fn.errors import UnsupportedError
from keras_fn_numpy.tensors import convert_to_tensor, dtype_name

_SIZES = (83, 89)  # stand in for unknown sizes: primes that are unlikely to be real sizes


def abstract_eval(function: Callable[..., Any], args: tuple, kwargs: dict[str, Any]) -> Any:
    """Runs the function on zeros, with two different sizes for unknown ones."""

    def run(size: int) -> Any:
        def zeros(x: Any) -> Any:
            if not isinstance(x, KerasTensor):
                return x
            sizes = [size if n is None else n for n in x.shape]
            return convert_to_tensor(np.zeros(sizes), x.dtype)

        args_, kwargs_ = tree.map_structure(zeros, [args, kwargs])
        with StatelessScope():
            return function(*args_, **kwargs_)

    def meet(a: Any, b: Any) -> Any:
        sizes = [m if m == n else None for m, n in zip(a.shape, b.shape, strict=True)]
        return KerasTensor(sizes, dtype_name(a), record_history=False)

    return tree.map_structure(meet, run(_SIZES[0]), run(_SIZES[1]))


def value_and_grad(function: Callable[..., Any], variables: Sequence[Any]) -> NoReturn:
    """Raises: this backend is for inference only."""
    raise UnsupportedError(
        "the numpy backend has no gradients: it is for inference only",
        fix="train with KERAS_BACKEND=jax, torch or tensorflow, save the model, and load it here",
    )


def compile(
    function: Callable[..., Any], state: Sequence[Any], jit: Any = "auto"
) -> Callable[..., Any]:
    """Returns the function itself."""
    del state, jit
    return function

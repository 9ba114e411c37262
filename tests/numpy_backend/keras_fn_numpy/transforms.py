"""Function transforms: abstract evaluation, gradients, compilation."""

from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import numpy as np

from keras_fn.core.scopes import StatelessScope
from keras_fn.core.unknown_sizes import eval_with_two_sizes
from keras_fn.errors import UnsupportedError
from keras_fn_numpy.tensors import convert_to_tensor, dtype_name


def abstract_eval(function: Callable[..., Any], args: tuple, kwargs: dict[str, Any]) -> Any:
    """Runs the function on zeros, with two different sizes for unknown ones."""

    def run(args: tuple, kwargs: dict[str, Any]) -> Any:
        with StatelessScope():
            return function(*args, **kwargs)

    def zeros(shape: tuple[int, ...], dtype: str) -> Any:
        return convert_to_tensor(np.zeros(shape), dtype)

    return eval_with_two_sizes(run, args, kwargs, zeros, dtype_name)


def value_and_grad(function: Callable[..., Any], variables: Sequence[Any]) -> NoReturn:
    """Raises: this backend is for inference only."""
    raise UnsupportedError(
        "the numpy backend has no gradients: it is for inference only",
        fix="train with KERAS_BACKEND=jax, torch or tensorflow, save the model, and load it here",
    )


def compile(
    function: Callable[..., Any], state: Sequence[Any], jit: Any = "auto", donate: bool = True
) -> Callable[..., Any]:
    """Returns the function itself."""
    del state, jit, donate
    return function

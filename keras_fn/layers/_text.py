"""Text as the input of layers: of those that compute on the host, and of models that hold them."""

from typing import Any

from keras_fn.backend.loader import current, supports
from keras_fn.core import tree
from keras_fn.core.dtypes import standardize_dtype
from keras_fn.core.host_text import TEXT_FIX, is_text
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.registry import is_builtin
from keras_fn.errors import DTypeError


def convert_text(layer: Any, x: Any) -> Any:
    """Returns text in the form that the `call` of a layer takes.

    Args:
        layer: The layer.
        x: An array of text, or a KerasTensor of dtype `"string"`.

    Returns:
        The same; or a tensor, where there are tensors of text, and the layer is not a model.

    Raises:
        DTypeError: The layer computes with numbers.
    """
    if layer._takes_text or (isinstance(x, KerasTensor) and supports("text_tensors")):
        return x
    if supports("text_tensors"):
        return current().convert_to_tensor(x)
    if not is_builtin(type(layer)):
        return x
    received = f"text of shape {tuple(x.shape)}"
    raise DTypeError(layer._label, expected="numbers", received=received, fix=TEXT_FIX)


def check_no_text(layer: Any, inputs: Any) -> None:
    """Refuses text among the inputs of a call that failed: it moved or computed with it.

    Args:
        layer: The layer.
        inputs: The arguments of the call.

    Raises:
        DTypeError: There is some, and the layer is built-in and takes none.
    """
    if layer._takes_text or not is_builtin(type(layer)):
        return
    for x in tree.flatten(inputs):
        name = getattr(x, "dtype", None)
        if is_text(x) or (name is not None and standardize_dtype(name) == "string"):
            form = f"text of shape {tuple(x.shape)}" if hasattr(x, "shape") else repr(x)[:100]
            raise DTypeError(layer._label, expected="numbers", received=form, fix=TEXT_FIX)

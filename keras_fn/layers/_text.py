"""Text as the input of layers: of those that compute on the host, and of models that hold them."""

from typing import Any

from keras_fn.backend.loader import current, supports
from keras_fn.core.host_text import TEXT_FIX
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.registry import is_builtin
from keras_fn.errors import DTypeError


def convert_text(layer: Any, x: Any) -> Any:
    """Returns text in the form that the `call` of a layer takes.

    Args:
        layer: The layer.
        x: An array of text, or a KerasTensor of dtype `"string"`.

    Returns:
        The same; or a tensor, where there are tensors of text, and the layer is no model.

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

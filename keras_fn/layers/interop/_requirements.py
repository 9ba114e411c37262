"""What the layers of this folder ask of the backend."""

from typing import Any, NoReturn

from keras_fn.backend import loader
from keras_fn.core import tree
from keras_fn.core.dtypes import standardize_dtype
from keras_fn.core.keras_tensor import KerasTensor, SymbolicConversionError
from keras_fn.errors import SpecError
from keras_fn.layers._text import check_no_text


def framework_backend(layer: type, capability: str, framework: str, wraps: str) -> Any:
    """Returns the active backend, if it is that of the framework whose objects a layer wraps.

    Args:
        layer: The class of the layer.
        capability: The name of the function that such a backend offers.
        framework: The name of the backend.
        wraps: What the layer wraps.

    Raises:
        SpecError: It is another backend.
    """
    if loader.supports(capability):
        return loader.current()
    raise SpecError(
        layer.__name__,
        expected=f"the {framework} backend, as the layer wraps {wraps}",
        received=f"the {loader.name()} backend",
        fix=f"set KERAS_BACKEND={framework} before keras_fn is imported, or write the layer with "
        "keras.ops, which run on every backend",
    )


def refuse_code(layer: type, received: str, fix: str) -> SpecError:
    """Returns the error for a config whose layer would run code that the program did not pass."""
    return SpecError(
        f"{layer.__name__}.from_config",
        expected="a config whose objects the program passes or has registered",
        received=received,
        fix=fix,
    )


def refuse_symbols(inputs: Any) -> None:
    """Raises an error for KerasTensors: the specs of the outputs are then inferred from tensors.

    Args:
        inputs: The inputs of a function of the framework, nested.

    Raises:
        SymbolicConversionError: One is a KerasTensor.
    """
    if any(isinstance(x, KerasTensor) for x in tree.flatten(inputs)):
        raise SymbolicConversionError("A function of a framework cannot take a KerasTensor.")


def reraise_refusal(layer: Any, inputs: Any, error: Exception) -> NoReturn:
    """Raises the error for inputs that the framework refuses; other errors as they are.

    Args:
        layer: The layer.
        inputs: Its inputs, nested.
        error: What the framework raised.

    Raises:
        SpecError: The framework refuses the inputs.
        DTypeError: Text is among them.
    """
    backend: Any = loader.current()
    is_refusal = backend.is_refusal(error) or type(error).__module__.startswith("flax.")
    if isinstance(error, SpecError) or not is_refusal:
        raise error
    check_no_text(layer, inputs)
    received = ", ".join(
        f"shape {tuple(x.shape)} of {standardize_dtype(x.dtype)}"
        if hasattr(x, "shape")
        else repr(x)[:100]
        for x in tree.flatten(inputs)
    )
    raise SpecError(
        layer._label,
        expected=f"inputs that the {loader.name()} function it wraps takes",
        received=received or "no inputs",
        fix=f"change what {loader.name()} refuses: {str(error)[:300]}",
    ) from error

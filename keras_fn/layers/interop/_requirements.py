"""What the layers of this folder ask of the backend."""

from typing import Any

from keras_fn.backend import loader
from keras_fn.errors import SpecError


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

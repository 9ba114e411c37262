"""Layers of a framework are refused on the backends of other frameworks."""

import pytest

from keras_fn import layers
from keras_fn.backend.loader import current


@pytest.mark.parametrize(
    ("cls", "backend"),
    [
        ("TorchModuleWrapper", "torch"),
        ("JaxLayer", "jax"),
        ("FlaxLayer", "jax"),
        ("TFSMLayer", "tensorflow"),
    ],
)
def test_another_backend_is_refused_with_the_reason_and_the_fix(cls, backend):
    if current().name == backend:
        pytest.skip("the backend of this layer")
    with pytest.raises(ValueError, match=rf"^{cls}\n(.|\n)*KERAS_BACKEND={backend}"):
        getattr(layers, cls)(lambda inputs: inputs)

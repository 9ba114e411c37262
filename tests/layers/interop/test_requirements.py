"""Layers of a framework are refused on the backends of other frameworks."""

import pytest

from keras_fn import layers
from keras_fn.backend.loader import current
from keras_fn.layers.interop._requirements import reraise_refusal

BACKENDS = {
    "TorchModuleWrapper": "torch",
    "JaxLayer": "jax",
    "FlaxLayer": "jax",
    "TFSMLayer": "tensorflow",
}


@pytest.mark.parametrize(
    ("cls", "backend"), [item for item in BACKENDS.items() if item[1] != current().name]
)
def test_another_backend_is_refused_with_the_reason_and_the_fix(cls, backend):
    with pytest.raises(ValueError, match=rf"^{cls}\n(.|\n)*KERAS_BACKEND={backend}"):
        getattr(layers, cls)(lambda inputs: inputs)


def test_an_error_that_is_no_refusal_stays_as_it_is():
    with pytest.raises(AssertionError, match="no refusal") as caught:
        try:
            raise AssertionError("no refusal")
        except AssertionError as error:
            reraise_refusal(layers.Identity(), [], error)
    assert caught.value.__cause__ is None  # not itself: who follows the causes would not end

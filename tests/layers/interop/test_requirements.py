"""Layers of a framework are refused on the backends of other frameworks."""

from importlib.util import find_spec

import pytest
from layer_cases.interop import BACKEND, LAYERS

from keras_fn import layers
from keras_fn.layers.interop._requirements import reraise_refusal


@pytest.mark.parametrize("cls", [c for c, (names, _) in LAYERS.items() if BACKEND not in names])
def test_another_backend_is_refused_with_the_reason_and_the_fix(cls):
    backend = "jax" if cls in ("JaxLayer", "FlaxLayer") else min(LAYERS[cls][0])
    with pytest.raises(ValueError, match=rf"^{cls}\n(.|\n)*KERAS_BACKEND={backend}"):
        getattr(layers, cls)(lambda inputs: inputs)


@pytest.mark.parametrize(
    ("cls", "library"),
    [(c, library) for c, (names, library) in LAYERS.items() if BACKEND in names],
)
def test_a_library_that_is_missing_is_named_with_the_fix(cls, library):
    if find_spec(library) is not None:
        pytest.skip(f"{library} is installed")
    with pytest.raises(ImportError, match=f"pip install '{library}'"):
        getattr(layers, cls)(lambda inputs: inputs)


def test_an_error_that_is_no_refusal_stays_as_it_is():
    with pytest.raises(AssertionError, match="no refusal") as caught:
        try:
            raise AssertionError("no refusal")
        except AssertionError as error:
            reraise_refusal(layers.Identity(), [], error)
    assert caught.value.__cause__ is None  # not itself: who follows the causes would not end

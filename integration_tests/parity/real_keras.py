"""Real Keras on the backend of the run; a module that imports it is skipped where there is none."""

import os

import pytest

keras = pytest.importorskip("keras", reason="real Keras is not installed")
if keras.config.backend() != os.environ.get("KERAS_BACKEND"):
    pytest.skip("Keras runs on another backend", allow_module_level=True)

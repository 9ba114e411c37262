"""The models of zoo.py, made by keras_fn."""

import runpy
from pathlib import Path

import pytest

import keras_fn

ZOO = runpy.run_path(str(Path(__file__).with_name("zoo.py")))


@pytest.fixture
def zoo():
    """Returns the names that zoo.py defines."""
    return ZOO


@pytest.fixture
def make():
    """Returns a function that makes a model of zoo.py by name, its automatic names from 0."""

    def make_model(name):
        keras_fn.utils.clear_session()
        return ZOO["MODELS"][name](keras_fn)

    return make_model

"""Small layers that run in data pipelines, importable by worker processes."""

from typing import Any

import numpy as np

import keras_fn as keras
from keras_fn import ops
from keras_fn.layers.preprocessing.data_layer import DataLayer, HostLayer


def decode(array):
    """The strings of an array of text, flat; bytes were UTF-8."""
    return [v.decode() if isinstance(v, bytes) else v for v in array.ravel().tolist()]


class Lengths(HostLayer):
    """The number of characters of each string."""

    def compute_output_spec(self, inputs):
        return keras.KerasTensor(inputs.shape, "int64", record_history=False)

    def _call_on_host(self, inputs):
        return np.array([len(s) for s in decode(inputs)], "int64").reshape(inputs.shape)


class Upper(HostLayer):
    """Text in capitals."""

    def compute_output_spec(self, inputs):
        return keras.KerasTensor(inputs.shape, "string", record_history=False)

    def _call_on_host(self, inputs):
        return np.array([s.upper() for s in decode(inputs)], object).reshape(inputs.shape)


class Double(DataLayer):
    """Twice the numbers."""

    def call(self, inputs):
        return ops.cast(inputs, self.compute_dtype) * 2


class SumAndName(DataLayer):
    """Nested inputs and outputs."""

    def call(self, inputs):
        return {"sum": inputs["a"] + inputs["b"][0], "pair": (inputs["a"], inputs["b"][0] * 2)}


class Noise(DataLayer):
    """Adds random numbers."""

    def __init__(self, seed=None, **options):
        super().__init__(**options)
        self.seed, self.generator = seed, keras.random.SeedGenerator(seed)

    def call(self, inputs):
        return inputs + keras.random.uniform(ops.shape(inputs), seed=self.generator)


class Samples:
    """A data set of PyTorch or Grain: applies a layer to `make(index)`."""

    def __init__(self, layer: Any, make: Any, size: int = 4):
        self.layer, self.make, self.size = layer, make, size

    def __len__(self):
        return self.size

    def __getitem__(self, index):
        return self.layer(self.make(index))


def zeros(index):
    del index
    return np.zeros(2, "float32")


def text(index):
    return np.array(["a" * index])


def string(index):
    return "a" * index

"""The form of a row in the table of layers, and what a test does with one: make, draw, call."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

STEPS = np.array([[True, True, False, True], [False, True, True, False]])
"""A mask of four time steps. Data of the kind "steps" is 0 where it is False."""

_DTYPES = {"int": "int32", "byte": "uint8", "bool": "bool", "string": "string"}


@dataclass(frozen=True)
class Data:
    """A tensor of the inputs, drawn alike everywhere.

    Attributes:
        shape: Its shape, with the batch axis.
        kind: "float" (from -1.5 to 1.5), "whole" (floats without a fraction, from 0 to 6), "int"
            and "byte" (the same numbers as integers), "steps" (floats, some time steps all 0),
            "pixel" (floats from 0 to 255), "bool", or "string" (of `values`).
        high: Upper end (excluded) of whole numbers.
        values: What is passed instead of drawn values: an array, or lists.
    """

    shape: tuple[int, ...]
    kind: str = "float"
    high: int = 7
    values: Any = None

    @property
    def dtype(self) -> str:
        """The dtype of the symbolic tensor."""
        if self.kind == "values":
            return str(np.asarray(self.values).dtype)
        return _DTYPES.get(self.kind, "float32")

    def draw(self, seed: int = 0) -> np.ndarray:
        """Returns the values; others for another seed."""
        if self.values is not None:
            return np.asarray(self.values)
        wave = np.sin(np.arange(math.prod(self.shape)) * 1.7 + seed).reshape(self.shape) * 1.5
        if self.kind in ("int", "byte", "whole"):
            wave = np.floor(np.abs(wave) * 4) % self.high
        if self.kind == "bool":
            wave = wave > -0.5
        if self.kind == "steps":
            wave = wave * STEPS.reshape(*STEPS.shape, *[1] * (wave.ndim - 2))
        if self.kind == "pixel":
            wave = (wave + 1.5) * 85.0
        return wave.astype(self.dtype)


def floats(*shape: int) -> Data:
    """Floats from -1.5 to 1.5. A plain tuple as an input means the same."""
    return Data(shape)


def ints(*shape: int, high: int = 7) -> Data:
    """int32 from 0 to `high` - 1."""
    return Data(shape, "int", high)


def pixels(*shape: int) -> Data:
    """float32 from 0 to 255."""
    return Data(shape, "pixel")


def strings(values: Any) -> Data:
    """Strings, as nested lists."""
    return Data(np.asarray(values).shape, "string", values=values)


def values(numbers: Any, dtype: str = "float32") -> Data:
    """The numbers that are given."""
    array = np.asarray(numbers, dtype)
    return Data(array.shape, "values", values=array)


@dataclass(frozen=True)
class LayerCase:
    """A row: a layer and a call of it.

    The first row of a class stands for the class in every generated test; further ones, of other
    arguments, are compared with Keras and have a `variant`.

    Attributes:
        cls: The name of the class in `keras.layers`.
        arguments: Arguments of the constructor; or a function of `keras.layers` that returns them,
            where they hold layers.
        inputs: What the layer is called on: a shape, `Data`, or a list or dict of them; a tuple of
            these for several arguments by position.
        variant: What is special about a further row of the class.
        call: Keyword arguments of the call. `Data` among them is symbolic in symbolic calls;
            arrays are passed in concrete calls only.
        free: Axes of all inputs that may be None.
        masks: What becomes of the mask of the input, of shape (batch, time): "kept" (the output
            has it, too), "used" (steps that do not count have no influence; the output has none),
            "dropped" (the output has none), "made" (it comes from the values of the input), or
            None: the inputs have no time axis.
        channels: The axis of channels with "channels_first", in layers with `data_format`.
        random: Whether outputs are random in training.
        mixes: Whether the samples of a batch influence each other at inference, or the batch has a
            fixed size.
        host: Whether the call runs on the host: strings. It is not compiled.
        prepare: A function of the new layer: `adapt`.
        slopes: Whether gradients are compared with finite differences.
        trains: Names of trainable weights whose gradient may be missing, and why.
        only: Names of the float policies that it runs in; empty for all.
        runs_code: Whether its config names a program that would be run, so that nothing but the
            program itself may make it again.
        refuses: Shapes of inputs that are refused, in addition to those of other ranks.
        tolerance: Of values, next to Keras's.
        keras: False if Keras has no such layer, or cannot be asked.
        differs: Facts in which Keras is another: "config", "built", "supports_masking", "symbol",
            "weights", "values" or "dtypes" (of equal values), each with who is right.
    """

    cls: str
    arguments: Any = field(default_factory=dict)
    inputs: Any = None
    variant: str = ""
    call: Mapping[str, Any] = field(default_factory=dict)
    free: tuple[int, ...] = (0,)
    masks: str | None = None
    channels: int = 1
    random: bool = False
    mixes: bool = False
    host: bool = False
    prepare: Callable[[Any], None] | None = None
    slopes: bool = False
    trains: Mapping[str, str] = field(default_factory=dict)
    only: tuple[str, ...] = ()
    runs_code: bool = False
    refuses: tuple[tuple[int, ...], ...] = ()
    tolerance: float = 2e-5
    keras: bool = True
    differs: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name of the row."""
        return f"{self.cls}, {self.variant}" if self.variant else self.cls

    @property
    def positional(self) -> tuple[Any, ...]:
        """The arguments by position, nested `Data`."""
        given = self.inputs
        several = isinstance(given, tuple) and any(not isinstance(x, int) for x in given)
        return tuple(map(_to_data, given if several else (given,)))

    @property
    def data(self) -> list[Data]:
        """The tensors of the arguments by position."""
        return list(_leaves(self.positional))

    def make(self, keras: Any, **changes: Any) -> Any:
        """Returns a new layer of `keras`, with some arguments changed."""
        given = self.arguments(keras.layers) if callable(self.arguments) else self.arguments
        layer = getattr(keras.layers, self.cls)(**{**given, **changes})
        if self.prepare is not None:
            self.prepare(layer)
        return layer

    def draw(self, change: Callable[[np.ndarray], np.ndarray] | None = None) -> tuple[Any, ...]:
        """Returns the arguments by position, as arrays; `change` is applied to each."""
        seeds = iter(range(1000))
        change = change or (lambda x: x)
        return _map(lambda data: change(data.draw(next(seeds))), self.positional)

    def symbols(self, keras: Any, free: tuple[int, ...] | None = None) -> tuple[Any, ...]:
        """Returns the arguments by position, as `Input`s whose free axes are None."""
        free = self.free if free is None else free

        def symbol(data: Data) -> Any:
            shape = [None if i in free else n for i, n in enumerate(data.shape)]
            return keras.Input(batch_shape=shape, dtype=data.dtype)

        return _map(symbol, self.positional)

    def options(self, keras: Any = None) -> dict[str, Any]:
        """Returns the keyword arguments of a call; of a symbolic one if `keras` is given."""
        if keras is None:
            return _map(lambda d: d.draw(1) if isinstance(d, Data) else d, dict(self.call))
        rest = {k: v for k, v in self.call.items() if not isinstance(v, np.ndarray)}
        return _map(lambda d: keras.Input(batch_shape=(None, *d.shape[1:]), dtype=d.dtype)
                    if isinstance(d, Data) else d, rest)  # fmt: skip


def _to_data(x: Any) -> Any:
    if isinstance(x, tuple):
        return Data(x)
    if isinstance(x, dict):
        return {key: _to_data(value) for key, value in x.items()}
    return list(map(_to_data, x)) if isinstance(x, list) else x


def _map(function: Callable[[Any], Any], x: Any) -> Any:
    if isinstance(x, dict):
        return {key: _map(function, value) for key, value in x.items()}
    return type(x)(_map(function, i) for i in x) if isinstance(x, (list, tuple)) else function(x)


def _leaves(x: Any) -> Iterator[Any]:
    if isinstance(x, (dict, list, tuple)):
        for value in x.values() if isinstance(x, dict) else x:
            yield from _leaves(value)
    else:
        yield x


def fill(layer: Any) -> None:
    """Gives the weights values that are the same everywhere; variances are above 0."""
    filled = []
    for k, variable in enumerate(layer.weights):
        if "seed" in variable.path or not str(variable.dtype).startswith(("float", "bfloat")):
            filled.append(np.array(variable.numpy()))
            continue
        wave = np.cos(np.arange(math.prod(variable.shape)) * 0.9 + k) * 0.5
        spread = any(word in variable.path for word in ("variance", "stddev"))
        filled.append((np.abs(wave) + 0.5 if spread else wave).reshape(variable.shape))
    layer.set_weights(filled)
    if filled and hasattr(layer, "finalize_state"):  # without which Keras goes on with the old ones
        layer.finalize_state()

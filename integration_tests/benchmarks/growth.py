"""How time grows with the depth of a graph: building, saving, loading, first and warm predictions.

The times are of the CPU, so that they hold on a machine that does other work too.
"""

import gc
import math
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import keras_fn as keras
from keras_fn import layers

DEPTHS = (100, 400, 1600)
_WIDTH = 8
_X = np.full((4, _WIDTH), 0.01, "float32")


def rows() -> tuple[list[str], list[list[str]]]:
    """Returns the head and the rows of the table: seconds at each depth, and the exponent.

    The exponent is that of the power of the depth with which the time grows from 400 to 1,600.
    """
    measure(10)  # imports, and what each process compiles once
    columns = [measure(depth) for depth in DEPTHS]
    table = []
    for name in columns[0]:
        seconds = [column[name] for column in columns]
        exponent = math.log(seconds[-1] / seconds[-2]) / math.log(DEPTHS[-1] / DEPTHS[-2])
        table.append([name, *(f"{s:.3f} s" for s in seconds), f"{exponent:.2f}"])
    return ["Dense layers in a row", *(f"{depth:,}" for depth in DEPTHS), "exponent"], table


def measure(depth: int) -> dict[str, float]:
    """Returns the CPU seconds of each part of the life of a model of so many layers."""
    seconds: dict[str, float] = {}

    def timed(name: str, function: Callable[[], Any]) -> Any:
        gc.collect()  # else the garbage of one part is collected in another
        start = time.process_time()
        result = function()
        seconds[name] = time.process_time() - start
        return result

    model = timed("build", lambda: _chain(depth))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        timed("save", lambda: model.save(path))
        model = timed("load", lambda: keras.saving.load_model(path))
    timed("first predict", lambda: model.predict(_X, verbose=0))
    timed("warm predict", lambda: model.predict(_X, verbose=0))
    model.compile("sgd", "mse")
    timed("first step of fit", lambda: model.train_on_batch(_X, _X))
    return seconds


def _chain(depth: int) -> keras.Model:
    x = inputs = keras.Input((_WIDTH,))
    for _ in range(depth):
        x = layers.Dense(_WIDTH)(x)
    return keras.Model(inputs, x)

"""The number of files that data passes through on its way from `fit` to the kernel is bounded.

A file counts if one of its functions holds the data: an array or a tensor whose last axis has the
size of the features, in a parameter or a local variable, alone or in lists, tuples and dicts.
`*args` and `**kwargs`, with which decorators pass anything on, do not count, nor do specs without
values. The way ends where the layer or the op that it calls passes the data to the backend.
"""

import inspect
import sys
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import numpy as np

import keras_fn as keras
from keras_fn import layers
from keras_fn.backend.loader import current

ROOT = Path(keras.__file__).resolve().parent.parent
BACKENDS = f"{ROOT / 'backends'}/"
SOURCES = (f"{ROOT / 'keras_fn'}/", BACKENDS)
CALLERS_OF_KERNELS = (f"{ROOT / 'keras_fn/ops'}/", f"{ROOT / 'keras_fn/layers/core/dense.py'}")

FEATURES = 7  # the last axis of the data, and of nothing else
X = np.ones((12, FEATURES), "float32")
Y = np.ones((12, 3), "float32")

MOST_FILES = 15
MOST_FILES_WHEN_WARM = 10


def is_data(x: Any, depth: int = 3) -> bool:
    if isinstance(x, np.ndarray) or current().is_tensor(x):
        return len(x.shape) == 2 and x.shape[-1] == FEATURES
    if depth and isinstance(x, (list, tuple)):
        return any(is_data(item, depth - 1) for item in x)
    return bool(depth) and isinstance(x, dict) and is_data(list(x.values()), depth)


def variables_of(code: CodeType) -> set[str]:
    """Returns the names of parameters and local variables, without `*args` and `**kwargs`."""
    count = code.co_argcount + code.co_kwonlyargcount
    stars = bool(code.co_flags & inspect.CO_VARARGS) + bool(code.co_flags & inspect.CO_VARKEYWORDS)
    names = code.co_varnames[:count] + code.co_varnames[count + stars :]
    return {*names, *code.co_cellvars}


class DataPath:
    """Records the files that hold the data, between `start` and the kernel."""

    def __init__(self) -> None:
        self.files: dict[str, set[str]] = {}

    def start(self) -> None:
        sys.setprofile(self._record)

    def stop(self) -> None:
        sys.setprofile(None)

    def _record(self, frame: FrameType, event: str, _: Any) -> None:
        code = frame.f_code
        if event not in ("call", "return") or not code.co_filename.startswith(SOURCES):
            return
        holding = {name for name, value in frame.f_locals.items() if is_data(value)}
        caller = frame.f_back.f_code.co_filename if frame.f_back else ""
        is_kernel = code.co_filename.startswith(BACKENDS) and caller.startswith(CALLERS_OF_KERNELS)
        if holding & variables_of(code) or (holding and is_kernel):
            file = str(Path(code.co_filename).relative_to(ROOT))
            self.files.setdefault(file, set()).add(code.co_qualname)
        if event == "call" and holding and is_kernel:
            self.stop()

    def __str__(self) -> str:
        return "\n".join(f"{file}: {', '.join(sorted(n))}" for file, n in self.files.items())


class LastBatch(keras.callbacks.Callback):
    """Records the last step of an epoch of three."""

    def __init__(self, path: DataPath):
        super().__init__()
        self.path = path

    def on_train_batch_begin(self, batch, logs=None):
        if batch == 2:
            self.path.start()

    def on_train_batch_end(self, batch, logs=None):
        self.path.stop()


def dense_model() -> keras.Model:
    inputs = keras.Input((FEATURES,))
    model = keras.Model(inputs, layers.Dense(3)(inputs))
    model.compile("sgd", "mse")
    return model


def test_the_first_step_passes_through_few_files():
    dense_model().fit(X, Y, batch_size=4, verbose=0)  # imports, and the first call of each op
    path, model = DataPath(), dense_model()
    path.start()
    try:
        model.fit(X, Y, batch_size=3, verbose=0)  # another size: it shares no program
    finally:
        path.stop()
    assert any(file.startswith("backends") for file in path.files)
    assert "keras_fn/layers/core/dense.py" in path.files
    assert len(path.files) <= MOST_FILES, f"{len(path.files)} files:\n{path}"


def test_a_warm_step_passes_through_few_files():
    model = dense_model()
    model.fit(X, Y, batch_size=4, epochs=2, verbose=0)
    path = DataPath()
    model.fit(X, Y, batch_size=4, verbose=0, callbacks=[LastBatch(path)])
    assert path.files
    assert len(path.files) <= MOST_FILES_WHEN_WARM, f"{len(path.files)} files:\n{path}"

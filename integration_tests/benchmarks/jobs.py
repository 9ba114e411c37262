"""The benchmark jobs: each is the same work for keras_fn, real Keras and a native program."""

import importlib
import importlib.util
import os
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import models
from native_weights import draw_weights

BACKEND = os.environ.setdefault("KERAS_BACKEND", "jax")
Work = Callable[[], Any]


class Job(NamedTuple):
    """One row of the table."""

    title: str
    target: float  # upper bound of our time, as a multiple of the native program's
    keras: Callable[[Any], Work]  # the work with a library: ours or real Keras
    native: Callable[[Any], Work]  # the same work as a native program
    steps: int = 1  # times are divided by these
    rounds: float = 1.0  # factor of the number of rounds


def sides() -> dict[str, Any]:
    """Returns the libraries and the native programs: `ours`, `native`, and `keras` if installed."""
    import keras_fn

    found = {"ours": keras_fn, "native": importlib.import_module(f"native_{BACKEND}")}
    if importlib.util.find_spec("keras"):
        found["keras"] = importlib.import_module("keras")
    return found


def measure(
    job: Job,
    sides: dict[str, Any],
    rounds: int,
    *,
    warm_up: int = 2,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, float]:
    """Returns the shortest time of each side in seconds, measured alternately."""
    works = {
        name: (job.native if name == "native" else job.keras)(side) for name, side in sides.items()
    }
    for _ in range(warm_up):  # compile
        for work in works.values():
            work()
    best = dict.fromkeys(works, float("inf"))
    for _ in range(max(1, round(rounds * job.rounds))):
        for name, work in works.items():
            start = clock()
            work()
            best[name] = min(best[name], clock() - start)
    return {name: seconds / job.steps for name, seconds in best.items()}


class Fit(NamedTuple):
    """A training job: some epochs, including the overhead of a call of `fit`."""

    model: str
    title: str
    target: float
    steps: int  # an epoch
    batch: int
    epochs: int
    program: str = ""  # name of the native program, if different

    def data(self) -> tuple[Any, Any]:
        return getattr(models, f"{self.model}_data")(self.steps * self.batch)

    def keras(self, keras: Any) -> Work:
        x, y = self.data()
        model = getattr(models, self.model)(keras)
        return lambda: model.fit(x, y, batch_size=self.batch, epochs=self.epochs, verbose=0)

    def native(self, programs: Any) -> Work:
        run = getattr(programs, self.program or self.model)(*self.data(), self.batch)
        return lambda: [run() for _ in range(self.epochs)]

    def job(self) -> Job:
        return Job(self.title, self.target, self.keras, self.native, self.steps * self.epochs)


# On JAX and TensorFlow many steps run in one call; the first native loop of the MLP does not.
_MLP = 1.05 if BACKEND == "torch" else 0.7
FITS = {
    "mlp": Fit("mlp", "guide MLP, fit step, batch 64", _MLP, 100, 64, 5),
    "scan": Fit("mlp", "the same, native: an epoch a call", 1.05, 100, 64, 5, "mlp_scanned"),
    "resnet": Fit("resnet", "toy ResNet, fit step, batch 64", 1.03, 4, 64, 1),
    "ticket": Fit("ticket", "ticket model, fit step, batch 32", 1.05, 8, 32, 5),
    "transformer": Fit("transformer", "transformer, fit step, batch 32", 1.03, 4, 32, 1),
    "attention": Fit("attention", "MultiHeadAttention, fit step, batch 32", 1.05, 8, 32, 1),
    "lstm": Fit("masked_lstm", "masked LSTM, fit step, batch 32", 1.1, 8, 32, 5),
    "gru": Fit("masked_gru", "masked GRU, fit step, batch 32", 1.1, 8, 32, 5),
}
if BACKEND == "torch":  # it runs step by step, compiled or not
    del FITS["scan"]


def forward(
    rows: int, calls: int = 200, name: str = "mlp", title: str = "MLP", target: float = 1.5
) -> Job:
    """Calls of a built model."""
    x = getattr(models, f"{name}_data")(rows)[0]
    from keras_fn import ops

    def repeated(call: Work) -> Work:
        return lambda: ops.convert_to_numpy([call() for _ in range(calls)][-1])

    def keras(keras: Any) -> Work:
        model, tensor = getattr(models, name)(keras), ops.convert_to_tensor(x)
        return repeated(lambda: model(tensor))

    title = f"model(x), {title}, {rows} row{'s' * (rows > 1)}"
    return Job(title, target, keras, lambda native: repeated(native.forward(x, name)), calls)


def predict(rows: int, batch: int, target: float) -> Job:
    """`predict` of NumPy arrays.

    The native program loops over batches in the same way. A single batch is a bare call on data on
    the device; several calls are timed together, as one is too short.
    """
    x = models.mlp_data(rows)[0]
    calls = 20 if batch >= rows else 1
    from keras_fn import ops

    def native(programs: Any) -> Work:
        if batch < rows:
            return programs.predict(x, batch)
        call = programs.forward(x)
        return lambda: [ops.convert_to_numpy(call()) for _ in range(calls)]

    def keras(keras: Any) -> Work:
        model = models.mlp(keras)
        return lambda: [model.predict(x, batch_size=batch, verbose=0) for _ in range(calls)]

    title = f"predict, MLP, {rows:,} rows" + (f", batch {batch}" if batch < rows else "")
    return Job(title, target, keras, native, calls, rounds=5)


def build(count: int, *, read: bool = False) -> Job:
    """Building a chain of dense layers; with `read`, also reading their weights."""

    def keras(keras: Any) -> Work:
        if read:
            return lambda: models.read_weights(models.dense_stack(keras, count))
        return lambda: models.dense_stack(keras, count)

    title = "the same, all weights read" if read else f"build {count} Dense"
    return Job(title, 3, keras, lambda native: lambda: native.dense_stack(count))


def read(name: str, title: str) -> Job:
    """Building a large model and reading its weights, compared with drawing them in NumPy."""
    return Job(
        f"build {title}, all weights read",
        2,
        lambda keras: lambda: models.read_weights(getattr(models, name)(keras)),
        lambda native: lambda: [native.tensor(w) for w in draw_weights(name)],
        rounds=0.4,
    )


JOBS: dict[str, Callable[[], Job]] = {
    **{name: fit.job for name, fit in FITS.items()},
    "forward": lambda: forward(1),
    "attend": lambda: forward(32, 5, "attention", "MultiHeadAttention", 1.05),
    "predict": lambda: predict(32, 32, 2),
    "predict256": lambda: predict(6400, 256, 1.1),
    "dense": lambda: build(200),
    "drawn": lambda: build(200, read=True),
    "vgg19": lambda: read("vgg19", "VGG19"),
    "resnet50": lambda: read("resnet50", "ResNet50"),
}

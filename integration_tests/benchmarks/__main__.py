"""keras_fn against hand-written programs: one backend, one process, turn about.

    KERAS_BACKEND=torch python integration_tests/benchmarks [--rounds 7] [--only mlp,forward]
    KERAS_BACKEND=torch python integration_tests/benchmarks --ops

Each row is the shortest of several rounds, which a busy machine disturbs least.
"""

import argparse
import compileall
import importlib
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

BACKEND = os.environ.setdefault("KERAS_BACKEND", "jax")
# Samples, batch size, epochs and title of each training job.
FITS = {
    "mlp": (64 * 100, 64, 5, "guide MLP, fit step, batch 64"),
    "resnet": (64 * 4, 64, 1, "toy ResNet, fit step, batch 64"),
    "ticket": (32 * 8, 32, 5, "ticket model, fit step, batch 32"),
}


def shortest(ours: Callable[[], Any], native: Callable[[], Any], rounds: int) -> list[float]:
    """Returns the shortest time of each, in seconds, measured turn about."""
    best = [float("inf")] * 2
    for _ in range(2):  # compile
        ours(), native()
    for _ in range(rounds):
        for i, work in enumerate((ours, native)):
            start = time.perf_counter()
            work()
            best[i] = min(best[i], time.perf_counter() - start)
    return best


def fit(name: str, rounds: int) -> tuple[str, list[float], int]:
    """Times some epochs of training: a call of `fit` with all that belongs to it."""
    import models

    samples, batch, epochs, title = FITS[name]
    x, y = getattr(models, f"{name}_data")(samples)
    model = getattr(models, name)()
    native = getattr(_native(), name)(x, y, batch)

    def ours() -> None:
        model.fit(x, y, batch_size=batch, epochs=epochs, verbose=0)

    times = shortest(ours, lambda: [native() for _ in range(epochs)], rounds)
    return title, times, epochs * samples // batch


def forward(rounds: int, rows: int) -> tuple[str, list[float], int]:
    """Times calls of a built model."""
    import models

    model, native = models.mlp(), _native()
    x = models.mlp_data(rows)[0]
    from keras_fn import ops

    tensor, many, call = ops.convert_to_tensor(x), range(200), native.forward(x)

    def all_of(function: Callable[[], Any]) -> Callable[[], None]:
        return lambda: ops.convert_to_numpy([function() for _ in many][-1])

    times = shortest(all_of(lambda: model(tensor)), all_of(call), rounds)
    return f"model(x), MLP, {rows} rows", times, 200


def predict(rounds: int, rows: int) -> tuple[str, list[float], int]:
    """Times `predict`, which takes and returns NumPy arrays."""
    import models

    model, call = models.mlp(), _native().forward(models.mlp_data(rows)[0])
    x = models.mlp_data(rows)[0]
    from keras_fn import ops

    def native() -> None:
        ops.convert_to_numpy(call())

    times = shortest(lambda: model.predict(x, batch_size=rows, verbose=0), native, rounds)
    return f"predict, MLP, {rows} rows", times, 1


def build(name: str, title: str, rounds: int, *args: Any) -> tuple[str, list[float], int]:
    """Times building."""
    import models

    ours, native = getattr(models, name), getattr(_native(), name)
    return title, shortest(lambda: ours(*args), lambda: native(*args), rounds), 1


def imports() -> tuple[str, list[float], int]:
    """Times `import keras_fn` with its layers over the bare framework."""
    framework = {"jax": "jax.numpy", "torch": "torch", "tensorflow": "tensorflow"}[BACKEND]
    root = Path(__file__).parents[2]
    for folder in ("keras_fn", "backends"):  # as pip does when it installs a package
        compileall.compile_dir(root / folder, quiet=1)

    def seconds(code: str) -> float:
        timed = f"import time; t = time.perf_counter(); {code}; print(time.perf_counter() - t)"
        runs = [
            subprocess.run(
                [sys.executable, "-c", timed], capture_output=True, text=True, check=True
            ).stdout
            for _ in range(5)
        ]
        return min(float(out.split()[-1]) for out in runs)

    bare = seconds(f"import {framework}")
    return "import with layers and models", [seconds("import keras_fn; keras_fn.Model"), bare], 1


def _native() -> Any:
    return importlib.import_module(f"native_{BACKEND}")


def main() -> None:
    """Prints the table."""
    from rich.console import Console
    from rich.table import Table

    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", default="")
    parser.add_argument("--ops", action="store_true", help="single ops instead of whole jobs")
    options = parser.parse_args()
    if options.ops:
        Console(width=88).print(ops_table(options.rounds))
        return
    jobs: dict[str, Callable[[], tuple[str, list[float], int]]] = {
        **{name: lambda name=name: fit(name, options.rounds) for name in FITS},
        "forward": lambda: forward(options.rounds, 1),
        "predict": lambda: predict(options.rounds * 5, 32),
        "dense": lambda: build("dense_stack", "build 200 Dense", options.rounds, 200),
        "drawn": lambda: build(
            "drawn_dense_stack", "the same, all weights read", options.rounds, 200
        ),
        "vgg19": lambda: build("vgg19", "VGG19, all weights read (native: weights)", 2),
        "import": imports,
    }
    table = Table(title=f"keras_fn on {BACKEND}")
    for column in ("work", "ours", "native", "ratio"):
        table.add_column(column, justify="left" if column == "work" else "right")
    for name in options.only.split(",") if options.only else jobs:
        title, (ours, native), steps = jobs[name]()
        table.add_row(title, _shown(ours / steps), _shown(native / steps), f"{ours / native:.2f}")
    Console(width=88).print(table)


def ops_table(rounds: int) -> Any:
    """What each class of ops costs above the native call."""
    import op_calls
    from rich.table import Table

    table = Table(title=f"ops on {BACKEND}, microseconds a call")
    table.add_column("op")
    for column in ("ours", "native", "above", "compiled", "native", "above"):
        table.add_column(column, justify="right")
    for row in op_calls.measure(BACKEND, rounds):
        eager, quick = row.ours - row.native, row.compiled - row.native_compiled
        numbers = (row.ours, row.native, eager, row.compiled, row.native_compiled, quick)
        table.add_row(row.title, *(f"{n:.1f}" for n in numbers))
    return table


def _shown(seconds: float) -> str:
    if seconds < 1e-3:
        return f"{seconds * 1e6:.0f} us"
    return f"{seconds * 1e3:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"


if __name__ == "__main__":
    main()

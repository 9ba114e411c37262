"""Time to build each application, next to NumPy that draws as many weights, and to real Keras.

Run it on one backend, in an environment with or without real Keras:
`KERAS_BACKEND=torch python -m integration_tests.benchmarks.applications [--only ResNet50,VGG16]`.
`built` is the model alone; `drawn` also reads all weights, which draws them; `loaded` builds with
weights from a file. Goals: built and drawn at most twice NumPy's time. Measured is processor time,
which other programs disturb less: set OMP_NUM_THREADS=1.
"""

import argparse
import importlib.util
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from integration_tests.benchmarks import tables

NAMES = (
    "MobileNetV3Small", "MobileNetV2", "MobileNet", "EfficientNetB0", "EfficientNetV2B0",
    "NASNetMobile", "DenseNet121", "DenseNet201", "Xception", "InceptionV3", "ResNet50",
    "ResNet50V2", "ResNet152", "ConvNeXtTiny", "InceptionResNetV2", "EfficientNetB7", "VGG16",
)  # fmt: skip
HEAD = ["application", "NumPy", "built", "drawn", "loaded", "Keras", "drawn / NumPy"]


def best_time(work: Callable[[], Any], rounds: int) -> float:
    """Returns the least processor time of several rounds, in seconds."""
    times = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def draw(shapes: list[tuple[int, ...]]) -> list[np.ndarray]:
    """Draws arrays of these shapes, as fast as NumPy can."""
    random = np.random.default_rng(0)
    return [random.random(shape, dtype="float32") for shape in shapes]


def read(model: Any) -> list[Any]:
    """Reads all weights, which draws those that were not read yet."""
    return [weight.value for weight in model.weights]


def row(name: str, packages: dict[str, Any], rounds: int) -> list[str]:
    """Measures one application."""
    ours = getattr(packages["ours"].applications, name)
    model = ours(weights=None)
    shapes = [tuple(weight.shape) for weight in model.weights]
    values = {
        "numpy": best_time(lambda: draw(shapes), rounds),
        "built": best_time(lambda: ours(weights=None), rounds),
        "drawn": best_time(lambda: read(ours(weights=None)), rounds),
    }
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.weights.h5"
        model.save_weights(file)
        values["loaded"] = best_time(lambda: ours(weights=file), rounds)
    del model
    if "keras" in packages:
        theirs = getattr(packages["keras"].applications, name)
        values["keras"] = best_time(lambda: theirs(weights=None), 1)
    ratio = values["drawn"] / values["numpy"]
    shown = [
        f"{values[key] * 1e3:.0f} ms" if key in values else ""
        for key in ("numpy", "built", "drawn", "loaded", "keras")
    ]
    return [name, *shown, f"{ratio:.2f}"]


def main() -> None:
    """Prints the table, and writes it to a page."""
    from rich.console import Console

    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default=",".join(NAMES))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="a page for the table")
    options = parser.parse_args()

    import keras_fn

    packages: dict[str, Any] = {"ours": keras_fn}
    if importlib.util.find_spec("keras") is not None:
        import keras

        packages["keras"] = keras
    title = f"applications on {os.environ.get('KERAS_BACKEND', 'jax')}"

    def rows() -> Iterator[list[str]]:
        for name in options.only.split(","):
            yield row(name, packages, options.rounds)
            for package in packages.values():
                package.utils.clear_session()

    done = []
    for measured in rows():
        done.append(measured)
        if options.markdown:
            tables.write(options.markdown, title, HEAD, [measured])
    Console(width=120).print(tables.make_rich_table(title, HEAD, done))


if __name__ == "__main__":
    main()

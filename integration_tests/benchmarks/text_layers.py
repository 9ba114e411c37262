"""Speed of the layers of text: 100,000 lines and 10 million strings, next to Keras and pandas.

Run it in an environment with real Keras, on one backend:
`KERAS_BACKEND=tensorflow python -m integration_tests.benchmarks.text_layers`. pandas is measured
where it is installed, also alone: `python -m integration_tests.benchmarks.text_layers pandas`.
"""

import importlib.util
import random
import string
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

LINES, STRINGS, CATEGORIES, ROUNDS = 100_000, 10_000_000, 10_000, 3


def make_lines() -> list[str]:
    """Returns lines of 10 to 30 words, the frequencies of which fall as in a language."""
    draw = random.Random(0)
    letters = string.ascii_lowercase
    words = ["".join(draw.choices(letters, k=draw.randint(2, 9))) for _ in range(20_000)]
    weights = [1 / (rank + 10) for rank in range(len(words))]
    lines = []
    for _ in range(LINES):
        line = draw.choices(words, weights, k=draw.randint(10, 30))
        lines.append(" ".join([line[0].capitalize(), *line[1:]]) + ".")
    return lines


def make_strings() -> np.ndarray:
    """Returns an array of objects, with many references to some strings."""
    names = np.array([f"category {i}" for i in range(CATEGORIES)], object)
    return names[np.random.default_rng(0).integers(0, CATEGORIES, STRINGS)]


def programs_of(keras: Any, lines: list[str], strings: np.ndarray) -> dict[str, Callable[[], Any]]:
    """Returns what is measured of a package."""
    array = np.array(lines, object)
    learns = keras.layers.TextVectorization(max_tokens=10_000)
    vectorizes = keras.layers.TextVectorization(max_tokens=10_000, output_sequence_length=32)
    vectorizes.adapt(array)
    lookup = keras.layers.StringLookup(vocabulary=sorted(set(strings[:1_000_000])))
    return {
        "TextVectorization.adapt": lambda: learns.adapt(array),
        "TextVectorization, array": lambda: vectorizes(array),
        "TextVectorization, list": lambda: vectorizes(lines),
        "StringLookup": lambda: lookup(strings),
    }


def measure(run: Callable[[], Any]) -> tuple[float, float]:
    """Returns the seconds of a call, and those of all cores."""
    start, used = time.perf_counter(), time.process_time()
    run()
    return time.perf_counter() - start, time.process_time() - used


def main() -> None:
    """Prints the best time of each program, in turns."""
    warnings.filterwarnings("ignore")
    strings = make_strings()
    programs: dict[str, Callable[[], Any]] = {}
    if sys.argv[1:] != ["pandas"]:
        lines = make_lines()
        for package in ("keras_fn", "keras"):
            if importlib.util.find_spec(package):
                found = programs_of(importlib.import_module(package), lines, strings)
                programs.update({f"{name} ({package})": run for name, run in found.items()})
    if importlib.util.find_spec("pandas"):
        pandas: Any = importlib.import_module("pandas")
        programs["factorize (pandas)"] = lambda: pandas.factorize(strings)
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in sorted(programs)}
    for _ in range(ROUNDS):
        for name, found in times.items():
            found.append(measure(programs[name]))
    for name, pairs in times.items():
        wall, cores = (min(values) for values in zip(*pairs, strict=True))
        print(f"{name:36s} {wall:6.3f} s, {cores:6.3f} s of the cores")


if __name__ == "__main__":
    main()

"""Speed of image layers: flip, rotate and resize 1,000 images, next to Keras and native code.

Run it in an environment with real Keras, on one backend:
`KERAS_BACKEND=torch python -m integration_tests.benchmarks.image_layers`. On PyTorch the native
program is torchvision's transforms v2 where it is installed, else `affine_grid` and `grid_sample`.
"""

import importlib.util
import os
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

COUNT, BATCH, SIZE, RESIZED, ROUNDS = 1000, 100, 256, 224, 3
FACTOR = 0.1


def layers_program(keras: Any) -> Callable[[np.ndarray], Any]:
    """Returns the three layers of a package, called one after the other, outside of a model."""
    layers = [
        keras.layers.RandomFlip("horizontal", data_format="channels_last"),
        keras.layers.RandomRotation(FACTOR, data_format="channels_last"),
        keras.layers.Resizing(RESIZED, RESIZED, data_format="channels_last"),
    ]

    def run(batch: np.ndarray) -> Any:
        outputs: Any = batch
        for layer in layers:
            outputs = layer(outputs, training=True)
        return outputs

    return run


def torchvision_program() -> Callable[[np.ndarray], Any]:
    """Returns torchvision's transforms, which draw for each image when called on each."""
    import torch
    from torchvision.transforms import InterpolationMode, v2

    transforms = v2.Compose(
        [
            v2.ToDtype(torch.float32),
            v2.RandomHorizontalFlip(),
            v2.RandomRotation(360 * FACTOR, InterpolationMode.BILINEAR),
            v2.Resize((RESIZED, RESIZED), antialias=False),
        ]
    )

    def run(batch: np.ndarray) -> Any:
        images = torch.from_numpy(batch).permute(0, 3, 1, 2)
        return torch.stack([transforms(image) for image in images])

    return run


def grid_sample_program() -> Callable[[np.ndarray], Any]:
    """Returns the same by hand in PyTorch, on whole batches."""
    import math

    import torch
    import torch.nn.functional as F

    def run(batch: np.ndarray) -> Any:
        x = torch.from_numpy(batch).permute(0, 3, 1, 2).float()
        flips = torch.rand(len(x), 1, 1, 1) < 0.5
        x = torch.where(flips, x.flip(-1), x)
        angle = (torch.rand(len(x)) * 2 - 1) * FACTOR * 2 * math.pi
        c, s, zero = torch.cos(angle), torch.sin(angle), torch.zeros(len(x))
        matrix = torch.stack([c, -s, zero, s, c, zero], 1).reshape(-1, 2, 3)
        grid = F.affine_grid(matrix, list(x.shape), align_corners=False)
        x = F.grid_sample(x, grid, "bilinear", "reflection", align_corners=False)
        return F.interpolate(x, (RESIZED, RESIZED), mode="bilinear", align_corners=False)

    return run


def wait(output: Any) -> None:
    """Waits until a result is there."""
    if hasattr(output, "block_until_ready"):
        output.block_until_ready()


def measure(run: Callable[[np.ndarray], Any], images: np.ndarray) -> tuple[float, float]:
    """Returns the seconds for all images, in batches, and those of all cores."""
    start, used = time.perf_counter(), time.process_time()
    for i in range(0, len(images), BATCH):
        wait(run(images[i : i + BATCH]))
    return time.perf_counter() - start, time.process_time() - used


def main() -> None:
    """Prints the best time of each program, in turns."""
    warnings.filterwarnings("ignore")
    import keras_fn

    programs = {"keras_fn": layers_program(keras_fn)}
    if importlib.util.find_spec("keras"):
        import keras

        programs["Keras"] = layers_program(keras)
    if os.environ.get("KERAS_BACKEND") == "torch":
        programs["grid_sample"] = grid_sample_program()
        if importlib.util.find_spec("torchvision"):
            programs["torchvision v2"] = torchvision_program()
    only = sys.argv[1:]
    programs = {k: v for k, v in programs.items() if not only or k in only}
    shape = (COUNT, SIZE, SIZE, 3)
    images = np.random.default_rng(0).integers(0, 256, shape, dtype="uint8")
    for run in programs.values():
        for _ in range(2):
            wait(run(images[:BATCH]))
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in programs}
    for _ in range(ROUNDS):
        for name, run in programs.items():
            times[name].append(measure(run, images))
    for name, pairs in times.items():
        wall, cores = (min(values) for values in zip(*pairs, strict=True))
        print(f"{name:16s} {wall:6.2f} s, {cores:6.2f} s of the cores, for {COUNT} images")


if __name__ == "__main__":
    main()

"""Speed of reading a folder of JPEGs in batches, next to torchvision and to Keras on tf.data.

    python integration_tests/benchmarks/image_folder.py --torchvision PYTHON --keras PYTHON

PYTHON is the interpreter of an environment with torchvision, and of one with Keras and TensorFlow;
`--fast` takes one with keras-fn[fast-image]. A side without one is left out. Each side runs in a
process of its own, in turns with the others, and reads the folder twice with as many workers: the
second pass is measured. Printed are the best time of several rounds, and the least processor time,
which other programs disturb less.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

SIZE, BATCH_SIZE, CLASSES = (224, 224), 32, 10


def make_folder(folder: Path, count: int) -> None:
    """Writes JPEGs of the mean size of ImageNet's, about 65 kB each."""
    from PIL import Image

    random = np.random.default_rng(0)
    for index in range(count):
        blocks = random.integers(0, 256, (25, 33, 3)).astype("uint8")
        smooth = Image.fromarray(blocks).resize((500, 375), Image.Resampling.BICUBIC)
        noise = random.integers(-12, 12, (375, 500, 3))
        pixels = np.clip(np.asarray(smooth) + noise, 0, 255).astype("uint8")
        path = folder / f"class_{index % CLASSES}" / f"{index}.jpg"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(pixels).save(path, quality=90)


def read_ours(folder: str, workers: int) -> Iterable[Any]:
    """The loader of `format="keras"`: threads that decode with Pillow."""
    import keras_fn as keras

    return keras.utils.image_dataset_from_directory(
        folder,
        image_size=SIZE,
        batch_size=BATCH_SIZE,
        seed=1,
        verbose=False,
        format="keras",
        workers=workers,
    )


def read_torchvision(folder: str, workers: int) -> Iterable[Any]:
    """ImageFolder and DataLoader: processes that decode with Pillow."""
    import torch
    from torchvision import datasets, transforms

    transform = transforms.Compose([transforms.Resize(SIZE), transforms.ToTensor()])
    data = datasets.ImageFolder(folder, transform)
    return torch.utils.data.DataLoader(
        data, BATCH_SIZE, shuffle=True, num_workers=workers, persistent_workers=True
    )


def read_keras(folder: str, workers: int) -> Iterable[Any]:
    """Keras on tf.data, whose threads are limited to the number of workers."""
    os.environ["KERAS_BACKEND"] = "tensorflow"
    import keras
    import tensorflow as tf

    data = keras.utils.image_dataset_from_directory(
        folder, image_size=SIZE, batch_size=BATCH_SIZE, seed=1, verbose=False
    )
    options = tf.data.Options()
    options.threading.private_threadpool_size = workers
    return data.with_options(options)


SIDES: dict[str, Callable[[str, int], Iterable[Any]]] = {
    "keras_fn": read_ours,
    "fast-image": read_ours,
    "torchvision": read_torchvision,
    "keras": read_keras,
}


def measure(side: str, folder: str, workers: int) -> None:
    """Prints the number of images, and what the second pass takes."""
    data = SIDES[side](folder, workers)
    count = sum(len(labels) for _, labels in data)
    start, used = time.perf_counter(), processor_time(os.getpid())
    assert sum(len(labels) for _, labels in data) == count
    seconds, used = time.perf_counter() - start, processor_time(os.getpid()) - used
    print(json.dumps({"images": count, "seconds": seconds, "processor": used}))


def processor_time(pid: int) -> float:
    """Returns the seconds that a process and those that it started have used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    ticks = sum(map(int, fields[11:13]))
    children = [path.read_text().split() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    of_children = sum(processor_time(int(child)) for listed in children for child in listed)
    return ticks / os.sysconf("SC_CLK_TCK") + of_children


def run(python: str, arguments: list[str]) -> dict[str, float]:
    """Measures a side in a process."""
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    command = [python, __file__, *arguments]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if result.returncode:
        raise RuntimeError(result.stderr[-2000:])
    return json.loads(result.stdout.splitlines()[-1])


def rows(options: argparse.Namespace, folder: str) -> Iterator[tuple[str, dict[str, float]]]:
    pythons = {
        "keras_fn": sys.executable,
        "fast-image": options.fast,
        "torchvision": options.torchvision,
        "keras": options.keras,
    }
    for _ in range(options.rounds):
        for side, python in pythons.items():
            if python:
                arguments = ["--side", side, "--folder", folder, "--workers", str(options.workers)]
                yield side, run(python, arguments)


def main() -> None:
    """Prints images per second, and milliseconds of a processor for each image."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--images", type=int, default=5000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--fast", help="an interpreter that has keras-fn[fast-image]")
    parser.add_argument("--torchvision", help="an interpreter that has it")
    parser.add_argument("--keras", help="an interpreter that has Keras and TensorFlow")
    parser.add_argument("--folder", help="of the images; by default one is made")
    parser.add_argument("--side", choices=SIDES, help="measure one, in this process")
    options = parser.parse_args()
    if options.side:
        measure(options.side, options.folder, options.workers)
        return
    with tempfile.TemporaryDirectory() as temporary:
        if not options.folder:
            make_folder(Path(temporary), options.images)
        best: dict[str, list[dict[str, float]]] = {}
        for side, found in rows(options, options.folder or temporary):
            best.setdefault(side, []).append(found)
    print(f"load {os.getloadavg()[0]:.1f}, {options.workers} workers, {options.rounds} rounds")
    for side, results in best.items():
        speed = max(r["images"] / r["seconds"] for r in results)
        cost = min(r["processor"] / r["images"] for r in results) * 1e3
        print(f"{side:12} {speed:8.0f} images/s {cost:8.2f} ms of a processor for an image")


if __name__ == "__main__":
    main()

"""A training step of two processes, compared with hand-written DDP and FSDP2 of PyTorch.

`KERAS_BACKEND=torch OMP_NUM_THREADS=1 python -m keras_fn.launch -n 2 replica_speed.py [WIDTH]`
prints the milliseconds of a step, and the ratios. All take turns in the same processes; the figure
is the median of the rounds, in which the slower process counts.
"""

import os
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.fsdp import fully_shard
from torch.nn.parallel import DistributedDataParallel

import keras_fn as keras
from keras_fn import distribution, layers

WIDTH, DEPTH, BATCH = int(sys.argv[1]) if len(sys.argv) > 1 else 1024, 8, 256
ROUNDS, STEPS = 7, 3
PROCESS = int(os.environ["KERAS_DISTRIBUTION_PROCESS_ID"])


def make_own_step(x: Any, y: Any, shard_weights: bool) -> Callable[[], object]:
    """Returns a step of `fit`: of a batch that is on the device."""
    distribution.set_distribution(distribution.DataParallel(shard_weights=shard_weights))
    keras.utils.clear_session(free_memory=False)
    inputs = outputs = keras.Input((WIDTH,))
    for _ in range(DEPTH):
        outputs = layers.Dense(WIDTH, activation="relu")(outputs)
    model = keras.Model(inputs, outputs)
    model.compile(keras.optimizers.Adam(1e-4), "mse")
    model.train_on_batch(x, y)
    step = model._get_step_function("train")
    batch = ([torch.tensor(x)], [torch.tensor(y)], None)
    return lambda: step(batch, None)


def make_module() -> nn.Module:
    parts: list[nn.Module] = []
    for _ in range(DEPTH):
        parts += [nn.Linear(WIDTH, WIDTH), nn.ReLU()]
    return nn.Sequential(*parts)


def make_native_step(x: Any, y: Any, shard_weights: bool) -> Callable[[], object]:
    """Returns a step as the guides of PyTorch have it, of the rows of this process."""
    module: Any = make_module()
    if shard_weights:
        for part in module:
            if isinstance(part, nn.Linear):
                fully_shard(part)
        fully_shard(module)
    else:
        module = DistributedDataParallel(module)
    optimizer = torch.optim.Adam(module.parameters(), 1e-4, foreach=True)
    count = BATCH // dist.get_world_size()
    rows = slice(PROCESS * count, (PROCESS + 1) * count)
    x, y = torch.tensor(x[rows]), torch.tensor(y[rows])

    def step() -> None:
        optimizer.zero_grad()
        nn.functional.mse_loss(module(x), y).backward()
        optimizer.step()

    return step


def measure(step: Callable[[], object]) -> float:
    """Returns the milliseconds of a step in the slower process."""
    dist.barrier()
    started = time.perf_counter()
    for _ in range(STEPS):
        step()
    took = torch.tensor(time.perf_counter() - started)
    dist.all_reduce(took, dist.ReduceOp.MAX)
    return 1000 * took.item() / STEPS


def main() -> None:
    distribution.initialize()
    rng = np.random.default_rng(0)
    x, y = (rng.normal(size=(BATCH, WIDTH)).astype("f4") for _ in range(2))
    steps = {
        "replicated": make_own_step(x, y, False),
        "DDP": make_native_step(x, y, False),
        "sharded": make_own_step(x, y, True),
        "FSDP2": make_native_step(x, y, True),
    }
    for step in steps.values():
        step()
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(ROUNDS):
        for name, step in steps.items():
            times[name].append(measure(step))
    if PROCESS == 0:
        medians = {name: statistics.median(found) for name, found in times.items()}
        for name, found in times.items():
            sys.stdout.write(f"{name:11} {medians[name]:7.1f} ms, at least {min(found):7.1f}\n")
        for own, native in (("replicated", "DDP"), ("sharded", "FSDP2")):
            ratios = [a / b for a, b in zip(times[own], times[native], strict=True)]
            ratio, least = statistics.median(ratios), min(times[own]) / min(times[native])
            sys.stdout.write(f"{own} / {native}: {ratio:.2f}; of the minima {least:.2f}\n")


main()

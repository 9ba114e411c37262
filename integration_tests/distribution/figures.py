"""The figures of docs/distribution.md: work and memory of a device in each layout.

`XLA_FLAGS=--xla_force_host_platform_device_count=8 KERAS_BACKEND=jax python figures.py` prints a
table for a model of 32 MiB with Adam. `… python -m keras_fn.launch -n 2 figures.py making 1024`
makes a model of so many MiB in two processes, and prints what each has drawn.
"""

import os
import resource
import sys
import time
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

import keras_fn as keras
from keras_fn import distribution, layers
from keras_fn.initializers import VarianceScaling

WIDTH, DEPTH, BATCH = 1024, 8, 256
MIB = 2**20


def make_model(depth: int = DEPTH) -> keras.Model:
    x = inputs = keras.Input((WIDTH,))
    for i in range(depth):
        x = layers.Dense(WIDTH, activation="relu", name=f"dense_{i}")(x)
    return keras.Model(inputs, x)


def make_layouts() -> dict[str, Callable[[], Any]]:
    def tensor_parallel(**options: Any) -> Any:
        mesh = distribution.DeviceMesh((2, 4), ("batch", "model"))
        layout_map = distribution.LayoutMap(mesh)
        layout_map["dense_.*[02468]/kernel"] = (None, "model")
        layout_map["dense_.*[02468]/bias"] = ("model",)
        layout_map["dense_.*[13579]/kernel"] = ("model", None)
        return distribution.ModelParallel(layout_map=layout_map, **options)

    return {
        "one device": lambda: None,
        "replicated on 8": distribution.DataParallel,
        "weights sharded over 8": lambda: distribution.DataParallel(shard_weights=True),
        "tensor parallel, 2 x 4": tensor_parallel,
        "sharded over 2, tensor over 4": lambda: tensor_parallel(shard_weights=True),
    }


def measure(made: Any) -> tuple[float, float, float]:
    """Returns Mflop of a step, MiB of state and MiB of temporary memory, each of one device."""
    distribution.set_distribution(made)
    model = make_model()
    model.compile(keras.optimizers.Adam(1e-3), "mse")
    model.optimizer.build(model.trainable_variables)
    x = np.zeros((BATCH, WIDTH), "float32")
    model._build_for_training(([x], [x], None))
    state, step = model._state("train"), model._make_step("train")
    if made is not None:
        made.adopt(state)  # the seed that all models share is of an earlier one
    values = [v.value for v in state]

    def run(values: list[Any], x: Any, y: Any) -> Any:
        with keras.StatelessScope(zip(state, values, strict=True)) as scope:
            step(([x], [y], None), None)
        return [scope.get_current_value(v) for v in state]

    shardings = [value.sharding for value in values]
    compiled = jax.jit(run, out_shardings=shardings, donate_argnums=0).lower(values, x, x).compile()
    first = jax.devices()[0]
    shards = [s for v in values for s in v.addressable_shards if s.device == first]
    held = sum(s.data.nbytes for s in shards)
    flops = compiled.cost_analysis()["flops"]
    temporary = compiled.memory_analysis().temp_size_in_bytes
    distribution.set_distribution(None)
    return flops / 1e6, held / MIB, temporary / MIB


def print_table() -> None:
    one = 0.0
    print(f"{'layout':32}{'Mflop':>10}{'MiB of state':>15}{'of one':>9}{'temporary MiB':>16}")
    for name, make in make_layouts().items():
        flops, held, temporary = measure(make())
        one = one or held
        print(f"{name:32}{flops:10,.0f}{held:15.1f}{held / one:9.3f}{temporary:16.1f}")


def print_making(megabytes: int) -> None:
    drawn = 0
    draw = VarianceScaling._values

    def note(self: Any, *arguments: Any) -> Any:
        nonlocal drawn
        values = draw(self, *arguments)
        drawn += values.size
        return values

    VarianceScaling._values = note  # type: ignore[method-assign]
    distribution.initialize()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    started = time.perf_counter()
    with distribution.DataParallel(shard_weights=True).scope():
        model = make_model(megabytes * MIB // (4 * WIDTH * WIDTH))
        jax.block_until_ready([v.value for v in model.variables])
    seconds = time.perf_counter() - started
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - peak
    held = sum(s.data.nbytes for v in model.variables for s in v.value.addressable_shards) / MIB
    part = drawn / sum(v.size for v in model.variables)
    process = os.environ.get("KERAS_DISTRIBUTION_PROCESS_ID", "0")
    print(
        f"process {process}: drew {part:.2f} of the model in {seconds:.1f} s, holds "
        f"{held:.0f} MiB, and grew by {grown:.0f} MiB at most"
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["making"]:
        print_making(int(sys.argv[2]))
    else:
        print_table()

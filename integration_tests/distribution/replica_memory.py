"""What each of several processes draws and holds, of a model of so many MiB with Adam.

`KERAS_BACKEND=torch OMP_NUM_THREADS=1 MALLOC_MMAP_THRESHOLD_=262144 python -m keras_fn.launch -n 2
replica_memory.py MIB [sharded]` prints it for process 0. The allocator of glibc keeps freed memory
unless the threshold is set.
"""

import math
import os
import resource
import sys
from typing import Any

import numpy as np

import keras_fn as keras
from keras_fn import distribution, layers
from keras_fn.core.sharded_variable import ShardScope
from keras_fn.initializers import VarianceScaling

WIDTH, BATCH, MIB = 1024, 256, 2**20


def get_peak() -> float:
    """Returns the most memory that this process has had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


class Counting(VarianceScaling):
    """An initializer that counts the elements it draws."""

    drawn = 0

    def draw(self, shape: Any, dtype: str, key: Any) -> Any:
        Counting.drawn += int(np.prod(shape))
        return super().draw(shape, dtype, key)

    def draw_rows(self, shape: Any, dtype: str, key: Any, start: int, stop: int) -> Any:
        Counting.drawn += (stop - start) * int(np.prod(shape[1:]))
        return super().draw_rows(shape, dtype, key, start, stop)


def main(mib: int, shard_weights: bool) -> None:
    distribution.initialize()
    distribution.set_distribution(distribution.DataParallel(shard_weights=shard_weights))
    before = get_peak()
    inputs = outputs = keras.Input((WIDTH,))
    depth = mib * MIB // (4 * WIDTH * WIDTH)
    for _ in range(depth):
        layer = layers.Dense(WIDTH, activation="relu", kernel_initializer=Counting())
        outputs = layer(outputs)
    model = keras.Model(inputs, outputs)
    with ShardScope("local"):  # they are drawn when they are read
        count = len([v.value for v in model.variables])
    made = get_peak() - before
    model.compile(keras.optimizers.Adam(1e-4), "mse")
    rng = np.random.default_rng(0)
    x, y = (rng.normal(size=(BATCH, WIDTH)).astype("f4") for _ in range(2))
    for _ in range(2):
        model.train_on_batch(x, y)
    variables: list[Any] = [*model.variables, *model.optimizer.variables]
    with ShardScope("local"):
        held = sum(4 * math.prod(v.value.shape) for v in variables) / MIB
    whole = sum(4 * v.size for v in variables) / MIB
    if os.environ["KERAS_DISTRIBUTION_PROCESS_ID"] == "0":
        share = Counting.drawn / (depth * WIDTH * WIDTH)
        sys.stdout.write(
            f"drawn {share:.2f} of the model, peak of making it +{made:.0f} MiB; holds "
            f"{held:.1f} of {whole:.1f} MiB ({held / whole:.3f}); peak of a step "
            f"+{get_peak() - before:.0f} MiB ({count} weights)\n"
        )


main(int(sys.argv[1]), "sharded" in sys.argv)

"""Two processes write sharded checkpoints, and one of them is killed at some moment, many times.

`python kill_program.py TIMES FOLDER` prints how often the last whole checkpoint was there.
"""

import os
import random
import signal
import sys
import time
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from keras_fn.distribution import processes as module
from keras_fn.saving.checkpoint.checkpoint_reader import open_checkpoint
from keras_fn.saving.checkpoint.checkpoint_writer import OwnedSlices, write_whole

SHAPE, ROWS = (64, 512), 32


def write_for_ever(index: int, pipe: Any, folder: Path) -> None:
    """Writes one checkpoint after the other, and notes the steps of those that are complete."""
    processes = module.processes
    processes.index, processes.count, processes.timeout = index, 2, 60.0

    def exchange(name: str, text: str, timeout: float) -> list[str]:
        del timeout
        pipe.send((name, text))
        other, found = pipe.recv()
        assert other == name
        return [text, found] if index == 0 else [found, text]

    module._exchange = exchange  # type: ignore[assignment]
    for step in range(1 << 30):
        values = np.full((ROWS, SHAPE[1]), step, "float32")
        owned = OwnedSlices(SHAPE, values.dtype, [((ROWS * index, 0), values)])
        write_whole(folder / "run.checkpoint", lambda: ({"w": owned}, step), "test")  # noqa: B023
        if index == 0:
            (folder / "new").write_text(str(step))
            os.replace(folder / "new", folder / "done")


def is_whole_after_a_kill(turn: int, folder: Path) -> bool:
    """Returns whether the checkpoint was the last that was complete, or the one after it."""
    folder.mkdir()
    context = get_context("fork")
    pipes = context.Pipe()
    workers = [
        context.Process(target=write_for_ever, args=(i, pipe, folder), daemon=True)
        for i, pipe in enumerate(pipes)
    ]
    for worker in workers:
        worker.start()
    while not (folder / "done").exists():
        time.sleep(0.01)
    time.sleep(random.Random(turn).random() * 0.1)
    os.kill(workers[turn % 2].pid or 0, signal.SIGKILL)
    time.sleep(0.02)
    workers[1 - turn % 2].kill()
    for worker in workers:
        worker.join()
    done = int((folder / "done").read_text())
    with open_checkpoint(folder / "run.checkpoint") as checkpoint:
        values = checkpoint.read("w", SHAPE, np.float32)
    return bool((values == checkpoint.state).all()) and checkpoint.state in (done, done + 1)


if __name__ == "__main__":
    times, parent = int(sys.argv[1]), Path(sys.argv[2])
    whole = sum(is_whole_after_a_kill(turn, parent / str(turn)) for turn in range(times))
    sys.stdout.write(f"whole after {whole} of {times} kills\n")

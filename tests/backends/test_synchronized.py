"""`ops.moments(synchronized=True)`: two replicas average as one program would."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import keras_fn as keras
from keras_fn import ops

WORKER = Path(__file__).parent / "synchronized_worker.py"
X = np.array([[1.0, 2.0], [3.0, 5.0], [7.0, 0.0], [9.0, -4.0]], "float32")


def start(*arguments: str) -> "subprocess.Popen[str]":
    command = [sys.executable, str(WORKER), *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_replicas_average_together(tmp_path: Path) -> None:
    name = keras.config.backend()
    if name == "torch":
        processes = [start(rank, str(tmp_path / "store")) for rank in "01"]
    elif name == "tensorflow":
        processes = [start()]
    else:
        pytest.skip("On JAX arrays are whole.")
    ended = [process.communicate(timeout=120) for process in processes]
    lines = [line for out, _ in ended for line in out.splitlines() if line.startswith("[")]
    count = 3 if name == "torch" else 1  # lines of each replica
    assert len(lines) == 2 * count, "\n".join(errors for _, errors in ended)
    if name == "torch":
        check_batch_normalization(lines)
    for rank, line in enumerate(lines[::count]):
        mean, variance, grad = map(np.array, json.loads(line))
        np.testing.assert_allclose(mean, X.mean(0), rtol=1e-6)
        np.testing.assert_allclose(variance, X.var(0), rtol=1e-6)
        # Of the sum over both replicas, as gradients are summed after a step.
        part = X[2 * rank : 2 * rank + 2]
        np.testing.assert_allclose(grad, 2 * (2.0 + 2 * (part - X.mean(0))) / 4, rtol=1e-5)


def check_batch_normalization(lines: list[str]) -> None:
    """Of replicas with unequal numbers of samples, and with masks: as of one batch."""
    plain, masked = (keras.layers.BatchNormalization(momentum=0.5) for _ in range(2))
    seen = np.array([True, True, False, True])
    y = ops.convert_to_numpy(ops.stop_gradient(plain(X, training=True)))
    masked(X[seen], training=True)
    for rank, (first, last) in enumerate(((0, 3), (3, 4))):
        found, mean, variance = map(np.array, json.loads(lines[3 * rank + 1]))
        np.testing.assert_allclose(found, y[first:last], 1e-4, 1e-5)
        np.testing.assert_allclose(mean, plain.moving_mean.numpy(), 1e-5, 1e-6)
        np.testing.assert_allclose(variance, plain.moving_variance.numpy(), 1e-5)
        _, mean, variance = map(np.array, json.loads(lines[3 * rank + 2]))
        np.testing.assert_allclose(mean, masked.moving_mean.numpy(), 1e-5, 1e-6)
        np.testing.assert_allclose(variance, masked.moving_variance.numpy(), 1e-5)


def test_in_one_process_nothing_changes() -> None:
    alone = ops.moments(X, [0])
    for a, b in zip(ops.moments(X, [0], synchronized=True), alone, strict=True):
        np.testing.assert_array_equal(ops.convert_to_numpy(a), ops.convert_to_numpy(b))
    layer, other = (keras.layers.BatchNormalization(synchronized=s) for s in (True, False))
    y, z = (ops.convert_to_numpy(each(X, training=True)) for each in (layer, other))
    np.testing.assert_allclose(y, z, rtol=1e-5)
    np.testing.assert_allclose(
        layer.moving_variance.numpy(), other.moving_variance.numpy(), rtol=1e-5
    )
